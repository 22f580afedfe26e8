//! Lines that wait for a socket: bounded, and on disk where losing them would matter.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::record::Envelope;

/// What becomes of lines that a socket does not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Policy {
    /// The oldest are dropped and counted: for live frames.
    DropOldest,
    /// The command waits: for what can be made again, such as the reading of a recording.
    Block,
    /// They wait in a file of this directory, over a restart too; beyond the bound the oldest are dropped and counted.
    Disk(PathBuf),
}

/// How many bytes may wait, by policy.
const BOUND: usize = 8 << 20;
const DISK_BOUND: usize = 64 << 20;
/// How long a peer that has acknowledged nothing yet may take to begin, once everything is sent.
const FIRST_ACK: Duration = Duration::from_secs(1);
/// The most that is given out in one piece.
const BATCH: usize = 256 * 1024;

/// A queue between the loop, which pushes, and one connection at a time, which takes.
#[derive(Debug)]
pub(super) struct Queue {
    policy: Policy,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: VecDeque<Box<[u8]>>,
    bytes: usize,
    /// Lines at the front that the present connection was given.
    sent: usize,
    sent_bytes: usize,
    sent_at: Option<Instant>,
    /// Counts connections, so that one that ended cannot take.
    connection: u64,
    connected: bool,
    acknowledges: bool,
    dropped: u64,
    closed: bool,
    disk: Option<Disk>,
}

impl Queue {
    /// A queue for the endpoint that `name` names; with [`Policy::Disk`] it begins with what an earlier run left.
    pub fn open(policy: Policy, name: &str) -> Result<Self> {
        let mut state = State::default();
        if let Policy::Disk(dir) = &policy {
            let (disk, left) = Disk::open(dir, name)?;
            state.disk = Some(disk);
            state.add(&left);
        }
        Ok(Queue { policy, state: Mutex::new(state), changed: Condvar::new() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, at_most: Duration) -> MutexGuard<'a, State> {
        self.changed.wait_timeout(state, at_most).unwrap_or_else(PoisonError::into_inner).0
    }

    /// Adds whole lines.
    pub fn push(&self, lines: &[u8]) -> Result<()> {
        let mut state = self.lock();
        while self.policy == Policy::Block && state.bytes - state.sent_bytes > BOUND && !state.closed {
            state = self.wait(state, Duration::from_secs(1));
        }
        if let Some(disk) = &mut state.disk {
            disk.append(lines)?;
        }
        state.add(lines);
        state.evict(if matches!(self.policy, Policy::Disk(_)) { DISK_BOUND } else { BOUND })?;
        self.changed.notify_all();
        Ok(())
    }

    /// A connection begins: it is given everything not acknowledged. Returns its number.
    pub fn connect(&self) -> u64 {
        let mut state = self.lock();
        state.connection += 1;
        state.connected = true;
        if self.policy == Policy::DropOldest {
            state.forget_sent();
        }
        state.sent = 0;
        state.sent_bytes = 0;
        state.connection
    }

    /// The connection of that number ended.
    pub fn disconnect(&self, connection: u64) {
        let mut state = self.lock();
        if state.connection == connection {
            state.connected = false;
        }
        self.changed.notify_all();
    }

    /// Waits for lines to send; `None` once the connection has ended or the queue is closed and empty.
    pub fn take(&self, connection: u64) -> Option<Vec<u8>> {
        let mut state = self.lock();
        loop {
            if !state.connected || state.connection != connection {
                return None;
            }
            if state.sent < state.lines.len() {
                break;
            }
            if state.closed {
                return None;
            }
            state = self.wait(state, Duration::from_secs(60));
        }
        let mut batch = Vec::new();
        while state.sent < state.lines.len() && batch.len() < BATCH {
            batch.extend_from_slice(&state.lines[state.sent]);
            state.sent_bytes += state.lines[state.sent].len();
            state.sent += 1;
        }
        state.sent_at = Some(Instant::now());
        if self.policy == Policy::DropOldest {
            state.forget_sent();
        }
        self.changed.notify_all();
        Some(batch)
    }

    /// The peer has made everything up to the record `id` durable.
    pub fn acknowledge(&self, id: &str) -> Result<()> {
        let mut state = self.lock();
        state.acknowledges = true;
        let has_id = |line: &[u8]| Envelope::parse(line).is_ok_and(|record| record.id.as_deref() == Some(id));
        if let Some(at) = state.lines.iter().take(state.sent).position(|line| has_id(line)) {
            for _ in 0..=at {
                state.pop();
            }
        }
        state.shrink_disk()?;
        self.changed.notify_all();
        Ok(())
    }

    /// Whether no connection takes from it.
    pub fn is_free(&self) -> bool {
        !self.lock().connected
    }

    /// Whether the command is ending and nothing more will come.
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// How many lines were dropped since this was last asked.
    pub fn dropped(&self) -> u64 {
        std::mem::take(&mut self.lock().dropped)
    }

    /// Closes the queue and waits until everything has arrived, at most `patience`. Returns how many lines did not.
    pub fn drain(&self, patience: Duration) -> usize {
        let deadline = Instant::now() + patience;
        let mut state = self.lock();
        state.closed = true;
        self.changed.notify_all();
        loop {
            let now = Instant::now();
            if state.lines.is_empty() {
                return 0;
            }
            let silent = !state.acknowledges && state.sent == state.lines.len();
            let first_ack = state.sent_at.map_or(now, |at| at + FIRST_ACK);
            if silent && now >= first_ack {
                // A peer that does not speak of acks was given everything: that is all one can know.
                state.forget_sent();
                return usize::from(state.shrink_disk().is_err());
            }
            if now >= deadline {
                return state.lines.len();
            }
            let until = if silent { first_ack.min(deadline) } else { deadline };
            state = self.wait(state, until - now);
        }
    }
}

impl State {
    fn add(&mut self, lines: &[u8]) {
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            self.bytes += line.len();
            self.lines.push_back(line.into());
        }
    }

