//! Dialect A's message, `{"type", "payload", "gate_id", "timestamp"}`, both ways.

use std::borrow::Cow;

use bytes::{BufMut, Bytes, BytesMut};
use park_core::record::command::{CameraControl, GateControl, RequestStatus};
use park_core::record::gate::GateState;
use park_core::record::{Envelope, Payload, Stamp, Time, encode, is_object};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::hub::Form;

/// The dialect's encoding: a whole WebSocket frame, the same bytes for everybody.
pub static FORM: Form =
    Form { place: 0, encode: |event| frame_of(&event.envelope().ok()?, &event.id, event.time) };

#[derive(Serialize)]
struct Outgoing<'a> {
    r#type: &'a str,
    payload: &'a RawValue,
    gate_id: Option<&'a str>,
    timestamp: Time,
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    lot_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
}

/// A record as a message, in a frame.
pub fn frame_of(record: &Envelope<'_>, id: &str, time: Time) -> Option<Bytes> {
    text_of(record, id, time).map(|text| text_frame(&text))
}

/// A record as a message.
pub fn text_of(record: &Envelope<'_>, id: &str, time: Time) -> Option<Vec<u8>> {
    let payload = match record.kind.as_str() {
        "gate_status" => with_status(record.payload_json()),
        _ => RawValue::from_string(record.payload_json().to_owned()).ok(),
    }?;
    let message = Outgoing {
        r#type: &record.kind,
        payload: &payload,
        gate_id: record.gate_id.as_deref(),
        timestamp: time,
        id,
        lot_id: record.lot_id.as_deref(),
        source: record.source.as_deref(),
    };
    serde_json::to_vec(&message).ok()
}

/// A record's line as a message, in a frame; nothing if the line is no record.
pub fn frame_of_line(line: &[u8], now: Time) -> Option<Bytes> {
    let record = Envelope::parse(line).ok()?;
    let id = record.id.as_deref().unwrap_or_default();
    frame_of(&record, id, record.timestamp.unwrap_or(now))
}

/// The dialect's word for a gate's state stands beside our own.
fn with_status(payload: &str) -> Option<Box<RawValue>> {
    let mut payload: Map<String, Value> = serde_json::from_str(payload).ok()?;
    let status = match payload.get("state").and_then(Value::as_str) {
        Some("held") => "open",
        Some(state) => state,
        None => "unknown",
    };
    payload.insert("status".into(), status.to_owned().into());
    serde_json::value::to_raw_value(&payload).ok()
}

/// An unmasked text frame (RFC 6455, section 5.2), as a server sends it.
pub fn text_frame(text: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(text.len() + 10);
    frame.put_u8(0x81);
    match text.len() {
        short @ 0..=125 => frame.put_u8(short as u8),
        medium @ 126..=0xFFFF => {
            frame.put_u8(126);
            frame.put_u16(medium as u16);
        }
        long => {
            frame.put_u8(127);
            frame.put_u64(long as u64);
        }
    }
    frame.put_slice(text);
    frame.freeze()
}

/// A message that came in.
#[derive(Deserialize)]
struct Incoming<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(default)]
    payload: Option<&'a RawValue>,
    #[serde(default)]
    gate_id: Option<Cow<'a, str>>,
    #[serde(default)]
    lot_id: Option<Cow<'a, str>>,
    #[serde(default)]
    source: Option<Cow<'a, str>>,
    #[serde(default)]
    timestamp: Option<Value>,
}

impl<'a> Incoming<'a> {
    fn read(text: &'a str) -> Result<Self, String> {
        if !is_object(text) {
            return Err("not a message: it is no object".into());
        }
        let message: Self = serde_json::from_str(text).map_err(|error| format!("not a message: {error}"))?;
        if message.r#type.is_empty() {
            return Err("not a message: the type is empty".into());
        }
        Ok(message)
    }

    fn payload<P: Payload>(&self) -> Result<P, String> {
        let payload = self.payload.map_or("{}", RawValue::get);
        if !is_object(payload) {
            return Err(format!("wrong payload for {}: it is no object", P::TYPE));
        }
        serde_json::from_str(payload).map_err(|error| format!("wrong payload for {}: {error}", P::TYPE))
    }
}

