//! The camera family: frames and the state of what makes them.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Payload;
use super::catalogue::payloads;

/// One picture of a camera, inline as JPEG or by reference to raw pixels in shared memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Frame {
    /// The camera.
    pub camera_id: String,
    /// The frame's number in its stream, from 0, without gaps at the camera; a gap here means dropped frames.
    pub seq: u64,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// The name of the picture's file, where the source is a folder or list of pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// How the pixels are held.
    pub encoding: Encoding,
    /// The JPEG in base64 (`encoding` is `jpeg`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// The file with the raw pixels, row by row (`encoding` is `bgr24`). Whoever takes the frame renames or removes the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// How a frame's pixels are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// JPEG, in base64, in `data`.
    Jpeg,
    /// Three bytes a pixel, blue first, no padding, in the file that `path` names.
    Bgr24,
}

impl Payload for Frame {
    const TYPE: &'static str = "frame";

    // A camera gives a number once; hashing every pixel would cost more than the pipe.
    fn identity<'a>(&self, _: &'a [u8]) -> Cow<'a, [u8]> {
        Cow::Owned(
            format!("{} {} {}", self.camera_id, self.seq, self.file.as_deref().unwrap_or("")).into_bytes(),
        )
    }
}

/// The state of a camera, said when it changes and, for a live camera, from time to time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CameraStatus {
    /// The camera.
    pub camera_id: String,
    /// Its state.
    pub state: CameraState,
    /// Why, in words, where there is something to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// Frames a second since the last status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fps: Option<f64>,
    /// Frames dropped since the last status because the reader was slow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped: Option<u64>,
}

impl CameraStatus {
    /// The cause of `offline` at the end of a recording, which is no failure.
    pub const RECORDING_ENDED: &'static str = "the recording has ended";
    /// The cause of `offline` when `park-capture` itself ends.
    pub const CAPTURE_ENDED: &'static str = "the capture has ended";
    /// The cause of `offline` when somebody stops to monitor the camera, which is no failure.
    pub const MONITORING_STOPPED: &'static str = "it is no longer monitored";
}

/// Whether a camera gives frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CameraState {
    /// It gives frames.
    Online,
    /// It stopped and is being opened again.
    Reconnecting,
    /// It gives no frames and will not by itself; a recording ends so.
    Offline,
}

/// A picture was written to a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ImageCaptured {
    /// The camera.
    pub camera_id: String,
    /// The file.
    pub path: String,
    /// The number of the frame.
    pub seq: u64,
}

payloads! {
    CameraStatus = "camera_status",
    ImageCaptured = "image_captured",
}
