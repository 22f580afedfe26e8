//! What is counted of a camera between two `camera_status` records.

use std::time::{Duration, Instant};

use park_core::record::camera::{CameraState, CameraStatus};

/// The counts since the camera's last status.
#[derive(Debug)]
pub struct Report {
    camera: String,
    since: Instant,
    said: Option<(CameraState, Option<String>)>,
    /// Frames written since.
    pub frames: u64,
    /// Frames dropped since, because the reader was slow.
    pub dropped: u64,
}

impl Report {
    /// Counts from `now` on.
    pub fn new(camera: &str, now: Instant) -> Self {
        Report { camera: camera.to_owned(), since: now, said: None, frames: 0, dropped: 0 }
    }

    /// How long ago the last status was.
    pub fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
    }

    /// The state said last, and its cause.
    pub fn said(&self) -> Option<(CameraState, Option<String>)> {
        self.said.clone()
    }

    /// Whether this was said last.
    pub fn repeats(&self, state: CameraState, cause: Option<&str>) -> bool {
        self.said.as_ref().is_some_and(|(said, why)| (*said, why.as_deref()) == (state, cause))
    }

    /// The status at `now`; counting begins anew.
    pub fn say(&mut self, state: CameraState, cause: Option<String>, now: Instant) -> CameraStatus {
        let seconds = self.age(now).as_secs_f64();
        let online = self.said.as_ref().is_some_and(|(state, _)| *state == CameraState::Online);
        let had_frames = online && seconds > 0.0;
        let status = CameraStatus {
            camera_id: self.camera.clone(),
            state,
            cause: cause.clone(),
            fps: had_frames.then(|| (self.frames as f64 / seconds * 10.0).round() / 10.0),
            dropped: had_frames.then_some(self.dropped),
        };
        *self = Report { said: Some((state, cause)), ..Report::new(&self.camera, now) };
        status
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_those_since_the_last_status() {
        let now = Instant::now();
        let mut report = Report::new("cam", now);
        assert_eq!(report.say(CameraState::Online, None, now).fps, None);
        (report.frames, report.dropped) = (50, 3);
        let status = report.say(CameraState::Online, None, now + Duration::from_secs(2));
        assert_eq!((status.fps, status.dropped), (Some(25.0), Some(3)));
        let status = report.say(CameraState::Reconnecting, Some("gone".into()), now + Duration::from_secs(4));
        assert!(report.repeats(CameraState::Reconnecting, Some("gone")));
        assert!(!report.repeats(CameraState::Reconnecting, Some("no route")));
        assert_eq!((status.fps, status.dropped), (Some(0.0), Some(0)));
        assert_eq!(report.say(CameraState::Online, None, now + Duration::from_secs(9)).fps, None);
    }
}
