//! From the readings of many frames to one `plate_detected` a passage.
//!
//! A passage begins with the first reading of a plate and ends when the plate has not been read for a gap. Readings belong
//! to one passage if their texts may be the same plate's; a reading that stands where another passage stands but says
//! something else is a shadow of the better known one, and a vehicle of its own only if that is read no more. The plate is announced
//! once, as soon as enough frames agree, so that the gate need not wait for the passage's end, but not while it is small and draws
//! near: distant frames agree on mistakes. A much better reading later on is a correction, which the gate heeds only if it did not
//! open for the first. What has never moved, and is read in the very same place after minutes, was only covered, or is a sign: it
//! is not announced again.

use std::collections::BTreeMap;
use std::time::Duration;

use park_core::record::Time;
use park_core::record::gate::PlateDetected;
use park_core::record::vision::{Plate, Plates};
use park_core::site::plain;

use super::text::{distance, may_be_same};
use super::vote::{Outcome, Votes};

/// What counts as a passage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Readings less certain than this keep a passage alive but have no vote, or little of one if all that is in doubt is
    /// which of the characters that look alike it bears.
    pub min_confidence: f64,
    /// How many frames must agree.
    pub agree: u32,
    /// How long a plate is not read before its passage has ended.
    pub gap: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { min_confidence: 0.5, agree: 3, gap: Duration::from_secs(2) }
    }
}

/// How many pixels wide a plate is that will hardly be read better from closer by.
const LARGE: f64 = 100.0;
/// A plate that has grown by more than this from a sample of its width to the next is drawing near.
const GROWTH: f64 = 1.08;
/// From one sample of its width to the next.
const SAMPLE: Duration = Duration::from_millis(500);
/// What a frame counts for in which only characters that look alike are in doubt.
const DOUBTFUL: f64 = 0.25;
/// How long a plate must go unread before another text in its place counts as another vehicle.
const SHADOW: Duration = Duration::from_millis(500);
/// How late a camera's readings may come: silence is only believed after that.
const LATE: Duration = Duration::from_secs(3);
/// A vehicle that stands may be covered for half as long as it has stood, up to this.
const PATIENCE: Duration = Duration::from_secs(60);
/// By how much of its width a plate that stands still is found elsewhere from frame to frame.
const STILL: f64 = 0.15;
/// What has never moved may go unread for as long as it has stood, but at least and at most so long.
const STANDS: [Duration; 2] = [Duration::from_secs(10 * 60), Duration::from_secs(24 * 60 * 60)];

/// The passages of every camera.
#[derive(Debug, Clone)]
pub struct Consensus {
    settings: Settings,
    cameras: BTreeMap<String, Vec<Passage>>,
}

/// A passage that is enough to be told.
#[derive(Debug, Clone, PartialEq)]
pub struct Detection {
    /// When it was enough.
    pub time: Time,
    /// The record.
    pub detected: PlateDetected,
    /// The text that was announced for the same passage, if this one is better.
    pub corrects: Option<String>,
}

#[derive(Debug, Clone)]
struct Passage {
    first_seen: Time,
    last_seen: Time,
    frames: u32,
    votes: Votes,
    place: Area,
    nears: Nearing,
    /// Where it was first read, if it has not been read elsewhere.
    stands: Option<Area>,
    region: Option<String>,
    /// The text that was announced.
    announced: Option<String>,
    /// It stood where a passage with another text stood that outweighed it.
    shadow: bool,
}

impl Consensus {
    /// No passages yet.
    pub fn new(settings: Settings) -> Self {
        Consensus { settings, cameras: BTreeMap::new() }
    }

