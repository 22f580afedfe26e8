//! `slots` records held against the slots' true states.

use std::collections::{BTreeMap, BTreeSet};

use park_core::record::vision::{SlotReading, SlotState, Slots, UnknownCause};
use serde::Serialize;

use super::key::{Key, Moment, Names};
use super::labels::{Known, Labels};
use super::rates::{Hourly, Share};
use super::reliability::{Bins, Reliability};
use super::truth::TrueSlot;

/// Gathers `slots` records and says how right they are. The order in which they come does not matter.
#[derive(Debug)]
pub struct SlotScore {
    truth: Labels,
    is_video: bool,
    seen: BTreeSet<Key>,
    strangers: Vec<Key>,
    unmapped: BTreeSet<String>,
    /// Of each slot of the truth.
    tallies: Vec<Tally>,
    causes: BTreeMap<String, u64>,
    bins: Bins,
    errors: Vec<WrongSlot>,
    /// For flips.
    run: Vec<Instant>,
}

/// A record's time and number, and each slot's state and truth then.
type Instant = ((i64, u64), Vec<(Known, Known)>);

/// Of one slot: labelled occupied, then free; in each how often said occupied, free, unknown.
type Tally = [[u64; 3]; 2];

/// How right `slots` records are.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SlotReport {
    /// Records about pictures of the truth.
    pub records: u64,
    /// States in the truth that could be held against a reading.
    pub labelled: u64,
    /// Labelled states that were told right; unknown is not right.
    pub accuracy: Share,
    /// The same among those that were told at all.
    pub accuracy_known: Share,
    /// Readings of occupied that are right.
    pub precision: Share,
    /// Occupied slots that were told so; unknown is not.
    pub recall: Share,
    /// Labelled states that were not told.
    pub unknown: Share,
    /// Why they were not, by cause; `no_reading` is a slot without a reading, or a picture without a record.
    pub causes: BTreeMap<String, u64>,
    /// What was said of slots that are occupied.
    pub occupied: Said,
    /// What was said of slots that are free.
    pub free: Said,
    /// Changes of state, where the truth tells frames of a video by number or time.
    pub flips: Option<Flips>,
    /// How often states that were told are right, by their confidence.
    pub reliability: Reliability,
    /// Each slot by itself.
    pub slots: Vec<OneSlot>,
    /// Pictures of the truth without a record.
    pub without_record: Names,
    /// Records about pictures that are not in the truth; they are left out.
    pub without_truth: Names,
    /// Slots that were read but are not in the truth; they are left out.
    pub slots_without_truth: Names,
    /// Readings that are wrong, picture by picture.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<WrongSlot>,
}

/// What was said of slots in one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Said {
    /// How often that they are occupied.
    pub occupied: u64,
    /// How often that they are free.
    pub free: u64,
    /// How often nothing.
    pub unknown: u64,
}

/// Changes between occupied and free; unknown in between is no change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Flips {
    /// Changes in the readings of all slots in the truth.
    pub count: u64,
    /// Changes in the truth.
    pub true_changes: u64,
    /// Changes in the readings beyond those in the truth, slot by slot, an hour of event time over the whole lot.
    pub too_many: Hourly,
}

/// One slot.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OneSlot {
    /// Its id.
    pub slot_id: String,
    /// Labelled states that were told right.
    pub accuracy: Share,
    /// Labelled states that were not told.
    pub unknown: u64,
    /// Changes beyond those in the truth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub too_many_flips: Option<u64>,
}

/// A reading that is wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WrongSlot {
    /// The picture.
    pub picture: Key,
    /// The slot.
    pub slot_id: String,
    /// What was said of it.
    pub said: SlotState,
    /// How sure that was.
    pub confidence: f64,
}

impl SlotReport {
    /// What does not match, each kind with its name.
    pub fn unmatched(&self) -> [(&'static str, &Names); 3] {
        [
            ("no record of", &self.without_record),
            ("not in the truth", &self.without_truth),
            ("slots not in the truth", &self.slots_without_truth),
        ]
    }
}

impl SlotScore {
    /// A score against `truth`. With `hold`, each line of the truth holds until the next that names the slot.
    ///
    /// # Errors
    /// With `hold`, when the truth does not tell all frames by number, or all by time.
    pub fn new(truth: BTreeMap<Key, Vec<TrueSlot>>, hold: bool) -> Result<Self, String> {
        let truth = Labels::new(truth, hold)?;
        let is_video = truth.is_video();
        let tallies = vec![Tally::default(); truth.names().len()];
        let (seen, strangers, unmapped, causes) = Default::default();
        let (bins, errors, run) = Default::default();
        Ok(SlotScore { truth, is_video, seen, strangers, unmapped, tallies, causes, bins, errors, run })
    }

    /// Whether no record was about a picture of the truth.
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// Takes in the record of one picture.
    ///
    /// # Errors
    /// The picture's key, if there was a record of it before: this one is left out.
    pub fn add(&mut self, moment: &Moment, slots: &Slots) -> Result<(), Key> {
        let found = self.truth.at(moment);
        if let Some((key, _)) = &found
            && !self.seen.insert(key.clone())
        {
            return Err(key.clone());
        }
        let mut readings = vec![None; self.tallies.len()];
        for reading in &slots.slots {
            match self.truth.names().binary_search(&reading.slot_id) {
                Ok(at) => readings[at] = Some(reading),
                Err(_) => drop(self.unmapped.insert(reading.slot_id.clone())),
            }
        }
        if let Some(time) = moment.time.filter(|_| self.is_video) {
            let labels = found.as_ref().map_or(&[][..], |(_, labels)| labels);
            let label = |at: usize| labels.get(at).copied().flatten();
            let state = |reading: &Option<&SlotReading>| reading.and_then(|reading| known(reading.state));
            let row = readings.iter().enumerate().map(|(at, reading)| (state(reading), label(at)));
            self.run.push(((time.millis(), moment.seq), row.collect()));
        }
        match found {
            None => self.strangers.push(moment.name()),
            Some((_, labels)) => self.judge(&moment.name(), &labels, &readings),
        }
        Ok(())
    }

