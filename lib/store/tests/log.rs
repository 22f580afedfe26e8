use park_core::record::{Envelope, Time};

use crate::{Place, Query, Record, Store};

fn line(n: u32, kind: &str, gate: &str) -> String {
    format!(
        r#"{{"type":"{kind}","v":1,"id":"ID{n:05}","timestamp":"2026-01-20T10:30:00.000Z","source":"cam","gate_id":"{gate}","lot_id":"lot_1","payload":{{"n":{n}}}}}"#
    )
}

fn record(line: &str) -> Record<'_> {
    Record::parse(line.as_bytes(), Time::from_millis(7)).unwrap()
}

#[test]
fn each_id_is_taken_once() {
    let mut store = Store::in_memory().unwrap();
    let lines: Vec<String> = (0..3).map(|n| line(n, "gate_status", "g")).collect();
    let batch: Vec<Record> = lines.iter().map(|line| record(line)).collect();
    let first = store.append(&batch[..2]).unwrap();
    assert_eq!((first.stored, first.duplicates, first.seqs), (2, 0, vec![Some(1), Some(2)]));
    let again = store.append(&[&batch[..], &batch[..]].concat()).unwrap();
    assert_eq!((again.stored, again.duplicates), (1, 5));
    let new: Vec<usize> = (0..6).filter(|&place| again.seqs[place].is_some()).collect();
    assert_eq!(new, [2], "only the third is new");
    assert_eq!(again.seqs[2], store.seq_of("ID00002").unwrap());
    assert_eq!(store.since(0, &Query::default(), 9).unwrap().len(), 3);
}

#[test]
fn a_record_without_id_or_time_gets_both_and_is_still_taken_once() {
    let mut store = Store::in_memory().unwrap();
    let bare = record(r#"{"type":"tick"}"#);
    assert_eq!(bare.time, Time::from_millis(7));
    store.append(std::slice::from_ref(&bare)).unwrap();
    assert_eq!(store.append(&[bare]).unwrap().duplicates, 1);
}

#[test]
fn the_log_is_read_from_a_place_on_by_type_gate_and_lot() {
    let mut store = Store::in_memory().unwrap();
    let lines: Vec<String> = (0..12)
        .map(|n| {
            line(n, ["gate_status", "alert", "card_detected"][n as usize % 3], ["in", "out"][n as usize % 2])
        })
        .collect();
    store.append(&lines.iter().map(|line| record(line)).collect::<Vec<_>>()).unwrap();
    let seqs = |query: &Query, after, limit| {
        store.since(after, query, limit).unwrap().iter().map(|logged| logged.seq).collect::<Vec<_>>()
    };
    assert_eq!(seqs(&Query::default(), 9, 2), [10, 11]);
    let kinds = ["alert", "gate_status"];
    assert_eq!(seqs(&Query { kinds: &kinds, ..Query::default() }, 4, 9), [5, 7, 8, 10, 11]);
    let gate = Query { kinds: &["alert"], place: Place::Gate("in") };
    assert_eq!(seqs(&gate, 0, 9), [5, 11]);
    let newest = store.latest(&gate).unwrap().unwrap();
    assert_eq!((newest.seq, newest.body.as_str()), (11, lines[10].as_str()));
    assert!(store.latest(&Query { place: Place::Lot("lot_2"), ..Query::default() }).unwrap().is_none());
    assert_eq!(store.seq_of("ID00004").unwrap(), Some(5));
}

#[test]
fn a_text_that_would_be_sql_is_only_a_text() {
    let mut store = Store::in_memory().unwrap();
    let nasty = r#"{"type":"'; DROP TABLE records; --","payload":{}}"#;
    store.append(&[record(nasty)]).unwrap();
    let query = Query { kinds: &["'; DROP TABLE records; --"], ..Query::default() };
    let logged = store.latest(&query).unwrap().unwrap();
    assert_eq!(logged.body, nasty);
    assert!(Envelope::parse(logged.body.as_bytes()).is_ok());
}
