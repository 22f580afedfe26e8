//! One lot: its slots, its gates, and what follows from them.

use std::collections::{BTreeMap, BTreeSet};

use park_core::record::lot::{
    CapacityUpdate, CountedBy, OccupancyDrift, ParkingUpdate, SlotChanged, VehicleEvent,
};
use park_core::record::vision::{SlotReading, SlotState};
use park_core::record::{Stamp, Time};
use serde::{Deserialize, Serialize};

use super::alert::{Board, Cause};
use super::count::{Count, Told};
use super::gates::{Gates, Passed};
use super::lasting::Lasting;
use super::plan::Plan;
use super::settings::Settings;
use super::slot::{Change, Delays, Slot};
use super::tracker::Said;
use super::violation::{self, Ledger};

/// How far below the warning's bound the lot must empty before the warning ends.
const HYSTERESIS: f64 = 0.05;

/// What is remembered of a lot.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Lot {
    /// Its slots that were read at least once.
    pub slots: BTreeMap<String, Slot>,
    /// Its gates' count.
    pub gates: Gates,
    /// Its violations.
    pub violations: Ledger,
    /// Its alerts.
    pub alerts: Board,
    drift: Lasting,
    /// The count that another system says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reported: Option<Reported>,
    told: Option<Told>,
    levels: BTreeMap<String, Count>,
}

/// A count by another system.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Reported {
    count: Count,
    counted_by: CountedBy,
    at: Time,
}

/// What a lot's rules need to know besides the lot.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    /// The lot's id; empty if it has none.
    pub id: &'a str,
    /// What the site says of it.
    pub plan: &'a Plan,
    /// What the user says.
    pub settings: &'a Settings,
    /// The latest event time of all.
    pub now: Time,
}

impl Around<'_> {
    fn stamp(&self, at: Time) -> Stamp {
        if self.id.is_empty() { Stamp::at(at) } else { Stamp::at(at).source(self.id).lot(self.id) }
    }

    fn say(&self, said: impl Into<Said>, out: &mut Vec<(Stamp, Said)>) {
        out.push((self.stamp(self.now), said.into()));
    }
}

impl Lot {
    /// Takes what a camera's frame says of the slots; returns whether any changed.
    pub fn read(
        &mut self,
        around: Around<'_>,
        at: Time,
        camera: &str,
        readings: &[SlotReading],
        delays: &Delays,
        out: &mut Vec<(Stamp, Said)>,
    ) -> bool {
        let before = out.len();
        for reading in readings {
            let change = match self.slots.get_mut(&reading.slot_id) {
                Some(slot) => {
                    let change = slot.read(at, reading, delays);
                    if slot.last == at && slot.camera != camera {
                        slot.camera = camera.to_owned();
                    }
                    change.map(|change| (&*slot, change))
                }
                None => {
                    let (slot, change) = Slot::met(at, camera, reading, delays);
                    let slot = &*self.slots.entry(reading.slot_id.clone()).or_insert(slot);
                    change.map(|change| (slot, change))
                }
            };
            if let Some((slot, change)) = change {
                out.push(slot_changed(around, at, &reading.slot_id, slot, change));
            }
        }
        out.len() > before
    }

    /// Another system says how full the lot is. That counts from now on, before what is counted here.
    pub fn report(&mut self, at: Time, update: &CapacityUpdate) -> bool {
        if self.reported.is_some_and(|reported| at < reported.at) {
            return false;
        }
        let CapacityUpdate { total, occupied, free, unknown, counted_by, .. } = *update;
        let count = Count { total, occupied, free, unknown };
        self.reported = Some(Reported { count, counted_by, at });
        true
    }

    /// Another system says that a slot has changed.
    pub fn slot_told(&mut self, at: Time, camera: &str, changed: &SlotChanged) {
        let reading = SlotReading {
            slot_id: changed.slot_id.clone(),
            level_id: changed.level_id.clone(),
            state: changed.state,
            confidence: 1.0,
            cause: changed.cause,
        };
        match self.slots.get_mut(&changed.slot_id) {
            Some(slot) => slot.told(at, camera, changed.state, changed.cause),
            None => {
                self.slots.insert(changed.slot_id.clone(), Slot::first(at, camera, &reading).0);
            }
        }
    }

    /// A camera has been silent for too long: what it saw is no longer known.
    pub fn lose_sight(&mut self, around: Around<'_>, camera: &str, out: &mut Vec<(Stamp, Said)>) {
        for (id, slot) in &mut self.slots {
            if slot.camera == camera
                && let Some(change) = slot.stale()
            {
                out.push(slot_changed(around, around.now, id, slot, change));
            }
        }
    }

    /// Says what follows from the lot as it now is; `passed` is the passage that has just changed it.
    pub fn follow(
        &mut self,
        around: Around<'_>,
        passed: Option<(VehicleEvent, Passed, Option<&str>)>,
        out: &mut Vec<(Stamp, Said)>,
    ) {
        let Some(told) = self.count(around.plan) else { return };
        self.follow_levels(around, out);
        self.follow_count(around, told, passed, out);
        self.follow_drift(around, told, out);
        self.follow_rules(around, told, out);
    }

    /// The count that counts: another system's where one says it, by slots where any has a state, else by gates; nothing
    /// before any of these.
    pub fn count(&self, plan: &Plan) -> Option<Told> {
        let by_gates = self.gates.used.then_some(self.gates.inside);
        if let Some(Reported { count, counted_by, .. }) = self.reported {
            return Some(Told { count, counted_by, by_gates });
        }
        if !self.is_seen() {
            let count = Count::by_gates(by_gates?, plan.places());
            return Some(Told { count, counted_by: CountedBy::Gates, by_gates });
        }
        let unread = plan.slots.keys().filter(|slot| !self.slots.contains_key(*slot)).count();
        let states = self.slots.values().map(|slot| slot.state);
        let count = Count::by_slots(states, self.slots.len() + unread, plan.capacity);
        Some(Told { count, counted_by: CountedBy::Slots, by_gates })
    }

