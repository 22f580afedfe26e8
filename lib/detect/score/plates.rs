//! `plates` records held against the plates that are there.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use park_core::record::vision::{Plate, Plates};
use serde::Serialize;

use super::key::{Key, Moment, Names};
use super::rates::Share;
use super::reliability::{Bins, Reliability};
use super::text::{Fold, edit_distance, normalise};
use super::truth::{TruePlate, area_of};

/// How plates are scored.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// A reading is on a plate if intersection over union of their boxes is this much.
    pub iou: f64,
    /// A plate is among the first so many candidates, or is not.
    pub top: usize,
    /// Characters taken for one another.
    pub folds: Vec<Fold>,
    /// Leave out plates that the truth calls illegible, with the readings on them.
    pub skip_illegible: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options { iou: 0.5, top: 10, folds: Vec::new(), skip_illegible: false }
    }
}

/// Gathers `plates` records and says how right they are. The order in which they come does not matter.
///
/// A reading is *on* a plate if their boxes (upright, around the corners) overlap by [`Options::iou`], or the centre of each
/// lies in the other. Plates and readings that are on each other are paired one to one, those with the largest overlap
/// first, then the surest. Rejected readings do not count.
#[derive(Debug)]
pub struct PlateScore {
    truth: BTreeMap<Key, Vec<TruePlate>>,
    options: Options,
    seen: BTreeMap<Key, Vec<Reading>>,
    strangers: Vec<Key>,
    rejected: BTreeMap<String, u64>,
}

#[derive(Debug)]
struct Reading {
    text: Vec<char>,
    confidence: f64,
    area: [f64; 4],
    candidates: Vec<Vec<char>>,
}

/// How right `plates` records are.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlateReport {
    /// Pictures in the truth.
    pub pictures: u64,
    /// Plates in them.
    pub plates: u64,
    /// Readings that were not rejected, in those pictures.
    pub readings: u64,
    /// The overlap asked for.
    pub iou: f64,
    /// How many candidates count for `top`.
    pub candidates: usize,
    /// Plates with a reading whose box overlaps by `iou`.
    pub detected_iou: Share,
    /// Plates with a reading on them.
    pub detected_on: Share,
    /// Plates whose own reading is exactly right.
    pub exact: Share,
    /// Plates whose text is that of any reading in the picture.
    pub exact_anywhere: Share,
    /// Plates whose text is that of the picture's surest reading.
    pub exact_first: Share,
    /// Plates whose text is among the first candidates of their reading.
    pub top: Share,
    /// Readings that are exactly right.
    pub right: Share,
    /// Wrong characters among all characters of all plates; a plate without a reading is wrong in all of them.
    pub cer_all: Option<f64>,
    /// The same among plates with a reading.
    pub cer_matched: Option<f64>,
    /// Readings on no plate.
    pub false_readings: u64,
    /// Pictures with such readings.
    pub pictures_with_false: u64,
    /// Readings on no plate, a picture.
    pub false_per_picture: f64,
    /// Readings on a plate that has a better one.
    pub duplicates: u64,
    /// The same, a picture.
    pub duplicates_per_picture: f64,
    /// Readings that were rejected, by reason; they count for nothing above.
    pub rejected: BTreeMap<String, u64>,
    /// How often the readings of plates are right, by their confidence.
    pub reliability: Reliability,
    /// Pictures of the truth without a record: nothing was found in them.
    pub without_record: Names,
    /// Records about pictures that are not in the truth; they are left out.
    pub without_truth: Names,
    /// Plates that were not read exactly, picture by picture.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Misread>,
}

/// A plate that was not read exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Misread {
    /// The picture.
    pub picture: Key,
    /// What stands on the plate.
    pub plate: String,
    /// What was read; `None` if nothing was.
    pub reading: Option<String>,
}

impl PlateReport {
    /// What does not match, each kind with its name.
    pub fn unmatched(&self) -> [(&'static str, &Names); 2] {
        [("no record of", &self.without_record), ("not in the truth", &self.without_truth)]
    }
}

impl PlateScore {
    /// A score against `truth`.
    pub fn new(truth: BTreeMap<Key, Vec<TruePlate>>, options: Options) -> Self {
        let (seen, strangers, rejected) = Default::default();
        PlateScore { truth, options, seen, strangers, rejected }
    }

