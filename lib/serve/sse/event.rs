//! Dialect B's events against records. Pure.

use bytes::Bytes;
use park_core::record::command::Fault;
use park_core::record::lot::{Alert, CapacityUpdate, CountedBy, VehicleEvent, Violation};
use park_core::record::{Envelope, Payload, Stamp, Time, derive_id};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::gzip;
use crate::hub::{Event, Form};

/// The dialect's encoding: one whole event of the stream, the same bytes for everybody.
pub static FORM: Form =
    Form { place: 1, encode: |event| Some(block(Some(&event.id), name(&event.kind), &data(event)?)) };

/// The same as a block of a compressed stream.
pub static COMPRESSED: Form =
    Form { place: 6, encode: |event| event.form(&FORM).map(|text| gzip::block(&text)) };

/// One event of a stream. The data is compact JSON, in which no line end can stand; an id or a type in which one
/// stands is left out.
pub fn block(id: Option<&str>, kind: &str, data: &Value) -> Bytes {
    let safe = |text: &&str| !text.is_empty() && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let mut text = String::new();
    for (field, value) in [("id", id), ("event", Some(kind))] {
        if let Some(value) = value.filter(safe) {
            text.push_str(&format!("{field}: {value}\n"));
        }
    }
    text.push_str(&format!("data: {}\n\n", json!({ "type": kind, "data": data })));
    Bytes::from(text)
}

/// The dialect's name for a type of record. An event named `error` would look to an `EventSource` like a broken connection.
pub fn name(kind: &str) -> &str {
    if kind == Fault::TYPE { "fault" } else { kind }
}

/// The type of record that the dialect calls `name`.
pub fn kind(name: &str) -> &str {
    if name == "fault" { Fault::TYPE } else { name }
}

/// A record as the dialect has it; nothing if its payload does not fit its type.
pub fn data(event: &Event) -> Option<Value> {
    let record = event.envelope().ok()?;
    match record.kind.as_str() {
        CapacityUpdate::TYPE => capacity(&record, event.time),
        Alert::TYPE => alert(&record),
        Violation::TYPE => violation(&record, event.time),
        _ => other(&record, event.time),
    }
}

/// Leaves out what is not known.
fn object(fields: Value) -> Option<Value> {
    let Value::Object(mut fields) = fields else { return None };
    fields.retain(|_, value| !value.is_null());
    Some(Value::Object(fields))
}

fn capacity(record: &Envelope<'_>, time: Time) -> Option<Value> {
    let update: CapacityUpdate = record.payload().ok()?;
    object(json!({
        "parkingLotId": record.lot_id.as_deref(),
        "totalSlots": update.total,
        "occupied": update.occupied,
        "empty": update.free,
        "occupancyRate": update.occupancy_rate,
        "timestamp": time,
        "event": update.event,
        "plateNumber": update.plate,
        "duration": update.duration,
    }))
}

fn alert(record: &Envelope<'_>) -> Option<Value> {
    let alert: Alert = record.payload().ok()?;
    object(json!({
        "_id": alert.alert_id,
        "type": alert.alert_type,
        "severity": alert.severity,
        "parkingLotId": record.lot_id.as_deref(),
        "contractorId": alert.contractor_id,
        "cameraId": alert.camera_id,
        "message": alert.message,
        "status": alert.status,
        "createdAt": alert.created_at,
    }))
}

fn violation(record: &Envelope<'_>, time: Time) -> Option<Value> {
    let violation: Violation = record.payload().ok()?;
    object(json!({
        "_id": violation.violation_id,
        "contractorId": violation.contractor_id,
        "parkingLotId": record.lot_id.as_deref(),
        "violationType": violation.violation_type,
        "plateNumber": violation.plate,
        "timestamp": time,
        "details": {
            "allocatedCapacity": violation.allocated_capacity,
            "actualOccupancy": violation.actual_occupancy,
            "excessVehicles": violation.excess_vehicles,
            "duration": violation.duration,
        },
        "penalty": violation.penalty,
        "status": violation.status,
    }))
}

