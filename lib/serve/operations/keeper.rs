//! The thread that writes down what happens, and removes what is old.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use park_core::Kind;
use park_core::cli::Context;
use park_store::{Count, Note, Store};
use tokio::sync::oneshot;

use super::retention::{Cleaning, Keep};
use crate::hub::Hub;
use crate::metrics::Metrics;

/// Notes that may wait; a crowd that comes at once fits.
const WAITING: usize = 32_768;

/// Notes written at once.
const BATCH: usize = 1000;

/// How long notes that nobody waits for are gathered.
const GATHER: Duration = Duration::from_millis(200);

/// How often what was counted is written down.
const COUNT_EVERY: Duration = Duration::from_secs(60);

/// Between two steps of a clean-up, in which others write.
const PAUSE: Duration = Duration::from_millis(20);

/// How long to wait before a note that could not be written is tried again, and how often.
const AGAIN: (Duration, u32) = (Duration::from_millis(200), 3);

enum Task {
    Write(Note),
    Durably(Note, oneshot::Sender<()>),
    Stop,
}

/// The way to the thread.
pub(super) struct Keeper {
    tasks: SyncSender<Task>,
    thread: Mutex<Option<JoinHandle<()>>>,
    metrics: Arc<Metrics>,
}

impl Keeper {
    pub(super) fn start(
        store: Store,
        keep: Keep,
        metrics: Arc<Metrics>,
        hub: Arc<Hub>,
        context: Context,
    ) -> Keeper {
        let (tasks, waiting) = sync_channel(WAITING);
        let housekeeping = Housekeeping {
            store,
            cleaning: Cleaning::new(keep),
            counted: BTreeMap::new(),
            metrics: Arc::clone(&metrics),
            hub,
            context,
        };
        let thread = thread::spawn(move || housekeeping.run(&waiting));
        Keeper { tasks, thread: Mutex::new(Some(thread)), metrics }
    }

    /// Hands over a note and never waits: false if there is no room for it, which is counted.
    pub(super) fn tell(&self, note: Note) -> bool {
        let told = self.tasks.try_send(Task::Write(note)).is_ok();
        if !told {
            self.metrics.lost();
        }
        told
    }

    /// Hands over a note, and waits while there is no room for it.
    pub(super) async fn write(&self, note: Note) -> bool {
        self.send(Task::Write(note)).await
    }

    /// Hands over a note; true once it is durable.
    pub(super) async fn write_durably(&self, note: Note) -> bool {
        let (sender, durable) = oneshot::channel();
        self.send(Task::Durably(note, sender)).await && durable.await.is_ok()
    }

    async fn send(&self, mut task: Task) -> bool {
        loop {
            match self.tasks.try_send(task) {
                Ok(()) => return true,
                Err(TrySendError::Disconnected(_)) => return false,
                Err(TrySendError::Full(back)) => task = back,
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Waits until everything that was handed over is written.
    pub(super) fn stop(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = self.tasks.send(Task::Stop);
            let _ = thread.join();
        }
    }
}

struct Housekeeping {
    store: Store,
    cleaning: Cleaning,
    /// What had been counted when it was last written down.
    counted: BTreeMap<(&'static str, &'static str), u64>,
    metrics: Arc<Metrics>,
    hub: Arc<Hub>,
    context: Context,
}

impl Housekeeping {
    fn run(mut self, tasks: &Receiver<Task>) {
        let mut count_at = Instant::now() + COUNT_EVERY;
        let mut clean_at = Instant::now();
        loop {
            let wait = count_at.min(clean_at).saturating_duration_since(Instant::now());
            match tasks.recv_timeout(wait) {
                Ok(task) => {
                    if !self.gather(task, tasks) {
                        break;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if Instant::now() >= count_at {
                self.count();
                count_at = Instant::now() + COUNT_EVERY;
            }
            if Instant::now() >= clean_at {
                clean_at = Instant::now() + self.clean();
            }
        }
        self.count();
    }

    /// Writes this and what else waits; false if it is time to stop.
    fn gather(&mut self, first: Task, tasks: &Receiver<Task>) -> bool {
        let (mut notes, mut waiting, mut stop) = (Vec::new(), Vec::new(), false);
        let until = Instant::now() + GATHER;
        let mut next = Some(first);
        while let Some(task) = next.take() {
            match task {
                Task::Write(note) => notes.push(note),
                Task::Durably(note, sender) => {
                    notes.push(note);
                    waiting.push(sender);
                }
                Task::Stop => stop = true,
            }
            let hurry = stop || !waiting.is_empty() || notes.len() >= BATCH;
            next = match hurry {
                // What came before the end of it all is written, too.
                true if notes.len() < BATCH => tasks.try_recv().ok(),
                true => None,
                false => tasks.recv_timeout(until.saturating_duration_since(Instant::now())).ok(),
            };
        }
        // Whoever waits is told by the sender's going whether its note is durable.
        if self.write(&notes) {
            for sender in waiting {
                // It may have given up.
                let _ = sender.send(());
            }
        }
        if stop {
            while let Ok(task) = tasks.try_recv() {
                self.gather(task, tasks);
            }
        }
        !stop
    }

    fn write(&mut self, notes: &[Note]) -> bool {
        for _ in 0..AGAIN.1 {
            match self.store.note(notes) {
                Ok(()) => return true,
                Err(error) if error.kind() == Kind::TryAgain => thread::sleep(AGAIN.0),
                Err(error) => {
                    self.context
                        .log()
                        .error(&format!("{} notes for the trail are lost: {error}", notes.len()));
                    break;
                }
            }
        }
        notes.iter().for_each(|_| self.metrics.lost());
        false
    }

    /// Adds what was counted since the last time to the statistics of this hour.
    fn count(&mut self) {
        let hour = self.context.now();
        let now: BTreeMap<_, _> = self.metrics.counted(&self.hub.counts).into_iter().collect();
        let risen = now.iter().filter_map(|(key, count)| {
            let risen = count - self.counted.get(key).copied().unwrap_or(0);
            let (name, thing) = (key.0.to_owned(), key.1.to_owned());
            (risen > 0).then_some(Note::Counted(Count { hour, name, thing, count: risen as i64 }))
        });
        let notes: Vec<Note> = risen.collect();
        if notes.is_empty() || self.write(&notes) {
            self.counted = now;
        }
    }

    /// One step of the clean-up; how long until the next.
    fn clean(&mut self) -> Duration {
        match self.cleaning.step(&self.store, self.context.now()) {
            Ok(true) => PAUSE,
            Ok(false) => self.cleaning.every(),
            Err(error) => {
                // It may be that others write a great deal. What is old can wait.
                self.context.log().warn(&format!("the clean-up will go on later: {error}"));
                self.cleaning.every()
            }
        }
    }
}
