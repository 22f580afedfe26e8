//! park-detect: frames inline and by reference, good and bad, to slots and plates.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use park_core::stream::spool::{Put, SpoolWriter};
use serde_json::{Value, json};

use crate::support::{PATIENCE, Running, of_type, records, run, shell, stderr, testdata};

/// A grey JPEG of 24 x 16 pixels, all of one colour.
const GREY: &str = "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABQODxIPDRQSEBIXFRQYHjIhHhwcHj0sLiQySUBMS0dARkVQWnNiUFVtVkVGZIhlbXd7\
gYKBTmCNl4x9lnN+gXz/wAALCAAQABgBAREA/8QAFQABAQAAAAAAAAAAAAAAAAAAAAX/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/9oACAEBAAA/AIgAP//Z";
/// The same in CMYK.
const CMYK: &str = "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwAUDg8SDw0UEhASFxUUGB4yIR4cHB49LC4kMklATEtHQEZFUFpzYlBVbVZFRmSIZW13e4GCgU\
5gjZeMfZZzfoF8/8AAFAgAEAAYBEMRAE0RAFkRAEsRAP/EABYAAQEBAAAAAAAAAAAAAAAAAAAGBf/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAOBEMATQBZAEsAAD8\
Ar1G01WAAAAAAD//Z";

const WIDTH: usize = 320;
const HEIGHT: usize = 180;

/// A map of four slots beside one another on a picture of WIDTH x HEIGHT.
fn map() -> Value {
    let slot = |at: usize| {
        let x = 20 + at * 75;
        json!({"slot_id": format!("S{at}"), "level_id": "L1",
               "polygon": [[x, 40], [x + 60, 40], [x + 60, 150], [x, 150]]})
    };
    json!({"lot_id": "lot_9", "image_size": [WIDTH, HEIGHT], "slots": (0..4).map(slot).collect::<Vec<_>>()})
}

fn map_file(dir: &Path, map: &Value) -> String {
    let path = dir.join("map.json");
    fs::write(&path, map.to_string()).unwrap();
    path.display().to_string()
}

/// Raw BGR pixels: grey ground, and in each occupied slot a white body with dark windows.
fn yard(occupied: &[usize]) -> Vec<u8> {
    let mut pixels: Vec<u8> =
        (0..WIDTH * HEIGHT * 3).map(|at| 100 + ((at * 40_503) >> 5) as u8 % 7).collect();
    for &slot in occupied {
        for y in 50..142 {
            for x in 28 + slot * 75..74 + slot * 75 {
                let window = (70..84).contains(&y) || (118..128).contains(&y);
                pixels[(y * WIDTH + x) * 3..][..3].fill(if window { 40 } else { 230 });
            }
        }
    }
    pixels
}

fn frame(seq: u64, payload: Value) -> String {
    let mut record = json!({"type": "frame", "v": 1, "timestamp": format!("2026-01-20T08:00:{:02}.000Z", seq % 60),
        "source": "cam_7", "gate_id": "gate_in",
        "payload": {"camera_id": "cam_7", "seq": seq, "width": WIDTH, "height": HEIGHT}});
    for (name, value) in payload.as_object().unwrap() {
        record["payload"][name] = value.clone();
    }
    format!("{record}\n")
}

fn inline(seq: u64, data: &str) -> String {
    frame(seq, json!({"encoding": "jpeg", "data": data}))
}

fn by_reference(seq: u64, path: &Path) -> String {
    frame(seq, json!({"encoding": "bgr24", "path": path}))
}

fn put(writer: &mut SpoolWriter, seq: u64, occupied: &[usize]) -> PathBuf {
    match writer.put(seq, &yard(occupied), false).unwrap() {
        Put::Done(path) => path,
        other => panic!("{other:?}"),
    }
}

/// The ids of the occupied slots of a `slots` record; none may be unknown.
fn occupied(record: &Value) -> BTreeSet<String> {
    let slots = record["payload"]["slots"].as_array().unwrap();
    assert!(slots.iter().all(|slot| slot["state"] != "unknown"), "{record}");
    let occupied = slots.iter().filter(|slot| slot["state"] == "occupied");
    occupied.map(|slot| slot["slot_id"].as_str().unwrap().to_owned()).collect()
}

fn ids(slots: &[usize]) -> BTreeSet<String> {
    slots.iter().map(|slot| format!("S{slot}")).collect()
}

