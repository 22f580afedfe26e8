#![allow(clippy::unwrap_used)]

use std::task::{Context, Poll, Waker};

use super::*;
use park_core::record::Envelope;
use park_core::stream::Peer;

static PLAIN: Form = Form { place: 0, encode: |event| Some(Bytes::from(format!("{}\n", event.id))) };

fn event(seq: i64, place: &str, kind: &str, payload: &str) -> Arc<Event> {
    let line = format!(r#"{{"type":"{kind}","id":"id{seq}",{place}"payload":{payload}}}"#);
    let mut event = Event::new(&Envelope::parse(line.as_bytes()).unwrap(), Default::default());
    event.seq = seq;
    Arc::new(event)
}

fn waiting(subscription: &Subscription) -> Vec<String> {
    let mut context = Context::from_waker(Waker::noop());
    let mut all = Vec::new();
    while let Poll::Ready(Taken::Frames(frames)) = subscription.queue.poll_take(&mut context, usize::MAX) {
        let text = String::from_utf8(frames.concat()).unwrap();
        all.extend(text.lines().map(str::to_owned));
    }
    all
}

fn joining(interest: Interest) -> Joining<'static> {
    Joining { channel: "x", interest, form: &PLAIN, answers: false, expires: None }
}

fn listen(hub: &Arc<Hub>, scope: Scope) -> Subscription {
    hub.join(joining(Interest { scope, ..Interest::default() }), |_, _| Vec::new())
}

