//! Sockets that records are written to: connected again when they go away, fed from a queue.

use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::backoff::Backoff;
use super::endpoint::Endpoint;
use super::framing::{Chunk, LineReader};
use super::inlet::Event;
use super::peer::{Peer, Writer};
use super::queue::{Policy, Queue};
use super::transport::{Connection, Listener, Wire, connect};
use crate::cli::Log;
use crate::error::{Error, Kind, Result};
use crate::record::Envelope;
use crate::record::command::Ack;

/// A socket that records are written to. What its peers send back, acks aside, arrives as control lines.
#[derive(Debug)]
pub(super) struct Link {
    name: String,
    queue: Arc<Queue>,
    /// Clients of a listening output beyond the first; a slow one of these loses its oldest lines.
    others: Arc<Mutex<Vec<Arc<Queue>>>>,
    log: Log,
}

impl Link {
    pub fn open(
        endpoint: &Endpoint,
        policy: Policy,
        wire: &Wire,
        events: SyncSender<Event>,
        log: Log,
    ) -> Result<Link> {
        let name = endpoint.to_string();
        let queue = Arc::new(Queue::open(policy, &name)?);
        let others = Arc::new(Mutex::new(Vec::new()));
        let feed = Feed { queue: Arc::clone(&queue), wire: wire.clone(), events, log: log.clone() };
        match endpoint {
            Endpoint::UnixListen(_) | Endpoint::TcpListen(_) | Endpoint::WsListen(_) => {
                let listener = Listener::bind(endpoint, wire.max_line).map_err(|error| {
                    Error::new(Kind::Unavailable, format!("listening on {name}")).because(error)
                })?;
                let others = Arc::clone(&others);
                thread::spawn(move || accept_all(&listener, &feed, &others));
            }
            _ => {
                let endpoint = endpoint.clone();
                thread::spawn(move || stay_connected(&endpoint, &feed));
            }
        }
        Ok(Link { name, queue, others, log })
    }

    pub fn write(&mut self, lines: &[u8]) -> Result<()> {
        self.queue.push(lines)?;
        for other in self.others.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            other.push(lines)?;
        }
        let dropped = self.queue.dropped();
        if dropped > 0 {
            self.log.warn(&format!("{}: {dropped} records dropped, the peer is too slow or away", self.name));
        }
        Ok(())
    }

    /// Waits until everything has arrived; an error says how much did not.
    pub fn finish(&mut self, patience: Duration) -> Result<()> {
        for other in self.others.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            other.drain(patience);
        }
        match self.queue.drain(patience) {
            0 => Ok(()),
            left => Err(Error::new(
                Kind::TryAgain,
                format!("{left} records could not be delivered to {}", self.name),
            )),
        }
    }
}

#[derive(Clone)]
struct Feed {
    queue: Arc<Queue>,
    wire: Wire,
    events: SyncSender<Event>,
    log: Log,
}

impl Feed {
    /// Feeds one connection from the queue until it ends.
    fn serve(&self, connection: Connection) {
        let Connection { reader, writer, name, close } = connection;
        let number = self.queue.connect();
        let writer: Writer = Arc::new(Mutex::new(writer));
        let peer = Peer::output(name, Arc::clone(&writer));
        let back = {
            let (feed, peer) = (self.clone(), Arc::clone(&peer));
            thread::spawn(move || {
                feed.listen(reader, &peer);
                feed.queue.disconnect(number);
            })
        };
        while let Some(lines) = self.queue.take(number) {
            if !peer.reply(&lines) {
                break;
            }
        }
        // After a close of ours the last acks are still to come: the reader ends when the peer, or the process, does.
        if !self.queue.is_closed() {
            close();
            let _ = back.join();
        }
        self.queue.disconnect(number);
    }

    /// Takes what the peer sends back: acks for the queue, the rest as control lines for the loop.
    fn listen(&self, reader: Box<dyn std::io::Read + Send>, peer: &Arc<Peer>) {
        let mut chunks = LineReader::new(reader, self.wire.max_line);
        while let Ok(Some(chunk)) = chunks.next_chunk() {
            let Chunk::Lines(bytes) = chunk else { continue };
            let mut rest = Vec::new();
            for line in bytes.split_inclusive(|byte| *byte == b'\n') {
                match Envelope::parse(line) {
                    Ok(record) if record.is::<Ack>() => {
                        if let Ok(ack) = record.payload::<Ack>()
                            && let Err(error) = self.queue.acknowledge(&ack.id)
                        {
                            self.log.error(&error.to_string());
                        }
                    }
                    _ => rest.extend_from_slice(line),
                }
            }
            if !rest.is_empty() && self.events.send(Event::Lines(Arc::clone(peer), rest)).is_err() {
                return;
            }
        }
        let _ = self.events.send(Event::Gone(Arc::clone(peer)));
    }
}

fn stay_connected(endpoint: &Endpoint, feed: &Feed) {
    let mut backoff =
        Backoff::new(Duration::from_millis(100), Duration::from_secs(30), u64::from(std::process::id()));
    let mut said = false;
    loop {
        match connect(endpoint, &feed.wire) {
            Ok(connection) => {
                if std::mem::take(&mut said) {
                    feed.log.info(&format!("connected to {endpoint}"));
                }
                backoff.reset();
                feed.serve(connection);
                if feed.queue.is_closed() {
                    return;
                }
                feed.log.warn(&format!("{endpoint} closed the connection; trying again"));
            }
            Err(error) if !said => {
                said = true;
                feed.log.warn(&format!("connecting to {endpoint}: {error}; trying again"));
            }
            Err(error) => feed.log.debug(&format!("connecting to {endpoint}: {error}")),
        }
        thread::sleep(backoff.delay());
    }
}

fn accept_all(listener: &Listener, feed: &Feed, others: &Arc<Mutex<Vec<Arc<Queue>>>>) {
    loop {
        let open = match listener.accept() {
            Ok(open) => open,
            Err(error) => {
                feed.log.warn(&format!("accepting a connection: {error}"));
                // Out of descriptors, most likely: do not spin.
                thread::sleep(Duration::from_millis(100));
                continue;
            }
        };
        let (feed, others) = (feed.clone(), Arc::clone(others));
        thread::spawn(move || {
            let connection = match open() {
                Ok(connection) => connection,
                Err(error) => return feed.log.warn(&format!("a connection failed at its start: {error}")),
            };
            if feed.queue.is_free() {
                return feed.serve(connection);
            }
            let Ok(queue) = Queue::open(Policy::DropOldest, "") else { return };
            let queue = Arc::new(queue);
            others.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&queue));
            Feed { queue: Arc::clone(&queue), ..feed }.serve(connection);
            others.lock().unwrap_or_else(PoisonError::into_inner).retain(|other| !Arc::ptr_eq(other, &queue));
        });
    }
}
