//! The hub that every dialect shares: who listens, what holds now, who controls which gate.
//!
//! The hub follows the log: an [`Event`] is published once it is durable, in the log's order, and a subscriber that
//! joins learns its place in the log under the same lock, so that between what it reads from the log and what it
//! is sent nothing is missing and nothing comes twice.

mod audience;
mod controllers;
mod event;
mod interest;
mod queue;
mod state;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;

use audience::Audiences;
pub use audience::frames;
pub use controllers::{Answer, Controllers};
pub use event::{Event, Form};
pub use interest::{Interest, Scope, View, Wish};
pub use queue::{Queue, Taken, Why};
pub use state::State;

/// A place in the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Position {
    /// The number of the last record; 0 before the first.
    pub seq: i64,
    /// Its id; `0` before the first.
    pub id: String,
}

/// One subscriber.
pub struct Subscriber {
    number: u64,
    wishes: Mutex<Arc<[Wish]>>,
    /// The dialect in which it is spoken to directly.
    form: &'static Form,
    /// Its name in `/status`: the channel.
    channel: String,
    /// What waits for it.
    pub queue: Queue,
    /// When it was last heard of, in seconds since the hub began.
    heard: AtomicU64,
    /// Whether it answers pings.
    answers: bool,
    /// When its right to listen ends, in seconds since 1970; `u64::MAX` for never.
    expires: AtomicU64,
}

/// Who wants to join.
#[derive(Clone)]
pub struct Joining<'a> {
    /// Its name in `/status`.
    pub channel: &'a str,
    /// What it wants to hear.
    pub interest: Interest,
    /// Its dialect.
    pub form: &'static Form,
    /// Whether it answers pings, and is sent away when it does not.
    pub answers: bool,
    /// When its right to listen ends, in seconds since 1970, if ever.
    pub expires: Option<u64>,
}

/// What the hub counts.
#[derive(Debug, Default)]
pub struct Counts {
    /// Records published.
    pub published: AtomicU64,
    /// Records handed to queues of subscribers.
    pub delivered: AtomicU64,
    /// Subscribers sent away because their queue was full.
    pub slow: AtomicU64,
    /// Subscribers that were cut off because they took nothing at all any more.
    pub cut: AtomicU64,
    /// Subscribers sent away because their token had expired.
    pub expired: AtomicU64,
    /// Subscribers sent away because they said nothing any more.
    pub silent: AtomicU64,
    /// Commands relayed to a controller.
    pub relayed: AtomicU64,
}

/// What waits in the queues.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Bytes in all queues.
    pub sum: usize,
    /// Bytes in the fullest.
    pub most: usize,
}

/// Who listens, and what holds now.
pub struct Hub {
    inner: Mutex<Inner>,
    began: Instant,
    stopping: AtomicBool,
    limit: usize,
    /// Who controls which gate.
    pub controllers: Controllers,
    /// What the hub counts.
    pub counts: Counts,
}

#[derive(Default)]
struct Inner {
    position: Position,
    state: State,
    audiences: Audiences,
    next: u64,
}

/// A subscriber as long as it listens.
pub struct Subscription {
    hub: Arc<Hub>,
    subscriber: Arc<Subscriber>,
}

/// Seconds in which a subscriber that answers pings must be heard of.
const SILENCE: u64 = 75;

impl Hub {
    /// A hub at `position` of the log, where `state` holds; a subscriber's queue holds `limit` bytes.
    pub fn new(position: Position, state: State, limit: usize) -> Arc<Hub> {
        Arc::new(Hub {
            inner: Mutex::new(Inner { position, state, ..Inner::default() }),
            began: Instant::now(),
            stopping: AtomicBool::new(false),
            limit,
            controllers: Controllers::default(),
            counts: Counts::default(),
        })
    }

    /// Sends durable records to all who want them, in the order of the log.
    pub fn publish(&self, events: &[Arc<Event>]) {
        let Some(last) = events.last() else { return };
        let mut inner = self.lock();
        inner.position = Position { seq: last.seq, id: last.id.clone() };
        let Inner { state, audiences, .. } = &mut *inner;
        for event in events {
            state.take(event);
            self.answer(event);
        }
        let delivered = audiences.send(events, || {
            self.counts.slow.fetch_add(1, Ordering::Relaxed);
        });
        self.counts.delivered.fetch_add(delivered, Ordering::Relaxed);
        self.counts.published.fetch_add(events.len() as u64, Ordering::Relaxed);
    }

    /// Takes an answer to a command to whoever asked, if it is not among the records they are sent anyway.
    fn answer(&self, event: &Event) {
        let asker = self.controllers.answered(event).and_then(|asker| asker.upgrade());
        if let Some(asker) = asker
            && !asker.wishes().iter().any(|wish| wish.interest.wants(event))
        {
            asker.queue.push(event.form(asker.form));
        }
    }

