//! Live video: the newest frame of each camera, handed to those who watch.
//!
//! Frames are never logged and never queued: of each camera the newest is kept as it came, and nothing is read, made
//! smaller or coded before somebody looks. A viewer is given the newest frame when it has taken the one before, as often
//! and as large as its connection takes them.
//!
//! * [`camera`]: one camera, its newest frame and the process it comes from.
//! * [`picture`]: one frame; each size and quality is made once, on a blocking thread, and shared.
//! * [`jpeg`]: reading, shrinking and coding pictures within limits. Pure.
//! * [`pace`]: how often and how large frames go to one viewer. Pure.
//! * [`watch`]: one viewer, whatever its dialect.
//! * [`control`]: asking cameras to start and stop.
//! * [`door`]: `/cameras`, `snapshot.jpg`, `stream.mjpg`.

pub mod camera;
pub mod control;
pub mod door;
pub mod jpeg;
pub mod pace;
pub mod picture;
pub mod watch;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use clap::Args;
use park_core::cli::Seconds;
use park_core::record::camera::CameraStatus;
use park_core::record::{Envelope, Time};
use park_core::stream::Peer;

use crate::access::Person;
use camera::Camera;
pub use pace::Wanted;
use picture::{Kitchen, Picture};
pub use watch::{Shot, Watch};

/// Flags of live video.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Video")]
pub struct VideoArgs {
    /// Show a camera's last frame for up to SECONDS; after that it has none.
    #[arg(long, value_name = "SECONDS", default_value = "10")]
    frame_age: Seconds,

    /// Let at most N viewers watch cameras at once.
    #[arg(long, value_name = "N", default_value_t = 200)]
    max_viewers: usize,
}

/// Cameras that are known at most; their names come from outside.
const CAMERAS: usize = 1000;

/// The longest frame that is kept, as it came: 6 MiB of JPEG.
const LONGEST: usize = 8 << 20;

/// What all newest frames may hold together.
const MOST_HELD: usize = 256 << 20;

/// A camera of which nothing came for this long is forgotten when there are too many.
const FORGOTTEN: Duration = Duration::from_secs(60);

/// Why somebody may not watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// They may not see this camera, whether there is one or not.
    Forbidden,
    /// There is no such camera.
    Unknown,
    /// Too many watch already.
    Full,
}

/// The cameras and who watches them.
pub struct Video {
    cameras: Mutex<HashMap<String, Arc<Camera>>>,
    kitchen: Arc<Kitchen>,
    /// How old a frame may be.
    pub frame_age: Duration,
    max_viewers: usize,
    viewers: AtomicUsize,
    numbers: AtomicU64,
    held: AtomicUsize,
    /// Frames that were not kept: too long, too many, of too many cameras.
    pub refused: AtomicU64,
    /// The gate of each camera of the site that watches one.
    gates: HashMap<String, String>,
}

impl Video {
    /// Video as `args` say, with the cameras of the site, each with its gate if it has one.
    pub fn new(args: &VideoArgs, cameras: impl IntoIterator<Item = (String, Option<String>)>) -> Video {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut video = Video {
            cameras: Mutex::default(),
            kitchen: Arc::new(Kitchen::new((cores / 2).clamp(1, 4))),
            frame_age: args.frame_age.0,
            max_viewers: args.max_viewers,
            viewers: AtomicUsize::new(0),
            numbers: AtomicU64::new(0),
            held: AtomicUsize::new(0),
            refused: AtomicU64::new(0),
            gates: HashMap::new(),
        };
        for (id, gate) in cameras {
            video.lock().insert(id.clone(), Arc::new(Camera::new(&id)));
            video.gates.extend(gate.map(|gate| (id, gate)));
        }
        video
    }