fn decode(text: &str) -> Vec<u8> {
    let value = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<u8> = text.bytes().filter(|c| *c != b'=').map(value).collect();
    let bits = |chunk: &[u8]| {
        chunk.iter().fold(0_u32, |bits, d| (bits << 6) | u32::from(*d)) << (6 * (4 - chunk.len()))
    };
    digits.chunks(4).flat_map(|chunk| bits(chunk).to_be_bytes()[1..chunk.len()].to_vec()).collect()
}

fn encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = (0..3).fold(0_usize, |bits, at| (bits << 8) | usize::from(*chunk.get(at).unwrap_or(&0)));
        let digit = |at: usize| DIGITS[(bits >> (18 - 6 * at)) & 63] as char;
        text.extend((0..4).map(|at| if at <= chunk.len() { digit(at) } else { '=' }));
    }
    text
}

/// The grey JPEG with other numbers in its frame header.
fn with_header(precision: u8, height: u16, width: u16) -> String {
    let mut bytes = decode(GREY);
    let at = bytes.windows(2).position(|marker| marker == [0xFF, 0xC0]).unwrap() + 4;
    bytes[at] = precision;
    bytes[at + 1..at + 3].copy_from_slice(&height.to_be_bytes());
    bytes[at + 3..at + 5].copy_from_slice(&width.to_be_bytes());
    encode(&bytes)
}

#[test]
fn frames_by_reference_are_taken_and_answered_under_their_stamp() {
    let dir = tempfile::tempdir().unwrap();
    let spool = dir.path().join("spool");
    let mut writer = SpoolWriter::new(&spool, "cam_7", 2).unwrap();
    let mut detect = Running::start("park-detect", &["slots", "--map", &map_file(dir.path(), &map())]);
    // More frames than the spool holds: each must be freed for the next.
    for (seq, full) in [&[][..], &[0], &[1, 3], &[0, 1, 2, 3], &[2]].into_iter().enumerate() {
        let path = put(&mut writer, seq as u64, full);
        detect.send(&by_reference(seq as u64, &path));
        let record = detect.next();
        assert_eq!(record["type"], "slots");
        assert_eq!(occupied(&record), ids(full));
        assert_eq!(record["timestamp"], format!("2026-01-20T08:00:0{seq}.000Z"));
        let stamp = ["source", "gate_id", "lot_id"].map(|name| record[name].as_str().unwrap());
        assert_eq!(stamp, ["cam_7", "gate_in", "lot_9"]);
        assert_eq!(
            (&record["payload"]["camera_id"], &record["payload"]["seq"]),
            (&json!("cam_7"), &json!(seq))
        );
        assert_eq!(record["payload"]["slots"][0]["level_id"], "L1");
        assert!(!path.exists(), "whoever takes a frame frees it");
    }
    let (status, rest) = detect.end();
    assert!(status.success() && rest.is_empty());
}

#[test]
fn a_frame_that_has_expired_is_counted_and_no_error() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = SpoolWriter::new(&dir.path().join("spool"), "cam_7", 2).unwrap();
    let path = put(&mut writer, 0, &[1]);
    let gone = path.with_file_name("cam_7-9.bgr");
    let input = by_reference(9, &gone) + &by_reference(0, &path);
    let output = run("park-detect", &["slots", "--map", &map_file(dir.path(), &map())], input.as_bytes());
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(records(&output).len(), 1);
    assert!(stderr(&output).contains("1 frames expired"), "{}", stderr(&output));
}

#[test]
fn kept_frames_go_on_unchanged_and_can_be_taken_by_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = SpoolWriter::new(&dir.path().join("spool"), "cam_7", 2).unwrap();
    let path = put(&mut writer, 0, &[1]);
    let map = map_file(dir.path(), &map());
    let input = by_reference(0, &path) + &inline(1, GREY);
    let first = run("park-detect", &["plates", "--keep-frames"], input.as_bytes());
    assert!(first.status.success(), "{}", stderr(&first));
    let kept: String = String::from_utf8_lossy(&first.stdout)
        .split_inclusive('\n')
        .filter(|l| !l.contains("\"plates\""))
        .collect();
    assert_eq!(kept, input);
    assert!(path.exists());
    let second = run("park-detect", &["slots", "--map", &map], &first.stdout);
    let second = records(&second);
    assert_eq!(of_type(&second, "frame").len(), 0);
    assert_eq!(of_type(&second, "plates").len(), 2);
    assert_eq!(occupied(of_type(&second, "slots")[0]), ids(&[1]));
}

