//! The gate in its stream: feeds the rules, writes what they say.

mod command;
mod devices;
mod traffic;

use std::collections::BTreeMap;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use park_core::Result;
use park_core::cli::Context;
use park_core::record::camera::{CameraState, CameraStatus};
use park_core::record::command::{GateControl, RequestStatus};
use park_core::record::gate::{
    CameraHardware, CardDetected, CardState, GateState, GateStatus, HardwareStatus, PlateDetected,
};
use park_core::record::vision::Plates;
use park_core::record::{Envelope, Payload, Stamp, Time};
use park_core::site::plain;
use park_core::stream::{End, Filter, Origin, Out};

use crate::clock::Clock;
use crate::desk::{Desk, Known};
use crate::hardware::barrier::{Barrier, Told};
use crate::hardware::port::{Device, Happening};
use crate::hardware::rfid::Framer;
use crate::rules::consensus::Consensus;
use crate::rules::decide::{Policy, Verdict};
use crate::rules::presence::Presence;
use crate::rules::vehicle::{Approach, Seen, Sign, Vehicle};

/// How often a live gate looks at its devices.
const LOOK: Duration = Duration::from_millis(20);
/// How long a stream is silent before the wall clock carries its time on.
const SILENCE: Duration = Duration::from_millis(500);

type Lists = Box<dyn Fn(&Policy) -> Result<Policy>>;

/// What a gate is.
pub(crate) struct Parts {
    pub context: Context,
    pub desk: Desk,
    pub policy: Policy,
    /// Reads the lists again and gives the policy with them.
    pub lists: Lists,
    pub cameras: Vec<String>,
    pub consensus: Consensus,
    pub approach: Approach,
    pub pulse: Duration,
    pub barrier: Option<Barrier>,
    /// The port of the card reader.
    pub reader: Option<String>,
    pub devices: Option<Receiver<(Device, Happening)>>,
    /// Whether commands or devices make this a live edge.
    pub live: bool,
}

pub(crate) struct GateFilter {
    parts: Parts,
    clock: Clock,
    started: bool,
    stopping: bool,
    camera: Option<CameraHardware>,
    reader_up: bool,
    framer: Framer,
    presence: Presence,
    hardware: Option<HardwareStatus>,
    /// The vehicle that was not let through and waits for an operator.
    referred: Option<(Time, Vehicle, Verdict, Option<Known>)>,
    counters: BTreeMap<String, u64>,
    records: u64,
    rejected: u64,
}

impl GateFilter {
    pub fn new(parts: Parts) -> Self {
        GateFilter {
            parts,
            clock: Clock::default(),
            started: false,
            stopping: false,
            camera: None,
            reader_up: false,
            framer: Framer::default(),
            presence: Presence::default(),
            hardware: None,
            referred: None,
            counters: BTreeMap::new(),
            records: 0,
            rejected: 0,
        }
    }

    fn gate(&self) -> &str {
        &self.parts.desk.gate
    }

    fn count(&mut self, what: &str) {
        *self.counters.entry(what.to_owned()).or_default() += 1;
    }

    fn stamp(&self, time: Time) -> Stamp {
        let gate = self.gate();
        let stamp = Stamp::at(time).source(gate).gate(gate);
        match &self.parts.desk.lot {
            Some(lot) => stamp.lot(lot.as_str()),
            None => stamp,
        }
    }

    /// Whether a record of this gate, or of none, is meant for this one.
    fn is_ours(&self, gate: Option<&str>) -> bool {
        gate.is_none_or(|gate| gate == self.gate())
    }

    /// A record of the stream is of `time`: what was to happen until then happens first.
    fn stream_time(&mut self, time: Time, out: &mut Out) {
        let first = !self.clock.has_stream();
        let now = self.clock.stream(time, self.parts.context.now());
        if first
            && self.started
            && let Some(barrier) = self.parts.barrier.as_mut().filter(|barrier| !barrier.is_real())
        {
            // It was operated before the stream's time was known, and starts anew in that.
            let told = barrier.come_to_rest();
            *barrier = Barrier::sim();
            self.started = false;
            self.tell(told, out);
        }
        self.pass(now, out);
    }

    /// Time has passed.
    fn pass(&mut self, now: Time, out: &mut Out) {
        self.start(now, out);
        let at = self.barrier_time();
        if let Some(barrier) = &mut self.parts.barrier {
            let told = barrier.advance(at);
            self.tell(told, out);
        }
    }

