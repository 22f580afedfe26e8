//! Which frames of a stream are wanted, and when a recording's frames are due.

use std::time::{Duration, Instant};

use opencv::core::Mat;
use park_core::Result;
use park_core::record::Time;

use crate::idle::Idle;

/// How many frames of a stream are kept.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rates {
    /// Frames a second; all of them without it.
    pub fps: Option<f64>,
    /// Frames a second of a view in which nothing moves; as many as of any other without it.
    pub idle_fps: Option<f64>,
}

/// Chooses the frames of one stream that are kept.
#[derive(Debug)]
pub struct Choice {
    sampler: Sampler,
    idle: Option<Idle>,
}

impl Choice {
    /// Keeps frames at these rates.
    pub fn new(rates: Rates) -> Self {
        Choice { sampler: Sampler::new(rates.fps), idle: rates.idle_fps.map(Idle::new) }
    }

    /// Whether the frame at `seconds` may be wanted, before it is decoded; asked once for each, in order.
    pub fn may_want(&mut self, seconds: f64) -> bool {
        self.sampler.wants(seconds)
    }

    /// Whether it is wanted, now that it can be seen.
    ///
    /// # Errors
    /// When the picture has no pixels.
    pub fn wants(&mut self, picture: &Mat, seconds: f64) -> Result<bool> {
        self.idle.as_mut().map_or(Ok(true), |idle| idle.wants(picture, seconds))
    }
}

/// Keeps about so many frames a second of a stream that has more.
#[derive(Debug, Clone)]
struct Sampler {
    period: f64,
    due: f64,
}

impl Sampler {
    /// Keeps `fps` frames a second; all of them without a number.
    fn new(fps: Option<f64>) -> Self {
        Sampler { period: fps.map_or(0.0, |fps| 1.0 / fps), due: f64::MIN }
    }

    /// Whether the frame at `seconds` is wanted; asked once for each, in order.
    fn wants(&mut self, seconds: f64) -> bool {
        // Positions are whole milliseconds in many files, so a frame may seem to come a little early.
        if seconds + 0.001 < self.due {
            return false;
        }
        // From due to due, not from frame to frame, lest 30 frames a second sampled at 20 give 15.
        self.due += self.period;
        if self.due <= seconds {
            self.due = seconds + self.period;
        }
        true
    }
}

/// Paces a recording by its own clock.
#[derive(Debug, Default)]
pub struct Pacer {
    began: Option<(Instant, Time)>,
}

impl Pacer {
    /// How long to wait before what happened at `time`, with the first of all being due at once.
    pub fn wait(&mut self, time: Time, now: Instant) -> Duration {
        let (began, first) = *self.began.get_or_insert((now, time));
        (began + time.since(first)).saturating_duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(rate: f64, fps: Option<f64>, seconds: f64) -> usize {
        let mut sampler = Sampler::new(fps);
        let frames = (rate * seconds) as usize;
        (0..frames).filter(|frame| sampler.wants((*frame as f64 / rate * 1000.0).round() / 1000.0)).count()
    }

    #[test]
    fn the_rate_is_kept_whatever_the_streams_own() {
        for (rate, fps) in [(30.0, 10.0), (30.0, 20.0), (25.0, 10.0), (29.97, 7.0), (60.0, 1.0)] {
            let count = kept(rate, Some(fps), 60.0) as f64;
            assert!((count - fps * 60.0).abs() <= 2.0, "{count} of {rate} at {fps}");
        }
        assert_eq!(kept(30.0, None, 10.0), 300);
        assert_eq!(kept(10.0, Some(30.0), 10.0), 100);
    }

    #[test]
    fn a_gap_is_not_made_up_for() {
        let mut sampler = Sampler::new(Some(1.0));
        let wanted: Vec<bool> =
            [0.0, 0.5, 1.0, 100.0, 100.1, 100.2, 101.0].map(|t| sampler.wants(t)).to_vec();
        assert_eq!(wanted, [true, false, true, true, false, false, true]);
    }

    #[test]
    fn a_recording_is_paced_from_its_first_frame() {
        let (mut pacer, now) = (Pacer::default(), Instant::now());
        let at = |millis: i64| Time::from_millis(50_000 + millis);
        assert_eq!(pacer.wait(at(0), now), Duration::ZERO);
        assert_eq!(pacer.wait(at(500), now), Duration::from_millis(500));
        assert_eq!(pacer.wait(at(600), now + Duration::from_secs(2)), Duration::ZERO);
    }
}
