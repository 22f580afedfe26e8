//! The gate controller: orders and the barrier's own words in, commands and states out.
//!
//! What was commanded and what the barrier has confirmed are kept apart. The pulse is timed by the barrier; this
//! side only watches that it ends. On any doubt (no answer, a lost line, a refusal) the state is `fault`, nothing
//! opens, and the barrier is told to close as soon as it can be reached; but never onto a vehicle.

use std::time::Duration;

use park_core::record::Time;
use park_core::record::gate::{GateAction, GateState, GateStatus};

/// How long things may take, in event time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How long the barrier may take to answer a command before it is said again.
    pub answer: Duration,
    /// How long it may take to open or close.
    pub travel: Duration,
    /// How long it may be silent before its line counts as lost; nothing for a barrier without heartbeat.
    pub silence: Option<Duration>,
}

/// How often a command without an answer is said.
const TRIES: u32 = 3;
/// How often the barrier hears from us.
const BEAT: Duration = Duration::from_secs(1);

/// What the barrier is told. The nonce comes back in its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Open for a time that the barrier itself measures.
    Open {
        /// Milliseconds.
        pulse: u64,
        /// The nonce.
        nonce: u64,
    },
    /// Close.
    Close {
        /// The nonce.
        nonce: u64,
    },
    /// Open and stay open.
    Hold {
        /// The nonce.
        nonce: u64,
    },
    /// We are alive.
    Beat,
}

/// What the barrier says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// It has just started.
    Hello,
    /// It is alive.
    Beat,
    /// It does what it was told.
    Done(u64),
    /// It does not do what it was told.
    Refused(u64, String),
    /// Where it is, and whether a vehicle stands on the loop (nothing: it has no loop).
    State(GateState, Option<bool>),
}

/// What comes of an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Tell the barrier.
    Send(Command),
    /// The state has changed.
    Status(GateStatus),
}

/// The controller of one barrier.
#[derive(Debug, Clone)]
pub struct Controller {
    settings: Settings,
    linked: bool,
    state: GateState,
    confirmed: bool,
    commanded: Option<GateAction>,
    vehicle: Option<bool>,
    cause: Option<String>,
    waiting: Option<Waiting>,
    /// The barrier should be closed, but a vehicle stands under it or it cannot be reached.
    close_due: bool,
    /// When the barrier should have reached the next state.
    deadline: Option<Time>,
    /// When the pulse should be over and the barrier on its way down.
    pulse_end: Option<Time>,
    heard: Time,
    beaten: Option<Time>,
    nonce: u64,
    told: Option<GateStatus>,
    now: Time,
}

/// A command that the barrier has not answered.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    command: Command,
    until: Time,
    tries: u32,
}

impl Controller {
    /// A barrier that has not been heard of yet: nothing can be told to it before [`Controller::line_up`]. The nonces
    /// count from `nonce` on.
    pub fn new(settings: Settings, nonce: u64) -> Self {
        Controller {
            settings,
            linked: false,
            state: GateState::Closed,
            confirmed: false,
            commanded: None,
            vehicle: None,
            cause: None,
            waiting: None,
            close_due: false,
            deadline: None,
            pulse_end: None,
            heard: Time::default(),
            beaten: None,
            nonce,
            told: None,
            now: Time::default(),
        }
    }

    /// The state now.
    pub fn status(&self) -> GateStatus {
        GateStatus {
            state: self.state,
            commanded: self.commanded,
            confirmed: self.confirmed,
            vehicle: self.vehicle,
            cause: self.cause.clone(),
        }
    }

    /// Whether the barrier can be told anything.
    pub fn is_linked(&self) -> bool {
        self.linked
    }

    /// Whether the barrier has yet to answer, or to be told to close.
    pub fn is_waiting(&self) -> bool {
        self.waiting.is_some() || self.close_due
    }

    /// The line to the barrier is open: it is told to close, for nobody knows what it was told before.
    pub fn line_up(&mut self, now: Time) -> Vec<Act> {
        self.now = self.now.max(now);
        self.linked = true;
        self.heard = self.now;
        self.confirmed = false;
        self.vehicle = None;
        self.waiting = None;
        self.beaten = None;
        self.cause = None;
        let mut acts = Vec::new();
        self.beat(&mut acts);
        self.close(&mut acts, "the gate starts closed");
        self.told(acts)
    }

    /// The line to the barrier is lost, for the reason given. The barrier closes by itself when it hears nothing.
    pub fn line_down(&mut self, why: &str, now: Time) -> Vec<Act> {
        self.now = self.now.max(now);
        self.linked = false;
        self.fault(why);
        self.told(Vec::new())
    }

