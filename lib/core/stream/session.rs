//! The one loop: inputs, signals and time in; records, acks and an exit code out.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::endpoint::Endpoint;
use super::filter::{End, Filter, Origin, Rejected};
use super::inlet::{Event, Injector, Inlet, Signal};
use super::outlet::Out;
use super::peer::Peer;
use super::pool::{Pool, Ready};
use super::queue::Policy;
use super::signal;
use super::transport::Wire;
use crate::cli::{Context, IoArgs};
use crate::error::{Error, Kind, Result};
use crate::record::command::{Ack, Fault};
use crate::record::{Envelope, Stamp, Time};

/// How a command's streams are set up, beyond what its user says.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Endpoints of commands to this process, whose records are not part of the stream.
    pub controls: Vec<Endpoint>,
    /// What becomes of records that an output socket does not take.
    pub policy: Policy,
    /// Whether the output is no stream of records but one report: bad records are then told on stderr alone.
    pub report: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Setup { controls: Vec::new(), policy: Policy::Block, report: false }
    }
}

/// The open streams of a filter.
#[derive(Debug)]
pub struct Session {
    inlet: Inlet,
    out: Out,
    context: Context,
    strict: bool,
    report: bool,
    max_line: usize,
    deadline: Option<Instant>,
    drain: Duration,
    /// Inputs that can end and have not.
    open: usize,
    endless: bool,
    lines: HashMap<u64, u64>,
    unacknowledged: HashMap<u64, (Arc<Peer>, String)>,
    time: Time,
    records: u64,
    rejected: u64,
    pool: Option<Pool>,
}

impl Session {
    /// Opens the inputs and outputs that `io` names, standard input and output by default.
    pub fn open(io: &IoArgs, setup: &Setup, context: &Context) -> Result<Session> {
        let stdin = [Endpoint::Stdio];
        let inputs = if io.input.is_empty() { &stdin[..] } else { &io.input };
        if inputs.contains(&Endpoint::Stdio) && context.stdin_is_terminal() {
            context.log().info("reading records from the terminal; end with Ctrl-D, or give --input");
        }
        let mut session = Session::without_inputs(io, setup, context)?;
        for endpoint in inputs {
            let ends = session.inlet.open(endpoint, false)?;
            session.open += usize::from(ends);
            session.endless |= !ends;
        }
        for endpoint in &setup.controls {
            session.inlet.open(endpoint, true)?;
        }
        Ok(session)
    }

    fn without_inputs(io: &IoArgs, setup: &Setup, context: &Context) -> Result<Session> {
        let max_line = io.max_line.0;
        let wire = Wire { max_line, token_file: io.token_file.clone() };
        let inlet = Inlet::new(wire.clone(), context.log().clone());
        signal::watch(inlet.sender())?;
        let out = Out::open(&io.output, &setup.policy, io.count, &wire, &inlet.sender(), context.log())?;
        Ok(Session {
            inlet,
            out,
            context: context.clone(),
            strict: io.strict,
            report: setup.report,
            max_line,
            deadline: io.timeout.map(|seconds| Instant::now() + seconds.0),
            drain: io.drain.0,
            open: 0,
            endless: false,
            lines: HashMap::new(),
            unacknowledged: HashMap::new(),
            time: Time::default(),
            records: 0,
            rejected: 0,
            pool: None,
        })
    }

    /// A handle by which other threads put lines into the loop. The loop then goes on after its inputs have ended
    /// only if `keep_open` is set.
    pub fn injector(&mut self, keep_open: bool) -> Injector {
        self.endless |= keep_open;
        self.inlet.injector()
    }

