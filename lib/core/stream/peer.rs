//! Whoever records come from.

use std::fmt;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The writing half of a two-way connection.
pub(crate) type Writer = Arc<Mutex<Box<dyn Write + Send>>>;

/// One source of records: an input, a connection, a thread of the command itself.
pub struct Peer {
    id: u64,
    name: String,
    control: bool,
    output: bool,
    writer: Option<Writer>,
}

static NEXT: AtomicU64 = AtomicU64::new(0);

impl Peer {
    /// A peer that is only read from. Records of a `control` peer are commands: they are not passed on.
    pub fn one_way(name: impl Into<String>, control: bool) -> Arc<Peer> {
        Peer::build(name.into(), control, false, None)
    }

    /// A peer that can be answered through `writer`, which gets whole lines.
    pub fn two_way(name: impl Into<String>, control: bool, writer: Box<dyn Write + Send>) -> Arc<Peer> {
        Peer::build(name.into(), control, false, Some(Arc::new(Mutex::new(writer))))
    }

    /// The far end of an output: its records are commands.
    pub(crate) fn output(name: String, writer: Writer) -> Arc<Peer> {
        Peer::build(name, true, true, Some(writer))
    }

    fn build(name: String, control: bool, output: bool, writer: Option<Writer>) -> Arc<Peer> {
        Arc::new(Peer { id: NEXT.fetch_add(1, Ordering::Relaxed), name, control, output, writer })
    }

    /// A number no other peer of this process has.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The input or address, for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether its records are commands to this process rather than part of the stream.
    pub fn is_control(&self) -> bool {
        self.control
    }

    /// Whether it is the far end of an output, and so reads everything the command writes.
    pub fn is_output(&self) -> bool {
        self.output
    }

    /// Whether [`Peer::reply`] can reach it.
    pub fn is_two_way(&self) -> bool {
        self.writer.is_some()
    }

    /// Sends whole lines back; false if the peer cannot be answered or is gone.
    pub fn reply(&self, lines: &[u8]) -> bool {
        let Some(writer) = &self.writer else { return false };
        let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.write_all(lines).and_then(|()| writer.flush()).is_ok()
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").field("id", &self.id).field("name", &self.name).finish_non_exhaustive()
    }
}
