//! Overparking, vehicles that must not be inside, lots too full: from beginning to end.

use park_core::record::gate::Decision;
use park_core::record::lot::{AlertStatus, AlertType, ViolationStatus, ViolationType};

use super::*;

const SITE: &str = "
[lots.l]
capacity = 4
penalty = 40.0
[contractors.acme]
lot = 'l'
capacity = 1
slots = ['A1', 'A2', 'A3']
plates = ['ACM 1', 'ACM 2']
list = 'acme.txt'
penalty = 25.0
[lists]
deny = ['deny.txt']
";

#[test]
fn a_contractor_with_too_many_slots_taken_pays_for_its_worst() {
    let mut bench = Bench::new(quick(), SITE);
    bench.show("c", "A1=o A2=f A3=f A4=f", 0..=9);
    assert_eq!(bench.violations(), []);
    bench.show("c", "A1=o A2=o A3=f A4=f", 10..=19);
    bench.show("c", "A1=o A2=o A3=o A4=f", 20..=29);
    bench.show("c", "A1=f A2=o A3=o A4=f", 30..=39);
    bench.show("c", "A1=f A2=f A3=o A4=f", 40..=49);
    let said = bench.violations();
    let [(13, first), (23, worse), (43, end)] = said.as_slice() else { panic!("{said:?}") };
    assert_eq!(first.violation_type, ViolationType::Overparking);
    assert_eq!(first.contractor_id.as_deref(), Some("acme"));
    assert_eq!((first.allocated_capacity, first.actual_occupancy, first.excess_vehicles), (1, 2, 1));
    assert_eq!((first.penalty, first.duration, first.status), (Some(25.0), 0.0, ViolationStatus::Pending));
    assert_eq!((worse.excess_vehicles, worse.penalty, worse.duration), (2, Some(50.0), 10.0));
    assert_eq!((end.excess_vehicles, end.penalty, end.duration), (2, Some(50.0), 30.0), "its worst moment");
    assert_eq!(end.status, ViolationStatus::Resolved);
    assert!(said.iter().all(|(_, it)| it.violation_id == first.violation_id && it.since == at(13)));

    let alerts = bench.alerts();
    let [(13, raised), (43, over)] = alerts.as_slice() else { panic!("{alerts:?}") };
    assert_eq!(raised.alert_type, AlertType::ViolationDetected);
    assert_eq!(raised.violation_id.as_ref(), Some(&first.violation_id));
    assert_eq!(raised.message, "contractor acme has 2 vehicles in lot l, 1 are allocated to it");
    assert_eq!((&over.alert_id, over.status), (&raised.alert_id, AlertStatus::Resolved));
}

#[test]
fn a_contractors_vehicles_are_known_by_their_plates() {
    let mut bench = Bench::new(quick(), SITE);
    bench.at(1, entry(1, "s1", "acm-1")).at(2, entry(2, "s2", "OTHER"));
    assert_eq!(bench.violations(), []);
    bench.at(3, entry(3, "s3", "ACM3"));
    assert_eq!(bench.violations()[0].1.actual_occupancy, 2, "one by the file's plates, one by the list's");
    bench.at(4, exit(4, Some("s1"), "ACM1"));
    assert_eq!(bench.violations()[0].1.status, ViolationStatus::Resolved);
}

#[test]
fn a_second_violation_has_an_id_of_its_own() {
    let mut bench = Bench::new(quick(), SITE);
    bench.at(1, entry(1, "s1", "ACM1")).at(2, entry(2, "s2", "ACM2")).at(3, exit(3, Some("s2"), "ACM2"));
    bench.at(9, entry(9, "s9", "ACM2"));
    let said = bench.violations();
    assert_eq!(said.len(), 3);
    assert_eq!(said[0].1.violation_id, said[1].1.violation_id);
    assert_ne!(said[0].1.violation_id, said[2].1.violation_id);
}

#[test]
fn grace_lets_time_pass_and_a_tick_is_enough_to_end_it() {
    let site = SITE.replace("penalty = 25.0", "grace = 60");
    let mut bench = Bench::new(quick(), &site);
    bench.at(1, entry(1, "s1", "ACM1")).at(2, entry(2, "s2", "ACM2")).at(61, What::Tick);
    assert_eq!(bench.violations(), []);
    bench.at(62, What::Tick).at(63, What::Tick);
    let said = bench.violations();
    let [(62, violation)] = said.as_slice() else { panic!("{said:?}") };
    assert_eq!((violation.since, violation.duration, violation.penalty), (at(2), 60.0, None));
    bench
        .at(70, exit(70, Some("s1"), "ACM1"))
        .at(71, entry(71, "s3", "ACM1"))
        .at(80, exit(80, Some("s3"), "ACM1"));
    let said = bench.violations();
    assert_eq!(said.len(), 1, "the short one is never said: {said:?}");
}