    /// Whether any slot has a state.
    fn is_seen(&self) -> bool {
        self.slots.values().any(Slot::is_confirmed)
    }

    fn level_counts(&self, plan: &Plan) -> BTreeMap<String, Count> {
        let mut levels: BTreeMap<&str, (BTreeSet<&str>, Vec<SlotState>)> = BTreeMap::new();
        for (id, level) in &plan.slots {
            if let Some(level) = level {
                levels.entry(level).or_default().0.insert(id);
            }
        }
        for (id, slot) in &self.slots {
            let planned = || plan.slots.get(id).and_then(Option::as_deref);
            if let Some(level) = slot.level.as_deref().or_else(planned) {
                let (known, states) = levels.entry(level).or_default();
                known.insert(id);
                states.push(slot.state);
            }
        }
        let capacity = |level: &str| plan.levels.get(level).and_then(|level| level.capacity);
        levels
            .into_iter()
            .map(|(level, (known, states))| {
                let count = Count::by_slots(states.into_iter(), known.len(), capacity(level));
                (level.to_owned(), count)
            })
            .collect()
    }

    fn follow_levels(&mut self, around: Around<'_>, out: &mut Vec<(Stamp, Said)>) {
        if !self.is_seen() {
            return;
        }
        let levels = self.level_counts(around.plan);
        for (level, count) in &levels {
            if self.levels.get(level) != Some(count) {
                let update = ParkingUpdate {
                    level_id: level.clone(),
                    name: around.plan.levels.get(level).and_then(|level| level.name.clone()),
                    total: count.total,
                    occupied: count.occupied,
                    available: count.free,
                    unknown: count.unknown,
                };
                around.say(update, out);
            }
        }
        self.levels = levels;
    }

    fn follow_count(
        &mut self,
        around: Around<'_>,
        told: Told,
        passed: Option<(VehicleEvent, Passed, Option<&str>)>,
        out: &mut Vec<(Stamp, Said)>,
    ) {
        let known = self.told.replace(told) == Some(told);
        // What another system says need not be said again.
        if passed.is_none() && (known || self.reported.is_some()) {
            return;
        }
        let (event, passed, gate) = match passed {
            Some((event, passed, gate)) => (Some(event), Some(passed), gate),
            None => (None, None, None),
        };
        let (plate, duration) = passed.map_or((None, None), |passed| (passed.plate, passed.duration));
        let update = CapacityUpdate {
            total: told.count.total,
            occupied: told.count.occupied,
            free: told.count.free,
            unknown: told.count.unknown,
            occupancy_rate: told.count.rate(),
            counted_by: told.counted_by,
            by_gates: told.by_gates,
            event,
            plate,
            duration,
        };
        let mut stamp = around.stamp(around.now);
        stamp.gate_id = gate.map(str::to_owned);
        out.push((stamp, update.into()));
    }

    /// Cars on unknown places may well be there, so only what even they cannot explain is drift.
    fn follow_drift(&mut self, around: Around<'_>, told: Told, out: &mut Vec<(Stamp, Said)>) {
        let (Some(by_gates), CountedBy::Slots) = (told.by_gates, told.counted_by) else { return };
        let Count { occupied, unknown, .. } = told.count;
        let tolerance = around.settings.drift_tolerance;
        let most = occupied.saturating_add(unknown).saturating_add(tolerance);
        let apart = by_gates.saturating_add(tolerance) < occupied || by_gates > most;
        if self.drift.update(apart, around.now, around.settings.drift_after).is_some() {
            let drift = i64::from(by_gates) - i64::from(occupied);
            around.say(OccupancyDrift { by_slots: occupied, by_gates, drift }, out);
        }
    }

    fn follow_rules(&mut self, around: Around<'_>, told: Told, out: &mut Vec<(Stamp, Said)>) {
        let Around { id, plan, now, .. } = around;
        let found = violation::find(plan, &self.slots, &self.gates, told.count.occupied);
        for violation in self.violations.update(id, now, found) {
            around.say(violation, out);
        }
        let mut causes: BTreeMap<String, Cause> =
            self.violations.open().map(|violation| Cause::violation(id, &violation)).collect();
        let (key, cause) = Cause::nearly_full(id, told.count.occupied, told.count.total);
        let bound = around.settings.warn_at - if self.alerts.has(&key) { HYSTERESIS } else { 0.0 };
        if told.count.total > 0 && told.count.rate() > bound {
            causes.insert(key, cause);
        }
        for alert in self.alerts.update(id, now, causes) {
            around.say(alert, out);
        }
    }

    /// When something will follow although nothing more happens.
    pub fn deadline(&self, settings: &Settings) -> Option<Time> {
        [self.drift.deadline(settings.drift_after), self.violations.deadline()].into_iter().flatten().min()
    }
}

fn slot_changed(around: Around<'_>, at: Time, id: &str, slot: &Slot, change: Change) -> (Stamp, Said) {
    let mut stamp = around.stamp(at);
    stamp.source = Some(slot.camera.clone());
    let planned = || around.plan.slots.get(id).and_then(Clone::clone);
    let changed = SlotChanged {
        slot_id: id.to_owned(),
        level_id: slot.level.clone().or_else(planned),
        state: slot.state,
        previous: change.previous,
        since: change.since,
        cause: slot.cause.filter(|_| slot.state == SlotState::Unknown),
    };
    (stamp, changed.into())
}
