//! Long polling: GET waits for what is sent, POST brings what the client sends.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode, header};
use tokio::time::timeout;

use super::LONGEST;
use super::door::{Refusal, reply};
use super::packet::{self, Packet};
use super::session::{Session, Taken, Transport};
use crate::channels::message::text_frame;
use crate::http::Body;
use crate::hub::{self, Why};
use crate::server::Server;
use crate::socketio::client::{Caller, last_words};

/// What one answer holds, about.
const WRITE: usize = 64 * 1024;

/// How long the body of a request may take.
const BODY: Duration = Duration::from_secs(10);

fn text(text: String) -> Response<Body> {
    reply(StatusCode::OK, "text/plain; charset=UTF-8", text)
}

/// Begins a session.
pub fn open(server: &Arc<Server>, caller: Caller) -> Response<Body> {
    let sessions = &server.socketio;
    let Some(session) = sessions.open(server, caller, Transport::Polling) else {
        return Refusal::Full.answer();
    };
    text(packet::open(
        &session.sid,
        true,
        sessions.interval.as_millis(),
        sessions.timeout.as_millis(),
        LONGEST,
    ))
}

/// Waits until something is to be sent, and sends it.
pub async fn get(session: &Arc<Session>, server: &Arc<Server>) -> Response<Body> {
    let Some(_busy) = session.poll() else {
        // Two at once would tear what is sent apart.
        session.subscription.queue.end(Why::Replaced);
        return Refusal::Request.answer();
    };
    let waiting = Waiting { session, server };
    let taken = session.subscription.queue.take(WRITE).await;
    // What was taken goes out.
    std::mem::forget(waiting);
    match taken {
        hub::Taken::Frames(frames) => {
            let payload = packet::payload_of(&frames);
            if let Some(visit) = session.visit() {
                visit.sent(payload.len());
            }
            text(payload)
        }
        hub::Taken::End(why) => {
            let words = last_words(why, &mut session.client());
            if !words.is_empty() {
                // The stock client forgets messages that come together with the end.
                return text(packet::payload_of(&words));
            }
            if let Some(visit) = session.visit() {
                visit.ends(why.name());
            }
            server.socketio.remove(session);
            text("1".to_owned())
        }
    }
}

/// A client that gives up waiting is gone.
struct Waiting<'a> {
    session: &'a Arc<Session>,
    server: &'a Arc<Server>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.server.socketio.remove(self.session);
    }
}

/// Takes what the client sends.
pub async fn post(
    request: Request<Incoming>,
    session: &Arc<Session>,
    server: &Arc<Server>,
) -> Response<Body> {
    let Some(_busy) = session.post() else {
        session.subscription.queue.end(Why::Replaced);
        return Refusal::Request.answer();
    };
    let declared = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    if declared.and_then(|length| length.parse::<usize>().ok()).is_some_and(|length| length > LONGEST) {
        return Refusal::Long.answer();
    }
    let body = match timeout(BODY, Limited::new(request.into_body(), LONGEST).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) => return Refusal::Long.answer(),
        Err(_) => return reply(StatusCode::REQUEST_TIMEOUT, "text/plain", "too slow".into()),
    };
    let taken = std::str::from_utf8(&body).map_err(|_| packet::Malformed).and_then(|payload| {
        Packet::of_payload(payload).try_fold(Taken::Going, |taken, packet| match taken {
            Taken::Going => session.take(server, packet?),
            Taken::Left => Ok(Taken::Left),
        })
    });
    match taken {
        Ok(Taken::Going) => {}
        Ok(Taken::Left) => {
            // Whoever still waits learns that nothing more comes.
            session.send([text_frame(b"6")]);
            server.socketio.remove(session);
        }
        Err(packet::Malformed) => {
            server.socketio.remove(session);
            return Refusal::Request.answer();
        }
    }
    reply(StatusCode::OK, "text/html", "ok".into())
}
