//! One viewer, whatever its dialect.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use park_core::record::Time;
use tokio::sync::watch;
use tokio::time::sleep_until;

use super::Video;
use super::camera::Camera;
use super::pace::{Pace, Wanted};
use super::picture::Picture;

/// A picture on its way to a viewer.
#[derive(Debug, Clone)]
pub struct Shot {
    /// The JPEG, shared by all who are sent the same.
    pub jpeg: Bytes,
    /// Event time.
    pub time: Time,
}

/// Somebody watches a camera, as long as this lives.
pub struct Watch {
    video: Arc<Video>,
    camera: Arc<Camera>,
    newest: watch::Receiver<Option<Arc<Picture>>>,
    pace: Pace,
    /// The number of the last frame that was given out.
    seen: u64,
    /// When the last frame was given out, and when the one before it.
    given: Option<Instant>,
    before: Option<Instant>,
}

impl Watch {
    pub(super) fn new(video: Arc<Video>, camera: Arc<Camera>, wanted: Wanted) -> Watch {
        let newest = camera.newest.subscribe();
        Watch { video, camera, newest, pace: Pace::new(wanted), seen: 0, given: None, before: None }
    }

    /// The camera.
    pub fn camera(&self) -> &Arc<Camera> {
        &self.camera
    }

    /// The next picture, the newest there is when it is due. Whoever asks again has sent the one before: how long that
    /// took tells how often and how large the next ones are. May be given up and asked again.
    pub async fn next(&mut self) -> Shot {
        if let Some(given) = self.given.take() {
            let since = self.before.map_or(given.elapsed(), |before| given.duration_since(before));
            self.pace.sent(given.elapsed(), since);
            self.before = Some(given);
        }
        loop {
            if let Some(before) = self.before {
                sleep_until((before + self.pace.interval()).into()).await;
            }
            let picture = self.fresh().await;
            let made = picture.jpeg(self.pace.shape()).await;
            self.seen = picture.number;
            match made {
                Ok(jpeg) => {
                    self.given = Some(Instant::now());
                    return Shot { jpeg, time: picture.time };
                }
                Err(_) => drop(self.camera.bad.fetch_add(1, Ordering::Relaxed)),
            }
        }
    }

    /// Waits for a frame that has not been seen and is not too old.
    async fn fresh(&mut self) -> Arc<Picture> {
        loop {
            let age = self.video.frame_age;
            let seen = self.seen;
            let fits = |picture: &&Arc<Picture>| picture.number > seen && picture.received.elapsed() <= age;
            if let Some(picture) = self.newest.borrow_and_update().as_ref().filter(fits) {
                return Arc::clone(picture);
            }
            if self.newest.changed().await.is_err() {
                // The camera lives as long as this: it does not happen.
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.camera.viewers.fetch_sub(1, Ordering::SeqCst);
        self.video.viewers.fetch_sub(1, Ordering::Relaxed);
    }
}
