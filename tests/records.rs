//! Code, schema and page say the same: what the commands write fits the schema they print, and the page is the code's.

use jsonschema::Validator;
use serde_json::Value;

use crate::support::{lines, records, run, shell, testdata};

/// Compares a committed file with what the code makes; `PARK_UPDATE=1` writes it instead.
pub fn assert_same(path: &str, made: &str) {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("PARK_UPDATE").is_some() {
        std::fs::write(&file, made).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == made,
        "{path} is not what the code says: run PARK_UPDATE=1 cargo test --test main {path}"
    );
}

#[test]
fn the_page_of_the_records_is_made_from_the_code() {
    assert_same("man/park-records.5", &park_core::record::page());
}

fn schema_of(command: &str) -> (Validator, Vec<String>) {
    let output = run(command, &["--schema"], b"");
    assert!(output.status.success());
    let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
    let kinds =
        schema["oneOf"].as_array().unwrap().iter().map(|one| one["title"].as_str().unwrap().to_owned());
    let kinds = kinds.collect();
    (jsonschema::validator_for(&schema).unwrap(), kinds)
}

/// Every record a command wrote is of a type its schema lists, and fits it.
fn assert_fits(command: &str, written: &[Value]) {
    let (validator, kinds) = schema_of(command);
    assert!(!written.is_empty(), "{command} wrote nothing to check");
    for record in written {
        let kind = record["type"].as_str().unwrap();
        assert!(
            kinds.iter().any(|known| known == kind),
            "{command} wrote a {kind}, which its --schema does not list"
        );
        let errors: Vec<_> = validator.iter_errors(record).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{command}: {record}\n{errors:?}");
        for field in ["id", "timestamp"] {
            assert!(record[field].is_string(), "{command}: no {field} in {record}");
        }
    }
}

#[test]
fn every_type_that_any_command_writes_is_in_the_page() {
    let page = park_core::record::page();
    for command in ["park-capture", "park-detect", "park-gate", "park-track", "park-serve"] {
        for kind in schema_of(command).1 {
            assert!(page.contains(&format!(".SS {kind}\n")), "{kind} of {command} is not in park-records(5)");
        }
    }
}

#[test]
fn what_the_gate_pipeline_writes_fits_its_schemas() {
    let dir = tempfile::tempdir().unwrap();
    let video = testdata("gate/gate-day.mp4");
    let script = format!(
        "park-capture {} --camera cam_in --fps 4 --start 2026-01-20T10:00:00Z | tee frames | park-detect plates | tee plates \
         | park-gate --gate gate_in --barrier sim --default allow --db park.db > gate",
        video.display()
    );
    let output = shell(&script, dir.path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let file = |name: &str| lines(&std::fs::read(dir.path().join(name)).unwrap());
    let (frames, plates, gate) = (file("frames"), file("plates"), file("gate"));
    assert_fits("park-capture", &frames);
    let is_new = |record: &Value, before: &[Value]| !before.iter().any(|other| other["id"] == record["id"]);
    let added = |after: &[Value], before: &[Value]| -> Vec<Value> {
        after.iter().filter(|record| is_new(record, before)).cloned().collect()
    };
    assert_fits("park-detect", &added(&plates, &frames));
    assert_fits("park-gate", &added(&gate, &plates));
    let track = run(
        "park-track",
        &["--lot", "lot_1", "--capacity", "3"],
        &std::fs::read(dir.path().join("gate")).unwrap(),
    );
    assert!(track.status.success());
    assert_fits("park-track", &added(&records(&track), &gate));
}