/// Any other record: its payload with names in the dialect's letter case, and where and when it belongs.
fn other(record: &Envelope<'_>, time: Time) -> Option<Value> {
    let payload: Value = serde_json::from_str(record.payload_json()).ok()?;
    let mut fields = Map::new();
    for (name, text) in
        [("gateId", &record.gate_id), ("parkingLotId", &record.lot_id), ("source", &record.source)]
    {
        if let Some(text) = text {
            fields.insert(name.into(), text.as_str().into());
        }
    }
    fields.insert("timestamp".into(), time.to_string().into());
    if let Value::Object(payload) = camel_case(payload) {
        for (name, value) in payload {
            fields.entry(name).or_insert(value);
        }
    }
    Some(Value::Object(fields))
}

fn camel_case(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, value)| (camel(&name), camel_case(value))).collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(camel_case).collect()),
        other => other,
    }
}

fn camel(name: &str) -> String {
    let mut words = name.split('_').filter(|word| !word.is_empty());
    let mut camel = words.next().unwrap_or(name).to_owned();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}

/// The body of `POST /api/capacity/update`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Update {
    parking_lot_id: String,
    total_slots: u32,
    occupied: u32,
    #[serde(default)]
    empty: Option<u32>,
    #[serde(default)]
    occupancy_rate: Option<f64>,
    #[serde(default)]
    timestamp: Option<Time>,
    #[serde(default)]
    event: Option<VehicleEvent>,
    #[serde(default)]
    plate_number: Option<String>,
    #[serde(default)]
    duration: Option<f64>,
}

/// A capacity update from outside: where and when it belongs, and what it says. The error is for the sender.
pub fn capacity_update(body: &[u8], now: Time) -> Result<(Stamp, CapacityUpdate), String> {
    let update: Update =
        serde_json::from_slice(body).map_err(|error| format!("not a capacity update: {error}"))?;
    if update.parking_lot_id.is_empty() {
        return Err("parkingLotId is empty".into());
    }
    let total = update.total_slots;
    let free = update.empty.unwrap_or(total.saturating_sub(update.occupied));
    let known = f64::from(update.occupied) / f64::from(total.max(1));
    let rate = update.occupancy_rate.unwrap_or(known);
    if !(0.0..=10.0).contains(&rate) {
        return Err("occupancyRate is a share: 0 to 1".into());
    }
    let payload = CapacityUpdate {
        total,
        occupied: update.occupied,
        free,
        unknown: total.saturating_sub(update.occupied).saturating_sub(free),
        occupancy_rate: rate,
        counted_by: CountedBy::Slots,
        by_gates: None,
        event: update.event,
        plate: update.plate_number,
        duration: update.duration,
    };
    let stamp = Stamp::at(update.timestamp.unwrap_or(now)).source("api").lot(update.parking_lot_id);
    Ok((stamp, payload))
}

/// The first event of a stream. Its id is where the client resumes if nothing else ever comes.
pub fn connected(number: u64, resume_at: &str, epoch: &str, now: Time) -> Bytes {
    let client = derive_id(now, &[b"client", &number.to_le_bytes()]);
    block(Some(resume_at), "connected", &json!({ "clientId": client, "epoch": epoch }))
}

/// Says that what was asked for is not kept (any more): the client must load the state anew.
pub fn reset(asked: &str, resume_at: &str, epoch: &str) -> Bytes {
    let lost = json!({ "reason": "unknown id", "lastEventId": asked, "epoch": epoch });
    block(Some(resume_at), "reset", &lost)
}

/// A sign of life.
pub fn ping(now: Time) -> Bytes {
    block(None, "ping", &json!({ "timestamp": now }))
}

