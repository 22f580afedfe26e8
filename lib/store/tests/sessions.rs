use park_core::record::Time;
use park_core::record::gate::Match;

use crate::{Arrival, Departure, Store};

fn at(seconds: i64) -> Time {
    Time::from_millis(seconds * 1000)
}

fn arrival(plate: &str, seconds: i64) -> Arrival<'_> {
    Arrival {
        plate: Some(plate),
        gate_id: Some("gate_in"),
        lot_id: Some("lot_1"),
        time: at(seconds),
        ..Arrival::default()
    }
}

fn departure(plate: &str, seconds: i64) -> Departure<'_> {
    Departure {
        plate: Some(plate),
        card: None,
        gate_id: Some("gate_out"),
        time: at(seconds),
        matched: Match::Plate,
    }
}

#[test]
fn the_same_events_twice_leave_one_session() {
    let store = Store::in_memory().unwrap();
    let mut ids = Vec::new();
    for _ in 0..2 {
        assert!(store.inside_by_plate("B1", at(10)).unwrap().is_none());
        let session = store.open_session(&arrival("B1", 10)).unwrap();
        assert_eq!(store.inside_by_plate("B1", at(11)).unwrap().unwrap().id, session.id);
        store.close_session(&session.id, &departure("B1", 70)).unwrap();
        assert_eq!(store.inside_by_plate("B1", at(70)).unwrap().unwrap().id, session.id);
        assert!(store.inside_by_plate("B1", at(71)).unwrap().is_none());
        ids.push(session.id);
    }
    assert_eq!(ids[0], ids[1]);
    let summary = store.summary(Some("lot_1")).unwrap();
    assert_eq!((summary.entries, summary.exits, summary.inside), (1, 1, 0));
    assert_eq!(summary.mean_duration, Some(60.0));
    assert_eq!(store.summary(Some("lot_2")).unwrap().mean_duration, None);
}

#[test]
fn a_closed_session_stays_as_it_is() {
    let store = Store::in_memory().unwrap();
    let session = store.open_session(&arrival("B1", 10)).unwrap();
    assert!(store.close_session(&session.id, &departure("B1", 70)).unwrap());
    assert!(!store.close_session(&session.id, &departure("B1", 90)).unwrap());
    let last = store.last_session(Some("B1"), None, at(100)).unwrap().unwrap();
    assert_eq!(last.exited, Some(at(70)));
}

#[test]
fn a_card_joins_the_session_of_its_plate() {
    let store = Store::in_memory().unwrap();
    let session = store.open_session(&arrival("B1", 10)).unwrap();
    store.join_session(&session.id, Some("OTHER"), Some("0102030405")).unwrap();
    let found = store.inside_by_card("0102030405", at(12)).unwrap().unwrap();
    assert_eq!((found.id, found.plate.as_deref()), (session.id, Some("B1")));
}

#[test]
fn lookalikes_are_asked_among_those_inside() {
    let store = Store::in_memory().unwrap();
    store.open_session(&arrival("B0B", 10)).unwrap();
    let gone = store.open_session(&arrival("BOB", 11)).unwrap();
    store.close_session(&gone.id, &departure("BOB", 12)).unwrap();
    let found = store.lookalikes(at(20), |plate| plate.replace('0', "O") == "BOB").unwrap();
    assert_eq!(found.iter().filter_map(|session| session.plate.as_deref()).collect::<Vec<_>>(), ["B0B"]);
    assert_eq!(store.recent_sessions(None, 1).unwrap()[0].plate.as_deref(), Some("BOB"));
}

#[test]
fn a_session_needs_a_plate_or_a_card() {
    let store = Store::in_memory().unwrap();
    assert!(store.open_session(&Arrival { time: at(1), ..Arrival::default() }).is_err());
}
