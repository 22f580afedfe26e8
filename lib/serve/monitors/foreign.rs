//! What a detection back end says, as records: our own are taken as they are, messages of another maker are
//! translated by the names of their fields. Pure.
//!
//! A message of another maker is a JSON object with its fields in `payload`, in `data` or at its top. Letter case and
//! underscores do not matter. A number plate makes a `plate_detected`; places in all and taken, or slots, make a
//! `capacity_update` and a `slot_changed` for each slot that changed; a camera alone is heard of.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use park_core::record::camera::{CameraState, CameraStatus, Frame};
use park_core::record::gate::PlateDetected;
use park_core::record::lot::{CapacityUpdate, CountedBy, SlotChanged};
use park_core::record::vision::{SlotState, UnknownCause};
use park_core::record::{Envelope, Stamp, Time, encode};
use serde_json::Value;

use crate::channels::message::time;
use crate::kinds::OF_BACK_ENDS;

/// What a connection is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A gate: plates come in.
    Gate(String),
    /// A lot: its slots and counts come in.
    Lot(String),
}

/// Slots whose state is remembered, and plates that one message may have.
const MOST: usize = 10_000;

/// What a message was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// One of our own records, whose sender waits for an `ack`.
    Ours(Vec<u8>),
    /// A frame: for those who watch, not for the rules.
    Frame(Vec<u8>),
    /// Records made of another maker's message.
    Foreign(Vec<u8>),
}

/// Reads what comes over one connection.
#[derive(Debug)]
pub struct Translator {
    place: Place,
    /// The camera of messages that name none.
    camera: String,
    slots: BTreeMap<String, SlotState>,
}

/// The fields of an object, by their names in lower case and without underscores.
type Fields<'a> = HashMap<String, &'a Value>;

impl Translator {
    /// A reader for what concerns `place`; messages that name no camera are taken for `camera`'s.
    pub fn new(place: Place, camera: String) -> Translator {
        Translator { place, camera, slots: BTreeMap::new() }
    }

    /// A message that came in at `now`, as whole lines. The error says what is wrong with it.
    pub fn read(&mut self, text: &str, now: Time) -> Result<Heard, String> {
        if let Ok(record) = Envelope::parse(text.as_bytes())
            && record.id.is_some()
            && record.timestamp.is_some()
        {
            return self.ours(&record);
        }
        let message: Value = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
        let top = fields(&message).ok_or("not an object")?;
        let inner = ["payload", "data"].iter().find_map(|name| fields(top.get(*name)?));
        let at = |fields: &Fields<'_>| fields.get("timestamp").and_then(|value| time(value));
        let at = inner.as_ref().and_then(at).or_else(|| at(&top)).unwrap_or(now);
        let lines = self.foreign(inner.as_ref().unwrap_or(&top), &top, at)?;
        Ok(Heard::Foreign(lines))
    }

    fn ours(&self, record: &Envelope<'_>) -> Result<Heard, String> {
        let text = record.line().trim();
        if text.contains(['\n', '\r']) {
            return Err("a record is one line".into());
        }
        let id = record.id.as_deref().unwrap_or_default();
        if id.is_empty() || id.len() > 128 || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("the id must be 1 to 128 printable ASCII characters".into());
        }
        let line = |text: &str| [text.as_bytes(), b"\n"].concat();
        if record.is::<Frame>() {
            return Ok(Heard::Frame(line(text)));
        }
        if !OF_BACK_ENDS.contains(&record.kind.as_str()) {
            return Err(format!("a back end does not send {:?}", record.kind.as_str()));
        }
        let (own, named, name) = match &self.place {
            Place::Gate(gate) => (gate, &record.gate_id, "gate_id"),
            Place::Lot(lot) => (lot, &record.lot_id, "lot_id"),
        };
        match named.as_deref() {
            Some(other) if other != own => Err(format!("this is the connection of {own}, not of {other}")),
            Some(_) => Ok(Heard::Ours(line(text))),
            // Readings name their camera; whose lot that is the connection knows. A gate takes them without its name.
            None if name == "lot_id" => {
                let lot = Value::from(own.as_str());
                Ok(Heard::Ours(line(&text.replacen('{', &format!("{{\"lot_id\":{lot},"), 1))))
            }
            None => Ok(Heard::Ours(line(text))),
        }
    }

    fn foreign(&mut self, fields: &Fields<'_>, top: &Fields<'_>, at: Time) -> Result<Vec<u8>, String> {
        let named = |names: &[&str]| text(fields, names).or_else(|| text(top, names));
        let own = match &self.place {
            Place::Gate(gate) => named(&["gateid", "gate"]).map(|other| (gate, other)),
            Place::Lot(lot) => named(&["parkinglotid", "lotid", "lot"]).map(|other| (lot, other)),
        };
        if let Some((own, other)) = own
            && *own != other
        {
            return Err(format!("this is the connection of {own}, not of {other}"));
        }
        let named_camera = named(&["cameraid", "camera", "source"]).filter(|camera| camera.len() <= 128);
        let camera = named_camera.clone().unwrap_or_else(|| self.camera.clone().into());
        let mut lines = Vec::new();
        let found = match &self.place {
            Place::Gate(_) => plates(fields, &camera, at, &mut lines)?,
            Place::Lot(lot) => {
                let stamp = Stamp::at(at).source(&*camera).lot(lot.as_str());
                capacity(&mut self.slots, fields, &stamp, &mut lines)?
            }
        };
        if found == 0 {
            let kind = top.get("type").and_then(|kind| kind.as_str()).unwrap_or_default();
            if named_camera.is_none() && !matches!(kind, "heartbeat" | "ping" | "camera_status") {
                return Err("nothing in it that is known here".into());
            }
            self.camera_heard(&camera, at, &mut lines);
        }
        Ok(lines)
    }

    fn camera_heard(&self, camera: &str, at: Time, lines: &mut Vec<u8>) {
        let (state, cause) = (CameraState::Online, None);
        let status = CameraStatus { camera_id: camera.to_owned(), state, cause, fps: None, dropped: None };
        let stamp = Stamp::at(at).source(camera);
        let stamp = match &self.place {
            Place::Gate(gate) => stamp.gate(gate.as_str()),
            Place::Lot(lot) => stamp.lot(lot.as_str()),
        };
        encode(&stamp, &status, lines);
    }
}

