//! Dialect C's events against records. Pure.

use park_core::record::lot::{CapacityUpdate, VehicleEvent};
use park_core::record::people::{
    BookingUpdated, LiveStats, Notification, PaymentUpdated, SystemAnnouncement,
};
use park_core::record::{Envelope, Payload};
use serde_json::{Value, json};

use crate::hub::{Event, Form};
use crate::socketio::packet::event_frame;

/// The dialect's encoding: a Socket.IO event in a WebSocket frame, the same bytes for everybody.
pub static FORM: Form = Form {
    place: 2,
    encode: |event| {
        let (name, mut data) = event_of(event)?;
        // What is not in the log cannot be resumed from.
        if event.seq != 0 {
            data["id"] = event.id.as_str().into();
        }
        Some(event_frame(name, &data))
    },
};

/// A record as the dialect has it; nothing if it has no such event.
pub fn event_of(event: &Event) -> Option<(&'static str, Value)> {
    let record = event.envelope().ok()?;
    let time = event.time;
    Some(match record.kind.as_str() {
        CapacityUpdate::TYPE => ("parking_updated", parking(&record, event)?),
        BookingUpdated::TYPE => {
            let BookingUpdated { booking_id, status, action, booking, .. } = record.payload().ok()?;
            let data = json!({ "booking_id": booking_id, "status": status, "action": action, "booking": booking, "timestamp": time });
            (BookingUpdated::TYPE, data)
        }
        PaymentUpdated::TYPE => {
            let PaymentUpdated { payment_id, status, action, payment, .. } = record.payload().ok()?;
            let data = json!({ "payment_id": payment_id, "status": status, "action": action, "payment": payment, "timestamp": time });
            (PaymentUpdated::TYPE, data)
        }
        Notification::TYPE => {
            let Notification { title, message, kind, .. } = record.payload().ok()?;
            let data = json!({ "title": title, "message": message, "type": kind, "timestamp": time });
            (Notification::TYPE, data)
        }
        SystemAnnouncement::TYPE => {
            let SystemAnnouncement { message, kind } = record.payload().ok()?;
            (SystemAnnouncement::TYPE, json!({ "message": message, "type": kind, "timestamp": time }))
        }
        LiveStats::TYPE => {
            let LiveStats { stats } = record.payload().ok()?;
            (LiveStats::TYPE, json!({ "stats": stats, "timestamp": time }))
        }
        _ => return None,
    })
}

fn parking(record: &Envelope<'_>, event: &Event) -> Option<Value> {
    let update: CapacityUpdate = record.payload().ok()?;
    let action = match update.event {
        Some(VehicleEvent::VehicleEntry) => "vehicle_entry",
        Some(VehicleEvent::VehicleExit) => "vehicle_exit",
        None => "updated",
    };
    Some(json!({
        "parking_lot_id": record.lot_id.as_deref(),
        "available_spaces": update.free,
        "action": action,
        "timestamp": event.time,
        "total_spaces": update.total,
        "occupied_spaces": update.occupied,
    }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn told(kind: &str, payload: &Value) -> Option<(&'static str, Value)> {
        let line = json!({
            "type": kind, "id": "x", "lot_id": "lot_1", "timestamp": "2026-01-20T10:30:00Z", "payload": payload,
        });
        let line = line.to_string();
        event_of(&Event::new(&Envelope::parse(line.as_bytes()).unwrap(), Default::default()))
    }

    #[test]
    fn records_have_the_dialects_names() {
        let capacity = json!({
            "total": 10, "occupied": 4, "free": 6, "unknown": 0, "occupancy_rate": 0.4, "counted_by": "slots",
            "event": "vehicle_exit", "plate": "B 1",
        });
        let at = "2026-01-20T10:30:00.000Z";
        let parking = json!({
            "parking_lot_id": "lot_1", "available_spaces": 6, "action": "vehicle_exit", "timestamp": at,
            "total_spaces": 10, "occupied_spaces": 4,
        });
        assert_eq!(told("capacity_update", &capacity), Some(("parking_updated", parking)));
        let booking = json!({ "booking_id": "b", "status": "paid", "action": "updated", "user_id": "anna", "booking": { "a": 1 } });
        let expected = json!({ "booking_id": "b", "status": "paid", "action": "updated", "booking": { "a": 1 }, "timestamp": at });
        assert_eq!(told("booking_updated", &booking), Some(("booking_updated", expected)));
        let notification = json!({ "user_id": "anna", "title": "t", "message": "m", "type": "info" });
        let expected = json!({ "title": "t", "message": "m", "type": "info", "timestamp": at });
        assert_eq!(told("notification", &notification), Some(("notification", expected)));
        assert_eq!(told("gate_status", &json!({ "state": "open", "confirmed": true })), None);
        assert_eq!(told("booking_updated", &json!({})), None);
    }
}
