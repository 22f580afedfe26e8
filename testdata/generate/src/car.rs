//! Vehicles: a lofted body, a cabin, wheels and mirrors, and the skin that paints lights, grille, glass and plate.

use std::sync::Arc;

use crate::light::Surface;
use crate::math::{V3, fbm, grey, mix, smooth, v};
use crate::mesh::{Mesh, ring};
use crate::paint::{inside, rounded, srgb};
use crate::plate::Plate;
use crate::render::{Skin, Spot};

/// The proportions of a vehicle, in metres; x counts from its middle to the front.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Length and width over all.
    pub size: (f32, f32),
    /// Heights: front of the bonnet, shoulder line, tail, roof.
    pub hood: f32,
    /// Height of the shoulder line, where the glass begins.
    pub belt: f32,
    /// Height of the boot's lid.
    pub tail: f32,
    /// Height of the roof.
    pub roof: f32,
    /// Foot and top of the windscreen, top and foot of the rear window.
    pub glass: [f32; 4],
    /// Rounding of the nose and of the tail.
    pub nose: f32,
    /// Front and rear axle, wheel radius.
    pub axles: (f32, f32),
    /// Wheel radius.
    pub wheel: f32,
    /// Which face the front wears.
    pub face: Face,
}

/// The front's furniture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    /// Wide slanted lamps, low grille.
    Slim,
    /// Round lamps, small grille.
    Round,
    /// Tall grille with bars, square lamps.
    Bold,
}

/// A small five-door.
pub const HATCH: Shape = Shape {
    size: (4.05, 1.76),
    hood: 0.84,
    belt: 0.98,
    tail: 1.0,
    roof: 1.48,
    glass: [0.98, 0.25, -1.45, -1.92],
    nose: 0.62,
    axles: (1.26, -1.28),
    wheel: 0.31,
    face: Face::Round,
};

/// A four-door with a boot.
pub const SEDAN: Shape = Shape {
    size: (4.7, 1.84),
    hood: 0.80,
    belt: 0.95,
    tail: 1.02,
    roof: 1.44,
    glass: [0.95, 0.15, -1.05, -1.72],
    nose: 0.66,
    axles: (1.42, -1.4),
    wheel: 0.32,
    face: Face::Slim,
};

/// A high-built family car.
pub const SUV: Shape = Shape {
    size: (4.5, 1.88),
    hood: 1.0,
    belt: 1.1,
    tail: 1.12,
    roof: 1.7,
    glass: [1.0, 0.4, -1.75, -2.12],
    nose: 0.5,
    axles: (1.36, -1.36),
    wheel: 0.36,
    face: Face::Bold,
};

/// A delivery van.
pub const VAN: Shape = Shape {
    size: (4.9, 1.9),
    hood: 1.05,
    belt: 1.18,
    tail: 1.2,
    roof: 1.95,
    glass: [1.62, 0.95, -2.3, -2.4],
    nose: 0.5,
    axles: (1.55, -1.5),
    wheel: 0.33,
    face: Face::Bold,
};

const BODY: u8 = 0;
const CABIN: u8 = 1;
const TYRE: u8 = 2;
const RIM: u8 = 3;
const MIRROR: u8 = 4;
const FRONT_PLATE: u8 = 5;
const BAR: u8 = 6;

/// How a vehicle is fitted out.
#[derive(Clone)]
pub struct Fit {
    /// Body colour, linear.
    pub paint: V3,
    /// Plate on the front.
    pub plate: Option<Arc<Plate>>,
    /// Height of the plate's middle.
    pub plate_z: f32,
    /// Headlamp strength.
    pub lamps: f32,
    /// Varies the details.
    pub seed: f32,
}

/// A vehicle ready to be put in a scene.
pub struct Car {
    /// Proportions.
    pub shape: Shape,
    /// Its mesh.
    pub mesh: Arc<Mesh>,
    /// Its skin.
    pub skin: Arc<dyn Skin>,
    /// The front plate's corners in the vehicle's axes, as a reader sees them: upper left, upper right, lower right,
    /// lower left.
    pub corners: Option<[V3; 4]>,
    /// Where its headlamps sit.
    pub lamps: [V3; 2],
}

struct Coat {
    shape: Shape,
    fit: Fit,
}

