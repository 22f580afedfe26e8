//! Every type of record with its family, its summary and its JSON Schema.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{camera, command, gate, lot, people, vision};

/// What stands in `payload`: one type of record.
pub trait Payload: Serialize + DeserializeOwned + JsonSchema {
    /// The record's `type`.
    const TYPE: &'static str;

    /// The bytes that tell this payload from others of its type, source and time; by default its whole JSON.
    fn identity<'a>(&self, json: &'a [u8]) -> Cow<'a, [u8]> {
        Cow::Borrowed(json)
    }
}

/// A family of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Cameras and their frames.
    Camera,
    /// What is seen in a frame.
    Vision,
    /// Gates: passages, decisions, hardware.
    Gate,
    /// Lots: slots, capacity, violations.
    Lot,
    /// Bookings, payments and messages to people.
    People,
    /// Commands, their answers, and what processes say to each other.
    Command,
}

/// One type of record in the catalogue.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The record's `type`.
    pub kind: &'static str,
    /// Its family.
    pub family: Family,
    /// Makes the JSON Schema of its payload; `description` holds the summary.
    pub schema: fn() -> Schema,
}

fn entry<P: Payload>(family: Family) -> Entry {
    Entry { kind: P::TYPE, family, schema: schema_of::<P> }
}

fn schema_of<P: Payload>() -> Schema {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<P>()
}

/// Every type of record, family by family.
pub fn catalogue() -> Vec<Entry> {
    use Family::{Camera, Command, Gate, Lot, People, Vision};
    vec![
        entry::<camera::Frame>(Camera),
        entry::<camera::CameraStatus>(Camera),
        entry::<camera::ImageCaptured>(Camera),
        entry::<vision::Plates>(Vision),
        entry::<vision::Slots>(Vision),
        entry::<gate::PlateDetected>(Gate),
        entry::<gate::CardDetected>(Gate),
        entry::<gate::AccessDecision>(Gate),
        entry::<gate::GateStatus>(Gate),
        entry::<gate::HardwareStatus>(Gate),
        entry::<gate::SystemStatus>(Gate),
        entry::<gate::ParkingEntry>(Gate),
        entry::<gate::ParkingExit>(Gate),
        entry::<lot::SlotChanged>(Lot),
        entry::<lot::CapacityUpdate>(Lot),
        entry::<lot::ParkingUpdate>(Lot),
        entry::<lot::OccupancyDrift>(Lot),
        entry::<lot::Violation>(Lot),
        entry::<lot::Alert>(Lot),
        entry::<people::BookingUpdated>(People),
        entry::<people::PaymentUpdated>(People),
        entry::<people::Notification>(People),
        entry::<people::SystemAnnouncement>(People),
        entry::<people::LiveStats>(People),
        entry::<command::GateControl>(Command),
        entry::<command::CameraControl>(Command),
        entry::<command::RequestStatus>(Command),
        entry::<command::GateControlResponse>(Command),
        entry::<command::Fault>(Command),
        entry::<command::Ack>(Command),
        entry::<command::Tick>(Command),
    ]
}

/// The JSON Schema (draft 2020-12) of the records whose types are in `kinds`, envelope and all.
pub fn schema(title: &str, kinds: &[&str]) -> Value {
    let records: Vec<Value> =
        catalogue().into_iter().filter(|entry| kinds.contains(&entry.kind)).map(record_schema).collect();
    json!({ "$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, "oneOf": records })
}

fn record_schema(entry: Entry) -> Value {
    let mut payload = (entry.schema)().to_value();
    if let Some(object) = payload.as_object_mut() {
        object.remove("$schema");
        object.remove("title");
    }
    let text = json!({ "type": "string" });
    json!({
        "title": entry.kind,
        "type": "object",
        "required": ["type", "payload"],
        "properties": {
            "type": { "const": entry.kind },
            "v": { "const": 1 },
            "id": text,
            "timestamp": { "type": "string", "format": "date-time" },
            "source": text,
            "gate_id": text,
            "lot_id": text,
            "payload": payload,
        },
    })
}

macro_rules! payloads {
    ($($name:ident = $kind:literal),* $(,)?) => {
        $(impl $crate::record::Payload for $name { const TYPE: &'static str = $kind; })*
    };
}
pub(crate) use payloads;
