//! Dialect C's questions over REST.

use std::sync::Arc;

use bytes::Bytes;
use park_core::record::lot::{CapacityUpdate, CountedBy};
use park_core::record::people::SystemAnnouncement;
use park_core::record::{Payload, Stamp, Time};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use warp::filters::BoxedFilter;
use warp::http::StatusCode;
use warp::reply::{Response, json as json_reply, with_status};
use warp::{Filter, Rejection, Reply};

use super::{availability, bookings, stats};
use crate::http::query::decode;
use crate::http::routes::visitor;
use crate::operations::{Action, Visitor};
use crate::server::Server;

/// The longest body of a request.
const LONGEST: u64 = 64 * 1024;

/// The longest text of an announcement, and of the name of a lot, in bytes.
const TEXT: usize = 4096;
const NAME: usize = 128;

/// How many things are listed if nobody says, and at most.
const LISTED: (usize, usize) = (100, 1000);

/// Why a request is not fulfilled.
struct Refusal(StatusCode, String);

type Answer = Result<Value, Refusal>;

/// Who asks, and whom.
#[derive(Clone)]
struct Asking {
    server: Arc<Server>,
    visitor: Visitor,
}

/// `?parking_lot_id=`, `?limit=`.
#[derive(Deserialize)]
struct Options {
    parking_lot_id: Option<String>,
    limit: Option<String>,
}

/// `/realtime/…`.
pub fn routes(server: &Arc<Server>) -> BoxedFilter<(Response,)> {
    let shared = Arc::clone(server);
    let asking = visitor().map(move |visitor| Asking { server: Arc::clone(&shared), visitor });
    let here = warp::path("realtime");
    let options = warp::query::<Options>();
    let body = warp::body::content_length_limit(LONGEST).and(warp::body::bytes());
    let get = here.and(warp::get()).and(warp::path::param::<String>()).and(warp::path::end());
    let got = get.and(options).and(asking.clone()).and_then(got);
    let announced = here
        .and(warp::path!("announcement"))
        .and(warp::post())
        .and(asking.clone())
        .and(body)
        .then(|asking: Asking, body: Bytes| async move { reply(announce(&asking, &body).await) });
    let put = here
        .and(warp::path!("parking-lots" / String / "availability"))
        .and(warp::put())
        .and(asking)
        .and(body)
        .then(
            |lot: String, asking: Asking, body: Bytes| async move { reply(set(&asking, &lot, &body).await) },
        );
    got.or(announced).unify().or(put).unify().boxed()
}

async fn got(name: String, options: Options, asking: Asking) -> Result<Response, Rejection> {
    let answer = match name.as_str() {
        "parking-availability" => free(&asking, &options),
        "connection-status" => Ok(status(&asking)),
        "connections" => connections(&asking, &options),
        "live-stats" => live_stats(&asking).await,
        "booking-activity" => activity(&asking, &options).await,
        _ => return Err(warp::reject::not_found()),
    };
    Ok(reply(answer))
}

fn reply(answer: Answer) -> Response {
    match answer {
        Ok(mut value) => {
            value["success"] = true.into();
            json_reply(&value).into_response()
        }
        Err(Refusal(status, error)) => {
            with_status(json_reply(&json!({ "success": false, "error": error })), status).into_response()
        }
    }
}

fn bad(error: impl Into<String>) -> Refusal {
    Refusal(StatusCode::BAD_REQUEST, error.into())
}

