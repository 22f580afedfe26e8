//! The filter from `frame` records to answers: frames are opened and looked at, on one thread or on several.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use opencv::core::Mat;
use park_core::Result;
use park_core::cli::{Context, IoArgs};
use park_core::record::camera::Frame;
use park_core::record::{Envelope, Payload};
use park_core::stream::{End, Filter, Origin, Out, Session, Setup, Worker};

use crate::frames::{About, Frames};

/// What is looked for in a frame.
pub trait Look: Send {
    /// Appends the answer to a frame as a line.
    fn look(&mut self, about: &About, picture: &Mat, lines: &mut Vec<u8>) -> Result<()>;

    /// Keeps what must outlive the run; `last` says that it ends.
    fn keep(&mut self, _last: bool) -> Result<()> {
        Ok(())
    }
}

/// How many frames there were, on whatever thread.
#[derive(Debug, Default)]
struct Seen {
    frames: AtomicU64,
    expired: AtomicU64,
}

/// Opens frames and looks at them.
struct Looker<L> {
    look: L,
    frames: Frames,
    seen: Arc<Seen>,
}

impl<L: Look> Looker<L> {
    fn new(look: L, keep_frames: bool, seen: &Arc<Seen>) -> Self {
        Looker { look, frames: Frames::new(keep_frames), seen: Arc::clone(seen) }
    }
}

impl<L: Look> Worker for Looker<L> {
    fn answer(&mut self, record: &Envelope<'_>, lines: &mut Vec<u8>) -> Result<()> {
        let Some((about, picture)) = self.frames.open(record)? else {
            self.seen.expired.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        };
        self.seen.frames.fetch_add(1, Ordering::Relaxed);
        self.look.look(&about, &picture, lines)
    }
}

/// Runs one job, frame after frame.
pub fn filter(look: impl Look + 'static, io: &IoArgs, keep_frames: bool, context: &Context) -> Result<End> {
    run(vec![look], io, keep_frames, context)
}

/// Runs jobs side by side, each on a thread and with every so many-th frame; one alone is run by the stream's own thread.
pub fn run(
    looks: Vec<impl Look + 'static>,
    io: &IoArgs,
    keep_frames: bool,
    context: &Context,
) -> Result<End> {
    let seen = Arc::default();
    let lookers = looks.into_iter().map(|look| Looker::new(look, keep_frames, &seen)).collect();
    let mut filter = FrameFilter { lookers, keep: keep_frames, seen, lines: Vec::new() };
    let end = Session::open(io, &Setup::default(), context)?.run(&mut filter);
    let expired = filter.seen.expired.load(Ordering::Relaxed);
    if expired > 0 {
        context.log().warn(&format!("{expired} frames expired before they could be looked at"));
    }
    end
}

/// The filter around the jobs: frames in, answers out.
struct FrameFilter<L> {
    /// One, or none once several have become workers.
    lookers: Vec<Looker<L>>,
    keep: bool,
    seen: Arc<Seen>,
    lines: Vec<u8>,
}

impl<L: Look + 'static> Filter for FrameFilter<L> {
    fn consumes(&self, kind: &str) -> bool {
        !self.keep && self.wants(kind)
    }

    fn wants(&self, kind: &str) -> bool {
        kind == Frame::TYPE
    }

    fn workers(&mut self) -> Vec<Box<dyn Worker>> {
        match self.lookers.len() {
            1 => Vec::new(),
            _ => self.lookers.drain(..).map(|looker| Box::new(looker) as Box<dyn Worker>).collect(),
        }
    }

    fn record(&mut self, record: &Envelope<'_>, _: &Origin, out: &mut Out) -> Result<()> {
        let Some(looker) = self.lookers.first_mut() else { return Ok(()) };
        self.lines.clear();
        let answered = looker.answer(record, &mut self.lines);
        if !self.lines.is_empty() {
            out.line(&self.lines);
        }
        answered
    }

    fn settle(&mut self, _: &mut Out) -> Result<()> {
        self.lookers.iter_mut().try_for_each(|looker| looker.look.keep(false))
    }

    fn finish(&mut self, _: End, _: &mut Out) -> Result<()> {
        self.lookers.iter_mut().try_for_each(|looker| looker.look.keep(true))
    }

    fn counters(&self) -> BTreeMap<String, u64> {
        [("frames", &self.seen.frames), ("expired", &self.seen.expired)]
            .map(|(name, n)| (name.to_owned(), n.load(Ordering::Relaxed)))
            .into()
    }
}
