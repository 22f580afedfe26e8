//! The command family: commands, answers, and what processes say to each other.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::catalogue::payloads;
use super::gate::{GateAction, GateState};

/// Moves a barrier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GateControl {
    /// What to do.
    pub action: GateAction,
    /// The gate; without it the envelope's `gate_id` counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate_id: Option<String>,
    /// How long to stay open, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<f64>,
    /// Who commands it, for the audit trail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
}

/// Asks something of a camera.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CameraControl {
    /// What to do.
    pub action: CameraAction,
    /// The camera; without it the gate's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub camera_id: Option<String>,
}

/// What a camera can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CameraAction {
    /// Write one picture.
    Capture,
    /// Begin to stream.
    StartStream,
    /// Stop streaming.
    StopStream,
}

/// Asks for the state of everything.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RequestStatus {}

/// What came of a `gate_control`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GateControlResponse {
    /// What was asked.
    pub action: GateAction,
    /// Whether the barrier was told so.
    pub success: bool,
    /// The gate's state as far as known.
    pub gate_status: GateState,
    /// Why not, or what else there is to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The id of the `gate_control`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// Something was wrong with an input or a command. Its type is `error`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Error")]
pub struct Fault {
    /// What was wrong.
    pub message: String,
    /// The command that says so.
    pub command: String,
    /// The input it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// The line of that input, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The id of the record it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// Everything up to a record is durable; said back to its sender.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ack {
    /// The last durable record, in the order they were sent.
    pub id: String,
}

/// Time has passed: lets delays and time-outs run when nothing else happens.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tick {}

payloads! {
    GateControl = "gate_control",
    CameraControl = "camera_control",
    RequestStatus = "request_status",
    GateControlResponse = "gate_control_response",
    Fault = "error",
    Ack = "ack",
    Tick = "tick",
}