fn fields(value: &Value) -> Option<Fields<'_>> {
    let plain = |name: &String| name.replace(['_', '-'], "").to_ascii_lowercase();
    Some(value.as_object()?.iter().map(|(name, value)| (plain(name), value)).collect())
}

fn text<'a>(fields: &Fields<'a>, names: &[&str]) -> Option<Cow<'a, str>> {
    names.iter().find_map(|name| match fields.get(*name)? {
        Value::String(text) if !text.is_empty() => Some(Cow::Borrowed(text.as_str())),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    })
}

/// A count: a number of 0 or more that is whole.
fn count(fields: &Fields<'_>, names: &[&str]) -> Result<Option<u32>, String> {
    let Some((name, value)) = names.iter().find_map(|name| Some((name, *fields.get(*name)?))) else {
        return Ok(None);
    };
    let from_float = |it: &f64| *it >= 0.0 && it.fract() == 0.0;
    let whole = value.as_u64().or_else(|| value.as_f64().filter(from_float).map(|it| it as u64));
    let count = whole.and_then(|whole| u32::try_from(whole).ok()).filter(|count| *count <= 1_000_000);
    count.map(Some).ok_or_else(|| format!("{name} is no count"))
}

/// The plates of a message, as a passage each; returns how many there were.
fn plates(fields: &Fields<'_>, camera: &str, at: Time, lines: &mut Vec<u8>) -> Result<usize, String> {
    const PLATE: &[&str] = &["plate", "platenumber", "licenseplate", "licenceplate", "platetext", "number"];
    const LISTS: &[&str] = &["plates", "detections", "results", "vehicles"];
    let listed = LISTS.iter().find_map(|name| fields.get(*name)?.as_array());
    let all: Vec<Fields<'_>> = match listed {
        Some(list) if list.len() > MOST => return Err("too many plates".into()),
        Some(list) => list.iter().filter_map(self::fields).collect(),
        None => vec![fields.clone()],
    };
    let mut found = 0;
    for fields in all {
        let Some(plate) = text(&fields, PLATE).or_else(|| text(&fields, &["text"])) else { continue };
        let plate = park_core::site::plain(&plate);
        if plate.is_empty() || plate.len() > 20 {
            return Err("a plate has 1 to 20 letters and digits".into());
        }
        let sure = ["confidence", "score", "probability"].iter().find_map(|name| fields.get(*name)?.as_f64());
        let sure = sure.map_or(1.0, |sure| if sure > 1.0 { sure / 100.0 } else { sure });
        let detected = PlateDetected {
            camera_id: camera.to_owned(),
            plate,
            confidence: sure.clamp(0.0, 1.0),
            frames: 1,
            first_seen: at,
            last_seen: at,
            candidates: Vec::new(),
            region: None,
        };
        encode(&Stamp::at(at).source(camera), &detected, lines);
        found += 1;
    }
    Ok(found)
}

