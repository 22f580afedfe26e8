//! The tables of `park.toml`, and what is asked of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

/// A site. Tables are keyed by the ids that the records carry.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Site {
    /// Its name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The cameras: `[cameras.ID]`.
    pub cameras: BTreeMap<String, Camera>,
    /// The gates: `[gates.ID]`.
    pub gates: BTreeMap<String, Gate>,
    /// The lots: `[lots.ID]`.
    pub lots: BTreeMap<String, Lot>,
    /// The contractors: `[contractors.ID]`.
    pub contractors: BTreeMap<String, Contractor>,
    /// The lists of the whole site: `[lists]`.
    pub lists: Lists,
    // The commands' own settings stand beside the site and are read by `cli`.
    #[serde(skip_serializing)]
    pub(super) capture: IgnoredAny,
    #[serde(skip_serializing)]
    pub(super) detect: IgnoredAny,
    #[serde(skip_serializing)]
    pub(super) gate: IgnoredAny,
    #[serde(skip_serializing)]
    pub(super) track: IgnoredAny,
    #[serde(skip_serializing)]
    pub(super) serve: IgnoredAny,
}

/// A camera.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Camera {
    /// Its name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where its pictures come from, as `park-capture` takes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The gate it watches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate: Option<String>,
    /// The lot it watches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lot: Option<String>,
    /// How long it may be silent, in seconds, before it counts as offline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<f64>,
}

/// A gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// Its name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The lot it leads to.
    pub lot: String,
    /// Which way it lets vehicles pass.
    #[serde(default)]
    pub direction: Passage,
    /// The detection back end that `park-serve` connects to for its plates, `ws://…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detector: Option<String>,
}

/// Which way a gate lets vehicles pass.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Passage {
    /// In only.
    Entry,
    /// Out only.
    Exit,
    /// Both ways.
    #[default]
    Both,
}

/// A lot.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lot {
    /// Its name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How many vehicles it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
    /// The file with the outlines of its slots, as `park-detect slots --map` takes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub map: Option<PathBuf>,
    /// What a vehicle too many, or one that must not be there, costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub penalty: Option<f64>,
    /// The detection back end that `park-serve` connects to for its slots and counts, `ws://…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detector: Option<String>,
    /// Slots on no level.
    pub slots: BTreeSet<String>,
    /// Its levels: `[lots.ID.levels.ID]`.
    pub levels: BTreeMap<String, Level>,
}

/// A level of a lot.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Level {
    /// Its name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How many vehicles it holds, where that is more than its slots.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
    /// Its slots.
    pub slots: BTreeSet<String>,
}

/// Somebody to whom a part of a lot is let; all of it, where neither slots nor plates nor a list say which.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contractor {
    /// Its name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The lot.
    pub lot: String,
    /// How many vehicles it may have there; as many as it has slots if that is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
    /// The slots that are its own.
    #[serde(default)]
    pub slots: BTreeSet<String>,
    /// The plates of its vehicles.
    #[serde(default)]
    pub plates: BTreeSet<String>,
    /// A file with more plates, one a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<PathBuf>,
    /// What a vehicle too many costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub penalty: Option<f64>,
    /// How long it may have too many, in seconds, before that is a violation.
    #[serde(default)]
    pub grace: f64,
}

impl Contractor {
    /// How many vehicles it may have in its lot.
    pub fn allocated(&self) -> u32 {
        self.capacity.unwrap_or_else(|| u32::try_from(self.slots.len()).unwrap_or(u32::MAX))
    }
}

/// Files of plates and cards, see [`super::List`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lists {
    /// Who may come in.
    pub allow: Vec<PathBuf>,
    /// Who may not.
    pub deny: Vec<PathBuf>,
}

impl Site {
    /// The lot that a gate leads to.
    pub fn lot_of_gate(&self, gate: &str) -> Option<&str> {
        self.gates.get(gate).map(|gate| gate.lot.as_str())
    }

    /// The lot that a camera watches, itself or through its gate.
    pub fn lot_of_camera(&self, camera: &str) -> Option<&str> {
        let camera = self.cameras.get(camera)?;
        camera.lot.as_deref().or_else(|| self.lot_of_gate(camera.gate.as_deref()?))
    }

    /// The cameras that watch a gate.
    pub fn cameras_of_gate<'a>(&'a self, gate: &'a str) -> impl Iterator<Item = &'a str> {
        self.cameras
            .iter()
            .filter(move |(_, camera)| camera.gate.as_deref() == Some(gate))
            .map(|(id, _)| id.as_str())
    }

    /// The cameras that watch a lot, themselves or through its gates.
    pub fn cameras_of_lot<'a>(&'a self, lot: &'a str) -> impl Iterator<Item = &'a str> {
        self.cameras.keys().map(String::as_str).filter(move |camera| self.lot_of_camera(camera) == Some(lot))
    }

    /// The contractors with a part of a lot.
    pub fn contractors_of<'a>(&'a self, lot: &'a str) -> impl Iterator<Item = (&'a str, &'a Contractor)> {
        self.contractors
            .iter()
            .filter(move |(_, contractor)| contractor.lot == lot)
            .map(|(id, contractor)| (id.as_str(), contractor))
    }

    /// The only lot, where there is just one.
    pub fn only_lot(&self) -> Option<&str> {
        match self.lots.len() {
            1 => self.lots.keys().next().map(String::as_str),
            _ => None,
        }
    }
}

impl Lot {
    /// Every slot with its level.
    pub fn all_slots(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let on_levels = self.levels.iter().flat_map(|(level, slots)| {
            slots.slots.iter().map(move |slot| (slot.as_str(), Some(level.as_str())))
        });
        self.slots.iter().map(|slot| (slot.as_str(), None)).chain(on_levels)
    }

    /// The level that a slot lies on.
    pub fn level_of(&self, slot: &str) -> Option<&str> {
        self.levels.iter().find(|(_, level)| level.slots.contains(slot)).map(|(id, _)| id.as_str())
    }
}
