//! Everything that happens to a command, on one channel.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::backoff::Backoff;
use super::endpoint::Endpoint;
use super::framing::{Chunk, LineReader};
use super::peer::Peer;
use super::transport::{self, Listener, Wire};
use crate::cli::Log;
use crate::error::{Error, Kind, Result};

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// HUP: read lists and configuration again.
    Reload,
    /// USR1: say the state on stderr.
    State,
    /// TERM: finish, flush, stop.
    Terminate,
    /// INT: the same, then die by the signal.
    Interrupt,
}

/// One thing that happened.
#[derive(Debug)]
pub(crate) enum Event {
    /// Whole lines came.
    Lines(Arc<Peer>, Vec<u8>),
    /// A line over the limit was passed over.
    TooLong(Arc<Peer>),
    /// A connection ended.
    Gone(Arc<Peer>),
    /// An input that can end has ended, by its end or by an error.
    Ended(Option<Error>),
    /// A signal came.
    Signal(Signal),
    /// A thread of the pool has an answer.
    Answered,
}

/// Puts lines into the loop from a thread of the command's own.
#[derive(Debug, Clone)]
pub struct Injector(SyncSender<Event>);

impl Injector {
    /// Hands over whole lines as if `peer` had sent them; false once the command is stopping.
    pub fn lines(&self, peer: &Arc<Peer>, lines: Vec<u8>) -> bool {
        self.0.send(Event::Lines(Arc::clone(peer), lines)).is_ok()
    }

    /// Says that `peer` is gone; false once the command is stopping.
    pub fn gone(&self, peer: &Arc<Peer>) -> bool {
        self.0.send(Event::Gone(Arc::clone(peer))).is_ok()
    }
}

/// The channel, and the threads that feed it.
#[derive(Debug)]
pub(crate) struct Inlet {
    events: Receiver<Event>,
    sender: SyncSender<Event>,
    log: Log,
    wire: Wire,
}

/// Chunks that may wait; each is at most a read long, so this bounds the memory of a busy input.
const WAITING: usize = 16;

impl Inlet {
    pub fn new(wire: Wire, log: Log) -> Self {
        let (sender, events) = sync_channel(WAITING);
        Inlet { events, sender, log, wire }
    }

    pub fn sender(&self) -> SyncSender<Event> {
        self.sender.clone()
    }

    pub fn injector(&self) -> Injector {
        Injector(self.sender.clone())
    }

    /// Starts to read `endpoint`; true if it can end by itself.
    pub fn open(&self, endpoint: &Endpoint, control: bool) -> Result<bool> {
        let events = self.sender.clone();
        let max_line = self.wire.max_line;
        match endpoint {
            Endpoint::Stdio => {
                let peer = Peer::one_way("stdin", control);
                thread::spawn(move || read_to_end(io::stdin(), &peer, max_line, &events));
                Ok(true)
            }
            Endpoint::File(path) => {
                let name = path.display().to_string();
                let kind = |error: &io::Error| match error.kind() {
                    io::ErrorKind::NotFound => Kind::Unavailable,
                    _ => Kind::Io,
                };
                // A FIFO blocks in open until its writer comes: only the thread may wait for that.
                std::fs::metadata(path)
                    .map_err(|error| Error::new(kind(&error), format!("opening {name}")).because(error))?;
                let (path, peer) = (path.clone(), Peer::one_way(name.clone(), control));
                thread::spawn(move || match File::open(&path) {
                    Ok(file) => read_to_end(file, &peer, max_line, &events),
                    Err(error) => {
                        let _ = events.send(Event::Ended(Some(Error::io(format!("opening {name}"), error))));
                    }
                });
                Ok(true)
            }
            Endpoint::Unix(_) | Endpoint::Tcp(_) | Endpoint::Ws(_) => {
                let (endpoint, wire, log) = (endpoint.clone(), self.wire.clone(), self.log.clone());
                thread::spawn(move || stay_connected(&endpoint, control, &wire, &events, &log));
                Ok(false)
            }
            Endpoint::UnixListen(_) | Endpoint::TcpListen(_) | Endpoint::WsListen(_) => {
                let listener = Listener::bind(endpoint, max_line).map_err(|error| {
                    Error::new(Kind::Unavailable, format!("listening on {endpoint}")).because(error)
                })?;
                let log = self.log.clone();
                thread::spawn(move || accept_all(&listener, control, max_line, &events, &log));
                Ok(false)
            }
        }
    }

