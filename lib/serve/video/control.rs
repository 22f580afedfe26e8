//! Cameras are asked to stream when the first viewer comes and to stop when the last has gone, where their process
//! takes commands and frames do not come anyway.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use park_core::record::command::{CameraAction, CameraControl};
use park_core::record::{Stamp, encode};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::camera::{Camera, QUIET};
use super::pace::Wanted;
use super::watch::Watch;
use super::{Refusal, Video};
use crate::access::Person;
use crate::server::Server;

/// How often it is looked whether a camera streams and is watched.
const LOOK: Duration = Duration::from_millis(500);

/// How often a camera that does not stream is asked again.
const AGAIN: Duration = Duration::from_secs(10);

/// How long after the last viewer a camera goes on: a page that is loaded again leaves for a moment.
const LINGER: Duration = Duration::from_secs(3);

impl Server {
    /// Lets somebody watch a camera, with at most what they want; the camera streams as long as anybody does.
    pub fn watch_camera(
        self: &Arc<Self>,
        camera: &str,
        person: &Person,
        wanted: Wanted,
    ) -> Result<Watch, Refusal> {
        let watch = self.video.watch(camera, person, wanted)?;
        let camera = Arc::clone(watch.camera());
        if !camera.attended.swap(true, Ordering::SeqCst) {
            tokio::spawn(attend(Arc::clone(self), camera));
        }
        Ok(watch)
    }

    /// Whether a process that takes commands speaks for this camera.
    pub fn commands_camera(&self, camera: &str) -> bool {
        self.video.camera(camera).is_some_and(|camera| camera.peer().is_some())
    }

    /// Sends a line to the process that a camera comes from, or else to the controller of its gate; false if there is
    /// neither. Waits while that is slow to read.
    pub async fn tell_camera(self: &Arc<Self>, camera: &str, line: Vec<u8>) -> bool {
        let peer = self.video.camera(camera).and_then(|camera| camera.peer());
        let gate = self.video.gate_of(camera).map(str::to_owned);
        let server = Arc::clone(self);
        let told = spawn_blocking(move || match (peer, gate) {
            (Some(peer), _) => peer.reply(&line),
            (None, Some(gate)) => server.hub.controllers.relay(&gate, &line),
            (None, None) => false,
        });
        told.await.unwrap_or(false)
    }
}

impl Video {
    /// The gate that a camera watches, as the site says.
    pub fn gate_of(&self, camera: &str) -> Option<&str> {
        self.gates.get(camera).map(String::as_str)
    }

    /// The only camera of a gate, as the site says.
    pub fn camera_at(&self, gate: &str) -> Option<&str> {
        let mut cameras = self.gates.iter().filter(|(_, of)| *of == gate).map(|(camera, _)| camera.as_str());
        cameras.next().filter(|_| cameras.next().is_none())
    }
}

/// Looks after a camera until nobody watches it any more.
async fn attend(server: Arc<Server>, camera: Arc<Camera>) {
    let mut asked: Option<Instant> = None;
    let mut unwatched: Option<Instant> = None;
    loop {
        if camera.viewers.load(Ordering::SeqCst) > 0 {
            unwatched = None;
            let due = asked.is_none_or(|asked| asked.elapsed() >= AGAIN);
            if due && camera.fresh(QUIET).is_none() && tell(&server, &camera, CameraAction::StartStream).await
            {
                asked = Some(Instant::now());
            }
        } else if unwatched.get_or_insert_with(Instant::now).elapsed() >= LINGER {
            if asked.take().is_some() {
                tell(&server, &camera, CameraAction::StopStream).await;
            }
            camera.attended.store(false, Ordering::SeqCst);
            // One who came in between found it attended.
            if camera.viewers.load(Ordering::SeqCst) == 0 || camera.attended.swap(true, Ordering::SeqCst) {
                return;
            }
        }
        sleep(LOOK).await;
    }
}

async fn tell(server: &Arc<Server>, camera: &Camera, action: CameraAction) -> bool {
    let control = CameraControl { action, camera_id: Some(camera.id.clone()) };
    let mut stamp = Stamp::at(server.now()).source("park-serve");
    stamp.gate_id = server.video.gate_of(&camera.id).map(str::to_owned);
    let mut line = Vec::new();
    encode(&stamp, &control, &mut line);
    server.tell_camera(&camera.id, line).await
}