/// The type of the message by which a client shows a new token.
const AUTH: &str = "auth";

/// The token of a message `{"type":"auth","payload":{"token":…}}`; nothing if it is another message. Without a token it is
/// one that does not count.
pub fn token(text: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Auth {
        token: String,
    }
    // Most messages are not, and some are long.
    if !text.contains(AUTH) {
        return None;
    }
    let message = Incoming::read(text).ok().filter(|message| message.r#type == AUTH)?;
    let payload = message.payload.map_or("{}", RawValue::get);
    Some(serde_json::from_str(payload).map_or_else(|_| String::new(), |auth: Auth| auth.token))
}

/// The answer to it, in a frame: whether the token counts, and when it ends, in seconds since 1970.
pub fn renewed(success: bool, expires: Option<u64>, now: Time) -> Bytes {
    let payload = json!({ "success": success, "expires": expires });
    text_frame(
        json!({ "type": AUTH, "payload": payload, "gate_id": null, "timestamp": now }).to_string().as_bytes(),
    )
}

/// A command of a dashboard, made a record.
#[derive(Debug, PartialEq, Eq)]
pub struct Command {
    /// The gate it is for; nothing means every gate.
    pub gate: Option<String>,
    /// The record's id.
    pub id: String,
    /// The record's type.
    pub kind: &'static str,
    /// The record's payload, as JSON.
    pub payload: String,
    /// The record's line.
    pub line: Vec<u8>,
    /// Whether an answer is due.
    pub answered: bool,
}

impl Command {
    /// Whether it moves something, and so belongs into the audit trail.
    pub fn is_audited(&self) -> bool {
        self.kind != RequestStatus::TYPE
    }
}

/// Reads a command of `operator` from a dashboard whose channel is that of `gate`, or of all gates. The error is for the
/// person.
pub fn command(text: &str, gate: Option<&str>, operator: &str, now: Time) -> Result<Command, String> {
    let message = Incoming::read(text)?;
    let (mut control, mut named) = (None, message.gate_id.as_deref().map(str::to_owned));
    if message.r#type == GateControl::TYPE {
        let wanted: GateControl = message.payload()?;
        if wanted.duration.is_some_and(|seconds| !(0.0..=86_400.0).contains(&seconds)) {
            return Err("the duration must be between 0 and 86400 seconds".into());
        }
        named = wanted.gate_id.clone().or(named);
        control = Some(wanted);
    }
    let target = match (gate, named) {
        (Some(own), Some(other)) if own != other => {
            return Err(format!("this channel is that of {own}, not of {other}"));
        }
        (Some(own), _) => Some(own.to_owned()),
        (None, named) => named,
    };
    let mut stamp = Stamp::at(now).source("dashboard");
    stamp.gate_id.clone_from(&target);
    let mut line = Vec::new();
    let answered = control.is_some();
    let id = match (control, message.r#type.as_ref()) {
        (Some(_), _) if target.is_none() => return Err("which gate? gate_id is missing".into()),
        (Some(control), _) => {
            // Whatever the client says: it is the server that knows who it is.
            let operator = Some(operator.to_owned());
            encode(&stamp, &GateControl { gate_id: target.clone(), operator, ..control }, &mut line)
        }
        (None, CameraControl::TYPE) => encode(&stamp, &message.payload::<CameraControl>()?, &mut line),
        (None, RequestStatus::TYPE) => encode(&stamp, &RequestStatus {}, &mut line),
        (None, other) => return Err(format!("a dashboard cannot send {other:?}")),
    };
    let kind = match message.r#type.as_ref() {
        GateControl::TYPE => GateControl::TYPE,
        CameraControl::TYPE => CameraControl::TYPE,
        _ => RequestStatus::TYPE,
    };
    let payload = Envelope::parse(&line).map(|record| record.payload_json().to_owned()).unwrap_or_default();
    Ok(Command { gate: target, id, kind, payload, line, answered })
}

#[derive(Serialize)]
struct Line<'a> {
    r#type: &'a str,
    v: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    timestamp: Time,
    source: &'a str,
    gate_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    lot_id: Option<&'a str>,
    payload: &'a RawValue,
}

