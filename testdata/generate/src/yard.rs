//! The gate's surroundings: lane, kerbs, barrier, street, and the weather over it.

use std::f32::consts::FRAC_PI_2;
use std::sync::Arc;

use crate::light::{Light, Surface};
use crate::math::{Camera, Pose, V3, fbm, grey, mix, noise, smooth, v};
use crate::mesh::Mesh;
use crate::paint::{Canvas, Letters, Line, Texture, inside, srgb};
use crate::render::{Place, Skin, Spot, Thing};

/// The time and weather of a gate recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sky {
    /// Sun.
    Day,
    /// The last light, lamps on.
    Dusk,
    /// Dark, an infrared lamp at the camera.
    Night,
    /// Grey and wet.
    Rain,
}

impl Sky {
    /// The light that goes with it.
    pub fn light(self) -> Light {
        let day = Light {
            sun_dir: v(-0.55, -0.5, 0.8).unit(),
            sun: v(1.5, 1.4, 1.22),
            softness: 0.05,
            zenith: v(0.34, 0.46, 0.68),
            horizon: v(0.75, 0.82, 0.9),
            floor: v(0.24, 0.23, 0.22),
            lamps: Vec::new(),
            infrared: 0.0,
        };
        let lamp = (v(3.2, 8.0, 5.5), v(5.5, 4.2, 2.6));
        match self {
            Sky::Day => day,
            Sky::Dusk => Light {
                sun: grey(0.0),
                zenith: v(0.16, 0.2, 0.34),
                horizon: v(0.5, 0.34, 0.26),
                floor: v(0.06, 0.055, 0.055),
                lamps: vec![lamp, (v(-4.0, 15.0, 5.5), v(4.0, 3.1, 2.0))],
                ..day
            },
            Sky::Night => Light {
                sun: grey(0.0),
                zenith: grey(0.012),
                horizon: grey(0.03),
                floor: grey(0.008),
                lamps: vec![(lamp.0, v(0.8, 0.7, 0.5))],
                infrared: 9.0,
                ..day
            },
            Sky::Rain => Light {
                sun: grey(0.0),
                zenith: v(0.62, 0.66, 0.7),
                horizon: v(0.5, 0.53, 0.56),
                floor: v(0.13, 0.13, 0.13),
                ..day
            },
        }
    }
}

/// The camera on the gate's post.
pub fn camera() -> Camera {
    Camera::new((960, 540), 1350.0, v(-1.3, 0.0, 1.75), 13f32.to_radians(), 9f32.to_radians())
}

/// Distance along the lane of the barrier's arm.
pub const ARM: f32 = 3.75;
/// Height of the closed arm's middle.
pub const ARM_Z: f32 = 0.97;

const KERB: u8 = 0;
const WALL: u8 = 1;
const HEDGE: u8 = 2;
const POST: u8 = 3;
const STRIPED: u8 = 4;
const SIGN: u8 = 5;
const POLE: u8 = 6;

/// Ground and sky around the gate.
pub struct Yard {
    /// Water on the ground.
    pub wet: bool,
}

impl Place for Yard {
    fn ground(&self, from: V3, dir: V3, pixel: f32) -> Option<(V3, Surface)> {
        let t = -from.z / dir.z;
        if !(0.0..120.0).contains(&t) {
            return None;
        }
        let p = from + dir * t;
        let mut surface = Surface::matte(floor(p.x, p.y, pixel * t));
        if self.wet {
            let puddle = smooth(0.52, 0.68, fbm(p.x * 0.7 + 3.0, p.y * 0.35, 3));
            surface.rgb = surface.rgb * mix(0.62, 0.42, puddle);
            surface.gloss = mix(0.012, 0.045, puddle);
        }
        Some((p, surface))
    }

    fn sky(&self, dir: V3, light: &Light) -> V3 {
        let base = light.horizon.mix(light.zenith, dir.z.max(0.0).sqrt());
        let cloud = smooth(0.45, 0.75, fbm(dir.x * 5.0, dir.z * 16.0 + 3.0, 4));
        base.mix(light.horizon * 1.15, cloud * 0.7)
    }
}