    /// What has already happened.
    pub fn ready(&self) -> Option<Event> {
        self.events.try_recv().ok()
    }

    /// Waits for what happens next, at most until `deadline`.
    pub fn next(&self, deadline: Option<Instant>) -> Option<Event> {
        let Some(deadline) = deadline else { return self.events.recv().ok() };
        let left = deadline.saturating_duration_since(Instant::now());
        self.events.recv_timeout(left).ok()
    }
}

/// A connection whose line is longer than the limit by so many times the limit is cut off. A line that is only too long is
/// passed over: whoever sent it would come back with it again and again.
const ENDLESS: usize = 4;

/// Sends everything `lines` gives; false once nobody listens.
fn pump(mut lines: LineReader<impl Read>, peer: &Arc<Peer>, events: &SyncSender<Event>) -> io::Result<bool> {
    while let Some(chunk) = lines.next_chunk()? {
        let event = match chunk {
            Chunk::Lines(bytes) => Event::Lines(Arc::clone(peer), bytes),
            Chunk::TooLong => Event::TooLong(Arc::clone(peer)),
        };
        if events.send(event).is_err() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn read_to_end(reader: impl Read, peer: &Arc<Peer>, max_line: usize, events: &SyncSender<Event>) {
    let error = pump(LineReader::new(reader, max_line), peer, events)
        .err()
        .map(|error| Error::io(format!("reading {}", peer.name()), error));
    let _ = events.send(Event::Ended(error));
}

/// Reads one connection until it ends; false once nobody listens.
pub(super) fn serve(
    connection: transport::Connection,
    control: bool,
    max_line: usize,
    events: &SyncSender<Event>,
) -> bool {
    let peer = Peer::two_way(connection.name, control, connection.writer);
    let lines = LineReader::new(connection.reader, max_line).no_longer_than(ENDLESS);
    // A connection that breaks has ended; its sender has what was not acknowledged.
    let listening = pump(lines, &peer, events).unwrap_or(true);
    (connection.close)();
    events.send(Event::Gone(peer)).is_ok() && listening
}

fn stay_connected(endpoint: &Endpoint, control: bool, wire: &Wire, events: &SyncSender<Event>, log: &Log) {
    let mut backoff =
        Backoff::new(Duration::from_millis(500), Duration::from_secs(30), u64::from(std::process::id()));
    loop {
        match transport::connect(endpoint, wire) {
            Ok(connection) => {
                log.info(&format!("connected to {endpoint}"));
                backoff.reset();
                if !serve(connection, control, wire.max_line, events) {
                    return;
                }
                log.warn(&format!("{endpoint} closed the connection"));
            }
            Err(error) => log.debug(&format!("connecting to {endpoint}: {error}")),
        }
        thread::sleep(backoff.delay());
    }
}

fn accept_all(listener: &Listener, control: bool, max_line: usize, events: &SyncSender<Event>, log: &Log) {
    loop {
        match listener.accept() {
            Ok(open) => {
                let (events, log) = (events.clone(), log.clone());
                thread::spawn(move || match open() {
                    Ok(connection) => drop(serve(connection, control, max_line, &events)),
                    Err(error) => log.warn(&format!("a connection failed at its start: {error}")),
                });
            }
            Err(error) => {
                log.warn(&format!("accepting a connection: {error}"));
                // Out of descriptors, most likely: do not spin.
                thread::sleep(Duration::from_millis(100));
            }
        }
    }
}