    /// Takes the readings of one frame at `time` and returns the passages that are enough now.
    pub fn frame(&mut self, plates: &Plates, time: Time) -> Vec<Detection> {
        let settings = self.settings;
        let mut detections = self.expire(&plates.camera_id, time, Duration::ZERO);
        let passages = self.cameras.entry(plates.camera_id.clone()).or_default();
        // A passage takes one reading a frame: two cars with numbers that look alike are two.
        let mut taken = vec![false; passages.len()];
        for plate in plates.plates.iter().filter(|plate| plate.rejected.is_none()) {
            let text = plain(&plate.text);
            if text.is_empty() {
                continue;
            }
            let place = Area::around(&plate.corners);
            let found = best(passages, &taken, &text, &place, time, settings.gap);
            let at = match found {
                Some(at) => at,
                None if passages.iter().zip(&taken).any(|(p, taken)| *taken && p.is_text(&text)) => continue,
                None => {
                    passages.push(Passage::new(time, place));
                    taken.push(false);
                    passages.len() - 1
                }
            };
            taken[at] = true;
            passages[at].read(plate, &text, place, time, &settings);
        }
        for at in 0..passages.len() {
            if !taken[at] {
                continue;
            }
            if passages[at].announced.is_some() {
                detections.extend(passages[at].better(&plates.camera_id, &settings));
            } else if passages.iter().any(|other| other.outweighs(&passages[at], time)) {
                passages[at].shadow = true;
            } else {
                detections.extend(passages[at].early(&plates.camera_id, &settings));
            }
        }
        detections
    }

    /// Another system says that a vehicle passes at `time`, and may go on saying so. Returns the passage when it begins.
    pub fn told(&mut self, told: &PlateDetected, time: Time) -> Vec<Detection> {
        let settings = self.settings;
        let mut detections = self.expire(&told.camera_id, time, Duration::ZERO);
        let text = plain(&told.plate);
        if text.is_empty() || told.confidence < settings.min_confidence {
            return detections;
        }
        let passages = self.cameras.entry(told.camera_id.clone()).or_default();
        let gap = settings.gap;
        let known = |passage: &&mut Passage| {
            let near = time.since(passage.last_seen) <= gap;
            near && passage.votes.any(|other| may_be_same(other, &text))
        };
        if let Some(passage) = passages.iter_mut().find(known) {
            passage.last_seen = passage.last_seen.max(time);
            return detections;
        }
        let plate = Plate {
            text: text.clone(),
            confidence: told.confidence,
            corners: [[0.0; 2]; 4],
            characters: Vec::new(),
            candidates: told.candidates.clone(),
            region: told.region.clone(),
            rejected: None,
        };
        let mut passage = Passage::new(time, Area::around(&plate.corners));
        passage.votes.add(&text, &plate, 1.0);
        (passage.frames, passage.announced, passage.stands) = (told.frames, Some(text.clone()), None);
        passages.push(passage);
        let detected = PlateDetected { plate: text, ..told.clone() };
        detections.push(Detection { time, detected, corrects: None });
        detections
    }

    /// Time has passed although no frame says so: ends the passages of cameras that have fallen silent.
    pub fn silence(&mut self, now: Time) -> Vec<Detection> {
        let cameras: Vec<String> = self.cameras.keys().cloned().collect();
        cameras.iter().flat_map(|camera| self.expire(camera, now, LATE)).collect()
    }

    /// Ends every passage: nothing more will come.
    pub fn finish(&mut self) -> Vec<Detection> {
        let cameras = std::mem::take(&mut self.cameras);
        let end = |(camera, passages): (String, Vec<Passage>)| -> Vec<Detection> {
            passages.into_iter().filter_map(|mut passage| passage.late(&camera, &self.settings)).collect()
        };
        cameras.into_iter().flat_map(end).collect()
    }

    /// Whether a plate like this one is being seen.
    pub fn is_present(&self, plate: &str) -> bool {
        self.cameras.values().flatten().any(|passage| passage.votes.any(|text| text == plate))
    }

    fn expire(&mut self, camera: &str, now: Time, allowance: Duration) -> Vec<Detection> {
        let settings = self.settings;
        let Some(passages) = self.cameras.get_mut(camera) else { return Vec::new() };
        let mut detections = Vec::new();
        passages.retain_mut(|passage| {
            let is_over =
                |passage: &Passage| now.since(passage.last_seen) > passage.patience(settings.gap) + allowance;
            if is_over(passage) {
                detections.extend(passage.late(camera, &settings));
            }
            // What has never moved is remembered once it is announced.
            !is_over(passage)
        });
        detections
    }
}

