//! `subscribe_to_camera {camera_id}`: pictures of a camera, as often and as large as the connection takes them.

use std::sync::{Arc, Weak};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tokio::task::JoinHandle;

use super::event::unix;
use crate::server::Server;
use crate::socketio::engine::Session;
use crate::socketio::packet::event_frame;
use crate::socketio::question::Question;
use crate::video::{Refusal, Wanted, Watch};

/// Cameras that one client may watch at once.
const MOST: usize = 16;

/// A camera that is shown to a client as long as this lives.
pub struct Shown(JoinHandle<()>);

impl Drop for Shown {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// `subscribe_to_camera {camera_id}`: a `video_frame` for each picture from now on.
pub fn subscribe(question: &Question, server: &Arc<Server>) -> Result<(), String> {
    let camera = question.id_of("camera_id")?;
    let session = &question.session;
    let mut client = session.client();
    let Some(member) = client.member() else { return Ok(()) };
    if member.cameras.len() >= MOST {
        return Err(format!("no more than {MOST} cameras at once"));
    }
    if !member.cameras.contains_key(&camera) {
        member.has_room(server.limits.subscriptions)?;
        let watch = server.watch_camera(&camera, &member.person, Wanted::default());
        let watch = watch.map_err(|refusal| match refusal {
            Refusal::Forbidden => "not with this role".to_owned(),
            Refusal::Unknown => format!("there is no camera {camera:?}"),
            Refusal::Full => "too many watch already".to_owned(),
        })?;
        let showing = show(Arc::downgrade(session), watch, camera.clone());
        member.cameras.insert(camera.clone(), Shown(tokio::spawn(showing)));
    }
    drop(client);
    question.acknowledge(json!({ "camera_id": camera }));
    Ok(())
}

/// `unsubscribe_from_camera {camera_id}`.
pub fn unsubscribe(question: &Question) -> Result<(), String> {
    let camera = question.id_of("camera_id")?;
    if let Some(member) = question.session.client().member() {
        member.cameras.remove(&camera);
    }
    question.acknowledge(json!({ "camera_id": camera }));
    Ok(())
}

/// Sends one picture after the other, each once the one before has left: pictures are passed over, never queued, and the
/// time that takes tells how many and how large the next ones are.
async fn show(session: Weak<Session>, mut watch: Watch, camera: String) {
    loop {
        let shot = watch.next().await;
        let Some(session) = session.upgrade() else { return };
        let frame =
            json!({ "camera_id": camera, "data": STANDARD.encode(&shot.jpeg), "timestamp": unix(shot.time) });
        session.send([event_frame("video_frame", &frame)]);
        if !session.subscription.queue.drained().await {
            return;
        }
    }
}
