//! Keeps the sessions of the gate's vehicles in the store.

use std::time::Duration;

use park_core::Result;
use park_core::record::Time;
use park_core::record::gate::{Match, ParkingEntry, ParkingExit};
use park_store::{Arrival, Departure, Session, Store};

use crate::rules::decide::{Phase, Policy, Stay, Way};
use crate::rules::text::{alike, distance};
use crate::rules::vehicle::Vehicle;

/// The sessions, as one gate sees them.
#[derive(Debug)]
pub(crate) struct Desk {
    pub store: Store,
    pub gate: String,
    pub lot: Option<String>,
    /// How soon after it passed a vehicle seen again is still the one that passed.
    pub again: Duration,
}

/// What the sessions know of a vehicle.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub stay: Stay,
    session: Session,
}

impl Desk {
    /// What the sessions know of `vehicle` at `now`.
    pub fn known(&self, vehicle: &Vehicle, policy: &Policy, now: Time) -> Result<Option<Known>> {
        let known = |session: Session, matched, phase| Known {
            stay: Stay { session_id: session.id.clone(), matched, phase },
            session,
        };
        if let Some(last) = self.store.last_session(vehicle.plate(), vehicle.card(), now)?
            && let Some(phase) = self.moments_ago(&last, now)
        {
            let matched = if last.plate.as_deref() == vehicle.plate() { Match::Plate } else { Match::Card };
            return Ok(Some(known(last, matched, phase)));
        }
        if let Some(plate) = vehicle.plate()
            && let Some(session) = self.store.inside_by_plate(plate, now)?
        {
            return Ok(Some(known(session, Match::Plate, Phase::Inside)));
        }
        if let Some(card) = vehicle.card()
            && let Some(session) = self.store.inside_by_card(card, now)?
        {
            return Ok(Some(known(session, Match::Card, Phase::Inside)));
        }
        let found = self.lookalike(vehicle, policy, now)?;
        Ok(found.map(|session| known(session, Match::LookAlike, Phase::Inside)))
    }

    /// Whether this session began or ended at this gate just now.
    fn moments_ago(&self, session: &Session, now: Time) -> Option<Phase> {
        let recent = |time: Time| now.since(time) <= self.again;
        let here = |gate: &Option<String>| gate.as_deref() == Some(self.gate.as_str());
        match session.exited.filter(|exited| *exited < now) {
            Some(exited) => (recent(exited) && here(&session.exit_gate_id)).then_some(Phase::JustLeft),
            None => (recent(session.entered) && here(&session.gate_id)).then_some(Phase::JustEntered),
        }
    }

    /// The one open session whose number looks like this vehicle's, where it can leave.
    ///
    /// At a gate both ways, where the vehicle may just as well be another one coming in, only characters that look alike
    /// are forgiven. Two listed numbers are two vehicles, however alike.
    fn lookalike(&self, vehicle: &Vehicle, policy: &Policy, now: Time) -> Result<Option<Session>> {
        let Some(plate) = vehicle.plate().filter(|_| policy.way != Way::Entry) else { return Ok(None) };
        let listed = policy.allow.exact(plate).is_some();
        let mut found = self.store.lookalikes(now, |other| {
            let near = match policy.way {
                Way::Both => distance(plate, other) == 0,
                _ => alike(plate, other),
            };
            near && !(listed && policy.allow.exact(other).is_some())
        })?;
        Ok(found.pop().filter(|_| found.is_empty()))
    }

    /// The vehicle comes in: its session begins.
    pub fn enter(&self, vehicle: &Vehicle, now: Time) -> Result<ParkingEntry> {
        let confidence = vehicle.plate.as_ref().and_then(|plate| plate.confidence);
        let session = self.store.open_session(&Arrival {
            plate: vehicle.plate(),
            card: vehicle.card(),
            confidence,
            gate_id: Some(&self.gate),
            lot_id: self.lot.as_deref(),
            time: now,
        })?;
        Ok(ParkingEntry {
            session_id: session.id,
            plate: vehicle.plate().map(str::to_owned),
            card: vehicle.card().map(str::to_owned),
            entered_at: now,
            confidence,
        })
    }

    /// The vehicle goes out: its session ends, if it has one.
    pub fn leave(&self, vehicle: &Vehicle, known: Option<&Known>, now: Time) -> Result<ParkingExit> {
        let matched = known.map_or(Match::None, |known| known.stay.matched);
        if let Some(known) = known {
            let departure = Departure {
                plate: vehicle.plate(),
                card: vehicle.card(),
                gate_id: Some(&self.gate),
                time: now,
                matched,
            };
            self.store.close_session(&known.session.id, &departure)?;
        }
        let entered_at = known.map(|known| known.session.entered);
        Ok(ParkingExit {
            session_id: known.map(|known| known.session.id.clone()),
            plate: vehicle.plate().map(str::to_owned),
            card: vehicle.card().map(str::to_owned),
            entered_at,
            exited_at: now,
            duration: entered_at.map(|entered| now.since(entered).as_secs_f64()),
            fee: None,
            matched,
        })
    }

    /// The other number of a vehicle whose session has begun.
    pub fn join(&self, known: &Known, vehicle: &Vehicle) -> Result<()> {
        self.store.join_session(&known.session.id, vehicle.plate(), vehicle.card())
    }
}
