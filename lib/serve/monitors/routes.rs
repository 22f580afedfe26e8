//! `POST /api/monitoring/start` and `/stop`, `GET /api/monitoring/status`.

use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use warp::filters::BoxedFilter;
use warp::http::StatusCode;
use warp::reply::{Response, json, with_status};
use warp::{Filter, Reply};

use super::foreign::Place;
use crate::access::Person;
use crate::http::routes::visitor;
use crate::operations::{Action, Visitor};
use crate::server::Server;

/// The longest body of a request.
const LONGEST: u64 = 4096;

/// The body of start and stop: which monitor.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Which {
    parking_lot_id: Option<String>,
    gate_id: Option<String>,
}

/// The paths.
pub fn routes(server: &Arc<Server>) -> BoxedFilter<(Response,)> {
    let shared = Arc::clone(server);
    let server = warp::any().map(move || Arc::clone(&shared));
    let person = warp::ext::get::<Arc<Person>>();
    let status =
        warp::path!("api" / "monitoring" / "status").and(warp::get()).and(person).and(server.clone()).map(
            |person: Arc<Person>, server: Arc<Server>| match person.may_watch() {
                true => json(&server.monitors.status()).into_response(),
                false => failed(StatusCode::FORBIDDEN, "not with this role"),
            },
        );
    let change = warp::path!("api" / "monitoring" / String)
        .and(warp::post())
        .and(warp::body::content_length_limit(LONGEST))
        .and(warp::body::bytes())
        .and(visitor())
        .and(server)
        .then(change);
    status.or(change).unify().boxed()
}

async fn change(what: String, body: Bytes, visitor: Visitor, server: Arc<Server>) -> Response {
    let name = match what.as_str() {
        "start" => "POST /api/monitoring/start",
        "stop" => "POST /api/monitoring/stop",
        _ => return failed(StatusCode::NOT_FOUND, "nothing here"),
    };
    let place = match serde_json::from_slice(&body) {
        Ok(Which { parking_lot_id: Some(lot), gate_id: None }) => Place::Lot(lot),
        Ok(Which { gate_id: Some(gate), parking_lot_id: None }) => Place::Gate(gate),
        _ => return failed(StatusCode::BAD_REQUEST, "parkingLotId or gateId says which"),
    };
    let (Place::Gate(target) | Place::Lot(target)) = &place;
    let action = Action { name, target: Some(target), ..Action::default() };
    if !visitor.person.may_command() {
        server.operations.refused(&visitor, action).await;
        return failed(StatusCode::FORBIDDEN, "not with this role");
    }
    if !server.monitors.knows(&place) {
        return failed(StatusCode::NOT_FOUND, "no detection back end is set for it");
    }
    if !server.operations.done(&visitor, action).await {
        return failed(StatusCode::SERVICE_UNAVAILABLE, "the audit trail cannot be written");
    }
    match what.as_str() {
        "start" => server.monitors.start(&place).await,
        _ => server.monitors.stop(&place).await,
    }
    json(&json!({ "success": true })).into_response()
}

fn failed(status: StatusCode, why: &str) -> Response {
    with_status(json(&json!({ "success": false, "error": why })), status).into_response()
}