    /// Counts what was said of the slots in a picture.
    fn judge(&mut self, picture: &Key, labels: &[Known], readings: &[Option<&SlotReading>]) {
        for (at, (label, reading)) in labels.iter().zip(readings).enumerate() {
            let Some(occupied) = *label else { continue };
            let said = reading.map_or(SlotState::Unknown, |reading| reading.state);
            let column = match said {
                SlotState::Occupied => 0,
                SlotState::Free => 1,
                SlotState::Unknown => 2,
            };
            self.tallies[at][usize::from(!occupied)][column] += 1;
            match (known(said), reading) {
                (Some(state), Some(reading)) => {
                    self.bins.add(reading.confidence, state == occupied);
                    if state != occupied {
                        let (picture, slot_id) = (picture.clone(), reading.slot_id.clone());
                        let confidence = reading.confidence;
                        self.errors.push(WrongSlot { picture, slot_id, said, confidence });
                    }
                }
                (_, reading) => {
                    let cause = reading.map_or("no_reading".to_owned(), |reading| word(reading.cause));
                    *self.causes.entry(cause).or_default() += 1;
                }
            }
        }
    }

    /// How right the records are.
    pub fn report(mut self) -> SlotReport {
        let unseen = self.truth.pictures().filter(|(key, _)| !self.seen.contains(key));
        let missing: Vec<(Key, Vec<Known>)> =
            unseen.map(|(key, labels)| (key.clone(), labels.clone())).collect();
        for (key, labels) in &missing {
            self.judge(key, labels, &vec![None; labels.len()]);
        }
        let (flips, too_many) = self.flips();
        let [occupied, free] = [0, 1].map(|row| {
            let sum = |column: usize| self.tallies.iter().map(|tally| tally[row][column]).sum();
            Said { occupied: sum(0), free: sum(1), unknown: sum(2) }
        });
        let right = occupied.occupied + free.free;
        let unknown = occupied.unknown + free.unknown;
        let labelled = occupied.sum() + free.sum();
        self.strangers.sort();
        self.errors.sort_by(|a, b| (&a.picture, &a.slot_id).cmp(&(&b.picture, &b.slot_id)));
        let one = |(at, tally): (usize, &Tally)| OneSlot {
            slot_id: self.truth.names()[at].clone(),
            accuracy: Share::new(tally[0][0] + tally[1][1], tally.iter().flatten().sum()),
            unknown: tally[0][2] + tally[1][2],
            too_many_flips: too_many.get(at).copied(),
        };
        SlotReport {
            records: self.seen.len() as u64,
            labelled,
            accuracy: Share::new(right, labelled),
            accuracy_known: Share::new(right, labelled - unknown),
            precision: Share::new(occupied.occupied, occupied.occupied + free.occupied),
            recall: Share::new(occupied.occupied, occupied.sum()),
            unknown: Share::new(unknown, labelled),
            causes: self.causes,
            occupied,
            free,
            flips,
            reliability: self.bins.report(),
            slots: self.tallies.iter().enumerate().map(one).collect(),
            without_record: Names::of(missing.iter().map(|(key, _)| key)),
            without_truth: Names::of(&self.strangers),
            slots_without_truth: Names::of(&self.unmapped),
            errors: self.errors,
        }
    }

    /// The flips of all slots, and those too many of each.
    fn flips(&mut self) -> (Option<Flips>, Vec<u64>) {
        self.run.sort();
        let (Some(((first, _), _)), Some(((last, _), _))) = (self.run.first(), self.run.last()) else {
            return (None, Vec::new());
        };
        let hours = last.saturating_sub(*first) as f64 / 3.6e6;
        let (mut count, mut true_changes) = (0, 0);
        let mut too_many = Vec::new();
        for at in 0..self.tallies.len() {
            let said = changes(self.run.iter().map(|(_, row)| row[at].0));
            let really = changes(self.run.iter().map(|(_, row)| row[at].1));
            count += said;
            true_changes += really;
            too_many.push(said.saturating_sub(really));
        }
        let sum = too_many.iter().sum();
        (Some(Flips { count, true_changes, too_many: Hourly::new(sum, hours) }), too_many)
    }
}

/// How often the known of `states` change.
fn changes(states: impl Iterator<Item = Known>) -> u64 {
    let mut last = None;
    let changed = states.flatten().filter(|state| last.replace(*state).is_some_and(|last| last != *state));
    changed.count() as u64
}

fn known(state: SlotState) -> Known {
    match state {
        SlotState::Occupied => Some(true),
        SlotState::Free => Some(false),
        SlotState::Unknown => None,
    }
}

/// The cause as it stands in a record.
fn word(cause: Option<UnknownCause>) -> String {
    let value = cause.and_then(|cause| serde_json::to_value(cause).ok());
    value.as_ref().and_then(|value| value.as_str()).unwrap_or("no_cause").to_owned()
}

impl Said {
    fn sum(self) -> u64 {
        self.occupied + self.free + self.unknown
    }
}
