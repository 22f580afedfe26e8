//! A small z-buffer renderer: several jittered samples a picture give smooth edges, soft shadows and motion blur.

use std::sync::{Arc, Mutex};

use crate::light::{Light, Surface, shade};
use crate::math::{Camera, Pose, V3, smooth, v};
use crate::mesh::Mesh;

/// What a skin is asked about: a point of an object, in the object's axes.
#[derive(Clone, Copy, Debug)]
pub struct Spot {
    /// Part of the mesh.
    pub part: u8,
    /// Point in the object's axes.
    pub p: V3,
    /// Normal in the object's axes, towards the camera.
    pub n: V3,
    /// Metres that one pixel covers there.
    pub grain: f32,
}

/// Gives each point of an object its look.
pub trait Skin: Send + Sync {
    /// The surface at a spot.
    fn at(&self, spot: &Spot) -> Surface;
}

/// An object in the scene.
#[derive(Clone)]
pub struct Thing {
    /// Shape.
    pub mesh: Arc<Mesh>,
    /// Look.
    pub skin: Arc<dyn Skin>,
    /// Where it is.
    pub pose: Pose,
    /// Half length and half width of what stands on the ground and darkens it; zero for none.
    pub foot: (f32, f32),
    /// Strength of the beam its lamps throw on the ground ahead.
    pub beam: f32,
}

/// What stands still: rendered once, then copied under each sample.
pub struct Backdrop {
    colour: Vec<V3>,
    inverse_depth: Vec<f32>,
    ground: Vec<Option<V3>>,
}

impl Backdrop {
    /// Ground point seen at each pixel, row by row; none where something else is seen.
    pub fn ground(&self) -> &[Option<V3>] {
        &self.ground
    }
}

/// The ground and the sky of a scene.
pub trait Place: Send + Sync {
    /// Where a ray from `from` along `dir` meets the ground, and what it finds there.
    fn ground(&self, from: V3, dir: V3, pixel: f32) -> Option<(V3, Surface)>;
    /// What a ray that meets nothing sees.
    fn sky(&self, dir: V3, light: &Light) -> V3;
}

const NONE: u32 = u32::MAX;
const NEAR: f32 = 0.15;

#[derive(Clone, Copy)]
struct Hit {
    thing: u32,
    tri: u32,
    b: (f32, f32),
}

struct Layer {
    inverse_depth: Vec<f32>,
    hits: Vec<Hit>,
    shadow: Vec<bool>,
}

/// A rectangle of pixels that something may have touched.
#[derive(Clone, Copy)]
struct Area {
    x0: usize,
    y0: usize,
    x1: usize,
    y1: usize,
}

impl Area {
    const EMPTY: Area = Area { x0: usize::MAX, y0: usize::MAX, x1: 0, y1: 0 };

    fn add(&mut self, cam: &Camera, p: (f32, f32)) {
        let x = p.0.clamp(0.0, cam.w as f32 - 1.0) as usize;
        let y = p.1.clamp(0.0, cam.h as f32 - 1.0) as usize;
        *self = Area {
            x0: self.x0.min(x.saturating_sub(2)),
            y0: self.y0.min(y.saturating_sub(2)),
            x1: self.x1.max((x + 3).min(cam.w)),
            y1: self.y1.max((y + 3).min(cam.h)),
        };
    }
}

/// Offset of sample `k` within a pixel: the R2 sequence.
fn jitter(k: usize) -> (f32, f32) {
    let k = k as f32 + 0.5;
    ((k * 0.754_877_7).fract() - 0.5, (k * 0.569_840_3).fract() - 0.5)
}

/// Renders what stands still, `samples` times over for smooth edges.
pub fn backdrop(
    cam: &Camera,
    light: &Light,
    place: &dyn Place,
    things: &[Thing],
    samples: usize,
) -> Backdrop {
    let size = cam.w * cam.h;
    let mut colour = vec![V3::default(); size];
    let mut ground = vec![None; size];
    let mut inverse_depth = vec![0.0; size];
    for k in 0..=samples {
        let last = k == samples;
        let mut cam = *cam;
        cam.jitter = if last { (0.0, 0.0) } else { jitter(k) };
        let mut layer = Layer::new(vec![0.0; size]);
        let mut area = Area::EMPTY;
        for (i, thing) in things.iter().enumerate() {
            layer.draw(&cam, thing, i as u32, &mut area);
        }
        for y in 0..cam.h {
            for x in 0..cam.w {
                let i = y * cam.w + x;
                let dir = cam.ray(x, y);
                let hit = layer.hits[i];
                let found = if hit.thing == NONE { place.ground(cam.at, dir, 1.0 / cam.f) } else { None };
                if last {
                    ground[i] = found.map(|(p, _)| p);
                    inverse_depth[i] = layer.inverse_depth[i];
                    continue;
                }
                let c = match found {
                    _ if hit.thing != NONE => shade_hit(&cam, light, things, &hit),
                    Some((p, surface)) => shade(light, &surface, p, v(0.0, 0.0, 1.0), cam.at),
                    None => place.sky(dir, light),
                };
                colour[i] += c * (1.0 / samples as f32);
            }
        }
    }
    Backdrop { colour, inverse_depth, ground }
}

