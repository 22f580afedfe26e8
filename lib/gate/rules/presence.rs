//! A reader repeats a card many times a second: of that come one `present` and one `absent`.

use std::time::Duration;

use park_core::record::Time;
use park_core::record::gate::CardState;

/// How long a reader is silent before its card has left.
const SILENCE: Duration = Duration::from_millis(300);

/// Which card is at a reader.
#[derive(Debug, Clone, Default)]
pub struct Presence {
    card: Option<(String, Time)>,
}

/// A card came or left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The card.
    pub card: String,
    /// Whether it came or left.
    pub state: CardState,
    /// When.
    pub time: Time,
}

impl Presence {
    /// The reader has read `card`.
    pub fn read(&mut self, card: &str, now: Time) -> Vec<Change> {
        let mut changes = self.pass(now);
        match &mut self.card {
            Some((present, seen)) if present == card => *seen = now,
            present => {
                let left = present.replace((card.to_owned(), now));
                changes.extend(left.map(|(card, _)| Change { card, state: CardState::Absent, time: now }));
                changes.push(Change { card: card.to_owned(), state: CardState::Present, time: now });
            }
        }
        changes
    }

    /// Time has passed.
    pub fn pass(&mut self, now: Time) -> Vec<Change> {
        let left = self.card.take_if(|(_, seen)| now.since(*seen) >= SILENCE);
        left.map(|(card, seen)| Change { card, state: CardState::Absent, time: seen + SILENCE })
            .into_iter()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Time {
        Time::from_millis(ms)
    }

    fn states(changes: &[Change]) -> Vec<(&str, CardState, i64)> {
        changes.iter().map(|change| (change.card.as_str(), change.state, change.time.millis())).collect()
    }

    #[test]
    fn a_repeated_card_is_present_once() {
        let mut presence = Presence::default();
        let mut changes = Vec::new();
        for n in 0..20 {
            changes.extend(presence.read("A", at(n * 50)));
        }
        changes.extend(presence.pass(at(1_249)));
        assert_eq!(states(&changes), [("A", CardState::Present, 0)]);
        assert_eq!(states(&presence.pass(at(1_250))), [("A", CardState::Absent, 1_250)]);
        assert_eq!(presence.pass(at(9_000)), []);
    }

    #[test]
    fn another_card_takes_the_place_of_the_first() {
        let mut presence = Presence::default();
        presence.read("A", at(0));
        let changes = presence.read("B", at(50));
        assert_eq!(states(&changes), [("A", CardState::Absent, 50), ("B", CardState::Present, 50)]);
    }

    #[test]
    fn a_card_that_comes_again_after_silence_is_present_again() {
        let mut presence = Presence::default();
        presence.read("A", at(0));
        let changes = presence.read("A", at(1_000));
        assert_eq!(states(&changes), [("A", CardState::Absent, 300), ("A", CardState::Present, 1_000)]);
    }
}
