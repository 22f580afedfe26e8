//! What the site says of the lots, made ready for the rules.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use park_core::site::{Contractor, List, Site, plain};
use park_core::{Error, Kind, Result};

use super::Settings;

/// Every lot's plan, and where cameras and gates belong.
#[derive(Debug, Clone, Default)]
pub struct Plans {
    site: Site,
    lots: BTreeMap<String, Plan>,
    other: Plan,
    default_lot: String,
}

/// What is known of a lot beforehand.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// How many vehicles it holds.
    pub capacity: Option<u32>,
    /// What a vehicle too many, or one that must not be there, costs.
    pub penalty: Option<f64>,
    /// Its slots, each with its level.
    pub slots: BTreeMap<String, Option<String>>,
    /// Its levels.
    pub levels: BTreeMap<String, LevelPlan>,
    /// Those to whom parts of it are let.
    pub contractors: BTreeMap<String, ContractorPlan>,
    /// Plates and cards that must not be inside.
    pub deny: BTreeSet<String>,
}

/// What is known of a level beforehand.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LevelPlan {
    /// Its name for people.
    pub name: Option<String>,
    /// How many vehicles it holds.
    pub capacity: Option<u32>,
}

/// A contractor's part of a lot.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ContractorPlan {
    /// How many vehicles it may have.
    pub allocated: u32,
    /// Its slots.
    pub slots: BTreeSet<String>,
    /// Plates and cards of its vehicles.
    pub plates: BTreeSet<String>,
    /// What a vehicle too many costs.
    pub penalty: Option<f64>,
    /// How long it may have too many.
    pub grace: Duration,
    /// Whether the whole lot is let to it.
    pub whole: bool,
}

impl Plans {
    /// The plans for `site` under `settings`; `read` reads the lists that the site names.
    ///
    /// # Errors
    ///
    /// What `read` says, and [`Kind::Config`] for a span of time that cannot be.
    pub fn new(
        settings: &Settings,
        site: Site,
        read: impl Fn(&std::path::Path) -> Result<List>,
    ) -> Result<Plans> {
        let mut deny = BTreeSet::new();
        for path in &site.lists.deny {
            deny.extend(read(path)?.entries().map(str::to_owned));
        }
        let mut lots = BTreeMap::new();
        for (id, lot) in &site.lots {
            let mut plan = Plan {
                capacity: lot.capacity,
                penalty: lot.penalty,
                slots: lot
                    .all_slots()
                    .map(|(slot, level)| (slot.to_owned(), level.map(str::to_owned)))
                    .collect(),
                levels: BTreeMap::new(),
                contractors: BTreeMap::new(),
                deny: deny.clone(),
            };
            for (id, level) in &lot.levels {
                plan.levels
                    .insert(id.clone(), LevelPlan { name: level.name.clone(), capacity: level.capacity });
            }
            for (id, contractor) in site.contractors_of(id) {
                plan.contractors.insert(id.to_owned(), contractor_plan(id, contractor, &read)?);
            }
            if settings.lot.as_ref().is_none_or(|own| own == id) {
                plan.capacity = settings.capacity.or(plan.capacity);
            }
            lots.insert(id.clone(), plan);
        }
        let other = Plan { deny, ..Plan::default() };
        let default_lot = settings.lot.as_deref().or(site.only_lot()).unwrap_or("").to_owned();
        lots.entry(default_lot.clone())
            .or_insert_with(|| Plan { capacity: settings.capacity, ..other.clone() });
        let other = Plan { capacity: settings.capacity.filter(|_| settings.lot.is_none()), ..other };
        Ok(Plans { site, lots, other, default_lot })
    }

    /// The plan of a lot; a lot that the site does not know has one that says nothing.
    pub fn of(&self, lot: &str) -> &Plan {
        self.lots.get(lot).unwrap_or(&self.other)
    }

    /// The lot of what a camera sees.
    pub fn lot_of_camera(&self, camera: &str) -> &str {
        self.site.lot_of_camera(camera).unwrap_or(&self.default_lot)
    }

    /// The lot that a gate leads to.
    pub fn lot_of_gate(&self, gate: &str) -> &str {
        self.site.lot_of_gate(gate).unwrap_or(&self.default_lot)
    }

    /// How long a camera may be silent.
    pub fn timeout_of(&self, camera: &str, settings: &Settings) -> Duration {
        let own = self.site.cameras.get(camera).and_then(|camera| camera.timeout);
        own.map_or(settings.camera_timeout, Duration::from_secs_f64)
    }
}

impl Plan {
    /// How many vehicles the lot holds: as many as it has slots if that is not said.
    pub fn places(&self) -> Option<u32> {
        let slots = u32::try_from(self.slots.len()).ok().filter(|slots| *slots > 0);
        self.capacity.or(slots)
    }
}

fn contractor_plan(
    id: &str,
    contractor: &Contractor,
    read: &impl Fn(&std::path::Path) -> Result<List>,
) -> Result<ContractorPlan> {
    let mut plates: BTreeSet<String> = contractor.plates.iter().map(|plate| plain(plate)).collect();
    if let Some(path) = &contractor.list {
        plates.extend(read(path)?.entries().map(str::to_owned));
    }
    let grace = Duration::try_from_secs_f64(contractor.grace).map_err(|error| {
        Error::new(Kind::Config, format!("contractors.{id}.grace: {}", contractor.grace)).because(error)
    })?;
    Ok(ContractorPlan {
        allocated: contractor.allocated(),
        slots: contractor.slots.clone(),
        plates,
        penalty: contractor.penalty,
        grace,
        whole: contractor.slots.is_empty() && contractor.plates.is_empty() && contractor.list.is_none(),
    })
}
