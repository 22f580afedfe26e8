//! A barrier made of event time: it obeys at once, moves in a second, and has no loop.

use std::collections::VecDeque;
use std::time::Duration;

use park_core::record::Time;
use park_core::record::gate::GateState;

use crate::rules::controller::{Command, Report};

/// How long it takes to open or close.
const TRAVEL: Duration = Duration::from_secs(1);

/// A simulated barrier. The same commands at the same times give the same reports.
#[derive(Debug, Clone)]
pub struct Sim {
    state: GateState,
    /// What happens next, and when.
    plan: VecDeque<(Time, GateState)>,
}

impl Default for Sim {
    fn default() -> Self {
        Sim { state: GateState::Closed, plan: VecDeque::new() }
    }
}

impl Sim {
    /// Obeys; the answer comes at once.
    pub fn tell(&mut self, command: Command, now: Time) -> Vec<Report> {
        use GateState::{Closed, Closing, Held, Open, Opening};
        let (nonce, goal, pulse) = match command {
            Command::Beat => return Vec::new(),
            Command::Open { pulse, nonce } => (nonce, Open, Some(Duration::from_millis(pulse))),
            Command::Hold { nonce } => (nonce, Held, None),
            Command::Close { nonce } => (nonce, Closed, None),
        };
        let up = matches!(self.state, Open | Held);
        let reached = match self.state {
            Opening => self.plan.front().map_or(now, |(at, _)| *at),
            _ if up => now,
            _ => now + TRAVEL,
        };
        let (mut reports, before) = (vec![Report::Done(nonce)], self.state);
        self.plan.clear();
        match goal {
            Closed if matches!(before, Closed | Closing) => {
                if before == Closing {
                    self.plan.push_back((now + TRAVEL, Closed));
                }
            }
            Closed => self.close_at(now),
            _ => {
                self.state = if up { goal } else { Opening };
                if !up {
                    self.plan.push_back((reached, goal));
                }
                if let Some(pulse) = pulse {
                    self.close_at(reached.max(now + pulse));
                }
            }
        }
        self.pass_into(now, &mut reports);
        if reports.len() == 1 && (self.state != before || goal == Closed) {
            reports.push(Report::State(self.state, None));
        }
        reports
    }

    /// When it moves next.
    pub fn due(&self) -> Option<Time> {
        self.plan.front().map(|(at, _)| *at)
    }

    /// Time has passed.
    pub fn pass(&mut self, now: Time) -> Vec<Report> {
        let mut reports = Vec::new();
        self.pass_into(now, &mut reports);
        reports
    }

    fn pass_into(&mut self, now: Time, reports: &mut Vec<Report>) {
        while let Some((_, state)) = self.plan.pop_front_if(|(at, _)| *at <= now) {
            self.state = state;
            reports.push(Report::State(state, None));
        }
    }

    fn close_at(&mut self, at: Time) {
        self.plan.push_back((at, GateState::Closing));
        self.plan.push_back((at + TRAVEL, GateState::Closed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Time {
        Time::from_millis(ms)
    }

    /// Every movement from now on.
    fn movements(sim: &mut Sim) -> Vec<(i64, GateState)> {
        let mut all = Vec::new();
        while let Some(due) = sim.due() {
            for report in sim.pass(due) {
                if let Report::State(state, _) = report {
                    all.push((due.millis(), state));
                }
            }
        }
        all
    }

    #[test]
    fn a_pulse_opens_and_ends() {
        let mut sim = Sim::default();
        let answer = sim.tell(Command::Open { pulse: 5000, nonce: 7 }, at(0));
        assert_eq!(answer, [Report::Done(7), Report::State(GateState::Opening, None)]);
        use GateState::{Closed, Closing, Open};
        assert_eq!(movements(&mut sim), [(1_000, Open), (5_000, Closing), (6_000, Closed)]);
    }

    #[test]
    fn a_second_pulse_prolongs_the_first_and_a_close_ends_a_hold() {
        use GateState::{Closed, Closing, Held, Open};
        let mut sim = Sim::default();
        sim.tell(Command::Open { pulse: 2000, nonce: 1 }, at(0));
        sim.pass(at(1_000));
        assert_eq!(sim.tell(Command::Open { pulse: 2000, nonce: 2 }, at(1_500)), [Report::Done(2)]);
        assert_eq!(movements(&mut sim), [(3_500, Closing), (4_500, Closed)]);
        sim.tell(Command::Hold { nonce: 3 }, at(10_000));
        assert_eq!(movements(&mut sim), [(11_000, Held)]);
        sim.tell(Command::Close { nonce: 4 }, at(20_000));
        assert_eq!(movements(&mut sim), [(21_000, Closed)]);
        sim.tell(Command::Open { pulse: 100, nonce: 5 }, at(30_000));
        assert_eq!(movements(&mut sim), [(31_000, Open), (31_000, Closing), (32_000, Closed)]);
    }
}
