//! One slot: when it has changed for good.

use std::time::Duration;

use park_core::record::Time;
use park_core::record::vision::{SlotReading, SlotState, UnknownCause};
use serde::{Deserialize, Serialize};

/// How long a state must be seen before it counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Delays {
    /// Occupied.
    pub occupied: Duration,
    /// Free.
    pub free: Duration,
    /// Unknown.
    pub unknown: Duration,
    /// Readings further apart than this do not confirm each other.
    pub gap: Duration,
    /// Whether the first state of all must be confirmed as well.
    pub confirm_first: bool,
}

/// A slot: the state that counts, and the one that may come.
///
/// Only its own readings move it, so the order in which several cameras' records arrive changes nothing. A state
/// counts once it was seen at both ends of its delay with nothing known to the contrary between; readings of
/// `unknown` neither confirm nor refute one. The first reading of all counts at once, for it is no change, unless it must be
/// confirmed too: then nothing is said of the slot until a state counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Slot {
    /// Its level, as its readings say.
    pub level: Option<String>,
    /// The camera that saw it last.
    pub camera: String,
    /// The state that counts.
    pub state: SlotState,
    /// Why it is unknown.
    pub cause: Option<UnknownCause>,
    /// When it was last read.
    pub last: Time,
    /// Another known state, and the first reading of it.
    turning: Option<(SlotState, Time)>,
    /// The first of the latest readings of `unknown`.
    doubt: Option<Time>,
    /// No state has counted yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unconfirmed: bool,
}

/// A slot has changed for good.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// The state before; none if this is the first.
    pub previous: Option<SlotState>,
    /// The first reading of the state that now counts.
    pub since: Time,
}

impl Slot {
    /// A slot that is seen for the first time, and its first state unless that must be confirmed.
    pub fn met(at: Time, camera: &str, reading: &SlotReading, delays: &Delays) -> (Slot, Option<Change>) {
        if delays.confirm_first {
            return (Slot::unconfirmed(at, camera, reading), None);
        }
        let (slot, change) = Slot::first(at, camera, reading);
        (slot, Some(change))
    }

    /// A slot that is seen for the first time, and has at once the state it shows.
    pub fn first(at: Time, camera: &str, reading: &SlotReading) -> (Slot, Change) {
        let slot = Slot {
            level: reading.level_id.clone(),
            camera: camera.to_owned(),
            state: reading.state,
            cause: reading.cause,
            last: at,
            turning: None,
            doubt: None,
            unconfirmed: false,
        };
        (slot, Change { previous: None, since: at })
    }

    /// A slot that is seen for the first time, and has no state until one is confirmed.
    fn unconfirmed(at: Time, camera: &str, reading: &SlotReading) -> Slot {
        let (slot, _) = Slot::first(at, camera, reading);
        let known = slot.state != SlotState::Unknown;
        Slot {
            state: SlotState::Unknown,
            turning: known.then_some((reading.state, at)),
            doubt: (!known).then_some(at),
            unconfirmed: true,
            ..slot
        }
    }

    /// Whether a state counts.
    pub fn is_confirmed(&self) -> bool {
        !self.unconfirmed
    }

    /// Another system says that the slot has this state: it has its own delays, so that this counts at once.
    pub fn told(&mut self, at: Time, camera: &str, state: SlotState, cause: Option<UnknownCause>) {
        if at > self.last {
            self.last = at;
            self.camera = camera.to_owned();
            self.change(state, cause, at);
        }
    }

    /// Takes a reading and says whether the slot has changed. One that is not newer than the last is ignored.
    pub fn read(&mut self, at: Time, reading: &SlotReading, delays: &Delays) -> Option<Change> {
        if at <= self.last {
            return None;
        }
        if at.since(self.last) > delays.gap {
            (self.turning, self.doubt) = (None, None);
        }
        self.last = at;
        match reading.state {
            SlotState::Unknown => self.read_unknown(at, reading.cause, delays),
            known => self.read_known(at, known, delays),
        }
    }

    fn read_known(&mut self, at: Time, known: SlotState, delays: &Delays) -> Option<Change> {
        self.doubt = None;
        if known == self.state {
            self.turning = None;
            return None;
        }
        let since = match self.turning {
            Some((state, since)) if state == known => since,
            _ => at,
        };
        self.turning = Some((known, since));
        let delay = if known == SlotState::Occupied { delays.occupied } else { delays.free };
        (at.since(since) >= delay).then(|| self.change(known, None, since))
    }

    fn read_unknown(&mut self, at: Time, cause: Option<UnknownCause>, delays: &Delays) -> Option<Change> {
        let since = *self.doubt.get_or_insert(at);
        if at.since(since) < delays.unknown {
            return None;
        }
        self.turning = None;
        if self.state == SlotState::Unknown && !self.unconfirmed {
            self.cause = cause;
            return None;
        }
        Some(self.change(SlotState::Unknown, cause, since))
    }

    /// Its camera has been silent for too long.
    pub fn stale(&mut self) -> Option<Change> {
        let since = self.last;
        let known = self.state != SlotState::Unknown;
        (self.turning, self.doubt) = (None, None);
        known.then(|| self.change(SlotState::Unknown, Some(UnknownCause::Stale), since))
    }