#[test]
fn who_was_denied_and_comes_in_is_unauthorized() {
    let mut bench = Bench::new(quick(), SITE);
    bench.at(10, decision(Decision::Deny, "XY 1")).at(20, entry(20, "s1", "XY1"));
    let said = bench.violations();
    let [(20, violation)] = said.as_slice() else { panic!("{said:?}") };
    assert_eq!(violation.violation_type, ViolationType::UnauthorizedVehicle);
    assert_eq!((violation.plate.as_deref(), violation.penalty), (Some("XY1"), Some(40.0)));
    assert_eq!((violation.allocated_capacity, violation.excess_vehicles), (0, 1));
    assert_eq!(bench.alerts()[0].1.message, "vehicle XY1 is in lot l and must not be");
    bench.at(30, exit(30, Some("s1"), "XY1"));
    assert_eq!(bench.violations()[0].1.status, ViolationStatus::Resolved);
    bench.at(40, entry(40, "s2", "XY1"));
    assert_eq!(bench.violations(), [], "the denial was used up");
}

#[test]
fn an_allow_after_the_denial_makes_it_good_and_so_does_time() {
    let mut bench = Bench::new(quick(), SITE);
    bench.at(10, decision(Decision::Deny, "XY1")).at(15, decision(Decision::Allow, "XY1"));
    bench.at(20, entry(20, "s1", "XY1"));
    bench.at(30, decision(Decision::Deny, "ZZ1")).at(631, entry(631, "s2", "ZZ1"));
    bench.at(640, decision(Decision::Refer, "RR1")).at(641, entry(641, "s3", "RR1"));
    bench.at(650, decision(Decision::Deny, "QQ1")).at(651, entry(651, "s4", "OTHER"));
    assert_eq!(bench.violations(), []);
}

#[test]
fn who_is_on_the_list_of_the_denied_must_not_be_inside() {
    let mut bench = Bench::new(quick(), SITE);
    bench.at(10, entry(10, "s1", "bad-1"));
    assert_eq!(bench.violations()[0].1.violation_type, ViolationType::UnauthorizedVehicle);
}

#[test]
fn lists_that_are_read_again_count_for_those_inside() {
    let mut bench = Bench::new(quick(), "[lots.l]");
    bench.at(10, entry(10, "s1", "BAD1"));
    assert_eq!(bench.violations(), []);
    bench.tracker.replan(plans(&quick(), SITE));
    bench.at(11, What::Tick);
    assert_eq!(bench.violations()[0].1.status, ViolationStatus::Pending);
    bench.tracker.replan(plans(&quick(), "[lots.l]"));
    bench.at(12, What::Tick);
    assert_eq!(bench.violations()[0].1.status, ViolationStatus::Resolved);
}

#[test]
fn more_vehicles_than_places_are_a_breach_with_one_alert() {
    let mut bench = Bench::new(quick(), SITE);
    for second in 1..=5 {
        bench.at(second, entry(second, &format!("s{second}"), &format!("P{second}")));
    }
    let said = bench.violations();
    let [(5, breach)] = said.as_slice() else { panic!("{said:?}") };
    assert_eq!(breach.violation_type, ViolationType::CapacityBreach);
    assert_eq!((breach.allocated_capacity, breach.actual_occupancy), (4, 5));
    let kinds: Vec<_> =
        bench.alerts().into_iter().map(|(second, alert)| (second, alert.alert_type)).collect();
    assert_eq!(kinds, [(4, AlertType::CapacityWarning), (5, AlertType::CapacityBreach)]);
    bench.at(6, exit(6, Some("s1"), "P1"));
    assert_eq!(bench.violations()[0].1.status, ViolationStatus::Resolved);
    let over = bench.alerts();
    assert_eq!(over.len(), 1, "it is still full: {over:?}");
    assert_eq!(over[0].1.alert_type, AlertType::CapacityBreach);
}
