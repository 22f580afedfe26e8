//! What a client missed, then what is new: without a gap, without a repeat, in the order of the log.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use park_core::Result;
use serde_json::json;

use super::engine::Session;
use super::packet::event_frame;
use super::rooms::{Room, Rooms};
use crate::history::{PAGE, Seen};
use crate::hub::{Event, Wish, frames};
use crate::server::Server;

/// What is sent in one piece is about this long at most.
const PIECE: usize = 64 * 1024;

/// Sends the client what came after the record `last` in `rooms`, which are among its pending ones, and lets it in there.
/// To be called with the client locked, so that nothing comes in between.
pub fn begin(session: &Arc<Session>, server: &Arc<Server>, rooms: BTreeSet<Room>, last: Seen) {
    let (of, with) = (Arc::clone(session), Arc::clone(server));
    let working = session.work(async move {
        let _turn = of.replaying.lock().await;
        if let Err(error) = run(&of, &with, &rooms, &last).await {
            // The client comes back and tries again.
            with.log().error(&format!("a client could not resume: {error}"));
            of.subscription.queue.end(crate::hub::Why::Slow);
        }
    });
    if !working {
        session.send([event_frame("error", &json!({ "message": "too much is asked at once" }))]);
    }
}

async fn run(session: &Session, server: &Server, rooms: &BTreeSet<Room>, last: &Seen) -> Result<()> {
    let Some(mut reached) = server.history.find(last).await? else {
        enter(session, rooms, |id| {
            let epoch = server.history.epoch();
            let lost = json!({ "reason": "unknown id", "lastEventId": last.id, "id": id, "epoch": epoch });
            session.subscription.queue.push_before(event_frame("reset", &lost));
        });
        return Ok(());
    };
    let Some((wishes, had)) = wishes(session, rooms) else { return Ok(()) };
    loop {
        let page = server.history.page(reached).await?;
        for piece in pieces(&page, &wishes, had) {
            if !session.subscription.queue.drained().await {
                return Ok(());
            }
            session.send([piece]);
        }
        reached = page.last().map_or(reached, |last| last.seq);
        if page.len() < PAGE {
            break;
        }
    }
    // Nearly there: what is new from here on waits until what came in between has been sent.
    let queue = &session.subscription.queue;
    let Some(live) = enter(session, rooms, |_| queue.hold()) else { return Ok(()) };
    let caught_up = catch_up(session, server, &wishes, had, reached, live).await;
    queue.release();
    caught_up
}

/// Sends what came after `reached`, up to `live`, before what is held.
async fn catch_up(
    session: &Session,
    server: &Server,
    wishes: &[Wish],
    had: usize,
    mut reached: i64,
    live: i64,
) -> Result<()> {
    while reached < live {
        let mut page = server.history.page(reached).await?;
        let Some(last) = page.last() else { break };
        reached = last.seq;
        page.retain(|event| event.seq <= live);
        for piece in pieces(&page, wishes, had) {
            session.subscription.queue.push_before(piece);
        }
    }
    Ok(())
}

/// What the client wants in its rooms and in those to come, and how much of that it is sent already. Nothing if it
/// has left.
fn wishes(session: &Session, rooms: &BTreeSet<Room>) -> Option<(Vec<Wish>, usize)> {
    let mut client = session.client();
    let person = Arc::clone(&client.member()?.person);
    let mut wishes = session.subscription.wishes().to_vec();
    let had = wishes.len();
    wishes.extend(Rooms::of(rooms.iter().cloned()).wishes(&person));
    Some((wishes, had))
}

/// Lets the client hear what is new in these rooms, but for those that it has left meanwhile. `at` sees the id of the
/// last record before that; its place is returned.
fn enter(session: &Session, rooms: &BTreeSet<Room>, at: impl FnOnce(&str)) -> Option<i64> {
    let mut client = session.client();
    let member = client.member()?;
    for room in rooms {
        if member.pending.remove(room) {
            member.rooms.join(room.clone());
        }
    }
    let mut place = 0;
    session.subscription.wish(member.rooms.wishes(&member.person), |position, _| {
        place = position.seq;
        at(&position.id);
        Vec::new()
    });
    Some(place)
}

fn pieces(page: &[Event], wishes: &[Wish], had: usize) -> Vec<Bytes> {
    let mut pieces = Vec::new();
    let mut piece = BytesMut::new();
    for frame in page.iter().flat_map(|event| frames(wishes, had, event)) {
        if !piece.is_empty() && piece.len() + frame.len() > PIECE {
            pieces.push(piece.split().freeze());
        }
        piece.extend_from_slice(&frame);
    }
    if !piece.is_empty() {
        pieces.push(piece.freeze());
    }
    pieces
}
