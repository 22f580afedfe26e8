#![allow(clippy::unwrap_used)]

use super::*;
use crate::Kind;

const WHOLE: &str = r#"
name = "Riverside"

[track]
warn-at = 0.8

[cameras.cam_in]
source = "rtsp://10.0.0.5/stream"
gate = "gate_in"

[cameras.cam_lot]
lot = "lot_1"
timeout = 60

[gates.gate_in]
lot = "lot_1"
direction = "entry"

[gates.side]
lot = "lot_1"
detector = "ws://10.0.0.7:8000/gate"

[lots.lot_1]
name = "Main lot"
capacity = 12
map = "lot.json"
penalty = 40.0
slots = ["V1"]

[lots.lot_1.levels.L1]
name = "Ground floor"
slots = ["A1", "A2"]

[contractors.acme]
lot = "lot_1"
slots = ["A1", "A2"]
plates = ["B MW 1234"]
list = "acme.txt"
penalty = 25.0

[lists]
deny = ["deny.txt"]
"#;

#[test]
fn a_whole_site_is_read_and_asked() {
    let site = Site::parse(WHOLE).unwrap();
    assert_eq!(site.lot_of_gate("gate_in"), Some("lot_1"));
    assert_eq!(site.lot_of_camera("cam_in"), Some("lot_1"), "through its gate");
    assert_eq!(site.lot_of_camera("cam_lot"), Some("lot_1"));
    assert_eq!(site.lot_of_camera("cam_x"), None);
    assert_eq!(site.cameras_of_gate("gate_in").collect::<Vec<_>>(), ["cam_in"]);
    assert_eq!(site.only_lot(), Some("lot_1"));
    assert_eq!(site.gates["side"].direction, Passage::Both);
    let lot = &site.lots["lot_1"];
    assert_eq!(lot.level_of("A2"), Some("L1"));
    assert_eq!(lot.level_of("V1"), None);
    assert_eq!(lot.all_slots().count(), 3);
    assert_eq!(site.contractors_of("lot_1").next().unwrap().1.allocated(), 2);
    assert_eq!(site.cameras_of_lot("lot_1").collect::<Vec<_>>(), ["cam_in", "cam_lot"]);
    assert_eq!(site.gates["side"].detector.as_deref(), Some("ws://10.0.0.7:8000/gate"));
}

#[test]
fn a_site_without_anything_is_a_site() {
    assert_eq!(Site::parse("").unwrap(), Site::default());
}

#[test]
fn what_is_wrong_is_named_by_its_key() {
    let told = |text: &str, expected: &str| {
        let error = Site::parse(text).unwrap_err();
        assert_eq!(error.kind(), Kind::Config);
        let message = error.to_string();
        assert!(message.contains(expected), "{message:?} should say {expected:?}");
        assert!(!message.contains('\n'), "{message:?} is one line");
    };
    let lot = "[lots.l]\ncapacity = 5\n";
    told("[gates.g]\nlot = \"x\"", "gates.g.lot: there is no lot \"x\" (known: none)");
    told(&format!("{lot}[cameras.c]\ngate = \"g\""), "cameras.c.gate: there is no gate \"g\"");
    told(&format!("{lot}[contractors.c]\nlot = \"k\"\ncapacity = 1"), "contractors.c.lot");
    told("[lots.l]\ncapacty = 5", "line 2: unknown field `capacty`");
    told("[lots.l]\ncapacity = \"ten\"", "in `capacity = \"ten\"`");
    told("[lots.l]\ncapacity = -1", "in `capacity = -1`");
    told("[lots.l]\ncapacity = 0", "lots.l.capacity");
    told("[lots.l]\npenalty = nan", "lots.l.penalty");
    told("[cameras.c]\ntimeout = 0", "cameras.c.timeout");
    told("[gates.g]\ndirection = \"entry\"", "missing field `lot`");
    told("[lots.l]\nslots = [\"A\"]\n[lots.l.levels.L]\nslots = [\"A\"]", "stands in lots.l.slots too");
    told("[lots.l]\nslots = [\"A\"]\n[contractors.c]\nlot = \"l\"\nslots = [\"B\"]", "no slot \"B\"");
    told(
        &format!("{lot}[contractors.c]\nlot = \"l\"\nplates = [\"A 1\"]"),
        "contractors.c.capacity: it is missing",
    );
    told("[lots.l]\ndetector = \"http://x\"", "lots.l.detector: it must be a ws:// or wss:// URL");
    told(
        &format!("{lot}[contractors.a]\nlot=\"l\"\nslots=[\"B\"]\n[contractors.b]\nlot=\"l\"\nslots=[\"B\"]"),
        "contractors.b.slots: slot \"B\" is contractor \"a\"'s",
    );
    told("[lots]\nl = 5", "in `l = 5`");
    told("[lots.\"\"]", "lots: an id is empty");
    told("name = ", "line 1");
}

#[test]
fn paths_are_taken_from_the_folder_of_the_file() {
    let folder = std::env::temp_dir().join(format!("park-site-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("park.toml");
    std::fs::write(&path, WHOLE).unwrap();
    let site = Site::read(&path).unwrap();
    assert_eq!(site.lists.deny, [folder.join("deny.txt")]);
    assert_eq!(site.contractors["acme"].list, Some(folder.join("acme.txt")));
    assert_eq!(site.lots["lot_1"].map, Some(folder.join("lot.json")));
    std::fs::write(&path, "[lots.l]\ncapacity = 0").unwrap();
    let message = Site::read(&path).unwrap_err().to_string();
    assert!(message.starts_with(&format!("reading {}: lots.l.capacity", path.display())), "{message}");
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(Site::read(&path).unwrap_err().kind(), Kind::Config);
}

#[test]
fn a_list_is_compared_by_letters_and_digits() {
    let text = "\u{feff}# staff\nB-MW 1234 # the boss\n\n  abc123\nABC 123\n";
    let list = List::parse("allow.txt", text).unwrap();
    assert_eq!(list.find("bmw1234").as_deref(), Some("allow.txt:2"));
    assert_eq!(list.find("ABC123").as_deref(), Some("allow.txt:4"), "the first line counts");
    assert_eq!(list.find("ABC12"), None);
    assert_eq!(list.entries().collect::<Vec<_>>(), ["ABC123", "BMW1234"]);
    let message = List::parse("x", "AB1\n---\n").unwrap_err().to_string();
    assert_eq!(message, "line 2: \"---\" is no plate or card");
    for broken in ["<html>", &"X".repeat(40)] {
        assert_eq!(List::parse("x", broken).unwrap_err().kind(), Kind::Config);
    }
    assert_eq!(plain("κα-1"), "ΚΑ1");
}
