//! The gate's event time: that of its stream, carried on by the wall clock where the stream is silent at a live edge.

use std::time::Duration;

use park_core::record::Time;

/// Event time that never goes back.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clock {
    now: Time,
    /// When, by the wall clock, the stream last spoke.
    spoke: Option<Time>,
}

impl Clock {
    /// The time now.
    pub fn now(&self) -> Time {
        self.now
    }

    /// A record of the stream is of `time`; the wall clock shows `wall`.
    pub fn stream(&mut self, time: Time, wall: Time) -> Time {
        // Before the stream's first record there was only the wall clock to go by, and a recording is of the past.
        self.now = if self.spoke.is_none() { time } else { self.now.max(time) };
        self.spoke = Some(wall);
        self.now
    }

    /// Carries the time on to the wall clock's `wall`, if the stream has been silent for `silence`.
    pub fn carry(&mut self, wall: Time, silence: Duration) -> Time {
        match &mut self.spoke {
            None => self.now = self.now.max(wall),
            Some(spoke) => {
                let passed = wall.since(*spoke);
                if passed >= silence {
                    self.now = self.now + passed;
                    *spoke = wall;
                }
            }
        }
        self.now
    }

    /// Whether the stream has spoken.
    pub fn has_stream(&self) -> bool {
        self.spoke.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Time {
        Time::from_millis(ms)
    }

    #[test]
    fn a_recording_sets_the_time_and_silence_carries_it_on() {
        let mut clock = Clock::default();
        assert_eq!(clock.carry(at(9_000_000), Duration::ZERO), at(9_000_000));
        assert_eq!(clock.stream(at(1_000), at(9_000_010)), at(1_000));
        assert_eq!(clock.stream(at(900), at(9_000_020)), at(1_000), "it never goes back");
        assert_eq!(clock.carry(at(9_000_100), Duration::from_millis(500)), at(1_000));
        assert_eq!(clock.carry(at(9_000_620), Duration::from_millis(500)), at(1_600));
        assert_eq!(clock.carry(at(9_001_120), Duration::from_millis(500)), at(2_100));
    }
}
