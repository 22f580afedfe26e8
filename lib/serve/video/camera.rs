//! One camera: its newest frame, who watches it, and the process that it comes from.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use park_core::record::camera::CameraState;
use park_core::stream::Peer;
use tokio::sync::watch;

use super::picture::Picture;

/// A camera without a frame for this long is asked to stream when somebody watches.
pub const QUIET: Duration = Duration::from_secs(2);

/// One camera.
pub struct Camera {
    /// Its id.
    pub id: String,
    /// Its newest frame.
    pub newest: watch::Sender<Option<Arc<Picture>>>,
    /// How many watch.
    pub viewers: AtomicUsize,
    /// Whether somebody looks after its starting and stopping.
    pub attended: AtomicBool,
    /// Frames that could not be shown.
    pub bad: AtomicU64,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    peer: Option<Arc<Peer>>,
    state: Option<CameraState>,
    heard: Option<Instant>,
}

impl Camera {
    /// A camera of which nothing has come yet.
    pub fn new(id: &str) -> Camera {
        Camera {
            id: id.to_owned(),
            newest: watch::Sender::new(None),
            viewers: AtomicUsize::new(0),
            attended: AtomicBool::new(false),
            bad: AtomicU64::new(0),
            inner: Mutex::default(),
        }
    }

    /// Something of it came from `peer`.
    pub fn heard(&self, peer: &Arc<Peer>, state: Option<CameraState>) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.heard = Some(Instant::now());
        inner.state = state.or(inner.state);
        let known = inner.peer.as_ref().is_some_and(|known| known.id() == peer.id());
        if !known && peer.is_two_way() {
            inner.peer = Some(Arc::clone(peer));
        }
    }

    /// What it last said of itself.
    pub fn state(&self) -> Option<CameraState> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).state
    }

    /// The process that it comes from, if it can be spoken to.
    pub fn peer(&self) -> Option<Arc<Peer>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).peer.clone()
    }

    /// This process is gone.
    pub fn gone(&self, peer: &Peer) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.peer.as_ref().is_some_and(|known| known.id() == peer.id()) {
            inner.peer = None;
        }
    }

    /// Its newest frame, if that came within `age`.
    pub fn fresh(&self, age: Duration) -> Option<Arc<Picture>> {
        self.newest.borrow().as_ref().filter(|picture| picture.received.elapsed() <= age).cloned()
    }

    /// Whether nothing at all came of it for `age`, and nobody watches.
    pub fn is_idle(&self, age: Duration) -> bool {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        self.viewers.load(Ordering::Relaxed) == 0 && inner.heard.is_none_or(|heard| heard.elapsed() > age)
    }
}
