//! What a command does with the records that pass it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::inlet::Signal;
use super::outlet::Out;
use super::peer::Peer;
use super::pool::Worker;
use crate::error::Result;
use crate::record::{Envelope, Time};

/// Where a record came from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The line of that input, from 1.
    pub line: u64,
    /// The input itself, for its name, for answers.
    pub peer: Arc<Peer>,
}

/// Why a command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Its inputs have ended.
    Input,
    /// `--count` is reached.
    Count,
    /// `--timeout` has passed.
    Timeout,
    /// A signal asks for it.
    Signal(Signal),
    /// Whoever read its output has had enough.
    BrokenPipe,
}

/// Why a line was not taken as a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rejected {
    /// It was longer than is allowed.
    TooLong,
    /// It was not JSON, or not a record.
    Malformed,
    /// Its payload or its id was not what it should be.
    Unfit,
}

impl Rejected {
    /// Every reason.
    pub const ALL: [Rejected; 3] = [Rejected::TooLong, Rejected::Malformed, Rejected::Unfit];

    /// Its word in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Rejected::TooLong => "too_long",
            Rejected::Malformed => "malformed",
            Rejected::Unfit => "unfit",
        }
    }
}

/// A command in a stream: looks at records, passes on what it does not consume, adds its own.
///
/// Rules live elsewhere and are pure; a filter is the thin layer that feeds them and writes what they say.
pub trait Filter {
    /// Whether records of this type end here. All others are passed on unchanged, before [`Filter::record`] sees them.
    fn consumes(&self, kind: &str) -> bool;

    /// Whether [`Filter::record`] is to see records of this type; a cheap test, so that the rest passes quickly.
    fn wants(&self, _kind: &str) -> bool {
        true
    }

    /// Looks at one record. An error of kind `BadInput` is reported, counted and answered by an `error`
    /// record, and the stream goes on; any other ends the command.
    fn record(&mut self, record: &Envelope<'_>, origin: &Origin, out: &mut Out) -> Result<()>;

    /// Those who answer the wanted records in place of [`Filter::record`], on a thread each; what is written stays in the order of
    /// what is read. None by default. They are asked for once, before the first record.
    fn workers(&mut self) -> Vec<Box<dyn Worker>> {
        Vec::new()
    }

    /// A bad line was reported and left out.
    fn rejected(&mut self, _why: Rejected) {}

    /// How often [`Filter::tick`] is wanted: only of a live edge, such as a gate with real hardware.
    fn tick_every(&self) -> Option<Duration> {
        None
    }

    /// Time has passed at a live edge.
    fn tick(&mut self, _now: Time, _out: &mut Out) -> Result<()> {
        Ok(())
    }

    /// A burst has ended: make durable what must be before output is sent off and senders get their acks.
    fn settle(&mut self, _out: &mut Out) -> Result<()> {
        Ok(())
    }

    /// A connection that sent records is gone.
    fn gone(&mut self, _peer: &Peer, _out: &mut Out) {}

    /// Reads lists and configuration again (HUP). An error is reported, and the old ones stay.
    fn reload(&mut self) -> Result<()> {
        Ok(())
    }

    /// What the command counts, for the state on USR1.
    fn counters(&self) -> BTreeMap<String, u64> {
        BTreeMap::new()
    }

    /// The end: the last records. A gate puts its barrier in its safe state here.
    fn finish(&mut self, _why: End, _out: &mut Out) -> Result<()> {
        Ok(())
    }
}
