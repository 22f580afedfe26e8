//! Light: what falls on a surface and what comes back to the camera.

use crate::math::{V3, grey, mix, smooth, v};

/// How a point of a surface treats light.
#[derive(Clone, Copy, Debug, Default)]
pub struct Surface {
    /// Diffuse colour, linear.
    pub rgb: V3,
    /// Share mirrored straight back, 0 to 1; more at grazing angles.
    pub gloss: f32,
    /// Light it gives off.
    pub emit: V3,
    /// Share sent back to a lamp at the camera (plates, lamps, vests).
    pub retro: f32,
}

impl Surface {
    /// A dull surface.
    pub fn matte(rgb: V3) -> Surface {
        Surface { rgb, ..Surface::default() }
    }
    /// A surface that mirrors `gloss` of the light.
    pub fn glossy(rgb: V3, gloss: f32) -> Surface {
        Surface { rgb, gloss, ..Surface::default() }
    }
}

/// The light of a scene.
#[derive(Clone, Debug)]
pub struct Light {
    /// Towards the sun or moon.
    pub sun_dir: V3,
    /// Its strength.
    pub sun: V3,
    /// How wide the shadows' edges are.
    pub softness: f32,
    /// Sky overhead.
    pub zenith: V3,
    /// Sky low down.
    pub horizon: V3,
    /// Light that comes back from the ground.
    pub floor: V3,
    /// Street lamps: place and strength.
    pub lamps: Vec<(V3, V3)>,
    /// Strength of an infrared lamp at the camera.
    pub infrared: f32,
}

impl Light {
    fn ambient(&self, up: f32) -> V3 {
        let sky = self.zenith * 0.6 + self.horizon * 0.4;
        self.floor.mix(sky, up * 0.5 + 0.5)
    }

    /// How dark a shadow on flat ground is, as a factor.
    pub fn shadow_factor(&self) -> f32 {
        let sun = self.sun.luma() * self.sun_dir.z.max(0.0);
        let rest = self.ambient(1.0).luma();
        (rest / (rest + sun)).clamp(0.0, 1.0)
    }

    /// What a mirror sees in a direction.
    pub fn around(&self, dir: V3) -> V3 {
        if dir.z < 0.0 {
            return self.floor * mix(1.0, 0.45, (-dir.z).sqrt());
        }
        let sky = self.horizon.mix(self.zenith, dir.z.sqrt());
        let trees = v(0.35, 0.42, 0.3) * self.ambient(0.0).luma();
        trees.mix(sky, smooth(0.08, 0.13, dir.z))
    }
}

/// The light that a surface at `p` with normal `n` sends to a camera at `eye`.
pub fn shade(light: &Light, s: &Surface, p: V3, n: V3, eye: V3) -> V3 {
    let to_eye = eye - p;
    let distance = to_eye.len();
    let view = to_eye * (1.0 / distance.max(1e-3));
    let mut fall = light.ambient(n.z) + light.sun * n.dot(light.sun_dir).max(0.0);
    for (at, strength) in &light.lamps {
        let d = *at - p;
        let r2 = d.dot(d);
        fall += *strength * (n.dot(d.unit()).max(0.0) / (r2 + 1.0));
    }
    let flash = light.infrared / (distance * distance + 4.0);
    fall += grey(flash * n.dot(view).max(0.0));
    let mut out = s.rgb * fall + s.emit + s.rgb * (s.retro * flash * 1.6);
    if s.gloss > 0.0 {
        let c = (1.0 - n.dot(view)).clamp(0.0, 1.0);
        let share = s.gloss + (1.0 - s.gloss) * c.powi(5) * (s.gloss * 12.0).min(1.0);
        let mirror = n * (2.0 * n.dot(view)) - view;
        let spark = mirror.dot(light.sun_dir).max(0.0).powi(180) * 6.0;
        let mut seen = light.around(mirror) + light.sun * spark;
        for (at, strength) in &light.lamps {
            let towards = (*at - p).unit();
            seen += *strength * (mirror.dot(towards).max(0.0).powi(220) * 0.25);
        }
        out = out * (1.0 - share * 0.7) + seen * share;
    }
    out
}
