//! `GET /cameras`, `/cameras/ID/snapshot.jpg` and `/cameras/ID/stream.mjpg`.
//!
//! A stream is `multipart/x-mixed-replace`: each picture is a part, and a browser shows the last one in an `<img>`.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::unfold;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use hyper::http::response::Builder;
use hyper::{Method, Request, Response, StatusCode, header};
use serde_json::json;
use tokio::time::timeout;

use super::pace::Wanted;
use super::watch::{Shot, Watch};
use super::{Refusal, camera::Camera};
use crate::access::Person;
use crate::http::{Body, Connection, Endless, plain};
use crate::hub::Why;
use crate::operations::{Surface, Visit};
use crate::server::Server;

/// How long a snapshot waits for a camera that has to begin.
const PATIENCE: Duration = Duration::from_secs(3);

/// A viewer that takes nothing for this long is cut off.
const STALLED: Duration = Duration::from_secs(30);

/// How often a stream without pictures looks whether it should end.
const LOOK: Duration = Duration::from_secs(1);

/// Unsent bytes that the system may hold for a viewer: what waits there grows old.
const UNSENT: libc::c_int = 16 * 1024;

/// What a path asks for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    List,
    Snapshot(String),
    Stream(String),
}

/// Whether the path is one of these.
pub fn is_here(path: &str) -> bool {
    asked(path).is_some()
}

fn asked(path: &str) -> Option<Asked> {
    let rest = path.strip_prefix("/cameras")?;
    let mut parts = rest.split('/').skip(1);
    match (parts.next(), parts.next(), parts.next()) {
        (None, ..) if rest.is_empty() => Some(Asked::List),
        (Some(id), Some("snapshot.jpg"), None) => Some(Asked::Snapshot(crate::http::decode(id))),
        (Some(id), Some("stream.mjpg"), None) => Some(Asked::Stream(crate::http::decode(id))),
        _ => None,
    }
}

/// Answers a request for one of these paths. `?fps=`, `?quality=` (1 to 100) and `?width=` bound what is sent.
pub async fn answer<B>(request: Request<B>, server: Arc<Server>) -> Response<Body> {
    if request.method() != Method::GET {
        return plain(StatusCode::METHOD_NOT_ALLOWED, "GET only");
    }
    let Some(person) = request.extensions().get::<Arc<Person>>().cloned() else {
        return plain(StatusCode::UNAUTHORIZED, "who are you?");
    };
    let Some(asked) = asked(request.uri().path()) else {
        return plain(StatusCode::NOT_FOUND, "nothing here");
    };
    let Some(wanted) = wanted(request.uri().query().unwrap_or_default()) else {
        return plain(StatusCode::BAD_REQUEST, "fps, quality (1 to 100) and width are numbers above 0");
    };
    let watch = |id: &str| server.watch_camera(id, &person, wanted);
    match asked {
        Asked::List => list(&server, &person),
        Asked::Snapshot(id) => match watch(&id) {
            Ok(watch) => snapshot(watch).await,
            Err(refusal) => refuse(refusal),
        },
        Asked::Stream(id) => match watch(&id) {
            Ok(watch) => match request.extensions().get::<Connection>() {
                Some(connection) => stream(watch, server, &person, connection),
                None => plain(StatusCode::INTERNAL_SERVER_ERROR, ""),
            },
            Err(refusal) => refuse(refusal),
        },
    }
}

fn wanted(query: &str) -> Option<Wanted> {
    let (mut fps, mut quality, mut width) = (None, None, None);
    for (name, value) in crate::http::pairs(query) {
        match name.as_str() {
            "fps" => fps = Some(value.parse().ok()?),
            "quality" => quality = Some(value.parse().ok()?),
            "width" => width = Some(value.parse().ok()?),
            _ => {}
        }
    }
    Wanted::new(fps, quality, width)
}

fn refuse(refusal: Refusal) -> Response<Body> {
    match refusal {
        Refusal::Forbidden => plain(StatusCode::FORBIDDEN, "not with this role"),
        Refusal::Unknown => plain(StatusCode::NOT_FOUND, "no such camera"),
        Refusal::Full => later("too many viewers"),
    }
}

fn later(why: &'static str) -> Response<Body> {
    let mut response = plain(StatusCode::SERVICE_UNAVAILABLE, why);
    response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("5"));
    response
}