    fn pop(&mut self) {
        if let Some(line) = self.lines.pop_front() {
            self.bytes -= line.len();
            if self.sent > 0 {
                self.sent -= 1;
                self.sent_bytes -= line.len();
            }
        }
    }

    fn forget_sent(&mut self) {
        while self.sent > 0 {
            self.pop();
        }
    }

    fn evict(&mut self, bound: usize) -> Result<()> {
        if self.bytes <= bound {
            return Ok(());
        }
        while self.bytes > bound && self.lines.len() > 1 {
            self.dropped += u64::from(self.sent == 0);
            self.pop();
        }
        self.shrink_disk()
    }

    /// Keeps the file near what waits: emptied when nothing does, rewritten when it is mostly of the past.
    fn shrink_disk(&mut self) -> Result<()> {
        let State { disk: Some(disk), lines, bytes, .. } = self else { return Ok(()) };
        if disk.bytes > 2 * *bytes + BATCH || (lines.is_empty() && disk.bytes > 0) {
            disk.rewrite(lines.iter().map(|line| &**line))?;
        }
        Ok(())
    }
}

/// The file behind a queue: the lines themselves, so that a person can read what waits.
#[derive(Debug)]
struct Disk {
    path: PathBuf,
    file: File,
    bytes: usize,
}

impl Disk {
    fn open(dir: &Path, name: &str) -> Result<(Disk, Vec<u8>)> {
        let safe: String =
            name.chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '_' }).collect();
        let path = dir.join(format!("{safe}.ndjson"));
        let doing = format!("opening the queue {}", path.display());
        let open = || -> io::Result<(File, Vec<u8>)> {
            std::fs::create_dir_all(dir)?;
            let mut left = match std::fs::read(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
                other => other?,
            };
            // A process killed while it wrote may have left half a line.
            left.truncate(memchr::memrchr(b'\n', &left).map_or(0, |last| last + 1));
            let file = OpenOptions::new().create(true).append(true).open(&path)?;
            file.set_len(left.len() as u64)?;
            Ok((file, left))
        };
        let (file, left) = open().map_err(|error| Error::io(doing, error))?;
        Ok((Disk { path, file, bytes: left.len() }, left))
    }

    fn append(&mut self, lines: &[u8]) -> Result<()> {
        self.file
            .write_all(lines)
            .map_err(|error| Error::io(format!("writing to the queue {}", self.path.display()), error))?;
        self.bytes += lines.len();
        Ok(())
    }

    fn rewrite<'a>(&mut self, lines: impl Iterator<Item = &'a [u8]>) -> Result<()> {
        let aside = self.path.with_extension("new");
        let write = || -> io::Result<(File, usize)> {
            let mut text = Vec::new();
            lines.for_each(|line| text.extend_from_slice(line));
            std::fs::write(&aside, &text)?;
            std::fs::rename(&aside, &self.path)?;
            Ok((OpenOptions::new().append(true).open(&self.path)?, text.len()))
        };
        (self.file, self.bytes) = write()
            .map_err(|error| Error::io(format!("rewriting the queue {}", self.path.display()), error))?;
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn line(id: u32) -> Vec<u8> {
        format!("{{\"type\":\"tick\",\"id\":\"{id}\"}}\n").into_bytes()
    }

    #[test]
    fn what_was_not_acknowledged_is_sent_again() {
        let queue = Queue::open(Policy::Block, "x").unwrap();
        (0..3).for_each(|id| queue.push(&line(id)).unwrap());
        let first = queue.connect();
        assert_eq!(queue.take(first).unwrap(), [line(0), line(1), line(2)].concat());
        queue.acknowledge("1").unwrap();
        queue.disconnect(first);
        assert_eq!(queue.take(first), None);
        let second = queue.connect();
        assert_eq!(queue.take(second).unwrap(), line(2));
        queue.acknowledge("2").unwrap();
        assert_eq!(queue.drain(Duration::ZERO), 0);
    }

    #[test]
    fn a_queue_on_disk_outlives_its_process() {
        let dir = tempfile::tempdir().unwrap();
        let policy = Policy::Disk(dir.path().into());
        let queue = Queue::open(policy.clone(), "unix:/x").unwrap();
        (0..3).for_each(|id| queue.push(&line(id)).unwrap());
        let connection = queue.connect();
        queue.take(connection);
        queue.acknowledge("0").unwrap();
        drop(queue);
        let queue = Queue::open(policy.clone(), "unix:/x").unwrap();
        let connection = queue.connect();
        let resent = queue.take(connection).unwrap();
        assert!(resent.ends_with(&[line(1), line(2)].concat()));
        queue.acknowledge("2").unwrap();
        drop(queue);
        let file = dir.path().join("unix__x.ndjson");
        assert_eq!(std::fs::metadata(&file).unwrap().len(), 0);
        std::fs::write(&file, [line(7), b"{\"type\":\"ti".to_vec()].concat()).unwrap();
        let queue = Queue::open(policy, "unix:/x").unwrap();
        let connection = queue.connect();
        assert_eq!(queue.take(connection).unwrap(), line(7), "half a line is not sent");
    }

    #[test]
    fn live_lines_drop_the_oldest_and_count_them() {
        let queue = Queue::open(Policy::DropOldest, "x").unwrap();
        let frame = [vec![b'x'; BOUND / 4], b"\n".to_vec()].concat();
        (0..10).for_each(|_| queue.push(&frame).unwrap());
        assert_eq!(queue.dropped(), 7);
        assert_eq!(queue.drain(Duration::ZERO), 3);
    }
}
