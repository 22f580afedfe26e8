//! A walker, with or without a trolley.

use std::sync::Arc;

use crate::light::Surface;
use crate::math::{Pose, V3, grey, v};
use crate::mesh::Mesh;
use crate::paint::srgb;
use crate::render::{Skin, Spot, Thing};

const COAT: u8 = 0;
const TROUSERS: u8 = 1;
const SKIN: u8 = 2;
const HAIR: u8 = 3;
const WIRE: u8 = 4;
const SHOES: u8 = 5;

struct Clothes {
    coat: V3,
}

impl Skin for Clothes {
    fn at(&self, spot: &Spot) -> Surface {
        match spot.part {
            COAT => Surface::matte(self.coat),
            TROUSERS => Surface::matte(srgb(0x2A3144)),
            SKIN => Surface::matte(srgb(0xB98A6A)),
            HAIR => Surface::matte(srgb(0x2A1E16)),
            WIRE => Surface::glossy(grey(0.4), 0.3),
            _ => Surface::matte(grey(0.02)),
        }
    }
}

/// A walker at a place, heading `yaw`; `gait` is the distance walked, in metres.
pub fn walker(at: V3, yaw: f32, gait: f32, coat: V3, trolley: bool) -> Thing {
    let swing = (gait * 4.2).sin();
    let mut m = Mesh::default();
    for (side, s) in [(0.1, swing), (-0.1, -swing)] {
        let (hip, knee) = (v(0.0, side, 0.9), v(0.2 * s + 0.06, side, 0.48));
        let foot = v(0.36 * s - if s < 0.0 { 0.1 } else { 0.0 }, side, 0.06);
        m.rod(hip, knee, 0.095, 0.07, TROUSERS);
        m.rod(knee, foot, 0.07, 0.05, TROUSERS);
        m.ball(foot + v(0.07, 0.0, -0.01), v(0.13, 0.05, 0.05), SHOES);
        let shoulder = v(0.0, side * 2.3, 1.4);
        let hand = if trolley { v(0.5, side * 2.0, 1.0) } else { v(-0.28 * s, side * 2.6, 0.88) };
        m.rod(shoulder, hand, 0.06, 0.045, COAT);
        m.ball(hand, v(0.05, 0.04, 0.05), SKIN);
    }
    m.ball(v(0.0, 0.0, 1.18), v(0.15, 0.23, 0.34), COAT);
    m.ball(v(0.02, 0.0, 1.63), v(0.1, 0.085, 0.13), SKIN);
    m.ball(v(-0.02, 0.0, 1.68), v(0.105, 0.095, 0.11), HAIR);
    if trolley {
        cart(&mut m);
    }
    Thing {
        mesh: Arc::new(m),
        skin: Arc::new(Clothes { coat }),
        pose: Pose::new(at, yaw),
        foot: (if trolley { 0.5 } else { 0.15 }, 0.22),
        beam: 0.0,
    }
}

fn cart(m: &mut Mesh) {
    let (x0, x1, w) = (0.55, 1.35, 0.27);
    for i in 0..=8 {
        let x = x0 + (x1 - x0) * i as f32 / 8.0;
        for y in [-w, w] {
            m.rod(v(x, y, 0.5), v(x, y, 0.95), 0.008, 0.008, WIRE);
        }
    }
    for i in 0..=4 {
        let z = 0.5 + 0.45 * i as f32 / 4.0;
        for y in [-w, w] {
            m.rod(v(x0, y, z), v(x1, y, z), 0.008, 0.008, WIRE);
        }
        m.rod(v(x1, -w, z), v(x1, w, z), 0.008, 0.008, WIRE);
    }
    m.cuboid(v(x0 + 0.1, -w + 0.05, 0.52), v(x1 - 0.2, w - 0.05, 0.85), 0.5, COAT);
    for (x, y) in [(x0, -w), (x0, w), (x1, -w), (x1, w)] {
        m.rod(v(x, y, 0.5), v(x, y, 0.08), 0.015, 0.015, WIRE);
        m.ball(v(x, y, 0.06), v(0.06, 0.02, 0.06), SHOES);
    }
}
