//! A record on its way to subscribers, encoded at most once for each dialect.

use std::sync::OnceLock;

use bytes::Bytes;
use park_core::Result;
use park_core::record::{Envelope, Time, derive_id};
use park_store::{Logged, Record};
use serde::Deserialize;

use super::interest::PERSONAL;

/// How many dialects there may be.
const FORMS: usize = 8;

/// A dialect's encoding of a record, made once and shared by all who speak it.
pub struct Form {
    /// The dialect's place, different for each.
    pub place: usize,
    /// The bytes for the wire; nothing if the dialect has no such record.
    pub encode: fn(&Event) -> Option<Bytes>,
}

/// One record.
#[derive(Debug)]
pub struct Event {
    /// Its place in the log; 0 until it is there.
    pub seq: i64,
    /// Its id.
    pub id: String,
    /// Its type.
    pub kind: String,
    /// Event time.
    pub time: Time,
    /// What it comes from.
    pub source: Option<String>,
    /// The gate it concerns.
    pub gate_id: Option<String>,
    /// The lot it concerns.
    pub lot_id: Option<String>,
    /// The user it belongs to, if it belongs to one.
    pub user_id: Option<String>,
    /// The whole line, without its newline.
    pub line: String,
    forms: [OnceLock<Option<Bytes>>; FORMS],
}

impl Event {
    /// The event of a record that came in now, at `received` if it has no time of its own.
    pub fn new(record: &Envelope<'_>, received: Time) -> Event {
        let time = record.timestamp.unwrap_or(received);
        let owned = |text: &Option<park_core::record::Text<'_>>| text.as_deref().map(str::to_owned);
        Event {
            seq: 0,
            id: owned(&record.id).unwrap_or_else(|| derive_id(time, &[record.line().as_bytes()])),
            kind: record.kind.as_str().to_owned(),
            time,
            source: owned(&record.source),
            gate_id: owned(&record.gate_id),
            lot_id: owned(&record.lot_id),
            user_id: user_of(record),
            line: record.line().trim_end().to_owned(),
            forms: Default::default(),
        }
    }

    /// The event of a record of the log.
    pub fn logged(logged: Logged) -> Event {
        let record = Envelope::parse(logged.body.as_bytes()).ok();
        let source = record.as_ref().and_then(|record| record.source.as_deref().map(str::to_owned));
        let user_id = record.as_ref().and_then(user_of);
        Event {
            seq: logged.seq,
            id: logged.id,
            kind: logged.kind,
            time: logged.time,
            source,
            gate_id: logged.gate_id,
            lot_id: logged.lot_id,
            user_id,
            line: logged.body,
            forms: Default::default(),
        }
    }

    /// What goes into the log.
    pub fn record(&self) -> Record<'_> {
        Record {
            id: self.id.as_str().into(),
            time: self.time,
            kind: self.kind.as_str().into(),
            source: self.source.as_deref().map(Into::into),
            gate_id: self.gate_id.as_deref().map(Into::into),
            lot_id: self.lot_id.as_deref().map(Into::into),
            body: &self.line,
        }
    }

    /// The record as it was read. Fails only for a line that is none, which the log never holds.
    pub fn envelope(&self) -> Result<Envelope<'_>> {
        Envelope::parse(self.line.as_bytes())
    }

    /// The bytes of this record in a dialect, shared.
    pub fn form(&self, form: &Form) -> Option<Bytes> {
        self.forms[form.place % FORMS].get_or_init(|| (form.encode)(self)).clone()
    }
}

/// Whose record it is, if it is of a type that belongs to single users.
fn user_of(record: &Envelope<'_>) -> Option<String> {
    #[derive(Deserialize)]
    struct Owned {
        user_id: Option<String>,
    }
    let personal = PERSONAL.contains(&record.kind.as_str());
    personal.then(|| serde_json::from_str::<Owned>(record.payload_json()).ok()?.user_id)?
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    static LENGTH: Form = Form { place: 1, encode: |event| Some(Bytes::from(event.line.clone())) };

    #[test]
    fn a_form_is_made_once_and_shared() {
        let line = br#"{"type":"tick","timestamp":"2026-01-20T10:30:00Z"}"#;
        let event = Event::new(&Envelope::parse(line).unwrap(), Time::default());
        let (first, second) = (event.form(&LENGTH).unwrap(), event.form(&LENGTH).unwrap());
        assert_eq!(first.as_ptr(), second.as_ptr());
        assert_eq!(event.id.len(), 26);
    }
}