/// The last words of a stream: why it ends, and that the client should come back after `retry` milliseconds.
pub fn closing(reason: &str, retry: u64) -> Bytes {
    Bytes::from(format!(
        ": {reason}\nretry: {retry}\nevent: closing\ndata: {}\n\n",
        json!({ "type": "closing", "data": { "reason": reason } })
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use park_core::record::encode;
    use park_core::record::lot::{AlertStatus, AlertType, Severity, ViolationStatus, ViolationType};

    fn at(text: &str) -> Time {
        text.parse().unwrap()
    }

    fn event<P: Payload>(payload: &P) -> Event {
        let stamp = Stamp::at(at("2026-01-20T10:30:00Z")).source("cam").lot("lot_1");
        let mut line = Vec::new();
        encode(&stamp, payload, &mut line);
        Event::new(&Envelope::parse(&line).unwrap(), Time::default())
    }

    #[test]
    fn an_update_comes_back_as_it_was_posted() {
        let body = json!({
            "parkingLotId": "lot_1", "totalSlots": 12, "occupied": 3, "empty": 8, "occupancyRate": 0.25,
            "timestamp": "2026-01-20T10:30:00.000Z", "event": "vehicle_exit", "plateNumber": "B 1", "duration": 61.5,
        });
        let (stamp, update) = capacity_update(body.to_string().as_bytes(), Time::default()).unwrap();
        let mut line = Vec::new();
        encode(&stamp, &update, &mut line);
        let event = Event::new(&Envelope::parse(&line).unwrap(), Time::default());
        assert_eq!(data(&event).unwrap(), body);
    }

    #[test]
    fn bad_updates_are_refused() {
        for body in [
            "",
            "{}",
            r#"{"parkingLotId":"","totalSlots":1,"occupied":0}"#,
            r#"{"parkingLotId":"l","totalSlots":-1,"occupied":0}"#,
        ] {
            assert!(capacity_update(body.as_bytes(), Time::default()).is_err(), "{body}");
        }
    }

    #[test]
    fn alerts_and_violations_have_the_dialects_names() {
        let raised = at("2026-01-20T10:29:00Z");
        let alert = Alert {
            alert_id: "a1".into(),
            alert_type: AlertType::CapacityWarning,
            severity: Severity::High,
            message: "nearly full".into(),
            status: AlertStatus::Active,
            created_at: raised,
            contractor_id: None,
            camera_id: None,
            violation_id: None,
        };
        assert_eq!(
            data(&event(&alert)).unwrap(),
            json!({
                "_id": "a1", "type": "capacity_warning", "severity": "high", "parkingLotId": "lot_1",
                "message": "nearly full", "status": "active", "createdAt": "2026-01-20T10:29:00.000Z",
            })
        );
        let violation = Violation {
            violation_id: "v1".into(),
            violation_type: ViolationType::Overparking,
            contractor_id: Some("c".into()),
            plate: None,
            allocated_capacity: 5,
            actual_occupancy: 7,
            excess_vehicles: 2,
            since: raised,
            duration: 60.0,
            penalty: None,
            status: ViolationStatus::Pending,
        };
        assert_eq!(
            data(&event(&violation)).unwrap(),
            json!({
                "_id": "v1", "contractorId": "c", "parkingLotId": "lot_1", "violationType": "overparking",
                "timestamp": "2026-01-20T10:30:00.000Z", "status": "pending",
                "details": { "allocatedCapacity": 5, "actualOccupancy": 7, "excessVehicles": 2, "duration": 60.0 },
            })
        );
    }

    #[test]
    fn other_records_change_their_letter_case_only() {
        let line = br#"{"type":"slot_changed","id":"x","lot_id":"l","timestamp":"2026-01-20T10:30:00Z","payload":{"slot_id":"A_1","level_id":"L","deep":[{"a_b_c":1}]}}"#;
        let event = Event::new(&Envelope::parse(line).unwrap(), Time::default());
        assert_eq!(
            data(&event).unwrap(),
            json!({
                "parkingLotId": "l", "timestamp": "2026-01-20T10:30:00.000Z", "slotId": "A_1", "levelId": "L",
                "deep": [{ "aBC": 1 }],
            })
        );
    }

    #[test]
    fn no_event_looks_like_a_broken_connection() {
        let line = br#"{"type":"error","id":"x","payload":{"message":"m","command":"c"}}"#;
        let event = Event::new(&Envelope::parse(line).unwrap(), Time::default());
        let block = String::from_utf8(event.form(&FORM).unwrap().to_vec()).unwrap();
        assert!(block.contains("event: fault\n") && !block.contains("event: error"), "{block}");
        assert_eq!(kind(name("error")), "error");
    }

    #[test]
    fn no_text_can_begin_a_field_of_its_own() {
        let line = b"{\"type\":\"x\",\"id\":\"a\\nevent: admin\",\"payload\":{\"a\":\r\r\"\\r\\ndata: 1\"}}";
        let event = Event::new(&Envelope::parse(line).unwrap(), Time::default());
        let block = String::from_utf8(event.form(&FORM).unwrap().to_vec()).unwrap();
        assert!(!block.contains('\r') && !block.contains("id:"), "{block}");
        assert_eq!(block.trim_end().lines().count(), 2);
    }
}