#[test]
fn each_hears_what_it_wants_in_order() {
    let hub = Hub::new(Position::default(), State::default(), 1000);
    let all = listen(&hub, Scope::Everything);
    let gate = listen(&hub, Scope::Gate("g".into()));
    let gates = listen(&hub, Scope::AnyGate);
    let lot = listen(&hub, Scope::Lots(vec!["l".into()]));
    hub.publish(&[
        event(1, r#""gate_id":"g","#, "gate_status", "{}"),
        event(2, r#""gate_id":"h","#, "gate_status", "{}"),
        event(3, r#""lot_id":"l","#, "capacity_update", "{}"),
        event(4, r#""lot_id":"l","#, "slots", "{}"),
    ]);
    assert_eq!(waiting(&all), ["id1", "id2", "id3"]);
    assert_eq!(waiting(&gate), ["id1"]);
    assert_eq!(waiting(&gates), ["id1", "id2"]);
    assert_eq!(waiting(&lot), ["id3"]);
    assert_eq!(hub.position(), Position { seq: 4, id: "id4".into() });
    assert_eq!(hub.channels()["x"], 4);
    drop(gate);
    assert_eq!(hub.channels()["x"], 3);
}

#[test]
fn one_who_joins_knows_its_place_and_what_holds() {
    let hub = Hub::new(Position::default(), State::default(), 1000);
    hub.publish(&[event(7, r#""gate_id":"g","#, "gate_status", "{}")]);
    let late = hub.join(joining(Interest::default()), |position, state| {
        assert_eq!(position.seq, 7);
        state.latest().iter().filter_map(|event| event.form(&PLAIN)).collect()
    });
    hub.publish(&[event(8, "", "alert", "{}")]);
    assert_eq!(waiting(&late), ["id7", "id8"]);
}

#[test]
fn a_slow_one_is_sent_away_and_counted_while_others_go_on() {
    let hub = Hub::new(Position::default(), State::default(), 10);
    let (slow, quick) = (listen(&hub, Scope::Everything), listen(&hub, Scope::Everything));
    for seq in 0..10 {
        hub.publish(&[event(seq, "", "alert", "{}")]);
        assert_eq!(waiting(&quick), [format!("id{seq}")]);
    }
    let taken = slow.queue.poll_take(&mut Context::from_waker(Waker::noop()), 100);
    assert_eq!(taken, Poll::Ready(Taken::End(Why::Slow)));
    assert_eq!(hub.counts.slow.load(Ordering::Relaxed), 1);
}

#[test]
fn an_answer_finds_who_asked() {
    let hub = Hub::new(Position::default(), State::default(), 1000);
    let (asker, other) = (listen(&hub, Scope::Gate("g".into())), listen(&hub, Scope::Gate("g".into())));
    hub.controllers.asked("q1", asker.subscriber());
    hub.publish(&[event(1, "", "error", r#"{"request_id":"q1"}"#)]);
    hub.publish(&[event(2, "", "error", r#"{"request_id":"q1"}"#)]);
    assert_eq!(waiting(&asker), ["id1"]);
    assert_eq!(waiting(&other), [""; 0]);
}

#[test]
fn the_gate_belongs_to_whoever_speaks_for_it() {
    let hub = Hub::new(Position::default(), State::default(), 1000);
    let controllers = &hub.controllers;
    let status = event(1, r#""gate_id":"g","#, "gate_status", "{}");
    let two_way = || Peer::two_way("unix:x", false, Box::new(std::io::sink()));
    controllers.remember(&status, &Peer::one_way("stdin", false));
    assert!(!controllers.relay("g", b"{}\n"));
    let gate = two_way();
    controllers.remember(&status, &gate);
    assert!(controllers.relay("g", b"{}\n"));
    let (first, second) = (listen(&hub, Scope::Nothing), listen(&hub, Scope::Nothing));
    let (a, b) = (two_way(), two_way());
    controllers.attach("g", &a, first.subscriber());
    controllers.attach("g", &b, second.subscriber());
    let taken = first.queue.poll_take(&mut Context::from_waker(Waker::noop()), 100);
    assert_eq!(taken, Poll::Ready(Taken::End(Why::Replaced)));
    controllers.gone(&a);
    assert_eq!(controllers.gates(), ["g"]);
    controllers.gone(&b);
    assert_eq!(controllers.gates(), [""; 0]);
}

#[test]
fn each_sees_what_their_role_may_see() {
    let hub = Hub::new(Position::default(), State::default(), 1000);
    let see = |view| hub.join(joining(Interest { view, ..Interest::default() }), |_, _| Vec::new());
    let (admin, staff, anna) = (see(View::Everything), see(View::Site), see(View::User("anna".into())));
    hub.publish(&[
        event(1, "", "parking_entry", "{}"),
        event(2, "", "booking_updated", r#"{"user_id":"anna"}"#),
        event(3, "", "booking_updated", r#"{"user_id":"otto"}"#),
        event(4, "", "parking_update", "{}"),
        event(5, "", "live_stats", "{}"),
    ]);
    assert_eq!(waiting(&admin), ["id1", "id2", "id3", "id4", "id5"]);
    assert_eq!(waiting(&staff), ["id1", "id4"]);
    assert_eq!(waiting(&anna), ["id2", "id4"]);
}

#[test]
fn a_changed_interest_holds_from_the_next_burst_on() {
    let hub = Hub::new(Position::default(), State::default(), 1000);
    let one = listen(&hub, Scope::Gate("g".into()));
    let _other = listen(&hub, Scope::Gate("g".into()));
    hub.publish(&[event(1, r#""gate_id":"g","#, "gate_status", "{}")]);
    one.change(Interest { scope: Scope::Gate("h".into()), ..Interest::default() });
    hub.publish(&[
        event(2, r#""gate_id":"g","#, "gate_status", "{}"),
        event(3, r#""gate_id":"h","#, "alert", "{}"),
    ]);
    assert_eq!(waiting(&one), ["id1", "id3"]);
    drop(one);
    assert_eq!(hub.channels()["x"], 1);
}

#[test]
fn one_with_several_wishes_hears_each_record_once_in_each_dialect_and_in_order() {
    static KIND: Form = Form { place: 1, encode: |event| Some(Bytes::from(format!("{}\n", event.kind))) };
    let hub = Hub::new(Position::default(), State::default(), 1000);
    let one = listen(&hub, Scope::Nothing);
    let of = |form: &'static Form, scope: Scope| Wish {
        form,
        interest: Interest { scope, ..Interest::default() },
    };
    let lot = |name: &str| Scope::Lots(vec![name.to_owned()]);
    one.wish([of(&PLAIN, lot("l")), of(&PLAIN, Scope::Everything), of(&KIND, lot("l"))], |position, _| {
        vec![Bytes::from(format!("from {}\n", position.seq))]
    });
    let burst = [event(1, r#""lot_id":"l","#, "alert", "{}"), event(2, r#""lot_id":"m","#, "alert", "{}")];
    hub.publish(&burst);
    hub.tell(&event(0, r#""lot_id":"l","#, "live_stats", "{}"), &KIND);
    hub.tell(&event(0, r#""lot_id":"m","#, "live_stats", "{}"), &KIND);
    assert_eq!(waiting(&one), ["from 0", "id1", "alert", "id2", "live_stats"]);
    assert_eq!(hub.position().seq, 2);
}

#[test]
fn an_expired_token_ends_the_stream_unless_it_was_renewed() {
    let hub = Hub::new(Position::default(), State::default(), 1000);
    let join = || hub.join(Joining { expires: Some(100), ..joining(Interest::default()) }, |_, _| Vec::new());
    let (gone, renewed) = (join(), join());
    hub.expire(99);
    renewed.renew(Some(200));
    hub.expire(100);
    let taken = gone.queue.poll_take(&mut Context::from_waker(Waker::noop()), 100);
    assert_eq!(taken, Poll::Ready(Taken::End(Why::Expired)));
    assert!(!renewed.queue.is_ended());
}
