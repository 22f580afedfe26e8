//! The gate's recordings: who comes when, how they move, and what a reader should make of it.

use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use crate::car::{self, Car, Fit, Shape};
use crate::film::{self, Film, Glare, Picture, Sensor};
use crate::light::Light;
use crate::math::{Camera, Pose, V3, smooth, v};
use crate::paint::{Letters, srgb};
use crate::person;
use crate::plate::{self, Style};
use crate::render::{self, Backdrop, Memory, Thing};
use crate::yard::{self, Arm, Sky, Yard};

/// Frames a second of every gate recording.
pub const FPS: u32 = 12;
/// Seconds a car stands at the barrier.
const HOLD: f32 = 1.6;
const CRUISE: f32 = 5.5;
const BRAKE: f32 = 1.4;
const START: f32 = 1.6;

/// A car that comes to the gate.
#[derive(Clone, Debug)]
pub struct Guest {
    /// Plate as painted.
    pub text: String,
    /// Look of the plate.
    pub style: Style,
    /// Proportions of the car.
    pub shape: Shape,
    /// Body colour, 0xRRGGBB.
    pub paint: u32,
    /// Second of the recording at which it stands still.
    pub stop: f32,
    /// How far ahead of the camera its front stops.
    pub gap: f32,
    /// Dirt on the plate, 0 to 1.
    pub dirt: f32,
    /// How far to the right of the lane's middle.
    pub aside: f32,
}

/// A recording to be made.
pub struct Show {
    /// File name without extension.
    pub name: String,
    /// Time of day and weather.
    pub sky: Sky,
    /// Camera, for the truth file.
    pub camera_id: &'static str,
    /// Country that all plates are of, by its ISO 3166 code in lower case, if they are of one.
    pub region: Option<&'static str>,
    /// RFC 3339 time of the first frame.
    pub start: &'static str,
    /// Length in seconds.
    pub seconds: f32,
    /// Who comes.
    pub guests: Vec<Guest>,
    /// Second at which a walker with a trolley comes past, if one does.
    pub walker: Option<f32>,
    /// x264 quality.
    pub crf: u32,
}

/// One passage as the truth file has it; frames count from 0, both ends included.
#[derive(Clone, Debug, Serialize, serde::Deserialize)]
pub struct Passage {
    /// Text of the plate, capitals and digits only.
    pub plate: String,
    /// Name of its look.
    pub style: String,
    /// First frame with the whole plate in view, 40 pixels wide or more.
    pub first_frame: usize,
    /// Last such frame.
    pub last_frame: usize,
    /// First frame in which the characters are 14 pixels high or more and smeared by less than 4.
    pub legible_from: usize,
    /// Last such frame.
    pub legible_to: usize,
    /// Frame at which the car has come to a stand.
    pub stopped_at: usize,
}

/// The truth beside a recording.
#[derive(Clone, Debug, Serialize, serde::Deserialize)]
pub struct Truth {
    /// Camera.
    pub camera_id: String,
    /// Country that all plates are of, by its ISO 3166 code in lower case, if they are of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Frames a second.
    pub fps: u32,
    /// Frames in all.
    pub frames: usize,
    /// Width and height in pixels.
    pub size: [usize; 2],
    /// Time of the first frame.
    pub start: String,
    /// Every car, in the order of arrival.
    pub passages: Vec<Passage>,
}

/// The plates to be seen in one frame.
#[derive(Clone, Debug, Serialize, serde::Deserialize)]
pub struct FramePlates {
    /// Frame, from 0.
    pub frame: usize,
    /// Text and corners: upper left, upper right, lower right, lower left, in pixels.
    pub plates: Vec<Seen>,
}

/// A plate in a frame.
#[derive(Clone, Debug, Serialize, serde::Deserialize)]
pub struct Seen {
    /// Text, capitals and digits only.
    pub text: String,
    /// Corners in pixels.
    pub corners: [[f32; 2]; 4],
    /// Whether its characters can be read by the measure of the truth file.
    pub legible: bool,
}

/// A gate with its cars, ready to be photographed at any moment.
pub struct Set {
    cam: Camera,
    light: Light,
    back: Backdrop,
    memory: Memory,
    sensor: Sensor,
    arm: Arm,
    cars: Vec<(Guest, Car)>,
    walker: Option<f32>,
    shutter: f32,
    glare: f32,
    beam: f32,
    samples: usize,
}

/// Where a car that will have stopped at `stop` is at time `t`: distance still to go (negative once past).
fn to_go(t: f32, stop: f32) -> f32 {
    let before = stop - t;
    let braking = CRUISE / BRAKE;
    if before > braking {
        BRAKE * braking * braking / 2.0 + CRUISE * (before - braking)
    } else if before > 0.0 {
        BRAKE * before * before / 2.0
    } else {
        -START / 2.0 * (-before - HOLD).max(0.0).powi(2)
    }
}