    /// Runs `filter` until its inputs end or it is told to stop. An error says how many bad records there were.
    pub fn run(mut self, filter: &mut dyn Filter) -> Result<End> {
        self.pool = Pool::start(filter.workers(), &self.inlet.sender());
        let ended = self.turn(filter);
        let end = match ended {
            Ok(end) => end,
            Err(error) if error.is_broken_pipe() => End::BrokenPipe,
            Err(error) => {
                // The gate must still close its barrier; the first error is the one to tell.
                let _ = filter.finish(End::Input, &mut self.out).and_then(|()| self.out.flush());
                return Err(error);
            }
        };
        match self.wind_up(filter, end) {
            Err(error) if error.is_broken_pipe() => {}
            other => other?,
        }
        if self.rejected > 0 {
            let message = format!("{} of {} records were bad", self.rejected, self.records + self.rejected);
            return Err(Error::new(Kind::BadInput, message));
        }
        Ok(end)
    }

    fn wind_up(&mut self, filter: &mut dyn Filter, end: End) -> Result<()> {
        self.collect(filter, Pool::is_idle)?;
        filter.finish(end, &mut self.out)?;
        if end == End::BrokenPipe {
            return filter.settle(&mut self.out);
        }
        self.settle(filter)?;
        self.out.finish(self.drain)
    }

