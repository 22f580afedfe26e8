//! The lot's recordings: cars that come and go, and what gets in the camera's way.

use std::collections::BTreeMap;
use std::f32::consts::{FRAC_PI_2, PI};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::car::{self, Car, Fit, HATCH, SEDAN, SUV, Shape, VAN};
use crate::deck::{self, A, B, Level, SLOT, SLOTS, across};
use crate::files;
use crate::film::{self, Film, Glare, Picture, Sensor};
use crate::light::Light;
use crate::math::{Camera, Pose, mix, smooth, v};
use crate::paint::srgb;
use crate::person;
use crate::render::{self, Backdrop, Thing};

/// Frames a second of the lot's recordings.
pub const FPS: u32 = 5;
const CRUISE: f32 = 3.5;
const BRAKE: f32 = 1.2;
const TURN: f32 = 4.0;
const BACKING: f32 = 4.6;

/// A car's stay: where, from when (it stands at `Some(second)`, or was there before), to when.
#[derive(Clone, Copy, Debug)]
pub struct Stay {
    /// Level.
    pub level: Level,
    /// Slot number, from 0.
    pub slot: usize,
    /// Second at which it has parked; none if it stood there from the beginning.
    pub from: Option<f32>,
    /// Second at which it sets off; none if it stays to the end.
    pub to: Option<f32>,
}

/// Weather over the lot, and how the camera sees in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Weather {
    /// Dry.
    Dry,
    /// Heavy rain: no sun, streaks in the air.
    Rain,
    /// The camera's own infrared lamp instead of the lot's.
    Infrared,
}

/// A recording of the lot.
pub struct Show {
    /// File name without extension.
    pub name: &'static str,
    /// RFC 3339 time of the first frame.
    pub start: &'static str,
    /// Length in seconds.
    pub seconds: f32,
    /// By night.
    pub night: bool,
    /// What else is in the air.
    pub weather: Weather,
    /// What the camera makes of the light: 1 as it should.
    pub exposure: f32,
    /// Seconds from and to which the shadow of something tall, with a sharp edge, goes over the lot.
    pub shadow: Option<(f32, f32)>,
    /// Who stays when.
    pub stays: Vec<Stay>,
    /// Walker's way: second, x, y.
    pub walk: Vec<(f32, f32, f32)>,
    /// Second at which the lorry comes.
    pub lorry: Option<f32>,
    /// Seconds from and to which a cloud's shadow is over the lot.
    pub cloud: Option<(f32, f32)>,
    /// Seconds from and to which the camera's gain is raised.
    pub gain: Option<(f32, f32)>,
    /// x264 quality.
    pub crf: u32,
}

/// A slot of the map.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Slot {
    /// Name, such as `A1`.
    pub slot_id: String,
    /// Level.
    pub level_id: String,
    /// Corners in pixels: near left, near right, far right, far left.
    pub polygon: Vec<[f32; 2]>,
}

/// The slot map.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Map {
    /// Lot.
    pub lot_id: String,
    /// Width and height of the picture it was drawn on.
    pub image_size: [usize; 2],
    /// All slots.
    pub slots: Vec<Slot>,
}

/// A slot changes hands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Transition {
    /// Slot.
    pub slot_id: String,
    /// `occupied` or `free`.
    pub state: String,
    /// Frame in which half of the car's footprint has come in or gone out.
    pub frame: usize,
    /// The same as RFC 3339 time.
    pub time: String,
    /// Frame in which the car has come to a stand (occupied) or is seen in the slot's bounds no more (free).
    pub settled: usize,
}

/// Something that makes seeing hard.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Disturbance {
    /// `person`, `cloud`, `gain` or `lorry`.
    pub kind: String,
    /// First frame.
    pub first_frame: usize,
    /// Last frame.
    pub last_frame: usize,
    /// Slots it touches: for the lorry those it hides by a third or more at some moment.
    pub slots: Vec<String>,
}

