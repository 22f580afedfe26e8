//! The paths, as warp filters.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use warp::filters::BoxedFilter;
use warp::http::StatusCode;
use warp::reply::{Response, json, with_status};
use warp::{Filter, Rejection, Reply};

use super::{Connection, pages};
use crate::access::{self, Person};
use crate::channels::upgrade::{Upgrade, upgrade};
use crate::channels::{controller, dashboard, message};
use crate::hub::Event;
use crate::operations::{Action, Surface, Visitor};
use crate::server::Server;
use crate::{metrics, monitors, realtime, sse};

/// The longest body of a request.
const LONGEST: u64 = 64 * 1024;

/// Everything but the stream of events, which stands before these.
pub fn routes(server: &Arc<Server>) -> BoxedFilter<(Response,)> {
    let monitoring = monitors::routes::routes(server);
    let shared = Arc::clone(server);
    let server = {
        let shared = Arc::clone(&shared);
        warp::any().map(move || Arc::clone(&shared))
    };
    let person = warp::ext::get::<Arc<Person>>();
    let status = warp::path!("status").and(warp::get()).and(person).and(server.clone()).map(
        |person: Arc<Person>, server: Arc<Server>| match person.may_watch() {
            true => status(&server),
            false => forbidden(),
        },
    );
    let health = warp::path!("healthz")
        .and(warp::get())
        .and(server.clone())
        .map(|server: Arc<Server>| health(&server));
    let state = warp::path!("api" / "state")
        .and(warp::get())
        .and(person)
        .and(server.clone())
        .map(|person: Arc<Person>, server: Arc<Server>| state(&person, &server));
    let capacity = warp::path!("api" / "capacity" / "update")
        .and(warp::post())
        .and(visitor())
        .and(warp::body::content_length_limit(LONGEST))
        .and(warp::body::bytes())
        .and(server.clone())
        .then(capacity);
    let controllers = warp::path!("ws" / "controller" / String)
        .and_then(gate_id)
        .and(upgrade())
        .and(warp::ext::get::<Connection>())
        .and(person)
        .and(server.clone())
        .map(|gate: String, upgrade: Upgrade, connection: Connection, person: Arc<Person>, server| {
            if !person.may_control(&gate) {
                return forbidden();
            }
            let answer = upgrade.accept().into_response();
            let visitor = Visitor { person, surface: Surface::Controller, address: connection.address };
            take_over(upgrade, move |upgraded| {
                controller::serve(upgraded, connection, server, visitor, gate)
            });
            answer
        });
    let dashboards = warp::path!("ws" / String)
        .and_then(gate_id)
        .and(upgrade())
        .and(warp::ext::get::<Connection>())
        .and(person)
        .and(server)
        .map(|name: String, upgrade: Upgrade, connection: Connection, person: Arc<Person>, server| {
            let admin = name == "admin";
            if !(person.may_administer() || person.may_watch() && !admin) {
                return forbidden();
            }
            let answer = upgrade.accept().into_response();
            let visitor = Visitor { person, surface: Surface::Channel, address: connection.address };
            take_over(upgrade, move |upgraded| dashboard::serve(upgraded, connection, server, visitor, name));
            answer
        });
    let rest = status.or(health).unify().or(state).unify().or(capacity).unify().or(monitoring).unify();
    let rest = rest.or(realtime::rest::routes(&shared)).unify().or(metrics::routes(&shared)).unify();
    let rest = rest.or(access::session::routes(&shared)).unify();
    let sockets = controllers.or(dashboards).unify();
    let all = rest.or(sockets).unify().or(pages::pages().map(Reply::into_response)).unify();
    all.recover(refusal).unify().boxed()
}

/// Who sends a single request, for the trail.
pub fn visitor() -> impl Filter<Extract = (Visitor,), Error = Rejection> + Clone {
    warp::ext::get::<Arc<Person>>().and(warp::ext::get::<Connection>()).map(
        |person: Arc<Person>, connection: Connection| Visitor {
            person,
            surface: Surface::Rest,
            address: connection.address,
        },
    )
}

/// Not for somebody of this role.
fn forbidden() -> Response {
    let answer = json(&json!({ "success": false, "error": "not with this role" }));
    with_status(answer, StatusCode::FORBIDDEN).into_response()
}

/// Serves the connection once the answer has gone out and it speaks WebSocket: by a task of its own, which keeps no room
/// for what came before.
fn take_over<F: Future<Output = ()> + Send + 'static>(
    upgrade: Upgrade,
    serve: impl FnOnce(hyper::upgrade::Upgraded) -> F + Send + 'static,
) {
    tokio::spawn(async move {
        if let Ok(upgraded) = upgrade.connection.await {
            tokio::spawn(serve(upgraded));
        }
    });
}

/// A name that may stand in a path as it is.
async fn gate_id(name: String) -> Result<String, Rejection> {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte);
    match name.len() {
        1..=128 if name.bytes().all(fine) => Ok(name),
        _ => Err(warp::reject::not_found()),
    }
}