/// Builds a vehicle.
pub fn build(shape: Shape, fit: Fit) -> Car {
    let mut mesh = Mesh::default();
    body(&mut mesh, &shape);
    cabin(&mut mesh, &shape);
    let half = shape.size.1 / 2.0;
    for axle in [shape.axles.0, shape.axles.1] {
        for side in [-1.0, 1.0] {
            let at = |y: f32| v(axle, side * y, shape.wheel);
            mesh.rod(at(half - 0.24), at(half - 0.03), shape.wheel, shape.wheel, TYRE);
            mesh.rod(at(half - 0.1), at(half - 0.02), shape.wheel * 0.66, shape.wheel * 0.62, RIM);
        }
    }
    for side in [-1.0, 1.0] {
        let at = v(shape.glass[0] - 0.34, side * (half + 0.04), shape.belt + 0.07);
        mesh.ball(at, v(0.07, 0.11, 0.07), MIRROR);
    }
    let holder = shape.size.0 / 2.0 + 0.012;
    let mut corners = None;
    if let Some(plate) = &fit.plate {
        let (w, h) = plate.holder;
        let lean = 0.03;
        let top = fit.plate_z + plate.inner[3] / 2.0 + plate.inner[1];
        let at =
            |across: f32, down: f32| v(holder - lean * (down / h - 0.5) * h, across - w / 2.0, top - down);
        mesh.quad([at(0.0, 0.0), at(w, 0.0), at(w, h), at(0.0, h)], FRONT_PLATE);
        mesh.rod(
            at(0.1, h * 0.5) + v(-0.15, 0.0, 0.0),
            at(w - 0.1, h * 0.5) + v(-0.15, 0.0, 0.0),
            0.05,
            0.05,
            BAR,
        );
        let [l, t, pw, ph] = plate.inner;
        corners = Some([at(l, t), at(l + pw, t), at(l + pw, t + ph), at(l, t + ph)]);
    }
    let (ly, lz) = lamp_place(&shape);
    let front = shape.size.0 / 2.0 - 0.08;
    Car {
        shape,
        mesh: Arc::new(mesh),
        lamps: [v(front, ly, lz), v(front, -ly, lz)],
        corners,
        skin: Arc::new(Coat { shape, fit }),
    }
}

/// How far a rounded end has grown, 0 at its tip, 1 after `depth`.
fn swell(from_tip: f32, depth: f32) -> f32 {
    let t = (from_tip / depth).clamp(0.0, 1.0);
    (1.0 - (1.0 - t).powf(3.2)).powf(1.0 / 3.2)
}

fn spread(c: f32, power: f32) -> f32 {
    c.signum() * c.abs().powf(2.0 / power)
}

fn body(mesh: &mut Mesh, s: &Shape) {
    let (l, w) = (s.size.0 / 2.0, s.size.1 / 2.0);
    let mut stations: Vec<f32> = (0..=12).map(|i| l - s.nose * (1.0 - (i as f32 * 0.1309).cos())).collect();
    let (a, b) = (l - s.nose, -l + 0.5);
    stations.extend((1..=18).map(|i| mix(a, b, i as f32 / 18.0)));
    stations.extend((1..=10).map(|i| mix(b, -l, (i as f32 * 0.1571).sin())));
    let rings: Vec<Vec<V3>> = stations
        .iter()
        .map(|&x| {
            let k = swell(l - x, s.nose).min(swell(l + x, 0.5)).max(0.02);
            let rise = smooth(l - 0.1, s.glass[0] + 0.1, x);
            let top = mix(mix(s.hood, s.belt, rise), s.tail, smooth(s.glass[3] + 0.4, s.glass[3], x));
            let floor = 0.2 + 0.06 * smooth(l - 0.5, l, x.abs());
            let (mid, high) = ((top + floor) / 2.0, (top - floor) / 2.0);

            ring(56, |c, q| {
                let (power, kz) = if q > 0.0 { (4.4, k.powf(0.75)) } else { (6.0, k.powf(0.45)) };
                v(x, w * k * spread(c, power), mid - 0.04 * (1.0 - k) + high * kz * spread(q, power))
            })
        })
        .collect();
    mesh.loft(&rings, BODY, true);
}

