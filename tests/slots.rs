//! park-detect slots on a camera it comes to know: other light, a restart, and what must not be guessed through.

use std::fs;
use std::path::Path;

use park_core::stream::spool::{Put, SpoolWriter};
use serde_json::{Value, json};

use crate::support::{Running, of_type, records, shell, stderr, testdata};

const WIDTH: usize = 320;
const HEIGHT: usize = 180;

/// A map of four slots beside one another.
fn map(dir: &Path) -> String {
    let slot = |at: usize| {
        let x = 20 + at * 75;
        json!({"slot_id": format!("S{at}"), "polygon": [[x, 40], [x + 50, 40], [x + 50, 130], [x, 130]]})
    };
    let map = json!({"lot_id": "lot_9", "image_size": [WIDTH, HEIGHT], "slots": (0..4).map(slot).collect::<Vec<_>>()});
    let path = dir.join("map.json");
    fs::write(&path, map.to_string()).unwrap();
    path.display().to_string()
}

/// A number from 0 to 1 for a place, the same each time.
fn chance(x: i64, y: i64) -> f64 {
    let hash = (x.wrapping_mul(73_856_093) ^ y.wrapping_mul(19_349_663))
        .wrapping_mul(0x9E37_79B9_7F4A_7C15u64 as i64);
    ((hash as u64) >> 40) as f64 / (1 << 24) as f64
}

/// Raw pixels of a yard with paving around its slots and a vehicle in the occupied ones, as a camera sees it that was moved by
/// (x, y) pixels.
fn yard(occupied: &[usize], [dx, dy]: [i64; 2], light: f64) -> Vec<u8> {
    let level = |x: i64, y: i64| {
        let grain = 6.0 * chance(x, y);
        let slot = (x - 20).div_euclid(75);
        let across = (x - 20).rem_euclid(75);
        let inside = (0..4).contains(&slot) && (0..50).contains(&across) && (40..130).contains(&y);
        let body = (6..44).contains(&across) && (48..122).contains(&y);
        if inside && body && occupied.contains(&(slot as usize)) {
            let window = (62..76).contains(&y) || (104..112).contains(&y);
            return if window { 30.0 } else { 215.0 };
        }
        if inside { 95.0 + grain } else { 70.0 + 60.0 * chance(x.div_euclid(11), y.div_euclid(11)) + grain }
    };
    let pixel = |at: usize| level((at % WIDTH) as i64 - dx, (at / WIDTH) as i64 - dy) * light;
    (0..WIDTH * HEIGHT).flat_map(|at| [pixel(at).clamp(0.0, 255.0) as u8; 3]).collect()
}

/// A camera and the command that looks through it, a frame a second.
struct Watch {
    writer: SpoolWriter,
    detect: Running,
    second: u64,
}

impl Watch {
    fn start(dir: &Path, args: &[&str]) -> Watch {
        let map = map(dir);
        let arguments: Vec<&str> = ["slots", "--map", &map].iter().chain(args).copied().collect();
        let writer = SpoolWriter::new(&dir.join("spool"), "cam_7", 2).unwrap();
        Watch { writer, detect: Running::start("park-detect", &arguments), second: 0 }
    }

    /// What is said of a frame, a word a slot: its state, or why it is unknown.
    fn sees(&mut self, pixels: &[u8]) -> Vec<String> {
        let second = self.second;
        self.second += 1;
        let Put::Done(path) = self.writer.put(second, pixels, false).unwrap() else { panic!("no room") };
        let time = format!("2026-01-20T08:{:02}:{:02}.000Z", second / 60, second % 60);
        let payload = json!({"camera_id": "cam_7", "seq": second, "width": WIDTH, "height": HEIGHT,
            "encoding": "bgr24", "path": path});
        let frame =
            json!({"type": "frame", "v": 1, "timestamp": time, "source": "cam_7", "payload": payload});
        self.detect.send(&format!("{frame}\n"));
        let record = self.detect.next();
        let slots = record["payload"]["slots"].as_array().unwrap();
        let word = |slot: &Value| {
            slot.get("cause")
                .filter(|cause| !cause.is_null())
                .unwrap_or(&slot["state"])
                .as_str()
                .unwrap()
                .to_owned()
        };
        slots.iter().map(word).collect()
    }

    /// Shows the camera its lot for half a minute, with a vehicle that comes and goes.
    fn learns(&mut self) {
        for second in 0..30 {
            let occupied: &[usize] = if second / 5 % 2 == 0 { &[] } else { &[2] };
            let expected =
                if occupied.is_empty() { ["free"; 4] } else { ["free", "free", "occupied", "free"] };
            assert_eq!(self.sees(&yard(occupied, [0, 0], 1.0)), expected, "second {second}");
        }
    }

