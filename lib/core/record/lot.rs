//! The lot family: slots, capacity, violations, alerts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Time;
use super::catalogue::payloads;
use super::vision::{SlotState, UnknownCause};

/// A slot changed its state for good: the change outlasted its delay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SlotChanged {
    /// The slot.
    pub slot_id: String,
    /// Its level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level_id: Option<String>,
    /// The new state.
    pub state: SlotState,
    /// The state before; absent when it was never seen before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<SlotState>,
    /// The first frame that showed the new state.
    pub since: Time,
    /// Why the state is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<UnknownCause>,
}

/// How full a lot is. The counts by slots and by gates are kept apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CapacityUpdate {
    /// Places in all; 0 if gates count and nobody says how many there are.
    pub total: u32,
    /// Places taken. By gates these are the vehicles inside, which may be more than there are places.
    pub occupied: u32,
    /// Places free.
    pub free: u32,
    /// Places that cannot be told.
    pub unknown: u32,
    /// Taken of all, 0 to 1.
    pub occupancy_rate: f64,
    /// What the counts rest on.
    pub counted_by: CountedBy,
    /// Vehicles inside by the gates' count, where there are gates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_gates: Option<u32>,
    /// The passage that changed the count, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<VehicleEvent>,
    /// The vehicle of that passage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plate: Option<String>,
    /// How long it stayed, in seconds (on exit).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<f64>,
}

/// What a count rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CountedBy {
    /// Slots seen by cameras.
    Slots,
    /// Entries less exits.
    Gates,
}

/// A passage that changed a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VehicleEvent {
    /// A vehicle came in.
    VehicleEntry,
    /// A vehicle went out.
    VehicleExit,
}

/// How full one level of a lot is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ParkingUpdate {
    /// The level.
    pub level_id: String,
    /// Its name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Places in all.
    pub total: u32,
    /// Places taken.
    pub occupied: u32,
    /// Places free.
    pub available: u32,
    /// Places that cannot be told.
    pub unknown: u32,
}

/// The count by slots and the count by gates have come apart, or no longer are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OccupancyDrift {
    /// Vehicles by the slots' count.
    pub by_slots: u32,
    /// Vehicles by the gates' count.
    pub by_gates: u32,
    /// `by_gates` less `by_slots`.
    pub drift: i64,
}

/// Somebody uses more than is theirs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Violation {
    /// The violation; later records with the same id bring its status up to date.
    pub violation_id: String,
    /// What it is.
    pub violation_type: ViolationType,
    /// The contractor, where one is concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contractor_id: Option<String>,
    /// The vehicle, where one is concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plate: Option<String>,
    /// Places the contractor, or the lot, has.
    pub allocated_capacity: u32,
    /// Places it uses; when the violation is over, the most it used.
    pub actual_occupancy: u32,
    /// Places too many; when the violation is over, the most there were.
    pub excess_vehicles: u32,
    /// Since when.
    pub since: Time,
    /// How long so far, in seconds.
    pub duration: f64,
    /// What it costs, where a penalty is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub penalty: Option<f64>,
    /// Where it stands.
    pub status: ViolationStatus,
}

/// What a violation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ViolationType {
    /// More vehicles than the contractor's allocation.
    Overparking,
    /// A vehicle inside that must not be.
    UnauthorizedVehicle,
    /// More vehicles than the lot holds.
    CapacityBreach,
}

/// Where a violation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ViolationStatus {
    /// Nobody has dealt with it.
    Pending,
    /// Somebody has seen it.
    Acknowledged,
    /// It is over.
    Resolved,
}

/// Something a person should know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Alert {
    /// The alert; later records with the same id bring its status up to date.
    pub alert_id: String,
    /// What it is.
    pub alert_type: AlertType,
    /// How bad.
    pub severity: Severity,
    /// In words.
    pub message: String,
    /// Where it stands.
    pub status: AlertStatus,
    /// When it was raised.
    pub created_at: Time,
    /// The contractor, where one is concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contractor_id: Option<String>,
    /// The camera, where one is concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub camera_id: Option<String>,
    /// The violation, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub violation_id: Option<String>,
}

/// What an alert is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertType {
    /// Nearly full.
    CapacityWarning,
    /// Over full.
    CapacityBreach,
    /// A camera is silent.
    CameraOffline,
    /// A violation began.
    ViolationDetected,
}

/// How bad an alert is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Low,
    /// Look at it today.
    Medium,
    /// Look at it now.
    High,
    /// Something is failing.
    Critical,
}

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertStatus {
    /// It holds.
    Active,
    /// Somebody has seen it.
    Acknowledged,
    /// It is over.
    Resolved,
}

payloads! {
    SlotChanged = "slot_changed",
    CapacityUpdate = "capacity_update",
    ParkingUpdate = "parking_update",
    OccupancyDrift = "occupancy_drift",
    Violation = "violation",
    Alert = "alert",
}
