//! From a request to a session.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode, header};
use serde_json::json;

use super::session::Transport;
use super::{polling, websocket};
use crate::access::Person;
use crate::http::{Body, Connection};
use crate::server::Server;
use crate::socketio::client::Caller;

/// Why a request is refused; the numbers are those of the reference implementation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Neither `polling` nor `websocket`.
    Transport,
    /// No such session (any more).
    Session,
    /// A session begins with GET.
    Method,
    /// Not what the session or its transport allows.
    Request,
    /// Not version 4 of the protocol.
    Version,
    /// Too many sessions.
    Full,
    /// More than a payload may hold.
    Long,
}

impl Refusal {
    /// The answer.
    pub fn answer(self) -> Response<Body> {
        let (status, code, message) = match self {
            Refusal::Transport => (StatusCode::BAD_REQUEST, 0, "Transport unknown"),
            Refusal::Session => (StatusCode::BAD_REQUEST, 1, "Session ID unknown"),
            Refusal::Method => (StatusCode::BAD_REQUEST, 2, "Bad handshake method"),
            Refusal::Request => (StatusCode::BAD_REQUEST, 3, "Bad request"),
            Refusal::Version => (StatusCode::BAD_REQUEST, 5, "Unsupported protocol version"),
            Refusal::Full => (StatusCode::SERVICE_UNAVAILABLE, 3, "Too many sessions"),
            Refusal::Long => (StatusCode::PAYLOAD_TOO_LARGE, 3, "Payload too large"),
        };
        reply(status, "application/json", json!({ "code": code, "message": message }).to_string())
    }
}

/// An answer of text.
pub fn reply(status: StatusCode, kind: &'static str, text: String) -> Response<Body> {
    let body = Full::new(Bytes::from(text)).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}

/// Whether the path is that of Socket.IO.
pub fn is_here(path: &str) -> bool {
    matches!(path, "/socket.io/" | "/socket.io")
}

/// Answers a request of a client. Whom it came from need not be known yet: a client shows its token when it connects
/// to the namespace, and nothing is told before.
pub async fn answer(request: Request<Incoming>, server: Arc<Server>) -> Response<Body> {
    let (mut version, mut transport, mut sid) = (None, None, None);
    for (name, value) in crate::http::pairs(request.uri().query().unwrap_or_default()) {
        match name.as_str() {
            "EIO" => version = Some(value),
            "transport" => transport = Some(value),
            "sid" => sid = Some(value),
            _ => {}
        }
    }
    let Some(address) = request.extensions().get::<Connection>().map(|connection| connection.address) else {
        return Refusal::Request.answer();
    };
    let person = request.extensions().get::<Arc<Person>>().cloned();
    let caller = Caller { person, address };
    let session = match sid {
        None => None,
        Some(sid) => match server.socketio.get(&sid) {
            Some(session) => Some(session),
            None => return Refusal::Session.answer(),
        },
    };
    if session.is_none() && request.method() != Method::GET {
        return Refusal::Method.answer();
    }
    if version.as_deref() != Some("4") {
        return Refusal::Version.answer();
    }
    match (transport.as_deref(), session) {
        (Some("websocket"), session) => websocket::answer(request, session, caller, &server),
        (Some("polling"), None) => polling::open(&server, caller),
        (Some("polling"), Some(session)) if session.transport() == Transport::WebSocket => {
            Refusal::Request.answer()
        }
        (Some("polling"), Some(session)) => match *request.method() {
            Method::GET => polling::get(&session, &server).await,
            Method::POST => polling::post(request, &session, &server).await,
            _ => Refusal::Request.answer(),
        },
        _ => Refusal::Transport.answer(),
    }
}