    fn ends(self) {
        let (status, rest) = self.detect.end();
        assert!(status.success() && rest.is_empty(), "{rest:?}");
    }
}

#[test]
fn a_moved_blocked_or_dark_camera_is_noticed_and_so_is_its_return() {
    let dir = tempfile::tempdir().unwrap();
    let mut watch = Watch::start(dir.path(), &[]);
    watch.learns();
    for moved in [[15, 0], [0, -12], [-9, 14], [130, 60]] {
        assert_eq!(watch.sees(&yard(&[1], moved, 1.0)), ["camera_moved"; 4], "{moved:?}");
    }
    assert_eq!(watch.sees(&vec![120; 3 * WIDTH * HEIGHT]), ["blocked"; 4]);
    assert_eq!(watch.sees(&yard(&[1], [0, 0], 0.02)), ["dark"; 4]);
    for light in [1.0, 0.5, 1.15] {
        assert_eq!(
            watch.sees(&yard(&[1], [0, 0], light)),
            ["free", "occupied", "free", "free"],
            "at {light}"
        );
    }
    watch.ends();
}

#[test]
fn what_was_learnt_survives_a_restart_and_belongs_to_its_map() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("eye.json").display().to_string();
    let mut watch = Watch::start(dir.path(), &["--state", &state]);
    watch.learns();
    watch.ends();

    let mut again = Watch::start(dir.path(), &["--state", &state]);
    assert_eq!(again.sees(&yard(&[1], [15, 10], 1.0)), ["camera_moved"; 4]);
    assert_eq!(again.sees(&yard(&[1], [0, 0], 1.0)), ["free", "occupied", "free", "free"]);
    again.ends();

    let mut fresh = Watch::start(dir.path(), &[]);
    assert!(!fresh.sees(&yard(&[1], [15, 10], 1.0)).contains(&"camera_moved".to_owned()), "it cannot know");
    fresh.ends();

    // Another map is another view: what was learnt of the old one says nothing about it.
    let text = fs::read_to_string(dir.path().join("map.json")).unwrap().replace("S3", "S4");
    fs::write(dir.path().join("other.json"), text).unwrap();
    let other = dir.path().join("other.json").display().to_string();
    let mut other = Watch {
        detect: Running::start("park-detect", &["slots", "--map", &other, "--state", &state]),
        writer: SpoolWriter::new(&dir.path().join("spool"), "cam_8", 2).unwrap(),
        second: 0,
    };
    assert!(!other.sees(&yard(&[1], [15, 10], 1.0)).contains(&"camera_moved".to_owned()));
    other.ends();
}

#[test]
fn a_state_file_of_another_kind_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("eye.json");
    fs::write(&state, "{\"version\":99,\"state\":{}}").unwrap();
    let script =
        format!("park-detect slots --map {} --state {} < /dev/null", map(dir.path()), state.display());
    let output = shell(&script, dir.path());
    assert_eq!(output.status.code(), Some(78));
    assert!(stderr(&output).contains("has version 99"), "{}", stderr(&output));
}

#[test]
fn the_same_lot_in_other_light_has_the_same_slots() {
    for show in ["plain", "half", "double", "shadow", "rain", "infrared"] {
        let name = format!("lot/light-{show}");
        let truth: Value =
            serde_json::from_slice(&fs::read(testdata(&format!("{name}.truth.json"))).unwrap()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let script = format!(
            "park-capture {} --camera cam_lot | park-detect slots --map {}",
            testdata(&format!("{name}.mp4")).display(),
            testdata("lot/lot.json").display()
        );
        let output = shell(&script, dir.path());
        assert!(output.status.success(), "{}", stderr(&output));
        let records = records(&output);
        let frames = of_type(&records, "slots");
        assert_eq!(frames.len() as u64, truth["frames"].as_u64().unwrap());
        let occupied = truth["occupied"][0].as_array().unwrap();
        let slots = frames.iter().flat_map(|frame| frame["payload"]["slots"].as_array().unwrap());
        let expected = |slot: &Value| if occupied.contains(&slot["slot_id"]) { "occupied" } else { "free" };
        let (mut all, mut known, mut wrong) = (0, 0, 0);
        for slot in slots {
            all += 1;
            known += u32::from(slot["state"] != "unknown");
            if slot["state"] != "unknown" && slot["state"] != expected(slot) {
                wrong += 1;
                println!("{show}: {slot} should be {}", expected(slot));
            }
        }
        assert!(wrong * 100 <= all && known * 10 >= all * 9, "{show}: {wrong} wrong, {known} known of {all}");
    }
}
