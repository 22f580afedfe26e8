//! park-detect map: grids, other formats, proposals, and the faults that it shares with park-detect slots.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{run, shell, stderr, testdata};

fn map(args: &[&str]) -> std::process::Output {
    run("park-detect", &[&["map"], args].concat(), b"")
}

/// The map that was written.
fn made(args: &[&str]) -> Value {
    let output = map(args);
    assert!(output.status.success(), "{args:?}: {}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn polygon(slot: &Value) -> Vec<[f64; 2]> {
    serde_json::from_value(slot["polygon"].clone()).unwrap()
}

fn lot() -> Value {
    serde_json::from_slice(&fs::read(testdata("lot/lot.json")).unwrap()).unwrap()
}

fn file(dir: &Path, name: &str, text: &str) -> String {
    let path = dir.join(name);
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn the_rows_of_the_lot_come_out_of_their_corners() {
    let lot = lot();
    let slots = lot["slots"].as_array().unwrap();
    let mut args = vec!["--size".to_owned(), "854x480".to_owned(), "--lot".to_owned(), "lot_1".to_owned()];
    for row in ["A", "B"] {
        let of_row: Vec<_> = slots.iter().filter(|slot| slot["level_id"] == row).map(polygon).collect();
        let (first, last) = (&of_row[0], &of_row[of_row.len() - 1]);
        let corners = [first[0], last[1], last[2], first[3]].map(|[x, y]| format!("{x},{y}")).join(" ");
        args.extend(["--grid".to_owned(), format!("{row}1..{row}{} {corners}", of_row.len())]);
    }
    let found = made(&args.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!((&found["lot_id"], &found["image_size"]), (&lot["lot_id"], &lot["image_size"]));
    let found = found["slots"].as_array().unwrap();
    assert_eq!(found.len(), slots.len());
    for (found, slot) in found.iter().zip(slots) {
        assert_eq!(found["slot_id"], slot["slot_id"]);
        for (a, b) in polygon(found).iter().zip(polygon(slot)) {
            assert!((a[0] - b[0]).hypot(a[1] - b[1]) < 2.0, "{found} is not where {slot} is");
        }
    }
}

#[test]
fn faults_are_those_of_slots_and_the_picture_is_drawn_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let drawn = dir.path().join("look.jpg").display().to_string();
    for (grid, words) in [
        ("A1..A3 0,0 200,0 200,40 0,40", "\"A3\": its corner 200,0 lies outside the picture of 160 x 90"),
        ("A1 10,10 20,20", "2 corners"),
        ("A1 10,10 90,80 90,10 10,80", "\"A1\": its polygon crosses itself"),
    ] {
        let output = map(&["--size", "160x90", "--draw", &drawn, "--grid", grid]);
        let said = stderr(&output);
        let code = if words == "2 corners" { 2 } else { 78 };
        assert!(output.status.code() == Some(code) && said.contains(words), "{grid}: {said}");
        assert!(output.stdout.is_empty());
    }
    assert!(fs::read(&drawn).unwrap().starts_with(&[0xFF, 0xD8]), "a JPEG");
    let twice = ["--size", "160x90", "--grid", "A1 0,0 40,0 40,40", "--grid", "A1..A2 50,0 90,0 90,40 50,40"];
    assert!(stderr(&map(&twice)).contains("slot \"A1\" is there twice"));
    let output =
        map(&["--size", "160x90", "--grid", "A1 0,0 40,0 40,40 0,40", "--grid", "A2 10,0 50,0 50,40 10,40"]);
    assert!(output.status.success());
    assert!(stderr(&output).contains("\"A1\" and \"A2\" share 75 %"), "{}", stderr(&output));
    // What map lets through, slots takes.
    let path = file(dir.path(), "made.json", &String::from_utf8(output.stdout).unwrap());
    assert!(run("park-detect", &["slots", "--map", &path], b"").status.success());
    for wrong in [
        &[][..],
        &["--grid", "A1 0,0 40,0 40,40"],
        &["--size", "0x9", "--grid", "A1 0,0 40,0 40,40"],
        &["--size", "99x99", "--grid", "A1"],
        &["--size", "99x99", "--grid", "A1 0,0 40,0 40,40", "--output", "x"],
        &["--size", "99x99", "--propose", "--stay", "0"],
    ] {
        assert_eq!(map(wrong).status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn maps_of_others_are_taken_in_and_scaled_to_the_frame() {
    let dir = tempfile::tempdir().unwrap();
    let pklot = file(
        dir.path(),
        "a.xml",
        "<parking id='x'><space id='7'><contour><Point x='10' y='20'/><Point x='50' y='20'/><Point x='50' y='60'/></contour></space></parking>",
    );
    let table = file(dir.path(), "camera1.csv", "SlotId,X,Y,W,H\n603,1034,1640,240,240\n");
    let coco = json!({"images": [{"id": 1, "file_name": "day/a.jpg", "width": 400, "height": 200},
                                 {"id": 2, "file_name": "b.jpg", "width": 400, "height": 200}],
                      "annotations": [{"id": 1, "image_id": 1, "segmentation": [[10, 10, 50, 10, 50, 40]]},
                                      {"id": 2, "image_id": 2, "bbox": [10, 10, 50, 40]}]});
    let coco = file(dir.path(), "coco.json", &coco.to_string());

    assert_eq!(map(&["--import", &pklot]).status.code(), Some(2), "its size is not known");
    let found = made(&["--import", &pklot, "--size", "100x80", "--prefix", "P-", "--level", "2"]);
    assert_eq!(
        found["slots"][0],
        json!({"slot_id": "P-7", "level_id": "2", "polygon": [[10.0, 20.0], [50.0, 20.0], [50.0, 60.0]]})
    );
    let found = made(&["--import", &pklot, "--size", "200x160", "--drawn-on", "100x80"]);
    assert_eq!(found["slots"][0]["polygon"][2], json!([100.0, 120.0]));
    let found = made(&["--import", &table, "--size", "1000x750"]);
    assert_eq!(found["slots"][0]["polygon"][0], json!([398.9, 632.7]));
    let output = map(&["--import", &table, "--size", "1280x720"]);
    assert_eq!(output.status.code(), Some(78));
    assert!(
        stderr(&output).contains("camera1.csv: its slots were drawn on 2592 x 1944"),
        "{}",
        stderr(&output)
    );

    let output = map(&["--import", &coco]);
    assert!(stderr(&output).contains("slots of 2 pictures: those of day/a.jpg"), "{}", stderr(&output));
    let found = made(&["--import", &coco, "--picture", "b.jpg"]);
    assert_eq!((&found["image_size"], &found["slots"][0]["slot_id"]), (&json!([400, 200]), &json!("2")));

    // A map is imported too: to add slots to it.
    let own = testdata("lot/lot.json").display().to_string();
    let found = made(&["--import", &own, "--grid", "C1 10,10 40,10 40,40"]);
    assert_eq!((found["slots"].as_array().unwrap().len(), &found["lot_id"]), (13, &json!("lot_1")));
    let torn = file(dir.path(), "torn.xml", "<parking><space id='7'>");
    let output = map(&["--import", &torn, "--size", "9x9"]);
    assert_eq!(output.status.code(), Some(78));
    assert!(stderr(&output).contains("torn.xml: "), "{}", stderr(&output));
}

/// Intersection over union of two polygons, point by point.
fn overlap(a: &[[f64; 2]], b: &[[f64; 2]]) -> f64 {
    let inside = |polygon: &[[f64; 2]], x: f64, y: f64| {
        let edges = polygon.iter().zip(polygon.iter().cycle().skip(1));
        let crossed = edges.filter(|(p, q)| {
            (p[1] > y) != (q[1] > y) && x < (q[0] - p[0]) * (y - p[1]) / (q[1] - p[1]) + p[0]
        });
        crossed.count() % 2 == 1
    };
    let (mut both, mut either) = (0, 0);
    for y in (0..480).step_by(2) {
        for x in (0..854).step_by(2) {
            let (in_a, in_b) = (inside(a, f64::from(x), f64::from(y)), inside(b, f64::from(x), f64::from(y)));
            both += i32::from(in_a && in_b);
            either += i32::from(in_a || in_b);
        }
    }
    f64::from(both) / f64::from(either.max(1))
}

#[test]
fn most_slots_where_someone_came_or_went_are_proposed() {
    let dir = tempfile::tempdir().unwrap();
    let script = format!(
        "park-capture {} | park-detect map --propose --stay 6 --lot lot_1 --draw look.jpg",
        testdata("lot/lot.mp4").display()
    );
    let output = shell(&script, dir.path());
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(fs::metadata(dir.path().join("look.jpg")).unwrap().len() > 1000);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["image_size"], json!([854, 480]));
    let proposed: Vec<_> = found["slots"].as_array().unwrap().iter().map(polygon).collect();
    assert!(
        stderr(&output).contains(&format!("{} slots proposed from 94 s", proposed.len())),
        "{}",
        stderr(&output)
    );
    let lot = lot();
    let slots: Vec<_> = lot["slots"].as_array().unwrap().iter().map(polygon).collect();
    let hit = |slot: &&Vec<[f64; 2]>| proposed.iter().any(|polygon| overlap(polygon, slot) > 0.2);
    let hits = slots.iter().filter(hit).count();
    println!("{hits} of 12 slots (eleven of which changed), {} proposed", proposed.len());
    // The lamp, the cloud and the lorry of this recording hide some changes: eleven slots changed in a minute and a half.
    assert!(hits >= 7 && proposed.len() <= hits + 3, "{hits} slots among {} proposed", proposed.len());
}

#[test]
fn without_frames_nothing_is_proposed() {
    let output = map(&["--propose"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("no frame came"), "{}", stderr(&output));
}
