//! What one camera has seen of its lot so far, and what follows from it for the next frame.
//!
//! A fixed camera sees each slot empty sooner or later. The memory keeps each slot's empty look by level of light and
//! sets it against what a frame shows; and it keeps the look of all that is no slot, by which it notices that the camera was
//! moved or is blocked. It knows nothing of pictures or clocks: numbers and event time in, opinions out.
//!
//! * [`relief`]: a look that does not depend on the light.

pub mod relief;

use std::time::Duration;

use park_core::record::Time;
use park_core::record::vision::UnknownCause;
use serde::{Deserialize, Serialize};

pub use relief::{Relief, Usual};

/// A look is learnt from at most this often.
const STEP: Duration = Duration::from_secs(1);
/// A look counts once it was learnt from so often.
const SETTLED: u32 = 20;
/// How long a slot's empty look takes to follow what is seen, in seconds: wet ground and new paint, not a shadow.
const SLOT_PACE: f32 = 1800.0;
/// The same of the surroundings, in which shadows wander and vehicles stop.
const SCENE_PACE: f32 = 300.0;
/// Only a slot that is free by these odds (logarithm) is learnt from.
const SURELY_FREE: f64 = -2.0;
/// Distance from the empty look at which a slot is as likely as before to be occupied. Between days of PKLot (other sun,
/// other shadows) empty slots are at 0.07, at most 0.16, occupied ones at 0.13 to 0.24.
const EVEN: f64 = 0.13;
/// What a unit of distance does to the odds, and the most it may do either way.
const WEIGHT: f64 = 40.0;
const MOST: std::ops::RangeInclusive<f64> = -4.0..=3.0;
/// Surroundings weaker than this have nothing to hold on to.
const BARE: f64 = 2e-4;
/// Surroundings that keep less than this share of their usual strength are covered.
const COVERED: f64 = 0.2;
/// Surroundings that agree this well are in their place.
const IN_PLACE: f64 = 0.5;
/// Surroundings that agree with nothing near are somewhere else.
const ELSEWHERE: f64 = 0.12;
/// By how much another place must agree better.
const BETTER: f64 = 0.2;
/// How far a moved camera is searched for, in cells.
const REACH: i32 = 6;

/// What one frame shows, in numbers.
#[derive(Debug, Clone)]
pub struct Sight {
    /// When.
    pub at: Time,
    /// How bright the bare ground is, 0 to 255.
    pub light: f64,
    /// The look of the whole frame.
    pub scene: Relief,
    /// The look of each slot.
    pub slots: Vec<Relief>,
}

/// The memory of one camera. Its size depends on the map alone, not on how much was seen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// Which map it belongs to: one of another map is begun anew.
    map: u64,
    /// By level of light.
    levels: [Level; 3],
    /// When it last learnt.
    learnt: Option<Time>,
}

/// What is known at one level of light.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Level {
    scene: Option<Usual>,
    slots: Vec<Option<Usual>>,
}

impl Memory {
    /// Nothing seen yet of a map with this fingerprint.
    pub fn new(map: u64) -> Self {
        Memory { map, ..Memory::default() }
    }

    /// This memory if it is one of the map with this fingerprint, else a new one.
    pub fn of_map(self, map: u64) -> Self {
        if self.map == map { self } else { Memory::new(map) }
    }

    /// Why the camera cannot be trusted in this frame, if so; `counts` says which cells of the scene are no slot.
    pub fn trouble(&self, sight: &Sight, counts: &[bool]) -> Option<UnknownCause> {
        let own = level_of(sight.light);
        let settled = |level: &usize| {
            let usual = self.levels[*level].scene.as_ref();
            usual.is_some_and(|usual| usual.seen >= SETTLED && usual.fits(&sight.scene))
        };
        // By a light that is new to it, the camera is held against the next best.
        let level = [own, 2, 1, 0].into_iter().find(settled)?;
        let usual = self.levels[level].scene.as_ref()?;
        let strength = usual.strength(counts);
        if strength < BARE {
            return None;
        }
        if sight.scene.strength(counts) < COVERED * strength {
            return Some(UnknownCause::Blocked);
        }
        let here = sight.scene.agreement(usual, counts, [0, 0]);
        if here >= IN_PLACE {
            return None;
        }
        let shifts = (-REACH..=REACH).flat_map(|y| (-REACH..=REACH).map(move |x| [x, y]));
        let there = shifts.map(|by| sight.scene.agreement(usual, counts, by)).fold(here, f64::max);
        let nowhere = there < ELSEWHERE && level == own;
        (nowhere || there > here + BETTER).then_some(UnknownCause::CameraMoved)
    }

    /// What the memory adds to the odds (logarithm) that each slot is occupied; 0 where it has no opinion. In haze and dusk,
    /// which make all steps smaller, smaller distances count as much.
    pub fn opinions(&self, sight: &Sight, counts: &[bool]) -> Vec<f64> {
        let own = level_of(sight.light);
        let usual = self.levels[own].scene.as_ref().map_or(0.0, |usual| usual.strength(counts));
        let contrast =
            if usual < BARE { 1.0 } else { (sight.scene.strength(counts) / usual).sqrt().min(1.0) };
        let opinion = |(slot, look): (usize, &Relief)| {
            let settled = |level: &usize| {
                let usual = self.levels[*level].slots.get(slot)?.as_ref()?;
                (usual.seen >= SETTLED && usual.fits(look)).then_some(usual)
            };
            let usual = [own, 2, 1, 0].iter().find_map(settled);
            usual.map_or(0.0, |usual| {
                (WEIGHT * (look.distance(usual) - EVEN * contrast)).clamp(*MOST.start(), *MOST.end())
            })
        };
        sight.slots.iter().enumerate().map(opinion).collect()
    }

    /// Learns from a frame without trouble, in which the slots are occupied by these odds (logarithm). Returns whether it has.
    pub fn learn(&mut self, sight: &Sight, odds: &[f64]) -> bool {
        let since = self.learnt.map_or(STEP, |last| sight.at.since(last));
        if since < STEP {
            return false;
        }
        self.learnt = Some(sight.at);
        let share = |pace: f32| 1.0 - (-since.as_secs_f32().min(60.0) / pace).exp();
        let level = &mut self.levels[level_of(sight.light)];
        remember(&mut level.scene, &sight.scene, share(SCENE_PACE));
        level.slots.resize(sight.slots.len(), None);
        for ((usual, look), odds) in level.slots.iter_mut().zip(&sight.slots).zip(odds) {
            if *odds < SURELY_FREE {
                remember(usual, look, share(SLOT_PACE));
            }
        }
        true
    }
}

fn remember(usual: &mut Option<Usual>, look: &Relief, share: f32) {
    match usual {
        Some(usual) if usual.fits(look) => usual.learn(look, share),
        _ => *usual = Some(Usual::first(look)),
    }
}

/// Night, dusk or shade, day: the light changes what is to be seen, not only how bright it is.
fn level_of(light: f64) -> usize {
    match light {
        light if light < 35.0 => 0,
        light if light < 85.0 => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests;
