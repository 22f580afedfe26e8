//! Entries and exits to counts, and their drift from the slots.

use park_core::record::lot::{CountedBy, OccupancyDrift, VehicleEvent};

use super::*;

fn drifts(bench: &mut Bench) -> Vec<(i64, i64)> {
    let drifts: Vec<(i64, OccupancyDrift)> =
        bench.take_of(|said| if let Said::OccupancyDrift(it) = said { Some(it) } else { None });
    drifts.into_iter().map(|(second, drift)| (second, drift.drift)).collect()
}

fn of_ten() -> Bench {
    Bench::new(Settings { capacity: Some(10), ..quick() }, "")
}

#[test]
fn every_passage_is_said_with_the_count_it_makes() {
    let mut bench = of_ten();
    bench
        .at(10, entry(10, "s1", "AB 123"))
        .at(20, entry(20, "s2", "CD 456"))
        .at(70, exit(70, Some("s1"), "AB123"));
    let said = bench.capacity();
    let [(10, first), (20, second), (70, third)] = said.as_slice() else { panic!("{said:?}") };
    assert_eq!((first.total, first.occupied, first.free, first.by_gates), (10, 1, 9, Some(1)));
    assert_eq!((first.event, first.plate.as_deref()), (Some(VehicleEvent::VehicleEntry), Some("AB 123")));
    assert_eq!((second.occupied, second.counted_by), (2, CountedBy::Gates));
    assert_eq!((third.occupied, third.event), (1, Some(VehicleEvent::VehicleExit)));
    assert_eq!((third.plate.as_deref(), third.duration), (Some("AB123"), Some(60.0)));
}

#[test]
fn a_record_that_comes_twice_is_counted_once() {
    let mut bench = of_ten();
    let first = happen(10, entry(10, "s1", "AB123"));
    let out = happen(30, exit(30, Some("s1"), "AB123"));
    for happening in [&first, &first, &out, &first, &out] {
        bench.take(happening);
    }
    let counts: Vec<_> = bench.capacity().into_iter().map(|(_, update)| update.occupied).collect();
    assert_eq!(counts, [1, 0]);
    bench.at(40, entry(40, "s2", "AB123")).at(41, entry(41, "s2", "AB123"));
    assert_eq!(bench.capacity().len(), 1, "a session begins once, whatever the record's id");
}

#[test]
fn records_of_two_gates_may_overtake_each_other() {
    let mut bench = of_ten();
    let passage = |second, gate: &str, session: &str| Happening {
        at: second,
        lot: Some("l".into()),
        gate: Some(gate.into()),
        what: entry(second, session, session),
    };
    for (second, gate, session) in [(20, "a", "s1"), (10, "b", "s2"), (15, "a", "s3"), (5, "b", "s4")] {
        bench.take(&passage(second, gate, session));
    }
    assert_eq!(bench.tracker.state().lots["l"].gates.inside, 4);
}

#[test]
fn what_is_older_than_all_that_is_remembered_was_counted() {
    let mut bench = of_ten();
    for second in 0..300 {
        bench.at(second, entry(second, &format!("s{second}"), &format!("P{second}")));
    }
    let inside = |bench: &Bench| bench.tracker.state().lots["l"].gates.inside;
    assert_eq!(inside(&bench), 300);
    for second in 0..300 {
        bench.at(second, exit(second, None, "nobody"));
    }
    assert_eq!(inside(&bench), 300 - 256, "exits older than the last 256 records are taken for old ones");
    let size = serde_json::to_string(bench.tracker.state()).unwrap().len();
    assert!(size < 60_000, "{size}");
}

#[test]
fn nothing_is_less_than_empty() {
    let mut bench = of_ten();
    bench.at(10, exit(10, None, "AB123")).at(20, entry(20, "s1", "CD456"));
    let counts: Vec<_> = bench.capacity().into_iter().map(|(_, it)| (it.occupied, it.by_gates)).collect();
    assert_eq!(counts, [(0, Some(0)), (1, Some(1))]);
}

fn sessions(bench: &Bench) -> Vec<String> {
    bench.tracker.state().lots["l"].gates.vehicles.keys().cloned().collect()
}

