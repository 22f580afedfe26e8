//! From a request to a stream of events.

use std::sync::Arc;

use futures_util::StreamExt;
use http_body_util::{BodyExt, StreamBody};
use hyper::{Request, Response, StatusCode, header};

use super::stream::Events;
use crate::access::Person;
use crate::http::{Body, Connection, pairs, plain};
use crate::hub::{Interest, Scope};
use crate::operations::Surface;
use crate::server::Server;

/// Where the stream is.
pub const PATH: &str = "/api/sse/dashboard";

/// Values one query may name of each filter.
const FILTERS: usize = 100;

/// What a request for the stream asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Of these lots only, if there are any: `?lot=`, repeatable.
    pub lots: Vec<String>,
    /// Of these types only, if there are any: `?type=`, repeatable.
    pub types: Vec<String>,
    /// After this record: the header `Last-Event-ID` or, for the first request of a page, `?lastEventId=`.
    pub last: Option<String>,
}

impl Asked {
    /// Reads a query string and the header, if there is one. The error is for the client.
    pub fn read(query: &str, last_event_id: Option<&str>) -> Result<Asked, &'static str> {
        let mut asked = Asked::default();
        for (name, value) in pairs(query) {
            match name.as_str() {
                "lot" | "parkingLotId" if asked.lots.len() < FILTERS => asked.lots.push(value),
                "type" if asked.types.len() < FILTERS => {
                    asked.types.push(super::event::kind(&value).to_owned());
                }
                "lot" | "parkingLotId" | "type" => return Err("too many filters"),
                "lastEventId" | "last_event_id" => asked.last = Some(value),
                _ => {}
            }
        }
        let last = last_event_id.map(str::to_owned).or(asked.last);
        asked.last = last.filter(|id| !id.is_empty());
        Ok(asked)
    }
}

/// Answers a request for the stream, see [`Asked`].
pub async fn answer<B>(request: Request<B>, server: Arc<Server>) -> Response<Body> {
    if request.method() != hyper::Method::GET {
        return plain(StatusCode::METHOD_NOT_ALLOWED, "GET only");
    }
    let header = request.headers().get("last-event-id").and_then(|value| value.to_str().ok());
    let Asked { lots, types, last } = match Asked::read(request.uri().query().unwrap_or_default(), header) {
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
    let cut = Some(Arc::clone(&connection.cut));
    match Events::open(Arc::clone(&server), visit, interest, last, cut).await {
        Ok(events) => Response::builder()
            .header(header::CONTENT_TYPE, "text/event-stream")
            .header(header::CACHE_CONTROL, "no-cache, no-transform")
            .header("x-accel-buffering", "no")
            .body(stream_body(events))
            .unwrap_or_else(|_| plain(StatusCode::INTERNAL_SERVER_ERROR, "")),
        Err(error) => {
            server.log().error(&format!("a client could not resume: {error}"));
            plain(StatusCode::SERVICE_UNAVAILABLE, "the log cannot be read")
        }
    }
}

fn stream_body(events: Events) -> Body {
    let frames = events.map(|frame| frame.map_err(|never| match never {}));
    StreamBody::new(frames).boxed_unsync()
}