    fn turn(&mut self, filter: &mut dyn Filter) -> Result<End> {
        let mut burst = 0;
        let mut next_tick = filter.tick_every().map(|every| Instant::now() + every);
        loop {
            if self.out.is_full() {
                return Ok(End::Count);
            }
            if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Ok(End::Timeout);
            }
            if let (Some(at), Some(every)) = (next_tick, filter.tick_every())
                && Instant::now() >= at
            {
                next_tick = Some(Instant::now() + every);
                filter.tick(self.context.now(), &mut self.out)?;
            }
            // Senders that never pause still get their acks.
            let ready = if burst < BURST { self.inlet.ready() } else { None };
            burst += 1;
            let event = match ready {
                Some(event) => Some(event),
                None => {
                    burst = 0;
                    self.settle(filter)?;
                    let until = [self.deadline, next_tick].into_iter().flatten().min();
                    self.inlet.next(until)
                }
            };
            match event {
                None | Some(Event::Answered) => {}
                Some(Event::Lines(peer, bytes)) => self.take_lines(filter, &peer, &bytes)?,
                Some(Event::TooLong(peer)) => {
                    self.collect(filter, Pool::is_idle)?;
                    let line = self.number(&peer, 1);
                    let error = self.too_long();
                    filter.rejected(Rejected::TooLong);
                    self.reject(&peer, line, &error, None)?;
                }
                Some(Event::Gone(peer)) => {
                    self.lines.remove(&peer.id());
                    self.unacknowledged.remove(&peer.id());
                    filter.gone(&peer, &mut self.out);
                }
                Some(Event::Ended(error)) => {
                    if let Some(error) = error {
                        return Err(error);
                    }
                    self.open = self.open.saturating_sub(1);
                    if self.open == 0 && !self.endless {
                        return Ok(End::Input);
                    }
                }
                Some(Event::Signal(Signal::Reload)) => match filter.reload() {
                    Ok(()) => self.context.log().info("lists and configuration read again"),
                    Err(error) => self.context.log().error(&format!("{error}; the old ones stay")),
                },
                Some(Event::Signal(Signal::State)) => self.say_state(filter),
                Some(Event::Signal(signal)) => return Ok(End::Signal(signal)),
            }
        }
    }

    /// Counts `more` lines of a peer and returns the number of the first of them, from 1.
    fn number(&mut self, peer: &Peer, more: u64) -> u64 {
        let count = self.lines.entry(peer.id()).or_insert(0);
        *count += more;
        *count - more + 1
    }

    fn take_lines(&mut self, filter: &mut dyn Filter, peer: &Arc<Peer>, bytes: &[u8]) -> Result<()> {
        let mut origin = Origin { line: self.number(peer, 0) - 1, peer: Arc::clone(peer) };
        let mut last_id = None;
        for line in Lines(bytes) {
            origin.line += 1;
            if line.is_empty() {
                continue;
            }
            let record = if line.len() > self.max_line {
                Err((Rejected::TooLong, self.too_long()))
            } else {
                Envelope::parse(line).map_err(|error| (Rejected::Malformed, error))
            };
            match record {
                Ok(record) => {
                    if peer.is_two_way() {
                        last_id = record.id.clone().or(last_id);
                    }
                    self.take_record(filter, &record, line, &origin)?;
                }
                Err((why, error)) => {
                    self.collect(filter, Pool::is_idle)?;
                    filter.rejected(why);
                    self.reject(peer, origin.line, &error, None)?;
                }
            }
            if self.out.is_full() {
                break;
            }
            if self.out.is_heavy() {
                filter.settle(&mut self.out)?;
                self.out.flush()?;
            }
        }
        self.lines.insert(peer.id(), origin.line);
        match (last_id, &mut self.pool) {
            (Some(id), Some(pool)) if !pool.is_idle() => pool.mark(peer, &id),
            (Some(id), _) => self.acknowledge(Arc::clone(peer), id.as_str().to_owned()),
            (None, _) => {}
        }
        Ok(())
    }

    fn take_record(
        &mut self,
        filter: &mut dyn Filter,
        record: &Envelope<'_>,
        line: &[u8],
        origin: &Origin,
    ) -> Result<()> {
        if record.is::<Ack>() {
            return Ok(());
        }
        self.records += 1;
        if let Some(time) = record.timestamp {
            self.time = self.time.max(time);
        }
        self.collect(filter, |pool| !pool.is_full())?;
        if !origin.peer.is_control() && !filter.consumes(&record.kind) {
            match &mut self.pool {
                Some(pool) if !pool.is_idle() => pool.pass(line),
                _ => self.out.line(line),
            }
        }
        if !filter.wants(&record.kind) {
            return Ok(());
        }
        if let Some(pool) = &mut self.pool {
            return pool.give(record, origin);
        }
        let fit = filter.record(record, origin, &mut self.out);
        self.fit_or_reject(filter, fit, origin, record.id.as_deref())
    }

    /// Waits for what the pool answers and writes it, in order, until it is `done`.
    fn collect(&mut self, filter: &mut dyn Filter, done: impl Fn(&Pool) -> bool) -> Result<()> {
        while let Some(pool) = self.pool.as_mut().filter(|pool| !done(pool)) {
            let Some(ready) = pool.take(true)? else { break };
            self.write(filter, ready)?;
        }
        Ok(())
    }

    fn write(&mut self, filter: &mut dyn Filter, ready: Ready) -> Result<()> {
        match ready {
            Ready::Line(line) => self.out.line(&line),
            Ready::Answer { lines, fit, origin, id } => {
                Lines(&lines).for_each(|line| self.out.line(line));
                self.fit_or_reject(filter, fit, &origin, id.as_deref())?;
            }
            Ready::Taken { peer, id } => self.acknowledge(peer, id),
        }
        Ok(())
    }

    /// The peer gets its ack, up to this id, at the end of the burst.
    fn acknowledge(&mut self, peer: Arc<Peer>, id: String) {
        self.unacknowledged.insert(peer.id(), (peer, id));
    }

    fn fit_or_reject(
        &mut self,
        filter: &mut dyn Filter,
        fit: Result<()>,
        origin: &Origin,
        id: Option<&str>,
    ) -> Result<()> {
        match fit {
            Err(error) if error.kind() == Kind::BadInput => {
                self.records -= 1;
                filter.rejected(Rejected::Unfit);
                self.reject(&origin.peer, origin.line, &error, id)
            }
            other => other,
        }
    }

    fn too_long(&self) -> Error {
        Error::new(Kind::BadInput, format!("line of over {} bytes", self.max_line))
    }

    /// Reports a bad line on stderr and by an `error` record, counts it, and stops at once if so told.
    fn reject(&mut self, peer: &Peer, line: u64, error: &Error, id: Option<&str>) -> Result<()> {
        self.rejected += 1;
        self.context.log().error(&format!("{}:{line}: {error}", peer.name()));
        if !self.report {
            let fault = Fault {
                message: error.to_string(),
                command: self.context.command().to_owned(),
                input: Some(peer.name().to_owned()),
                line: Some(line),
                request_id: id.map(str::to_owned),
            };
            self.out.emit(&Stamp::at(self.time), &fault);
        }
        if self.strict {
            self.out.flush()?;
            return Err(Error::new(Kind::BadInput, format!("stopped at line {line} of {}", peer.name())));
        }
        Ok(())
    }

    /// The end of a burst: durable, sent off, acknowledged, in this order. What the pool has not answered yet is
    /// left to a later one.
    fn settle(&mut self, filter: &mut dyn Filter) -> Result<()> {
        while let Some(ready) = self.pool.as_mut().map_or(Ok(None), |pool| pool.take(false))? {
            self.write(filter, ready)?;
        }
        filter.settle(&mut self.out)?;
        self.out.flush()?;
        for (_, (peer, id)) in self.unacknowledged.drain() {
            let mut line = Vec::new();
            crate::record::encode(&Stamp::at(self.time), &Ack { id }, &mut line);
            peer.reply(&line);
        }
        Ok(())
    }

    fn say_state(&self, filter: &dyn Filter) {
        let mut state =
            format!("records {}, rejected {}, written {}", self.records, self.rejected, self.out.written());
        for (name, count) in filter.counters() {
            state.push_str(&format!(", {name} {count}"));
        }
        self.context.log().notice(&state);
    }
}