    /// Adds a subscriber. `greet` sees the place in the log from which on it is sent everything, and what holds there;
    /// the frames it returns come first.
    pub fn join(
        self: &Arc<Hub>,
        joining: Joining<'_>,
        greet: impl FnOnce(&Position, &State) -> Vec<Bytes>,
    ) -> Subscription {
        let mut inner = self.lock();
        inner.next += 1;
        let subscriber = Arc::new(Subscriber {
            number: inner.next,
            wishes: Mutex::new([Wish { form: joining.form, interest: joining.interest }].into()),
            form: joining.form,
            channel: joining.channel.to_owned(),
            queue: Queue::new(self.limit),
            heard: AtomicU64::new(self.seconds()),
            answers: joining.answers,
            expires: AtomicU64::new(joining.expires.unwrap_or(u64::MAX)),
        });
        // The greeting is bounded by the state, not by the queue.
        for frame in greet(&inner.position, &inner.state) {
            subscriber.queue.push_first(frame);
        }
        if self.is_stopping() {
            subscriber.queue.end(Why::Stopping);
        }
        inner.audiences.add(&subscriber);
        Subscription { hub: Arc::clone(self), subscriber }
    }

    /// The last place in the log that was published.
    pub fn position(&self) -> Position {
        self.lock().position.clone()
    }

    /// Looks at what holds now, at its place in the log.
    pub fn view<T>(&self, look: impl FnOnce(&Position, &State) -> T) -> T {
        let inner = self.lock();
        look(&inner.position, &inner.state)
    }

    /// How many subscribers each channel has.
    pub fn channels(&self) -> BTreeMap<String, usize> {
        let mut channels = BTreeMap::new();
        for subscriber in self.lock().audiences.members() {
            *channels.entry(subscriber.channel.clone()).or_insert(0) += 1;
        }
        channels
    }

    /// How many bytes wait for subscribers.
    pub fn waiting(&self) -> Waiting {
        let members: Vec<_> = self.lock().audiences.members().cloned().collect();
        members.iter().map(|member| member.queue.waiting()).fold(Waiting::default(), |all, bytes| Waiting {
            sum: all.sum + bytes,
            most: all.most.max(bytes),
        })
    }

    /// Sends `frame` to every subscriber of a dialect, and sends away those that answer pings but have been silent.
    pub fn ping(&self, form: &'static Form, frame: &Bytes) {
        let now = self.seconds();
        for subscriber in self.lock().audiences.members() {
            if !std::ptr::eq(subscriber.form, form) {
                continue;
            }
            if subscriber.answers && now - subscriber.heard.load(Ordering::Relaxed) > SILENCE {
                if subscriber.queue.end(Why::Silent) {
                    self.counts.silent.fetch_add(1, Ordering::Relaxed);
                }
            } else if subscriber.queue.waiting() == 0 {
                subscriber.queue.push([frame.clone()]);
            }
        }
    }

    /// Sends what is not in the log, and so cannot be asked for again, to all who want it in the dialect `form`.
    pub fn tell(&self, event: &Arc<Event>, form: &'static Form) {
        self.lock().audiences.tell(event, form, || {
            self.counts.slow.fetch_add(1, Ordering::Relaxed);
        });
    }

    /// Sends away those whose right to listen has ended `now`, in seconds since 1970.
    pub fn expire(&self, now: u64) {
        for subscriber in self.lock().audiences.members() {
            if subscriber.expires.load(Ordering::Relaxed) <= now && subscriber.queue.end(Why::Expired) {
                self.counts.expired.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Tells everybody that the server stops; whoever joins later is told at once.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        for subscriber in self.lock().audiences.members() {
            subscriber.queue.end(Why::Stopping);
        }
    }

    /// Whether the server stops.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    fn seconds(&self) -> u64 {
        self.began.elapsed().as_secs()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subscriber {
    fn share(&self, wishes: &Arc<[Wish]>) {
        *self.wishes.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(wishes);
    }

    /// What it wants to hear.
    pub fn wishes(&self) -> Arc<[Wish]> {
        Arc::clone(&self.wishes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Subscription {
    /// Changes what the subscriber hears, between one burst and the next: nothing is missed or sent twice.
    pub fn change(&self, interest: Interest) {
        self.wish([Wish { form: self.form, interest }], |_, _| Vec::new());
    }

    /// The same for one that hears several things, each in its dialect. A record that is wanted twice in one dialect is
    /// sent once. `greet` sees the place in the log from which on this holds, and what holds there; the frames it
    /// returns come before what is new.
    pub fn wish(&self, wishes: impl Into<Arc<[Wish]>>, greet: impl FnOnce(&Position, &State) -> Vec<Bytes>) {
        let mut inner = self.hub.lock();
        inner.audiences.remove(&self.subscriber);
        self.subscriber.share(&wishes.into());
        inner.audiences.add(&self.subscriber);
        for frame in greet(&inner.position, &inner.state) {
            self.subscriber.queue.push_before(frame);
        }
    }

    /// Sends frames to this subscriber alone.
    pub fn send(&self, frames: impl IntoIterator<Item = Bytes>) {
        if self.queue.push(frames) {
            self.hub.counts.slow.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The subscriber may listen on until then, in seconds since 1970; for ever without an end.
    pub fn renew(&self, expires: Option<u64>) {
        self.subscriber.expires.store(expires.unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Notes that the subscriber was heard of.
    pub fn heard(&self) {
        self.subscriber.heard.store(self.hub.seconds(), Ordering::Relaxed);
    }

    /// The subscriber, to be held by those who answer it.
    pub fn subscriber(&self) -> &Arc<Subscriber> {
        &self.subscriber
    }
}

impl std::ops::Deref for Subscription {
    type Target = Subscriber;
    fn deref(&self) -> &Subscriber {
        &self.subscriber
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.hub.lock().audiences.remove(&self.subscriber);
    }
}

#[cfg(test)]
mod tests;