fn list(server: &Server, person: &Person) -> Response<Body> {
    let one = |camera: Arc<Camera>| {
        let path: String = camera.id.bytes().map(escaped).collect();
        let last = camera.newest.borrow().as_ref().map(|picture| picture.time);
        json!({
            "id": camera.id,
            "state": camera.state(),
            "live": camera.fresh(server.video.frame_age).is_some(),
            "lastFrame": last,
            "viewers": camera.viewers.load(Ordering::Relaxed),
            "snapshot": format!("/cameras/{path}/snapshot.jpg"),
            "stream": format!("/cameras/{path}/stream.mjpg"),
        })
    };
    let cameras = server.video.cameras().into_iter().filter(|camera| person.may_see_camera(&camera.id));
    let list = json!({ "cameras": cameras.map(one).collect::<Vec<_>>() }).to_string();
    finish(head("application/json"), Full::new(list.into()).map_err(|never| match never {}).boxed_unsync())
}

/// A byte as it stands in one part of a path.
fn escaped(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    }
}

fn head(kind: &str) -> Builder {
    Response::builder()
        .header(header::CONTENT_TYPE, kind)
        .header(header::CACHE_CONTROL, "no-store")
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
}

fn finish(head: Builder, body: Body) -> Response<Body> {
    head.body(body).unwrap_or_else(|_| plain(StatusCode::INTERNAL_SERVER_ERROR, ""))
}

async fn snapshot(mut watch: Watch) -> Response<Body> {
    let Ok(shot) = timeout(PATIENCE, watch.next()).await else { return later("no picture") };
    let head = head("image/jpeg").header("x-timestamp", shot.time.to_string());
    finish(head, Full::new(shot.jpeg).map_err(|never| match never {}).boxed_unsync())
}

/// One stream.
struct Stream {
    watch: Watch,
    server: Arc<Server>,
    visit: Visit,
    parts: VecDeque<Bytes>,
}

fn stream(
    watch: Watch,
    server: Arc<Server>,
    person: &Arc<Person>,
    connection: &Connection,
) -> Response<Body> {
    connection.hold_back(UNSENT);
    let visit = server.opened(person, Surface::Video, connection.address);
    let parts = VecDeque::from([Bytes::from_static(b"--frame\r\n")]);
    let stream = Stream { watch, server, visit, parts };
    let frames = unfold(stream, |mut stream| async {
        let bytes = stream.next().await?;
        stream.visit.sent(bytes.len());
        Some((Ok::<_, io::Error>(Frame::data(bytes)), stream))
    });
    let head = head("multipart/x-mixed-replace; boundary=frame").header("x-accel-buffering", "no");
    let mut response = finish(head, StreamBody::new(frames).boxed_unsync());
    response.extensions_mut().insert(Endless { patience: STALLED });
    response
}

impl Stream {
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(part) = self.parts.pop_front() {
            return Some(part);
        }
        let Shot { jpeg, time } = loop {
            let over = self.visit.person.expires.is_some_and(|expires| expires <= self.server.seconds());
            if over || self.server.hub.is_stopping() {
                self.visit.ends(if over { Why::Expired.name() } else { Why::Stopping.name() });
                return None;
            }
            if let Ok(shot) = timeout(LOOK, self.watch.next()).await {
                break shot;
            }
        };
        let length = jpeg.len();
        let head =
            format!("Content-Type: image/jpeg\r\nContent-Length: {length}\r\nX-Timestamp: {time}\r\n\r\n");
        // The next boundary goes with the picture: browsers show it only then.
        self.parts.extend([jpeg, Bytes::from_static(b"\r\n--frame\r\n")]);
        Some(head.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_cameras_and_nothing_else() {
        assert_eq!(asked("/cameras"), Some(Asked::List));
        assert_eq!(asked("/cameras/a/snapshot.jpg"), Some(Asked::Snapshot("a".into())));
        assert_eq!(asked("/cameras/..%2fx/stream.mjpg"), Some(Asked::Stream("../x".into())));
        for path in [
            "/camerasx",
            "/cameras/",
            "/cameras/../x/snapshot.jpg",
            "/cameras/a",
            "/cameras/a/snapshot.jpg/",
            "/",
        ] {
            assert_eq!(asked(path), None, "{path}");
        }
        assert_eq!("../x".bytes().map(escaped).collect::<String>(), "%2E%2E%2Fx");
    }
}