#[test]
fn grey_and_cmyk_pictures_are_looked_at() {
    let output = run("park-detect", &["plates"], (inline(0, GREY) + &inline(1, CMYK)).as_bytes());
    assert!(output.status.success(), "{}", stderr(&output));
    let nothing = run("park-detect", &["none"], (inline(0, GREY) + &inline(1, CMYK)).as_bytes());
    assert!(nothing.status.success() && nothing.stdout.is_empty(), "{}", stderr(&nothing));
    let records = records(&output);
    assert_eq!(records.iter().map(|r| &r["payload"]["plates"]).collect::<Vec<_>>(), [&json!([]), &json!([])]);
    assert_eq!(stderr(&output), "");
}

#[test]
fn a_bad_frame_is_named_with_its_fault_and_the_stream_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let whole = decode(GREY);
    let short = dir.path().join("cam_7-1.bgr");
    fs::write(&short, b"short").unwrap();
    let secret = dir.path().join("secret");
    fs::write(&secret, b"key").unwrap();
    let faults = [
        ("the JPEG is cut short", inline(1, &encode(&whole[..whole.len() - 8]))),
        ("the JPEG is cut short", inline(1, &encode(&whole[..40]))),
        ("the JPEG is cut short", inline(1, &encode(&whole[..2]))),
        ("1 x 1 pixels are too few", inline(1, &with_header(8, 1, 1))),
        ("20000 x 20000 pixels are too many", inline(1, &with_header(8, 20_000, 20_000))),
        ("more than 8 bits", inline(1, &with_header(12, 16, 24))),
        ("it is not a JPEG", inline(1, &encode(b"\x89PNG\r\n\x1a\n, and 16 bits a sample"))),
        ("it is not a JPEG", inline(1, "")),
        ("not base64", inline(1, "?")),
        ("a JPEG without data", frame(1, json!({"encoding": "jpeg"}))),
        ("raw pixels without a path", frame(1, json!({"encoding": "bgr24"}))),
        ("has 5 bytes", by_reference(1, &short)),
        ("is not the path of a frame", by_reference(1, &secret)),
    ];
    let mut input: String = faults.iter().map(|(_, line)| line.as_str()).collect();
    input += "{\"type\":\"frame\",\"payload\":{\"camera_id\":\"cam_7\",\"seq\":1,\"width\":\"x\"}}\n";
    input += &inline(2, GREY);
    let output = run("park-detect", &["plates"], input.as_bytes());
    assert_eq!(output.status.code(), Some(65), "{}", stderr(&output));
    let records = records(&output);
    let errors = of_type(&records, "error");
    assert_eq!(errors.len(), faults.len() + 1);
    for ((words, _), error) in faults.iter().zip(&errors) {
        let message = error["payload"]["message"].as_str().unwrap();
        assert!(message.contains("frame 1 of cam_7") && message.contains(words), "{words}: {message}");
    }
    assert_eq!(of_type(&records, "plates").len(), 1, "the good one is still answered");
    assert_eq!(fs::read(&secret).unwrap(), b"key");
}

#[test]
fn a_wrong_map_ends_the_command_and_names_the_slot() {
    let dir = tempfile::tempdir().unwrap();
    let fault = |change: &dyn Fn(&mut Value)| {
        let mut map = map();
        change(&mut map);
        let output = run("park-detect", &["slots", "--map", &map_file(dir.path(), &map)], b"");
        assert_eq!(output.status.code(), Some(78), "{map}");
        stderr(&output)
    };
    let polygon = |polygon: Value| fault(&|map| map["slots"][2]["polygon"] = polygon.clone());
    for (words, said) in [
        ("\"S2\": its polygon has 2 corners", polygon(json!([[1, 1], [2, 2]]))),
        ("\"S2\": its corner 400,9 lies outside", polygon(json!([[9, 9], [400, 9], [90, 90]]))),
        ("\"S2\": its polygon crosses itself", polygon(json!([[9, 9], [90, 90], [90, 9], [9, 90]]))),
        ("\"S1\" is there twice", fault(&|map| map["slots"][2]["slot_id"] = json!("S1"))),
        ("missing field `lot_id`", fault(&|map| drop(map.as_object_mut().unwrap().remove("lot_id")))),
    ] {
        assert!(said.contains(words) && said.contains("map.json"), "{words}: {said}");
    }
    let missing = run("park-detect", &["slots", "--map", "/nonexistent/map.json"], b"");
    assert_eq!(missing.status.code(), Some(78));
}