/// Events, each a read's worth of lines at most, after which a burst counts as ended although more has come already.
const BURST: u32 = 16;

/// Lines without their ends; carriage returns before a newline are taken off too.
struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', self.0).unwrap_or(self.0.len());
        let line = &self.0[..end];
        self.0 = self.0.get(end + 1..).unwrap_or(&[]);
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

/// The output and the signals of a command that reads no records: a source.
#[derive(Debug)]
pub struct SourceSession {
    /// Where the source writes; it flushes after each frame.
    pub out: Out,
    session: SourceState,
}

#[derive(Debug)]
struct SourceState {
    inlet: Inlet,
    context: Context,
    deadline: Option<Instant>,
    drain: Duration,
}

impl SourceSession {
    /// Opens the outputs that `io` names, standard output by default.
    pub fn open(io: &IoArgs, setup: &Setup, context: &Context) -> Result<SourceSession> {
        let Session { inlet, out, context, deadline, drain, .. } =
            Session::without_inputs(io, setup, context)?;
        Ok(SourceSession { out, session: SourceState { inlet, context, deadline, drain } })
    }

    /// Why the source should end now, if it should: a signal, `--count`, `--timeout`. USR1 is answered
    /// here; HUP means nothing to a source.
    pub fn ended(&self) -> Option<End> {
        while let Some(event) = self.session.inlet.ready() {
            match event {
                Event::Signal(signal @ (Signal::Terminate | Signal::Interrupt)) => {
                    return Some(End::Signal(signal));
                }
                Event::Signal(Signal::State) => {
                    self.session.context.log().notice(&format!("written {}", self.out.written()));
                }
                _ => {}
            }
        }
        if self.out.is_full() {
            return Some(End::Count);
        }
        self.session.deadline.is_some_and(|deadline| Instant::now() >= deadline).then_some(End::Timeout)
    }

    /// Sends off the last records and waits until they have arrived.
    pub fn finish(mut self, end: End) -> Result<End> {
        match self.out.finish(self.session.drain) {
            Err(error) if error.is_broken_pipe() => Ok(End::BrokenPipe),
            other => other.map(|()| end),
        }
    }
}
