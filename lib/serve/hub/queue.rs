//! What waits for one subscriber: bounded in bytes, closed visibly when the bound is passed.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

/// Why a subscriber is sent away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It reads more slowly than records come, and its queue is full. It may resume from the last id it saw.
    Slow,
    /// The server stops.
    Stopping,
    /// Another connection took its place.
    Replaced,
    /// It has said nothing for too long, not even to a ping.
    Silent,
    /// Its token has expired.
    Expired,
}

impl Why {
    /// Its word in logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Why::Slow => "slow",
            Why::Stopping => "stopping",
            Why::Replaced => "replaced",
            Why::Silent => "silent",
            Why::Expired => "expired",
        }
    }
}

/// What a subscriber takes from its queue.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    /// Encoded records, in order.
    Frames(Vec<Bytes>),
    /// Nothing more will come.
    End(Why),
}

/// A queue with one reader. Writers never wait.
#[derive(Debug)]
pub struct Queue {
    limit: usize,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    frames: VecDeque<Bytes>,
    bytes: usize,
    /// How many frames at the front are a greeting and do not count.
    uncounted: usize,
    /// While it is held: how many frames at the front may be taken.
    open: Option<usize>,
    end: Option<Why>,
    reader: Option<Waker>,
    /// Who waits until it is empty.
    patient: Vec<Waker>,
}

/// An idle queue keeps no more room than this.
const IDLE_CAPACITY: usize = 32;

impl Queue {
    /// A queue that holds at most `limit` bytes, or one frame if that is longer.
    pub fn new(limit: usize) -> Self {
        Queue { limit, inner: Mutex::default() }
    }

    /// Adds frames. If they do not fit, everything that waits is dropped, the reader is told [`Why::Slow`], and this
    /// returns true: once, for afterwards the queue takes nothing.
    pub fn push(&self, frames: impl IntoIterator<Item = Bytes>) -> bool {
        let mut inner = self.lock();
        if inner.end.is_some() {
            return false;
        }
        for frame in frames {
            if inner.bytes + frame.len() > self.limit && inner.bytes > 0 {
                inner.close(Why::Slow);
                return true;
            }
            inner.bytes += frame.len();
            inner.frames.push_back(frame);
        }
        if !inner.frames.is_empty() {
            inner.wake();
        }
        false
    }

    /// Adds a frame of a greeting, which may pass the bound: its size is the server's own doing.
    pub fn push_first(&self, frame: Bytes) {
        let mut inner = self.lock();
        inner.frames.push_back(frame);
        inner.uncounted = inner.frames.len();
        inner.wake();
    }

    /// Holds what is added from now on until [`Queue::release`]: what belongs before it is still to come.
    pub fn hold(&self) {
        let mut inner = self.lock();
        inner.open = Some(inner.frames.len());
    }

    /// Adds a frame before all that is held, over the bound: its size is the server's own doing.
    pub fn push_before(&self, frame: Bytes) {
        let mut inner = self.lock();
        if inner.end.is_some() {
            return;
        }
        let at = inner.open.unwrap_or(inner.frames.len()).min(inner.frames.len());
        inner.bytes += frame.len();
        inner.frames.insert(at, frame);
        inner.open = inner.open.map(|open| open + 1);
        inner.wake();
    }

    /// Lets what was held be taken.
    pub fn release(&self) {
        let mut inner = self.lock();
        inner.open = None;
        inner.wake();
    }

    /// Ends the queue: what waits is still taken, then the reader is told why. False if it had ended before.
    pub fn end(&self, why: Why) -> bool {
        let mut inner = self.lock();
        let ends = inner.end.is_none();
        if ends {
            inner.end = Some(why);
            inner.wake();
        }
        ends
    }

    /// Whether nothing more can be added.
    pub fn is_ended(&self) -> bool {
        self.lock().end.is_some()
    }

    /// How many bytes wait.
    pub fn waiting(&self) -> usize {
        self.lock().bytes
    }

    /// Takes what waits, up to about `most` bytes.
    pub fn poll_take(&self, context: &mut Context<'_>, most: usize) -> Poll<Taken> {
        let mut inner = self.lock();
        let open = inner.open.unwrap_or(usize::MAX).min(inner.frames.len());
        if open == 0 {
            if let Some(why) = inner.end.filter(|_| inner.frames.is_empty()) {
                return Poll::Ready(Taken::End(why));
            }
            if !inner.reader.as_ref().is_some_and(|reader| reader.will_wake(context.waker())) {
                inner.reader = Some(context.waker().clone());
            }
            return Poll::Pending;
        }
        let mut bytes = 0;
        let count = inner.frames.iter().take(open).take_while(|frame| {
            let first = bytes == 0;
            bytes += frame.len();
            first || bytes <= most
        });
        let count = count.count();
        let taken: Vec<Bytes> = inner.frames.drain(..count).collect();
        inner.bytes -= taken.iter().skip(inner.uncounted).map(Bytes::len).sum::<usize>();
        inner.uncounted = inner.uncounted.saturating_sub(count);
        inner.open = inner.open.map(|open| open - count);
        if count == open {
            inner.patient.drain(..).for_each(Waker::wake);
        }
        if inner.frames.is_empty() && inner.frames.capacity() > IDLE_CAPACITY {
            inner.frames = VecDeque::new();
        }
        Poll::Ready(Taken::Frames(taken))
    }