/// The passage that a reading belongs to, the most fitting if there are several.
fn best(
    passages: &[Passage],
    taken: &[bool],
    text: &str,
    place: &Area,
    time: Time,
    gap: Duration,
) -> Option<usize> {
    let fit = |passage: &Passage| -> Option<u8> {
        let unread = time.since(passage.last_seen);
        let in_time = unread <= gap;
        let here = unread <= passage.cover(gap) && passage.place.overlap(place) > 0.3;
        let alike = || passage.votes.any(|other| may_be_same(other, text));
        match (passage.is_text(text), in_time) {
            (true, true) => Some(if here { 4 } else { 3 }),
            // Beyond the gap only what stands still where it stood is still there.
            (true, false) => (here || passage.stands_at(place)).then_some(2),
            (false, _) if here => alike().then_some(1),
            (false, true) if passage.is_near(place, time) => alike().then_some(0),
            _ => None,
        }
    };
    let fits = passages.iter().zip(taken).enumerate().filter(|(_, (_, taken))| !**taken);
    let scored = fits.filter_map(|(at, (passage, _))| fit(passage).map(|score| (score, at)));
    scored.max_by_key(|(score, at)| (*score, std::cmp::Reverse(*at))).map(|(_, at)| at)
}

/// What a reading counts for, if at all.
fn worth(plate: &Plate, min_confidence: f64) -> Option<f64> {
    let others = plate.candidates.iter().filter(|other| other.text != plate.text);
    let alike = others.filter(|other| distance(&other.text, &plate.text) == 0);
    let whichever = plate.confidence + alike.map(|other| other.confidence).sum::<f64>();
    match (plate.confidence >= min_confidence, whichever >= min_confidence) {
        (true, _) => Some(1.0),
        (false, true) => Some(DOUBTFUL),
        (false, false) => None,
    }
}

impl Passage {
    fn new(time: Time, place: Area) -> Self {
        Passage {
            first_seen: time,
            last_seen: time,
            frames: 0,
            votes: Votes::default(),
            place,
            nears: Nearing { since: time, width: place.width(), yet: true },
            stands: Some(place),
            region: None,
            announced: None,
            shadow: false,
        }
    }

    fn is_text(&self, text: &str) -> bool {
        self.votes.any(|other| other == text)
    }

    /// Whether a plate can have moved from here to `place` by `time`: three of its widths, and three more each second.
    fn is_near(&self, place: &Area, time: Time) -> bool {
        let reach = 3.0 * (1.0 + time.since(self.last_seen).as_secs_f64());
        self.place.distance(place) <= reach * self.place.width().max(place.width())
    }

    /// Whether this is being read in the same place as `other`, and is the better known of the two: they are one plate.
    fn outweighs(&self, other: &Passage, time: Time) -> bool {
        let known = |passage: &Passage| {
            (passage.announced.is_some(), passage.frames, std::cmp::Reverse(passage.first_seen))
        };
        time.since(self.last_seen) < SHADOW
            && self.place.overlap(&other.place) > 0.0
            && known(self) > known(other)
    }

    /// Whether it has always stood where `place` is.
    fn stands_at(&self, place: &Area) -> bool {
        self.stands.is_some_and(|stood| stood.is_very_nearly(place))
    }

    /// How long it may be covered.
    fn cover(&self, gap: Duration) -> Duration {
        gap.max((self.last_seen.since(self.first_seen) / 2).min(PATIENCE))
    }

    /// How long it is waited for.
    fn patience(&self, gap: Duration) -> Duration {
        match (&self.stands, &self.announced) {
            (Some(_), Some(_)) => self.last_seen.since(self.first_seen).clamp(STANDS[0], STANDS[1]),
            _ => self.cover(gap),
        }
    }

    fn read(&mut self, plate: &Plate, text: &str, place: Area, time: Time, settings: &Settings) {
        self.last_seen = self.last_seen.max(time);
        self.place = place;
        self.nears.see(&place, time);
        self.stands = self.stands.filter(|stood| stood.is_very_nearly(&place));
        let worth = worth(plate, settings.min_confidence);
        self.frames += u32::from(worth.is_some());
        // The first text is kept even if it has no vote: the next weak reading must find its passage.
        if worth.is_some() || !self.votes.any(|_| true) {
            self.votes.add(text, plate, worth.unwrap_or(0.0));
        }
        if plate.region.is_some() {
            self.region.clone_from(&plate.region);
        }
    }

