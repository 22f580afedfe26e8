//! Violations, from the first moment to the last under one id.

use std::collections::BTreeMap;
use std::time::Duration;

use park_core::record::lot::{Violation, ViolationStatus, ViolationType};
use park_core::record::vision::SlotState;
use park_core::record::{Time, derive_id};
use serde::{Deserialize, Serialize};

use super::gates::Gates;
use super::plan::{ContractorPlan, Plan};
use super::slot::Slot;

/// Something that is wrong right now.
#[derive(Debug, Clone, PartialEq)]
pub struct Wrong {
    kind: ViolationType,
    contractor: Option<String>,
    plate: Option<String>,
    allocated: u32,
    actual: u32,
    /// What each vehicle too many costs.
    price: Option<f64>,
    grace: Duration,
}

/// Everything that is wrong in a lot right now, by a key that stays the same as long as it does.
pub fn find(
    plan: &Plan,
    slots: &BTreeMap<String, Slot>,
    gates: &Gates,
    vehicles: u32,
) -> BTreeMap<String, Wrong> {
    let mut found = BTreeMap::new();
    for (id, contractor) in &plan.contractors {
        let actual = used_by(contractor, slots, gates, vehicles);
        if actual > contractor.allocated {
            let wrong = Wrong {
                kind: ViolationType::Overparking,
                contractor: Some(id.clone()),
                plate: None,
                allocated: contractor.allocated,
                actual,
                price: contractor.penalty,
                grace: contractor.grace,
            };
            found.insert(format!("overparking {id}"), wrong);
        }
    }
    let wrong = |kind, plate, allocated, actual| Wrong {
        kind,
        contractor: None,
        plate,
        allocated,
        actual,
        price: plan.penalty,
        grace: Duration::ZERO,
    };
    for (session, vehicle) in &gates.vehicles {
        if vehicle.denied || vehicle.is_in(&plan.deny) {
            let it = wrong(ViolationType::UnauthorizedVehicle, vehicle.plate.clone(), 0, 1);
            found.insert(format!("unauthorized_vehicle {session}"), it);
        }
    }
    if let Some(places) = plan.places().filter(|places| vehicles > *places) {
        let it = wrong(ViolationType::CapacityBreach, None, places, vehicles);
        found.insert("capacity_breach".to_owned(), it);
    }
    found
}

/// The places a contractor uses: slots of its own that are taken, or its vehicles inside, whichever are more; all that are
/// taken, if the whole lot is its.
fn used_by(contractor: &ContractorPlan, slots: &BTreeMap<String, Slot>, gates: &Gates, vehicles: u32) -> u32 {
    if contractor.whole {
        return vehicles;
    }
    let taken = contractor
        .slots
        .iter()
        .filter(|slot| slots.get(*slot).is_some_and(|slot| slot.state == SlotState::Occupied))
        .count();
    let inside = gates.vehicles.values().filter(|vehicle| vehicle.is_in(&contractor.plates)).count();
    u32::try_from(taken.max(inside)).unwrap_or(u32::MAX)
}

/// The violations that are not over.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    open: BTreeMap<String, Open>,
    /// How many there have been, so that of two in the same millisecond each has an id of its own.
    begun: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Open {
    violation_type: ViolationType,
    contractor: Option<String>,
    plate: Option<String>,
    allocated: u32,
    /// The most places it used.
    worst: u32,
    price: Option<f64>,
    grace: Duration,
    since: Time,
    /// Its id, once it counts.
    id: Option<String>,
}

impl Ledger {
    /// Brings the ledger up to date with what is `found` wrong in `lot` at `now`, and returns what changed: violations
    /// that begin, get worse, or end.
    pub fn update(&mut self, lot: &str, now: Time, found: BTreeMap<String, Wrong>) -> Vec<Violation> {
        let mut changed = Vec::new();
        self.open.retain(|key, open| {
            let goes_on = found.contains_key(key);
            if !goes_on && open.id.is_some() {
                changed.push(open.record(now, ViolationStatus::Resolved));
            }
            goes_on
        });
        for (key, wrong) in found {
            let open = self.open.entry(key).or_insert_with_key(|_| Open {
                violation_type: wrong.kind,
                contractor: wrong.contractor,
                plate: wrong.plate,
                allocated: wrong.allocated,
                worst: wrong.actual,
                price: wrong.price,
                grace: wrong.grace,
                since: now,
                id: None,
            });
            let worse = wrong.actual > open.worst || wrong.allocated != open.allocated;
            open.worst = open.worst.max(wrong.actual);
            open.allocated = wrong.allocated;
            let begins = open.id.is_none() && now.since(open.since) >= open.grace;
            if begins {
                self.begun += 1;
                open.id = Some(open.derive_id(lot, self.begun));
            }
            if begins || (worse && open.id.is_some()) {
                changed.push(open.record(now, ViolationStatus::Pending));
            }
        }
        changed
    }

    /// When the next violation begins to count, if what is wrong goes on.
    pub fn deadline(&self) -> Option<Time> {
        self.open.values().filter(|open| open.id.is_none()).map(|open| open.since + open.grace).min()
    }

    /// The violations that count.
    pub fn open(&self) -> impl Iterator<Item = Violation> {
        self.open
            .values()
            .filter(|open| open.id.is_some())
            .map(|open| open.record(open.since, ViolationStatus::Pending))
    }
}

impl Open {
    fn derive_id(&self, lot: &str, number: u64) -> String {
        derive_id(self.since, &[b"violation", lot.as_bytes(), &number.to_le_bytes()])
    }

    fn record(&self, now: Time, status: ViolationStatus) -> Violation {
        let excess = self.worst.saturating_sub(self.allocated);
        Violation {
            violation_id: self.id.clone().unwrap_or_default(),
            violation_type: self.violation_type,
            contractor_id: self.contractor.clone(),
            plate: self.plate.clone(),
            allocated_capacity: self.allocated,
            actual_occupancy: self.worst,
            excess_vehicles: excess,
            since: self.since,
            duration: now.since(self.since).as_secs_f64(),
            penalty: self.price.map(|price| price * f64::from(excess)),
            status,
        }
    }
}
