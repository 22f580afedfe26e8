//! The order in which a request meets its guards, and then what answers it.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::service::Service;
use hyper::{Method, Request, Response, StatusCode};
use serde_json::json;
use tokio::time::timeout;

use super::limits::{TooMany, count};
use super::{Body, Connection, json_of, pages, plain};
use crate::access::Person;
use crate::server::Server;
use crate::{socketio, sse, video};

/// How long a request with a body may take in all.
const WHOLE: Duration = Duration::from_secs(10);

/// What the stock Socket.IO client asks for. It shows its token once it is connected, see dialect C.
const SOCKET_IO: &str = "/socket.io";

/// The routes as a service; warp's own type has no name.
pub trait Routes:
    Service<Request<Incoming>, Response = warp::reply::Response, Error = Infallible, Future: Send>
    + Clone
    + Send
    + 'static
{
}

impl<R> Routes for R where
    R: Service<Request<Incoming>, Response = warp::reply::Response, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static
{
}

/// Answers a request that came on `connection`.
pub async fn answer(
    mut request: Request<Incoming>,
    mut connection: Connection,
    routes: impl Routes,
    server: Arc<Server>,
) -> Response<Body> {
    let shared_with = server.doors.shared_with(request.headers()).cloned();
    // A proxy's connection may carry one client's requests after another's: a stream is the last of them, so that what is
    // held for it is given back with it.
    let origin = server.limits.proxies.origin(connection.address, request.headers());
    connection.forwarded = origin != connection.address;
    connection.address = origin;
    request.extensions_mut().insert(connection.clone());
    let unlooked = [header::TRANSFER_ENCODING, header::UPGRADE];
    let last = unlooked.iter().any(|name| request.headers().contains_key(name))
        || (connection.forwarded && stays_open(&request));
    let mut response = match admit(&mut request, &connection, &server) {
        Err(refusal) => *refusal,
        Ok(()) if request.method() == Method::OPTIONS => plain(StatusCode::NO_CONTENT, ""),
        Ok(()) => dispatch(request, routes, &server).await,
    };
    let switching = response.status() == StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    if last && !switching {
        // See `strict`.
        set(headers, header::CONNECTION, "close");
    }
    if connection.secure {
        set(headers, header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    if let Some(origin) = shared_with {
        share(headers, origin);
    }
    response
}

async fn dispatch(request: Request<Incoming>, routes: impl Routes, server: &Arc<Server>) -> Response<Body> {
    if request.uri().path() == sse::PATH {
        return sse::answer(request, Arc::clone(server)).await;
    }
    if socketio::is_here(request.uri().path()) {
        return socketio::answer(request, Arc::clone(server)).await;
    }
    if video::door::is_here(request.uri().path()) {
        return video::door::answer(request, Arc::clone(server)).await;
    }
    match timeout(WHOLE, routes.call(request)).await {
        Ok(Ok(response)) => response.map(|body| body.map_err(io::Error::other).boxed_unsync()),
        Ok(Err(never)) => match never {},
        Err(_) => {
            count(&server.limits.counts.too_slow);
            let mut response = plain(StatusCode::REQUEST_TIMEOUT, "too slow");
            set(response.headers_mut(), header::CONNECTION, "close");
            response
        }
    }
}

/// Lets a request in, with the person who sends it among its extensions, or says why not.
fn admit(
    request: &mut Request<Incoming>,
    connection: &Connection,
    server: &Server,
) -> Result<(), Box<Response<Body>>> {
    let (method, headers) = (request.method(), request.headers());
    let counts = &server.limits.counts;
    if let Some((status, reason)) = server.doors.refuses(method, request.uri().path(), headers) {
        count(&counts.foreign);
        return Err(Box::new(plain(status, reason)));
    }
    server.limits.ask_from(connection.address).map_err(too_often)?;
    if stays_open(request) {
        connection.take_place(server).map_err(too_often)?;
    }
    if *method == Method::OPTIONS {
        return Ok(());
    }
    // What is packed could be very much larger than it looks.
    if headers
        .get(header::CONTENT_ENCODING)
        .is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
    {
        return Err(Box::new(plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send the body as it is")));
    }
    if !server.doors.cookie_counts(method, headers) {
        request.headers_mut().remove(header::COOKIE);
    }
    // A ticket in an address is for what can send no header, which only ever gets.
    let query = request.uri().query().filter(|_| request.method() == Method::GET);
    match server.access.who(request.headers(), query, server.seconds()) {
        Ok(person) => {
            server.limits.ask_by(&person).map_err(too_often)?;
            if opens_stream(request) && !connection.sit_down(&person, server) {
                return Err(too_often(5));
            }
            request.extensions_mut().insert(person);
            Ok(())
        }
        Err(_) if is_open(request.uri().path()) => Ok(()),
        Err(refused) => {
            count(&counts.unauthenticated);
            server.log().debug(&format!("{} is not let in: {}", connection.address, refused.0));
            Err(who_are_you())
        }
    }
}

/// What answers everybody: whether the server works, the page that lets people sign in, and the dialect whose clients
/// show their token later.
fn is_open(path: &str) -> bool {
    path == "/healthz" || path.starts_with(SOCKET_IO) || pages::is_page(path)
}

/// Whether a request asks for something that stays open.
fn stays_open(request: &Request<Incoming>) -> bool {
    let path = request.uri().path();
    request.headers().contains_key(header::UPGRADE) || path == sse::PATH || path.ends_with(".mjpg")
}

/// Whether that counts among the streams of an account. Socket.IO counts its own clients.
fn opens_stream(request: &Request<Incoming>) -> bool {
    stays_open(request) && !request.uri().path().starts_with(SOCKET_IO)
}

/// The one answer to every token that does not count.
fn who_are_you() -> Box<Response<Body>> {
    let mut response =
        json_of(StatusCode::UNAUTHORIZED, &json!({ "success": false, "error": "who are you?" }));
    set(response.headers_mut(), header::WWW_AUTHENTICATE, "Bearer");
    Box::new(response)
}

/// So many seconds later it may be tried again.
fn too_often(seconds: u64) -> Box<Response<Body>> {
    let answer = json!({ "success": false, "error": "too many requests" });
    let mut response = json_of(StatusCode::TOO_MANY_REQUESTS, &answer);
    response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    Box::new(response)
}

/// Lets pages of `origin` read the answer.
fn share(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    set(headers, header::VARY, "Origin");
    set(headers, header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
    set(headers, header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PUT, DELETE");
    set(headers, header::ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type, Last-Event-ID");
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}

impl Connection {
    /// Takes a place for a stream of whom a proxy speaks for; who comes by themselves got one with their connection. If
    /// there is none, after how many seconds there may be one.
    fn take_place(&self, server: &Server) -> Result<(), u64> {
        if !self.forwarded {
            return Ok(());
        }
        match server.limits.connect(self.address) {
            // Nothing is open on it yet: a stream is the last that a proxy's connection carries.
            Ok(place) => place.map_or(Ok(()), |place| self.places.address.set(place).map_err(|_| 5)),
            Err(TooMany::Open) => Err(5),
            Err(TooMany::Often(seconds)) => Err(seconds),
        }
    }

    /// Takes a place for a stream of `person`, unless this connection has one already.
    fn sit_down(&self, person: &Person, server: &Server) -> bool {
        if person.expires.is_none() || self.places.account.get().is_some() {
            return true;
        }
        server.limits.stream(person).is_some_and(|seat| self.places.account.set(seat).is_ok())
    }
}