    /// The announcement, if enough frames agree and no better ones are to be expected.
    fn early(&mut self, camera: &str, settings: &Settings) -> Option<Detection> {
        if self.nears.yet && self.place.width() < LARGE {
            return None;
        }
        let outcome = self.votes.outcome()?;
        let enough = outcome.agreeing >= settings.agree.into() && outcome.share > 0.5;
        enough.then(|| self.announce(camera, self.last_seen, outcome))
    }

    /// A correction, if by now another text than the one announced was read twice as often: the first frames, far
    /// away, may agree on a mistake.
    fn better(&mut self, camera: &str, settings: &Settings) -> Option<Detection> {
        let announced = self.announced.as_ref()?;
        let outcome = self.votes.outcome().filter(|outcome| outcome.text != *announced)?;
        let enough = outcome.agreeing >= settings.agree.into()
            && outcome.agreeing >= 2.0 * self.votes.agreeing(announced)
            && outcome.share > 0.5;
        enough.then(|| self.announce(camera, self.last_seen, outcome))
    }

    /// The announcement at the end, if no text was read often enough but the frames together spell one.
    fn late(&mut self, camera: &str, settings: &Settings) -> Option<Detection> {
        let outcome = self.votes.outcome().filter(|_| self.announced.is_none() && !self.shadow)?;
        let enough = self.frames >= settings.agree && outcome.share > 0.5;
        enough.then(|| self.announce(camera, self.last_seen, outcome))
    }

    fn announce(&mut self, camera: &str, time: Time, outcome: Outcome) -> Detection {
        let corrects = self.announced.replace(outcome.text.clone());
        let detected = PlateDetected {
            camera_id: camera.to_owned(),
            plate: outcome.text,
            confidence: outcome.confidence,
            frames: self.frames,
            first_seen: self.first_seen,
            last_seen: self.last_seen,
            candidates: outcome.others,
            region: self.region.clone(),
        };
        Detection { time, detected, corrects }
    }
}

/// Whether a plate draws near.
#[derive(Debug, Clone, Copy)]
struct Nearing {
    /// When its width was last kept, and that.
    since: Time,
    width: f64,
    /// Whether it was drawing near then, as any may at first.
    yet: bool,
}

impl Nearing {
    fn see(&mut self, place: &Area, time: Time) {
        if time.since(self.since) >= SAMPLE {
            let width = place.width();
            *self = Nearing { since: time, width, yet: width > GROWTH * self.width };
        }
    }
}

/// An upright rectangle in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Area {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

impl Area {
    fn around(corners: &[[f64; 2]; 4]) -> Area {
        let mut area = Area { left: f64::MAX, top: f64::MAX, right: f64::MIN, bottom: f64::MIN };
        for [x, y] in corners {
            area.left = area.left.min(*x);
            area.right = area.right.max(*x);
            area.top = area.top.min(*y);
            area.bottom = area.bottom.max(*y);
        }
        area
    }

    fn width(&self) -> f64 {
        self.right - self.left
    }

    fn size(&self) -> f64 {
        self.width() * (self.bottom - self.top)
    }

    /// Intersection over union, 0 to 1.
    fn overlap(&self, other: &Area) -> f64 {
        let width = self.right.min(other.right) - self.left.max(other.left);
        let height = self.bottom.min(other.bottom) - self.top.max(other.top);
        if width <= 0.0 || height <= 0.0 {
            return 0.0;
        }
        let both = width * height;
        both / (self.size() + other.size() - both)
    }

    /// Whether a plate here and one at `other` may be one that has not moved.
    fn is_very_nearly(&self, other: &Area) -> bool {
        self.distance(other) <= STILL * self.width().max(other.width())
    }

    /// Between the centres, in pixels.
    fn distance(&self, other: &Area) -> f64 {
        let x = (self.left + self.right - other.left - other.right) / 2.0;
        let y = (self.top + self.bottom - other.top - other.bottom) / 2.0;
        x.hypot(y)
    }
}

#[cfg(test)]
#[path = "tests/consensus.rs"]
mod tests;
