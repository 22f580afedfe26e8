//! Somebody at a surface.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use park_core::record::Time;
use park_store::{Connection, Note};

use super::Operations;
use crate::access::Person;

/// A dialect, or a kind of client within one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Surface {
    /// A dashboard at a WebSocket channel.
    Channel,
    /// A gate's controller at its WebSocket.
    Controller,
    /// A stream of Server-Sent Events.
    Sse,
    /// Socket.IO.
    SocketIo,
    /// Live video.
    Video,
    /// Requests one by one.
    Rest,
}

impl Surface {
    /// Every surface.
    pub const ALL: [Surface; 6] = [
        Surface::Channel,
        Surface::Controller,
        Surface::Sse,
        Surface::SocketIo,
        Surface::Video,
        Surface::Rest,
    ];

    /// Its word in logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Surface::Channel => "channel",
            Surface::Controller => "controller",
            Surface::Sse => "sse",
            Surface::SocketIo => "socketio",
            Surface::Video => "video",
            Surface::Rest => "rest",
        }
    }
}

/// Who is at a surface, and from where.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// Who.
    pub person: Arc<Person>,
    /// At which surface.
    pub surface: Surface,
    /// From where.
    pub address: IpAddr,
}

impl Visitor {
    pub(super) fn connection(&self, id: i64, opened: Time) -> Connection {
        Connection {
            id,
            opened,
            closed: None,
            duration: None,
            person: self.person.name.clone(),
            role: self.person.role.name().to_owned(),
            surface: self.surface.name().to_owned(),
            address: self.address.to_string(),
            why: None,
            bytes: None,
        }
    }
}

/// A connection as long as it is open; dropping it closes it in the log.
pub struct Visit {
    operations: Arc<Operations>,
    id: i64,
    visitor: Visitor,
    /// Whether the log knows of it.
    logged: bool,
    bytes: AtomicU64,
    why: Mutex<&'static str>,
}

impl Visit {
    pub(super) fn new(operations: Arc<Operations>, id: i64, visitor: Visitor, logged: bool) -> Visit {
        let (bytes, why) = (AtomicU64::new(0), Mutex::new("left"));
        Visit { operations, id, visitor, logged, bytes, why }
    }

    /// Its number, which no other connection of this database has.
    pub fn id(&self) -> i64 {
        self.id
    }

    /// Bytes were sent to it.
    pub fn sent(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Why the server ends it; without a word it left by itself.
    pub fn ends(&self, why: &'static str) {
        *self.why.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }
}

impl std::ops::Deref for Visit {
    type Target = Visitor;
    fn deref(&self) -> &Visitor {
        &self.visitor
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.operations.lock().remove(&self.id);
        let why = *self.why.lock().unwrap_or_else(PoisonError::into_inner);
        self.operations.metrics.closed(why);
        if self.logged {
            let (time, bytes) = (self.operations.context.now(), self.bytes.load(Ordering::Relaxed));
            self.operations.keeper.tell(Note::Closed { id: self.id, time, why: why.into(), bytes });
        }
    }
}