    /// Opens for `pulse`, because of `cause`. False if the barrier cannot be told.
    pub fn open(&mut self, pulse: Duration, cause: &str, now: Time) -> (bool, Vec<Act>) {
        self.order(GateAction::Open, Some(pulse), cause, now)
    }

    /// Does what an operator or a rule asks. False if the barrier cannot be told.
    pub fn order(
        &mut self,
        action: GateAction,
        pulse: Option<Duration>,
        cause: &str,
        now: Time,
    ) -> (bool, Vec<Act>) {
        self.now = self.now.max(now);
        let mut acts = Vec::new();
        if !self.linked {
            self.close_due |= matches!(action, GateAction::Close | GateAction::Release);
            return (false, acts);
        }
        match action {
            // A gate that is held open is open.
            GateAction::Open if self.commanded == Some(GateAction::Hold) && self.is_up() => {}
            GateAction::Open => {
                let pulse = pulse.unwrap_or_default();
                self.pulse_end = Some(self.now + pulse + self.settings.travel);
                self.raise(&mut acts, GateAction::Open, cause, |nonce| Command::Open {
                    pulse: u64::try_from(pulse.as_millis()).unwrap_or(u64::MAX),
                    nonce,
                });
            }
            GateAction::Hold => {
                self.pulse_end = None;
                self.raise(&mut acts, GateAction::Hold, cause, |nonce| Command::Hold { nonce });
            }
            GateAction::Close => self.close(&mut acts, cause),
            GateAction::Release if self.commanded == Some(GateAction::Hold) => self.close(&mut acts, cause),
            GateAction::Release => {}
        }
        (true, self.told(acts))
    }

    /// The barrier has said something.
    pub fn report(&mut self, report: &Report, now: Time) -> Vec<Act> {
        self.now = self.now.max(now);
        self.heard = self.now;
        let mut acts = Vec::new();
        match report {
            Report::Beat => {}
            Report::Hello => {
                // It has restarted: whatever it was told is forgotten, and it is closed or closing.
                self.waiting = None;
                self.close(&mut acts, "the barrier has restarted");
            }
            Report::Done(nonce) if self.waits_for(*nonce) => self.waiting = None,
            Report::Refused(nonce, reason) if self.waits_for(*nonce) && reason == "loop" => {
                // A vehicle drove onto the loop while the command was on its way.
                self.waiting = None;
                self.vehicle = Some(true);
                self.close_due = true;
            }
            Report::Refused(nonce, reason) if self.waits_for(*nonce) => {
                self.waiting = None;
                self.fault(&format!("the barrier refuses: {reason}"));
                self.close_due = true;
            }
            Report::Done(_) | Report::Refused(..) => {}
            Report::State(state, vehicle) => self.stands(*state, *vehicle),
        }
        self.settle(&mut acts);
        self.told(acts)
    }

    /// Time has passed.
    pub fn pass(&mut self, now: Time) -> Vec<Act> {
        self.now = self.now.max(now);
        let mut acts = Vec::new();
        if !self.linked {
            return acts;
        }
        if self.settings.silence.is_some_and(|silence| self.now.since(self.heard) > silence) {
            // The line may still work one way: what follows is said in case it does.
            self.fault("the barrier is silent");
            self.close_due = true;
            self.heard = self.now;
        }
        if self.beaten.is_none_or(|beaten| self.now.since(beaten) >= BEAT) {
            self.beat(&mut acts);
        }
        self.settle(&mut acts);
        self.told(acts)
    }

    /// When [`Controller::pass`] has something to do next, the heartbeat aside.
    pub fn due(&self) -> Option<Time> {
        if !self.linked {
            return None;
        }
        let waiting = self.waiting.map(|waiting| waiting.until);
        let pulse_end = self.pulse_end.filter(|_| self.vehicle != Some(true));
        [waiting, self.deadline, pulse_end].into_iter().flatten().min()
    }

    fn raise(
        &mut self,
        acts: &mut Vec<Act>,
        action: GateAction,
        cause: &str,
        command: impl FnOnce(u64) -> Command,
    ) {
        self.commanded = Some(action);
        self.cause = Some(cause.to_owned());
        self.close_due = false;
        if !self.is_up() {
            self.state = GateState::Opening;
            self.confirmed = false;
            self.deadline = Some(self.now + self.settings.travel);
        }
        let nonce = self.next_nonce();
        self.send(acts, command(nonce), 1);
    }

