//! The people family: bookings, payments, messages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::catalogue::payloads;

/// A booking was made or changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BookingUpdated {
    /// The booking.
    pub booking_id: String,
    /// Its status.
    pub status: String,
    /// What was done: `created`, `updated`, `cancelled`, …
    pub action: String,
    /// The user it belongs to; only they and admins are told.
    pub user_id: String,
    /// The booking itself, as its keeper describes it.
    #[serde(default)]
    pub booking: Value,
}

/// A payment was made or changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentUpdated {
    /// The payment.
    pub payment_id: String,
    /// Its status.
    pub status: String,
    /// What was done.
    pub action: String,
    /// The user it belongs to; only they and admins are told.
    pub user_id: String,
    /// The payment itself, as its keeper describes it.
    #[serde(default)]
    pub payment: Value,
}

/// A message to one user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Notification {
    /// The user.
    pub user_id: String,
    /// Its title.
    pub title: String,
    /// What it says.
    pub message: String,
    /// What kind of message: `info`, `warning`, …
    #[serde(rename = "type")]
    pub kind: String,
}

/// A message to everybody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SystemAnnouncement {
    /// What it says.
    pub message: String,
    /// What kind of message: `info`, `maintenance`, …
    #[serde(rename = "type")]
    pub kind: String,
}

/// Numbers for the admins' screen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LiveStats {
    /// The numbers by name.
    pub stats: std::collections::BTreeMap<String, f64>,
}

payloads! {
    BookingUpdated = "booking_updated",
    PaymentUpdated = "payment_updated",
    Notification = "notification",
    SystemAnnouncement = "system_announcement",
    LiveStats = "live_stats",
}