#[test]
fn an_exit_finds_its_vehicle_by_session_or_else_by_plate() {
    let mut bench = of_ten();
    bench.at(10, entry(10, "s1", "AB 123")).at(20, entry(20, "s2", "CD 456")).at(30, entry(30, "s3", "EF 7"));
    bench.at(50, exit(50, Some("?"), "cd-456")).at(60, exit(60, Some("s3"), "EF 1"));
    let stays: Vec<_> = bench.capacity().into_iter().filter_map(|(_, update)| update.duration).collect();
    assert_eq!(stays, [30.0, 30.0]);
    assert_eq!(sessions(&bench), ["s1"]);
}

#[test]
fn who_left_unrecognised_is_not_inside_for_ever() {
    let mut bench = of_ten();
    bench.at(10, entry(10, "s1", "AB 123")).at(20, entry(20, "s2", "CD 456")).at(30, entry(30, "s3", "EF 7"));
    bench.at(40, exit(40, None, "A8 123"));
    assert_eq!(sessions(&bench), ["s2", "s3"], "the first that came is the likeliest to have gone");
    bench.at(50, entry(50, "s4", "CD456"));
    assert_eq!(sessions(&bench), ["s3", "s4"], "whoever comes in again was outside");
    assert_eq!(bench.tracker.state().lots["l"].gates.inside, 3, "entries less exits all the same");
}

#[test]
fn a_lot_without_places_still_counts_who_is_inside() {
    let mut bench = Bench::plain();
    bench.at(10, entry(10, "s1", "AB123"));
    let update = bench.capacity().remove(0).1;
    assert_eq!((update.total, update.occupied, update.free, update.by_gates), (0, 1, 0, Some(1)));
    assert_eq!(update.occupancy_rate, 0.0);
    assert_eq!(bench.said, [], "no bound, no alert");
}

#[test]
fn with_slots_the_slots_count_and_the_gates_stand_beside() {
    let mut bench = Bench::plain();
    bench.show("c", "A1=f A2=f", 0..=5).said.clear();
    bench.at(6, entry(6, "s1", "AB123"));
    let update = bench.capacity().remove(0).1;
    assert_eq!((update.counted_by, update.occupied, update.by_gates), (CountedBy::Slots, 0, Some(1)));
    assert_eq!(update.event, Some(VehicleEvent::VehicleEntry));
}

#[test]
fn drift_is_said_when_it_lasts_and_when_it_ends() {
    let settings =
        Settings { drift_tolerance: 1, drift_after: std::time::Duration::from_secs(60), ..quick() };
    let mut bench = Bench::new(settings, "");
    bench.show("c", "A1=f A2=f A3=f", 0..=5);
    bench.at(6, entry(6, "s1", "P1")).at(7, entry(7, "s2", "P2"));
    bench.show("c", "A1=f A2=f A3=f", 8..=66);
    assert_eq!(drifts(&mut bench), [], "two cars that look for a place are no drift yet");
    bench.show("c", "A1=f A2=f A3=f", 67..=200);
    assert_eq!(drifts(&mut bench), [(67, 2)]);
    bench.show("c", "A1=o A2=f A3=f", 201..=300);
    assert_eq!(drifts(&mut bench), [(204, 1)], "within the tolerance again");
}

#[test]
fn vehicles_that_may_stand_on_unknown_places_are_no_drift() {
    let settings = Settings { drift_tolerance: 0, drift_after: std::time::Duration::ZERO, ..quick() };
    let mut bench = Bench::new(settings, "");
    bench.show("c", "A1=f A2=u", 0..=5).at(6, entry(6, "s1", "P1"));
    assert_eq!(drifts(&mut bench), []);
    bench.at(7, entry(7, "s2", "P2"));
    assert_eq!(drifts(&mut bench), [(7, 2)]);
}

#[test]
fn the_slots_may_be_ahead_of_the_gates_too() {
    let settings = Settings { drift_tolerance: 0, drift_after: std::time::Duration::ZERO, ..quick() };
    let mut bench = Bench::new(settings, "");
    bench.show("c", "A1=o A2=o", 0..=5);
    assert_eq!(drifts(&mut bench), [], "without any passage there is no count by gates");
    bench.at(6, entry(6, "s1", "P1"));
    assert_eq!(drifts(&mut bench), [(6, -1)]);
}
