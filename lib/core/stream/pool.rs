//! Records answered on several threads, and their answers in the order of the stream.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::filter::Origin;
use super::inlet::Event;
use super::peer::Peer;
use crate::error::{Error, Kind, Result};
use crate::record::Envelope;

/// Answers records, each by itself: no answer depends on a record before.
pub trait Worker: Send {
    /// Appends the lines that answer a record. Errors are taken like those of [`Filter::record`](super::Filter::record).
    fn answer(&mut self, record: &Envelope<'_>, lines: &mut Vec<u8>) -> Result<()>;
}

/// Records for each worker that may be in a pool: the one it answers, and the next.
const WAITING: usize = 2;

/// Lines that may wait behind a record's answer.
const LINES: usize = 4096;

/// Workers on threads of their own.
pub(super) struct Pool {
    workers: usize,
    /// From here each worker takes the next once it is free. The threads end when this is dropped.
    jobs: SyncSender<Job>,
    queue: VecDeque<Item>,
    /// Records in the queue.
    records: usize,
}

/// The lines that answer a record, and whether it was fit.
type Answer = (Vec<u8>, Result<()>);

/// A record's line, and where its answer goes.
struct Job {
    line: Vec<u8>,
    answer: SyncSender<Answer>,
}

/// What waits for its turn to leave.
enum Item {
    Done(Ready),
    Record { answer: Receiver<Answer>, origin: Origin, id: Option<String> },
}

/// What comes out of a pool, in the order of what was put in.
pub(super) enum Ready {
    /// A line that only passes.
    Line(Vec<u8>),
    /// A record's answer: its lines, whether it was fit, where the record came from, and its id.
    Answer { lines: Vec<u8>, fit: Result<()>, origin: Origin, id: Option<String> },
    /// All that a peer sent up to this id has been answered.
    Taken { peer: Arc<Peer>, id: String },
}

impl Pool {
    /// A thread for each worker; none if there are none. Each answer is told to the loop by `events`.
    pub fn start(workers: Vec<Box<dyn Worker>>, events: &SyncSender<Event>) -> Option<Pool> {
        if workers.is_empty() {
            return None;
        }
        // No more records than a pool takes are ever in it, so giving one never waits.
        let (jobs, incoming) = sync_channel(WAITING * workers.len());
        let incoming = Arc::new(Mutex::new(incoming));
        let pool = Pool { workers: workers.len(), jobs, queue: VecDeque::new(), records: 0 };
        for worker in workers {
            start(worker, Arc::clone(&incoming), events.clone());
        }
        Some(pool)
    }

    /// Whether nothing waits in it.
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether something should be taken out before more is put in.
    pub fn is_full(&self) -> bool {
        self.records >= WAITING * self.workers || self.queue.len() >= LINES
    }

    /// Puts a line in that only passes, behind what waits.
    pub fn pass(&mut self, line: &[u8]) {
        self.queue.push_back(Item::Done(Ready::Line(line.to_vec())));
    }

    /// Notes that a peer sent what was put in last, under this id.
    pub fn mark(&mut self, peer: &Arc<Peer>, id: &str) {
        self.queue.push_back(Item::Done(Ready::Taken { peer: Arc::clone(peer), id: id.to_owned() }));
    }

    /// Puts a record in to be answered.
    pub fn give(&mut self, record: &Envelope<'_>, origin: &Origin) -> Result<()> {
        let (sender, answer) = sync_channel(1);
        let job = Job { line: record.line().as_bytes().to_vec(), answer: sender };
        self.jobs.send(job).map_err(|_| stopped())?;
        let id = record.id.as_deref().map(str::to_owned);
        self.queue.push_back(Item::Record { answer, origin: origin.clone(), id });
        self.records += 1;
        Ok(())
    }

    /// Takes the first out; if it is not answered yet, waits for that or, unless told to `wait`, gives nothing.
    pub fn take(&mut self, wait: bool) -> Result<Option<Ready>> {
        let answer = match self.queue.front() {
            Some(Item::Record { answer, .. }) if wait => answer.recv().map_err(|_| stopped())?,
            Some(Item::Record { answer, .. }) => match answer.try_recv() {
                Ok(answer) => answer,
                Err(TryRecvError::Empty) => return Ok(None),
                Err(TryRecvError::Disconnected) => return Err(stopped()),
            },
            Some(Item::Done(_)) | None => (Vec::new(), Ok(())),
        };
        Ok(self.queue.pop_front().map(|first| match first {
            Item::Done(ready) => ready,
            Item::Record { origin, id, .. } => {
                self.records -= 1;
                let (lines, fit) = answer;
                Ready::Answer { lines, fit, origin, id }
            }
        }))
    }
}

/// Starts a thread on which a worker answers jobs for as long as there may be any.
fn start(mut worker: Box<dyn Worker>, jobs: Arc<Mutex<Receiver<Job>>>, events: SyncSender<Event>) {
    thread::spawn(move || {
        // Whoever waits for the next job holds the lock, for no longer, and nothing panics meanwhile.
        let next = || jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        while let Ok(Job { line, answer }) = next() {
            let mut lines = Vec::new();
            let fit = Envelope::parse(&line).and_then(|record| worker.answer(&record, &mut lines));
            if answer.send((lines, fit)).is_err() {
                return;
            }
            // If the channel is full the loop is awake, and looks for answers before it sleeps.
            let _ = events.try_send(Event::Answered);
        }
    });
}

fn stopped() -> Error {
    Error::new(Kind::Unavailable, "a thread that answers records has stopped")
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pool of {}", self.workers)
    }
}