    /// Whether any record was about a picture of the truth.
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// Takes in the record of one picture.
    ///
    /// # Errors
    /// The picture's key, if there was a record of it before: this one is left out.
    pub fn add(&mut self, moment: &Moment, plates: &Plates) -> Result<(), Key> {
        let Some((key, _)) = moment.find(&self.truth) else {
            self.strangers.push(moment.name());
            return Ok(());
        };
        if self.seen.contains_key(&key) {
            return Err(key);
        }
        let mut readings = Vec::new();
        for plate in &plates.plates {
            match &plate.rejected {
                Some(reason) => *self.rejected.entry(reason.clone()).or_default() += 1,
                None => readings.push(Reading::new(plate, &self.options)),
            }
        }
        self.seen.insert(key, readings);
        Ok(())
    }

    /// How right the records are.
    pub fn report(mut self) -> PlateReport {
        let mut tally = Tally::default();
        let mut missing = Vec::new();
        for (key, plates) in &self.truth {
            let readings = self.seen.remove(key).unwrap_or_else(|| {
                missing.push(key);
                Vec::new()
            });
            tally.picture(key, plates, readings, &self.options);
        }
        self.strangers.sort();
        let (with, without) = (Names::of(missing), Names::of(&self.strangers));
        tally.report(&self.options, self.rejected, with, without)
    }
}

impl Reading {
    fn new(plate: &Plate, options: &Options) -> Self {
        let text = normalise(&plate.text, &options.folds);
        let candidates = match plate.candidates.is_empty() {
            true => vec![text.clone()],
            false => {
                let first = plate.candidates.iter().take(options.top);
                first.map(|candidate| normalise(&candidate.text, &options.folds)).collect()
            }
        };
        Reading { text, confidence: plate.confidence, area: area_of(&plate.corners), candidates }
    }
}

/// Intersection over union of two boxes.
fn overlap(a: &[f64; 4], b: &[f64; 4]) -> f64 {
    let width = (a[0] + a[2]).min(b[0] + b[2]) - a[0].max(b[0]);
    let height = (a[1] + a[3]).min(b[1] + b[3]) - a[1].max(b[1]);
    if width <= 0.0 || height <= 0.0 {
        return 0.0;
    }
    let shared = width * height;
    shared / (a[2] * a[3] + b[2] * b[3] - shared)
}

/// Whether the centre of `a` lies in `b`.
fn is_centred_in(a: &[f64; 4], b: &[f64; 4]) -> bool {
    (0..2).all(|axis| (b[axis]..=b[axis] + b[axis + 2]).contains(&(a[axis] + a[axis + 2] / 2.0)))
}

fn is_on(a: &[f64; 4], b: &[f64; 4], iou: f64) -> bool {
    overlap(a, b) >= iou || is_centred_in(a, b) && is_centred_in(b, a)
}

/// For each plate, which reading is its own.
fn pair(plates: &[&TruePlate], readings: &[Reading], iou: f64) -> Vec<Option<usize>> {
    let mut pairs = Vec::new();
    for (p, plate) in plates.iter().enumerate() {
        for (r, reading) in readings.iter().enumerate() {
            if is_on(&plate.area, &reading.area, iou) {
                pairs.push((overlap(&plate.area, &reading.area), reading.confidence, p, r));
            }
        }
    }
    // Between pairs alike in both, later plates and later readings go first: which does not matter, but it must be settled.
    pairs.sort_by(|a, b| b.partial_cmp(a).unwrap_or(Ordering::Equal));
    let mut own = vec![None; plates.len()];
    for (.., p, r) in pairs {
        if own[p].is_none() && !own.contains(&Some(r)) {
            own[p] = Some(r);
        }
    }
    own
}

/// The sums over pictures.
#[derive(Default)]
struct Tally {
    pictures: u64,
    plates: u64,
    texts: u64,
    readings: u64,
    detected_iou: u64,
    detected_on: u64,
    exact: u64,
    anywhere: u64,
    first: u64,
    top: u64,
    edits: u64,
    edits_matched: u64,
    characters: u64,
    characters_matched: u64,
    false_readings: u64,
    pictures_with_false: u64,
    duplicates: u64,
    bins: Bins,
    errors: Vec<Misread>,
}

impl Tally {
    fn picture(&mut self, key: &Key, all: &[TruePlate], mut readings: Vec<Reading>, options: &Options) {
        let (plates, skipped): (Vec<&TruePlate>, Vec<&TruePlate>) =
            all.iter().partition(|plate| plate.legible || !options.skip_illegible);
        let iou = options.iou;
        let on_any = |reading: &Reading, plates: &[&TruePlate]| {
            plates.iter().any(|plate| is_on(&plate.area, &reading.area, iou))
        };
        readings.retain(|reading| !on_any(reading, &skipped) || on_any(reading, &plates));
        let own = pair(&plates, &readings, iou);

        self.pictures += 1;
        self.plates += plates.len() as u64;
        self.readings += readings.len() as u64;
        let on = readings.iter().filter(|reading| on_any(reading, &plates)).count() as u64;
        let not_on = readings.len() as u64 - on;
        self.false_readings += not_on;
        self.pictures_with_false += u64::from(not_on > 0);
        self.duplicates += on - own.iter().flatten().count() as u64;
        for (plate, own) in plates.iter().zip(own) {
            let found = |near: &dyn Fn(&Reading) -> bool| u64::from(readings.iter().any(near));
            self.detected_iou += found(&|reading| overlap(&plate.area, &reading.area) >= iou);
            self.detected_on += found(&|reading| is_on(&plate.area, &reading.area, iou));
            if let Some(text) = &plate.text {
                let want = normalise(text, &options.folds);
                self.read(key, &want, own.map(|r| &readings[r]), &readings);
            }
        }
    }

