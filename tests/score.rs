//! park-detect score: agrees with known numbers, says what does not match, and is a report, not a stream.

use std::fs;

use serde_json::{Value, json};

use crate::support::{run, shell, stderr, testdata};

/// What another implementation of the same definitions says of testdata/score, by the flags given.
const EXPECTED: [(&[&str], [u64; 13], [f64; 4]); 3] = [
    (
        &[],
        [18, 13, 14, 10, 12, 7, 11, 14, 19, 10, 3, 2, 3],
        [0.2619047619047619, 0.05102040816326531, 0.1875, 0.125],
    ),
    (
        &["--fold", "O0Q,I1"],
        [18, 13, 14, 11, 13, 8, 12, 14, 19, 11, 3, 2, 3],
        [0.24603174603174602, 0.030612244897959183, 0.1875, 0.125],
    ),
    (
        &["--iou", "0.7", "--top", "1"],
        [18, 11, 14, 10, 12, 7, 10, 14, 19, 10, 3, 2, 3],
        [0.2619047619047619, 0.05102040816326531, 0.1875, 0.125],
    ),
];

fn records() -> Vec<u8> {
    fs::read(testdata("score/plates.ndjson")).unwrap()
}

fn score(truth: &str, args: &[&str], input: &[u8]) -> std::process::Output {
    run("park-detect", &[&["score", "--truth", truth], args].concat(), input)
}

fn plates_truth() -> String {
    testdata("score/plates.truth.jsonl").display().to_string()
}

#[test]
fn plates_agree_with_another_implementation_to_the_last_digit() {
    for (args, counts, rates) in EXPECTED {
        let output = score(&plates_truth(), &[args, &["--json"]].concat(), &records());
        assert!(output.status.success(), "{}", stderr(&output));
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        let count = |name: &str| found[name]["count"].as_u64().unwrap();
        let number = |name: &str| found[name].as_u64().unwrap();
        let matched = found["reliability"]["bins"].as_array().unwrap();
        let matched = matched.iter().map(|bin| bin["right"]["of"].as_u64().unwrap()).sum();
        let all = [
            number("plates"),
            count("detected_iou"),
            count("detected_on"),
            count("exact"),
            count("exact_anywhere"),
            count("exact_first"),
            count("top"),
            matched,
            number("readings"),
            count("right"),
            number("false_readings"),
            number("duplicates"),
            number("pictures_with_false"),
        ];
        assert_eq!(all, counts, "{args:?}");
        let shares = ["cer_all", "cer_matched", "false_per_picture", "duplicates_per_picture"];
        assert_eq!(shares.map(|name| found[name].as_f64().unwrap()), rates, "{args:?}");
        assert_eq!(number("pictures"), 16);
    }
}

#[test]
fn a_table_says_the_same_with_intervals_and_names_what_is_wrong() {
    let output = score(&plates_truth(), &["--errors"], &records());
    assert!(output.status.success(), "{}", stderr(&output));
    let table = String::from_utf8(output.stdout).unwrap();
    let squeezed = table.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in [
        "16 pictures, 18 plates, 19 readings",
        "detected (IoU 0.5) 72.22 % 13/18 [49.1, 87.5]",
        "detected (on) 77.78 % 14/18 [54.8, 91.0]",
        "exact 55.56 % 10/18 [33.7, 75.4]",
        "exact (first) 38.89 % 7/18 [20.3, 61.4]",
        "readings right 52.63 % 10/19 [31.7, 72.7]",
        "wrong characters 26.19 %",
        "false, a picture 0.188 3 in 3 pictures",
        "rejected 1 unsure",
        "no record of: 1 (yard-13.jpg)",
        "yard-09.jpg KB010QD KBOI0QD",
        "yard-08.jpg WN245WM –",
    ] {
        assert!(squeezed.contains(words), "no {words:?} in\n{table}");
    }
}