fn not_now(error: impl std::fmt::Display) -> Refusal {
    Refusal(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
}

impl Asking {
    fn as_admin(&self) -> Result<(), Refusal> {
        match self.visitor.person.may_administer() {
            true => Ok(()),
            false => Err(Refusal(StatusCode::FORBIDDEN, "not with this role".into())),
        }
    }

    /// Refuses all but admins, and notes who tried.
    async fn may_change(&self, name: &str, target: Option<&str>) -> Result<(), Refusal> {
        let may = self.as_admin();
        if may.is_err() {
            self.server.operations.refused(&self.visitor, Action { name, target, ..Action::default() }).await;
        }
        may
    }
}

impl Options {
    fn limit(&self) -> Result<usize, Refusal> {
        let Some(text) = &self.limit else { return Ok(LISTED.0) };
        let limit = text.parse().ok().filter(|limit| (1..=LISTED.1).contains(limit));
        limit.ok_or_else(|| bad(format!("limit must be a number from 1 to {}", LISTED.1)))
    }
}

/// What is free: for everybody with an account.
fn free(asking: &Asking, options: &Options) -> Answer {
    let lot = options.parking_lot_id.as_deref();
    if let Some(lot) = lot {
        name_of(lot)?;
    }
    let lots = asking.server.hub.view(|_, state| availability::availability(state, lot));
    if lots.is_empty() && lot.is_some() {
        return Err(Refusal(StatusCode::NOT_FOUND, "parking_lot_id: nothing is known of this lot".into()));
    }
    Ok(json!({ "parking_lots": lots, "timestamp": asking.server.now() }))
}

/// Whether the server works, and which connections of theirs are open: for everybody with an account.
fn status(asking: &Asking) -> Value {
    let own = asking.server.operations.connected();
    let own = own.iter().filter(|(_, visitor, _)| visitor.person.name == asking.visitor.person.name);
    let own: Vec<Value> = own
        .take(LISTED.0)
        .map(|(id, visitor, opened)| json!({ "id": id, "surface": visitor.surface.name(), "since": opened }))
        .collect();
    json!({
        "status": if asking.server.hub.is_stopping() { "stopping" } else { "running" },
        "connected": !own.is_empty(),
        "connections": own,
        "last_id": asking.server.hub.position().id,
        "timestamp": asking.server.now(),
    })
}

/// Who is connected: for admins.
fn connections(asking: &Asking, options: &Options) -> Answer {
    asking.as_admin()?;
    let (all, now) = (asking.server.operations.connected(), asking.server.now());
    let listed: Vec<Value> = all
        .iter()
        .take(options.limit()?)
        .map(|(id, visitor, opened)| {
            json!({
                "id": id,
                "user": visitor.person.name,
                "role": visitor.person.role.name(),
                "surface": visitor.surface.name(),
                "address": visitor.address,
                "since": opened,
                "duration": now.since(*opened).as_secs_f64(),
            })
        })
        .collect();
    Ok(json!({ "total": all.len(), "connections": listed, "timestamp": now }))
}

/// Numbers of the site and the server: for admins.
async fn live_stats(asking: &Asking) -> Answer {
    asking.as_admin()?;
    let stats = stats::live_stats(&asking.server).await.map_err(not_now)?;
    Ok(json!({ "stats": stats, "timestamp": asking.server.now() }))
}

/// What happens to bookings and payments: for admins.
async fn activity(asking: &Asking, options: &Options) -> Answer {
    asking.as_admin()?;
    let activity = bookings::activity(&asking.server.history, options.limit()?).await.map_err(not_now)?;
    Ok(json!({ "activity": activity, "timestamp": asking.server.now() }))
}

/// `{message, type}` to everybody: by admins.
async fn announce(asking: &Asking, body: &Bytes) -> Answer {
    #[derive(Deserialize)]
    struct Announcement {
        message: String,
        #[serde(default = "info", rename = "type")]
        kind: String,
    }
    fn info() -> String {
        "info".into()
    }
    asking.may_change("announcement", None).await?;
    let Announcement { message, kind } = read(body)?;
    if message.trim().is_empty() || message.len() > TEXT {
        return Err(bad(format!("message must be a text of 1 to {TEXT} bytes")));
    }
    if kind.is_empty() || kind.len() > NAME {
        return Err(bad(format!("type must be a word of 1 to {NAME} bytes")));
    }
    let stamp = Stamp::at(asking.server.now()).source("api");
    publish(asking, "announcement", None, &stamp, &SystemAnnouncement { message, kind }).await
}

/// `{available_spaces, total_spaces}` of a lot: by admins.
async fn set(asking: &Asking, lot: &str, body: &Bytes) -> Answer {
    #[derive(Deserialize)]
    struct Availability {
        available_spaces: u32,
        #[serde(default)]
        total_spaces: Option<u32>,
        #[serde(default)]
        timestamp: Option<Time>,
    }
    let lot = name_of(&decode(lot))?.to_owned();
    asking.may_change("availability", Some(&lot)).await?;
    let Availability { available_spaces: free, total_spaces, timestamp } = read(body)?;
    let known = asking.server.hub.view(|_, state| availability::availability(state, Some(&lot)));
    let known = known.first().map(|lot| lot.total_spaces);
    let total = total_spaces
        .or(known)
        .ok_or_else(|| bad("total_spaces is missing: nobody has said yet how many spaces this lot has"))?;
    if free > total {
        return Err(bad(format!("available_spaces is {free}, but the lot has {total} spaces")));
    }
    let occupied = total - free;
    let update = CapacityUpdate {
        total,
        occupied,
        free,
        unknown: 0,
        occupancy_rate: f64::from(occupied) / f64::from(total.max(1)),
        counted_by: CountedBy::Slots,
        by_gates: None,
        event: None,
        plate: None,
        duration: None,
    };
    let stamp = Stamp::at(timestamp.unwrap_or(asking.server.now())).source("api").lot(&lot);
    publish(asking, "availability", Some(&lot), &stamp, &update).await
}

/// Makes a record durable, and the deed in the audit trail, and only then answers.
async fn publish<P: Payload>(
    asking: &Asking,
    name: &str,
    target: Option<&str>,
    stamp: &Stamp,
    payload: &P,
) -> Answer {
    let action = Action { name, target, ..Action::default() };
    match asking.server.publish(&asking.visitor, action, stamp, payload).await {
        Some(id) => Ok(json!({ "id": id, "timestamp": stamp.time })),
        None => Err(not_now("the server stops")),
    }
}

/// The error names the field.
fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| bad(format!("the body is not what it should be: {error}")))
}

fn name_of(lot: &str) -> Result<&str, Refusal> {
    match lot.is_empty() || lot.len() > NAME || lot.chars().any(char::is_control) {
        true => Err(bad(format!("parking_lot_id must be a name of 1 to {NAME} bytes"))),
        false => Ok(lot),
    }
}
