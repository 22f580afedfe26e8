//! Every transcript of `testdata/serial` through the parsers and rules, in event time.
//!
//! `<ms> < <hex>` came from the device, `<ms> > <hex>` was sent to it, `<ms> .` nothing happened until then. The `.chk`
//! beside it says what is to be made of it.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use park_core::record::Time;
use park_core::record::gate::{CardState, GateAction, GateState};
use serde_json::{Value, json};

use super::barrier::{Barrier, Told};
use super::rfid::{Framer, Reject};
use crate::rules::presence::Presence;

/// One line of a transcript.
struct Step {
    at: Time,
    way: char,
    bytes: Vec<u8>,
}

/// The transcripts whose names begin so, with what is to be made of each.
fn transcripts(prefix: &str) -> Vec<(String, Vec<Step>, Vec<Value>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/serial");
    let mut all = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if path.extension().is_some_and(|end| end == "log") && name.starts_with(prefix) {
            let log = std::fs::read_to_string(&path).unwrap();
            let steps = log.lines().filter(|line| !line.starts_with('#')).map(step).collect();
            let check = std::fs::read_to_string(path.with_extension("chk")).unwrap();
            all.push((name, steps, check.lines().map(|line| serde_json::from_str(line).unwrap()).collect()));
        }
    }
    assert!(!all.is_empty(), "no transcripts of {prefix} in {}", folder.display());
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

fn step(line: &str) -> Step {
    let mut words = line.split(' ');
    Step {
        at: Time::from_millis(1_000_000 + words.next().unwrap().parse::<i64>().unwrap()),
        way: words.next().unwrap().chars().next().unwrap(),
        bytes: words.map(|hex| u8::from_str_radix(hex, 16).unwrap()).collect(),
    }
}

fn without_time(mut value: Value) -> Value {
    value.as_object_mut().unwrap().remove("at_ms");
    value
}

#[test]
fn every_transcript_of_a_reader_gives_its_cards() {
    for (name, steps, expected) in ["rdm6300", "id12"].iter().flat_map(|reader| transcripts(reader)) {
        let (mut framer, mut presence, mut heard) = (Framer::default(), Presence::default(), Vec::new());
        let changed = |changes: Vec<crate::rules::presence::Change>, heard: &mut Vec<Value>| {
            for change in changes {
                let state = if change.state == CardState::Present { "present" } else { "absent" };
                heard.push(json!({ "type": "card_detected", "card": change.card, "state": state }));
            }
        };
        for step in &steps {
            changed(presence.pass(step.at), &mut heard);
            let mut frames = Vec::new();
            framer.push(&step.bytes, |frame| frames.push(frame));
            for frame in frames {
                match frame {
                    Ok(card) => changed(presence.read(&card, step.at), &mut heard),
                    Err(reject) => {
                        let reason = match reject {
                            Reject::Frame => "truncated",
                            Reject::Checksum => "checksum",
                            Reject::Zero => "zero_card",
                        };
                        heard.push(json!({ "type": "reject", "reason": reason }));
                    }
                }
            }
        }
        let expected: Vec<Value> = expected.into_iter().map(without_time).collect();
        assert_eq!(heard, expected, "{name}");
    }
}

/// A gate and the barrier of a transcript: the gate's nonces stand for those of the transcript.
struct Play {
    barrier: Barrier,
    written: Receiver<Vec<u8>>,
    told: Vec<Told>,
    nonces: Vec<(String, String)>,
    results: Vec<(String, String)>,
}

impl Play {
    fn new() -> Self {
        let (commands, written) = channel();
        let barrier = Barrier::serial(commands, 0);
        Play { barrier, written, told: Vec::new(), nonces: Vec::new(), results: Vec::new() }
    }