/// Colour of the ground at a place, seen at `grain` metres a pixel.
fn floor(x: f32, y: f32, grain: f32) -> V3 {
    let fine = fbm(x * 55.0, y * 55.0, 2) * smooth(0.05, 0.005, grain) + 0.5 * smooth(0.005, 0.05, grain);
    let broad = fbm(x * 0.9, y * 0.5, 4);
    let asphalt = v(0.105, 0.104, 0.103) * (0.62 + 0.5 * broad + 0.5 * (fine - 0.5));
    let street = (22.0..29.5).contains(&y);
    let corner = x > 1.75 && x < 6.5 && y > 17.3 && (x - 6.5).hypot(y - 17.3) > 4.75;
    if street {
        let dash =
            inside((y - 25.75).abs() - 0.07, 0.02) * inside((x.rem_euclid(4.0) - 2.0).abs() - 1.0, 0.02);
        return asphalt.mix(grey(0.55), dash);
    }
    if x.abs() < 1.75 && y < 22.0 || corner {
        return lane(x, y, asphalt, broad);
    }
    if (-2.7..2.5).contains(&x) && y < 18.0 || (29.5..31.5).contains(&y) {
        let joint = ((x.rem_euclid(0.4) - 0.2).abs() - 0.19).max((y.rem_euclid(0.4) - 0.2).abs() - 0.19);
        let tone = 0.8 + 0.3 * noise((x / 0.4).floor() * 3.7, (y / 0.4).floor() * 5.1);
        return (grey(0.26) * tone * (0.75 + 0.5 * fine)).mix(grey(0.1), 0.8 * smooth(-0.006, 0.0, joint));
    }
    let blades = fbm(x * 14.0, y * 9.0, 4);
    v(0.045, 0.085, 0.022) * (0.45 + 1.2 * blades)
}

fn lane(x: f32, y: f32, asphalt: V3, broad: f32) -> V3 {
    let worn = smooth(0.25, 0.6, fbm(x * 6.0, y * 6.0, 3));
    let track = (-((x.abs() - 0.75) / 0.3).powi(2)).exp();
    let mut c = asphalt * (1.0 - 0.16 * track);
    let oil = smooth(0.62, 0.75, fbm(x * 1.7 + 9.0, y * 1.1, 3)) * (-(x / 0.5).powi(2)).exp();
    c = c * (1.0 - 0.45 * oil);
    let crack = (x - 0.5 - 0.6 * (fbm(y * 0.8, 4.0, 3) - 0.5)).abs() - 0.008;
    c = c.mix(grey(0.025), 0.8 * inside(crack, 0.006) * smooth(0.4, 0.5, broad));
    let stop = ((y - 4.25).abs() - 0.12).max(x.abs() - 1.55);
    let stem = ((x + 0.0).abs() - 0.07).max((y - 11.4).abs() - 0.9);
    let head = (x.abs() - (y - 9.6) * 0.45).max(y - 10.5);
    let mark = inside(stop, 0.01).max(inside(stem.min(head), 0.01));
    c.mix(grey(0.5), mark * worn * 0.85)
}

struct Dress {
    sign: Texture,
}

impl Skin for Dress {
    fn at(&self, spot: &Spot) -> Surface {
        let p = spot.p;
        match spot.part {
            KERB => {
                let block = p.y.rem_euclid(1.0) < 0.02;
                Surface::matte(grey(if block { 0.08 } else { 0.24 + 0.1 * fbm(p.x * 20.0, p.y * 9.0, 3) }))
            }
            WALL => Surface::matte(bricks(p)),
            HEDGE => {
                Surface::matte(v(0.03, 0.065, 0.02) * (0.2 + 1.9 * fbm(p.y * 7.0 + p.x * 3.0, p.z * 8.0, 4)))
            }
            POST => Surface::glossy(srgb(0xC9A227), 0.04),
            STRIPED => {
                let red = p.y.rem_euclid(0.8) < 0.4;
                let rgb = if red { srgb(0xB3201C) } else { srgb(0xE4E2DC) };
                Surface { rgb, gloss: 0.03, emit: V3::default(), retro: 0.5 }
            }
            SIGN => Surface {
                rgb: self.sign.at((p.x - 2.55) / 0.7, (1.95 - p.z) / 0.7, spot.grain / 0.7),
                gloss: 0.02,
                emit: V3::default(),
                retro: 0.5,
            },
            _ => Surface::glossy(grey(0.16), 0.05),
        }
    }
}