#[test]
fn slots_that_cover_one_another_are_warned_of_and_another_shape_is_told_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut map = map();
    map["slots"][1]["polygon"] = json!([[30, 40], [90, 40], [90, 150], [30, 150]]);
    map["image_size"] = json!([400, 200]);
    let mut writer = SpoolWriter::new(&dir.path().join("spool"), "cam_7", 3).unwrap();
    let input: String = (0..3).map(|seq| by_reference(seq, &put(&mut writer, seq, &[]))).collect();
    let output = run("park-detect", &["slots", "--map", &map_file(dir.path(), &map)], input.as_bytes());
    assert_eq!(output.status.code(), Some(65));
    assert!(stderr(&output).contains("\"S0\" and \"S1\" share 83 %"), "{}", stderr(&output));
    let records = records(&output);
    assert_eq!(of_type(&records, "error").len(), 1);
    let slots = of_type(&records, "slots");
    assert_eq!(slots.len(), 3);
    for slot in slots.iter().flat_map(|record| record["payload"]["slots"].as_array().unwrap()) {
        assert_eq!((&slot["state"], &slot["cause"]), (&json!("unknown"), &json!("camera_moved")));
    }
}

#[test]
fn a_region_of_interest_is_checked() {
    for (roi, code) in [("0,0 9,0 9,9", 0), ("0,0 9,0", 2), ("a", 2)] {
        assert_eq!(run("park-detect", &["plates", "--roi", roi], b"").status.code(), Some(code), "{roi}");
    }
    assert_eq!(run("park-detect", &["plates", "--min-confidence", "2"], b"").status.code(), Some(2));
    assert_eq!(run("park-detect", &["slots"], b"").status.code(), Some(2));
}

/// What `park-capture ARGS | park-detect ARGS` writes.
fn pipeline(capture: &str, detect: &str) -> std::process::Output {
    let dir = tempfile::tempdir().unwrap();
    let output = shell(&format!("park-capture {capture} | park-detect {detect}"), dir.path());
    assert!(output.status.success(), "{}", stderr(&output));
    output
}

/// How many of the slots of a rendered lot are told right, and of how many, where nothing moves or stands before them.
fn score(show: &str) -> (u32, u32) {
    let truth = fs::read(testdata(&format!("lot/{show}.truth.json"))).unwrap();
    let truth: Value = serde_json::from_slice(&truth).unwrap();
    let (video, map) = (testdata(&format!("lot/{show}.mp4")), testdata("lot/lot.json"));
    let output =
        pipeline(&format!("{} --camera cam_lot", video.display()), &format!("slots --map {}", map.display()));
    let records = records(&output);
    let slots = of_type(&records, "slots");
    let number = |value: &Value| value.as_u64().unwrap();
    assert_eq!(slots.len() as u64, number(&truth["frames"]));
    let list = |name: &str| truth[name].as_array().unwrap().iter();
    // A person or a lorry hides a slot; a vehicle crosses its neighbours' slots on its way.
    let hiding = list("disturbances").filter(|d| d["kind"] == "person" || d["kind"] == "lorry");
    let hidden: Vec<_> =
        hiding.map(|d| (number(&d["first_frame"])..=number(&d["last_frame"]), &d["slots"])).collect();
    let moving: Vec<_> = list("transitions")
        .map(|t| number(&t["frame"]).saturating_sub(12)..=number(&t["settled"]) + 20)
        .collect();
    let unclear = |frame: u64, slot: &Value| {
        moving.iter().any(|span| span.contains(&frame))
            || hidden
                .iter()
                .any(|(span, slots)| span.contains(&frame) && slots.as_array().unwrap().contains(slot))
    };
    let (mut right, mut all) = (0, 0);
    for record in slots {
        let frame = number(&record["payload"]["seq"]);
        let second = (frame / number(&truth["fps"])) as usize;
        let occupied = truth["occupied"][second].as_array().unwrap();
        for slot in record["payload"]["slots"].as_array().unwrap() {
            if unclear(frame, &slot["slot_id"]) {
                continue;
            }
            let expected = if occupied.contains(&slot["slot_id"]) { "occupied" } else { "free" };
            all += 1;
            if slot["state"] == expected {
                right += 1;
            } else {
                println!("{show} frame {frame}: {slot} should be {expected}");
            }
        }
    }
    (right, all)
}