/// The pose of a car's middle, `left` metres of way before the middle's stopping place at distance `stop_y`.
fn on_way(left: f32, stop_y: f32) -> Pose {
    let y = stop_y + left;
    let radius = 5.0;
    let (bend, arc) = (19.0, radius * std::f32::consts::FRAC_PI_2);
    if y <= bend {
        return Pose::new(v(0.0, y, 0.0), -std::f32::consts::FRAC_PI_2);
    }
    let into = y - bend;
    if into < arc {
        let a = into / radius;
        return Pose::new(
            v(radius - radius * a.cos(), bend + radius * a.sin(), 0.0),
            -std::f32::consts::FRAC_PI_2 - a,
        );
    }
    Pose::new(v(radius + into - arc, bend + radius, 0.0), std::f32::consts::PI)
}

impl Set {
    /// Builds the scene of a show.
    pub fn new(font: &Letters, show: &Show, samples: usize) -> Set {
        let cam = yard::camera();
        let light = show.sky.light();
        let wet = show.sky == Sky::Rain;
        let back = render::backdrop(&cam, &light, &Yard { wet }, &yard::scenery(font), samples.max(2) * 2);
        let (exposure, grain, shutter, glare, beam) = match show.sky {
            Sky::Day => (0.85, 1.4, 0.012, 0.0, 0.0),
            Sky::Dusk => (1.35, 2.6, 0.028, 0.9, 0.5),
            Sky::Night => (1.5, 4.2, 0.022, 2.4, 0.9),
            Sky::Rain => (0.95, 1.8, 0.02, 0.25, 0.0),
        };
        let sensor =
            Sensor { exposure, grain, monochrome: show.sky == Sky::Night, rain: if wet { 1.0 } else { 0.0 } };
        let lit = if show.sky == Sky::Day { 0.0 } else { 1.6 };
        let cars = show.guests.iter().map(|g| (g.clone(), dress(font, g, lit))).collect();
        let walker = show.walker;
        Set {
            cam,
            light,
            back,
            memory: Memory::default(),
            sensor,
            arm: Arm::new(),
            cars,
            walker,
            shutter,
            glare,
            beam,
            samples,
        }
    }

    fn pose(&self, guest: &Guest, t: f32) -> Option<Pose> {
        let half = guest.shape.size.0 / 2.0;
        let left = to_go(t, guest.stop);
        let mut pose = on_way(left, guest.gap + half);
        pose.at.x += guest.aside;
        (pose.at.x < 17.0 && pose.at.y > -6.0).then_some(pose)
    }

    fn open(&self, t: f32) -> f32 {
        let one = |g: &Guest| {
            let clear = g.stop + HOLD + ((g.gap + g.shape.size.0 - 3.0) * 2.0 / START).sqrt();
            let up = g.stop + 0.8;
            smooth(up, up + 0.8, t) * (1.0 - smooth(clear, clear + 0.8, t))
        };
        self.cars.iter().map(|(g, _)| one(g)).fold(0.0, f32::max)
    }

    fn things(&self, t: f32) -> Vec<Thing> {
        let mut out = vec![self.arm.thing(self.open(t))];
        for (guest, car) in &self.cars {
            if let Some(pose) = self.pose(guest, t) {
                let foot = (guest.shape.size.0 / 2.0 - 0.1, guest.shape.size.1 / 2.0 - 0.06);
                out.push(Thing {
                    mesh: car.mesh.clone(),
                    skin: car.skin.clone(),
                    pose,
                    foot,
                    beam: self.beam,
                });
            }
        }
        if let Some(at) = self.walker {
            let way = (t - at) * 1.35;
            if (0.0..9.0).contains(&way) {
                let place = v(4.2 - way, 5.9, 0.0);
                out.push(person::walker(place, std::f32::consts::PI, way, srgb(0xA24A2E), true));
            }
        }
        out
    }

    /// The picture at time `t`; `frame` seeds its noise.
    pub fn picture(&self, t: f32, frame: u64) -> Picture {
        let things = |share: f32| self.things(t + share * self.shutter);
        let mut light = self.memory.picture(&self.cam, &self.light, &self.back, &things, self.samples);
        if self.glare > 0.0 {
            for glare in self.dazzling(t) {
                film::dazzle(&self.cam, &mut light, &glare);
            }
        }
        film::develop(&self.cam, &light, &self.sensor, frame)
    }

