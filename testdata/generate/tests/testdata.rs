//! The committed recordings and their truth belong together, and rendering is repeatable.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use park_testdata::expected::{self, Expected};
use park_testdata::film::count_frames;
use park_testdata::gate::{FramePlates, Truth};
use park_testdata::paint::Letters;
use park_testdata::{gate, lot, serial, shows};
use serde_json::Value;

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read<T: serde::de::DeserializeOwned>(path: &str) -> T {
    let text = fs::read_to_string(testdata().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn json_lines<T: serde::de::DeserializeOwned>(path: &Path) -> Vec<T> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|l| serde_json::from_str(l).unwrap_or_else(|e| panic!("{}: {e}: {l}", path.display())))
        .collect()
}

fn frames(path: &str) -> usize {
    count_frames(&fs::read(testdata().join(path)).unwrap()).unwrap()
}

#[test]
fn rendering_twice_gives_the_same_bytes() {
    let show = &shows::lot()[0];
    let shot = || lot::Set::new(show, 1).picture(11.0, 55);
    assert!(shot() == shot(), "the lot differs");

    let font = Letters::read(Path::new("/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf")).unwrap();
    let mut show = shows::gate().remove(0);
    show.guests.truncate(1);
    let shot = || gate::Set::new(&font, &show, 1).picture(5.5, 66);
    assert!(shot() == shot(), "the gate differs");
}

#[test]
fn every_gate_recording_agrees_with_its_truth() {
    for show in shows::gate() {
        let name = &show.name;
        let truth: Truth = read(&format!("gate/{name}.truth.json"));
        assert_eq!(truth.frames, frames(&format!("gate/{name}.mp4")), "{name}");
        assert_eq!(truth.start, show.start, "{name}");
        let plates: Vec<String> = truth.passages.iter().map(|p| p.plate.clone()).collect();
        let guests: Vec<String> = show.guests.iter().map(|g| g.text.replace(' ', "")).collect();
        assert_eq!(plates, guests, "{name}");
        for p in &truth.passages {
            assert!(p.first_frame <= p.legible_from && p.legible_from < p.stopped_at, "{name} {p:?}");
            assert!(p.stopped_at < p.legible_to && p.legible_to <= p.last_frame, "{name} {p:?}");
            assert!(p.last_frame < truth.frames, "{name} {p:?}");
        }
        let seen: Vec<FramePlates> = json_lines(&testdata().join(format!("gate/{name}.plates.jsonl")));
        for p in &truth.passages {
            let at = seen.iter().find(|f| f.frame == p.stopped_at).unwrap();
            let plate = at.plates.iter().find(|s| s.text == p.plate).unwrap();
            let width = plate.corners[1][0] - plate.corners[0][0];
            assert!(plate.legible && (70.0..190.0).contains(&width), "{name} {} is {width} wide", p.plate);
        }
    }
}

#[test]
fn the_expected_events_follow_from_the_truth() {
    let found: Expected = read("gate/expected.json");
    let made = expected::pair(&read("gate/gate-day.truth.json"), &read("gate/gate-out.truth.json"));
    assert_eq!(serde_json::to_value(&found).unwrap(), serde_json::to_value(&made).unwrap());
    assert_eq!(found.events.len(), 9);
    assert_eq!(found.exits_without_entry, ["7KPL382"]);
    assert_eq!(found.still_inside.len(), 3);
}

#[test]
fn the_stills_are_labelled_and_one_is_torn() {
    let folder = testdata().join("gate/stills");
    let labels: Vec<Value> = json_lines(&folder.join("truth.jsonl"));
    let labelled: BTreeSet<String> = labels.iter().map(|l| l["file"].as_str().unwrap().to_owned()).collect();
    let there: BTreeSet<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .filter(|n| n.ends_with(".jpg") && n != "torn.jpg")
        .collect();
    assert_eq!(labelled, there);
    let end = |name: &str| fs::read(folder.join(name)).unwrap().ends_with(&[0xff, 0xd9]);
    assert!(there.iter().all(|n| end(n)) && !end("torn.jpg"));
    assert_eq!(labels.iter().filter(|l| l["plates"].as_array().unwrap().len() == 2).count(), 1);
}

#[test]
fn every_lot_recording_agrees_with_its_truth() {
    let map: lot::Map = read("lot/lot.json");
    assert_eq!(map.slots.len(), 12);
    let inside = |p: &[f32; 2]| {
        p[0] >= 0.0 && p[1] >= 0.0 && p[0] < map.image_size[0] as f32 && p[1] < map.image_size[1] as f32
    };
    assert!(map.slots.iter().all(|s| s.polygon.len() == 4 && s.polygon.iter().all(inside)));
    for show in shows::lot() {
        let name = show.name;
        let truth: lot::Truth = read(&format!("lot/{name}.truth.json"));
        assert_eq!(truth.frames, frames(&format!("lot/{name}.mp4")), "{name}");
        let mut now: BTreeSet<&String> = truth.occupied[0].iter().collect();
        let mut changes = truth.transitions.iter().peekable();
        for (second, occupied) in truth.occupied.iter().enumerate() {
            while let Some(t) = changes.next_if(|t| t.frame <= second * truth.fps as usize) {
                let changed =
                    if t.state == "occupied" { now.insert(&t.slot_id) } else { now.remove(&t.slot_id) };
                assert!(changed && t.settled >= t.frame, "{name} {t:?}");
            }
            assert_eq!(now, occupied.iter().collect(), "{name} at {second} s");
        }
    }
    let truth: lot::Truth = read("lot/lot.truth.json");
    assert!(truth.transitions.len() >= 14);
}

#[test]
fn the_transcripts_are_in_order_and_their_good_cards_add_up() {
    let mut logs = 0;
    for entry in fs::read_dir(testdata().join("serial")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "log") {
            continue;
        }
        logs += 1;
        let text = fs::read_to_string(&path).unwrap();
        let (mut last, mut heard) = (0, Vec::new());
        for line in text.lines().filter(|l| !l.starts_with('#')) {
            let mut words = line.split(' ');
            let ms: u64 = words.next().unwrap().parse().unwrap();
            assert!(ms >= last, "{}: {line}", path.display());
            last = ms;
            let way = words.next().unwrap();
            assert!(["<", ">", "."].contains(&way), "{}: {line}", path.display());
            let bytes: Vec<u8> = words.map(|w| u8::from_str_radix(w, 16).unwrap()).collect();
            if way == "<" {
                heard.extend(bytes);
            }
        }
        for record in json_lines::<Value>(&path.with_extension("chk")) {
            assert!(record["at_ms"].as_u64().unwrap() <= last, "{}: {record}", path.display());
            if let Some(card) = record["card"].as_str() {
                let newline = path.file_name().unwrap().to_str().unwrap().starts_with("id12");
                let frame = serial::frame(card, newline);
                assert!(heard.windows(frame.len()).any(|w| w == frame), "{}: {card}", path.display());
            }
        }
    }
    assert!(logs >= 14);
    assert_eq!(serial::frame("100086F444", false), b"\x02100086F44426\x03");
}

#[test]
fn all_of_it_stays_small() {
    fn size(path: &Path) -> u64 {
        if path.is_file() {
            return path.metadata().unwrap().len();
        }
        fs::read_dir(path).unwrap().map(|e| size(&e.unwrap().path())).sum()
    }
    let total = size(&testdata());
    assert!(total < 10_000_000, "{total} bytes");
}