/// Reads a message of the controller of `gate` as the line of a record. A record of ours that names the gate is taken as it is,
/// another keeps its id; of another maker's message the time may be RFC 3339 with or without a zone, or a number of seconds or milliseconds.
pub fn record(text: &str, gate: &str, now: Time) -> Result<Vec<u8>, String> {
    let message = Incoming::read(text)?;
    if message.gate_id.as_deref().is_some_and(|other| other != gate) {
        return Err(format!("this is the connection of {gate}"));
    }
    let ours = Envelope::parse(text.as_bytes()).ok();
    let ours = ours.filter(|record| record.id.is_some() && record.timestamp.is_some());
    if message.gate_id.is_some() && ours.is_some() && !text.contains('\n') {
        return Ok([text.as_bytes(), b"\n"].concat());
    }
    let payload = match message.r#type.as_ref() {
        "gate_status" => with_state(message.payload),
        _ => compact(message.payload),
    };
    let payload = payload.ok_or("the payload cannot be read")?;
    let line = Line {
        r#type: &message.r#type,
        v: 1,
        id: ours.as_ref().and_then(|record| record.id.as_deref()),
        timestamp: message.timestamp.as_ref().and_then(time).unwrap_or(now),
        source: message.source.as_deref().unwrap_or(gate),
        gate_id: gate,
        lot_id: message.lot_id.as_deref(),
        payload: &payload,
    };
    let mut line = serde_json::to_vec(&line).map_err(|error| error.to_string())?;
    line.push(b'\n');
    Ok(line)
}

/// The payload without line ends between its tokens.
fn compact(payload: Option<&RawValue>) -> Option<Box<RawValue>> {
    let payload: Value = serde_json::from_str(payload.map_or("{}", RawValue::get)).ok()?;
    serde_json::value::to_raw_value(&payload).ok()
}

/// The payload of a `gate_status` with the state in our own word.
fn with_state(payload: Option<&RawValue>) -> Option<Box<RawValue>> {
    let mut payload: Value = serde_json::from_str(payload.map_or("{}", RawValue::get)).ok()?;
    let fields = payload.as_object_mut()?;
    if !fields.contains_key("state") {
        let word = fields.get("status").or(fields.get("gate_status")).and_then(Value::as_str);
        let state: GateState = serde_json::from_value(word?.to_ascii_lowercase().into()).ok()?;
        fields.insert("state".into(), serde_json::to_value(state).ok()?);
        fields.entry("confirmed").or_insert(true.into());
    }
    serde_json::value::to_raw_value(&payload).ok()
}

