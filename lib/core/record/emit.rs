//! Records out: a payload and its stamp become one line.

use serde::Serialize;
use serde_json::value::RawValue;

use super::{Payload, Time, derive_id};

/// When and where a record belongs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stamp {
    /// Event time.
    pub time: Time,
    /// What the record comes from.
    pub source: Option<String>,
    /// The gate it concerns.
    pub gate_id: Option<String>,
    /// The lot it concerns.
    pub lot_id: Option<String>,
}

impl Stamp {
    /// A stamp at `time`, of no particular place.
    pub fn at(time: Time) -> Self {
        Stamp { time, ..Stamp::default() }
    }

    /// The same stamp with a source.
    #[must_use]
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The same stamp with a gate.
    #[must_use]
    pub fn gate(mut self, gate: impl Into<String>) -> Self {
        self.gate_id = Some(gate.into());
        self
    }

    /// The same stamp with a lot.
    #[must_use]
    pub fn lot(mut self, lot: impl Into<String>) -> Self {
        self.lot_id = Some(lot.into());
        self
    }
}

#[derive(Serialize)]
struct Line<'a> {
    r#type: &'a str,
    v: u32,
    id: &'a str,
    timestamp: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gate_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lot_id: Option<&'a str>,
    payload: &'a RawValue,
}

/// Appends the record as one line with its newline to `out` and returns the record's id.
///
/// The id is derived from everything in the record, see [`derive_id`].
pub fn encode<P: Payload>(stamp: &Stamp, payload: &P, out: &mut Vec<u8>) -> String {
    // Payloads are plain structs with string keys and finite numbers: serde_json cannot refuse them.
    let json = serde_json::value::to_raw_value(payload).expect("a payload is always JSON");
    let id = derive_id(
        stamp.time,
        &[
            P::TYPE.as_bytes(),
            stamp.source.as_deref().unwrap_or("").as_bytes(),
            stamp.gate_id.as_deref().unwrap_or("").as_bytes(),
            stamp.lot_id.as_deref().unwrap_or("").as_bytes(),
            &payload.identity(json.get().as_bytes()),
        ],
    );
    let line = Line {
        r#type: P::TYPE,
        v: 1,
        id: &id,
        timestamp: stamp.time,
        source: stamp.source.as_deref(),
        gate_id: stamp.gate_id.as_deref(),
        lot_id: stamp.lot_id.as_deref(),
        payload: &json,
    };
    serde_json::to_writer(&mut *out, &line).expect("writing to memory does not fail");
    out.push(b'\n');
    id
}
