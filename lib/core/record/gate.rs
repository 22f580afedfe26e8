//! The gate family: passages, cards, decisions, the barrier, sessions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Time;
use super::catalogue::payloads;
use super::vision::Candidate;

/// One vehicle's passage: the consensus of the readings over its frames.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlateDetected {
    /// The camera.
    pub camera_id: String,
    /// The number.
    pub plate: String,
    /// How likely it is right, 0 to 1.
    pub confidence: f64,
    /// How many frames had a reading of it when this was said.
    pub frames: u32,
    /// The first frame with a reading of it.
    pub first_seen: Time,
    /// The last frame with a reading of it when this was said.
    pub last_seen: Time,
    /// Other readings, best first.
    #[serde(default)]
    pub candidates: Vec<Candidate>,
    /// The country or region, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// A card came to the reader or left it. A reader that repeats a card says `present` once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CardDetected {
    /// The card's number as the reader gives it: ten hexadecimal digits in upper case for an RDM6300 or ID-12.
    pub card: String,
    /// Whether it came or left.
    pub state: CardState,
    /// The reader.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reader: Option<String>,
}

/// Whether a card is at the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CardState {
    /// It came.
    Present,
    /// It left.
    Absent,
}

/// What was decided for a vehicle, and why. The barrier's movement is another fact: see `gate_status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AccessDecision {
    /// The decision.
    pub decision: Decision,
    /// Why.
    pub reason: Reason,
    /// The number it rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plate: Option<String>,
    /// The card it rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
    /// Which way the vehicle goes, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// The list that decided, with its line: `allow.txt:12`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
    /// The session it rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The id of the record (`plate_detected`, `card_detected`) that asked for a decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caused_by: Option<String>,
}

/// What was decided. Anything but `allow` keeps the barrier shut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Open.
    Allow,
    /// Stay shut.
    Deny,
    /// Stay shut and let a person decide.
    Refer,
}

/// Why something was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It is on the list of the allowed.
    Allowed,
    /// It is on the list of the denied.
    Denied,
    /// It is on no list, and the default decided.
    Unlisted,
    /// It has an open session and leaves.
    OpenSession,
    /// It leaves without an open session.
    NoSession,
    /// It enters and is already inside.
    AlreadyInside,
    /// It looks like a listed number but is not the same: a person must look.
    LookAlike,
    /// The lot is full.
    Full,
    /// The reading is too uncertain.
    Uncertain,
    /// An operator said so.
    Operator,
}

/// Which way a vehicle goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Into the lot.
    Entry,
    /// Out of the lot.
    Exit,
}

/// The barrier: what it was told and what it answered, apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GateStatus {
    /// The state, as far as it is known: confirmed where the barrier answers.
    pub state: GateState,
    /// The last command given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commanded: Option<GateAction>,
    /// Whether the barrier itself said that it is in `state`.
    pub confirmed: bool,
    /// Whether a vehicle stands under the barrier, where a sensor tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vehicle: Option<bool>,
    /// Why, in words: a fault, an operator, a decision's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

/// The state of a barrier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GateState {
    /// Shut.
    Closed,
    /// On its way up.
    Opening,
    /// Open.
    Open,
    /// On its way down.
    Closing,
    /// Open until released.
    Held,
    /// It does not do what it was told, or its line is lost.
    Fault,
}

/// What a barrier can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GateAction {
    /// Open for a while.
    Open,
    /// Close.
    Close,
    /// Open and stay open.
    Hold,
    /// End a hold.
    Release,
}

/// The hardware of a gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HardwareStatus {
    /// The camera.
    pub camera: CameraHardware,
    /// The card reader.
    pub card_reader: ReaderHardware,
    /// The barrier's controller.
    pub arduino: BarrierHardware,
}

/// A gate's camera.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CameraHardware {
    /// Whether it gives frames.
    pub connected: bool,
    /// Its state in a word: `online`, `reconnecting`, `offline`, `none`.
    pub status: String,
}

/// A gate's card reader.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReaderHardware {
    /// Whether its port is open.
    pub connected: bool,
    /// The port.
    pub port: Option<String>,
}

/// A gate's barrier controller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BarrierHardware {
    /// Whether it answers.
    pub connected: bool,
    /// The state of the gate.
    pub gate_status: GateState,
}

/// The state of a process: what it is, since when, and what it has counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SystemStatus {
    /// The command, such as `park-gate`.
    pub command: String,
    /// Its version.
    pub version: String,
    /// `running` or `stopping`.
    pub status: String,
    /// Records read.
    pub records: u64,
    /// Bad records refused.
    pub rejected: u64,
    /// What else the command counts.
    #[serde(default)]
    pub counters: std::collections::BTreeMap<String, u64>,
}

/// A vehicle came in: a session began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ParkingEntry {
    /// The session.
    pub session_id: String,
    /// The vehicle's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plate: Option<String>,
    /// The card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
    /// When it came in.
    pub entered_at: Time,
    /// How likely the number is right, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
}

/// A vehicle went out: a session ended, or it had none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ParkingExit {
    /// The session; absent if none was open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The vehicle's number, as read at the exit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plate: Option<String>,
    /// The card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
    /// When it came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entered_at: Option<Time>,
    /// When it went out.
    pub exited_at: Time,
    /// How long it stayed, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<f64>,
    /// What it owes, where a tariff is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee: Option<f64>,
    /// How the exit was paired with its entry.
    pub matched: Match,
}

/// How an exit was paired with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Match {
    /// The same number.
    Plate,
    /// The same card.
    Card,
    /// A number that looks alike.
    LookAlike,
    /// Not at all: no session was open.
    None,
}

payloads! {
    PlateDetected = "plate_detected",
    CardDetected = "card_detected",
    AccessDecision = "access_decision",
    GateStatus = "gate_status",
    HardwareStatus = "hardware_status",
    SystemStatus = "system_status",
    ParkingEntry = "parking_entry",
    ParkingExit = "parking_exit",
}