/// The truth beside a recording.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Truth {
    /// Camera.
    pub camera_id: String,
    /// Frames a second.
    pub fps: u32,
    /// Frames in all.
    pub frames: usize,
    /// Time of the first frame.
    pub start: String,
    /// Every change, in order of frames.
    pub transitions: Vec<Transition>,
    /// For each whole second, the slots that are occupied.
    pub occupied: Vec<Vec<String>>,
    /// What makes seeing hard, and when.
    pub disturbances: Vec<Disturbance>,
}

/// The lot with everything in it, ready to be photographed at any moment.
pub struct Set<'a> {
    show: &'a Show,
    cam: Camera,
    light: Light,
    back: Backdrop,
    cars: Vec<(Stay, Car)>,
}

const LOOKS: [(Shape, u32); 10] = [
    (SEDAN, 0xA51D1D),
    (SUV, 0x2A2C2E),
    (HATCH, 0xDADAD6),
    (HATCH, 0x2458A0),
    (SEDAN, 0x8D9296),
    (VAN, 0xE2E2DE),
    (SUV, 0x245C3C),
    (SEDAN, 0x17181A),
    (HATCH, 0xC98A1B),
    (SUV, 0x66707A),
];

/// The name of a slot.
pub fn slot_id(level: &Level, slot: usize) -> String {
    format!("{}{}", level.name, slot + 1)
}

fn parking(level: &Level, slot: usize, left: f32) -> Pose {
    let (x, rest) = (across(slot), level.slots + SLOT.1 / 2.0);
    let straight = rest - level.lane - TURN;
    let arc = TURN * FRAC_PI_2;
    if left <= straight {
        return Pose::new(v(x, rest - left, level.z), FRAC_PI_2);
    }
    if left <= straight + arc {
        let a = (left - straight) / TURN;
        let at = v(x - TURN + TURN * a.cos(), level.lane + TURN - TURN * a.sin(), level.z);
        return Pose::new(at, FRAC_PI_2 - a);
    }
    Pose::new(v(x - TURN - (left - straight - arc), level.lane, level.z), 0.0)
}

fn leaving(level: &Level, slot: usize, t: f32) -> Pose {
    let (x, rest) = (across(slot), level.slots + SLOT.1 / 2.0);
    let straight = rest - level.lane - TURN;
    let back = (straight + TURN * FRAC_PI_2) * smooth(0.0, BACKING, t);
    if back <= straight {
        return Pose::new(v(x, rest - back, level.z), FRAC_PI_2);
    }
    let a = (back - straight) / TURN;
    let forward = 0.8 * (t - BACKING - 0.5).max(0.0).powi(2);
    let at = v(x + TURN - TURN * a.cos() - forward, level.lane + TURN - TURN * a.sin(), level.z);
    Pose::new(at, FRAC_PI_2 + a)
}

/// Where a car is at time `t`, if it is there at all.
fn pose(stay: &Stay, t: f32) -> Option<Pose> {
    let at = match (stay.from, stay.to) {
        (_, Some(to)) if t > to => leaving(&stay.level, stay.slot, t - to),
        (Some(from), _) if t < from => {
            let (before, braking) = (from - t, CRUISE / BRAKE);
            let left = if before > braking {
                BRAKE * braking * braking / 2.0 + CRUISE * (before - braking)
            } else {
                BRAKE * before * before / 2.0
            };
            parking(&stay.level, stay.slot, left)
        }
        _ => parking(&stay.level, stay.slot, 0.0),
    };
    (at.at.x > -stay.level.reach).then_some(at)
}

/// Share of a car's footprint that lies within a slot.
fn share(stay: &Stay, size: (f32, f32), t: f32, level: &Level, slot: usize) -> f32 {
    let Some(pose) = pose(stay, t).filter(|_| stay.level == *level) else { return 0.0 };
    let inside = |i: usize| {
        let (u, w) = ((i % 12) as f32 / 11.0 - 0.5, (i / 12) as f32 / 5.0 - 0.5);
        let p = pose.place(v(u * size.0, w * size.1, 0.0));
        (p.x - across(slot)).abs() < SLOT.0 / 2.0 && (p.y - level.slots - SLOT.1 / 2.0).abs() < SLOT.1 / 2.0
    };
    (0..72).filter(|&i| inside(i)).count() as f32 / 72.0
}

