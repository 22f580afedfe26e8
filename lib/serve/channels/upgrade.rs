//! From HTTP to WebSocket (RFC 6455, section 4.2) as a warp filter, without warp's own large buffers.

use hyper::upgrade::OnUpgrade;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use warp::http::{HeaderValue, Method, Request, Response, StatusCode, header};
use warp::reject::Rejection;
use warp::{Filter, Reply};

use crate::access::credential;
use crate::http::{Body, plain};

/// A request to upgrade, with all its headers right.
#[derive(Debug, Clone)]
pub struct Upgrade {
    accept: String,
    /// Whether the client sent its token as a subprotocol, and so waits to hear that it is spoken.
    bearer: bool,
    /// Becomes the connection once the answer has gone out.
    pub connection: OnUpgrade,
}

impl Upgrade {
    /// The answer that switches protocols.
    pub fn accept(&self) -> impl Reply + use<> {
        let answer = Response::builder()
            .status(StatusCode::SWITCHING_PROTOCOLS)
            .header(header::CONNECTION, "upgrade")
            .header(header::UPGRADE, "websocket")
            .header(header::SEC_WEBSOCKET_ACCEPT, &self.accept);
        let answer = match self.bearer {
            true => answer.header(header::SEC_WEBSOCKET_PROTOCOL, credential::SUBPROTOCOL),
            false => answer,
        };
        answer.body("")
    }
}

/// The same for a request that no filter has seen: the answer that switches protocols, and what becomes the connection
/// once that has gone out. Nothing if the request does not ask for it rightly.
pub fn switch<B>(request: &mut Request<B>) -> Option<(Response<Body>, OnUpgrade)> {
    let headers = request.headers();
    let lists = |name: header::HeaderName, word: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        value.split(',').any(|token| token.trim().eq_ignore_ascii_case(word))
    };
    let version = headers.get(header::SEC_WEBSOCKET_VERSION).is_some_and(|version| version == "13");
    let right = lists(header::CONNECTION, "upgrade") && lists(header::UPGRADE, "websocket") && version;
    let key = headers.get(header::SEC_WEBSOCKET_KEY).filter(|_| right && request.method() == Method::GET)?;
    let accept = derive_accept_key(key.as_bytes());
    let mut response = plain(StatusCode::SWITCHING_PROTOCOLS, "");
    let headers = response.headers_mut();
    headers.clear();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, HeaderValue::from_str(&accept).ok()?);
    Some((response, hyper::upgrade::on(request)))
}

/// Matches a request to upgrade to WebSocket.
pub fn upgrade() -> impl Filter<Extract = (Upgrade,), Error = Rejection> + Clone {
    let lists = |name: &'static str, word: &'static str| {
        warp::header::<String>(name).and_then(move |value: String| async move {
            let listed = value.split(',').any(|token| token.trim().eq_ignore_ascii_case(word));
            if listed { Ok(()) } else { Err(warp::reject::not_found()) }
        })
    };
    warp::get()
        .and(lists("connection", "upgrade").untuple_one())
        .and(lists("upgrade", "websocket").untuple_one())
        .and(warp::header::exact("sec-websocket-version", "13"))
        .and(warp::header::<String>("sec-websocket-key"))
        .and(warp::header::headers_cloned())
        .and(warp::ext::get::<OnUpgrade>())
        .map(|key: String, headers, connection| Upgrade {
            accept: derive_accept_key(key.as_bytes()),
            bearer: credential::offers_subprotocol(&headers),
            connection,
        })
}
