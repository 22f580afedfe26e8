//! Bookings and what happens to them, from the log.

use park_core::Result;
use park_core::record::Payload;
use park_core::record::people::{BookingUpdated, PaymentUpdated};
use park_store::Query;
use serde::Serialize;
use serde_json::{Value, json};

use crate::access::Person;
use crate::history::History;
use crate::hub::Event;

/// What happens to bookings and payments.
const ACTIVITY: &[&str] = &[BookingUpdated::TYPE, PaymentUpdated::TYPE];

/// Something that happened to a booking or a payment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Happening {
    /// The record's id.
    pub id: String,
    /// `booking_updated` or `payment_updated`.
    pub r#type: String,
    /// The rest: `booking_id` or `payment_id`, `status`, `action`, `user_id`, `booking` or `payment`, `timestamp`.
    #[serde(flatten)]
    pub what: Value,
}

/// How a booking stands: the fields of dialect C's `booking_updated`. Nothing if it is not known, or not for `person`.
pub async fn status(history: &History, person: &Person, booking_id: &str) -> Result<Option<Value>> {
    let booking_id = booking_id.to_owned();
    let newest = history.read(move |store| store.booking(&booking_id)).await?.map(Event::logged);
    Ok(newest.filter(|event| person.view().shows(event)).and_then(|event| fields(&event)))
}

/// The last `limit` things that happened to bookings and payments, newest first.
pub async fn activity(history: &History, limit: usize) -> Result<Vec<Happening>> {
    let query = Query { kinds: ACTIVITY, ..Query::default() };
    let newest = history.read(move |store| store.recent(&query, limit)).await?;
    let happening = |event: Event| {
        let what = fields(&event)?;
        Some(Happening { id: event.id, r#type: event.kind, what })
    };
    Ok(newest.into_iter().map(Event::logged).filter_map(happening).collect())
}

fn fields(event: &Event) -> Option<Value> {
    let mut payload: Value = serde_json::from_str(event.envelope().ok()?.payload_json()).ok()?;
    payload.as_object_mut()?.insert("timestamp".into(), json!(event.time));
    Some(payload)
}
