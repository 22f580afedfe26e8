//! Dialect D's events against records. Pure. Times are Unix seconds.

use park_core::record::lot::{CapacityUpdate, ParkingUpdate};
use park_core::record::{Payload, Time};
use serde_json::{Value, json};

use crate::hub::{Event, Form};
use crate::realtime::availability::{Level, Lot, Spots};
use crate::socketio::packet::event_frame;

/// The dialect's encoding: a Socket.IO event in a WebSocket frame, the same bytes for everybody.
pub static FORM: Form =
    Form { place: 3, encode: |event| Some(event_frame("parking_update", &update_of(event)?)) };

/// A change as the dialect has it. A lot of which no levels are known is one level with the lot's name.
fn update_of(event: &Event) -> Option<Value> {
    let record = event.envelope().ok()?;
    let lot = event.lot_id.as_deref()?;
    let (level, spots) = match record.kind.as_str() {
        ParkingUpdate::TYPE => {
            let update: ParkingUpdate = record.payload().ok()?;
            let spots = Spots { total: update.total, occupied: update.occupied, available: update.available };
            (update.level_id, spots)
        }
        CapacityUpdate::TYPE => {
            let update: CapacityUpdate = record.payload().ok()?;
            let spots = Spots { total: update.total, occupied: update.occupied, available: update.free };
            (lot.to_owned(), spots)
        }
        _ => return None,
    };
    Some(json!({
        "location_id": lot,
        "level_id": level,
        "data": spots,
        "timestamp": unix(event.time),
        "id": event.id,
    }))
}

/// The location as a client finds it, in the event `parking_data`; `id` is where its changes begin.
pub fn data(location: &str, lot: Option<&Lot>, id: &str, now: Time) -> Value {
    let whole = |lot: &Lot| Level {
        id: lot.parking_lot_id.clone(),
        name: lot.parking_lot_id.clone(),
        spots: Spots {
            total: lot.total_spaces,
            occupied: lot.occupied_spaces,
            available: lot.available_spaces,
        },
    };
    let levels = match lot {
        Some(lot) if lot.levels.is_empty() => vec![whole(lot)],
        Some(lot) => lot.levels.clone(),
        None => Vec::new(),
    };
    let time = lot.map_or(now, |lot| lot.timestamp);
    json!({ "location_id": location, "levels": levels, "timestamp": unix(time), "id": id })
}

/// Unix seconds, as this dialect tells time.
pub fn unix(time: Time) -> f64 {
    time.millis() as f64 / 1000.0
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use park_core::record::Envelope;

    fn update(kind: &str, payload: &Value) -> Option<Value> {
        let line = json!({
            "type": kind, "id": "x", "lot_id": "l", "timestamp": "2026-01-20T10:30:00.250Z", "payload": payload,
        });
        let line = line.to_string();
        update_of(&Event::new(&Envelope::parse(line.as_bytes()).unwrap(), Time::default()))
    }

    #[test]
    fn changes_have_the_dialects_names_and_times() {
        let level = json!({ "level_id": "roof", "total": 5, "occupied": 2, "available": 3, "unknown": 0 });
        let spots = json!({ "total": 5, "occupied": 2, "available": 3 });
        let expected = json!({
            "location_id": "l", "level_id": "roof", "data": spots, "timestamp": 1_768_905_000.25, "id": "x",
        });
        assert_eq!(update("parking_update", &level), Some(expected));
        let whole = json!({
            "total": 5, "occupied": 2, "free": 3, "unknown": 0, "occupancy_rate": 0.4, "counted_by": "slots",
        });
        let whole = update("capacity_update", &whole).unwrap();
        assert_eq!((&whole["level_id"], &whole["data"]), (&json!("l"), &spots));
        assert_eq!(update("alert", &json!({})), None);
    }

    #[test]
    fn a_location_is_told_with_its_levels() {
        let mut lot = Lot {
            parking_lot_id: "l".into(),
            total_spaces: 5,
            occupied_spaces: 2,
            available_spaces: 3,
            levels: Vec::new(),
            timestamp: Time::from_millis(1500),
        };
        let spots = json!({ "total": 5, "occupied": 2, "available": 3 });
        let told = data("l", Some(&lot), "7", Time::default());
        assert_eq!(told["levels"], json!([{ "id": "l", "name": "l", "spots": spots }]));
        assert_eq!((&told["timestamp"], &told["id"]), (&json!(1.5), &json!("7")));
        let spots = Spots { total: 1, occupied: 0, available: 1 };
        lot.levels = vec![Level { id: "1".into(), name: "Roof".into(), spots }];
        assert_eq!(data("l", Some(&lot), "7", Time::default())["levels"][0]["name"], "Roof");
        assert_eq!(data("m", None, "7", Time::default())["levels"], json!([]));
    }
}
