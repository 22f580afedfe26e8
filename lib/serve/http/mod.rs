//! The door: one port for pages, REST, streams and WebSockets.
//!
//! * [`accept`]: connections, within [`limits`], over [`tls`] or not; [`strict`] about line ends.
//! * [`answer`]: the order in which a request meets its guards, and then stream or routes.
//! * [`endless`]: answers without an end, written beside hyper.
//! * [`doors`]: whom a request may come from. [`proxies`]: from where, if one passes it on.
//! * [`routes`]: the paths, as warp filters.
//! * [`pages`]: the dashboard's files.
//! * [`query`]: queries and paths, decoded.

pub mod accept;
pub mod answer;
pub mod doors;
pub mod endless;
pub mod limits;
pub mod pages;
pub mod proxies;
pub mod query;
pub mod routes;
pub mod strict;
pub mod tls;

use std::net::IpAddr;
use std::os::fd::RawFd;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::{Response, StatusCode, header};
use serde_json::Value;

pub use doors::Doors;
pub use endless::Endless;
use limits::Place;
pub use query::{decode, pairs};

/// A connection's share of what is allowed; the last who holds it gives it back.
pub type Permit = Arc<accept::Held>;

/// The body of an answer of any kind.
pub type Body = UnsyncBoxBody<Bytes, std::io::Error>;

/// The connection that a request came on; whoever takes it over keeps this as long as it lives.
#[derive(Clone)]
pub struct Connection {
    /// Where it can be taken over.
    exit: Arc<endless::Exit>,
    /// Its share of the connections allowed.
    pub permit: Permit,
    /// Where the request comes from: the other end, or whom a trusted proxy there speaks for.
    pub address: IpAddr,
    /// Whether it is one of TLS.
    pub secure: bool,
    /// Its socket, which is open as long as a request of it is being answered.
    pub socket: RawFd,
    /// Whether a proxy speaks for it.
    forwarded: bool,
    /// What it holds once it is a stream.
    places: Arc<Places>,
}

/// What a stream holds.
#[derive(Default)]
struct Places {
    /// A place among the streams of its account.
    account: OnceLock<Place<String>>,
    /// A place among the connections of its address, if a proxy speaks for it.
    address: OnceLock<Place<IpAddr>>,
}

impl Connection {
    fn new(permit: Permit, address: IpAddr, secure: bool, socket: RawFd) -> Connection {
        let (exit, places) = (Arc::default(), Arc::default());
        Connection { exit, permit, address, secure, socket, forwarded: false, places }
    }

    /// Lets the system take no more than about `bytes` that have not left yet, so that whoever writes notices at once when
    /// the other side is slow (`TCP_NOTSENT_LOWAT`). To be called while a request of this connection is answered.
    pub fn hold_back(&self, bytes: libc::c_int) {
        let length = size_of::<libc::c_int>() as libc::socklen_t;
        let value = (&raw const bytes).cast();
        // SAFETY: `value` points to an integer of this length that outlives the call, which only reads it. A refusal leaves
        // the socket as it was.
        unsafe {
            libc::setsockopt(self.socket, libc::IPPROTO_TCP, libc::TCP_NOTSENT_LOWAT, value, length);
        }
    }
}

/// A short answer in JSON.
pub fn json_of(status: StatusCode, value: &Value) -> Response<Body> {
    let body = Full::new(Bytes::from(value.to_string())).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}

/// A short answer in plain text.
pub fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let body = Full::new(Bytes::from_static(text.as_bytes())).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let kind = header::HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