/// The cabin's outline at height share `u`: front and rear end, half width.
fn cabin_at(s: &Shape, u: f32) -> (f32, f32, f32) {
    let bow = u.powf(1.15);
    let half = mix(s.size.1 / 2.0 - 0.06, s.size.1 / 2.0 - 0.24, u);
    (mix(s.glass[0], s.glass[1], bow), mix(s.glass[3], s.glass[2], bow), half)
}

fn cabin(mesh: &mut Mesh, s: &Shape) {
    let base = s.belt - 0.06;
    let rings: Vec<Vec<V3>> = (0..=18)
        .map(|i| {
            let u = (i as f32 / 12.0).min(1.0);
            let over = ((i as f32 - 12.0) / 6.0).max(0.0);
            let (front, rear, half) = cabin_at(s, u);
            let k = (1.0 - over.powi(2)).max(0.0).sqrt().max(0.02);
            let (mid, long) = ((front + rear) / 2.0, (front - rear) / 2.0);
            let z = mix(base, s.roof - 0.07, u) + 0.07 * (1.0 - (1.0 - over).powi(2));
            ring(56, |c, q| {
                v(
                    mid + (long - 0.25 * (1.0 - k)) * spread(c, 4.5) * mix(1.0, k, 0.9),
                    half * mix(1.0, k, 0.9) * spread(q, 4.5),
                    z,
                )
            })
        })
        .collect();
    mesh.loft(&rings, CABIN, true);
}

fn lamp_place(s: &Shape) -> (f32, f32) {
    let half = s.size.1 / 2.0;
    match s.face {
        Face::Slim => (half - 0.29, s.hood - 0.15),
        Face::Round => (half - 0.3, s.hood - 0.17),
        Face::Bold => (half - 0.27, s.hood - 0.16),
    }
}

impl Skin for Coat {
    fn at(&self, spot: &Spot) -> Surface {
        match spot.part {
            BODY => self.body(spot),
            CABIN => self.cabin(spot),
            TYRE => Surface::matte(grey(0.018)),
            RIM => self.rim(spot),
            MIRROR => self.paint(),
            FRONT_PLATE => self.plate(spot),
            _ => Surface::matte(grey(0.01)),
        }
    }
}

impl Coat {
    fn paint(&self) -> Surface {
        Surface::glossy(self.fit.paint, 0.045)
    }

    fn plate(&self, spot: &Spot) -> Surface {
        let Some(plate) = &self.fit.plate else { return self.paint() };
        let (w, h) = plate.holder;
        let top = self.fit.plate_z + plate.inner[3] / 2.0 + plate.inner[1];
        let rgb = plate.texture.at((w / 2.0 + spot.p.y) / w, (top - spot.p.z) / h, spot.grain / w);
        Surface { rgb: rgb * 0.92, gloss: 0.012, emit: V3::default(), retro: 1.2 }
    }

    fn rim(&self, spot: &Spot) -> Surface {
        let s = &self.shape;
        let axle = if spot.p.x > 0.0 { s.axles.0 } else { s.axles.1 };
        let (x, z) = (spot.p.x - axle, spot.p.z - s.wheel);
        let spoke = (z.atan2(x) * 2.5 + self.fit.seed).sin();
        let r = (x * x + z * z).sqrt() / s.wheel;
        if r > 0.2 && r < 0.55 && spoke < 0.1 {
            Surface::matte(grey(0.015))
        } else {
            Surface::glossy(grey(0.35), 0.15)
        }
    }

    fn body(&self, spot: &Spot) -> Surface {
        let (s, p, n) = (&self.shape, spot.p, spot.n);
        let edge = spot.grain * 0.6;
        let mut out = self.paint();
        let (l, w) = (s.size.0 / 2.0, s.size.1 / 2.0);
        for axle in [s.axles.0, s.axles.1] {
            let d = ((p.x - axle).powi(2) + (p.z - s.wheel).powi(2)).sqrt() - s.wheel - 0.055;
            if n.y.abs() > 0.3 && d < 0.0 {
                return Surface::matte(grey(0.008));
            }
        }
        if p.z < 0.33 && p.x.abs() < l - 0.3 {
            return Surface::matte(grey(0.02));
        }
        if n.y.abs() > 0.5 && p.y.abs() > w * 0.85 {
            self.sides(p, edge, &mut out);
        }
        if p.x > l - s.nose * 0.8 && n.x > 0.12 {
            self.front(p, edge, &mut out);
        }
        if p.x < -l + 0.4 && n.x < -0.12 {
            self.rear(p, edge, &mut out);
        }
        if n.z > 0.5 && p.x > s.glass[0] {
            let seam = (p.y.abs() - w * 0.8 + (p.x - s.glass[0]) * 0.06).abs() - 0.006;
            blend(&mut out, &Surface::matte(grey(0.01)), inside(seam, edge) * 0.7);
        }
        out
    }

