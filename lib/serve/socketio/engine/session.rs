//! The sessions, their heartbeats and their ends.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::packet::{Malformed, Packet};
use crate::channels::message::text_frame;
use crate::hub::{Interest, Joining, Scope, Subscription, Why};
use crate::operations::Visit;
use crate::server::Server;
use crate::socketio::client::{Caller, Client};
use crate::socketio::{booking, packet};

/// How long a session may be open before its client connects to the namespace. This is looked at once a second, and ten
/// seconds are the most.
const CONNECT: Duration = Duration::from_secs(9);

/// Questions of one client that may be worked on at once.
const TASKS: usize = 8;

/// All sessions.
pub struct Sessions {
    all: Mutex<HashMap<String, Arc<Session>>>,
    /// How often a client is pinged.
    pub interval: Duration,
    /// How long it may take to answer.
    pub timeout: Duration,
    most: usize,
}

/// How a session's client is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// It asks.
    Polling,
    /// It still asks, while it tries a WebSocket.
    Upgrading,
    /// It has a WebSocket.
    WebSocket,
}

/// One session.
pub struct Session {
    /// Its secret name.
    pub sid: String,
    /// What waits for its client.
    pub subscription: Subscription,
    /// Who its client is.
    pub client: Mutex<Client>,
    /// The order of replays.
    pub replaying: tokio::sync::Mutex<()>,
    link: Mutex<Link>,
    tasks: AtomicUsize,
}

struct Link {
    transport: Transport,
    /// Whether a request waits for what is sent.
    polling: bool,
    /// Whether a request is bringing something.
    posting: bool,
    /// When the last heartbeat ended, or the session began.
    beaten: Instant,
    /// When a ping was sent that was not answered.
    pinged: Option<Instant>,
}

/// What became of a packet.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    /// The session goes on.
    Going,
    /// The client has left.
    Left,
}

impl Sessions {
    /// No sessions; at most `most` at once.
    pub fn new(interval: Duration, timeout: Duration, most: usize) -> Sessions {
        Sessions { all: Mutex::default(), interval, timeout, most }
    }

    /// Begins a session for a caller. Nothing if there are too many.
    pub fn open(&self, server: &Arc<Server>, caller: Caller, transport: Transport) -> Option<Arc<Session>> {
        let interest = Interest { scope: Scope::Nothing, ..Interest::default() };
        let joining =
            Joining { channel: "socketio", interest, form: &booking::FORM, answers: false, expires: None };
        if self.lock().len() >= self.most {
            return None;
        }
        let link = Link { transport, polling: false, posting: false, beaten: Instant::now(), pinged: None };
        let session = Arc::new(Session {
            sid: secret()?,
            subscription: server.hub.join(joining, |_, _| Vec::new()),
            client: Mutex::new(Client::new(caller)),
            replaying: tokio::sync::Mutex::default(),
            link: Mutex::new(link),
            tasks: AtomicUsize::new(0),
        });
        self.lock().insert(session.sid.clone(), Arc::clone(&session));
        Some(session)
    }

    /// The session of this name.
    pub fn get(&self, sid: &str) -> Option<Arc<Session>> {
        self.lock().get(sid).cloned()
    }

