//! Who controls which gate, and who waits for an answer.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use park_core::record::Payload;
use park_core::record::command::{Fault, GateControlResponse};
use park_core::stream::Peer;
use serde::Deserialize;
use tokio::sync::oneshot;

use super::{Event, Subscriber, Why};

/// The controllers by gate: a WebSocket controller, or a `park-gate` at the other end of a two-way input.
#[derive(Default)]
pub struct Controllers {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    gates: BTreeMap<String, Controller>,
    asked: HashMap<String, Asked>,
}

/// A question whose answer is awaited.
struct Asked {
    asker: Weak<Subscriber>,
    answer: oneshot::Sender<Answer>,
}

/// What a controller says of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Whether it was carried out.
    pub success: bool,
    /// What else there is to say.
    pub message: Option<String>,
}

struct Controller {
    peer: Arc<Peer>,
    /// Its connection, if it is a WebSocket.
    socket: Option<Arc<Subscriber>>,
}

/// Records that only the gate's own process makes; whoever sends them can be told what to do.
const OF_A_GATE: &[&str] = &[
    "gate_status",
    "hardware_status",
    "card_detected",
    "plate_detected",
    "access_decision",
    "parking_entry",
    "parking_exit",
];

/// Questions whose answer is awaited; the oldest are given up when there are more.
const ASKED: usize = 10_000;

impl Controllers {
    /// A WebSocket controller has come. One that was there is sent away.
    pub fn attach(&self, gate: &str, peer: &Arc<Peer>, socket: &Arc<Subscriber>) {
        let controller = Controller { peer: Arc::clone(peer), socket: Some(Arc::clone(socket)) };
        let before = self.lock().gates.insert(gate.to_owned(), controller);
        if let Some(socket) = before.and_then(|before| before.socket) {
            socket.queue.end(Why::Replaced);
        }
    }

    /// Remembers whose records speak for a gate. A WebSocket controller stays in charge as long as it is connected.
    pub fn remember(&self, event: &Event, peer: &Arc<Peer>) {
        let Some(gate) = &event.gate_id else { return };
        if !peer.is_two_way() || !OF_A_GATE.contains(&event.kind.as_str()) {
            return;
        }
        let mut inner = self.lock();
        match inner.gates.get(gate) {
            Some(known) if known.socket.is_some() || known.peer.id() == peer.id() => {}
            _ => {
                inner.gates.insert(gate.clone(), Controller { peer: Arc::clone(peer), socket: None });
            }
        }
    }

    /// A connection has gone, and its gates are without a controller.
    pub fn gone(&self, peer: &Peer) {
        self.lock().gates.retain(|_, controller| controller.peer.id() != peer.id());
    }

    /// The gates that have a controller.
    pub fn gates(&self) -> Vec<String> {
        self.lock().gates.keys().cloned().collect()
    }

    /// Sends a line to a gate's controller; false if it has none. May block while the controller is slow to read.
    pub fn relay(&self, gate: &str, line: &[u8]) -> bool {
        let peer = self.lock().gates.get(gate).map(|controller| Arc::clone(&controller.peer));
        peer.is_some_and(|peer| {
            let sent = peer.reply(line);
            if !sent {
                self.gone(&peer);
            }
            sent
        })
    }

    /// Notes who asked, so that the answer finds them, and gives what the answer can be awaited with: an error means that
    /// too many wait.
    pub fn asked(&self, id: &str, asker: &Arc<Subscriber>) -> oneshot::Receiver<Answer> {
        let (answer, awaited) = oneshot::channel();
        let mut inner = self.lock();
        if inner.asked.len() >= ASKED {
            inner.asked.retain(|_, asked| asked.asker.strong_count() > 0);
        }
        if inner.asked.len() < ASKED {
            inner.asked.insert(id.to_owned(), Asked { asker: Arc::downgrade(asker), answer });
        }
        awaited
    }

    /// Nobody waits for this answer any more; who did, if it had not come.
    pub fn give_up(&self, id: &str) -> Option<Weak<Subscriber>> {
        self.lock().asked.remove(id).map(|asked| asked.asker)
    }

    /// Who asked what `event` answers. Whoever awaits the answer has it then.
    pub fn answered(&self, event: &Event) -> Option<Weak<Subscriber>> {
        #[derive(Deserialize)]
        struct Answered {
            request_id: Option<String>,
            #[serde(default)]
            success: bool,
            message: Option<String>,
        }
        if event.kind != GateControlResponse::TYPE && event.kind != Fault::TYPE {
            return None;
        }
        let payload = event.envelope().ok()?.payload_json();
        let Answered { request_id, success, message } = serde_json::from_str(payload).ok()?;
        let Asked { asker, answer } = self.lock().asked.remove(&request_id?)?;
        // Whoever awaited it may have given up.
        let _ = answer.send(Answer { success, message });
        Some(asker)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
