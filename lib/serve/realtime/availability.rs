//! What is free, lot by lot, from what holds now. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use park_core::record::lot::{CapacityUpdate, ParkingUpdate};
use park_core::record::{Payload, Time};
use serde::Serialize;

use crate::hub::{Event, State};

/// One lot.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Lot {
    /// The lot.
    pub parking_lot_id: String,
    /// Places in all.
    pub total_spaces: u32,
    /// Places taken.
    pub occupied_spaces: u32,
    /// Places free.
    pub available_spaces: u32,
    /// Its levels, if it has any.
    pub levels: Vec<Level>,
    /// When the newest of this was said.
    pub timestamp: Time,
}

/// One level of a lot.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Level {
    /// The level.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Its places.
    pub spots: Spots,
}

/// The places of a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Spots {
    /// Places in all.
    pub total: u32,
    /// Places taken.
    pub occupied: u32,
    /// Places free.
    pub available: u32,
}

/// What is known of one lot.
#[derive(Default)]
struct Known<'a> {
    whole: Option<&'a Event>,
    levels: Vec<&'a Event>,
}

/// Every lot of which something is known, in the order of their names; only `lot` if one is given.
pub fn availability(state: &State, lot: Option<&str>) -> Vec<Lot> {
    let mut lots: BTreeMap<&str, Known<'_>> = BTreeMap::new();
    let wanted = |event: &&Arc<Event>| {
        event.lot_id.is_some() && lot.is_none_or(|lot| event.lot_id.as_deref() == Some(lot))
    };
    for event in state.of_type(ParkingUpdate::TYPE).filter(wanted) {
        lots.entry(event.lot_id.as_deref().unwrap_or_default()).or_default().levels.push(event);
    }
    for event in state.of_type(CapacityUpdate::TYPE).filter(wanted) {
        let known = &mut lots.entry(event.lot_id.as_deref().unwrap_or_default()).or_default().whole;
        if known.is_none_or(|known| known.seq < event.seq) {
            *known = Some(event);
        }
    }
    lots.into_iter().filter_map(|(name, known)| told(name, &known)).collect()
}

fn told(name: &str, known: &Known<'_>) -> Option<Lot> {
    let all = known.whole.iter().chain(&known.levels);
    let timestamp = all.map(|event| event.time).max()?;
    let levels: Vec<Level> = known.levels.iter().filter_map(|event| level(event)).collect();
    let sum =
        |of: fn(&Spots) -> u32| levels.iter().map(|level| of(&level.spots)).fold(0, u32::saturating_add);
    let (total, occupied, available) = match known.whole.and_then(payload::<CapacityUpdate>) {
        Some(whole) => (whole.total, whole.occupied, whole.free),
        None if levels.is_empty() => return None,
        None => (sum(|spots| spots.total), sum(|spots| spots.occupied), sum(|spots| spots.available)),
    };
    Some(Lot {
        parking_lot_id: name.to_owned(),
        total_spaces: total,
        occupied_spaces: occupied,
        available_spaces: available,
        levels,
        timestamp,
    })
}

fn level(event: &Event) -> Option<Level> {
    let update: ParkingUpdate = payload(event)?;
    let spots = Spots { total: update.total, occupied: update.occupied, available: update.available };
    Some(Level { name: update.name.unwrap_or_else(|| update.level_id.clone()), id: update.level_id, spots })
}

fn payload<P: Payload>(event: &Event) -> Option<P> {
    event.envelope().ok()?.payload().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use park_core::record::Envelope;
    use serde_json::json;

    fn state(records: &[(&str, &str, serde_json::Value)]) -> State {
        let mut state = State::default();
        for (seq, (lot, kind, payload)) in (1..).zip(records) {
            let time = format!("2026-01-20T10:30:0{seq}Z");
            let line = json!({ "type": kind, "id": seq.to_string(), "timestamp": time, "lot_id": lot, "payload": payload });
            let mut event =
                Event::new(&Envelope::parse(line.to_string().as_bytes()).unwrap(), Time::default());
            event.seq = seq;
            state.take(&Arc::new(event));
        }
        state
    }

    fn capacity(total: u32, occupied: u32) -> serde_json::Value {
        json!({
            "total": total, "occupied": occupied, "free": total - occupied, "unknown": 0,
            "occupancy_rate": 0.5, "counted_by": "slots",
        })
    }

    #[test]
    fn lots_are_told_with_their_levels() {
        let level = |id: &str, name: Option<&str>, occupied: u32| json!({ "level_id": id, "name": name, "total": 5, "occupied": occupied, "available": 5 - occupied, "unknown": 0 });
        let state = state(&[
            ("b", "capacity_update", capacity(10, 3)),
            ("a", "parking_update", level("1", Some("Roof"), 2)),
            ("a", "parking_update", level("2", None, 5)),
            ("b", "capacity_update", capacity(10, 4)),
        ]);
        let all = availability(&state, None);
        assert_eq!(all.len(), 2);
        let names: Vec<_> = all[0].levels.iter().map(|level| level.name.as_str()).collect();
        assert_eq!((names, all[0].total_spaces, all[0].available_spaces), (vec!["Roof", "2"], 10, 3));
        assert_eq!((all[1].occupied_spaces, all[1].available_spaces), (4, 6));
        assert_eq!(all[1].timestamp.to_string(), "2026-01-20T10:30:04.000Z");
        assert_eq!(availability(&state, Some("b")), all[1..]);
        assert!(availability(&state, Some("c")).is_empty());
    }
}
