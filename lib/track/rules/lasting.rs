//! Conditions that count only once they have lasted.

use std::time::Duration;

use park_core::record::Time;
use serde::{Deserialize, Serialize};

/// A condition, when it began, and whether it has lasted long enough to count.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Lasting {
    since: Option<Time>,
    counts: bool,
}

impl Lasting {
    /// Whether the condition `holds` at `now`; it counts after it has held for `after`, and no longer once it does
    /// not hold. Returns what changed: that it now counts, or no longer does.
    pub fn update(&mut self, holds: bool, now: Time, after: Duration) -> Option<bool> {
        if !holds {
            self.since = None;
            return std::mem::take(&mut self.counts).then_some(false);
        }
        let since = *self.since.get_or_insert(now);
        let begins = !self.counts && now.since(since) >= after;
        self.counts |= begins;
        begins.then_some(true)
    }

    /// When it will count if it goes on.
    pub fn deadline(&self, after: Duration) -> Option<Time> {
        self.since.filter(|_| !self.counts).map(|since| since + after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_after_its_delay_and_ends_at_once() {
        let mut lasting = Lasting::default();
        let at = Time::from_millis;
        let after = Duration::from_millis(10);
        assert_eq!(lasting.update(true, at(0), after), None);
        assert_eq!(lasting.deadline(after), Some(at(10)));
        assert_eq!(lasting.update(true, at(9), after), None);
        assert_eq!(lasting.update(true, at(10), after), Some(true));
        assert_eq!(lasting.update(true, at(20), after), None, "once");
        assert_eq!(lasting.update(false, at(21), after), Some(false));
        assert_eq!(lasting.update(false, at(22), after), None);
        assert_eq!(lasting.update(true, at(23), after), None);
        assert_eq!(lasting.update(false, at(24), after), None, "it never counted");
    }
}
