use crate::{Query, Record, Store};
use park_core::record::Time;

fn filled(path: &std::path::Path) -> Store {
    let mut store = Store::open(path).unwrap();
    let lines: Vec<String> = (0..2000).map(|n| format!(r#"{{"type":"alert","id":"{n:040}"}}"#)).collect();
    let records: Vec<_> =
        lines.iter().map(|line| Record::parse(line.as_bytes(), Time::default()).unwrap()).collect();
    store.append(&records).unwrap();
    store
}

#[test]
fn a_whole_database_has_no_problems() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("p.db");
    drop(filled(&path));
    let findings = Store::open_to_read(&path).unwrap().check().unwrap();
    assert_eq!(findings.problems, [""; 0]);
    assert_eq!(findings.records, 2000);
}

#[test]
fn a_damaged_database_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("p.db");
    let store = filled(&path);
    store.connection.pragma_update(None, "journal_mode", "DELETE").unwrap();
    drop(store);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8192].fill(0xA5);
    std::fs::write(&path, bytes).unwrap();
    let checked = Store::open_to_read(&path).and_then(|store| store.check());
    assert!(checked.is_err() || !checked.unwrap().problems.is_empty());
}

#[test]
fn what_is_missing_is_not_made() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("none.db");
    assert!(Store::open_to_read(&path).is_err());
    assert!(!path.exists());
}

#[test]
fn a_snapshot_replaces_the_one_before() {
    let store = Store::in_memory().unwrap();
    assert_eq!(store.snapshot("x").unwrap(), None);
    store.save_snapshot("x", 3, "[]").unwrap();
    store.save_snapshot("x", 9, "[1]").unwrap();
    assert_eq!(store.snapshot("x").unwrap(), Some((9, "[1]".to_owned())));
    assert!(store.latest(&Query::default()).unwrap().is_none());
}