    fn change(&mut self, state: SlotState, cause: Option<UnknownCause>, since: Time) -> Change {
        let before = std::mem::replace(&mut self.state, state);
        let previous = (!std::mem::take(&mut self.unconfirmed)).then_some(before);
        (self.cause, self.turning, self.doubt) = (cause, None, None);
        Change { previous, since }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELAYS: Delays = Delays {
        occupied: Duration::from_secs(3),
        free: Duration::from_secs(5),
        unknown: Duration::from_secs(10),
        gap: Duration::from_secs(60),
        confirm_first: false,
    };

    fn play(readings: &str) -> String {
        play_with(&DELAYS, readings)
    }

    /// Reads one letter a second (`o`, `f`, `u`; anything else is no reading) and writes the changes as `SINCE:STATE@SECOND`.
    fn play_with(delays: &Delays, readings: &str) -> String {
        let mut slot = None;
        let mut changes = Vec::new();
        for (second, letter) in readings.chars().enumerate() {
            let state = match letter {
                'o' => SlotState::Occupied,
                'f' => SlotState::Free,
                'u' => SlotState::Unknown,
                _ => continue,
            };
            let at = Time::from_millis(second as i64 * 1000);
            let reading =
                SlotReading { slot_id: "A1".into(), level_id: None, state, confidence: 1.0, cause: None };
            let change = match &mut slot {
                None => {
                    let (first, change) = Slot::met(at, "cam", &reading, delays);
                    slot = Some(first);
                    change
                }
                Some(slot) => slot.read(at, &reading, delays),
            };
            if let (Some(change), Some(slot)) = (change, &slot) {
                changes.push(format!("{:?}@{second} since {}", slot.state, change.since.millis() / 1000));
            }
        }
        changes.join(", ")
    }

    #[test]
    fn each_side_has_its_own_delay() {
        assert_eq!(play("ffoooo"), "Free@0 since 0, Occupied@5 since 2");
        assert_eq!(play("oofffff"), "Occupied@0 since 0");
        assert_eq!(play("ooffffff"), "Occupied@0 since 0, Free@7 since 2");
    }

    #[test]
    fn a_flicker_gives_nothing() {
        assert_eq!(play("ffooofffooofffooof"), "Free@0 since 0");
        assert_eq!(play("ffoofooooo"), "Free@0 since 0, Occupied@8 since 5");
    }

    #[test]
    fn unknown_neither_confirms_nor_refutes() {
        assert_eq!(play("ffouuo"), "Free@0 since 0, Occupied@5 since 2");
        assert_eq!(play("ffouuuuu"), "Free@0 since 0", "nobody saw it occupied at the end of the delay");
        assert_eq!(play("ffoufuo"), "Free@0 since 0");
    }

    #[test]
    fn unknown_counts_only_after_long() {
        assert_eq!(play("ffuuuuuuuuuuf"), "Free@0 since 0");
        assert_eq!(play("ffuuuuuuuuuuu"), "Free@0 since 0, Unknown@12 since 2");
        assert_eq!(play("ffuuuuuuuuuuuuooooo"), "Free@0 since 0, Unknown@12 since 2, Occupied@17 since 14");
        assert_eq!(play("uuoooo"), "Unknown@0 since 0, Occupied@5 since 2");
    }

    #[test]
    fn a_long_doubt_forgets_what_was_coming() {
        assert_eq!(play("ffouuuuuuuuuuuo"), "Free@0 since 0, Unknown@13 since 3");
        assert_eq!(play("uuouuuuuuuuuuuo"), "Unknown@0 since 0");
    }

    #[test]
    fn a_first_state_that_must_be_confirmed_waits_like_a_change() {
        let play = |readings: &str| play_with(&Delays { confirm_first: true, ..DELAYS }, readings);
        assert_eq!(play("ffffffff"), "Free@5 since 0");
        assert_eq!(play("ooooooooo"), "Occupied@3 since 0");
        assert_eq!(play("offffffff"), "Free@6 since 1", "somebody passed as it began");
        assert_eq!(play("uooooo"), "Occupied@4 since 1");
        assert_eq!(play("uuuuuuuuuuuu"), "Unknown@10 since 0");
        assert_eq!(play("oooffffff"), "Free@8 since 3");
        assert_eq!(play("oooooffffff"), "Occupied@3 since 0, Free@10 since 5");
    }

    #[test]
    fn readings_far_apart_do_not_confirm_each_other() {
        let hole = " ".repeat(70);
        assert_eq!(play(&format!("ffo{hole}o")), "Free@0 since 0");
        assert_eq!(play(&format!("ffo{}o", " ".repeat(20))), "Free@0 since 0, Occupied@23 since 2");
    }

    #[test]
    fn an_old_reading_is_ignored() {
        let reading =
            |state| SlotReading { slot_id: "A1".into(), level_id: None, state, confidence: 1.0, cause: None };
        let at = |second: i64| Time::from_millis(second * 1000);
        let (mut slot, _) = Slot::first(at(10), "cam", &reading(SlotState::Free));
        for second in [1, 5, 10] {
            assert_eq!(slot.read(at(second), &reading(SlotState::Occupied), &DELAYS), None);
        }
        assert_eq!(slot.read(at(13), &reading(SlotState::Occupied), &DELAYS), None, "the first that counts");
    }

    #[test]
    fn silence_makes_a_known_slot_unknown_once() {
        let reading = SlotReading {
            slot_id: "A1".into(),
            level_id: None,
            state: SlotState::Free,
            confidence: 1.0,
            cause: None,
        };
        let (mut slot, _) = Slot::first(Time::from_millis(7), "cam", &reading);
        let change = Change { previous: Some(SlotState::Free), since: Time::from_millis(7) };
        assert_eq!(slot.stale(), Some(change));
        assert_eq!((slot.state, slot.cause), (SlotState::Unknown, Some(UnknownCause::Stale)));
        assert_eq!(slot.stale(), None);
    }
}