    fn sides(&self, p: V3, edge: f32, out: &mut Surface) {
        let s = &self.shape;
        let dark = Surface::matte(grey(0.012));
        let doors = [s.glass[0] - 0.25, mix(s.glass[0], s.glass[3], 0.46), s.axles.1 + 0.25];
        for x in doors {
            let seam = ((p.x - x).abs() - 0.005).max(0.36 - p.z);
            blend(out, &dark, inside(seam, edge));
        }
        for x in [doors[1] + 0.12, doors[2] + 0.16] {
            let handle = rounded(p.x - x, p.z - s.belt + 0.1, 0.09, 0.015, 0.012);
            blend(out, &Surface::glossy(grey(0.2), 0.2), inside(handle, edge));
        }
    }

    fn front(&self, p: V3, edge: f32, out: &mut Surface) {
        let s = &self.shape;
        let (y, z) = (p.y.abs(), p.z);
        let (ly, lz) = lamp_place(s);
        let black = Surface::glossy(grey(0.012), 0.03);
        let chrome = Surface::glossy(grey(0.25), 0.5);
        let lower = rounded(y, z - 0.34, 0.56, 0.075, 0.05);
        blend(out, &black, inside(lower, edge));
        blend(out, &Surface::matte(grey(0.05)), inside(lower, edge) * slats(z * 26.0));
        let fog = rounded(y - 0.68, z - 0.4, 0.075, 0.05, 0.03);
        blend(out, &black, inside(fog, edge));
        blend(out, &chrome, inside(((y - 0.68).powi(2) + (z - 0.4).powi(2)).sqrt() - 0.034, edge));
        let (gw, gh, gz) = match s.face {
            Face::Slim => (ly - 0.22, 0.05, lz - 0.01),
            Face::Round => (0.24, 0.045, lz - 0.03),
            Face::Bold => (ly - 0.18, 0.12, lz - 0.05),
        };
        let grille = rounded(y, z - gz, gw - (gz + gh - z) * 0.3, gh, 0.03);
        blend(out, &chrome, inside(grille - 0.014, edge));
        blend(out, &black, inside(grille, edge));
        blend(out, &Surface::glossy(grey(0.12), 0.12), inside(grille, edge) * slats((z - gz) * 30.0));
        let badge = (p.y.powi(2) + (z - gz).powi(2)).sqrt();
        blend(out, &chrome, inside(badge - 0.052, edge));
        blend(out, &black, inside((badge - 0.036).abs() - 0.006, edge));
        let seam = (z - (lz - 0.13)).abs() - 0.005;
        blend(out, &Surface::matte(grey(0.012)), inside(seam, edge) * 0.6);
        self.lamp(y - ly, z - lz, edge, out);
    }

    fn lamp(&self, y: f32, z: f32, edge: f32, out: &mut Surface) {
        let outline = match self.shape.face {
            Face::Slim => rounded(y, z - y * 0.28, 0.2, 0.062 + y * 0.1, 0.04),
            Face::Round => (y * y * 0.62 + z * z).sqrt() - 0.105,
            Face::Bold => rounded(y, z, 0.15, 0.085, 0.03),
        };
        let shell = Surface::glossy(grey(0.07), 0.1);
        blend(out, &Surface::glossy(grey(0.015), 0.05), inside(outline - 0.012, edge));
        blend(out, &shell, inside(outline, edge));
        for (dy, r) in [(0.045, 0.05), (-0.065, 0.042)] {
            let d = ((y - dy).powi(2) + z.powi(2)).sqrt();
            let bowl = mix(0.75, 0.25, (d / r).clamp(0.0, 1.0));
            let mut lens = Surface::glossy(grey(bowl), 0.25);
            lens.emit = v(1.0, 0.95, 0.84) * (self.fit.lamps * mix(1.3, 0.5, (d / r).min(1.0)));
            lens.retro = 0.6;
            blend(out, &lens, inside(d - r, edge) * inside(outline, edge));
        }
        let drl = (outline + 0.014).abs() - 0.006;
        let mut strip = Surface::glossy(grey(0.7), 0.2);
        strip.emit = grey(self.fit.lamps * 0.5);
        blend(out, &strip, inside(drl, edge) * smooth(0.0, -0.03, z));
        blend(
            out,
            &Surface::glossy(srgb(0xC56A16), 0.1),
            inside(rounded(y - 0.13, z - 0.02, 0.02, 0.03, 0.01), edge) * inside(outline, edge),
        );
    }