/// The map that goes with the camera.
pub fn map() -> Map {
    let cam = deck::camera();
    let corner = |x: f32, y: f32, z: f32| {
        let (px, py) = cam.project(v(x, y, z)).unwrap_or_default();
        [(px * 10.0).round() / 10.0, (py * 10.0).round() / 10.0]
    };
    let slot = |level: &Level, i: usize| {
        let (l, r) = (across(i) - SLOT.0 / 2.0, across(i) + SLOT.0 / 2.0);
        let (near, far) = (level.slots, level.slots + SLOT.1);
        let polygon = [(l, near), (r, near), (r, far), (l, far)].map(|(x, y)| corner(x, y, level.z)).to_vec();
        Slot { slot_id: slot_id(level, i), level_id: level.name.to_string(), polygon }
    };
    let slots = [A, B].iter().flat_map(|level| (0..SLOTS).map(move |i| slot(level, i))).collect();
    Map { lot_id: "lot_1".to_owned(), image_size: [cam.w, cam.h], slots }
}

impl<'a> Set<'a> {
    /// Builds the scene of a show.
    pub fn new(show: &'a Show, samples: usize) -> Set<'a> {
        let cam = deck::camera();
        let light = deck::light(show.night, show.weather);
        let back = render::backdrop(&cam, &light, &deck::Lot, &deck::scenery(), samples);
        let cars = show
            .stays
            .iter()
            .enumerate()
            .map(|(i, stay)| {
                let (shape, paint) = LOOKS[(i * 7 + 2) % LOOKS.len()];
                let lamps = if show.night && (stay.from.is_some() || stay.to.is_some()) { 1.2 } else { 0.0 };
                let fit = Fit { paint: srgb(paint), plate: None, plate_z: 0.5, lamps, seed: i as f32 };
                (*stay, car::build(shape, fit))
            })
            .collect();
        Set { show, cam, light, back, cars }
    }

    fn moving(stay: &Stay, t: f32) -> bool {
        stay.from.is_some_and(|from| t < from + 1.0) || stay.to.is_some_and(|to| t > to - 1.0)
    }

    fn lorry(&self, t: f32) -> Option<Pose> {
        let since = t - self.show.lorry?;
        let (first, pause) = (4.2, 3.0);
        let along = if since < first { since } else { first + (since - first - pause).max(0.0) };
        let x = 15.0 - along * 3.6;
        (since > 0.0 && x > -15.0).then(|| Pose::new(v(x, A.lane + 0.6, 0.0), PI))
    }

    fn walker(&self, t: f32) -> Option<Thing> {
        let leg = self.show.walk.windows(2).find(|w| t >= w[0].0 && t < w[1].0)?;
        let ((t0, x0, y0), (t1, x1, y1)) = (leg[0], leg[1]);
        let k = (t - t0) / (t1 - t0);
        let way = (x1 - x0).hypot(y1 - y0);
        let yaw = if way > 0.1 { (y1 - y0).atan2(x1 - x0) } else { 0.8 };
        let at = v(mix(x0, x1, k), mix(y0, y1, k), 0.0);
        Some(person::walker(at, yaw, way * k, srgb(0xD5D8DC), false))
    }

    fn things(&self, t: f32) -> Vec<Thing> {
        let mut out = Vec::new();
        for (stay, car) in &self.cars {
            if let Some(pose) = pose(stay, t) {
                let foot = (car.shape.size.0 / 2.0 - 0.1, car.shape.size.1 / 2.0 - 0.06);
                let beam = if self.show.night && Self::moving(stay, t) { 0.9 } else { 0.0 };
                out.push(Thing { mesh: car.mesh.clone(), skin: car.skin.clone(), pose, foot, beam });
            }
        }
        out.extend(self.walker(t));
        out.extend(self.lorry(t).map(deck::lorry));
        out
    }

    /// The picture at time `t`; `frame` seeds its noise.
    pub fn picture(&self, t: f32, frame: u64) -> Picture {
        let things = |share: f32| self.things(t + share * 0.02);
        let mut light = render::picture(&self.cam, &self.light, &self.back, &things, 4);
        let ramp = |from: f32, to: f32| smooth(from, from + 1.5, t) * (1.0 - smooth(to - 1.5, to, t));
        if let Some((from, to)) = self.show.cloud {
            let front = mix(-26.0, 26.0, (t - from) / (to - from));
            for (c, ground) in light.iter_mut().zip(self.back.ground()) {
                let x = ground.map_or(0.0, |p| p.x + p.y * 0.35 - 5.0);
                *c = *c * (1.0 - 0.5 * smooth(11.0, 7.0, (x - front).abs()));
            }
        }
        if let Some((from, to)) = self.show.shadow {
            let front = mix(-14.0, 14.0, (t - from) / (to - from));
            for (c, ground) in light.iter_mut().zip(self.back.ground()) {
                let x = ground.map_or(0.0, |p| p.x - p.y * 0.25 + 4.0);
                *c = *c * (1.0 - 0.55 * smooth(5.1, 4.9, (x - front).abs()));
            }
        }
        for (stay, car) in self.cars.iter().filter(|(s, _)| self.show.night && Self::moving(s, t)) {
            let Some(pose) = pose(stay, t) else { continue };
            for lamp in car.lamps {
                let at = pose.place(lamp);
                let facing = pose.turn(v(1.0, 0.0, 0.0)).dot((self.cam.at - at).unit()).max(0.0);
                if let Some(p) = self.cam.project(at).filter(|_| facing > 0.05) {
                    film::dazzle(&self.cam, &mut light, &Glare { at: p, power: facing, radius: 9.0 });
                }
            }
        }
        let gain = 1.0 + 0.35 * self.show.gain.map_or(0.0, |(a, b)| ramp(a, b));
        let (exposure, grain) = if self.show.night { (1.25, 3.6) } else { (0.8, 1.5) };
        let sensor = Sensor {
            exposure: exposure * gain * self.show.exposure,
            grain,
            monochrome: self.show.weather == Weather::Infrared,
            rain: if self.show.weather == Weather::Rain { 1.6 } else { 0.0 },
        };
        film::develop(&self.cam, &light, &sensor, frame)
    }

    fn occupied(&self, t: f32, level: &Level, slot: usize) -> bool {
        self.cars.iter().any(|(s, c)| share(s, c.shape.size, t, level, slot) >= 0.5)
    }

    fn hidden(&self, t: f32, level: &Level, slot: usize) -> f32 {
        let Some(pose) = self.lorry(t) else { return 0.0 };
        let (l, w, h) = deck::LORRY;
        let blocked = |i: usize| {
            let (u, d) = ((i % 5) as f32 / 4.0 - 0.5, (i / 5) as f32 / 4.0);
            let p = v(across(slot) + u * SLOT.0, level.slots + d * SLOT.1, level.z);
            (0..80).any(|k| {
                let q = p.mix(self.cam.at, k as f32 / 80.0);
                let (along, side) = pose.local(q.x, q.y);
                q.z < h && along.abs() < l && side.abs() < w
            })
        };
        (0..25).filter(|&i| blocked(i)).count() as f32 / 25.0
    }

    /// The truth about the whole recording.
    pub fn truth(&self) -> Truth {
        let frames = (self.show.seconds * FPS as f32) as usize;
        let time = |frame: usize| frame as f32 / FPS as f32;
        let slots: Vec<(Level, usize)> =
            [A, B].iter().flat_map(|l| (0..SLOTS).map(move |i| (*l, i))).collect();
        let mut transitions = Vec::new();
        let mut before: BTreeMap<String, bool> = BTreeMap::new();
        for frame in 0..frames {
            for (level, slot) in &slots {
                let id = slot_id(level, *slot);
                let now = self.occupied(time(frame), level, *slot);
                if before.insert(id.clone(), now).is_some_and(|was| was != now) {
                    let rests = |f: &usize| {
                        let most = |t| {
                            self.cars
                                .iter()
                                .map(|(s, c)| share(s, c.shape.size, t, level, *slot))
                                .fold(0.0, f32::max)
                        };
                        if now { most(time(*f)) >= 0.99 } else { most(time(*f)) <= 0.01 }
                    };
                    let state = if now { "occupied" } else { "free" }.to_owned();
                    let settled = (frame..frames).find(rests).unwrap_or(frames - 1);
                    let at = files::time(self.show.start, time(frame));
                    transitions.push(Transition { slot_id: id, state, frame, time: at, settled });
                }
            }
        }
        let full = |second: usize| {
            let held = slots.iter().filter(|(l, i)| self.occupied(second as f32, l, *i));
            held.map(|(l, i)| slot_id(l, *i)).collect()
        };
        Truth {
            camera_id: "cam_lot".to_owned(),
            fps: FPS,
            frames,
            start: self.show.start.to_owned(),
            transitions,
            occupied: (0..self.show.seconds as usize).map(full).collect(),
            disturbances: self.disturbances(frames, &slots),
        }
    }

    fn disturbances(&self, frames: usize, slots: &[(Level, usize)]) -> Vec<Disturbance> {
        let all: Vec<String> = slots.iter().map(|(l, i)| slot_id(l, *i)).collect();
        let frame = |t: f32| (t * FPS as f32).round() as usize;
        let mut out = Vec::new();
        let mut add = |kind: &str, first_frame, last_frame, slots| {
            out.push(Disturbance { kind: kind.to_owned(), first_frame, last_frame, slots });
        };
        if let (Some(a), Some(b)) = (self.show.walk.first(), self.show.walk.last()) {
            add("person", frame(a.0), frame(b.0), vec!["A3".to_owned(), "A4".to_owned()]);
        }
        if let Some((from, to)) = self.show.gain {
            add("gain", frame(from), frame(to), all.clone());
        }
        let seen: Vec<usize> = (0..frames).filter(|f| self.lorry(*f as f32 / FPS as f32).is_some()).collect();
        if let (Some(&a), Some(&b)) = (seen.first(), seen.last()) {
            let hides = |(l, i): &&(Level, usize)| {
                seen.iter().any(|f| self.hidden(*f as f32 / FPS as f32, l, *i) > 0.33)
            };
            add("lorry", a, b, slots.iter().filter(hides).map(|(l, i)| slot_id(l, *i)).collect());
        }
        if let Some((from, to)) = self.show.cloud {
            add("cloud", frame(from), frame(to), all);
        }
        out.sort_by_key(|d| d.first_frame);
        out
    }
}

/// Renders a show with its truth into `folder`.
///
/// # Errors
/// A sentence on what could not be written.
pub fn render_show(show: &Show, folder: &Path) -> Result<(), String> {
    let set = Set::new(show, 8);
    let frames = (show.seconds * FPS as f32) as usize;
    let mut film = Film::create(&folder.join(format!("{}.mp4", show.name)), &set.cam, FPS, show.crf)?;
    let seed = show.name.bytes().map(u64::from).sum::<u64>() << 20;
    film::in_order(frames, |i| set.picture(i as f32 / FPS as f32, seed + i as u64), |_, p| film.push(&p))?;
    film.finish()?;
    write_truth(show, &set, folder)
}

/// Writes the map and the truth beside a show without rendering its film.
///
/// # Errors
/// A sentence on what could not be written.
pub fn write_truth(show: &Show, set: &Set, folder: &Path) -> Result<(), String> {
    files::json(&folder.join("lot.json"), &map())?;
    files::json(&folder.join(format!("{}.truth.json", show.name)), &set.truth())
}