#[test]
fn the_lot_is_told_by_day_and_by_night() {
    for (show, least) in [("lot", 1000), ("lot-night", 100)] {
        let (right, all) = score(show);
        assert!(all >= least && right * 100 >= all * 99, "{show}: {right} of {all} right");
    }
}

#[test]
fn the_plates_at_the_gate_are_read() {
    let truth: Value =
        serde_json::from_slice(&fs::read(testdata("gate/gate-out.truth.json")).unwrap()).unwrap();
    let output = pipeline(&format!("{} --camera cam_out", testdata("gate/gate-out.mp4").display()), "plates");
    let records = records(&output);
    let plates = of_type(&records, "plates");
    assert_eq!(plates.len() as u64, truth["frames"].as_u64().unwrap());
    for passage in truth["passages"].as_array().unwrap() {
        let (plate, first) = (&passage["plate"], passage["legible_from"].as_u64().unwrap());
        let legible = first..=passage["legible_to"].as_u64().unwrap();
        let seen =
            plates.iter().filter(|record| legible.contains(&record["payload"]["seq"].as_u64().unwrap()));
        let of_plate = |reading: &&Value| reading["text"] == *plate && reading.get("rejected").is_none();
        let read: Vec<&Value> = seen
            .filter_map(|record| record["payload"]["plates"].as_array().unwrap().iter().find(of_plate))
            .collect();
        let frames = legible.count();
        assert!(read.len() * 2 > frames, "{plate}: read in {} of {frames} frames", read.len());
        for reading in read {
            let text = reading["characters"].as_array().unwrap().iter().map(|c| c["char"].as_str().unwrap());
            assert_eq!(text.collect::<String>(), plate.as_str().unwrap());
            assert_eq!(reading["candidates"][0]["text"], *plate);
            let numbers =
                reading["corners"].as_array().unwrap().iter().flat_map(|corner| corner.as_array().unwrap());
            assert!(numbers.map(|n| n.as_f64().unwrap()).all(|n| (0.0..960.0).contains(&n)), "{reading}");
        }
    }
}

#[test]
fn the_same_input_gives_the_same_bytes_inline_and_by_reference() {
    let dir = tempfile::tempdir().unwrap();
    let (video, map) = (testdata("lot/lot-night.mp4"), testdata("lot/lot.json"));
    let (video, map) = (video.display(), map.display());
    let inline = format!("{video} --camera cam_lot --count 40");
    let first = pipeline(&inline, &format!("slots --map {map}"));
    let second = pipeline(&inline, &format!("slots --map {map} --threads 1"));
    assert_eq!(of_type(&records(&first), "slots").len(), 39, "the other record is the camera's status");
    assert!(first.stdout == second.stdout);
    let spool = format!("{video} --camera cam_lot --count 40 --spool {}", dir.path().display());
    let raw = pipeline(&spool, &format!("slots --map {map}"));
    // A JPEG is not quite its picture, which may turn a slot that a vehicle is just leaving.
    let states = |output: &std::process::Output| -> Vec<Value> {
        let records = records(output);
        let slots = of_type(&records, "slots")
            .into_iter()
            .flat_map(|record| record["payload"]["slots"].as_array().unwrap());
        slots.map(|slot| slot["state"].clone()).collect()
    };
    let (first, raw) = (states(&first), states(&raw));
    let differing = first.iter().zip(&raw).filter(|(a, b)| a != b).count();
    assert!(first.len() == raw.len() && differing * 100 <= raw.len(), "{differing} of {} differ", raw.len());
}

#[test]
fn several_threads_give_the_same_bytes_in_the_same_order() {
    let gate = testdata("gate");
    let film = format!("park-capture {}/*.mp4 --camera cam --count 24", gate.display());
    let recorded = shell(&film, &gate);
    let mut input = Vec::new();
    for (at, line) in recorded.stdout.split_inclusive(|byte| *byte == b'\n').enumerate() {
        input.extend_from_slice(line);
        match at % 5 {
            1 => input.extend_from_slice(b"{\"type\":\"note\",\"payload\":{}}\n"),
            2 => input.extend_from_slice(inline(at as u64, "?").as_bytes()),
            3 => input.extend_from_slice(b"no record\n"),
            _ => {}
        }
    }
    let on = |threads: &str| run("park-detect", &["plates", "--threads", threads], &input);
    let (one, four) = (on("1"), on("4"));
    assert_eq!(of_type(&records(&one), "plates").len(), 23, "the other record is the camera's status");
    assert!(!of_type(&records(&one), "error").is_empty());
    assert!(one.stdout == four.stdout);
    assert_eq!((one.status.code(), stderr(&one)), (four.status.code(), stderr(&four)));
    let few = run("park-detect", &["plates", "--threads", "4", "--count", "7"], &input);
    assert_eq!(records(&few), records(&one)[..7]);
}

