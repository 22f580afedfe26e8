//! The gate's devices at a live edge.

use std::time::Duration;

use park_core::record::Time;
use park_core::record::gate::{
    BarrierHardware, CameraHardware, CardDetected, CardState, GateAction, GateState, HardwareStatus,
    ReaderHardware,
};
use park_core::stream::{End, Out};
use park_core::{Error, Kind, Result};

use super::GateFilter;
use crate::hardware::barrier::Barrier;
use crate::hardware::port::{Device, Happening};
use crate::rules::presence::Change;
use crate::rules::vehicle::{Seen, Sign};

/// How long a barrier may take to be shut when the gate stops, in looks of [`LOOK`]. One that a vehicle stands under
/// closes by itself later.
const PATIENCE: u32 = 250;
const LOOK: Duration = Duration::from_millis(20);

impl GateFilter {
    /// Takes what has happened at the ports.
    pub(super) fn look_at_devices(&mut self, wall: Time, out: &mut Out) -> Result<()> {
        while let Some((device, what)) =
            self.parts.devices.as_ref().and_then(|devices| devices.try_recv().ok())
        {
            self.happened(device, what, wall, out)?;
        }
        Ok(())
    }

    fn happened(&mut self, device: Device, what: Happening, wall: Time, out: &mut Out) -> Result<()> {
        let now = self.clock.carry(wall, Duration::ZERO);
        self.start(now, out);
        if let Happening::Down(why) = &what {
            self.parts.context.log().warn(&format!("{why}; trying again"));
            self.count("devices_lost");
        }
        match device {
            Device::Barrier => {
                let Some(barrier) = &mut self.parts.barrier else { return Ok(()) };
                let told = match &what {
                    Happening::Up => barrier.line_up(wall),
                    Happening::Down(why) => barrier.line_down(why, wall),
                    Happening::Bytes(bytes) => barrier.heard(bytes, wall),
                };
                self.tell(told, out);
            }
            Device::Reader => match what {
                Happening::Bytes(bytes) => self.reader_said(&bytes, wall, out)?,
                Happening::Up => self.reader_up = true,
                Happening::Down(_) => {
                    self.reader_up = false;
                    self.framer.clear();
                }
            },
        }
        self.hardware_changed(out);
        Ok(())
    }

    fn reader_said(&mut self, bytes: &[u8], wall: Time, out: &mut Out) -> Result<()> {
        let mut cards = Vec::new();
        self.framer.push(bytes, |frame| cards.push(frame));
        for frame in cards {
            match frame {
                Ok(card) => {
                    let changes = self.presence.read(&card, wall);
                    self.cards_changed(changes, out)?;
                }
                Err(reject) => self.count(&format!("cards_rejected_{reject:?}").to_lowercase()),
            }
        }
        Ok(())
    }

    /// Time has passed at the reader.
    pub(super) fn cards_pass(&mut self, wall: Time, out: &mut Out) -> Result<()> {
        let changes = self.presence.pass(wall);
        self.cards_changed(changes, out)
    }

    fn cards_changed(&mut self, changes: Vec<Change>, out: &mut Out) -> Result<()> {
        for Change { card, state, .. } in changes {
            let now = self.clock.now();
            let reader = self.parts.reader.clone();
            let detected = CardDetected { card: card.clone(), state, reader };
            let id = out.emit(&self.stamp(now).source("reader"), &detected);
            if state == CardState::Present {
                self.count("cards");
                let seen = Seen { number: card, confidence: None, id: Some(id) };
                self.arrived(Sign::Card(seen), now, out)?;
            }
        }
        Ok(())
    }

    /// The state of the gate's hardware.
    pub(super) fn hardware_now(&self) -> HardwareStatus {
        let none = || CameraHardware { connected: false, status: "none".to_owned() };
        let status = self.gate_status();
        let answers = self.parts.barrier.as_ref().is_some_and(Barrier::is_linked)
            && status.as_ref().is_some_and(|status| status.state != GateState::Fault || status.confirmed);
        HardwareStatus {
            camera: self.camera.clone().unwrap_or_else(none),
            card_reader: ReaderHardware { connected: self.reader_up, port: self.parts.reader.clone() },
            arduino: BarrierHardware {
                connected: answers,
                gate_status: status.map_or(GateState::Closed, |status| status.state),
            },
        }
    }

    /// Says so if a device came or went. The barrier's movements are no such change.
    pub(super) fn hardware_changed(&mut self, out: &mut Out) {
        let hardware = self.hardware_now();
        let known = |hardware: &HardwareStatus| {
            (hardware.camera.clone(), hardware.card_reader.clone(), hardware.arduino.connected)
        };
        let nothing = self.parts.barrier.is_none() && self.parts.reader.is_none() && self.camera.is_none();
        let same = self.hardware.as_ref().is_some_and(|told| known(told) == known(&hardware));
        if !nothing && !same {
            out.emit(&self.stamp(self.clock.now()), &hardware);
            self.hardware = Some(hardware);
        }
    }

    /// The end: closes the barrier and waits until it says so. A barrier of metal with a vehicle under it is left to
    /// itself: it hears no more of us and closes when the vehicle has gone.
    pub(super) fn shut(&mut self, why: End, out: &mut Out) -> Result<()> {
        let Some(barrier) = &self.parts.barrier else { return Ok(()) };
        if !barrier.is_real() && !self.started {
            return Ok(());
        }
        let at_rest = barrier.is_shut();
        if !at_rest || barrier.is_real() {
            let cause = match why {
                End::Signal(_) => "the gate is stopping",
                _ => "the gate's input has ended",
            };
            self.raise(GateAction::Close, Duration::ZERO, cause, out);
        }
        if let Some(barrier) = self.parts.barrier.as_mut().filter(|barrier| !barrier.is_real()) {
            let told = barrier.come_to_rest();
            self.tell(told, out);
            return Ok(());
        }
        self.wait_until_shut(out)
    }

    fn wait_until_shut(&mut self, out: &mut Out) -> Result<()> {
        for _ in 0..PATIENCE {
            let Some(barrier) = &self.parts.barrier else { return Ok(()) };
            if barrier.is_shut() || !barrier.is_linked() {
                break;
            }
            let next = match &self.parts.devices {
                Some(devices) => devices.recv_timeout(LOOK).ok(),
                None => None,
            };
            let wall = self.parts.context.now();
            if let Some((Device::Barrier, what)) = next {
                self.happened(Device::Barrier, what, wall, out)?;
            }
            self.pass(self.clock.now(), out);
        }
        match &self.parts.barrier {
            Some(barrier) if !barrier.is_shut() => Err(Error::new(
                Kind::Unavailable,
                "the barrier has not said that it is shut; without a heartbeat it closes by itself",
            )),
            _ => Ok(()),
        }
    }
}