/// The time in another maker's message: RFC 3339 with or without a zone, or a number of seconds or milliseconds.
pub fn time(timestamp: &Value) -> Option<Time> {
    if let Some(text) = timestamp.as_str() {
        return text.parse().or_else(|_| format!("{text}Z").parse()).ok();
    }
    let number = timestamp.as_f64()?;
    // Seconds reach this number in the year 5138, milliseconds reached it in 1973.
    let millis = if number.abs() < 1e11 { number * 1000.0 } else { number };
    Some(Time::from_millis(millis as i64))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn text(frame: &Bytes) -> Value {
        let head = if frame[1] == 126 { 4 } else { 2 };
        serde_json::from_slice(&frame[head..]).unwrap()
    }

    fn now() -> Time {
        "2026-01-20T10:30:00Z".parse().unwrap()
    }

    #[test]
    fn a_record_goes_out_as_a_message() {
        let line = br#"{"type":"gate_status","id":"x","timestamp":"2026-01-20T10:30:00Z","gate_id":"g","payload":{"state":"held","confirmed":true}}"#;
        let message = text(&frame_of_line(line, Time::default()).unwrap());
        assert_eq!(message["type"], "gate_status");
        assert_eq!(message["gate_id"], "g");
        assert_eq!(message["timestamp"], "2026-01-20T10:30:00.000Z");
        assert_eq!(message["payload"]["state"], "held");
        assert_eq!(message["payload"]["status"], "open");
    }

    #[test]
    fn frames_have_the_three_lengths() {
        for (length, head) in [(0, 2), (125, 2), (126, 4), (0xFFFF, 4), (0x1_0000, 10)] {
            let frame = text_frame(&vec![b'x'; length]);
            assert_eq!((frame[0], frame.len()), (0x81, length + head));
        }
        assert_eq!(text_frame(&[b'x'; 300])[..4], [0x81, 126, 1, 44]);
    }

    #[test]
    fn a_command_names_its_gate_by_payload_message_or_channel() {
        let open = |gate: Option<&str>, text: &str| command(text, gate, "ann", now());
        let plain = r#"{"type":"gate_control","payload":{"action":"open"}}"#;
        let named = r#"{"type":"gate_control","payload":{"action":"open","gate_id":"g","duration":5,"operator":"me"},"gate_id":"h"}"#;
        assert_eq!(open(Some("g"), plain).unwrap().gate.as_deref(), Some("g"));
        assert_eq!(open(None, named).unwrap().gate.as_deref(), Some("g"));
        assert!(open(None, plain).unwrap_err().contains("which gate"));
        assert!(open(Some("h"), named).unwrap_err().contains("not of g"));
        let sent = open(None, named).unwrap();
        let record = Envelope::parse(&sent.line).unwrap();
        assert_eq!(record.gate_id.as_deref(), Some("g"));
        let control: GateControl = record.payload().unwrap();
        assert_eq!((control.duration, control.operator.as_deref()), (Some(5.0), Some("ann")));
        assert_eq!(record.id.as_deref(), Some(sent.id.as_str()));
    }

    #[test]
    fn what_a_dashboard_may_not_send_is_refused() {
        for bad in [
            "",
            "[]",
            r#"{"type":"gate_status"}"#,
            r#"{"type":"gate_control","payload":{"action":"explode"}}"#,
            r#"{"type":"gate_control","payload":{"action":"open","duration":-1}}"#,
            r#"{"type":"gate_control","payload":{"action":"open","duration":1e300}}"#,
        ] {
            assert!(command(bad, Some("g"), "ann", now()).is_err(), "{bad}");
        }
        assert_eq!(command(r#"{"type":"request_status"}"#, None, "ann", now()).unwrap().gate, None);
    }

    #[test]
    fn messages_of_other_makers_become_records() {
        let line = |text: &str| String::from_utf8(record(text, "g", now()).unwrap()).unwrap();
        let made = line(
            "{\"type\":\"card_detected\",\n\"payload\":{\"uid\":\n\"7\"},\"timestamp\":\"2026-01-20T11:00:00.5\"}",
        );
        assert_eq!(made.matches('\n').count(), 1);
        let parsed = Envelope::parse(made.trim().as_bytes()).unwrap();
        assert_eq!(parsed.timestamp.unwrap().to_string(), "2026-01-20T11:00:00.500Z");
        assert_eq!(parsed.gate_id.as_deref(), Some("g"));
        assert_eq!(parsed.payload_json(), r#"{"uid":"7"}"#);
        let status = line(r#"{"type":"gate_status","payload":{"status":"OPEN"},"timestamp":1768905000.25}"#);
        assert!(status.contains(r#""state":"open""#) && status.contains("10:30:00.250Z"), "{status}");
        assert!(record(r#"{"type":"gate_status","payload":{"status":"ajar"}}"#, "g", now()).is_err());
        assert!(record(r#"{"type":"x","gate_id":"other"}"#, "g", now()).is_err());
        assert!(record(r#"{"type":""}"#, "g", now()).is_err());
        assert!(record(r#"["x"]"#, "g", now()).is_err());
    }

    #[test]
    fn our_own_records_are_taken_as_they_are() {
        let mut line = Vec::new();
        encode(&Stamp::at(now()).gate("g"), &RequestStatus {}, &mut line);
        assert_eq!(
            record(std::str::from_utf8(&line).unwrap().trim_end(), "g", Time::default()).unwrap(),
            line
        );
        let bare = r#"{"type":"tick","id":"7","timestamp":"2026-01-20T10:30:00Z","payload":{}}"#;
        let made = record(bare, "g", Time::default()).unwrap();
        let parsed = Envelope::parse(made.trim_ascii_end()).unwrap();
        assert_eq!((parsed.id.as_deref(), parsed.gate_id.as_deref()), (Some("7"), Some("g")));
        assert_eq!(parsed.timestamp, Some(now()));
    }
}