/// Active channels with their clients, connected controllers, the latest data of each gate, counts.
fn status(server: &Server) -> Response {
    let mut channels = server.hub.channels();
    let streams = channels.remove("sse").unwrap_or(0);
    channels.remove("socketio");
    channels.retain(|name, _| !name.starts_with("controller/"));
    let counts = &server.hub.counts;
    let count = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed);
    json(&json!({
        "status": if server.hub.is_stopping() { "stopping" } else { "running" },
        "version": server.context.version(),
        "active_channels": channels,
        "sse_clients": streams,
        "socketio_clients": server.socketio.len(),
        "controllers": server.hub.controllers.gates(),
        "latest_data": latest_data(server),
        "last_id": server.hub.position().id,
        "epoch": server.history.epoch(),
        "counts": {
            "published": count(&counts.published),
            "slow": count(&counts.slow),
            "cut": count(&counts.cut),
            "relayed": count(&counts.relayed),
        },
        "limits": server.limits.counts.all(),
    }))
    .into_response()
}

fn latest_data(server: &Server) -> BTreeMap<String, BTreeMap<String, Box<RawValue>>> {
    let mut gates: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for event in server.hub.view(|_, state| state.latest()) {
        let Some(gate) = &event.gate_id else { continue };
        if let Some(message) = message_of(&event) {
            gates.entry(gate.clone()).or_default().insert(event.kind.clone(), message);
        }
    }
    gates
}

fn message_of(event: &Event) -> Option<Box<RawValue>> {
    let text = message::text_of(&event.envelope().ok()?, &event.id, event.time)?;
    RawValue::from_string(String::from_utf8(text).ok()?).ok()
}

fn health(server: &Server) -> Response {
    if server.hub.is_stopping() || server.intake.is_closed() {
        return with_status(json(&json!({ "status": "stopping" })), StatusCode::SERVICE_UNAVAILABLE)
            .into_response();
    }
    json(&json!({ "status": "ok" })).into_response()
}

/// What a page begins with, as events of the stream, and the id from which the stream goes on.
fn state(person: &Person, server: &Server) -> Response {
    let (last, events) = server.hub.view(|position, state| (position.id.clone(), state.everything()));
    let view = person.view();
    let event = |event: &Arc<Event>| {
        sse::event::data(event)
            .map(|data| json!({ "id": event.id, "type": sse::event::name(&event.kind), "data": data }))
    };
    let events: Vec<Value> = events.iter().filter(|event| view.shows(event)).filter_map(event).collect();
    json(&json!({
        "lastEventId": last,
        "epoch": server.history.epoch(),
        "controllers": server.hub.controllers.gates(),
        "events": events,
    }))
    .into_response()
}

/// `POST /api/capacity/update`: answered once the update is durable and in the trail.
async fn capacity(visitor: Visitor, body: Bytes, server: Arc<Server>) -> Response {
    let action = Action { name: "POST /api/capacity/update", ..Action::default() };
    if !visitor.person.may_report() {
        server.operations.refused(&visitor, action).await;
        return forbidden();
    }
    let failed = |status, reason: &str| {
        with_status(json(&json!({ "success": false, "error": reason })), status).into_response()
    };
    let (stamp, update) = match sse::event::capacity_update(&body, server.now()) {
        Ok(update) => update,
        Err(reason) => return failed(StatusCode::BAD_REQUEST, &reason),
    };
    let action = Action { target: stamp.lot_id.as_deref(), ..action };
    match server.publish(&visitor, action, &stamp, &update).await {
        Some(id) => json(&json!({ "success": true, "id": id })).into_response(),
        None => failed(StatusCode::SERVICE_UNAVAILABLE, "the server stops"),
    }
}

/// Refusals in the form of the other answers.
async fn refusal(rejection: Rejection) -> Result<Response, Infallible> {
    use warp::reject::{LengthRequired, MethodNotAllowed, MissingHeader, PayloadTooLarge};
    let (status, reason) = if rejection.is_not_found() {
        (StatusCode::NOT_FOUND, "nothing here")
    } else if rejection.find::<PayloadTooLarge>().is_some() {
        (StatusCode::PAYLOAD_TOO_LARGE, "too long")
    } else if rejection.find::<LengthRequired>().is_some() {
        (StatusCode::LENGTH_REQUIRED, "the length is missing")
    } else if rejection.find::<MissingHeader>().is_some() {
        (StatusCode::UPGRADE_REQUIRED, "a WebSocket is spoken here")
    } else if rejection.find::<MethodNotAllowed>().is_some() {
        (StatusCode::METHOD_NOT_ALLOWED, "not this method")
    } else {
        (StatusCode::BAD_REQUEST, "a bad request")
    };
    Ok(with_status(json(&json!({ "success": false, "error": reason })), status).into_response())
}