    /// Takes what the gate has written. A command that the transcript does not know is obeyed at once, and its last
    /// nonce of `verb` is returned.
    fn take(&mut self, verb: &str, at: Time) -> Option<String> {
        let mut found = None;
        while let Ok(bytes) = self.written.try_recv() {
            let line = String::from_utf8(bytes).unwrap();
            let words: Vec<&str> = line.split_whitespace().collect();
            let nonce = words.last().unwrap().to_string();
            match words[0] {
                "HB" => {}
                word if word == verb => found = Some(nonce),
                _ if self.nonces.iter().any(|(_, ours)| *ours == nonce) => {}
                _ => self.told.extend(self.barrier.heard(format!("OK {nonce}\n").as_bytes(), at)),
            }
        }
        found
    }

    fn hear(&mut self, bytes: &[u8], at: Time) {
        let mut text = String::from_utf8_lossy(bytes).into_owned();
        for (theirs, ours) in &self.nonces {
            text = text.replace(&format!(" {theirs}"), &format!(" {ours}"));
        }
        // Bytes that are no text are given as they are.
        let bytes = if text.contains('\u{FFFD}') { bytes.to_vec() } else { text.into_bytes() };
        self.told.extend(self.barrier.heard(&bytes, at));
        self.take("", at);
    }

    fn order(&mut self, line: &str, at: Time) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (action, pulse) = match words[0] {
            "OPEN" => (GateAction::Open, words[1].parse().unwrap()),
            "CLOSE" => (GateAction::Close, 0),
            "HOLD" => (GateAction::Hold, 0),
            _ => return,
        };
        let (done, told) = self.barrier.order(action, Duration::from_millis(pulse), "test", at);
        assert!(done);
        self.told.extend(told);
        let theirs = words.last().unwrap().to_string();
        match self.take(words[0], at) {
            Some(ours) => self.nonces.push((theirs, ours)),
            // It was not said: a vehicle stands there. That is what the barrier would have answered.
            None => self.results.push((theirs, "loop".to_owned())),
        }
    }

    /// The states that the barrier has confirmed, in their order.
    fn confirmed(&self) -> Vec<(GateState, bool)> {
        let confirmed = self.told.iter().filter(|(_, status)| status.confirmed);
        let mut all: Vec<_> =
            confirmed.map(|(_, status)| (status.state, status.vehicle == Some(true))).collect();
        all.dedup();
        all
    }
}

#[test]
fn every_transcript_of_a_barrier_is_followed_safely() {
    for (name, steps, expected) in transcripts("barrier") {
        let mut play = Play::new();
        let start = steps[0].at - Duration::from_millis(10);
        let up = play.barrier.line_up(start);
        play.told.extend(up);
        play.take("", start);
        for step in &steps {
            let told = play.barrier.advance(step.at);
            play.told.extend(told);
            play.take("", step.at);
            match step.way {
                '<' => play.hear(&step.bytes, step.at),
                '>' => play.order(std::str::from_utf8(&step.bytes).unwrap(), step.at),
                _ => {}
            }
        }
        check(&name, &play, &expected);
    }
}

fn check(name: &str, play: &Play, expected: &[Value]) {
    let of = |kind: &str| expected.iter().filter(|value| value["type"] == kind).collect::<Vec<_>>();
    let mut states: Vec<(GateState, bool)> = of("gate_status")
        .iter()
        .map(|value| {
            (serde_json::from_value(value["confirmed"].clone()).unwrap(), value["vehicle"].as_bool().unwrap())
        })
        .collect();
    states.dedup();
    assert_eq!(play.confirmed(), states, "{name}");
    assert_eq!(play.barrier.noise() as usize, of("reject").len(), "{name}");
    for command in of("command") {
        let nonce = command["nonce"].as_str().unwrap();
        let has = |text: &str| {
            play.told
                .iter()
                .any(|(_, status)| status.cause.as_deref().is_some_and(|cause| cause.contains(text)))
        };
        match command["result"].as_str().unwrap() {
            "ok" => assert!(play.nonces.iter().any(|(theirs, _)| theirs == nonce), "{name}: {nonce}"),
            "timeout" => assert!(has("does not answer"), "{name}"),
            "loop" => assert!(play.results.contains(&(nonce.to_owned(), "loop".to_owned())), "{name}"),
            refused => assert!(has(&format!("refuses: {refused}")), "{name}"),
        }
    }
}