    fn dazzling(&self, t: f32) -> Vec<Glare> {
        let mut out = Vec::new();
        for (guest, car) in &self.cars {
            let Some(pose) = self.pose(guest, t) else { continue };
            for lamp in car.lamps {
                let at = pose.place(lamp);
                let to_eye = self.cam.at - at;
                let facing = pose.turn(v(1.0, 0.0, -0.06).unit()).dot(to_eye.unit()).max(0.0).powi(6);
                if let Some(p) =
                    self.cam.project(at).filter(|_| self.cam.view(at).z > 1.0 && self.clear(at, guest, t))
                {
                    let radius = 12.0 + 70.0 / to_eye.len();
                    out.push(Glare { at: p, power: self.glare * facing, radius });
                }
            }
        }
        out
    }

    /// Whether nothing but the air stands between a point of `of` and the camera: other cars, as boxes.
    fn clear(&self, p: V3, of: &Guest, t: f32) -> bool {
        self.cars.iter().filter(|(g, _)| g.stop != of.stop).all(|(g, _)| {
            let Some(pose) = self.pose(g, t) else { return true };
            (0..40).all(|i| {
                let q = p.mix(self.cam.at, i as f32 / 40.0);
                let (along, across) = pose.local(q.x, q.y);
                along.abs() > g.shape.size.0 / 2.0
                    || across.abs() > g.shape.size.1 / 2.0
                    || q.z > g.shape.roof
            })
        })
    }

    /// Whether the closed arm covers any part of the plate at these places.
    fn behind_arm(&self, plate: &[V3; 4], t: f32) -> bool {
        let middle = plate[0].mix(plate[2], 0.5);
        self.open(t) < 0.3
            && plate.iter().chain([&middle]).any(|p| {
                let share = (p.y - yard::ARM) / (p.y - self.cam.at.y);
                share > 0.0 && (p.mix(self.cam.at, share).z - yard::ARM_Z).abs() < 0.055
            })
    }

    fn corners(&self, guest: &Guest, car: &Car, t: f32) -> Option<[(f32, f32); 4]> {
        let pose = self.pose(guest, t)?;
        let corners = car.corners?;
        let mut out = [(0.0, 0.0); 4];
        for (to, c) in out.iter_mut().zip(corners) {
            *to = self.cam.project(pose.place(c)).filter(|p| {
                p.0 > 2.0 && p.1 > 2.0 && p.0 < self.cam.w as f32 - 2.0 && p.1 < self.cam.h as f32 - 2.0
            })?;
        }
        Some(out)
    }

    /// The plates to be seen at time `t`.
    pub fn plates(&self, t: f32) -> Vec<Seen> {
        let mut out = Vec::new();
        for (guest, car) in &self.cars {
            let Some(c) = self.corners(guest, car, t) else { continue };
            let middle = self.pose(guest, t).map(|p| p.place(v(guest.shape.size.0 / 2.0 + 0.05, 0.0, 0.5)));
            let wide = c[1].0 - c[0].0;
            if wide < 40.0 || !middle.is_some_and(|m| self.clear(m, guest, t)) {
                continue;
            }
            let places = self.pose(guest, t).zip(car.corners).map(|(pose, c)| c.map(|p| pose.place(p)));
            if places.is_some_and(|p| self.behind_arm(&p, t)) {
                continue;
            }
            let high = ((c[3].1 - c[0].1) + (c[2].1 - c[1].1)) / 2.0;
            let cap = high * guest.style.cap() / guest.style.size().1;
            let smear = self
                .corners(guest, car, t + self.shutter)
                .map_or(9.0, |d| (d[0].0 - c[0].0).hypot(d[0].1 - c[0].1));
            let text = guest.text.chars().filter(char::is_ascii_alphanumeric).collect();
            let round = |p: (f32, f32)| [(p.0 * 10.0).round() / 10.0, (p.1 * 10.0).round() / 10.0];
            out.push(Seen { text, corners: c.map(round), legible: cap >= 14.0 && smear < 4.0 });
        }
        out
    }
}

fn dress(font: &Letters, g: &Guest, lamps: f32) -> Car {
    let dealer = ["HARBOUR MOTORS", "AUTOHAUS LINDEN", "Northgate Cars", "VALE & SONS"][g.text.len() * 7 % 4];
    let plate = plate::paint(font, &g.text, g.style, dealer, g.dirt);
    let seed = g.text.bytes().map(f32::from).sum::<f32>();
    let plate_z = if g.shape.hood > 0.9 { 0.56 } else { 0.5 };
    let fit = Fit { paint: srgb(g.paint), plate: Some(Arc::new(plate)), plate_z, lamps, seed };
    car::build(g.shape, fit)
}

