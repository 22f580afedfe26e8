//! The WebSocket: a session of its own, or one that was polled until then.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper::{Request, Response};
use tokio::time::{Instant, interval, sleep_until, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::LONGEST;
use super::door::Refusal;
use super::packet::{self, Malformed, Packet};
use super::session::{Session, Taken, Transport};
use crate::channels::message::text_frame;
use crate::channels::socket::{Socket, Turn, farewell};
use crate::channels::upgrade::switch;
use crate::http::{Body, Connection};
use crate::hub;
use crate::server::Server;
use crate::socketio::client::{Caller, last_words};

/// Bytes that a connection holds to read into.
const BUFFER: usize = 1024;

/// How long a client may try a WebSocket before it takes it.
const TRIAL: Duration = Duration::from_secs(10);

/// How often a request that waits meanwhile is answered with nothing, so that the client can take the WebSocket.
const RELEASE: Duration = Duration::from_millis(100);

/// Answers a request to upgrade, for a new session or for `session`.
pub fn answer(
    mut request: Request<Incoming>,
    session: Option<Arc<Session>>,
    caller: Caller,
    server: &Arc<Server>,
) -> Response<Body> {
    let connection = request.extensions().get::<Connection>().cloned();
    let Some((response, upgrade)) = switch(&mut request) else { return Refusal::Request.answer() };
    let server = Arc::clone(server);
    match session {
        Some(session) => {
            if !session.switch(Transport::Polling, Transport::Upgrading) {
                return Refusal::Request.answer();
            }
            tokio::spawn(async move {
                take_over(upgrade, &session, &server).await;
                drop(connection);
            });
        }
        None => {
            let Some(session) = server.socketio.open(&server, caller, Transport::WebSocket) else {
                return Refusal::Full.answer();
            };
            let sessions = &server.socketio;
            let (interval, timeout) = (sessions.interval.as_millis(), sessions.timeout.as_millis());
            let open = packet::open(&session.sid, false, interval, timeout, LONGEST);
            session.send([text_frame(open.as_bytes())]);
            tokio::spawn(async move {
                if let Ok(upgraded) = upgrade.await {
                    let socket = Socket::new(upgraded, None, LONGEST, BUFFER).await;
                    serve(socket, &session, &server).await;
                }
                server.socketio.remove(&session);
                drop(connection);
            });
        }
    }
    response
}

/// Serves a session until it ends.
async fn serve(mut socket: Socket, session: &Arc<Session>, server: &Arc<Server>) {
    loop {
        if !socket.is_visited() {
            socket.belongs(session.visit());
        }
        let taken = match socket.turn(&session.subscription.queue).await {
            Turn::Message(message) => take(session, server, &message),
            Turn::Ended(why) => {
                let words = last_words(why, &mut session.client());
                let (code, reason) = farewell(why);
                return Box::pin(socket.leave(words, code, reason)).await;
            }
            Turn::Gone => return,
        };
        match taken {
            Ok(Taken::Going) => {}
            Ok(Taken::Left) => return Box::pin(socket.leave(Vec::new(), CloseCode::Normal, "")).await,
            Err(Malformed) => {
                return Box::pin(socket.leave(waiting(session), CloseCode::Protocol, "not a packet")).await;
            }
        }
    }
}

/// What was to be sent already: a refusal comes before the end of a client that does not heed it.
fn waiting(session: &Session) -> Vec<Bytes> {
    let mut context = Context::from_waker(Waker::noop());
    match session.subscription.queue.poll_take(&mut context, LONGEST) {
        Poll::Ready(hub::Taken::Frames(frames)) => frames,
        _ => Vec::new(),
    }
}

fn take(session: &Arc<Session>, server: &Arc<Server>, message: &Message) -> Result<Taken, Malformed> {
    match message {
        Message::Text(text) => session.take(server, Packet::read(text)?),
        Message::Binary(bytes) => session.take(server, Packet::Binary(bytes.as_ref().into())),
        _ => Ok(Taken::Going),
    }
}

/// Lets the client try the WebSocket, and serves the session over it once the client takes it.
async fn take_over(upgrade: OnUpgrade, session: &Arc<Session>, server: &Arc<Server>) {
    if let Some(socket) = tried(upgrade, session).await {
        serve(socket, session, server).await;
    } else if session.switch(Transport::Upgrading, Transport::Polling) {
        // It goes on as it was.
        return;
    }
    server.socketio.remove(session);
}

/// The WebSocket, once `2probe` was answered, `5` has come, and nobody polls any more.
async fn tried(upgrade: OnUpgrade, session: &Arc<Session>) -> Option<Socket> {
    let deadline = Instant::now() + TRIAL;
    let upgraded: Upgraded = timeout_at(deadline, upgrade).await.ok()?.ok()?;
    let mut socket = Socket::new(upgraded, None, LONGEST, BUFFER).await;
    let mut release = interval(RELEASE);
    let (mut probed, mut taken) = (false, false);
    while !taken || session.is_polling() {
        tokio::select! {
            () = sleep_until(deadline) => return None,
            _ = release.tick(), if probed => {
                if session.is_polling() {
                    session.send([text_frame(b"6")]);
                }
            }
            message = socket.message(), if !taken => match message?.to_text().ok()? {
                "2probe" if !probed => {
                    socket.write(vec![text_frame(b"3probe")]).await.ok()?;
                    probed = true;
                }
                "5" if probed => {
                    taken = true;
                    session.switch(Transport::Upgrading, Transport::WebSocket);
                }
                _ => return None,
            }
        }
    }
    Some(socket)
}
