#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn settings() -> Settings {
    Settings { answer: SECOND, travel: 5 * SECOND, silence: Some(3 * SECOND) }
}

fn at(ms: i64) -> Time {
    Time::from_millis(1_000_000 + ms)
}

/// A controller whose barrier is closed and has said so.
fn ready() -> Controller {
    let mut controller = Controller::new(settings(), 0);
    controller.line_up(at(-2));
    controller.report(&Report::Done(1), at(-1));
    controller.report(&Report::State(GateState::Closed, Some(false)), at(0));
    assert!(controller.status().confirmed);
    controller
}

fn sent(acts: &[Act]) -> Vec<Command> {
    let command = |act: &Act| match act {
        Act::Send(Command::Beat) | Act::Status(_) => None,
        Act::Send(command) => Some(*command),
    };
    acts.iter().filter_map(command).collect()
}

fn state(state: GateState, vehicle: bool) -> Report {
    Report::State(state, Some(vehicle))
}

#[test]
fn a_barrier_just_reached_is_told_to_close() {
    let mut controller = Controller::new(settings(), 7);
    assert!(!controller.open(SECOND, "x", at(0)).0, "it cannot be told anything yet");
    let acts = controller.line_up(at(0));
    assert_eq!(sent(&acts), [Command::Close { nonce: 8 }]);
    assert!(acts.contains(&Act::Send(Command::Beat)));
}

#[test]
fn commanded_and_confirmed_are_apart() {
    let mut controller = ready();
    let (ok, acts) = controller.open(3 * SECOND, "decision", at(100));
    assert!(ok);
    assert_eq!(sent(&acts), [Command::Open { pulse: 3000, nonce: 2 }]);
    let status = controller.status();
    assert_eq!((status.state, status.confirmed), (GateState::Opening, false));
    // What it says before it has heard the command is old.
    controller.report(&state(GateState::Closed, false), at(120));
    assert_eq!(controller.status().state, GateState::Opening);
    controller.report(&Report::Done(2), at(150));
    controller.report(&state(GateState::Opening, false), at(160));
    controller.report(&state(GateState::Open, false), at(1_160));
    assert_eq!((controller.status().state, controller.status().confirmed), (GateState::Open, true));
    controller.report(&state(GateState::Closing, false), at(3_160));
    let acts = controller.report(&state(GateState::Closed, false), at(4_160));
    assert_eq!(sent(&acts), []);
    assert_eq!(controller.status().commanded, Some(GateAction::Open));
}

#[test]
fn a_command_without_answer_is_said_thrice_and_then_it_is_a_fault() {
    let mut controller = ready();
    let (_, acts) = controller.open(SECOND, "decision", at(0));
    let open = sent(&acts)[0];
    assert_eq!(sent(&controller.pass(at(1_000))), [open]);
    assert_eq!(sent(&controller.pass(at(2_000))), [open]);
    assert_eq!(sent(&controller.pass(at(3_000))), [Command::Close { nonce: 3 }]);
    assert_eq!(controller.status().state, GateState::Fault);
    controller.report(&Report::Done(3), at(3_100));
    controller.report(&state(GateState::Closed, false), at(3_100));
    assert_eq!((controller.status().state, controller.status().cause), (GateState::Closed, None));
}

#[test]
fn it_never_closes_on_a_vehicle() {
    let mut controller = ready();
    controller.order(GateAction::Hold, None, "operator", at(100));
    controller.report(&Report::Done(2), at(110));
    controller.report(&state(GateState::Held, true), at(120));
    let (ok, acts) = controller.order(GateAction::Release, None, "operator", at(200));
    assert!(ok);
    assert_eq!(sent(&acts), []);
    assert_eq!(sent(&controller.pass(at(2_000))), []);
    assert_eq!(
        sent(&controller.report(&state(GateState::Held, false), at(2_500))),
        [Command::Close { nonce: 3 }]
    );
}

#[test]
fn a_pulse_that_does_not_end_is_ended_and_then_a_fault() {
    let mut controller = ready();
    controller.open(SECOND, "decision", at(0));
    controller.report(&Report::Done(2), at(10));
    controller.report(&state(GateState::Open, false), at(20));
    assert_eq!(controller.due(), Some(at(6_000)));
    controller.report(&Report::Beat, at(5_000));
    assert_eq!(sent(&controller.pass(at(6_000))), [Command::Close { nonce: 3 }]);
    controller.report(&Report::Done(3), at(6_010));
    controller.report(&Report::Beat, at(9_000));
    controller.pass(at(11_000));
    assert_eq!(controller.status().state, GateState::Fault);
}

#[test]
fn silence_and_a_lost_line_are_faults() {
    let mut controller = ready();
    controller.pass(at(3_000));
    assert_eq!(controller.status().state, GateState::Closed);
    controller.pass(at(3_001));
    assert_eq!(controller.status().state, GateState::Fault);
    let acts = controller.line_down("unplugged", at(4_000));
    assert!(matches!(&acts[..], [] | [Act::Status(_)]));
    assert_eq!(controller.status().cause.as_deref(), Some("unplugged"));
    assert!(!controller.open(SECOND, "decision", at(5_000)).0);
    assert_eq!(
        sent(&controller.line_up(at(6_000)))[..],
        [Command::Close { nonce: 3 }],
        "not the missed opening"
    );
}