    fn close(&mut self, acts: &mut Vec<Act>, cause: &str) {
        self.commanded = Some(GateAction::Close);
        self.cause = Some(cause.to_owned());
        self.close_due = true;
        self.pulse_end = None;
        // An unanswered command to open must not be said again.
        self.waiting = None;
        self.settle(acts);
    }

    fn is_up(&self) -> bool {
        matches!(self.state, GateState::Open | GateState::Held | GateState::Opening)
    }

    /// Says again what was not answered, closes what should be closed, notices what takes too long.
    fn settle(&mut self, acts: &mut Vec<Act>) {
        if let Some(waiting) = self.waiting.filter(|waiting| waiting.until <= self.now) {
            self.waiting = None;
            let onto_vehicle = matches!(waiting.command, Command::Close { .. }) && self.vehicle == Some(true);
            if waiting.tries >= TRIES {
                self.fault("the barrier does not answer");
                self.close_due = true;
            } else if onto_vehicle {
                self.close_due = true;
            } else {
                self.send(acts, waiting.command, waiting.tries + 1);
            }
        }
        if self.deadline.is_some_and(|deadline| deadline <= self.now) {
            self.deadline = None;
            if self.vehicle != Some(true) {
                self.fault("the barrier has not moved as it was told");
                self.close_due = true;
            }
        }
        if self.pulse_end.is_some_and(|end| end <= self.now) && self.vehicle != Some(true) {
            self.pulse_end = None;
            if self.is_up() {
                self.commanded = Some(GateAction::Close);
                self.cause = Some("the pulse is over and the barrier is not down".to_owned());
                self.close_due = true;
            }
        }
        if self.close_due && self.linked && self.vehicle != Some(true) && self.waiting.is_none() {
            self.close_due = false;
            let nonce = self.next_nonce();
            self.send(acts, Command::Close { nonce }, 1);
            if self.state != GateState::Closed {
                self.deadline.get_or_insert(self.now + self.settings.travel);
            }
        }
    }

    /// The barrier has said where it stands.
    fn stands(&mut self, state: GateState, vehicle: Option<bool>) {
        if self.state == GateState::Fault && state != GateState::Fault {
            self.cause = None;
        }
        if state != self.state || !self.confirmed {
            self.deadline = match state {
                GateState::Opening | GateState::Closing => Some(self.now + self.settings.travel),
                _ => None,
            };
        }
        // It may say where it was a moment before it heard the command.
        let stale = self
            .waiting
            .is_some_and(|waiting| matches!(waiting.command, Command::Open { .. } | Command::Hold { .. }))
            && state == GateState::Closed;
        self.vehicle = vehicle;
        if stale {
            return;
        }
        self.state = state;
        self.confirmed = true;
        if state == GateState::Fault {
            self.cause = Some("the barrier reports a fault".to_owned());
        }
    }

    fn fault(&mut self, why: &str) {
        self.state = GateState::Fault;
        self.confirmed = false;
        self.cause = Some(why.to_owned());
        self.waiting = None;
        self.deadline = None;
        self.pulse_end = None;
    }

    fn waits_for(&self, nonce: u64) -> bool {
        self.waiting.is_some_and(|waiting| match waiting.command {
            Command::Open { nonce: n, .. } | Command::Close { nonce: n } | Command::Hold { nonce: n } => {
                n == nonce
            }
            Command::Beat => false,
        })
    }

    fn send(&mut self, acts: &mut Vec<Act>, command: Command, tries: u32) {
        self.waiting = Some(Waiting { command, until: self.now + self.settings.answer, tries });
        acts.push(Act::Send(command));
    }

    fn beat(&mut self, acts: &mut Vec<Act>) {
        if self.settings.silence.is_some() {
            self.beaten = Some(self.now);
            acts.push(Act::Send(Command::Beat));
        }
    }

    fn next_nonce(&mut self) -> u64 {
        self.nonce += 1;
        self.nonce
    }

    /// Adds the state, if it is another than was told last.
    fn told(&mut self, mut acts: Vec<Act>) -> Vec<Act> {
        let status = self.status();
        let is_new = match &self.told {
            // Nothing is known of a barrier that has said nothing yet.
            None => status.confirmed || status.state != GateState::Closed,
            Some(told) => {
                (told.state, told.confirmed, told.vehicle) != (status.state, status.confirmed, status.vehicle)
            }
        };
        if is_new {
            self.told = Some(status.clone());
            acts.push(Act::Status(status));
        }
        acts
    }
}

#[cfg(test)]
#[path = "tests/controller.rs"]
mod tests;
