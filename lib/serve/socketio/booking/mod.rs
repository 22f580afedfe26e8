//! Dialect C: the booking platform's rooms, questions and events.
//!
//! * `event`: events against records. Pure.

mod event;

use std::sync::Arc;
use std::time::Duration;

use park_core::Error;
use park_core::record::people::LiveStats;
use park_core::record::{Envelope, Stamp, encode};
use serde_json::{Value, json};

pub use event::FORM;

use super::packet::event_frame;
use super::question::Question;
use super::replay;
use super::rooms::Room;
use crate::history::Seen;
use crate::hub::Event;
use crate::realtime::{availability, bookings, stats};
use crate::server::Server;

/// For how long after it came a client that resumes may still name the rooms it was in.
const RESUMING: Duration = Duration::from_secs(10);

/// `subscribe {room, type}`, answered with `subscribed {room}`. A client that has just resumed, or that names a
/// `lastEventId` here, gets what it missed in this room first.
pub fn subscribe(question: &Question, server: &Arc<Server>) -> Result<(), String> {
    let session = &question.session;
    let name = question.text(&["room"]).ok_or("room is missing")?;
    let kind = question.argument.get("type").and_then(Value::as_str);
    let mut client = session.client();
    let Some(member) = client.member() else { return Ok(()) };
    let room = Room::named(name, kind, &member.person)?;
    let resuming = member.resumes.as_ref().filter(|(_, since)| since.elapsed() < RESUMING);
    let own = question.argument.as_object().and_then(Seen::named);
    let last = own.or_else(|| resuming.map(|(last, _)| last.clone()));
    let already = member.is_in(&room);
    if !already {
        member.has_room(server.limits.subscriptions)?;
    }
    let subscribed = event_frame("subscribed", &json!({ "room": name }));
    match last {
        _ if already => session.send([subscribed]),
        Some(last) => {
            member.pending.insert(room.clone());
            session.send([subscribed]);
            replay::begin(session, server, [room].into(), last);
        }
        None => {
            member.rooms.join(room);
            session.subscription.wish(member.rooms.wishes(&member.person), |_, _| vec![subscribed]);
        }
    }
    drop(client);
    question.acknowledge(json!({ "room": name }));
    Ok(())
}

/// `unsubscribe {room, type}`.
pub fn unsubscribe(question: &Question) -> Result<(), String> {
    let name = question.text(&["room"]).ok_or("room is missing")?;
    let kind = question.argument.get("type").and_then(Value::as_str);
    let mut client = question.session.client();
    let Some(member) = client.member() else { return Ok(()) };
    let room = Room::named(name, kind, &member.person)?;
    member.leave(&question.session, &room);
    drop(client);
    question.acknowledge(json!({ "room": name }));
    Ok(())
}

/// `get_parking_availability {parking_lot_id?}`: every lot, or the one; as events, one `parking_updated` each.
pub fn availability(question: &Question, server: &Server) -> Result<(), String> {
    let wanted = question.id_of("parking_lot_id").ok();
    let lots = server.hub.view(|_, state| availability::availability(state, wanted.as_deref()));
    if let (Some(lot), true) = (&wanted, lots.is_empty()) {
        return Err(format!("nothing is known of {lot:?}"));
    }
    if question.id.is_some() {
        question.acknowledge(json!({ "parking_lots": lots, "timestamp": server.now() }));
        return Ok(());
    }
    let told = |lot: &availability::Lot| {
        let data = json!({
            "parking_lot_id": lot.parking_lot_id, "available_spaces": lot.available_spaces, "action": "current",
            "timestamp": lot.timestamp, "total_spaces": lot.total_spaces, "occupied_spaces": lot.occupied_spaces,
        });
        event_frame("parking_updated", &data)
    };
    question.session.send(lots.iter().map(told));
    Ok(())
}

/// `get_booking_status {booking_id}`: for its user and administrators; as an event, `booking_updated`.
pub fn booking_status(question: Question, server: &Arc<Server>) {
    let (booking, person) = match (question.id_of("booking_id"), question.session.client().member()) {
        (Ok(booking), Some(member)) => (booking, Arc::clone(&member.person)),
        (Err(message), _) => return question.fail(&message),
        (_, None) => return,
    };
    let server = Arc::clone(server);
    work(question, move |question| async move {
        match bookings::status(&server.history, &person, &booking).await {
            Ok(Some(status)) => question.answer("booking_updated", status),
            Ok(None) => question.fail(&format!("there is no booking {booking:?}")),
            Err(error) => unreadable(question, &server, &error),
        }
    });
}

/// `get_live_stats`, for administrators.
pub fn live_stats(question: Question, server: &Arc<Server>) {
    if !question.session.client().member().is_some_and(|member| member.person.may_administer()) {
        return question.fail("only administrators ask for live_stats");
    }
    let server = Arc::clone(server);
    work(question, move |question| async move {
        match stats::live_stats(&server).await {
            Ok(stats) => question.answer("live_stats", json!({ "stats": stats, "timestamp": server.now() })),
            Err(error) => unreadable(question, &server, &error),
        }
    });
}

/// Tells the administrators' room how things stand. These numbers are not in the log.
pub async fn tell_stats(server: &Server) {
    if server.socketio.is_empty() {
        return;
    }
    let Ok(stats) = stats::live_stats(server).await else { return };
    let now = server.now();
    let mut line = Vec::new();
    encode(&Stamp::at(now).source("park-serve"), &LiveStats { stats }, &mut line);
    if let Ok(record) = Envelope::parse(&line) {
        server.hub.tell(&Arc::new(Event::new(&record, now)), &FORM);
    }
}

/// Works on a question as long as the client does not ask too much at once.
fn work<F: Future<Output = ()> + Send + 'static>(
    question: Question,
    answer: impl FnOnce(Question) -> F + Send + 'static,
) {
    let (session, id) = (Arc::clone(&question.session), question.id);
    if !session.work(answer(question)) {
        Question { session, argument: Value::Null, id }.fail("too much is asked at once");
    }
}

fn unreadable(question: Question, server: &Server, error: &Error) {
    server.log().error(&format!("a question could not be answered: {error}"));
    question.fail("the log cannot be read");
}
