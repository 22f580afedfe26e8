//! The parking lot's surroundings: six slots on the ground, six on a deck behind it, seen from a high post.

use std::sync::Arc;

use crate::light::{Light, Surface};
use crate::lot::Weather;
use crate::math::{Camera, Pose, V3, fbm, grey, noise, smooth, v};
use crate::mesh::Mesh;
use crate::paint::{inside, srgb};
use crate::render::{Place, Skin, Spot, Thing};

/// Slots a level.
pub const SLOTS: usize = 6;
/// Width and depth of a slot in metres.
pub const SLOT: (f32, f32) = (2.6, 5.0);
/// Distance at which the deck begins.
const EDGE: f32 = 15.6;

/// One level of the lot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// Name: `A` on the ground, `B` on the deck.
    pub name: char,
    /// Height.
    pub z: f32,
    /// Middle of the lane.
    pub lane: f32,
    /// Front edge of the slots.
    pub slots: f32,
    /// How far from the middle cars come into view.
    pub reach: f32,
}

/// The ground.
pub const A: Level = Level { name: 'A', z: 0.0, lane: 7.0, slots: 10.0, reach: 13.5 };
/// The deck.
pub const B: Level = Level { name: 'B', z: 1.2, lane: 18.6, slots: 21.6, reach: 17.5 };

/// Middle of slot `i` across.
pub fn across(i: usize) -> f32 {
    (i as f32 - (SLOTS as f32 - 1.0) / 2.0) * SLOT.0
}

/// The camera over the lot.
pub fn camera() -> Camera {
    Camera::new((854, 480), 800.0, v(1.3, -4.2, 12.0), -0.045, 31f32.to_radians())
}

/// Sun, clouds, the lot's own lamps, or the camera's.
pub fn light(night: bool, weather: Weather) -> Light {
    let day = Light {
        sun_dir: v(0.5, -0.35, 0.85).unit(),
        sun: v(1.5, 1.42, 1.26),
        softness: 0.05,
        zenith: v(0.34, 0.46, 0.68),
        horizon: v(0.75, 0.82, 0.9),
        floor: v(0.24, 0.23, 0.22),
        lamps: Vec::new(),
        infrared: 0.0,
    };
    if weather == Weather::Rain {
        return Light { sun: grey(0.06), zenith: grey(0.5), horizon: v(0.62, 0.64, 0.66), ..day };
    }
    if !night {
        return day;
    }
    let lamp = v(14.0, 11.0, 7.0);
    let night = Light {
        sun: grey(0.0),
        zenith: v(0.02, 0.022, 0.03),
        horizon: v(0.05, 0.045, 0.04),
        floor: grey(0.02),
        ..day
    };
    if weather == Weather::Infrared {
        return Light { infrared: 420.0, ..night };
    }
    Light {
        lamps: vec![
            (v(-5.0, 9.0, 6.0), lamp),
            (v(5.5, 9.0, 6.0), lamp),
            (v(-4.0, 20.5, 7.0), lamp),
            (v(5.0, 20.5, 7.0), lamp),
        ],
        ..night
    }
}

/// Ground and deck.
pub struct Lot;

impl Place for Lot {
    fn ground(&self, from: V3, dir: V3, pixel: f32) -> Option<(V3, Surface)> {
        let on = |z: f32| (z - from.z) / dir.z;
        let t = on(B.z);
        let deck = from + dir * t;
        if t > 0.0 && deck.y > EDGE - 0.15 {
            return Some((deck, Surface::matte(floor(deck.x, deck.y, &B, pixel * t))));
        }
        let t = on(A.z);
        let p = from + dir * t;
        (t > 0.0).then(|| (p, Surface::matte(floor(p.x, p.y, &A, pixel * t))))
    }

    fn sky(&self, dir: V3, light: &Light) -> V3 {
        light.horizon.mix(light.zenith, dir.z.max(0.0))
    }
}

fn floor(x: f32, y: f32, level: &Level, grain: f32) -> V3 {
    let deck = level.name == 'B';
    if !(3.2..=27.6).contains(&y) {
        return v(0.05, 0.085, 0.025) * (0.5 + 1.1 * fbm(x * 5.0, y * 5.0, 4));
    }
    let fine = fbm(x * 16.0, y * 16.0, 3) - 0.5;
    let broad = fbm(x * 0.45 + 7.0, y * 0.45, 4);
    let base = if deck { v(0.19, 0.186, 0.178) } else { v(0.108, 0.107, 0.106) };
    let mut c = base * (0.68 + 0.5 * broad + 0.5 * fine);
    let half = SLOT.0 * SLOTS as f32 / 2.0;
    let depth = y - level.slots;
    if x.abs() < half + 0.1 && (-0.1..SLOT.1 + 0.1).contains(&depth) {
        let place = (x + half).rem_euclid(SLOT.0) - SLOT.0 / 2.0;
        let spot = fbm(x * 1.3 + 3.0, y * 1.1, 3);
        let oil = smooth(0.5, 0.7, spot) * (-(place / 0.45).powi(2)).exp() * smooth(0.4, 1.5, depth);
        c = c * (1.0 - 0.5 * oil);
        let side = (SLOT.0 / 2.0 - place.abs()) - 0.05;
        let back = (depth - SLOT.1 + 0.02).abs() - 0.05;
        let worn = 0.55 + 0.45 * smooth(0.3, 0.55, fbm(x * 5.0, y * 5.0, 3));
        c = c.mix(grey(0.62), inside(side.min(back), grain * 0.6) * worn);
    }
    let joint = deck && ((x + 40.0).rem_euclid(7.8) < 0.04 || (y + 0.6).rem_euclid(5.4) < 0.04);
    let crack = (y - level.lane - 1.3 * (fbm(x * 0.4, 1.0 + level.z, 3) - 0.5)).abs() - 0.015;
    let patch = noise((x * 0.35).floor() * 5.0, (y * 0.4).floor() * 3.0) > 0.93 && !deck;
    c = c.mix(grey(0.04), 0.6 * inside(crack, grain));
    c * if joint {
        0.55
    } else if patch {
        0.72
    } else {
        1.0
    }
}