fn bricks(p: V3) -> V3 {
    let row = (p.z / 0.085).floor();
    let along = p.x + row * 0.115;
    let joint = (p.z.rem_euclid(0.085) < 0.012) || along.rem_euclid(0.23) < 0.012;
    let tone = 0.7 + 0.6 * noise(row * 7.3, (along / 0.23).floor() * 3.1);
    let (wx, wz) = (p.x.rem_euclid(3.2) - 1.6, p.z - 2.4);
    if wx.abs() < 0.8 && wz.abs() < 0.75 {
        let bar = wx.abs() < 0.03 || wx.abs() > 0.74 || wz.abs() > 0.69;
        return if bar { grey(0.5) } else { v(0.05, 0.07, 0.09) };
    }
    if joint { grey(0.22) } else { v(0.2, 0.085, 0.06) * tone }
}

/// What stands still around the gate.
pub fn scenery(font: &Letters) -> Vec<Thing> {
    let mut sign = Canvas::new(350.0, 350.0, 1.5, srgb(0x1F4E9E));
    sign.frame(grey(0.85), (8.0, 8.0), (334.0, 334.0), 26.0, 8.0);
    let line = |y: f32, cap: f32| Line { at: (175.0, y), cap, squeeze: 0.9, gap: 2.0, ink: grey(0.85) };
    sign.text(font, "P", &line(125.0, 150.0));
    sign.text(font, "MAX 24 H", &line(265.0, 38.0));
    sign.text(font, "5 km/h", &line(310.0, 24.0));
    let mut m = Mesh::default();
    for (a, b) in [(-1.9, -1.75), (1.75, 1.9)] {
        m.cuboid(v(a, 2.2, 0.0), v(b, 17.0, 0.13), 0.5, KERB);
    }
    m.cuboid(v(-40.0, 33.0, 0.0), v(40.0, 34.0, 4.6), 2.0, WALL);
    m.cuboid(v(-9.0, 8.0, 0.0), v(-4.2, 20.0, 1.5), 1.0, HEDGE);
    m.cuboid(v(5.4, 10.0, 0.0), v(9.0, 16.5, 1.2), 1.0, HEDGE);
    m.cuboid(v(-1.62, ARM - 0.05, 0.0), v(-1.4, ARM + 0.25, 1.08), 0.3, POST);
    m.rod(v(2.9, 8.6, 0.0), v(2.9, 8.6, 2.0), 0.035, 0.035, POLE);
    m.cuboid(v(2.55, 8.5, 1.25), v(3.25, 8.54, 1.95), 0.4, SIGN);
    m.rod(v(3.4, 13.0, 0.0), v(3.4, 13.0, 6.0), 0.07, 0.05, POLE);
    for y in [6.5, 8.5, 10.5, 12.5] {
        m.rod(v(2.2, y, 0.0), v(2.2, y, 0.9), 0.06, 0.06, STRIPED);
    }
    vec![Thing {
        mesh: Arc::new(m),
        skin: Arc::new(Dress { sign: sign.texture() }),
        pose: Pose::new(V3::default(), 0.0),
        foot: (0.0, 0.0),
        beam: 0.0,
    }]
}

/// The barrier's arm; asked for again with each opening.
pub struct Arm {
    mesh: Arc<Mesh>,
    skin: Arc<dyn Skin>,
}

impl Arm {
    /// Makes the arm.
    pub fn new() -> Arm {
        let mut m = Mesh::default();
        m.cuboid(v(-0.03, -0.25, -0.05), v(0.03, 3.3, 0.05), 0.4, STRIPED);
        let blank = Canvas::new(8.0, 8.0, 1.0, grey(0.5)).texture();
        Arm { mesh: Arc::new(m), skin: Arc::new(Dress { sign: blank }) }
    }

    /// The arm, `open` from 0 (across the lane) to 1 (upright).
    pub fn thing(&self, open: f32) -> Thing {
        let pose = Pose::tilted(v(-1.5, ARM, ARM_Z), -FRAC_PI_2, open * 1.45);
        Thing { mesh: self.mesh.clone(), skin: self.skin.clone(), pose, foot: (0.0, 0.0), beam: 0.0 }
    }
}

impl Default for Arm {
    fn default() -> Self {
        Arm::new()
    }
}
