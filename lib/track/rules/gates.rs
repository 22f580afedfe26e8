//! Who is inside, by the gates.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use park_core::record::Time;
use park_core::record::gate::{AccessDecision, Decision, Direction, ParkingEntry, ParkingExit};
use park_core::site::plain;
use serde::{Deserialize, Serialize};

/// How long an entry after a denial is taken for the vehicle that was denied.
const AFTER_DENIAL: Duration = Duration::from_secs(600);

/// How many ids of a gate are remembered. What is older than all of them has been counted before.
const REMEMBERED: usize = 256;

/// The count of a lot's gates.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Gates {
    /// Entries less exits, never less than nothing: what was inside at the very beginning was not seen to come.
    pub inside: u32,
    /// Whether there was any passage yet.
    pub used: bool,
    /// The vehicles that came in and were not seen to leave, by session; never more than are inside.
    pub vehicles: BTreeMap<String, Vehicle>,
    denied: Vec<Denied>,
    seen: BTreeMap<String, BTreeSet<String>>,
}

/// A vehicle inside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Vehicle {
    /// Its number as it was read.
    pub plate: Option<String>,
    /// Its number and its card as they are compared.
    numbers: Vec<String>,
    /// When it came in.
    pub entered_at: Time,
    /// Whether it had been denied and came in all the same.
    pub denied: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Denied {
    numbers: Vec<String>,
    at: Time,
}

/// A passage, with what is known of the vehicle.
#[derive(Debug, Clone, PartialEq)]
pub struct Passed {
    /// Its number.
    pub plate: Option<String>,
    /// How long it stayed, in seconds, if it left.
    pub duration: Option<f64>,
}

impl Gates {
    /// Whether the record `id` of `gate` is new; it is not the next time.
    pub fn is_new(&mut self, gate: &str, id: &str) -> bool {
        let seen = match self.seen.get_mut(gate) {
            Some(seen) => seen,
            None => self.seen.entry(gate.to_owned()).or_default(),
        };
        // Ids sort by time.
        let before_all = seen.len() == REMEMBERED && seen.first().is_some_and(|first| id < first.as_str());
        if before_all || !seen.insert(id.to_owned()) {
            return false;
        }
        if seen.len() > REMEMBERED {
            seen.pop_first();
        }
        true
    }

    /// A vehicle comes in. Nothing if its session has begun already.
    pub fn enter(&mut self, at: Time, entry: &ParkingEntry) -> Option<Passed> {
        if self.vehicles.contains_key(&entry.session_id) {
            return None;
        }
        let numbers = numbers(&entry.plate, &entry.card);
        self.forget_denials(at);
        let denials = self.denied.len();
        self.denied.retain(|denied| !alike(&denied.numbers, &numbers));
        let denied = self.denied.len() < denials;
        // Whoever comes in again has left before, unrecognised.
        self.vehicles.retain(|_, vehicle| !alike(&vehicle.numbers, &numbers));
        let vehicle = Vehicle { plate: entry.plate.clone(), numbers, entered_at: entry.entered_at, denied };
        self.vehicles.insert(entry.session_id.clone(), vehicle);
        self.inside = self.inside.saturating_add(1);
        self.used = true;
        Some(Passed { plate: entry.plate.clone(), duration: None })
    }

    /// A vehicle goes out.
    pub fn leave(&mut self, exit: &ParkingExit) -> Passed {
        let session = exit
            .session_id
            .clone()
            .filter(|session| self.vehicles.contains_key(session))
            .or_else(|| self.session_of(&numbers(&exit.plate, &exit.card)));
        let vehicle = session.and_then(|session| self.vehicles.remove(&session));
        self.inside = self.inside.saturating_sub(1);
        self.used = true;
        // More vehicles than are inside: some left unrecognised, most likely those that came first.
        while self.vehicles.len() > self.inside as usize {
            let first = self.vehicles.iter().min_by_key(|(_, vehicle)| vehicle.entered_at);
            let Some(first) = first.map(|(session, _)| session.clone()) else { break };
            self.vehicles.remove(&first);
        }
        let entered = exit.entered_at.or(vehicle.as_ref().map(|vehicle| vehicle.entered_at));
        Passed {
            plate: exit.plate.clone().or(vehicle.and_then(|vehicle| vehicle.plate)),
            duration: exit
                .duration
                .or_else(|| entered.map(|entered| exit.exited_at.since(entered).as_secs_f64())),
        }
    }

    /// Somebody was let in or kept out.
    pub fn decide(&mut self, at: Time, decision: &AccessDecision) {
        if decision.direction == Some(Direction::Exit) {
            return;
        }
        self.forget_denials(at);
        let numbers = numbers(&decision.plate, &decision.card);
        self.denied.retain(|denied| !alike(&denied.numbers, &numbers));
        if decision.decision == Decision::Deny && !numbers.is_empty() {
            self.denied.push(Denied { numbers, at });
        }
    }

    fn forget_denials(&mut self, now: Time) {
        self.denied.retain(|denied| now.since(denied.at) <= AFTER_DENIAL);
    }

    fn session_of(&self, numbers: &[String]) -> Option<String> {
        let mut vehicles = self.vehicles.iter();
        vehicles.find(|(_, vehicle)| alike(&vehicle.numbers, numbers)).map(|(session, _)| session.clone())
    }
}

impl Vehicle {
    /// Whether its plate or card is in `set`, whose entries are [`plain`].
    pub fn is_in(&self, set: &BTreeSet<String>) -> bool {
        self.numbers.iter().any(|number| set.contains(number))
    }
}

fn numbers(plate: &Option<String>, card: &Option<String>) -> Vec<String> {
    [plate, card].into_iter().flatten().map(|number| plain(number)).filter(|it| !it.is_empty()).collect()
}

fn alike(some: &[String], others: &[String]) -> bool {
    some.iter().any(|number| others.contains(number))
}
