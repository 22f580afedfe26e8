//! What other systems say of a lot.

use park_core::record::lot::{AlertType, CountedBy, SlotChanged, ViolationType};

use super::*;

const SITE: &str = "
[lots.l]
capacity = 10
[contractors.acme]
lot = 'l'
capacity = 6
penalty = 5.0
";

fn count(occupied: u32) -> What<'static> {
    What::Capacity(
        "cam",
        CapacityUpdate {
            total: 10,
            occupied,
            free: 10 - occupied,
            unknown: 0,
            occupancy_rate: f64::from(occupied) / 10.0,
            counted_by: CountedBy::Slots,
            by_gates: None,
            event: None,
            plate: None,
            duration: None,
        },
    )
}

fn changed(slot: &str, state: SlotState) -> What<'static> {
    let since = at(0);
    let slot_id = slot.to_owned();
    What::Slot("cam", SlotChanged { slot_id, level_id: None, state, previous: None, since, cause: None })
}

#[test]
fn a_count_of_another_system_leads_to_violations_and_warnings() {
    let mut bench = Bench::new(quick(), SITE);
    bench.at(1, count(6));
    assert_eq!(bench.said, []);
    bench.at(2, count(8)).at(3, count(10));
    assert_eq!(bench.capacity(), [], "it was said already");
    let violations = bench.violations();
    let [(2, first), (3, worse)] = violations.as_slice() else { panic!("{violations:?}") };
    assert_eq!(first.violation_type, ViolationType::Overparking);
    assert_eq!(first.contractor_id.as_deref(), Some("acme"), "the whole lot is let to it");
    assert_eq!((first.allocated_capacity, first.actual_occupancy, first.penalty), (6, 8, Some(10.0)));
    assert_eq!(worse.excess_vehicles, 4);
    let kinds: Vec<_> = bench.alerts().into_iter().map(|(at, alert)| (at, alert.alert_type)).collect();
    assert_eq!(kinds, [(2, AlertType::ViolationDetected), (3, AlertType::CapacityWarning)]);
    bench.at(4, count(2));
    assert_eq!(bench.violations().len(), 1, "resolved");
    assert_eq!(bench.alerts().len(), 2, "resolved");
}

#[test]
fn an_older_count_changes_nothing() {
    let mut bench = Bench::new(quick(), SITE);
    bench.at(10, count(2)).at(5, count(9));
    assert_eq!(bench.said, []);
}

#[test]
fn slots_of_another_system_count_for_a_contractor() {
    let site = SITE.replace("capacity = 6", "slots = ['A1', 'A2']\ncapacity = 1");
    let mut bench = Bench::new(quick(), &site);
    bench.at(1, changed("A1", SlotState::Occupied)).at(1, changed("A2", SlotState::Free)).at(1, count(1));
    assert_eq!(bench.violations(), []);
    bench.at(2, changed("A2", SlotState::Occupied)).at(2, count(2));
    assert_eq!(bench.violations()[0].1.actual_occupancy, 2);
    bench.at(3, changed("A1", SlotState::Free)).at(3, count(1));
    assert_eq!(bench.violations().len(), 1, "resolved");
}

#[test]
fn the_camera_of_another_system_that_falls_silent_is_offline_unless_nobody_listens_any_more() {
    let mut bench = Bench::new(quick(), SITE);
    bench.at(1, count(2)).at(300, What::Tick);
    assert_eq!(bench.alerts(), []);
    bench.at(302, What::Tick);
    let alerts = bench.alerts();
    assert_eq!(
        (alerts[0].1.alert_type, alerts[0].1.camera_id.as_deref()),
        (AlertType::CameraOffline, Some("cam"))
    );
    bench.at(310, count(2));
    assert_eq!(bench.alerts().len(), 1, "resolved");
    bench.at(311, status("cam", CameraState::Offline, Some(CameraStatus::MONITORING_STOPPED)));
    bench.at(5000, What::Tick);
    assert_eq!(bench.alerts(), []);
}

#[test]
fn what_a_tracker_said_of_the_lot_itself_is_nothing_new() {
    let mut bench = Bench::new(quick(), SITE);
    let What::Capacity(_, update) = count(10) else { panic!() };
    bench.at(1, What::Capacity("l", update));
    assert_eq!(bench.said, []);
}