#[test]
fn a_refusal_and_a_restart_end_closed() {
    let mut controller = ready();
    controller.open(SECOND, "decision", at(0));
    let acts = controller.report(&Report::Refused(2, "motor".to_owned()), at(10));
    assert_eq!(sent(&acts), [Command::Close { nonce: 3 }]);
    let Some(Act::Status(status)) = acts.last() else { panic!("no status") };
    assert_eq!(status.cause.as_deref(), Some("the barrier refuses: motor"));
    let acts = controller.report(&Report::Hello, at(20));
    assert_eq!(sent(&acts), [Command::Close { nonce: 4 }]);
}

#[derive(Debug, Clone)]
enum Event {
    Open,
    Order(GateAction),
    Report(Report),
    Up,
    Down,
    Pass(i64),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    use GateState::{Closed, Closing, Fault, Held, Open, Opening};
    let states = prop::sample::select(vec![Closed, Opening, Open, Closing, Held, Fault]);
    let event = prop_oneof![
        2 => Just(Event::Open),
        1 => prop::sample::select(vec![GateAction::Hold, GateAction::Close, GateAction::Release])
            .prop_map(Event::Order),
        3 => (states, any::<bool>()).prop_map(|(s, v)| Event::Report(state(s, v))),
        1 => Just(Event::Report(Report::Hello)),
        1 => Just(Event::Report(Report::Beat)),
        2 => (1u64..30).prop_map(|nonce| Event::Report(Report::Done(nonce))),
        1 => (1u64..30).prop_map(|nonce| Event::Report(Report::Refused(nonce, "no".to_owned()))),
        1 => Just(Event::Up),
        1 => Just(Event::Down),
        4 => (1i64..6_000).prop_map(Event::Pass),
    ];
    prop::collection::vec(event, 0..80)
}

/// Applies one event and says what came of it.
fn apply(controller: &mut Controller, event: &Event, now: &mut i64) -> Vec<Act> {
    *now += 1;
    match event {
        Event::Open => controller.open(SECOND, "test", at(*now)).1,
        Event::Order(action) => controller.order(*action, None, "test", at(*now)).1,
        Event::Report(report) => controller.report(report, at(*now)),
        Event::Up => controller.line_up(at(*now)),
        Event::Down => controller.line_down("test", at(*now)),
        Event::Pass(ms) => {
            *now += ms;
            controller.pass(at(*now))
        }
    }
}

proptest! {
    // A file of failures would lie where the workspace looks for its members.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Only an order opens; nothing closes on a vehicle; nothing is said on a lost line; a new state is told once.
    #[test]
    fn the_gate_is_safe(events in events()) {
        let (mut controller, mut now) = (Controller::new(settings(), 0), 0);
        let (mut vehicle, mut linked, mut told) = (false, false, None);
        let mut openings = std::collections::BTreeSet::new();
        for event in &events {
            match event {
                Event::Up => (linked, vehicle) = (true, false),
                Event::Down => linked = false,
                Event::Report(Report::State(_, on_loop)) => vehicle = *on_loop == Some(true),
                _ => {}
            }
            for act in apply(&mut controller, event, &mut now) {
                match act {
                    Act::Send(command) => {
                        prop_assert!(linked);
                        match command {
                            Command::Open { nonce, .. } | Command::Hold { nonce } => {
                                let ordered = matches!(event, Event::Open | Event::Order(GateAction::Hold));
                                prop_assert!(ordered || openings.contains(&nonce), "opened by {event:?}");
                                openings.insert(nonce);
                            }
                            Command::Close { .. } => prop_assert!(!vehicle, "closed on a vehicle by {event:?}"),
                            Command::Beat => {}
                        }
                    }
                    Act::Status(status) => {
                        let key = (status.state, status.confirmed, status.vehicle);
                        prop_assert_ne!(Some(key), told);
                        told = Some(key);
                    }
                }
            }
        }
    }

    /// Whatever has happened, an order to close reaches a barrier that answers, and the state ends closed.
    #[test]
    fn an_order_to_close_ends_closed(events in events()) {
        let (mut controller, mut now) = (Controller::new(settings(), 0), 0);
        for event in &events {
            apply(&mut controller, event, &mut now);
        }
        let mut acts = controller.line_up(at(now + 1));
        acts.extend(controller.order(GateAction::Close, None, "end", at(now + 2)).1);
        let Some(Command::Close { nonce }) = sent(&acts).last().copied() else {
            return Err(TestCaseError::fail("not told to close"));
        };
        controller.report(&Report::Done(nonce), at(now + 3));
        controller.report(&state(GateState::Closed, false), at(now + 4));
        prop_assert_eq!(controller.status().state, GateState::Closed);
        prop_assert!(controller.status().confirmed);
    }
}
