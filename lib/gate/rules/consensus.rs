//! From the readings of many frames to one `plate_detected` a passage.
//!
//! A passage begins with the first reading of a plate and ends when the plate has not been read for a gap. Readings belong
//! to one passage if their texts may be the same plate's; a reading that stands where another passage stands but says
//! something else is a shadow of the better known one, and a vehicle of its own only if that is read no more. The plate is announced
//! once, as soon as enough frames agree, so that the gate need not wait for the passage's end, but not while it is small and draws
//! near: distant frames agree on mistakes. A much better reading later on is a correction, which the gate heeds only if it did not
//! open for the first. What comes again and again to the very same place without ever being read elsewhere is no vehicle but a
//! sign: it is announced three times, and no more.

use std::collections::BTreeMap;
use std::time::Duration;

use park_core::record::Time;
use park_core::record::gate::PlateDetected;
use park_core::record::vision::{Plate, Plates};
use park_core::site::plain;

use super::passage::Passage;
use super::place::Area;
use super::text::may_be_same;

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

/// How late a camera's readings may come: silence is only believed after that.
const LATE: Duration = Duration::from_secs(3);

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
        passage.votes.add(&text, &plate, 1.0, 1.0);
        (passage.frames, passage.announced, passage.standing) = (told.frames, Some(text.clone()), None);
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

#[cfg(test)]
#[path = "tests/consensus.rs"]
mod tests;
