//! Cameras that fall silent, say so, or are recordings that end.

use park_core::record::lot::{AlertStatus, AlertType};
use park_core::record::vision::{SlotState, UnknownCause};

use super::*;

#[test]
fn a_silent_camera_is_offline_and_its_slots_are_unknown() {
    let mut bench = Bench::plain();
    bench.at(0, slots("c", "A1=f")).at(0, slots("d", "B1=f"));
    for second in 1..=300 {
        bench.at(second, slots("d", "B1=f"));
    }
    bench.slot_changes();
    assert_eq!(bench.alerts(), [], "five minutes are not over five minutes");
    bench.at(301, slots("d", "B1=f")).at(302, slots("d", "B1=f"));
    let alerts = bench.alerts();
    let [(301, alert)] = alerts.as_slice() else { panic!("{alerts:?}") };
    assert_eq!((alert.alert_type, alert.camera_id.as_deref()), (AlertType::CameraOffline, Some("c")));
    assert_eq!(alert.message, "camera c is offline: nothing came of it for 300 s");
    let changes = bench.slot_changes();
    let [(301, change)] = changes.as_slice() else { panic!("{changes:?}") };
    assert_eq!((change.slot_id.as_str(), change.state), ("A1", SlotState::Unknown));
    assert_eq!((change.cause, change.since), (Some(UnknownCause::Stale), at(0)));
    assert_eq!(bench.capacity().last().unwrap().1.unknown, 1);

    bench.at(400, slots("c", "A1=f"));
    let over = bench.alerts();
    let [(400, end)] = over.as_slice() else { panic!("{over:?}") };
    assert_eq!((&end.alert_id, end.status), (&alert.alert_id, AlertStatus::Resolved));
    bench.show("c", "A1=f", 401..=403);
    assert_eq!(bench.slot_changes()[0].1.since, at(400));
}

#[test]
fn ticks_let_the_time_of_a_lone_camera_pass() {
    let mut bench = Bench::plain();
    bench.at(0, slots("c", "A1=f")).at(150, What::Tick).at(301, What::Tick);
    assert_eq!(bench.alerts().len(), 1);
    bench.at(900, What::Tick);
    assert_eq!(bench.alerts(), [], "once");
}

#[test]
fn a_camera_has_its_own_patience() {
    let site = "[lots.l]\n[cameras.c]\nlot = 'l'\ntimeout = 10";
    let mut bench = Bench::new(quick(), site);
    bench.at(0, slots("c", "A1=f")).at(11, What::Tick);
    assert_eq!(bench.alerts().len(), 1);
}

#[test]
fn frames_and_plates_are_signs_of_life() {
    let mut bench = Bench::plain();
    for second in (0..3000).step_by(100) {
        bench.at(second, What::Heard("c"));
    }
    assert_eq!(bench.alerts(), []);
}

#[test]
fn a_camera_that_says_it_is_offline_is_believed() {
    let mut bench = Bench::plain();
    bench.at(0, slots("c", "A1=f")).at(1, status("c", CameraState::Reconnecting, Some("it hangs")));
    assert_eq!(bench.alerts(), []);
    bench.at(2, status("c", CameraState::Offline, Some("connection refused")));
    let alerts = bench.alerts();
    let [(2, alert)] = alerts.as_slice() else { panic!("{alerts:?}") };
    assert_eq!(alert.message, "camera c is offline: connection refused");
    bench.at(3, status("c", CameraState::Offline, None)).at(400, What::Tick);
    assert_eq!(bench.alerts(), [], "it is already known");
    bench.at(401, status("c", CameraState::Online, None));
    assert_eq!(bench.alerts()[0].1.status, AlertStatus::Resolved);
}

#[test]
fn trying_again_is_not_a_sign_of_life() {
    let mut bench = Bench::plain();
    bench.at(0, slots("c", "A1=f"));
    for second in (10..=310).step_by(10) {
        bench.at(second, status("c", CameraState::Reconnecting, None));
    }
    assert_eq!(bench.alerts().len(), 1);
}

#[test]
fn a_recording_that_ends_is_no_alert_and_what_it_showed_stays() {
    let mut bench = Bench::plain();
    bench.at(0, slots("c", "A1=f")).at(1, status("c", CameraState::Offline, Some("the recording has ended")));
    bench.at(5000, slots("d", "B1=f"));
    assert_eq!(bench.alerts(), []);
    assert_eq!(bench.tracker.state().lots["l"].slots["A1"].state, SlotState::Free);
}

#[test]
fn a_capture_that_was_stopped_is_silent_only_later() {
    let mut bench = Bench::plain();
    bench.at(0, slots("c", "A1=f")).at(1, status("c", CameraState::Offline, Some("the capture has ended")));
    assert_eq!(bench.alerts(), []);
    bench.at(302, What::Tick);
    assert_eq!(bench.alerts().len(), 1);
}

#[test]
fn a_camera_whose_clock_is_slow_is_not_silent() {
    let mut bench = Bench::plain();
    for second in 0..1000 {
        bench.at(second, slots("c", "A1=f")).at(second + 250, slots("d", "B1=f"));
    }
    assert_eq!(bench.alerts(), []);
}

#[test]
fn one_recording_after_the_other_is_no_silence() {
    let mut bench = Bench::plain();
    bench.show("c", "A1=f", 0..=1000).show("d", "B1=f", 0..=1200);
    assert_eq!(bench.alerts(), [], "d's clock has passed c's by 200 s only");
}

#[test]
fn names_a_terminal_or_a_page_could_choke_on_stay_what_they_are() {
    let mut bench = Bench::plain();
    bench.at(0, slots("c\u{1b}[31m", "A1=f")).at(301, What::Tick);
    assert!(bench.lines().lines().all(|line| !line.contains('\u{1b}')), "JSON escapes them");
}
