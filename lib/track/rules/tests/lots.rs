//! Slots to counts, of lots and of levels.

use park_core::record::lot::{CountedBy, ParkingUpdate};
use park_core::record::vision::SlotState;

use super::*;

fn levels(bench: &mut Bench) -> Vec<(i64, ParkingUpdate)> {
    bench.take_of(|said| if let Said::ParkingUpdate(it) = said { Some(it) } else { None })
}

const TWO_LEVELS: &str = "
[lots.l.levels.L1]
name = 'Ground floor'
slots = ['A1', 'A2']
[lots.l.levels.L2]
slots = ['B1']
capacity = 3
";

#[test]
fn the_first_frame_counts_and_then_only_changes_are_said() {
    let mut bench = Bench::plain();
    bench.show("c", "A1=f A2=o A3=u", 0..=9);
    let changes = bench.slot_changes();
    assert_eq!(changes.len(), 3);
    assert!(changes.iter().all(|(second, change)| *second == 0 && change.previous.is_none()));
    let capacity = bench.capacity();
    assert_eq!(capacity.len(), 1, "nothing changed after the first frame: {capacity:?}");
    let update = &capacity[0].1;
    assert_eq!((update.total, update.occupied, update.free, update.unknown), (3, 1, 1, 1));
    assert_eq!((update.counted_by, update.by_gates), (CountedBy::Slots, None));
    assert!((update.occupancy_rate - 1.0 / 3.0).abs() < 1e-9);

    bench.show("c", "A1=o A2=o A3=u", 10..=20);
    let changes = bench.slot_changes();
    let [(13, change)] = changes.as_slice() else { panic!("{changes:?}") };
    assert_eq!((change.slot_id.as_str(), change.state, change.since), ("A1", SlotState::Occupied, at(10)));
    assert_eq!(change.previous, Some(SlotState::Free));
    let capacity = bench.capacity();
    let [(13, update)] = capacity.as_slice() else { panic!("{capacity:?}") };
    assert_eq!((update.occupied, update.free, update.unknown), (2, 0, 1));
}

#[test]
fn slots_changing_in_one_frame_give_one_count() {
    let mut bench = Bench::plain();
    bench.show("c", "A1=f A2=f", 0..=3).said.clear();
    bench.show("c", "A1=o A2=o", 4..=9);
    assert_eq!(bench.slot_changes().len(), 2);
    assert_eq!(bench.capacity().len(), 1);
}

#[test]
fn a_level_is_said_when_it_changes_and_only_then() {
    let mut bench = Bench::new(quick(), TWO_LEVELS);
    bench.show("c", "A1=f A2=f B1=f", 0..=4);
    let first = levels(&mut bench);
    assert_eq!(first.len(), 2);
    assert_eq!((first[0].1.level_id.as_str(), first[0].1.name.as_deref()), ("L1", Some("Ground floor")));
    assert_eq!((first[0].1.total, first[0].1.available), (2, 2));
    assert_eq!(
        (first[1].1.total, first[1].1.available, first[1].1.unknown),
        (3, 1, 2),
        "places without a slot"
    );
    assert!(bench.slot_changes().iter().all(|(_, change)| change.level_id.is_some()));
    bench.show("c", "A1=f A2=f B1=o", 5..=9);
    let then = levels(&mut bench);
    let [(8, update)] = then.as_slice() else { panic!("{then:?}") };
    assert_eq!((update.level_id.as_str(), update.occupied, update.available), ("L2", 1, 0));
}

#[test]
fn places_nobody_has_seen_are_unknown() {
    let settings = Settings { capacity: Some(10), ..quick() };
    let mut bench = Bench::new(settings, TWO_LEVELS);
    bench.at(0, slots("c", "A1=o"));
    let update = bench.capacity().remove(0).1;
    assert_eq!((update.total, update.occupied, update.free, update.unknown), (10, 1, 0, 9));
    let mut bench = Bench::new(quick(), TWO_LEVELS);
    bench.at(0, slots("c", "A1=o"));
    let update = bench.capacity().remove(0).1;
    assert_eq!((update.total, update.occupied, update.free, update.unknown), (3, 1, 0, 2));
}

#[test]
fn lots_are_kept_apart_and_records_without_one_go_to_the_users() {
    let settings = Settings { lot: Some("mine".into()), capacity: Some(7), ..quick() };
    let mut bench = Bench::new(settings, "");
    let mut in_lot = |lot: Option<&str>| {
        let what = slots("c", "A1=o");
        bench.take(&Happening { at: 0, lot: lot.map(str::to_owned), gate: None, what });
        bench.slot_changes();
        let stamp = bench.said[0].0.clone();
        let total = bench.capacity().remove(0).1.total;
        bench.said.clear();
        (stamp.lot_id.unwrap(), total)
    };
    assert_eq!(in_lot(Some("other")), ("other".into(), 1), "--capacity is for --lot only");
    assert_eq!(in_lot(None), ("mine".into(), 7));
    assert_eq!(bench.tracker.state().lots.len(), 2);
}

#[test]
fn a_lot_is_found_by_its_cameras_and_gates() {
    let site = "[lots.l]\n[lots.k]\n[gates.g]\nlot = 'k'\n[cameras.c]\nlot = 'l'\n[cameras.d]\ngate = 'g'";
    let mut bench = Bench::new(quick(), site);
    let happen =
        |gate: Option<&str>, what| Happening { at: 0, lot: None, gate: gate.map(str::to_owned), what };
    bench.take(&happen(None, slots("c", "A1=o")));
    bench.take(&happen(Some("g"), entry(0, "s", "P1")));
    bench.slot_changes();
    let lots: Vec<_> = bench.said.iter().map(|(stamp, _)| stamp.lot_id.clone().unwrap()).collect();
    assert_eq!(lots[0], "l");
    assert_eq!(lots.last().unwrap(), "k");
}

#[test]
fn without_any_name_records_have_no_lot() {
    let mut bench = Bench::plain();
    bench.take(&Happening { at: 0, lot: None, gate: None, what: slots("c", "A1=o A2=f") });
    assert!(bench.said.iter().all(|(stamp, _)| stamp.lot_id.is_none()));
    assert_eq!(bench.capacity().len(), 1);
}

#[test]
fn a_lot_nearly_full_is_warned_of_once_until_it_is_well_below() {
    let mut bench = Bench::plain();
    let frame = |occupied: usize| {
        let state = |slot: usize| if slot < occupied { 'o' } else { 'f' };
        (0..20).map(|slot| format!("S{slot}={} ", state(slot))).collect::<String>()
    };
    bench.show("c", &frame(18), 0..=9);
    assert_eq!(bench.alerts(), [], "90 % is not over 90 %");
    bench.show("c", &frame(19), 10..=19);
    let raised = bench.alerts();
    let [(13, alert)] = raised.as_slice() else { panic!("{raised:?}") };
    assert_eq!(alert.message, "lot l is nearly full: 19 of 20 places are taken");
    bench.show("c", &frame(20), 20..=29).show("c", &frame(18), 30..=39).show("c", &frame(19), 40..=49);
    assert_eq!(bench.alerts(), [], "it neither ends nor is raised again around the bound");
    bench.show("c", &frame(17), 50..=59);
    let over = bench.alerts();
    let [(53, end)] = over.as_slice() else { panic!("{over:?}") };
    assert_eq!(end.alert_id, alert.alert_id);
    assert_eq!(end.status, park_core::record::lot::AlertStatus::Resolved);
}