    /// Forgets a session: nothing is sent to it any more.
    pub fn remove(&self, session: &Session) {
        self.lock().remove(&session.sid);
        session.subscription.queue.end(Why::Silent);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Pings those whose turn it is, and ends those that have not answered, or have not connected in time. To be called
    /// about once a second.
    pub fn sweep(&self) {
        let all: Vec<_> = self.lock().values().cloned().collect();
        for session in all {
            if !session.beat(self.interval, self.timeout) {
                session.subscription.queue.end(Why::Silent);
                // Whoever waits for what is sent removes it when it has taken the end.
                if !session.is_attended() {
                    self.remove(&session);
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Session>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    /// Takes a packet of the client.
    pub fn take(self: &Arc<Session>, server: &Arc<Server>, packet: Packet<'_>) -> Result<Taken, Malformed> {
        match packet {
            Packet::Close => return Ok(Taken::Left),
            Packet::Pong => {
                let mut link = self.link();
                link.pinged = None;
                link.beaten = Instant::now();
            }
            Packet::Message(text) => {
                Client::message(self, server, text).map_err(|packet::Malformed| Malformed)?;
            }
            Packet::Binary(_) => Client::attachment(self, server).map_err(|packet::Malformed| Malformed)?,
            Packet::Noop => {}
            // In this version of the protocol it is the server that pings; an upgrade has its own place.
            Packet::Ping(_) | Packet::Upgrade => return Err(Malformed),
        }
        Ok(Taken::Going)
    }

    /// Who its client is. Taken before the hub's own lock, never after.
    pub fn client(&self) -> MutexGuard<'_, Client> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its entry in the log of connections, once the client has said who it is.
    pub fn visit(&self) -> Option<Arc<Visit>> {
        self.client().member().map(|member| Arc::clone(&member.visit))
    }

    /// Sends frames.
    pub fn send(&self, frames: impl IntoIterator<Item = Bytes>) {
        self.subscription.send(frames);
    }

    /// Works on a question of the client; false if it has asked too many already.
    pub fn work(self: &Arc<Session>, question: impl Future<Output = ()> + Send + 'static) -> bool {
        let more = |tasks: usize| (tasks < TASKS).then_some(tasks + 1);
        if self.tasks.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_err() {
            return false;
        }
        let session = Arc::clone(self);
        tokio::spawn(async move {
            question.await;
            session.tasks.fetch_sub(1, Ordering::Relaxed);
        });
        true
    }

    /// How the client is reached.
    pub fn transport(&self) -> Transport {
        self.link().transport
    }

    /// Goes from one transport to another; false if it was not on that one.
    pub fn switch(&self, from: Transport, to: Transport) -> bool {
        let mut link = self.link();
        let fits = link.transport == from;
        if fits {
            link.transport = to;
        }
        fits
    }

    /// Whether a request waits for what is sent.
    pub fn is_polling(&self) -> bool {
        self.link().polling
    }

    /// A request begins to wait for what is sent; nothing if another one does.
    pub fn poll(self: &Arc<Session>) -> Option<Busy> {
        let mut link = self.link();
        (!std::mem::replace(&mut link.polling, true))
            .then(|| Busy(Arc::clone(self), |link| &mut link.polling))
    }

    /// A request begins to bring something; nothing if another one does.
    pub fn post(self: &Arc<Session>) -> Option<Busy> {
        let mut link = self.link();
        (!std::mem::replace(&mut link.posting, true))
            .then(|| Busy(Arc::clone(self), |link| &mut link.posting))
    }

    fn is_attended(&self) -> bool {
        let link = self.link();
        link.polling || link.transport == Transport::WebSocket
    }

    /// Whether it lives; sends a ping if one is due.
    fn beat(&self, interval: Duration, timeout: Duration) -> bool {
        if self.client().waits_since().is_some_and(|since| since.elapsed() > CONNECT) {
            return false;
        }
        let mut link = self.link();
        match link.pinged {
            Some(pinged) => pinged.elapsed() < timeout,
            None if link.beaten.elapsed() >= interval => {
                link.pinged = Some(Instant::now());
                drop(link);
                self.send([text_frame(b"2")]);
                true
            }
            None => true,
        }
    }

    fn link(&self) -> MutexGuard<'_, Link> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request at work, as long as this lives.
pub struct Busy(Arc<Session>, fn(&mut Link) -> &mut bool);

impl Drop for Busy {
    fn drop(&mut self) {
        *(self.1)(&mut self.0.link()) = false;
    }
}

/// A name that nobody can guess: 120 random bits.
pub fn secret() -> Option<String> {
    use base64::Engine;
    let bytes = crate::random::bytes::<15>().ok()?;
    Some(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes))
}