/// Remembers the last picture, for scenes in which nothing moved since.
#[derive(Default)]
pub struct Memory(Mutex<Option<(Vec<Pose>, Vec<V3>)>>);

impl Memory {
    /// As [`picture`], but not rendered again if nothing moves during the exposure or moved since the last one.
    /// Things must be told apart by their poses.
    pub fn picture(
        &self,
        cam: &Camera,
        light: &Light,
        back: &Backdrop,
        things: &dyn Fn(f32) -> Vec<Thing>,
        samples: usize,
    ) -> Vec<V3> {
        let poses = |share: f32| -> Vec<Pose> { things(share).iter().map(|t| t.pose).collect() };
        let now = poses(-0.5);
        if now != poses(0.5) {
            return picture(cam, light, back, things, samples);
        }
        if let Ok(last) = self.0.lock()
            && let Some((_, light)) = last.as_ref().filter(|(poses, _)| *poses == now)
        {
            return light.clone();
        }
        let made = picture(cam, light, back, things, samples);
        if let Ok(mut last) = self.0.lock() {
            *last = Some((now, made.clone()));
        }
        made
    }
}

/// Renders one picture in linear light: `things` is asked once a sample, with the sample's share of the exposure
/// (-0.5 to 0.5).
pub fn picture(
    cam: &Camera,
    light: &Light,
    back: &Backdrop,
    things: &dyn Fn(f32) -> Vec<Thing>,
    samples: usize,
) -> Vec<V3> {
    let mut out = back.colour.clone();
    for k in 0..samples {
        let mut cam = *cam;
        cam.jitter = jitter(k);
        let share = (k as f32 + 0.5) / samples as f32 - 0.5;
        let things = things(share);
        if things.is_empty() {
            continue;
        }
        let wobble = jitter(k + 7);
        let sun = (light.sun_dir + v(wobble.0, wobble.1, 0.0) * light.softness).unit();
        let mut layer = Layer::new(back.inverse_depth.clone());
        let mut area = Area::EMPTY;
        for (i, thing) in things.iter().enumerate() {
            layer.draw(&cam, thing, i as u32, &mut area);
            if thing.foot.0 > 0.0 {
                layer.cast(&cam, thing, sun, back, light, &mut area);
            }
        }
        for y in area.y0.min(cam.h)..area.y1 {
            for x in area.x0.min(cam.w)..area.x1 {
                let i = y * cam.w + x;
                let hit = layer.hits[i];
                let c = if hit.thing != NONE {
                    shade_hit(&cam, light, &things, &hit)
                } else if let Some(p) = back.ground[i] {
                    ground_near(light, &things, back.colour[i], p, layer.shadow[i])
                } else {
                    continue;
                };
                out[i] += (c - back.colour[i]) * (1.0 / samples as f32);
            }
        }
    }
    out
}

/// The ground's colour under the shadows and in the beams of the things near it.
fn ground_near(light: &Light, things: &[Thing], base: V3, p: V3, shadowed: bool) -> V3 {
    let mut k = if shadowed { light.shadow_factor() } else { 1.0 };
    let mut glow = 0.0;
    for thing in things.iter().filter(|t| t.foot.0 > 0.0 && (t.pose.at.z - p.z).abs() < 0.4) {
        let (along, across) = thing.pose.local(p.x, p.y);
        let (dx, dy) = ((along.abs() - thing.foot.0).max(0.0), (across.abs() - thing.foot.1).max(0.0));
        let d = (dx * dx + dy * dy).sqrt();
        k *= 1.0 - 0.75 * (1.0 - smooth(-0.25, 0.55, d));
        if thing.beam > 0.0 {
            let ahead = along - thing.foot.0;
            let spread = across / (0.7 + 0.25 * ahead.max(0.0));
            glow += thing.beam * smooth(0.0, 2.5, ahead) * (-ahead / 4.0).exp() * (-spread * spread).exp();
        }
    }
    base * k + v(1.0, 0.93, 0.8) * (glow * 0.12)
}

fn shade_hit(cam: &Camera, light: &Light, things: &[Thing], hit: &Hit) -> V3 {
    let thing = &things[hit.thing as usize];
    let tri = thing.mesh.tris[hit.tri as usize];
    let [a, b, c] = tri.v.map(|i| i as usize);
    let (mesh, wb, wc) = (&thing.mesh, hit.b.0, hit.b.1);
    let blend = |q: &[V3]| q[a] * (1.0 - wb - wc) + q[b] * wb + q[c] * wc;
    let p = blend(&mesh.points);
    let world = thing.pose.place(p);
    let mut n = blend(&mesh.normals).unit();
    let mut turned = thing.pose.turn(n);
    if turned.dot(world - cam.at) > 0.0 {
        n = -n;
        turned = -turned;
    }
    let grain = cam.view(world).z / cam.f;
    let surface = thing.skin.at(&Spot { part: tri.part, p, n, grain });
    shade(light, &surface, world, turned, cam.at)
}