    /// The first moment that is known: a simulated barrier comes into being.
    fn start(&mut self, now: Time, out: &mut Out) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        if let Some(barrier) = self.parts.barrier.as_mut().filter(|barrier| !barrier.is_real()) {
            let told = barrier.line_up(now);
            self.tell(told, out);
        }
    }

    /// The clock that the barrier lives by: the wall's for one of metal.
    fn barrier_time(&self) -> Time {
        match &self.parts.barrier {
            Some(barrier) if barrier.is_real() => self.parts.context.now(),
            _ => self.clock.now(),
        }
    }

    /// Writes the states of the barrier.
    fn tell(&mut self, told: Vec<Told>, out: &mut Out) {
        let real = self.parts.barrier.as_ref().is_some_and(Barrier::is_real);
        for (time, status) in told {
            let time = if real { self.clock.now() } else { time };
            out.emit(&self.stamp(time), &status);
            if status.state == GateState::Fault {
                self.count("faults");
            }
        }
    }

    fn gate_status(&self) -> Option<GateStatus> {
        self.parts.barrier.as_ref().map(Barrier::status)
    }

    /// Takes the payload, and counts one that cannot be.
    fn payload<P: Payload>(&mut self, record: &Envelope<'_>) -> Result<P> {
        record.payload().inspect_err(|_| self.rejected += 1)
    }

    fn plates(&mut self, record: &Envelope<'_>, out: &mut Out) -> Result<()> {
        let plates: Plates = self.payload(record)?;
        let cameras = &self.parts.cameras;
        if !self.is_ours(record.gate_id.as_deref())
            || !(cameras.is_empty() || cameras.contains(&plates.camera_id))
        {
            return Ok(());
        }
        if self.camera.is_none() {
            self.camera = Some(CameraHardware { connected: true, status: "online".to_owned() });
        }
        // A record without a time is of the moment in which it comes.
        let time = record.timestamp.unwrap_or(self.clock.now());
        for detection in self.parts.consensus.frame(&plates, time) {
            self.detected(detection, out)?;
        }
        Ok(())
    }

    /// Another system has found a passage: of a gate's own there is its name, and it has been dealt with.
    fn plate_told(&mut self, record: &Envelope<'_>, out: &mut Out) -> Result<()> {
        let told: PlateDetected = self.payload(record)?;
        let cameras = &self.parts.cameras;
        if record.gate_id.is_some() || !(cameras.is_empty() || cameras.contains(&told.camera_id)) {
            return Ok(());
        }
        let time = record.timestamp.unwrap_or(self.clock.now());
        for detection in self.parts.consensus.told(&told, time) {
            self.detected(detection, out)?;
        }
        Ok(())
    }

    fn card(&mut self, record: &Envelope<'_>, out: &mut Out) -> Result<()> {
        let card: CardDetected = self.payload(record)?;
        if card.state == CardState::Absent || !self.is_ours(record.gate_id.as_deref()) {
            return Ok(());
        }
        let seen = Seen {
            number: plain(&card.card),
            confidence: None,
            id: record.id.as_ref().map(|id| id.as_str().to_owned()),
        };
        self.arrived(Sign::Card(seen), record.timestamp.unwrap_or(self.clock.now()), out)
    }

    fn camera_status(&mut self, record: &Envelope<'_>) -> Result<()> {
        let status: CameraStatus = self.payload(record)?;
        let cameras = &self.parts.cameras;
        if !cameras.is_empty() && !cameras.contains(&status.camera_id) {
            return Ok(());
        }
        let word = match status.state {
            CameraState::Online => "online",
            CameraState::Reconnecting => "reconnecting",
            CameraState::Offline => "offline",
        };
        let connected = status.state == CameraState::Online;
        self.camera = Some(CameraHardware { connected, status: word.to_owned() });
        Ok(())
    }

    fn silence(&mut self, now: Time, out: &mut Out) -> Result<()> {
        for detection in self.parts.consensus.silence(now) {
            self.detected(detection, out)?;
        }
        Ok(())
    }
}

impl Filter for GateFilter {
    fn consumes(&self, kind: &str) -> bool {
        kind == GateControl::TYPE
    }

    fn wants(&self, kind: &str) -> bool {
        crate::cli::READS.contains(&kind)
    }

    fn record(&mut self, record: &Envelope<'_>, origin: &Origin, out: &mut Out) -> Result<()> {
        self.records += 1;
        if origin.peer.is_control() {
            self.clock.carry(self.parts.context.now(), Duration::ZERO);
            self.pass(self.clock.now(), out);
        } else if let Some(time) = record.timestamp {
            self.stream_time(time, out);
        }
        let done = match &*record.kind {
            Plates::TYPE => self.plates(record, out),
            PlateDetected::TYPE => self.plate_told(record, out),
            CardDetected::TYPE => self.card(record, out),
            CameraStatus::TYPE => self.camera_status(record),
            "tick" => self.silence(self.clock.now(), out),
            GateControl::TYPE => self.gate_control(record, origin, out),
            RequestStatus::TYPE if self.is_ours(record.gate_id.as_deref()) => {
                self.say_status(origin, out);
                Ok(())
            }
            "camera_control" if origin.peer.is_control() => {
                self.refuse(record, origin, "this gate does not operate its camera", out);
                Ok(())
            }
            _ => Ok(()),
        };
        self.hardware_changed(out);
        done
    }

    fn tick_every(&self) -> Option<Duration> {
        self.parts.live.then_some(LOOK)
    }

    fn tick(&mut self, wall: Time, out: &mut Out) -> Result<()> {
        let real = self.parts.devices.is_some();
        self.look_at_devices(wall, out)?;
        if !real && !self.started {
            return Ok(());
        }
        let now = self.clock.carry(wall, SILENCE);
        self.pass(now, out);
        self.hardware_changed(out);
        self.cards_pass(wall, out)?;
        self.silence(now, out)
    }

    fn reload(&mut self) -> Result<()> {
        self.parts.policy = (self.parts.lists)(&self.parts.policy)?;
        Ok(())
    }

    fn counters(&self) -> BTreeMap<String, u64> {
        let mut counters = self.counters.clone();
        if let Some(barrier) = &self.parts.barrier {
            counters.insert("barrier_noise".to_owned(), barrier.noise());
        }
        counters.insert("allow_list".to_owned(), self.parts.policy.allow.len() as u64);
        counters.insert("deny_list".to_owned(), self.parts.policy.deny.len() as u64);
        counters
    }

    fn finish(&mut self, why: End, out: &mut Out) -> Result<()> {
        self.stopping = true;
        // The barrier first: whatever else fails, it is closed.
        let shut = self.shut(why, out);
        for detection in self.parts.consensus.finish() {
            self.detected(detection, out)?;
        }
        shut
    }
}