    /// The same, to be awaited; nothing is lost if the wait is given up.
    pub async fn take(&self, most: usize) -> Taken {
        std::future::poll_fn(|context| self.poll_take(context, most)).await
    }

    /// Waits until all that may be taken has been; false if nothing more can be added.
    pub async fn drained(&self) -> bool {
        std::future::poll_fn(|context| {
            let mut inner = self.lock();
            if inner.end.is_some() {
                return Poll::Ready(false);
            }
            if inner.frames.is_empty() || inner.open == Some(0) {
                return Poll::Ready(true);
            }
            if !inner.patient.iter().any(|patient| patient.will_wake(context.waker())) {
                inner.patient.push(context.waker().clone());
            }
            Poll::Pending
        })
        .await
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn close(&mut self, why: Why) {
        self.frames = VecDeque::new();
        self.bytes = 0;
        self.uncounted = 0;
        self.open = None;
        self.end = Some(why);
        self.wake();
    }

    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
        if self.end.is_some() {
            self.patient.drain(..).for_each(Waker::wake);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn poll(queue: &Queue, most: usize) -> Poll<Taken> {
        queue.poll_take(&mut Context::from_waker(Waker::noop()), most)
    }

    fn frames(texts: &[&'static str]) -> Vec<Bytes> {
        texts.iter().map(|text| Bytes::from_static(text.as_bytes())).collect()
    }

    #[test]
    fn frames_come_out_in_order_and_in_batches() {
        let queue = Queue::new(100);
        assert!(poll(&queue, 10).is_pending());
        assert!(!queue.push(frames(&["one", "two", "three"])));
        assert_eq!(poll(&queue, 6), Poll::Ready(Taken::Frames(frames(&["one", "two"]))));
        assert_eq!(queue.waiting(), 5);
        // One frame is always taken, however long.
        assert_eq!(poll(&queue, 1), Poll::Ready(Taken::Frames(frames(&["three"]))));
        assert!(poll(&queue, 1).is_pending());
    }

    #[test]
    fn a_full_queue_drops_what_waits_and_says_so_once() {
        let queue = Queue::new(8);
        assert!(!queue.push(frames(&["12345678"])));
        assert!(queue.push(frames(&["9"])));
        assert!(!queue.push(frames(&["10"])));
        assert_eq!(queue.waiting(), 0);
        assert_eq!(poll(&queue, 10), Poll::Ready(Taken::End(Why::Slow)));
    }

    #[test]
    fn what_is_held_comes_after_what_belongs_before_it() {
        let queue = Queue::new(100);
        queue.push(frames(&["first"]));
        queue.hold();
        queue.push(frames(&["live"]));
        assert_eq!(poll(&queue, 100), Poll::Ready(Taken::Frames(frames(&["first"]))));
        assert!(poll(&queue, 100).is_pending());
        queue.push_before(Bytes::from_static(b"before"));
        queue.push_before(Bytes::from_static(b"live"));
        assert_eq!(poll(&queue, 1), Poll::Ready(Taken::Frames(frames(&["before"]))));
        queue.release();
        assert_eq!(poll(&queue, 100), Poll::Ready(Taken::Frames(frames(&["live", "live"]))));
        assert_eq!(queue.waiting(), 0);
    }

    #[test]
    fn a_greeting_does_not_count() {
        let queue = Queue::new(8);
        queue.push_first(Bytes::from_static(b"a long greeting"));
        assert!(!queue.push(frames(&["12345678"])));
        assert_eq!(poll(&queue, 1), Poll::Ready(Taken::Frames(frames(&["a long greeting"]))));
        assert_eq!(queue.waiting(), 8);
        assert!(queue.push(frames(&["9"])));
    }

    #[test]
    fn an_ended_queue_gives_first_what_waits() {
        let queue = Queue::new(8);
        queue.push(frames(&["last"]));
        queue.end(Why::Stopping);
        queue.end(Why::Silent);
        assert_eq!(poll(&queue, 10), Poll::Ready(Taken::Frames(frames(&["last"]))));
        assert_eq!(poll(&queue, 10), Poll::Ready(Taken::End(Why::Stopping)));
    }

    #[test]
    fn a_waiting_reader_is_woken() {
        struct Flag(std::sync::atomic::AtomicBool);
        impl std::task::Wake for Flag {
            fn wake(self: std::sync::Arc<Self>) {
                self.0.store(true, std::sync::atomic::Ordering::SeqCst);
            }
        }
        let flag = std::sync::Arc::new(Flag(false.into()));
        let waker = Waker::from(std::sync::Arc::clone(&flag));
        let queue = Queue::new(8);
        assert!(queue.poll_take(&mut Context::from_waker(&waker), 8).is_pending());
        queue.push(frames(&["x"]));
        assert!(flag.0.load(std::sync::atomic::Ordering::SeqCst));
    }
}
