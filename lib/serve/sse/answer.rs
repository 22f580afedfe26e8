//! From a request to a stream of events.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use http_body_util::{BodyExt, StreamBody};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Response, StatusCode};

use super::stream::Events;
use crate::access::Person;
use crate::history::Seen;
use crate::http::{Body, Connection, Endless, pairs, plain};
use crate::hub::{Interest, Scope};
use crate::operations::Surface;
use crate::server::Server;

/// Where the stream is.
pub const PATH: &str = "/api/sse/dashboard";

/// How long a client may take nothing before it is cut off.
const STALLED: Duration = Duration::from_secs(10);

/// What a request for the stream asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Of these lots only, if there are any: `?lot=`, repeatable.
    pub lots: Vec<String>,
    /// Of these types only, if there are any: `?type=`, repeatable.
    pub types: Vec<String>,
    /// After this record: the header `Last-Event-ID` or, for the first request of a page, `?lastEventId=`; `?epoch=` names
    /// its log.
    pub last: Option<Seen>,
}

impl Asked {
    /// Reads a query string, which may name `most` filters, and the header, if there is one. The error is for the client.
    pub fn read(query: &str, last_event_id: Option<&str>, most: usize) -> Result<Asked, &'static str> {
        let (mut asked, mut last, mut epoch) = (Asked::default(), None, None);
        for (name, value) in pairs(query) {
            match name.as_str() {
                "lot" | "parkingLotId" => asked.lots.push(value),
                "type" => asked.types.push(super::event::kind(&value).to_owned()),
                "lastEventId" | "last_event_id" => last = Some(value),
                "epoch" => epoch = Some(value),
                _ => {}
            }
            if asked.lots.len() + asked.types.len() > most {
                return Err("too many filters");
            }
        }
        let last = last_event_id.map(str::to_owned).or(last).filter(|id| !id.is_empty());
        asked.last = last.map(|id| Seen { id, epoch });
        Ok(asked)
    }
}

/// Answers a request for the stream, see [`Asked`].
pub async fn answer<B>(request: Request<B>, server: Arc<Server>) -> Response<Body> {
    if request.method() != hyper::Method::GET {
        return plain(StatusCode::METHOD_NOT_ALLOWED, "GET only");
    }
    let header = request.headers().get("last-event-id").and_then(|value| value.to_str().ok());
    let query = request.uri().query().unwrap_or_default();
    let Asked { lots, types, last } = match Asked::read(query, header, server.limits.subscriptions) {
        Ok(asked) => asked,
        Err(reason) => return plain(StatusCode::BAD_REQUEST, reason),
    };
    let scope = if lots.is_empty() { Scope::Everything } else { Scope::Lots(lots) };
    let Some(person) = request.extensions().get::<Arc<Person>>().cloned() else {
        return plain(StatusCode::UNAUTHORIZED, "who are you?");
    };
    let Some(connection) = request.extensions().get::<Connection>() else {
        return plain(StatusCode::INTERNAL_SERVER_ERROR, "");
    };
    let visit = server.opened(&person, Surface::Sse, connection.address);
    let interest = Interest { scope, types, view: person.view() };
    let compressed = takes_gzip(request.headers());
    match Events::open(Arc::clone(&server), visit, interest, last, compressed).await {
        Ok(events) => stream(events, compressed),
        Err(error) => {
            server.log().error(&format!("a client could not resume: {error}"));
            plain(StatusCode::SERVICE_UNAVAILABLE, "the log cannot be read")
        }
    }
}

fn stream(events: Events, compressed: bool) -> Response<Body> {
    let frames = events.map(|frame| frame.map_err(|never| match never {}));
    let mut response = Response::new(StreamBody::new(frames).boxed_unsync());
    let headers = response.headers_mut();
    let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
    set(header::CONTENT_TYPE, "text/event-stream");
    set(header::CACHE_CONTROL, "no-cache, no-transform");
    set(HeaderName::from_static("x-accel-buffering"), "no");
    set(header::VARY, "Accept-Encoding");
    if compressed {
        set(header::CONTENT_ENCODING, "gzip");
    }
    response.extensions_mut().insert(Endless { patience: STALLED });
    response
}

/// Whether the client lists gzip and does not weigh it at nothing (RFC 9110, section 12.5.3).
fn takes_gzip(headers: &HeaderMap) -> bool {
    let lists = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let nothing = |weight: &str| {
            weight.strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()).is_some_and(|q| q <= 0.0)
        };
        gzip && !parts.any(nothing)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_for_those_who_ask_for_it() {
        let takes = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, value.parse().unwrap());
            takes_gzip(&headers)
        };
        assert!(["gzip", "br, GZIP;q=0.5", "deflate,gzip"].into_iter().all(takes));
        assert!(!["", "br", "gzip;q=0", "gzip; q=0.0", "*", "xgzip"].into_iter().any(takes));
    }
}
