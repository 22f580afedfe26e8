//! The vision family: what is seen in one frame.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::catalogue::payloads;

/// Every licence plate of one frame, the doubtful ones with the reason why they were rejected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plates {
    /// The camera.
    pub camera_id: String,
    /// The number of the frame.
    pub seq: u64,
    /// The picture's file, where the frame came from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The plates, most certain first.
    pub plates: Vec<Plate>,
}

/// One licence plate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plate {
    /// The number, A to Z and 0 to 9 only, the top line first.
    pub text: String,
    /// How likely the whole text is right, 0 to 1.
    pub confidence: f64,
    /// The plate's corners in pixels of the frame, clockwise from its own top left.
    pub corners: [[f64; 2]; 4],
    /// The characters of `text`, each with its own confidence.
    #[serde(default)]
    pub characters: Vec<Character>,
    /// Other readings, best first; the first is `text`.
    #[serde(default)]
    pub candidates: Vec<Candidate>,
    /// The country or region whose syntax the text has, where that was asked for and is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Why this is not taken for a plate's number; absent from a good reading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected: Option<String>,
}

/// One character of a plate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Character {
    /// The character.
    pub char: char,
    /// How likely it is right, 0 to 1.
    pub confidence: f64,
}

/// One possible reading of a plate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Candidate {
    /// The number.
    pub text: String,
    /// How likely it is right, 0 to 1.
    pub confidence: f64,
}

/// The state of every mapped slot in one frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Slots {
    /// The camera.
    pub camera_id: String,
    /// The number of the frame.
    pub seq: u64,
    /// The picture's file, where the frame came from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The slots, in the order of the map.
    pub slots: Vec<SlotReading>,
}

/// What one frame says of one slot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SlotReading {
    /// The slot.
    pub slot_id: String,
    /// The level it lies on, where the map says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level_id: Option<String>,
    /// Its state.
    pub state: SlotState,
    /// How likely the state is right, 0 to 1.
    pub confidence: f64,
    /// Why the state is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<UnknownCause>,
}

/// Whether a slot holds a vehicle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SlotState {
    /// A vehicle stands in it.
    Occupied,
    /// It is empty.
    Free,
    /// It cannot be told; the cause says why.
    Unknown,
}

/// Why a slot's state cannot be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnknownCause {
    /// Too dark to see.
    Dark,
    /// The view is blocked.
    Blocked,
    /// The camera no longer looks where the map was drawn.
    CameraMoved,
    /// No frame for too long.
    Stale,
    /// The slot lies (partly) outside the frame.
    OutsideFrame,
    /// The picture does not decide it.
    Unsure,
}

payloads! {
    Plates = "plates",
    Slots = "slots",
}