    fn rear(&self, p: V3, edge: f32, out: &mut Surface) {
        let s = &self.shape;
        let (y, z) = (p.y.abs(), p.z);
        let lamp = rounded(y - s.size.1 / 2.0 + 0.22, z - s.tail + 0.2, 0.16, 0.085, 0.03);
        let mut red = Surface::glossy(srgb(0xA01010), 0.06);
        red.emit = srgb(0xB01010) * (self.fit.lamps * 0.15);
        red.retro = 0.4;
        blend(out, &red, inside(lamp, edge));
        let recess = rounded(y, z - s.tail + 0.26, 0.29, 0.08, 0.02);
        blend(out, &Surface::matte(grey(0.03)), inside(recess, edge));
        blend(out, &Surface::matte(grey(0.55)), inside(recess + 0.02, edge));
        blend(out, &Surface::matte(grey(0.015)), inside(rounded(y, z - 0.34, 0.7, 0.1, 0.05), edge));
    }

    fn cabin(&self, spot: &Spot) -> Surface {
        let (s, p, n) = (&self.shape, spot.p, spot.n);
        let edge = spot.grain * 0.7;
        let u = (p.z - s.belt + 0.06) / (s.roof - 0.01 - s.belt);
        let (front, rear, half) = cabin_at(s, u.clamp(0.0, 1.0));
        let mut out = self.paint();
        let ahead = n.x > n.y.abs() * 0.9;
        let behind = n.x < -n.y.abs() * 0.9;
        let height = (0.84 - u).min(u - 0.12) * (s.roof - s.belt);
        let pane = if ahead || behind {
            rounded(p.y, 0.0, half - 0.075, 1.0, 0.05).max(0.02 - height - if ahead { 0.06 } else { 0.0 })
        } else {
            let pillar = (p.x - mix(s.glass[0], s.glass[3], 0.46)).abs() - 0.035;
            let quarter = if s.roof > 1.85 { s.glass[0] - 1.0 - p.x } else { -1.0 };
            let ends = (p.x - front + 0.2).max(rear + 0.22 - p.x);
            (-height).max(ends).max(-pillar).max(quarter)
        };
        blend(&mut out, &Surface::matte(grey(0.012)), inside(pane - 0.022, edge));
        blend(&mut out, &self.glass(p, ahead), inside(pane, edge));
        out
    }

    fn glass(&self, p: V3, ahead: bool) -> Surface {
        let s = &self.shape;
        let mut rgb = v(0.012, 0.015, 0.016);
        if ahead {
            for (y, r) in [(0.36, 0.12), (-0.36, 0.11)] {
                let head = ((p.y - y).powi(2) + (p.z - s.roof + 0.27).powi(2) * 0.7).sqrt() - r;
                let seat = rounded(p.y - y, p.z - s.belt - 0.1, 0.2, 0.16, 0.08);
                rgb += grey(0.016) * inside(head.min(seat), 0.03);
            }
            rgb += grey(0.03) * inside(rounded(p.y, p.z - s.roof + 0.17, 0.11, 0.03, 0.02), 0.01);
            rgb += grey(0.02)
                * fbm(p.y * 6.0 + self.fit.seed, p.z * 9.0, 3)
                * smooth(s.belt + 0.15, s.belt, p.z);
        }
        Surface::glossy(rgb, 0.11)
    }
}

fn slats(phase: f32) -> f32 {
    smooth(0.55, 0.7, (phase - phase.floor() - 0.5).abs() * 2.0)
}

fn blend(base: &mut Surface, over: &Surface, t: f32) {
    base.rgb = base.rgb.mix(over.rgb, t);
    base.gloss = mix(base.gloss, over.gloss, t);
    base.emit = base.emit.mix(over.emit, t);
    base.retro = mix(base.retro, over.retro, t);
}