#[test]
fn a_sender_gets_its_ack_once_the_threads_have_answered() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("frames.sock");
    let endpoint = format!("unix-listen:{}", socket.display());
    let detect = Running::start("park-detect", &["plates", "--threads", "2", "--input", &endpoint]);
    let mut camera = loop {
        match UnixStream::connect(&socket) {
            Ok(camera) => break camera,
            Err(_) => std::thread::yield_now(),
        }
    };
    camera.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut acks = BufReader::new(camera.try_clone().unwrap()).lines();
    for (ids, last) in [(0..1, "id_0"), (1..6, "id_5"), (6..7, "id_6")] {
        let named = |at| inline(at, GREY).replacen('{', &format!("{{\"id\":\"id_{at}\","), 1);
        let burst: String = ids.clone().map(named).collect();
        camera.write_all(burst.as_bytes()).unwrap();
        // Frames that come together may be acknowledged together or in part, and nothing more is sent meanwhile.
        let acked = |line: io::Result<String>| line.unwrap().contains(&format!("\"{last}\""));
        assert!(acks.by_ref().any(acked));
        let answered: Vec<_> =
            ids.clone().map(|_| detect.next_of("plates")["payload"]["seq"].clone()).collect();
        assert_eq!(answered, ids.map(Value::from).collect::<Vec<_>>());
    }
}

#[test]
fn onnx_runtime_reads_what_opencv_reads() {
    let library =
        Path::new(env!("CARGO_BIN_EXE_park-detect")).with_file_name("../onnxruntime/libonnxruntime.so.1");
    assert!(library.exists(), "scripts/setup --tests puts it there: {}", library.display());
    let gate = testdata("gate");
    let film = shell("park-capture *.mp4 --camera cam --count 12", &gate).stdout;
    let lot = testdata("lot");
    let lot_film = shell("park-capture lot.mp4 --camera cam --count 5", &lot).stdout;
    let map = lot.join("lot.json").display().to_string();
    for (job, input) in [(vec!["plates"], film), (vec!["slots", "--map", &map], lot_film)] {
        let by = |runtime: &str| {
            let output = run("park-detect", &[&job[..], &["--onnxruntime", runtime]].concat(), &input);
            assert!(output.status.success(), "{}", stderr(&output));
            let said = |record: &Value| record["payload"]["plates"].as_array().cloned().unwrap_or_default();
            let texts = |record: &Value| said(record).iter().map(|plate| plate["text"].clone()).collect();
            let states = |record: &Value| record["payload"]["slots"][0]["state"].clone();
            let each = records(&output);
            each.iter().map(|record| (texts(record), states(record))).collect::<Vec<(Vec<Value>, Value)>>()
        };
        assert_eq!(by(&library.display().to_string()), by("none"));
    }
}

#[test]
fn a_runtime_that_is_none_is_named() {
    for (file, words) in [("/nowhere/libonnxruntime.so", "/nowhere"), ("libc.so.6", "libc.so.6")] {
        let output = run("park-detect", &["plates", "--onnxruntime", file], b"");
        assert_eq!(output.status.code(), Some(78));
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
    }
}

#[test]
fn term_mid_stream_ends_whole_records_and_head_ends_quietly() {
    let dir = tempfile::tempdir().unwrap();
    let map = map_file(dir.path(), &map());
    let mut writer = SpoolWriter::new(&dir.path().join("spool"), "cam_7", 2).unwrap();
    let mut detect = Running::start("park-detect", &["slots", "--map", &map]);
    detect.send(&by_reference(0, &put(&mut writer, 0, &[2])));
    assert_eq!(occupied(&detect.next()), ids(&[2]));
    detect.signal(libc::SIGTERM);
    let (status, rest) = detect.end();
    assert!(status.success() && rest.is_empty());

    let video = testdata("lot/lot-night.mp4");
    let map = testdata("lot/lot.json");
    let script = format!(
        "park-capture {} --camera cam_lot | park-detect slots --map {} | head -1",
        video.display(),
        map.display()
    );
    let output = shell(&script, dir.path());
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!((records(&output).len(), stderr(&output).as_str()), (1, ""));
}
