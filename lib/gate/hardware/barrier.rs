//! A barrier: its controller and its device, run together.

use std::collections::VecDeque;
use std::sync::mpsc::Sender;
use std::time::Duration;

use park_core::record::Time;
use park_core::record::gate::{GateAction, GateState, GateStatus};

use super::line_protocol::{self, Lines};
use super::sim::Sim;
use crate::rules::controller::{Act, Command, Controller, Report, Settings};

/// A state of the barrier, and since when.
pub type Told = (Time, GateStatus);

/// A barrier and its controller.
#[derive(Debug)]
pub struct Barrier {
    controller: Controller,
    device: Device,
    now: Time,
}

#[derive(Debug)]
enum Device {
    Sim(Sim),
    Serial { commands: Sender<Vec<u8>>, lines: Lines, noise: u64 },
}

/// A barrier opens within seconds; what takes longer is stuck.
const TRAVEL: Duration = Duration::from_secs(15);
const ANSWER: Duration = Duration::from_millis(500);
const SILENCE: Duration = Duration::from_secs(3);

impl Barrier {
    /// A simulated barrier, in event time.
    pub fn sim() -> Self {
        let settings = Settings { answer: ANSWER, travel: TRAVEL, silence: None };
        Barrier {
            controller: Controller::new(settings, 0),
            device: Device::Sim(Sim::default()),
            now: Time::default(),
        }
    }

    /// A barrier behind a serial port that writes what is sent to `commands`. Its nonces count from `nonce` on, so that
    /// they differ from those of an earlier run.
    pub fn serial(commands: Sender<Vec<u8>>, nonce: u64) -> Self {
        let settings = Settings { answer: ANSWER, travel: TRAVEL, silence: Some(SILENCE) };
        let device = Device::Serial { commands, lines: Lines::default(), noise: 0 };
        Barrier { controller: Controller::new(settings, nonce), device, now: Time::default() }
    }

    /// Whether the device is one of metal, in wall-clock time.
    pub fn is_real(&self) -> bool {
        matches!(self.device, Device::Serial { .. })
    }

    /// The state now.
    pub fn status(&self) -> GateStatus {
        self.controller.status()
    }

    /// Whether the barrier can be told anything.
    pub fn is_linked(&self) -> bool {
        self.controller.is_linked()
    }

    /// Lines of the barrier that meant nothing.
    pub fn noise(&self) -> u64 {
        match self.device {
            Device::Sim(_) => 0,
            Device::Serial { noise, .. } => noise,
        }
    }

    /// The line to the barrier is open.
    pub fn line_up(&mut self, now: Time) -> Vec<Told> {
        let mut told = self.advance(now);
        let acts = self.controller.line_up(self.now);
        self.run(acts, &mut told);
        told
    }

    /// The line to the barrier is lost.
    pub fn line_down(&mut self, why: &str, now: Time) -> Vec<Told> {
        let mut told = self.advance(now);
        if let Device::Serial { lines, .. } = &mut self.device {
            lines.clear();
        }
        let acts = self.controller.line_down(why, self.now);
        self.run(acts, &mut told);
        told
    }

    /// Bytes have arrived from a serial barrier.
    pub fn heard(&mut self, bytes: &[u8], now: Time) -> Vec<Told> {
        let mut told = self.advance(now);
        let Device::Serial { lines, noise, .. } = &mut self.device else { return told };
        let mut reports = Vec::new();
        lines.push(bytes, |line| match line_protocol::report(line) {
            Some(report) => reports.push(report),
            None => *noise += 1,
        });
        for report in reports {
            let acts = self.controller.report(&report, self.now);
            self.run(acts, &mut told);
        }
        told
    }

    /// Does what is asked; false if the barrier cannot be told.
    pub fn order(
        &mut self,
        action: GateAction,
        pulse: Duration,
        cause: &str,
        now: Time,
    ) -> (bool, Vec<Told>) {
        let mut told = self.advance(now);
        let (done, acts) = self.controller.order(action, Some(pulse), cause, self.now);
        self.run(acts, &mut told);
        (done, told)
    }

    /// Time has passed.
    pub fn advance(&mut self, to: Time) -> Vec<Told> {
        let mut told = Vec::new();
        while let Some(due) = self.due().filter(|due| *due <= to) {
            self.step(due, &mut told);
        }
        self.step(to, &mut told);
        told
    }

