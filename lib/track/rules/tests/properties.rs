//! What holds whatever happens.

use std::collections::BTreeMap;
use std::time::Duration;

use park_core::record::gate::Decision;
use park_core::record::vision::SlotState;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

const SITE: &str = "
[lots.l]
capacity = 7
penalty = 1.5
[lots.l.levels.L1]
slots = ['A1', 'A2', 'A3']
[contractors.acme]
lot = 'l'
capacity = 1
slots = ['A1', 'A2']
plates = ['P1', 'P2']
grace = 5
[lists]
deny = ['deny.txt']
";

fn settings() -> Settings {
    Settings {
        occupied_after: Duration::from_secs(3),
        free_after: Duration::from_secs(2),
        unknown_after: Duration::from_secs(5),
        camera_timeout: Duration::from_secs(30),
        drift_tolerance: 1,
        drift_after: Duration::from_secs(4),
        ..quick()
    }
}

fn bench() -> Bench {
    Bench::new(settings(), SITE)
}

/// One thing that happens, some seconds after the one before.
fn anything() -> impl Strategy<Value = (i64, u8, u8, u8)> {
    (0..6i64, 0..12u8, 0..5u8, any::<u8>())
}

/// The story that `steps` tell: slots of two cameras, passages, decisions, statuses, ticks.
fn story(steps: &[(i64, u8, u8, u8)]) -> Vec<Happening> {
    let mut second = 1_768_905_000;
    let letter = |bits: u8| ["o", "f", "u", "o"][usize::from(bits & 3)];
    steps
        .iter()
        .map(|&(wait, kind, who, bits)| {
            second += wait;
            let (session, plate) = (format!("s{who}-{}", bits & 3), format!("P{who}"));
            let what = match kind {
                0..=3 => slots("c", &format!("A1={} A2={}", letter(bits), letter(bits >> 2))),
                4..=5 => slots("d", &format!("A3={} B1={}", letter(bits), letter(bits >> 2))),
                6 => entry(second, &session, if who == 4 { "BAD1" } else { &plate }),
                7 => exit(second, (bits & 4 > 0).then_some(session.as_str()), &plate),
                8 => decision(if bits & 1 > 0 { Decision::Deny } else { Decision::Allow }, &plate),
                9 => status("d", if bits & 1 > 0 { CameraState::Offline } else { CameraState::Online }, None),
                _ => What::Tick,
            };
            Happening { gate: Some(format!("g{}", bits & 1)), ..happen(second, what) }
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn counts_add_up_and_are_of_this_world(steps in prop::collection::vec(anything(), 1..120)) {
        let mut bench = bench();
        for happening in story(&steps) {
            bench.take(&happening);
            for (_, update) in bench.capacity() {
                prop_assert!(update.occupied + update.free + update.unknown >= update.total);
                if update.occupied <= update.total {
                    prop_assert_eq!(update.occupied + update.free + update.unknown, update.total);
                }
                prop_assert!((0.0..=1.0).contains(&update.occupancy_rate));
            }
        }
    }

    #[test]
    fn the_same_story_gives_the_same_bytes(steps in prop::collection::vec(anything(), 1..60)) {
        let (mut one, mut other) = (bench(), bench());
        for happening in story(&steps) {
            one.take(&happening);
            other.take(&happening);
        }
        prop_assert_eq!(one.lines(), other.lines());
    }

    #[test]
    fn a_restart_anywhere_changes_nothing(
        steps in prop::collection::vec(anything(), 2..120),
        restarts in prop::collection::vec(any::<Index>(), 1..4),
    ) {
        let story = story(&steps);
        let restarts: Vec<usize> = restarts.iter().map(|index| index.index(story.len())).collect();
        let (mut steady, mut shaken) = (bench(), bench());
        for (number, happening) in story.iter().enumerate() {
            if restarts.contains(&number) {
                shaken.restart();
            }
            steady.take(happening);
            shaken.take(happening);
        }
        prop_assert_eq!(steady.lines(), shaken.lines());
        prop_assert_eq!(steady.tracker.state(), shaken.tracker.state());
    }

    #[test]
    fn a_story_told_twice_counts_once(steps in prop::collection::vec(anything(), 1..100)) {
        let mut bench = bench();
        let story = story(&steps);
        for happening in &story {
            bench.take(happening);
        }
        let inside = bench.tracker.state().lots.get("l").map(|lot| lot.gates.clone());
        let slots = |bench: &Bench| bench.tracker.state().lots.get("l").map(|lot| lot.slots.clone());
        let before = slots(&bench);
        for happening in &story {
            bench.take(happening);
        }
        prop_assert_eq!(bench.tracker.state().lots.get("l").map(|lot| lot.gates.clone()), inside);
        prop_assert_eq!(slots(&bench), before);
    }

    #[test]
    fn whatever_begins_ends_under_the_same_id(steps in prop::collection::vec(anything(), 1..150)) {
        let mut bench = bench();
        for happening in story(&steps) {
            bench.take(&happening);
        }
        let mut open = BTreeMap::new();
        for (_, violation) in bench.violations() {
            use park_core::record::lot::ViolationStatus::{Pending, Resolved};
            let before = open.insert(violation.violation_id.clone(), violation.status);
            let fits = matches!(
                (before, violation.status),
                (None, Pending) | (Some(Pending), Pending | Resolved)
            );
            prop_assert!(fits, "{before:?} then {violation:?}");
            prop_assert!(violation.excess_vehicles > 0);
        }
        let mut open = BTreeMap::new();
        for (_, alert) in bench.alerts() {
            use park_core::record::lot::AlertStatus::{Active, Resolved};
            let before = open.insert(alert.alert_id.clone(), alert.status);
            prop_assert!(matches!((before, alert.status), (None, Active) | (Some(Active), Resolved)));
        }
    }

    #[test]
    fn no_flicker_shorter_than_its_delay_comes_through(
        readings in prop::collection::vec((1..4i64, 0..4u8), 1..200),
    ) {
        let mut bench = bench();
        let mut seen: Vec<(i64, SlotState)> = Vec::new();
        let mut second = 0;
        for (wait, letter) in readings {
            second += wait;
            let (text, state) = [
                ("A1=o", SlotState::Occupied),
                ("A1=f", SlotState::Free),
                ("A1=u", SlotState::Unknown),
                ("A1=o", SlotState::Occupied),
            ][usize::from(letter)];
            seen.push((second, state));
            bench.at(second, slots("c", text));
        }
        for (said, change) in bench.slot_changes().into_iter().skip(1) {
            let since = change.since.millis() / 1000;
            let delay = match change.state {
                SlotState::Occupied => 3,
                SlotState::Free => 2,
                SlotState::Unknown => 5,
            };
            prop_assert!(said - since >= delay, "{change:?} at {said}");
            let run: Vec<_> = seen.iter().filter(|(at, _)| (since..=said).contains(at)).collect();
            prop_assert_eq!(run.first().map(|(_, state)| *state), Some(change.state));
            prop_assert_eq!(run.last().map(|(_, state)| *state), Some(change.state));
            let contrary = run.iter().any(|(_, state)| *state != change.state && *state != SlotState::Unknown);
            prop_assert!(!contrary, "{run:?}");
        }
    }

    #[test]
    fn the_order_in_which_cameras_arrive_changes_no_slot(
        one in prop::collection::vec((0..3i64, any::<u8>()), 1..8),
        other in prop::collection::vec((0..3i64, any::<u8>()), 1..8),
        order in prop::collection::vec(any::<bool>(), 16),
    ) {
        let letter = |bits: u8| ["o", "f", "u", "o"][usize::from(bits & 3)];
        let film = |camera: &'static str, frames: &[(i64, u8)]| -> Vec<Happening> {
            let mut second = 0;
            let frame = |&(wait, bits): &(i64, u8)| {
                second += wait;
                let text = format!("{camera}1={} {camera}2={}", letter(bits), letter(bits >> 2));
                happen(second, slots(camera, &text))
            };
            frames.iter().map(frame).collect()
        };
        let (one, other) = (film("c", &one), film("d", &other));
        let mut by_time: Vec<Happening> = [one.clone(), other.clone()].concat();
        by_time.sort_by_key(|happening| happening.at);
        let (mut one, mut other) = (one.into_iter(), other.into_iter());
        let mut shuffled: Vec<Happening> = Vec::new();
        for first in order {
            shuffled.extend(if first { one.next() } else { other.next() });
        }
        shuffled.extend(one.chain(other));
        let outcome = |story: &[Happening]| {
            let mut bench = bench();
            story.iter().for_each(|happening| bench.take(happening));
            let mut slots: BTreeMap<String, Vec<_>> = BTreeMap::new();
            for (second, change) in bench.slot_changes() {
                slots.entry(change.slot_id.clone()).or_default().push((second, change));
            }
            slots
        };
        prop_assert_eq!(outcome(&by_time), outcome(&shuffled));
    }
}