/// The count of a message with its slots, of which those are said that are not as they were; returns whether there was any.
fn capacity(
    known: &mut BTreeMap<String, SlotState>,
    fields: &Fields<'_>,
    stamp: &Stamp,
    lines: &mut Vec<u8>,
) -> Result<usize, String> {
    let listed = ["slots", "spots", "spaces"].iter().find_map(|name| fields.get(*name)?.as_array());
    let mut slots = BTreeMap::new();
    for slot in listed.into_iter().flatten().take(MOST) {
        let (id, state) = slot_of(slot).ok_or("a slot without an id or a state")?;
        slots.insert(id, state);
    }
    let having = |state| slots.values().filter(|it| **it == state).count() as u32;
    let seen = !slots.is_empty();
    let counted = |state| seen.then(|| having(state));
    let total = count(fields, &["totalslots", "total", "capacity", "totalspaces"])?;
    let taken = count(fields, &["occupied", "occupiedslots", "occupiedspaces", "occupiedcount"])?;
    let free = count(fields, &["empty", "emptyslots", "free", "freeslots", "available", "availablespaces"])?;
    let (total, occupied, free) = match (
        total.or(seen.then_some(slots.len() as u32)),
        taken.or(counted(SlotState::Occupied)),
        free.or(counted(SlotState::Free)),
    ) {
        (None, None, None) => return Ok(0),
        (Some(total), Some(occupied), free) => {
            (total, occupied, free.unwrap_or(total.saturating_sub(occupied)))
        }
        (Some(total), None, Some(free)) => (total, total.saturating_sub(free), free),
        (None, Some(occupied), Some(free)) => (occupied + free, occupied, free),
        _ => return Err("a count needs places in all and places taken".into()),
    };
    for (slot_id, state) in slots {
        let previous = known.get(&slot_id).copied();
        if previous == Some(state) || (previous.is_none() && known.len() >= MOST) {
            continue;
        }
        known.insert(slot_id.clone(), state);
        let cause = (state == SlotState::Unknown).then_some(UnknownCause::Unsure);
        let changed = SlotChanged { slot_id, level_id: None, state, previous, since: stamp.time, cause };
        encode(stamp, &changed, lines);
    }
    let update = CapacityUpdate {
        total,
        occupied,
        free: free.min(total),
        unknown: total.saturating_sub(occupied).saturating_sub(free),
        occupancy_rate: (f64::from(occupied) / f64::from(total.max(1))).min(1.0),
        counted_by: CountedBy::Slots,
        by_gates: None,
        event: None,
        plate: None,
        duration: None,
    };
    encode(stamp, &update, lines);
    Ok(1)
}

