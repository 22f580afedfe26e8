//! How long what is kept: `--keep plates=7d,slots=1d,connections=90d`.

use std::collections::{BTreeMap, VecDeque};
use std::str::FromStr;
use std::time::Duration;

use park_core::Result;
use park_core::record::Time;
use park_core::record::catalogue;
use park_store::{Old, Store};

/// What may be named beside the types of records.
const TABLES: [&str; 4] = ["records", "connections", "audit", "statistics"];

/// What is kept for how long if nobody says otherwise.
pub const DEFAULT: &str = "plates=7d,slots=1d,camera_status=30d,hardware_status=30d,system_status=30d,live_stats=7d,\
    parking_entry=3y,parking_exit=3y,violation=3y,booking_updated=3y,payment_updated=3y,\
    records=1y,connections=90d,audit=1y,statistics=3y";

/// Rows removed in one transaction.
const STEP: usize = 500;

/// Pages given back to the file system in one.
const PAGES: u32 = 256;

/// For how long each kind of record, and each table, is kept; nothing means for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keep(BTreeMap<String, Option<Duration>>);

impl Default for Keep {
    fn default() -> Keep {
        Keep::parse(DEFAULT, BTreeMap::new()).expect("the default is a list of names and spans")
    }
}

impl FromStr for Keep {
    type Err = String;
    /// What is named replaces the default; the rest of it stays.
    fn from_str(text: &str) -> std::result::Result<Keep, String> {
        Keep::parse(text, Keep::default().0)
    }
}

impl Keep {
    fn parse(text: &str, mut kept: BTreeMap<String, Option<Duration>>) -> std::result::Result<Keep, String> {
        let kinds: Vec<&str> = catalogue().iter().map(|entry| entry.kind).collect();
        for part in text.split(',').filter(|part| !part.trim().is_empty()) {
            let (name, span) =
                part.trim().split_once('=').ok_or_else(|| format!("{part:?} is not NAME=TIME"))?;
            if !kinds.contains(&name) && !TABLES.contains(&name) {
                return Err(format!("{name:?} is no type of record, nor one of {}", TABLES.join(", ")));
            }
            kept.insert(name.to_owned(), span_of(span)?);
        }
        Ok(Keep(kept))
    }

    /// The longest that any record is kept, and the longest of all; nothing means for ever.
    fn longest_record(&self) -> Option<Duration> {
        let records = self.0.iter().filter(|(name, _)| !TABLES[1..].contains(&name.as_str()));
        records.map(|(_, span)| *span).collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    fn shortest(&self) -> Duration {
        self.0.values().flatten().min().copied().unwrap_or(Duration::MAX)
    }
}

/// A span: a number and `s`, `m`, `h`, `d` or `y`; or `forever`, which is none.
pub fn span_of(text: &str) -> std::result::Result<Option<Duration>, String> {
    if text == "forever" {
        return Ok(None);
    }
    let wrong = || format!("{text:?} is no time to keep something, such as 12h, 7d, 1y or forever");
    let unit = match text.bytes().last() {
        Some(b's') => 1,
        Some(b'm') => 60,
        Some(b'h') => 3600,
        Some(b'd') => 86_400,
        Some(b'y') => 365 * 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    // A thousand years are for ever, and sums with them stay in range.
    let seconds = number.checked_mul(unit).filter(|seconds| (1..=1000 * 365 * 86_400).contains(seconds));
    Ok(Some(Duration::from_secs(seconds.ok_or_else(wrong)?)))
}

/// The clean-up, a step at a time.
pub(super) struct Cleaning {
    keep: Keep,
    /// What is still to be done in this turn, by its name.
    todo: VecDeque<String>,
    began: bool,
}

impl Cleaning {
    pub(super) fn new(keep: Keep) -> Cleaning {
        Cleaning { keep, todo: VecDeque::new(), began: false }
    }

    /// How long from the end of one turn to the next: often enough that nothing is kept for much longer than it should
    /// be.
    pub(super) fn every(&self) -> Duration {
        (self.keep.shortest() / 20).clamp(Duration::from_secs(1), Duration::from_secs(600))
    }

    /// Does a little; true if there is more to do at once.
    pub(super) fn step(&mut self, store: &Store, now: Time) -> Result<bool> {
        if !self.began {
            store.mark(now)?;
            let timed = self.keep.0.iter().filter(|(_, span)| span.is_some());
            self.todo = timed.map(|(name, _)| name.clone()).collect();
            self.began = true;
            return Ok(true);
        }
        if let Some(name) = self.todo.front() {
            let span = self.keep.0.get(name).copied().flatten().unwrap_or(Duration::MAX);
            let named: Vec<&str> = self.keep.0.keys().map(String::as_str).collect();
            let old = match name.as_str() {
                "records" => Old::OtherRecords(&named),
                "connections" => Old::Connections,
                "audit" => Old::Audit,
                "statistics" => Old::Statistics,
                kind => Old::Records(kind),
            };
            if !store.remove(old, now - span, STEP)?.more {
                self.todo.pop_front();
            }
            return Ok(true);
        }
        if store.shrink(PAGES)? > 0 {
            return Ok(true);
        }
        if let Some(longest) = self.keep.longest_record() {
            store.forget_marks(now - longest)?;
        }
        self.began = false;
        Ok(false)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use park_core::record::Time;
    use park_store::{Query, Record};

    const DAY: u64 = 86_400;

    #[test]
    fn what_is_named_replaces_the_default() {
        let keep: Keep = "plates=2h, audit=forever,alert=30s".parse().unwrap();
        let of = |name: &str| keep.0[name].map(|span| span.as_secs());
        assert_eq!((of("plates"), of("audit"), of("alert")), (Some(7200), None, Some(30)));
        assert_eq!((of("slots"), of("connections")), (Some(DAY), Some(90 * DAY)));
        assert_eq!(keep.longest_record(), Some(Duration::from_secs(3 * 365 * DAY)));
        assert_eq!("".parse::<Keep>().unwrap(), Keep::default());
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, named) in [
            ("plate=7d", "plate"),
            ("plates", "plates"),
            ("plates=7", "7"),
            ("plates=d", "d"),
            ("plates=-1d", "-1d"),
            ("plates=0d", "0d"),
            ("plates=99999999999999999d", "99999999999999999d"),
            ("plates=\u{20ac}", "\u{20ac}"),
        ] {
            let error = text.parse::<Keep>().unwrap_err();
            assert!(error.contains(named), "{text}: {error}");
        }
    }

    #[test]
    fn a_turn_removes_what_is_old_and_ends() {
        let mut store = Store::in_memory().unwrap();
        let mut cleaning = Cleaning::new("plates=10s,records=1d".parse().unwrap());
        let mut turn = |store: &Store, seconds: i64| {
            let now = Time::from_millis(seconds * 1000);
            while cleaning.step(store, now).unwrap() {}
        };
        let lines: Vec<String> = (0..1200)
            .map(|n| format!(r#"{{"type":"{}","id":"{n}"}}"#, ["plates", "a_type_of_mine"][n % 2]))
            .collect();
        let batch: Vec<_> =
            lines.iter().map(|line| Record::parse(line.as_bytes(), Time::default()).unwrap()).collect();
        store.append(&batch).unwrap();
        let count = |store: &Store| store.since(0, &Query::default(), usize::MAX).unwrap().len();
        turn(&store, 1_000_000);
        turn(&store, 1_000_010);
        assert_eq!(count(&store), 1200);
        turn(&store, 1_000_011);
        assert_eq!(count(&store), 600);
        turn(&store, 1_000_000 + 86_401);
        assert_eq!(count(&store), 0);
    }
}
