//! The fold itself: one event after the other.

use std::collections::BTreeMap;

use park_core::record::camera::CameraStatus;
use park_core::record::gate::{AccessDecision, ParkingEntry, ParkingExit};
use park_core::record::lot::{
    Alert, CapacityUpdate, OccupancyDrift, ParkingUpdate, SlotChanged, VehicleEvent, Violation,
};
use park_core::record::vision::Slots;
use park_core::record::{Stamp, Time};
use serde::{Deserialize, Serialize};

use super::camera::Watch;
use super::lot::{Around, Lot};
use super::plan::Plans;
use super::settings::Settings;
use super::slot::Delays;

/// Something that happened.
#[derive(Debug, Clone)]
pub struct Event<'a> {
    /// Its time.
    pub at: Time,
    /// The record's id.
    pub id: &'a str,
    /// The lot that the record names.
    pub lot: Option<&'a str>,
    /// The gate that the record names.
    pub gate: Option<&'a str>,
    /// What happened.
    pub what: What<'a>,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum What<'a> {
    /// Time passed.
    Tick,
    /// A camera gave a frame.
    Heard(&'a str),
    /// A camera told its state.
    Camera(CameraStatus),
    /// The slots of a frame.
    Slots(Slots),
    /// Somebody was let in or kept out.
    Decision(AccessDecision),
    /// Another system, or this camera of it, says how full the lot is.
    Capacity(&'a str, CapacityUpdate),
    /// Another system, or this camera of it, says that a slot has changed.
    Slot(&'a str, SlotChanged),
    /// A vehicle came in.
    Entry(ParkingEntry),
    /// A vehicle went out.
    Exit(ParkingExit),
}

macro_rules! said {
    ($($name:ident),* $(,)?) => {
        /// What is to be said: the payload of a record.
        #[derive(Debug, Clone, PartialEq)]
        #[allow(missing_docs)]
        pub enum Said {
            $($name($name)),*
        }

        $(impl From<$name> for Said {
            fn from(payload: $name) -> Said {
                Said::$name(payload)
            }
        })*

        impl Said {
            /// Hands the payload to `emit`, whatever its type.
            pub fn with<E: Emit>(&self, stamp: &Stamp, emit: &mut E) {
                match self {
                    $(Said::$name(payload) => emit.emit(stamp, payload)),*
                }
            }
        }
    };
}
said!(SlotChanged, CapacityUpdate, ParkingUpdate, OccupancyDrift, Violation, Alert);

/// Where records go.
pub trait Emit {
    /// Writes one.
    fn emit<P: park_core::record::Payload>(&mut self, stamp: &Stamp, payload: &P);
}

/// All that is remembered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The latest event time of all.
    pub clock: Time,
    /// The lots, by id; the one without an id is empty.
    pub lots: BTreeMap<String, Lot>,
    /// The cameras, by id.
    pub cameras: BTreeMap<String, Watch>,
}

/// Folds events into records.
#[derive(Debug, Clone)]
pub struct Tracker {
    settings: Settings,
    plans: Plans,
    state: State,
    /// The earliest time at which something follows although nothing more happens.
    next: Time,
    resumed: bool,
}

impl Tracker {
    /// A tracker that remembers `state`; nothing of it is said again.
    pub fn new(settings: Settings, plans: Plans, state: State) -> Tracker {
        let resumed = state != State::default();
        Tracker { settings, plans, state, next: Time::from_millis(i64::MIN), resumed }
    }

    /// What is remembered.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What the site says.
    pub fn plans(&self) -> &Plans {
        &self.plans
    }

    /// Goes by other plans from the next event on.
    pub fn replan(&mut self, plans: Plans) {
        self.plans = plans;
        self.next = Time::from_millis(i64::MIN);
    }

    /// Takes an event and appends what follows from it to `out`. Returns whether something was remembered that must not
    /// be lost, such as a passage.
    pub fn take(&mut self, event: Event<'_>, out: &mut Vec<(Stamp, Said)>) -> bool {
        let before = out.len();
        self.pass_time(event.at, out);
        let counted = match event.what {
            What::Tick => false,
            What::Heard(camera) => {
                self.hear(camera, event.lot, out);
                false
            }
            What::Camera(status) => {
                self.camera_status(&status, event.lot, out);
                false
            }
            What::Slots(slots) => {
                self.hear(&slots.camera_id, event.lot, out);
                self.slots(event.at, event.lot, &slots, out);
                false
            }
            What::Capacity(camera, ref update) => {
                self.told(camera, &event, out, |lot| lot.report(event.at, update))
            }
            What::Slot(camera, ref changed) => self.told(camera, &event, out, |lot| {
                lot.slot_told(event.at, camera, changed);
                true
            }),
            What::Decision(ref decision) => {
                let id = self.lot_at(&event);
                let lot = self.state.lots.entry(id).or_default();
                let new = lot.gates.is_new(event.gate.unwrap_or(""), event.id);
                if new {
                    lot.gates.decide(event.at, decision);
                }
                new
            }
            What::Entry(ref entry) => self.passage(&event, out, |lot| {
                Some(VehicleEvent::VehicleEntry).zip(lot.gates.enter(event.at, entry))
            }),
            What::Exit(ref exit) => {
                self.passage(&event, out, |lot| Some((VehicleEvent::VehicleExit, lot.gates.leave(exit))))
            }
        };
        counted || out.len() > before
    }

    /// Moves the clock, and says what follows from that alone.
    fn pass_time(&mut self, at: Time, out: &mut Vec<(Stamp, Said)>) {
        if std::mem::take(&mut self.resumed) {
            self.resume(at);
        }
        self.state.clock = self.state.clock.max(at);
        if self.state.clock < self.next {
            return;
        }
        let now = self.state.clock;
        let mut blind = Vec::new();
        for (camera, watch) in &mut self.state.cameras {
            let timeout = self.plans.timeout_of(camera, &self.settings);
            if watch.falls_silent(now, timeout) {
                blind.push(camera.clone());
                let scope = scope(watch.lot.as_deref(), camera, &self.plans);
                let why = format!("nothing came of it for {} s", timeout.as_secs_f64());
                let alert = watch.raise(now, camera, &why);
                out.extend(alert.map(|alert| (camera_stamp(now, camera, &scope), alert.into())));
            }
        }
        let State { lots, .. } = &mut self.state;
        for (id, lot) in lots {
            let around = Around { id, plan: self.plans.of(id), settings: &self.settings, now };
            for camera in &blind {
                lot.lose_sight(around, camera, out);
            }
            lot.follow(around, None, out);
        }
        let cameras = self.state.cameras.iter();
        let silences =
            cameras.filter_map(|(id, watch)| watch.deadline(self.plans.timeout_of(id, &self.settings)));
        let delays = self.state.lots.values().filter_map(|lot| lot.deadline(&self.settings));
        self.next = silences.chain(delays).min().unwrap_or(Time::from_millis(i64::MAX));
    }

    /// While nobody listened, no camera was silent: a gap that would have silenced them all is not held against them.
    fn resume(&mut self, at: Time) {
        let gap = at.since(self.state.clock);
        for (id, watch) in &mut self.state.cameras {
            if gap > self.plans.timeout_of(id, &self.settings) {
                watch.heard = watch.heard + gap;
            }
        }
    }

    fn hear(&mut self, camera: &str, lot: Option<&str>, out: &mut Vec<(Stamp, Said)>) {
        let now = self.state.clock;
        let watch = self.watch(camera, lot);
        if let Some(alert) = watch.heard(now) {
            let scope = scope(watch.lot.clone().as_deref(), camera, &self.plans);
            out.push((camera_stamp(now, camera, &scope), alert.into()));
        }
    }

    fn camera_status(&mut self, status: &CameraStatus, lot: Option<&str>, out: &mut Vec<(Stamp, Said)>) {
        let (now, camera) = (self.state.clock, status.camera_id.as_str());
        let known = self.watch(camera, lot).lot.clone();
        let scope = scope(known.as_deref(), camera, &self.plans);
        if let Some(alert) = self.watch(camera, lot).status(now, status) {
            out.push((camera_stamp(now, camera, &scope), alert.into()));
        }
    }

    /// The camera, watched from now on if it was not before.
    fn watch(&mut self, camera: &str, lot: Option<&str>) -> &mut Watch {
        let now = self.state.clock;
        let timeout = self.plans.timeout_of(camera, &self.settings);
        self.next = self.next.min(now + timeout);
        let cameras = &mut self.state.cameras;
        // `entry` would copy the id each time.
        let known = cameras.contains_key(camera);
        let watch = match known {
            true => cameras.get_mut(camera).expect("its key was just found"),
            false => cameras.entry(camera.to_owned()).or_insert(Watch::new(now)),
        };
        if lot.is_some() && watch.lot.as_deref() != lot {
            watch.lot = lot.map(str::to_owned);
        }
        watch
    }

    fn slots(&mut self, at: Time, lot: Option<&str>, slots: &Slots, out: &mut Vec<(Stamp, Said)>) {
        let id = lot.unwrap_or_else(|| self.plans.lot_of_camera(&slots.camera_id));
        let settings = &self.settings;
        let delays = Delays {
            occupied: settings.occupied_after,
            free: settings.free_after,
            unknown: settings.unknown_after,
            gap: self.plans.timeout_of(&slots.camera_id, settings),
            confirm_first: settings.confirm_first,
        };
        if !self.state.lots.contains_key(id) {
            self.state.lots.insert(id.to_owned(), Lot::default());
        }
        let Some(lot) = self.state.lots.get_mut(id) else { return };
        let around = Around { id, plan: self.plans.of(id), settings, now: self.state.clock };
        if lot.read(around, at, &slots.camera_id, &slots.slots, &delays, out) {
            lot.follow(around, None, out);
            self.next = self.next.min(lot.deadline(settings).unwrap_or(self.next));
        }
    }

    /// Lets `take` take what another system says of a lot; a camera's own count is not that.
    fn told(
        &mut self,
        camera: &str,
        event: &Event<'_>,
        out: &mut Vec<(Stamp, Said)>,
        take: impl FnOnce(&mut Lot) -> bool,
    ) -> bool {
        let id = event.lot.unwrap_or_else(|| self.plans.lot_of_camera(camera)).to_owned();
        // What a tracker says of a lot comes from the lot: a stream that has passed one says nothing new.
        if camera.is_empty() || camera == id {
            return false;
        }
        self.hear(camera, Some(&id), out);
        let lot = self.state.lots.entry(id.clone()).or_default();
        if !take(lot) {
            return false;
        }
        let (plan, settings) = (self.plans.of(&id), &self.settings);
        let around = Around { id: &id, plan, settings, now: self.state.clock };
        lot.follow(around, None, out);
        self.next = self.next.min(lot.deadline(settings).unwrap_or(self.next));
        true
    }

    /// Lets `pass` count a passage unless it was counted before.
    fn passage(
        &mut self,
        event: &Event<'_>,
        out: &mut Vec<(Stamp, Said)>,
        pass: impl FnOnce(&mut Lot) -> Option<(VehicleEvent, super::gates::Passed)>,
    ) -> bool {
        let id = self.lot_at(event);
        let lot = self.state.lots.entry(id.clone()).or_default();
        if !lot.gates.is_new(event.gate.unwrap_or(""), event.id) {
            return false;
        }
        let Some((kind, passed)) = pass(lot) else { return true };
        let (plan, settings) = (self.plans.of(&id), &self.settings);
        let around = Around { id: &id, plan, settings, now: self.state.clock };
        lot.follow(around, Some((kind, passed, event.gate)), out);
        self.next = self.next.min(lot.deadline(settings).unwrap_or(self.next));
        true
    }

    fn lot_at(&self, event: &Event<'_>) -> String {
        event.lot.unwrap_or_else(|| self.plans.lot_of_gate(event.gate.unwrap_or(""))).to_owned()
    }
}

fn scope(lot: Option<&str>, camera: &str, plans: &Plans) -> String {
    lot.unwrap_or_else(|| plans.lot_of_camera(camera)).to_owned()
}

fn camera_stamp(now: Time, camera: &str, lot: &str) -> Stamp {
    let stamp = Stamp::at(now).source(camera);
    if lot.is_empty() { stamp } else { stamp.lot(lot) }
}
