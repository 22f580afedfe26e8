//! Which cameras are heard of, and which are not.

use std::time::Duration;

use park_core::record::Time;
use park_core::record::camera::{CameraState, CameraStatus};
use park_core::record::lot::Alert;
use serde::{Deserialize, Serialize};

use super::alert::{Cause, resolve};

/// A camera.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Watch {
    /// The lot it watches, as its records say.
    pub lot: Option<String>,
    /// What the clock stood at when it was last heard of. Not the record's own time: a camera whose
    /// clock is slow is not silent.
    pub heard: Time,
    /// Whether it was a recording that has ended, or is no longer monitored: its silence means nothing.
    pub ended: bool,
    /// Whether it was found silent.
    pub silent: bool,
    /// The alert, while it is offline.
    pub alert: Option<Alert>,
    /// How many alerts there have been.
    raised: u64,
}

impl Watch {
    /// A camera of which something is heard for the first time.
    pub fn new(now: Time) -> Watch {
        Watch { lot: None, heard: now, ended: false, silent: false, alert: None, raised: 0 }
    }

    /// It gave a frame, or said that it does. Returns the end of an alert.
    pub fn heard(&mut self, now: Time) -> Option<Alert> {
        (self.heard, self.ended, self.silent) = (now, false, false);
        self.alert.take().map(resolve)
    }

    /// It told its state. Returns the beginning or the end of an alert.
    pub fn status(&mut self, now: Time, status: &CameraStatus) -> Option<Alert> {
        match status.state {
            CameraState::Online => self.heard(now),
            CameraState::Reconnecting => None,
            CameraState::Offline => match status.cause.as_deref() {
                Some(CameraStatus::RECORDING_ENDED | CameraStatus::MONITORING_STOPPED) => {
                    self.ended = true;
                    self.alert.take().map(resolve)
                }
                Some(CameraStatus::CAPTURE_ENDED) => None,
                cause => self.raise(now, &status.camera_id, cause.unwrap_or("it gives no frames")),
            },
        }
    }

    /// Whether it has now been silent for longer than `timeout`, which is true once a silence.
    pub fn falls_silent(&mut self, now: Time, timeout: Duration) -> bool {
        let falls = !self.ended && !self.silent && now.since(self.heard) > timeout;
        self.silent |= falls;
        falls
    }

    /// When it will have been silent for `timeout`.
    pub fn deadline(&self, timeout: Duration) -> Option<Time> {
        (!self.ended && !self.silent).then(|| self.heard + timeout)
    }

    /// Raises the alert that it is offline, unless there is one.
    pub fn raise(&mut self, now: Time, camera: &str, why: &str) -> Option<Alert> {
        if self.alert.is_some() {
            return None;
        }
        self.raised += 1;
        self.alert = Some(Cause::camera_offline(camera, why).raise(camera, self.raised, now));
        self.alert.clone()
    }
}
