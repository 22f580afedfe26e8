#![allow(clippy::unwrap_used)]

use super::command::Tick;
use super::gate::{CardDetected, CardState};
use super::*;

fn card(card: &str) -> CardDetected {
    CardDetected { card: card.into(), state: CardState::Present, reader: None }
}

#[test]
fn a_record_reads_back_as_it_was_written() {
    let stamp = Stamp::at("2026-01-20T10:30:00.120Z".parse().unwrap()).source("cam_in").gate("gate_in");
    let mut out = Vec::new();
    let id = encode(&stamp, &card("100086F444"), &mut out);
    let envelope = Envelope::parse(&out).unwrap();
    assert_eq!(envelope.id.as_deref(), Some(id.as_str()));
    assert_eq!(envelope.timestamp, Some(stamp.time));
    assert_eq!(envelope.gate_id.as_deref(), Some("gate_in"));
    assert_eq!(envelope.lot_id, None);
    assert_eq!(envelope.payload::<CardDetected>().unwrap(), card("100086F444"));
    assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 1);
}

#[test]
fn ids_are_derived_and_sort_by_time() {
    let at = |millis| Stamp::at(Time::from_millis(millis));
    let id = |stamp: &Stamp, number: &str| encode(stamp, &card(number), &mut Vec::new());
    assert_eq!(id(&at(5), "1"), id(&at(5), "1"));
    assert_ne!(id(&at(5), "1"), id(&at(5), "2"));
    assert_ne!(id(&at(5), "1"), id(&at(5).gate("g"), "1"));
    assert_ne!(id(&at(5).source("g"), "1"), id(&at(5).gate("g"), "1"));
    assert!(id(&at(5), "1") < id(&at(6), "1"));
    assert!(id(&at(255), "1") < id(&at(1_800_000_000_000), "1"));
}

#[test]
fn a_bad_line_is_told_by_what_is_wrong_with_it() {
    let message = |line: &[u8]| Envelope::parse(line).unwrap_err().to_string();
    assert!(message(b"hello").starts_with("not JSON"));
    assert!(message(b"{\"type\":\"tick\"").starts_with("not JSON"));
    assert!(message(b"{}").contains("missing field `type`"));
    assert!(message(b"[1]").starts_with("not a record"));
    assert!(message(br#"{"type":3}"#).starts_with("not a record"));
    assert!(message(br#"{"type":""}"#).contains("empty"));
    assert!(message(br#"{"type":"tick","v":2}"#).contains("version 2"));
    assert!(message(br#"{"type":"tick","timestamp":"yesterday"}"#).contains("yesterday"));
    assert!(message(b"{\"type\":\"\xff\"}").contains("invalid UTF-8 at byte 9"));
    let tick = Envelope::parse(br#"{"type":"card_detected","payload":{"card":7}}"#).unwrap();
    assert!(
        tick.payload::<CardDetected>()
            .unwrap_err()
            .to_string()
            .starts_with("wrong payload for card_detected")
    );
}

#[test]
fn unknown_fields_and_escapes_are_taken() {
    let line = br#"{"type":"tick","later":[{}],"source":"a\u0062c","payload":{"x":1}}"#;
    let envelope = Envelope::parse(line).unwrap();
    assert_eq!(envelope.source.as_deref(), Some("abc"));
    assert_eq!(envelope.payload::<Tick>().unwrap(), Tick {});
}

#[test]
fn every_type_is_listed_once_and_described() {
    let entries = catalogue();
    let mut kinds: Vec<_> = entries.iter().map(|entry| entry.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds.len(), entries.len());
    for entry in &entries {
        assert!((entry.schema)().get("description").is_some(), "{} has no summary", entry.kind);
    }
    let schema = schema("all", &kinds);
    assert_eq!(schema["oneOf"].as_array().unwrap().len(), entries.len());
}

#[test]
fn times_before_1970_and_far_ahead_print() {
    assert_eq!(Time::from_millis(-1).to_string(), "1969-12-31T23:59:59.999Z");
    assert_eq!(Time::from_millis(1_768_905_000_120).to_string(), "2026-01-20T10:30:00.120Z");
    let _ = Time::from_millis(i64::MAX).to_string();
    let _ = Time::from_millis(i64::MIN).to_string();
}
