//! Dialect D: live parking for the mobile app.
//!
//! * [`event`]: events against records. Pure.
//! * [`camera`]: live pictures.

pub mod camera;
pub mod event;

use serde_json::json;

pub use event::FORM;

use super::packet::{ack_frame, event_frame};
use super::question::Question;
use super::rooms::Room;
use crate::realtime::availability::availability;
use crate::server::Server;

/// `subscribe_to_parking {location_id}`: first `parking_data`, then a `parking_update` for every change since.
pub fn subscribe(question: &Question, server: &Server) -> Result<(), String> {
    let location = question.id_of("location_id")?;
    let lot = server.hub.view(|_, state| availability(state, Some(&location)).pop());
    let room = match lot.is_some_and(|lot| !lot.levels.is_empty()) {
        true => Room::Levels(location.clone()),
        false => Room::Whole(location.clone()),
    };
    let session = &question.session;
    let mut client = session.client();
    let Some(member) = client.member() else { return Ok(()) };
    member.rooms.leave(&Room::Whole(location.clone()));
    if !member.is_in(&room) {
        member.has_room(server.limits.subscriptions)?;
    }
    member.rooms.join(room);
    let now = server.now();
    session.subscription.wish(member.rooms.wishes(&member.person), |position, state| {
        let lot = availability(state, Some(&location)).pop();
        let data = event::data(&location, lot.as_ref(), &position.id, now);
        let acknowledged =
            question.id.map(|id| ack_frame(id, &json!({ "success": true, "location_id": location })));
        acknowledged.into_iter().chain([event_frame("parking_data", &data)]).collect()
    });
    Ok(())
}

/// `unsubscribe_from_parking {location_id}`.
pub fn unsubscribe(question: &Question) -> Result<(), String> {
    let location = question.id_of("location_id")?;
    let mut client = question.session.client();
    let Some(member) = client.member() else { return Ok(()) };
    for room in [Room::Levels(location.clone()), Room::Whole(location.clone())] {
        member.leave(&question.session, &room);
    }
    drop(client);
    question.acknowledge(json!({ "location_id": location }));
    Ok(())
}