fn slot_of(slot: &Value) -> Option<(String, SlotState)> {
    let fields = fields(slot)?;
    let id = text(&fields, &["slotid", "id", "slotnumber", "slot", "name", "number"])?;
    let flag = ["occupied", "isoccupied"].iter().find_map(|name| fields.get(*name)?.as_bool());
    let state = match (flag, text(&fields, &["status", "state"])) {
        (Some(true), _) => SlotState::Occupied,
        (Some(false), _) => SlotState::Free,
        (None, Some(word)) => match word.to_ascii_lowercase().as_str() {
            "occupied" | "taken" | "full" | "filled" => SlotState::Occupied,
            "free" | "empty" | "vacant" | "available" => SlotState::Free,
            "unknown" => SlotState::Unknown,
            _ => return None,
        },
        (None, None) => return None,
    };
    (id.len() <= 128).then(|| (id.into_owned(), state))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use serde_json::json;

    use super::*;

    fn now() -> Time {
        "2026-01-20T10:30:00Z".parse().unwrap()
    }

    fn gate() -> Translator {
        Translator::new(Place::Gate("g".into()), "cam".into())
    }

    fn lot() -> Translator {
        Translator::new(Place::Lot("l".into()), "cam".into())
    }

    /// The records of another maker's message, as type, source, time and payload.
    fn said(translator: &mut Translator, message: &Value) -> Vec<Value> {
        let Heard::Foreign(lines) = translator.read(&message.to_string(), now()).unwrap() else {
            panic!("{message} is another maker's");
        };
        String::from_utf8(lines).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn plates_are_found_under_many_names() {
        for message in [
            json!({ "type": "plate_detected", "payload": { "plate": "b-mw 12" }, "gate_id": "g" }),
            json!({ "type": "detection", "data": { "plateNumber": "BMW12", "confidence": 97.5 } }),
            json!({ "license_plate": "BMW12", "cameraId": "cam", "timestamp": "2026-01-20T10:30:00" }),
            json!({ "type": "x", "payload": { "detections": [{ "text": "BMW 12" }, { "label": "car" }] } }),
        ] {
            let records = said(&mut gate(), &message);
            assert_eq!(records.len(), 1, "{message}");
            assert_eq!(
                (&records[0]["type"], &records[0]["source"]),
                (&json!("plate_detected"), &json!("cam"))
            );
            assert_eq!(records[0]["payload"]["plate"], "BMW12");
            assert_eq!(records[0]["timestamp"], "2026-01-20T10:30:00.000Z");
            assert!(records[0].get("gate_id").is_none());
        }
    }

    #[test]
    fn a_count_with_slots_says_what_changed() {
        let mut lot = lot();
        let message = |state: &str| {
            json!({
                "type": "capacity_update", "timestamp": 1_768_905_000.5, "payload": {
                    "parkingLotId": "l", "totalSlots": 3, "occupied": 1, "cameraId": "c2", "slots": [
                        { "slotId": "A1", "occupied": true }, { "id": "A2", "status": state }, { "slot_number": 3, "state": "unknown" },
                    ],
                },
            })
        };
        let records = said(&mut lot, &message("Empty"));
        let kinds: Vec<_> = records.iter().map(|it| it["type"].clone()).collect();
        assert_eq!(kinds, ["slot_changed", "slot_changed", "slot_changed", "capacity_update"]);
        assert_eq!(records[0]["payload"]["slot_id"], "3");
        let count = &records[3];
        assert_eq!((&count["lot_id"], &count["source"]), (&json!("l"), &json!("c2")));
        assert_eq!(count["timestamp"], "2026-01-20T10:30:00.500Z");
        let payload = &count["payload"];
        assert_eq!(
            [&payload["total"], &payload["occupied"], &payload["free"], &payload["unknown"]],
            [3, 1, 1, 1]
        );
        let records = said(&mut lot, &message("taken"));
        assert_eq!(records.len(), 2, "one slot changed: {records:?}");
        assert_eq!(records[0]["payload"]["previous"], "free");
        let bare = said(&mut lot, &json!({ "total": 10, "available": 4 }));
        assert_eq!(bare[0]["payload"]["occupied"], 6);
    }

    #[test]
    fn our_own_records_pass_and_get_their_lot() {
        let slots = r#"{"type":"slots","id":"x","timestamp":"2026-01-20T10:30:00Z","payload":{"camera_id":"c","seq":1,"slots":[]}}"#;
        let Heard::Ours(line) = lot().read(slots, now()).unwrap() else { panic!("it is ours") };
        let record = Envelope::parse(&line).unwrap();
        assert_eq!((record.lot_id.as_deref(), record.id.as_deref()), (Some("l"), Some("x")));
        let frame = slots.replace("\"slots\",\"id\"", "\"frame\",\"id\"");
        assert!(matches!(lot().read(&frame, now()), Ok(Heard::Frame(_))));
        let plates = slots.replace("\"slots\",\"id\"", "\"plates\",\"id\"");
        assert_eq!(gate().read(&plates, now()), Ok(Heard::Ours(format!("{plates}\n").into())));
    }

    #[test]
    fn what_is_not_theirs_to_say_is_refused() {
        let ours = |kind: &str, more: &str| {
            format!(r#"{{"type":"{kind}","id":"x","timestamp":"2026-01-20T10:30:00Z"{more},"payload":{{}}}}"#)
        };
        for (text, why) in [
            (ours("gate_control", ""), "does not send"),
            (ours("request_status", ""), "does not send"),
            (ours("alert", r#","gate_id":"h""#), "connection of g"),
            (ours("alert", "\n"), "one line"),
            ("no JSON".into(), "not JSON"),
            ("[1]".into(), "not an object"),
            ("{}".into(), "nothing in it"),
            (json!({ "plate": "---" }).to_string(), "letters and digits"),
            (json!({ "plate": "X".repeat(500) }).to_string(), "letters and digits"),
            (json!({ "gate_id": "h", "plate": "AB1" }).to_string(), "not of h"),
        ] {
            let error = gate().read(&text, now()).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
        for (message, why) in [
            (json!({ "total": -1, "occupied": 0 }), "no count"),
            (json!({ "total": 4e9, "occupied": 0 }), "no count"),
            (json!({ "total": 5 }), "needs places"),
            (json!({ "parkingLotId": "m", "total": 5, "occupied": 1 }), "not of m"),
            (json!({ "total": 1, "occupied": 0, "slots": [{ "id": "A" }] }), "a slot without"),
        ] {
            let error = lot().read(&message.to_string(), now()).unwrap_err();
            assert!(error.contains(why), "{message}: {error}");
        }
        assert!(lot().read(&"[".repeat(100_000), now()).is_err());
    }

    #[test]
    fn a_heartbeat_is_a_camera_heard_of() {
        let records = said(&mut lot(), &json!({ "type": "heartbeat" }));
        assert_eq!(
            (&records[0]["type"], &records[0]["payload"]["state"]),
            (&json!("camera_status"), &json!("online"))
        );
    }
}