#[test]
fn what_does_not_match_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let truth = dir.path().join("truth.jsonl");
    fs::write(&truth, "{\"file\":\"folder/yard-00.jpg\",\"plates\":[]}\n").unwrap();
    let truth = truth.display().to_string();
    let output = score(&truth, &["--json"], &records());
    assert!(output.status.success());
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&found["without_truth"]["count"], &found["without_record"]["count"]),
        (&json!(14), &json!(0))
    );
    assert!(stderr(&output).contains("not in the truth: 14 (yard-01.jpg, "), "{}", stderr(&output));

    // The same picture twice, and a line that is no record: told on stderr alone, for the output is one report.
    let twice = [&records()[..], b"nonsense\n", &records()].concat();
    let output = score(&truth, &["--json"], &twice);
    assert_eq!(output.status.code(), Some(65));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["pictures"], 1);
    assert!(stderr(&output).contains("a second plates record of yard-00.jpg"), "{}", stderr(&output));
    assert!(stderr(&output).contains("stdin:16: not JSON"), "{}", stderr(&output));

    // Nothing fits: the answer is no, not a score of nothing.
    let output = score(&truth, &[], b"{\"type\":\"note\"}\n");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("no plates record is about a picture of"), "{}", stderr(&output));

    fs::write(
        &truth,
        "{\"file\":\"a.jpg\",\"plates\":[]}\n{\"file\":\"b.jpg\",\"plates\":[{\"text\":\"A\"}]}\n",
    )
    .unwrap();
    let output = score(&truth, &[], b"");
    assert_eq!(output.status.code(), Some(78));
    assert!(stderr(&output).contains("truth.jsonl:2: a plate has neither box"), "{}", stderr(&output));
    assert_eq!(score("/nonexistent", &[], b"").status.code(), Some(78));
    for wrong in [["--iou", "0"], ["--fold", "O"]] {
        assert_eq!(score(&plates_truth(), &wrong, b"").status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn a_folder_of_pictures_is_scored_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let stills = testdata("gate/stills");
    let script = format!(
        "mkdir stills; cp {0}/*.jpg stills; rm stills/torn.jpg
        park-capture stills | park-detect plates | park-detect score --truth {0}/truth.jsonl --skip-illegible --json",
        stills.display()
    );
    let output = shell(&script, dir.path());
    assert!(output.status.success(), "{}", stderr(&output));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["pictures"], 9);
    let exact = &found["exact"];
    assert!(exact["count"].as_u64().unwrap() * 2 > exact["of"].as_u64().unwrap(), "{found}");
}

/// The truth of a rendered lot by seconds, as lines of truth: what is not clear (a vehicle on its way, a slot hidden) is null.
pub fn lot_truth(show: &str) -> String {
    let read =
        |name: String| -> Value { serde_json::from_slice(&fs::read(testdata(&name)).unwrap()).unwrap() };
    let (truth, map) = (read(format!("lot/{show}.truth.json")), read("lot/lot.json".to_owned()));
    let number = |value: &Value| value.as_u64().unwrap();
    let fps = number(&truth["fps"]);
    let list = |name: &str| truth[name].as_array().unwrap().iter();
    let moving =
        list("transitions").map(|t| number(&t["frame"]).saturating_sub(12)..=number(&t["settled"]) + 20);
    let moving: Vec<_> = moving.collect();
    let hiding: Vec<_> =
        list("disturbances").filter(|d| d["kind"] == "person" || d["kind"] == "lorry").collect();
    let hides = |frame: u64, slot: &Value| {
        hiding.iter().any(|d| {
            (number(&d["first_frame"])..=number(&d["last_frame"])).contains(&frame)
                && d["slots"].as_array().unwrap().contains(slot)
        })
    };
    let line = |frame: u64| {
        let occupied = truth["occupied"][(frame / fps) as usize].as_array().unwrap();
        let slot = |slot: &Value| {
            let id = &slot["slot_id"];
            let unclear = moving.iter().any(|span| span.contains(&frame)) || hides(frame, id);
            let state = if unclear { Value::Null } else { json!(occupied.contains(id)) };
            json!({"slot_id": id, "occupied": state})
        };
        let slots: Vec<Value> = map["slots"].as_array().unwrap().iter().map(slot).collect();
        json!({"seq": frame, "slots": slots}).to_string() + "\n"
    };
    (0..number(&truth["frames"])).map(line).collect()
}

#[test]
fn a_lot_is_scored_frame_by_frame_and_while_a_state_holds() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("truth.jsonl"), lot_truth("lot-night")).unwrap();
    let script = format!(
        "park-capture {} | park-detect slots --map {} > slots.ndjson
        park-detect score --truth truth.jsonl --json < slots.ndjson
        park-detect score --truth truth.jsonl --json --hold < slots.ndjson
        park-detect score --truth truth.jsonl --errors < slots.ndjson",
        testdata("lot/lot-night.mp4").display(),
        testdata("lot/lot.json").display()
    );
    let output = shell(&script, dir.path());
    assert!(output.status.success(), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines = text.splitn(3, '\n');
    let exact: Value = serde_json::from_str(lines.next().unwrap()).unwrap();
    let held: Value = serde_json::from_str(lines.next().unwrap()).unwrap();
    // Every frame is labelled, so nothing holds longer than one.
    assert_eq!(exact, held);
    assert_eq!(exact["slots"].as_array().unwrap().len(), 12);
    assert_eq!(exact["flips"]["true_changes"], 2);
    let accuracy = &exact["accuracy"];
    assert!(accuracy["rate"].as_f64().unwrap() > 0.95, "{exact}");
    assert!(accuracy["of"].as_u64().unwrap() > 200, "{exact}");
    let table = lines.next().unwrap();
    for words in ["precision (occupied)", "flips too many", "confidence"] {
        assert!(table.contains(words), "{table}");
    }
}