const CONCRETE: u8 = 0;
const RAIL: u8 = 1;
const HEDGE: u8 = 2;
const STOP: u8 = 3;
const SHELL: u8 = 4;
const CAB: u8 = 5;
const DARK: u8 = 6;

struct Dress;

impl Skin for Dress {
    fn at(&self, spot: &Spot) -> Surface {
        let p = spot.p;
        match spot.part {
            CONCRETE => {
                let stain = smooth(0.4, 0.8, fbm(p.x * 1.5, p.z * 0.6, 3)) * 0.35;
                let seam = if p.x.rem_euclid(2.6) < 0.04 { 0.6 } else { 1.0 };
                Surface::matte(v(0.3, 0.29, 0.275) * ((1.0 - stain) * seam))
            }
            RAIL => Surface::glossy(grey(0.35), 0.1),
            HEDGE => {
                Surface::matte(v(0.03, 0.065, 0.02) * (0.3 + 1.7 * fbm(p.x * 4.0 + p.y * 2.0, p.z * 5.0, 4)))
            }
            STOP => Surface::matte(if p.x.rem_euclid(0.5) < 0.25 { grey(0.05) } else { srgb(0xD2A21E) }),
            SHELL => {
                let band = (p.z - 1.6).abs() < 0.28;
                let rib = if p.x.rem_euclid(0.7) < 0.03 { 0.85 } else { 1.0 };
                Surface::glossy(if band { srgb(0x205A9A) } else { grey(0.72) } * rib, 0.03)
            }
            CAB => {
                let glass = p.z > 1.45 && p.z < 2.15;
                if glass { Surface::glossy(grey(0.015), 0.12) } else { Surface::glossy(srgb(0x205A9A), 0.04) }
            }
            _ => Surface::matte(grey(0.02)),
        }
    }
}

fn thing(mesh: Mesh, pose: Pose, foot: (f32, f32)) -> Thing {
    Thing { mesh: Arc::new(mesh), skin: Arc::new(Dress), pose, foot, beam: 0.0 }
}

/// What stands still in the lot.
pub fn scenery() -> Vec<Thing> {
    let mut m = Mesh::default();
    m.cuboid(v(-24.0, EDGE - 0.3, 0.0), v(24.0, EDGE, B.z + 0.12), 1.0, CONCRETE);
    m.cuboid(v(-30.0, 27.6, B.z), v(30.0, 28.0, B.z + 0.9), 1.0, CONCRETE);
    m.cuboid(v(-30.0, 28.6, B.z), v(30.0, 31.0, B.z + 2.2), 1.5, HEDGE);
    for i in 0..=12 {
        let x = (i as f32 - 6.0) * 3.2;
        m.rod(v(x, EDGE - 0.15, B.z), v(x, EDGE - 0.15, B.z + 0.75), 0.03, 0.03, RAIL);
    }
    m.rod(v(-20.0, EDGE - 0.15, B.z + 0.75), v(20.0, EDGE - 0.15, B.z + 0.75), 0.03, 0.03, RAIL);
    for level in [A, B] {
        for i in 0..SLOTS {
            let (x, y) = (across(i), level.slots + SLOT.1 - 0.3);
            m.cuboid(v(x - 0.8, y, level.z), v(x + 0.8, y + 0.14, level.z + 0.1), 0.5, STOP);
        }
    }
    vec![thing(m, Pose::new(V3::default(), 0.0), (0.0, 0.0))]
}

/// Half length, half width and height of the lorry.
pub const LORRY: (f32, f32, f32) = (3.7, 1.2, 3.6);

/// A lorry at a place.
pub fn lorry(pose: Pose) -> Thing {
    let (l, w, h) = LORRY;
    let mut m = Mesh::default();
    m.cuboid(v(-l, -w, 0.9), v(l - 2.0, w, h), 0.7, SHELL);
    m.cuboid(v(l - 1.85, -w + 0.05, 0.55), v(l, w - 0.05, 2.5), 0.5, CAB);
    m.cuboid(v(-l, -0.5, 0.5), v(l - 1.8, 0.5, 0.9), 0.8, DARK);
    for x in [-l + 1.2, l - 1.0] {
        for y in [-w + 0.12, w - 0.12] {
            m.rod(v(x, y - 0.14, 0.48), v(x, y + 0.14, 0.48), 0.48, 0.48, DARK);
        }
    }
    thing(m, pose, (l, w))
}
