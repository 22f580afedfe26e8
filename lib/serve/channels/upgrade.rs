//! From HTTP to WebSocket (RFC 6455, section 4.2) as a warp filter, without warp's own large buffers.

use hyper::upgrade::OnUpgrade;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use warp::http::{Response, StatusCode, header};
use warp::reject::Rejection;
use warp::{Filter, Reply};

use crate::access::credential;

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