    /// Lets a simulated barrier do all that it was told, however long it takes.
    pub fn come_to_rest(&mut self) -> Vec<Told> {
        let mut told = Vec::new();
        while let Some(due) = self.due() {
            self.step(due, &mut told);
        }
        told
    }

    /// Whether the barrier has said that it is closed, and has answered everything.
    pub fn is_shut(&self) -> bool {
        let status = self.status();
        status.state == GateState::Closed && status.confirmed && !self.controller.is_waiting()
    }

    fn due(&self) -> Option<Time> {
        let device = match &self.device {
            Device::Sim(sim) => sim.due(),
            Device::Serial { .. } => None,
        };
        device.into_iter().chain(self.controller.due()).min()
    }

    fn step(&mut self, to: Time, told: &mut Vec<Told>) {
        self.now = self.now.max(to);
        let reports = match &mut self.device {
            Device::Sim(sim) => sim.pass(self.now),
            Device::Serial { .. } => Vec::new(),
        };
        for report in reports {
            let acts = self.controller.report(&report, self.now);
            self.run(acts, told);
        }
        let acts = self.controller.pass(self.now);
        self.run(acts, told);
    }

    /// Tells the device and takes its answers until there is nothing more to say.
    fn run(&mut self, acts: Vec<Act>, told: &mut Vec<Told>) {
        let mut acts = VecDeque::from(acts);
        while let Some(act) = acts.pop_front() {
            match act {
                Act::Status(status) => told.push((self.now, status)),
                Act::Send(command) => {
                    for report in self.tell(command) {
                        acts.extend(self.controller.report(&report, self.now));
                    }
                }
            }
        }
    }

    fn tell(&mut self, command: Command) -> Vec<Report> {
        match &mut self.device {
            Device::Sim(sim) => sim.tell(command, self.now),
            Device::Serial { commands, .. } => {
                // A port whose thread has ended is down, and the controller hears of that by itself.
                let _ = commands.send(line_protocol::line(command).into_bytes());
                Vec::new()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Time {
        Time::from_millis(ms)
    }

    fn states(told: &[Told]) -> Vec<(i64, GateState, bool)> {
        told.iter().map(|(time, status)| (time.millis(), status.state, status.confirmed)).collect()
    }

    #[test]
    fn a_simulated_pulse_runs_its_course_in_event_time() {
        use GateState::{Closed, Closing, Open, Opening};
        let mut barrier = Barrier::sim();
        assert_eq!(states(&barrier.line_up(at(0))), [(0, Closed, true)]);
        let (done, told) = barrier.order(GateAction::Open, Duration::from_secs(5), "test", at(100));
        assert!(done);
        assert_eq!(states(&told), [(100, Opening, false), (100, Opening, true)]);
        let told = barrier.advance(at(60_000));
        assert_eq!(states(&told), [(1_100, Open, true), (5_100, Closing, true), (6_100, Closed, true)]);
    }

    #[test]
    fn a_closing_order_ends_everything() {
        let mut barrier = Barrier::sim();
        barrier.line_up(at(0));
        let _ = barrier.order(GateAction::Hold, Duration::ZERO, "test", at(0));
        barrier.advance(at(60_000));
        assert_eq!(barrier.status().state, GateState::Held);
        let _ = barrier.order(GateAction::Close, Duration::ZERO, "test", at(60_000));
        assert_eq!(states(&barrier.come_to_rest()), [(61_000, GateState::Closed, true)]);
        assert!(barrier.is_shut());
    }

    #[test]
    fn a_serial_barrier_is_spoken_to_in_lines() {
        let (commands, written) = std::sync::mpsc::channel();
        let mut barrier = Barrier::serial(commands, 10);
        let said = || written.try_iter().flatten().collect::<Vec<u8>>();
        barrier.line_up(at(0));
        assert_eq!(said(), b"HB\nCLOSE 11\n");
        barrier.heard(b"OK 11\nSTATE clo", at(10));
        assert_eq!(states(&barrier.heard(b"sed\nrubbish\n", at(20))), [(20, GateState::Closed, true)]);
        assert_eq!(barrier.noise(), 1);
        let (done, _) = barrier.order(GateAction::Open, Duration::from_millis(1500), "test", at(30));
        assert!(done);
        assert_eq!(said(), b"OPEN 1500 12\n");
        barrier.heard(b"OK 12\n", at(40));
        barrier.advance(at(1_000));
        assert_eq!(said(), b"HB\n");
    }
}
