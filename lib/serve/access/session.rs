//! `/api/session`: a browser signs in and out. `/api/ticket`: a ticket for what can send no token.

use std::sync::Arc;

use serde_json::{Value, json};
use warp::filters::BoxedFilter;
use warp::http::{HeaderMap, StatusCode, header};
use warp::reply::{Response, json, with_header, with_status};
use warp::{Filter, Reply};

use super::credential::{self, COOKIE};
use super::ticket::LIFE;
use super::{Person, Role};
use crate::http::Connection;
use crate::server::Server;

/// * `GET /api/session`: who I am. `POST` puts the bearer's token into a cookie that no script can read and no other
///   site can use; `DELETE` takes it away.
/// * `POST /api/ticket`: a ticket, for `?ticket=` at a WebSocket, a stream or a picture, once within a minute.
pub fn routes(server: &Arc<Server>) -> BoxedFilter<(Response,)> {
    let shared = Arc::clone(server);
    let server = warp::any().map(move || Arc::clone(&shared));
    let person = warp::ext::get::<Arc<Person>>();
    let session = warp::path!("api" / "session");
    let show =
        session.and(warp::get()).and(person).and(server.clone()).map(
            |person: Arc<Person>, server: Arc<Server>| json(&describe(&person, &server)).into_response(),
        );
    let begin = session
        .and(warp::post())
        .and(person)
        .and(warp::header::headers_cloned())
        .and(warp::ext::get::<Connection>())
        .and(server.clone())
        .map(begin);
    let end = session.and(warp::delete()).and(warp::ext::get::<Connection>()).map(end);
    let ticket = warp::path!("api" / "ticket").and(warp::post()).and(person).and(server).map(ticket);
    show.or(begin).unify().or(end).unify().or(ticket).unify().boxed()
}

fn describe(person: &Person, server: &Server) -> Value {
    json!({
        "name": person.name,
        "role": person.role,
        "gate_id": person.gate_id,
        "expires": person.expires,
        "open": server.access.is_open(),
        "may": {
            "watch": person.may_watch(),
            "command": person.may_command(),
            "administer": person.role == Role::Admin,
        },
    })
}

fn begin(person: Arc<Person>, headers: HeaderMap, connection: Connection, server: Arc<Server>) -> Response {
    let answer = json(&describe(&person, &server));
    if server.access.is_open() {
        return answer.into_response();
    }
    let Some(token) = credential::bearer(&headers) else {
        let answer = json(&json!({ "success": false, "error": "send the token as Authorization: Bearer" }));
        return with_status(answer, StatusCode::BAD_REQUEST).into_response();
    };
    let life = person.expires.unwrap_or(0).saturating_sub(server.seconds());
    with_header(answer, header::SET_COOKIE, cookie(token, life, is_secure(&headers, &connection)))
        .into_response()
}

fn end(connection: Connection) -> Response {
    let answer = json(&json!({ "success": true }));
    with_header(answer, header::SET_COOKIE, cookie("", 0, connection.secure)).into_response()
}

/// A page that came over TLS says so itself when a proxy speaks TLS for us.
fn is_secure(headers: &HeaderMap, connection: &Connection) -> bool {
    let origin = headers.get(header::ORIGIN).map_or(&b""[..], |origin| origin.as_bytes());
    connection.secure || origin.starts_with(b"https://")
}

fn cookie(token: &str, life: u64, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{COOKIE}={token}; Path=/; Max-Age={life}; HttpOnly; SameSite=Strict{secure}")
}

fn ticket(person: Arc<Person>, server: Arc<Server>) -> Response {
    match server.access.ticket(&person, server.seconds()) {
        Some(ticket) => json(&json!({ "ticket": ticket, "expires_in": LIFE })).into_response(),
        None => {
            let answer = json(&json!({ "success": false, "error": "too many tickets are out" }));
            let answer = with_status(answer, StatusCode::TOO_MANY_REQUESTS);
            with_header(answer, header::RETRY_AFTER, LIFE).into_response()
        }
    }
}