impl Layer {
    fn new(inverse_depth: Vec<f32>) -> Layer {
        let size = inverse_depth.len();
        let hits = vec![Hit { thing: NONE, tri: 0, b: (0.0, 0.0) }; size];
        Layer { inverse_depth, hits, shadow: vec![false; size] }
    }

    fn draw(&mut self, cam: &Camera, thing: &Thing, number: u32, area: &mut Area) {
        let seen: Vec<V3> = thing.mesh.points.iter().map(|p| cam.view(thing.pose.place(*p))).collect();
        for (t, tri) in thing.mesh.tris.iter().enumerate() {
            let q = tri.v.map(|i| seen[i as usize]);
            if q.iter().any(|p| p.z < NEAR) {
                continue;
            }
            let s = q.map(|p| cam.screen(p));
            fill(cam, s, |i, x, y| {
                let (b, c) = barycentric(s, x, y);
                let w = [(1.0 - b - c) / q[0].z, b / q[1].z, c / q[2].z];
                let sum = w[0] + w[1] + w[2];
                if sum > self.inverse_depth[i] {
                    self.inverse_depth[i] = sum;
                    self.hits[i] = Hit { thing: number, tri: t as u32, b: (w[1] / sum, w[2] / sum) };
                    area.add(cam, (x, y));
                }
            });
        }
    }

    /// Marks the ground that a thing keeps the sun from, and takes in the ground its darkening and its beam reach.
    fn cast(
        &mut self,
        cam: &Camera,
        thing: &Thing,
        sun: V3,
        back: &Backdrop,
        light: &Light,
        area: &mut Area,
    ) {
        let floor = thing.pose.at.z;
        let reach = if thing.beam > 0.0 { 12.0 } else { 0.8 };
        for (x, y) in [(-0.8, -1.0), (-0.8, 1.0), (reach, -1.0), (reach, 1.0)] {
            let along = if x > 0.0 { thing.foot.0 + x } else { -thing.foot.0 + x };
            let p = thing.pose.place(v(along, y * (thing.foot.1 + 0.8 + 0.2 * reach), 0.0));
            if let Some(s) = cam.project(p) {
                area.add(cam, s);
            } else {
                area.add(cam, (0.0, cam.h as f32));
                area.add(cam, (cam.w as f32, cam.h as f32));
            }
        }
        if light.shadow_factor() > 0.97 {
            return;
        }
        let flat: Vec<V3> = thing
            .mesh
            .points
            .iter()
            .map(|p| {
                let p = thing.pose.place(*p);
                cam.view(p - sun * ((p.z - floor) / sun.z))
            })
            .collect();
        for tri in &thing.mesh.tris {
            let q = tri.v.map(|i| flat[i as usize]);
            if q.iter().any(|p| p.z < NEAR) {
                continue;
            }
            fill(cam, q.map(|p| cam.screen(p)), |i, x, y| {
                if back.ground[i].is_some_and(|g| (g.z - floor).abs() < 0.4) {
                    self.shadow[i] = true;
                    area.add(cam, (x, y));
                }
            });
        }
    }
}

fn barycentric(s: [(f32, f32); 3], x: f32, y: f32) -> (f32, f32) {
    let (ax, ay) = s[0];
    let (e, f) = ((s[1].0 - ax, s[1].1 - ay), (s[2].0 - ax, s[2].1 - ay));
    let area = e.0 * f.1 - e.1 * f.0;
    let (px, py) = (x - ax, y - ay);
    ((px * f.1 - py * f.0) / area, (e.0 * py - e.1 * px) / area)
}

/// Calls `visit` with index and middle of every pixel whose middle lies in the triangle.
fn fill(cam: &Camera, s: [(f32, f32); 3], mut visit: impl FnMut(usize, f32, f32)) {
    let min_y = s.iter().map(|p| p.1).fold(f32::MAX, f32::min).max(0.0);
    let max_y = s.iter().map(|p| p.1).fold(f32::MIN, f32::max).min(cam.h as f32);
    for row in min_y.floor() as usize..max_y.ceil() as usize {
        let y = row as f32 + 0.5;
        let (mut left, mut right) = (f32::MAX, f32::MIN);
        for (a, b) in [(s[0], s[1]), (s[1], s[2]), (s[2], s[0])] {
            if (a.1 <= y) != (b.1 <= y) {
                let x = a.0 + (b.0 - a.0) * (y - a.1) / (b.1 - a.1);
                left = left.min(x);
                right = right.max(x);
            }
        }
        let first = (left - 0.5).ceil().max(0.0);
        let end = (right - 0.5).ceil().min(cam.w as f32);
        if left > right || first >= end {
            continue;
        }
        for col in first as usize..end as usize {
            visit(row * cam.w + col, col as f32 + 0.5, y);
        }
    }
}
