//! One client's stream: greeting, replay from the log, then live, without a gap and without a repeat.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use hyper::body::Frame;
use park_core::Result;

use super::event::{self, COMPRESSED, FORM};
use super::gzip::{Gzip, block};
use crate::history::{PAGE, Seen};
use crate::hub::{Event, Hub, Interest, Joining, Subscription, Taken, Why};
use crate::operations::Visit;
use crate::server::Server;

static CLIENTS: AtomicU64 = AtomicU64::new(0);

/// What is sent in one piece at most, about.
const WRITE: usize = 64 * 1024;

/// How many milliseconds a client is asked to wait before it comes back: so many, and up to so many more, or all would
/// come at the same moment.
const RETRY: u64 = 1000;
const SPREAD: u64 = 1000;

type Page = Pin<Box<dyn Future<Output = Result<Vec<Event>>> + Send>>;

/// The body of one answer.
pub struct Events {
    server: Arc<Server>,
    number: u64,
    interest: Interest,
    expires: Option<u64>,
    /// As it goes on the wire.
    ready: VecDeque<Bytes>,
    /// How it is compressed, if it is.
    gzip: Option<Gzip>,
    /// What is being replayed: the place reached, and the page being read.
    replay: Option<(i64, Option<Page>)>,
    subscription: Option<Subscription>,
    /// The place from which on everything comes live.
    live_from: i64,
    ended: bool,
    visit: Visit,
}

impl Events {
    /// A stream for the client of `visit` that wants `interest`, and resumes after the record `last` if it has seen any;
    /// as gzip if it is to be `compressed`.
    pub async fn open(
        server: Arc<Server>,
        visit: Visit,
        interest: Interest,
        last: Option<Seen>,
        compressed: bool,
    ) -> Result<Events> {
        let number = CLIENTS.fetch_add(1, Ordering::Relaxed);
        let now = server.now();
        let mut events = Events {
            interest,
            expires: visit.person.expires,
            ready: VecDeque::new(),
            gzip: compressed.then(Gzip::default),
            replay: None,
            subscription: None,
            live_from: 0,
            ended: false,
            visit,
            number,
            server,
        };
        let Some(last) = last else {
            let resume_at = events.join();
            events.say(event::connected(number, &resume_at, events.epoch(), now));
            return Ok(events);
        };
        match events.server.history.find(&last).await? {
            Some(seq) => {
                // Until something is sent, a client that is cut off must resume from where it does now.
                events.say(event::connected(number, &last.id, events.epoch(), now));
                events.replay = Some((seq, None));
            }
            None => {
                let resume_at = events.join();
                events.say(event::connected(number, &resume_at, events.epoch(), now));
                events.say(event::reset(&last.id, &resume_at, events.epoch()));
            }
        }
        Ok(events)
    }

    fn epoch(&self) -> &str {
        self.server.history.epoch()
    }

    /// Subscribes, and returns the id of the last record before what comes live.
    fn join(&mut self) -> String {
        let mut resume_at = String::new();
        let hub: &Arc<Hub> = &self.server.hub;
        let (interest, expires) = (self.interest.clone(), self.expires);
        let form = if self.gzip.is_some() { &COMPRESSED } else { &FORM };
        let joining = Joining { channel: "sse", interest, form, answers: false, expires };
        let subscription = hub.join(joining, |position, _| {
            self.live_from = position.seq;
            resume_at.clone_from(&position.id);
            Vec::new()
        });
        self.subscription = Some(subscription);
        resume_at
    }

    /// Reads on in the log; done once everything up to where the subscription began has been sent.
    fn poll_replay(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some((after, page)) = &mut self.replay else { return Poll::Ready(()) };
        let reading = page.get_or_insert_with(|| {
            let (history, after) = (self.server.history.clone(), *after);
            Box::pin(async move { history.page(after).await })
        });
        let Ok(events) = ready!(reading.as_mut().poll(context)) else {
            // The client comes back and tries again.
            self.finish("failed", "the log cannot be read");
            return Poll::Ready(());
        };
        *page = None;
        let (full, joined) = (events.len() == PAGE, self.subscription.is_some());
        let beyond = events.last().is_none_or(|last| last.seq >= self.live_from);
        let wanted = |event: &&Event| !joined || event.seq <= self.live_from;
        let mut reached = *after;
        let mut bytes = BytesMut::new();
        for event in events.iter().take_while(wanted) {
            reached = event.seq;
            if self.interest.wants(event)
                && let Some(frame) = event.form(&FORM)
            {
                bytes.extend_from_slice(&frame);
            }
        }
        if !bytes.is_empty() {
            self.say(bytes.freeze());
        }
        self.replay = Some((reached, None));
        if !full && !joined {
            // Nearly there: subscribe, then read once more what came in between.
            self.join();
        } else if joined && (!full || beyond) {
            self.replay = None;
        }
        Poll::Ready(())
    }

    /// Sends a text that is this client's own.
    fn say(&mut self, text: Bytes) {
        let bytes = match &mut self.gzip {
            Some(gzip) => gzip.pass(block(&text)),
            None => text,
        };
        self.ready.push_back(bytes);
    }

    fn finish(&mut self, why: &'static str, reason: &str) {
        self.replay = None;
        self.visit.ends(why);
        self.say(event::closing(reason, RETRY + self.number * 37 % SPREAD));
        if let Some(gzip) = &mut self.gzip {
            self.ready.push_back(gzip.end());
        }
        self.ended = true;
    }
}

impl Stream for Events {
    type Item = std::result::Result<Frame<Bytes>, Infallible>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(bytes) = this.ready.pop_front() {
                this.visit.sent(bytes.len());
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            if this.ended {
                return Poll::Ready(None);
            }
            if this.replay.is_some() {
                if this.server.hub.is_stopping() {
                    this.finish(Why::Stopping.name(), "the server stops");
                    continue;
                }
                ready!(this.poll_replay(context));
                continue;
            }
            let Some(subscription) = &this.subscription else { return Poll::Ready(None) };
            match ready!(subscription.queue.poll_take(context, WRITE)) {
                Taken::Frames(frames) => {
                    let bytes = match <[Bytes; 1]>::try_from(frames) {
                        Ok([frame]) => frame,
                        Err(frames) => Bytes::from(frames.concat()),
                    };
                    let bytes = match &mut this.gzip {
                        Some(gzip) => gzip.pass(bytes),
                        None => bytes,
                    };
                    this.ready.push_back(bytes);
                }
                Taken::End(why) => {
                    let reason = match why {
                        Why::Slow => "too slow: resume from the last id",
                        Why::Stopping => "the server stops",
                        Why::Expired => "the token has expired",
                        Why::Replaced | Why::Silent => "ended",
                    };
                    this.finish(why.name(), reason);
                }
            }
        }
    }
}
