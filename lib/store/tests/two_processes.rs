//! `park-gate` and `park-serve` open the same file at once. The test starts itself again as the other process.

use std::process::{Command, Stdio};

use park_core::record::Time;

use crate::{Arrival, Query, Record, Store};

const EACH: u32 = 2_000;

fn write_all(store: &mut Store, writer: &str) {
    let lines: Vec<String> =
        (0..EACH).map(|n| format!(r#"{{"type":"tick","id":"{writer}-{n}","payload":{{}}}}"#)).collect();
    for chunk in lines.chunks(20) {
        let batch: Vec<Record> =
            chunk.iter().map(|line| Record::parse(line.as_bytes(), Time::default()).unwrap()).collect();
        store.append(&batch).unwrap();
        let arrival = Arrival { plate: Some(writer), time: Time::from_millis(1), ..Arrival::default() };
        store.open_session(&arrival).unwrap();
    }
}

#[test]
fn two_processes_write_at_once_and_nothing_is_lost() {
    // Set in the other process only, by the lines below.
    if let Ok(path) = std::env::var("PARK_STORE_TEST_DB") {
        write_all(&mut Store::open(path).unwrap(), "theirs");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("park.db");
    // Both make the file and its schema: nobody comes first by arrangement.
    let mut other = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::two_processes::two_processes_write_at_once_and_nothing_is_lost"])
        .env("PARK_STORE_TEST_DB", &path)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut store = Store::open(&path).unwrap();
    write_all(&mut store, "ours");
    assert!(other.wait().unwrap().success());
    assert_eq!(store.since(0, &Query::default(), usize::MAX).unwrap().len(), 2 * EACH as usize);
    assert_eq!(store.summary(None).unwrap().entries, 2);
}