/// Renders a show with its truth into `folder`, each pixel from so many samples.
///
/// # Errors
/// A sentence on what could not be written.
pub fn render_show(font: &Letters, show: &Show, samples: usize, folder: &Path) -> Result<(), String> {
    let set = Set::new(font, show, samples);
    let frames = (show.seconds * FPS as f32) as usize;
    let mut film = Film::create(&folder.join(format!("{}.mp4", show.name)), &set.cam, FPS, show.crf)?;
    let seed = show.name.bytes().map(u64::from).sum::<u64>() << 20;
    film::in_order(frames, |i| set.picture(i as f32 / FPS as f32, seed + i as u64), |_, p| film.push(&p))?;
    film.finish()?;
    write_truth(show, &set, folder)
}

/// Writes the truth beside a show without rendering its film.
///
/// # Errors
/// A sentence on what could not be written.
pub fn write_truth(show: &Show, set: &Set, folder: &Path) -> Result<(), String> {
    let frames = (show.seconds * FPS as f32) as usize;
    let seen: Vec<FramePlates> = (0..frames)
        .map(|frame| FramePlates { frame, plates: set.plates(frame as f32 / FPS as f32) })
        .collect();
    crate::files::json(&folder.join(format!("{}.truth.json", show.name)), &truth(show, set, frames, &seen))?;
    let lines: Vec<&FramePlates> = seen.iter().filter(|f| !f.plates.is_empty()).collect();
    crate::files::lines(&folder.join(format!("{}.plates.jsonl", show.name)), &lines)
}

/// Renders single pictures, a text file among them and one picture torn off, with their truth, into `folder`.
///
/// # Errors
/// A sentence on what could not be written.
pub fn render_stills(
    font: &Letters,
    albums: &[(Show, Vec<(&'static str, f32)>)],
    folder: &Path,
) -> Result<(), String> {
    #[derive(Serialize)]
    struct Label {
        text: String,
        #[serde(rename = "box")]
        at: [i32; 4],
        legible: bool,
    }
    #[derive(Serialize)]
    struct Still {
        file: String,
        plates: Vec<Label>,
    }
    crate::files::write(
        &folder.join("notes.txt"),
        b"Not a picture: it lies here so that a reader of the folder meets one.\n",
    )?;
    let mut stills = Vec::new();
    for (show, pictures) in albums {
        let set = Set::new(font, show, 8);
        for (i, (name, t)) in pictures.iter().enumerate() {
            let path = folder.join(name);
            film::still(&path, &set.cam, &set.picture(*t, 90_000 + i as u64))?;
            let label = |seen: Seen| {
                let side = |k: usize, f: fn(f32, f32) -> f32| {
                    seen.corners.iter().map(|c| c[k]).reduce(f).unwrap_or(0.0)
                };
                let (x0, y0) = (side(0, f32::min).floor() as i32, side(1, f32::min).floor() as i32);
                let (x1, y1) = (side(0, f32::max).ceil() as i32, side(1, f32::max).ceil() as i32);
                Label { at: [x0, y0, x1 - x0, y1 - y0], legible: seen.legible, text: seen.text }
            };
            stills.push(Still {
                file: (*name).to_owned(),
                plates: set.plates(*t).into_iter().map(label).collect(),
            });
        }
    }
    stills.sort_by(|a, b| a.file.cmp(&b.file));
    if let Some(first) = stills.first() {
        let path = folder.join(&first.file);
        let whole = std::fs::read(&path).map_err(|e| format!("read {}: {e}", path.display()))?;
        crate::files::write(&folder.join("torn.jpg"), &whole[..whole.len() * 2 / 5])?;
    }
    crate::files::lines(&folder.join("truth.jsonl"), &stills)
}

fn truth(show: &Show, set: &Set, frames: usize, seen: &[FramePlates]) -> Truth {
    let mut passages = Vec::new();
    for guest in &show.guests {
        let text: String = guest.text.chars().filter(char::is_ascii_alphanumeric).collect();
        let all = |legible: bool| -> Vec<usize> {
            let has = |f: &&FramePlates| f.plates.iter().any(|p| p.text == text && (p.legible || !legible));
            seen.iter().filter(has).map(|f| f.frame).collect()
        };
        let (any, clear) = (all(false), all(true));
        if let (Some(&a), Some(&b), Some(&c), Some(&d)) =
            (any.first(), any.last(), clear.first(), clear.last())
        {
            passages.push(Passage {
                plate: text,
                style: guest.style.name().to_owned(),
                first_frame: a,
                last_frame: b,
                legible_from: c,
                legible_to: d,
                stopped_at: (guest.stop * FPS as f32).round() as usize,
            });
        }
    }
    Truth {
        camera_id: show.camera_id.to_owned(),
        region: show.region.map(str::to_owned),
        fps: FPS,
        frames,
        size: [set.cam.w, set.cam.h],
        start: show.start.to_owned(),
        passages,
    }
}
