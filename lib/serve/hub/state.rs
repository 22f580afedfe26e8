//! What holds now: the latest record of each thing, and the last things that happened.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Event;
use park_core::record::Envelope;

/// The latest record of each gate, camera, slot, lot, level, alert and violation, and the last passages and messages.
#[derive(Debug, Default)]
pub struct State {
    latest: BTreeMap<Key, Arc<Event>>,
    recent: VecDeque<Arc<Event>>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    kind: String,
    place: String,
    thing: String,
}

/// Things remembered of one type; the one not heard of for longest goes first. Names come from outside.
const THINGS: usize = 20_000;

/// Passages and messages remembered.
const RECENT: usize = 100;

/// Records whose latest counts, with the field of the payload that tells one thing from another at the same place.
const LATEST: &[(&str, &str)] = &[
    ("gate_status", ""),
    ("hardware_status", ""),
    ("system_status", "command"),
    ("card_detected", ""),
    ("plate_detected", ""),
    ("access_decision", ""),
    ("image_captured", ""),
    ("parking_entry", ""),
    ("parking_exit", ""),
    ("camera_status", "camera_id"),
    ("slot_changed", "slot_id"),
    ("parking_update", "level_id"),
    ("capacity_update", ""),
    ("occupancy_drift", ""),
    ("alert", "alert_id"),
    ("violation", "violation_id"),
];

/// Records that are worth listing one by one.
const LISTED: &[&str] = &[
    "parking_entry",
    "parking_exit",
    "access_decision",
    "plate_detected",
    "gate_control",
    "gate_control_response",
    "error",
    "alert",
    "violation",
    "notification",
    "system_announcement",
];

impl State {
    /// Takes a record into account.
    pub fn take(&mut self, event: &Arc<Event>) {
        if LISTED.contains(&event.kind.as_str()) {
            if self.recent.len() == RECENT {
                self.recent.pop_front();
            }
            self.recent.push_back(Arc::clone(event));
        }
        let Some((kind, field)) = LATEST.iter().find(|(kind, _)| *kind == event.kind) else { return };
        let place = event.gate_id.as_ref().or(event.lot_id.as_ref()).or(event.source.as_ref());
        let key = Key {
            kind: (*kind).to_owned(),
            place: place.cloned().unwrap_or_default(),
            thing: thing(event, field).unwrap_or_default(),
        };
        self.latest.insert(key, Arc::clone(event));
        self.bound(kind);
    }

    fn bound(&mut self, kind: &str) {
        if self.latest.len() <= THINGS {
            return;
        }
        let of_kind = self.latest.iter().filter(|(key, _)| key.kind == kind);
        let oldest = of_kind.min_by_key(|(_, event)| event.seq).map(|(key, _)| key.clone());
        if let Some(oldest) = oldest {
            self.latest.remove(&oldest);
        }
    }

    /// The latest record of each thing of one type, by place and thing.
    pub fn of_type(&self, kind: &str) -> impl Iterator<Item = &Arc<Event>> {
        let first = Key { kind: kind.to_owned(), place: String::new(), thing: String::new() };
        self.latest.range(first..).take_while(move |(key, _)| key.kind == kind).map(|(_, event)| event)
    }

    /// The latest record of each thing, in the order of the log.
    pub fn latest(&self) -> Vec<Arc<Event>> {
        let mut latest: Vec<_> = self.latest.values().cloned().collect();
        latest.sort_unstable_by_key(|event| event.seq);
        latest
    }

    /// What a page needs to begin with: the latest of each thing and the last things that happened, in the order of the log.
    pub fn everything(&self) -> Vec<Arc<Event>> {
        let mut all: Vec<_> = self.latest.values().chain(&self.recent).cloned().collect();
        all.sort_unstable_by_key(|event| event.seq);
        all.dedup_by_key(|event| event.seq);
        all
    }

    /// The state as text, from which [`State::restore`] makes it again.
    pub fn snapshot(&self) -> String {
        let line = |event: &Arc<Event>| {
            RawValue::from_string(event.line.clone()).ok().map(|record| Line { seq: event.seq, record })
        };
        let lines: Vec<Line> = self.everything().iter().filter_map(line).collect();
        serde_json::to_string(&lines).unwrap_or_default()
    }

    /// Takes a snapshot's records into account; what cannot be read is left out.
    pub fn restore(&mut self, snapshot: &str) {
        let lines: Vec<Line> = serde_json::from_str(snapshot).unwrap_or_default();
        for line in lines {
            if let Ok(record) = Envelope::parse(line.record.get().as_bytes()) {
                let mut event = Event::new(&record, Default::default());
                event.seq = line.seq;
                self.take(&Arc::new(event));
            }
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Line {
    seq: i64,
    record: Box<RawValue>,
}

fn thing(event: &Event, field: &str) -> Option<String> {
    if field.is_empty() {
        return None;
    }
    let envelope = event.envelope().ok()?;
    let payload: BTreeMap<&str, &RawValue> = serde_json::from_str(envelope.payload_json()).ok()?;
    serde_json::from_str(payload.get(field)?.get()).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn event(seq: i64, kind: &str, place: &str, payload: &str) -> Arc<Event> {
        let line = format!(r#"{{"type":"{kind}","id":"{seq}","lot_id":"{place}","payload":{payload}}}"#);
        let mut event = Event::new(&Envelope::parse(line.as_bytes()).unwrap(), Default::default());
        event.seq = seq;
        Arc::new(event)
    }

    fn seqs(events: &[Arc<Event>]) -> Vec<i64> {
        events.iter().map(|event| event.seq).collect()
    }

    #[test]
    fn the_latest_of_each_thing_is_kept_and_survives_a_snapshot() {
        let mut state = State::default();
        state.take(&event(1, "slot_changed", "l", r#"{"slot_id":"A1"}"#));
        state.take(&event(2, "slot_changed", "l", r#"{"slot_id":"A2"}"#));
        state.take(&event(3, "slot_changed", "m", r#"{"slot_id":"A1"}"#));
        state.take(&event(4, "slot_changed", "l", r#"{"slot_id":"A1"}"#));
        state.take(&event(5, "parking_entry", "l", "{}"));
        state.take(&event(6, "parking_entry", "l", "{}"));
        assert_eq!(seqs(&state.latest()), [2, 3, 4, 6]);
        assert_eq!(seqs(&state.everything()), [2, 3, 4, 5, 6]);
        let mut again = State::default();
        again.restore(&state.snapshot());
        assert_eq!(seqs(&again.everything()), seqs(&state.everything()));
    }

    #[test]
    fn names_from_outside_do_not_fill_the_memory() {
        let mut state = State::default();
        for seq in 0..THINGS as i64 + 5 {
            state.take(&event(seq, "slot_changed", "l", &format!(r#"{{"slot_id":"{seq}"}}"#)));
        }
        assert_eq!(state.latest.len(), THINGS);
        assert_eq!(state.latest()[0].seq, 5);
    }
}
