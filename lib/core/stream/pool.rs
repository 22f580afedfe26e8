//! Records answered on several threads, and their answers in the order of the stream.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::filter::Origin;
use crate::error::{Error, Kind, Result};
use crate::record::Envelope;

/// Answers records, each by itself: no answer depends on a record before.
pub trait Worker: Send {
    /// Appends the lines that answer a record. Errors are taken like those of [`Filter::record`](super::Filter::record).
    fn answer(&mut self, record: &Envelope<'_>, lines: &mut Vec<u8>) -> Result<()>;
}

/// Records that one worker may have waiting: the one it answers, and the next.
const WAITING: usize = 2;

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

enum Item {
    Line(Vec<u8>),
    Record { hand: usize, origin: Origin, id: Option<String> },
}

/// What comes out of a pool, in the order of what was put in.
pub(super) enum Ready {
    /// A line that only passes.
    Line(Vec<u8>),
    /// A record's answer: its lines, whether it was fit, where the record came from, and its id.
    Answer { lines: Vec<u8>, fit: Result<()>, origin: Origin, id: Option<String> },
}

impl Pool {
    /// A thread for each worker; none if there are none.
    pub fn start(workers: Vec<Box<dyn Worker>>) -> Option<Pool> {
        if workers.is_empty() {
            return None;
        }
        let hands = workers.into_iter().map(Hand::start).collect();
        Some(Pool { hands, turn: 0, queue: VecDeque::new(), records: 0 })
    }

    /// Whether nothing waits in it.
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether one should be taken out before another record is put in.
    pub fn is_full(&self) -> bool {
        self.records >= WAITING * self.hands.len()
    }

    /// Puts a line in that only passes, behind what waits.
    pub fn pass(&mut self, line: &[u8]) {
        self.queue.push_back(Item::Line(line.to_vec()));
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

    /// Takes the first out, once it is answered.
    pub fn take(&mut self) -> Result<Option<Ready>> {
        Ok(match self.queue.pop_front() {
            None => None,
            Some(Item::Line(line)) => Some(Ready::Line(line)),
            Some(Item::Record { hand, origin, id }) => {
                self.records -= 1;
                let (lines, fit) = self.hands[hand].answers.recv().map_err(|_| stopped())?;
                Some(Ready::Answer { lines, fit, origin, id })
            }
        })
    }
}

impl Hand {
    /// The thread ends once its jobs do, when the pool is dropped.
    fn start(mut worker: Box<dyn Worker>) -> Hand {
        let (jobs, incoming) = sync_channel::<Vec<u8>>(WAITING);
        let (outgoing, answers) = sync_channel(WAITING);
        thread::spawn(move || {
            for line in incoming {
                let mut lines = Vec::new();
                let fit = Envelope::parse(&line).and_then(|record| worker.answer(&record, &mut lines));
                if outgoing.send((lines, fit)).is_err() {
                    return;
                }
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
