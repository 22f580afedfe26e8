//! One vehicle before one camera, as far as its plate has been read.

use std::time::Duration;

use park_core::record::Time;
use park_core::record::gate::PlateDetected;
use park_core::record::vision::Plate;

use super::consensus::{Detection, Settings};
use super::place::{Area, Nearing, Standing};
use super::text::distance;
use super::vote::{Outcome, Votes};

/// How many pixels wide a plate is that will hardly be read better from closer by.
const LARGE: f64 = 100.0;
/// No plate that is read counts for less than this share of a large one: corners may be wrong.
const SMALL: f64 = 0.1;
/// What a frame counts for in which only characters that look alike are in doubt.
const DOUBTFUL: f64 = 0.25;
/// How long a plate must go unread before another text in its place counts as another vehicle.
const SHADOW: Duration = Duration::from_millis(500);
/// A vehicle that stands may be covered for half as long as it has stood, up to this.
const PATIENCE: Duration = Duration::from_secs(60);
/// What has never moved is remembered for as long as it has been known, but at least and at most so long.
const REMEMBERED: [Duration; 2] = [Duration::from_secs(10 * 60), Duration::from_secs(24 * 60 * 60)];
/// What was so often announced where it always stood is a sign. A vehicle hardly stops within a hand's breadth of where it stopped
/// before, and is read on its way; but better a sign that is announced than a vehicle that is not.
const SIGN: u32 = 3;

/// What is known of it.
#[derive(Debug, Clone)]
pub(super) struct Passage {
    pub first_seen: Time,
    pub last_seen: Time,
    pub frames: u32,
    pub votes: Votes,
    pub place: Area,
    pub nears: Nearing,
    /// Where it has always stood, if it has not been read elsewhere.
    pub standing: Option<Standing>,
    pub region: Option<String>,
    /// The text that was announced.
    pub announced: Option<String>,
    /// It stood where a passage with another text stood that outweighed it.
    pub shadow: bool,
}

impl Passage {
    pub fn new(time: Time, place: Area) -> Self {
        Passage {
            first_seen: time,
            last_seen: time,
            frames: 0,
            votes: Votes::default(),
            place,
            nears: Nearing::new(&place, time),
            standing: Some(Standing { place, since: time, times: 0 }),
            region: None,
            announced: None,
            shadow: false,
        }
    }

    pub fn is_text(&self, text: &str) -> bool {
        self.votes.any(|other| other == text)
    }

    /// Whether a plate can have moved from here to `place` by `time`: three of its widths, and three more each second.
    pub fn is_near(&self, place: &Area, time: Time) -> bool {
        let reach = 3.0 * (1.0 + time.since(self.last_seen).as_secs_f64());
        self.place.distance(place) <= reach * self.place.width().max(place.width())
    }

    /// Whether this is being read in the same place as `other`, and is the better known of the two: they are one plate.
    pub fn outweighs(&self, other: &Passage, time: Time) -> bool {
        let known = |passage: &Passage| {
            (passage.announced.is_some(), passage.frames, std::cmp::Reverse(passage.first_seen))
        };
        time.since(self.last_seen) < SHADOW
            && self.place.overlap(&other.place) > 0.0
            && known(self) > known(other)
    }

    /// Whether it has always stood where `place` is.
    pub fn stands_at(&self, place: &Area) -> bool {
        self.standing.is_some_and(|standing| standing.place.is_very_nearly(place))
    }

    /// How long it may be covered.
    pub fn cover(&self, gap: Duration) -> Duration {
        gap.max((self.last_seen.since(self.first_seen) / 2).min(PATIENCE))
    }

    /// Where it stood, if it has been announced and never been read elsewhere.
    fn remembered(&self) -> Option<Standing> {
        self.standing.filter(|standing| self.announced.is_some() || standing.times > 0)
    }

    /// How long it is waited for.
    pub fn patience(&self, gap: Duration) -> Duration {
        match self.remembered() {
            Some(standing) => self.last_seen.since(standing.since).clamp(REMEMBERED[0], REMEMBERED[1]),
            None => self.cover(gap),
        }
    }

    /// It is back where it stood: a passage of its own, unless it is a sign.
    fn come_again(&mut self, standing: Standing, time: Time) {
        let times = standing.times + u32::from(self.announced.is_some());
        if times < SIGN {
            *self =
                Passage { standing: Some(Standing { times, ..standing }), ..Passage::new(time, self.place) };
        }
    }

    pub fn read(&mut self, plate: &Plate, text: &str, place: Area, time: Time, settings: &Settings) {
        if time.since(self.last_seen) > self.cover(settings.gap)
            && let Some(standing) = self.remembered()
        {
            self.come_again(standing, time);
        }
        self.last_seen = self.last_seen.max(time);
        self.place = place;
        self.nears.see(&place, time);
        self.standing = self.standing.filter(|standing| standing.place.is_very_nearly(&place));
        let worth = worth(plate, settings.min_confidence);
        self.frames += u32::from(worth.is_some());
        // The first text is kept even if it has no vote: the next weak reading must find its passage.
        if worth.is_some() || !self.votes.any(|_| true) {
            let clear = (place.width() / LARGE).clamp(SMALL, 1.0);
            self.votes.add(text, plate, worth.unwrap_or(0.0), clear);
        }
        if plate.region.is_some() {
            self.region.clone_from(&plate.region);
        }
    }

    /// The announcement, if enough frames agree and no better ones are to be expected.
    pub fn early(&mut self, camera: &str, settings: &Settings) -> Option<Detection> {
        if self.nears.yet && self.place.width() < LARGE {
            return None;
        }
        let outcome = self.votes.outcome()?;
        let enough = outcome.agreeing >= settings.agree.into() && outcome.share > 0.5;
        enough.then(|| self.announce(camera, outcome))
    }

    /// A correction, if by now another text than the one announced has twice the votes: the first frames, far away, may agree
    /// on a mistake.
    pub fn better(&mut self, camera: &str, settings: &Settings) -> Option<Detection> {
        let announced = self.announced.as_ref()?;
        let outcome = self.votes.outcome().filter(|outcome| outcome.text != *announced)?;
        let enough = outcome.agreeing >= settings.agree.into()
            && self.votes.weight(&outcome.text) >= 2.0 * self.votes.weight(announced)
            && outcome.share > 0.5;
        enough.then(|| self.announce(camera, outcome))
    }

    /// The announcement at the end, if no text was read often enough but the frames together spell one.
    pub fn late(&mut self, camera: &str, settings: &Settings) -> Option<Detection> {
        let outcome = self.votes.outcome().filter(|_| self.announced.is_none() && !self.shadow)?;
        let enough = self.frames >= settings.agree && outcome.share > 0.5;
        enough.then(|| self.announce(camera, outcome))
    }

    fn announce(&mut self, camera: &str, outcome: Outcome) -> Detection {
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
        Detection { time: self.last_seen, detected, corrects }
    }
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