    /// Counts one plate's text: what was read on it, and elsewhere in the picture.
    fn read(&mut self, key: &Key, want: &[char], own: Option<&Reading>, readings: &[Reading]) {
        let length = want.len() as u64;
        self.texts += 1;
        self.characters += length;
        self.anywhere += u64::from(readings.iter().any(|reading| reading.text == want));
        let first = readings.iter().reduce(|a, b| if b.confidence > a.confidence { b } else { a });
        self.first += u64::from(first.is_some_and(|reading| reading.text == want));
        let exact = own.is_some_and(|own| own.text == want);
        match own {
            None => self.edits += length,
            Some(own) => {
                let edits = edit_distance(want, &own.text);
                self.edits += edits;
                self.edits_matched += edits;
                self.characters_matched += length;
                self.exact += u64::from(exact);
                self.top += u64::from(own.candidates.iter().any(|candidate| candidate == want));
                self.bins.add(own.confidence, exact);
            }
        }
        if !exact {
            self.errors.push(Misread {
                picture: key.clone(),
                plate: want.iter().collect(),
                reading: own.map(|own| own.text.iter().collect()),
            });
        }
    }

    fn report(
        self,
        options: &Options,
        rejected: BTreeMap<String, u64>,
        without_record: Names,
        without_truth: Names,
    ) -> PlateReport {
        let rate = |count: u64, of: u64| (of > 0).then(|| count as f64 / of as f64);
        let a_picture = |count: u64| rate(count, self.pictures).unwrap_or_default();
        PlateReport {
            pictures: self.pictures,
            plates: self.plates,
            readings: self.readings,
            iou: options.iou,
            candidates: options.top,
            detected_iou: Share::new(self.detected_iou, self.plates),
            detected_on: Share::new(self.detected_on, self.plates),
            exact: Share::new(self.exact, self.texts),
            exact_anywhere: Share::new(self.anywhere, self.texts),
            exact_first: Share::new(self.first, self.texts),
            top: Share::new(self.top, self.texts),
            right: Share::new(self.exact, self.readings),
            cer_all: rate(self.edits, self.characters),
            cer_matched: rate(self.edits_matched, self.characters_matched),
            false_readings: self.false_readings,
            pictures_with_false: self.pictures_with_false,
            false_per_picture: a_picture(self.false_readings),
            duplicates: self.duplicates,
            duplicates_per_picture: a_picture(self.duplicates),
            rejected,
            reliability: self.bins.report(),
            without_record,
            without_truth,
            errors: self.errors,
        }
    }
}
