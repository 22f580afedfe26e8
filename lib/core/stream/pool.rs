//! Records answered on several threads, and their answers in the order of the stream.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
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

/// Records that one worker may have waiting: the one it answers, and the next.
const WAITING: usize = 2;

/// Lines that may wait behind a record's answer.
const LINES: usize = 4096;

/// Workers on threads of their own.
pub(super) struct Pool {
    hands: Vec<Hand>,
    /// Whose turn it is: each gets every so many-th record, so that the answers come in order without a lock.
    turn: usize,
    queue: VecDeque<Item>,
    /// Records in the queue.
    records: usize,
}

struct Hand {
    jobs: SyncSender<Vec<u8>>,
    answers: Receiver<(Vec<u8>, Result<()>)>,
}

/// What waits for its turn to leave.
enum Item {
    Done(Ready),
    Record { hand: usize, origin: Origin, id: Option<String> },
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
        let hands = workers.into_iter().map(|worker| Hand::start(worker, events.clone())).collect();
        Some(Pool { hands, turn: 0, queue: VecDeque::new(), records: 0 })
    }

    /// Whether nothing waits in it.
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether something should be taken out before more is put in.
    pub fn is_full(&self) -> bool {
        self.records >= WAITING * self.hands.len() || self.queue.len() >= LINES
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
        let hand = self.turn;
        self.turn = (hand + 1) % self.hands.len();
        self.hands[hand].jobs.send(record.line().as_bytes().to_vec()).map_err(|_| stopped())?;
        let id = record.id.as_deref().map(str::to_owned);
        self.queue.push_back(Item::Record { hand, origin: origin.clone(), id });
        self.records += 1;
        Ok(())
    }

    /// Takes the first out; if it is not answered yet, waits for that or, unless told to `wait`, gives nothing.
    pub fn take(&mut self, wait: bool) -> Result<Option<Ready>> {
        let answer = match self.queue.front() {
            Some(Item::Record { hand, .. }) if wait => {
                self.hands[*hand].answers.recv().map_err(|_| stopped())?
            }
            Some(Item::Record { hand, .. }) => match self.hands[*hand].answers.try_recv() {
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

impl Hand {
    /// The thread ends once its jobs do, when the pool is dropped.
    fn start(mut worker: Box<dyn Worker>, events: SyncSender<Event>) -> Hand {
        let (jobs, incoming) = sync_channel::<Vec<u8>>(WAITING);
        let (outgoing, answers) = sync_channel(WAITING);
        thread::spawn(move || {
            for line in incoming {
                let mut lines = Vec::new();
                let fit = Envelope::parse(&line).and_then(|record| worker.answer(&record, &mut lines));
                if outgoing.send((lines, fit)).is_err() {
                    return;
                }
                // If the channel is full the loop is awake, and looks for answers before it sleeps.
                let _ = events.try_send(Event::Answered);
            }
        });
        Hand { jobs, answers }
    }
}

fn stopped() -> Error {
    Error::new(Kind::Unavailable, "a thread that answers records has stopped")
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pool of {}", self.hands.len())
    }
}
