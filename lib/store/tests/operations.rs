//! The trail, the statistics, and the clean-up.

use park_core::record::Time;

use crate::{Connection, Count, Deed, Note, Old, Query, Record, Removed, Span, Store};

fn at(millis: i64) -> Time {
    Time::from_millis(millis)
}

fn opened(id: i64, millis: i64) -> Note {
    Note::Opened(Connection {
        id,
        opened: at(millis),
        closed: None,
        duration: None,
        person: "ann".into(),
        role: "admin".into(),
        surface: "channel".into(),
        address: "::1".into(),
        why: None,
        bytes: None,
    })
}

fn closed(id: i64, millis: i64) -> Note {
    Note::Closed { id, time: at(millis), why: "left".into(), bytes: 7 }
}

fn did(millis: i64, request: &str) -> Note {
    let payload = serde_json::value::RawValue::from_string(r#"{"action":"open"}"#.into()).unwrap();
    Note::Did(Deed {
        time: at(millis),
        person: "ann".into(),
        role: "admin".into(),
        surface: "channel".into(),
        address: "::1".into(),
        action: "gate_control".into(),
        target: Some("gate_in".into()),
        payload: Some(payload),
        request_id: Some(request.into()),
        outcome: None,
        detail: None,
    })
}

fn connections(store: &Store, span: Span) -> Vec<Connection> {
    let mut all = Vec::new();
    store
        .connections(span, |one| {
            all.push(one.clone());
            true
        })
        .unwrap();
    all
}

fn deeds(store: &Store, span: Span) -> Vec<Deed> {
    let mut all = Vec::new();
    store
        .deeds(span, |one| {
            all.push(one.clone());
            true
        })
        .unwrap();
    all
}

/// Adds records of a type whose ids begin with `name`.
fn add(store: &mut Store, name: &str, kind: &str, count: usize) {
    let lines: Vec<String> =
        (0..count).map(|n| format!(r#"{{"type":"{kind}","id":"{name}{n}","payload":{{}}}}"#)).collect();
    let batch: Vec<_> =
        lines.iter().map(|line| Record::parse(line.as_bytes(), Time::default()).unwrap()).collect();
    store.append(&batch).unwrap();
}

fn kinds(store: &Store) -> Vec<String> {
    let mut kinds: Vec<_> =
        store.since(0, &Query::default(), usize::MAX).unwrap().into_iter().map(|one| one.kind).collect();
    kinds.dedup();
    kinds
}

#[test]
fn a_connection_is_told_with_its_duration() {
    let mut store = Store::in_memory().unwrap();
    let first = store.next_connection().unwrap();
    let notes = [opened(first, 1000), opened(first + 1, 2000), closed(first, 3500)];
    store.note(&notes).unwrap();
    let all = connections(&store, Span::default());
    assert_eq!((all[0].duration, all[0].why.as_deref(), all[0].bytes), (Some(2.5), Some("left"), Some(7)));
    assert_eq!((all[1].closed, all[1].why.as_deref()), (None, None));
    assert_eq!(store.next_connection().unwrap(), first + 2);
    store.note(&[opened(first, 9000), did(9000, "with it")]).unwrap();
    assert_eq!((connections(&store, Span::default()).len(), deeds(&store, Span::default()).len()), (2, 1));
    assert_eq!(store.forget_open_connections("the server ended").unwrap(), 1);
    let all = connections(&store, Span { since: at(2000), until: at(2001) });
    assert_eq!((all.len(), all[0].why.as_deref()), (1, Some("the server ended")));
    assert!(connections(&store, Span { since: at(1001), until: at(2000) }).is_empty());
}

#[test]
fn many_are_read_page_by_page_and_each_once() {
    let mut store = Store::in_memory().unwrap();
    let notes: Vec<Note> = (1..=1201).map(|id| opened(id, 1000 + id / 100)).collect();
    store.note(&notes).unwrap();
    let ids: Vec<i64> = connections(&store, Span::default()).iter().map(|one| one.id).collect();
    assert_eq!(ids, (1..=1201).collect::<Vec<_>>());
    let mut seen = 0;
    store
        .connections(Span::default(), |_| {
            seen += 1;
            seen < 600
        })
        .unwrap();
    assert_eq!(seen, 600);
}

#[test]
fn what_came_of_a_deed_is_noted_once() {
    let mut store = Store::in_memory().unwrap();
    let became = |outcome: &str| Note::Became {
        request_id: "R".into(),
        outcome: outcome.into(),
        detail: Some("detail".into()),
    };
    store.note(&[did(1, "R"), did(2, "S"), became("done"), became("no_answer")]).unwrap();
    let all = deeds(&store, Span::default());
    assert_eq!((all[0].outcome.as_deref(), all[0].detail.as_deref()), (Some("done"), Some("detail")));
    assert_eq!((all[1].outcome.as_deref(), all[1].target.as_deref()), (None, Some("gate_in")));
    assert_eq!(all[1].payload.as_ref().unwrap().get(), r#"{"action":"open"}"#);
}

#[test]
fn counts_add_up_by_hour() {
    let mut store = Store::in_memory().unwrap();
    let count = |millis, count| {
        Note::Counted(Count { hour: at(millis), name: "records".into(), thing: "tick".into(), count })
    };
    store.note(&[count(3_600_000, 1), count(7_199_999, 2), count(7_200_000, 4)]).unwrap();
    let all: Vec<_> =
        store.counts(Span::default()).unwrap().iter().map(|one| (one.hour.millis(), one.count)).collect();
    assert_eq!(all, [(3_600_000, 3), (7_200_000, 4)]);
}

#[test]
fn records_go_by_their_type_and_by_when_they_came() {
    let mut store = Store::in_memory().unwrap();
    let nothing = Removed { rows: 0, more: false };
    add(&mut store, "old", "plates", 5);
    add(&mut store, "kept", "violation", 1);
    add(&mut store, "other", "alert", 3);
    // Nobody knows yet how old these are.
    assert_eq!(store.remove(Old::Records("plates"), at(i64::MAX), 9).unwrap(), nothing);
    store.mark(at(1000)).unwrap();
    add(&mut store, "new", "plates", 1);
    store.mark(at(2000)).unwrap();
    assert_eq!(store.remove(Old::Records("plates"), at(1000), 9).unwrap(), nothing);
    assert_eq!(store.remove(Old::Records("plates"), at(1001), 3).unwrap(), Removed { rows: 3, more: true });
    assert_eq!(store.remove(Old::Records("plates"), at(1001), 3).unwrap(), Removed { rows: 2, more: false });
    let kept = ["violation", "plates"];
    assert_eq!(store.remove(Old::OtherRecords(&kept), at(2001), 2).unwrap(), Removed { rows: 2, more: true });
    assert_eq!(
        store.remove(Old::OtherRecords(&kept), at(2001), 2).unwrap(),
        Removed { rows: 1, more: false }
    );
    assert_eq!(kinds(&store), ["violation", "plates"]);
    // A place in the log is never used twice, whatever was removed.
    store.remove(Old::OtherRecords(&[]), at(i64::MAX), 9).unwrap();
    add(&mut store, "late", "plates", 1);
    assert_eq!(store.since(0, &Query::default(), 9).unwrap()[0].seq, 11);
}

#[test]
fn marks_are_few() {
    let mut store = Store::in_memory().unwrap();
    let times = |store: &Store| -> Vec<i64> {
        let mut statement = store.connection.prepare("SELECT time FROM marks ORDER BY time").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    store.mark(at(1)).unwrap();
    assert!(times(&store).is_empty(), "there is nothing to mark");
    for millis in 1..5 {
        add(&mut store, &format!("r{millis}-"), "alert", 1);
        store.mark(at(millis)).unwrap();
        store.mark(at(millis + 10)).unwrap();
    }
    assert_eq!(times(&store), [1, 2, 3, 4]);
    store.forget_marks(at(3)).unwrap();
    assert_eq!(times(&store), [3, 4]);
}

#[test]
fn the_trail_goes_when_it_is_old_but_not_who_is_connected() {
    let mut store = Store::in_memory().unwrap();
    store.note(&[opened(1, 10), closed(1, 20), opened(2, 10), did(10, "R"), did(30, "S")]).unwrap();
    store
        .note(&[Note::Counted(Count { hour: at(0), name: "x".into(), thing: String::new(), count: 1 })])
        .unwrap();
    for (old, rows) in [(Old::Connections, 1), (Old::Audit, 1), (Old::Statistics, 1)] {
        assert_eq!(store.remove(old, at(25), 9).unwrap().rows, rows, "{old:?}");
    }
    assert_eq!(connections(&store, Span::default())[0].id, 2);
    assert_eq!(deeds(&store, Span::default()).len(), 1);
    assert!(store.counts(Span::default()).unwrap().is_empty());
}

#[test]
fn the_file_shrinks_when_much_has_gone() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path().join("p.db")).unwrap();
    let pages = |store: &Store| -> i64 {
        store.connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap()
    };
    add(&mut store, "r", "plates", 5000);
    store.mark(at(1)).unwrap();
    let full = pages(&store);
    while store.remove(Old::Records("plates"), at(2), 1000).unwrap().more {}
    while store.shrink(64).unwrap() > 0 {}
    assert!(pages(&store) < full / 4, "{} of {full} pages stay", pages(&store));
    assert!(store.check().unwrap().problems.is_empty());
}

#[test]
fn a_booking_is_found_by_its_own_id() {
    let mut store = Store::in_memory().unwrap();
    let line = |id: &str, booking: &str, status: &str| {
        format!(
            r#"{{"type":"booking_updated","id":"{id}","payload":{{"booking_id":"{booking}","status":"{status}"}}}}"#
        )
    };
    let lines = [line("1", "b", "new"), line("2", "c", "new"), line("3", "b", "paid"), line("4", "d", "x")];
    let batch: Vec<_> =
        lines.iter().map(|line| Record::parse(line.as_bytes(), Time::default()).unwrap()).collect();
    store.append(&batch).unwrap();
    assert_eq!(store.booking("b").unwrap().unwrap().id, "3");
    for none in ["", "B", "%", "_", "' OR 1=1--", "b\0"] {
        assert!(store.booking(none).unwrap().is_none(), "{none:?}");
    }
    let plan: String = store
        .connection
        .query_row(
            "EXPLAIN QUERY PLAN SELECT seq FROM records WHERE type = 'booking_updated'
             AND CASE WHEN json_valid(body) THEN json_extract(body, '$.payload.booking_id') END = ?
             ORDER BY seq DESC LIMIT 1",
            ["b"],
            |row| row.get(3),
        )
        .unwrap();
    assert!(plan.contains("records_by_booking"), "{plan}");
}
