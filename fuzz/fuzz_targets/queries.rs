//! Filters, places to resume from, spans to keep, messages of dashboards and controllers: an error or what it should be.
#![no_main]

use libfuzzer_sys::fuzz_target;
use park_core::record::{Envelope, Time};
use park_serve::channels::message;
use park_serve::operations::retention::Keep;
use park_serve::sse;

fuzz_target!(|text: &str| {
    if let Ok(asked) = sse::Asked::read(text, None, 100) {
        assert!(asked.lots.len() + asked.types.len() <= 100);
        assert!(asked.last.is_none_or(|last| !last.id.is_empty()));
    }
    let _ = text.parse::<Keep>();
    if let Ok(command) = message::command(text, None, "ann", Time::default()) {
        let record = Envelope::parse(command.line.trim_ascii_end()).expect("a command is a record");
        assert_eq!(record.id.as_deref(), Some(command.id.as_str()));
    }
    if let Ok(line) = message::record(text, "gate_in", Time::default()) {
        let record = Envelope::parse(line.trim_ascii_end()).expect("a message is a record");
        assert_eq!(record.gate_id.as_deref(), Some("gate_in"));
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
    }
});