    /// Takes a `frame` record: it becomes its camera's newest.
    pub fn frame(&self, record: &Envelope<'_>, peer: &Arc<Peer>, now: Time) {
        let payload = record.payload_json();
        let Some(camera) = self.camera_of(record, payload.len()) else {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return;
        };
        camera.heard(peer, None);
        let number = self.numbers.fetch_add(1, Ordering::Relaxed) + 1;
        let time = record.timestamp.unwrap_or(now);
        self.held.fetch_add(payload.len(), Ordering::Relaxed);
        let picture = Picture::new(number, time, payload, &self.kitchen);
        self.drop_picture(camera.newest.send_replace(Some(Arc::new(picture))));
    }

    /// Takes a `camera_status` record into account.
    pub fn status(&self, record: &Envelope<'_>, peer: &Arc<Peer>) {
        if let Ok(status) = record.payload::<CameraStatus>()
            && let Some(camera) = self.find_or_make(&status.camera_id)
        {
            camera.heard(peer, Some(status.state));
        }
    }

    /// A process that may have sent frames is gone.
    pub fn gone(&self, peer: &Peer) {
        self.lock().values().for_each(|camera| camera.gone(peer));
    }

    /// Lets go of frames that are too old to be shown.
    pub fn sweep(&self) {
        let cameras: Vec<_> = self.lock().values().cloned().collect();
        for camera in cameras {
            let old = |picture: &Arc<Picture>| picture.received.elapsed() > self.frame_age;
            let mut gone = None;
            camera.newest.send_if_modified(|newest| {
                gone = newest.take_if(|picture| old(picture));
                false
            });
            self.drop_picture(gone);
        }
    }

    /// Lets somebody watch a camera, with at most what they want.
    pub fn watch(self: &Arc<Self>, camera: &str, person: &Person, wanted: Wanted) -> Result<Watch, Refusal> {
        if !person.may_see_camera(camera) {
            return Err(Refusal::Forbidden);
        }
        let camera = self.lock().get(camera).cloned().ok_or(Refusal::Unknown)?;
        let taken = |viewers: usize| (viewers < self.max_viewers).then_some(viewers + 1);
        self.viewers.fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken).map_err(|_| Refusal::Full)?;
        camera.viewers.fetch_add(1, Ordering::SeqCst);
        Ok(Watch::new(Arc::clone(self), camera, wanted))
    }

    /// The camera of this id.
    pub fn camera(&self, id: &str) -> Option<Arc<Camera>> {
        self.lock().get(id).cloned()
    }

    /// All cameras, by id.
    pub fn cameras(&self) -> Vec<Arc<Camera>> {
        let mut cameras: Vec<_> = self.lock().values().cloned().collect();
        cameras.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        cameras
    }

    /// How many watch.
    pub fn viewers(&self) -> usize {
        self.viewers.load(Ordering::Relaxed)
    }

    fn camera_of(&self, record: &Envelope<'_>, length: usize) -> Option<Arc<Camera>> {
        if length > LONGEST || self.held.load(Ordering::Relaxed) + length > MOST_HELD {
            return None;
        }
        // The payload names the camera too, but to look for that in a whole picture costs.
        self.find_or_make(record.source.as_deref()?)
    }

    fn find_or_make(&self, id: &str) -> Option<Arc<Camera>> {
        let mut cameras = self.lock();
        if let Some(camera) = cameras.get(id) {
            return Some(Arc::clone(camera));
        }
        if id.is_empty() || id.len() > 128 {
            return None;
        }
        if cameras.len() >= CAMERAS {
            let gates = &self.gates;
            cameras.retain(|id, camera| gates.contains_key(id) || !camera.is_idle(FORGOTTEN));
            if cameras.len() >= CAMERAS {
                return None;
            }
        }
        let camera = Arc::new(Camera::new(id));
        cameras.insert(id.to_owned(), Arc::clone(&camera));
        Some(camera)
    }

    fn drop_picture(&self, picture: Option<Arc<Picture>>) {
        if let Some(picture) = picture {
            self.held.fetch_sub(picture.length(), Ordering::Relaxed);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Camera>>> {
        self.cameras.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
