//! Many readings of one plate become one: characters are voted on, each reading with its own confidence, from far away with
//! less.

use std::collections::BTreeMap;

use park_core::record::vision::{Candidate, Plate};

/// Texts remembered; beyond it, the one read least often is forgotten. A parked car must not fill the memory.
const TEXTS: usize = 24;
/// Other readings that are worth telling.
const CANDIDATES: usize = 5;

/// The readings of one plate, by text.
#[derive(Debug, Clone, Default)]
pub(super) struct Votes {
    texts: BTreeMap<String, Ballot>,
}

/// All readings of one text.
#[derive(Debug, Clone)]
struct Ballot {
    frames: u32,
    /// What these frames count for.
    worth: f64,
    /// How clearly these frames showed the plate, summed.
    clear: f64,
    /// Summed confidence of the whole text, each times how clearly the plate was shown.
    weight: f64,
    /// The same of each character.
    characters: Vec<(char, f64)>,
}

/// What the votes say.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Outcome {
    pub text: String,
    /// The weakest character's share of the votes for its place, times its mean confidence.
    pub confidence: f64,
    /// The weakest character's share of the votes for its place alone.
    pub share: f64,
    /// What the frames that read exactly this text count for.
    pub agreeing: f64,
    /// Other readings, best first, with their share of all votes.
    pub others: Vec<Candidate>,
}

impl Votes {
    /// Takes a reading, which counts for `worth` of a frame, of a plate shown so `clear`ly (over 0, to 1).
    pub fn add(&mut self, text: &str, plate: &Plate, worth: f64, clear: f64) {
        let chars: Vec<char> = text.chars().collect();
        // Characters that do not spell the text say nothing of it: then the whole's confidence is each one's.
        let each: Vec<f64> = if plate.characters.iter().map(|c| c.char).eq(chars.iter().copied()) {
            plate.characters.iter().map(|c| c.confidence).collect()
        } else {
            vec![plate.confidence; chars.len()]
        };
        let ballot = self.texts.entry(text.to_owned()).or_insert_with(|| Ballot {
            frames: 0,
            worth: 0.0,
            clear: 0.0,
            weight: 0.0,
            characters: chars.iter().map(|c| (*c, 0.0)).collect(),
        });
        ballot.frames += 1;
        ballot.worth += worth;
        ballot.clear += clear;
        ballot.weight += clear * plate.confidence;
        for (sum, confidence) in ballot.characters.iter_mut().zip(each) {
            sum.1 += clear * confidence;
        }
        if self.texts.len() > TEXTS {
            let least =
                self.texts.iter().min_by_key(|(_, ballot)| ballot.frames).map(|(text, _)| text.clone());
            self.texts.remove(&least.unwrap_or_default());
        }
    }

    /// Whether any reading may be of the same plate as `text`.
    pub fn any(&self, mut like: impl FnMut(&str) -> bool) -> bool {
        self.texts.keys().any(|text| like(text))
    }

    /// The votes for exactly this text.
    pub fn weight(&self, text: &str) -> f64 {
        self.texts.get(text).map_or(0.0, |ballot| ballot.weight)
    }

    /// The text whose length has the most votes, character by character the one with the most.
    pub fn outcome(&self) -> Option<Outcome> {
        let mut lengths: BTreeMap<usize, f64> = BTreeMap::new();
        for ballot in self.texts.values() {
            *lengths.entry(ballot.characters.len()).or_default() += ballot.weight;
        }
        let length = heaviest(lengths.into_iter())?.0;
        let (mut text, mut confidence, mut weakest) = (String::new(), 1.0f64, 1.0f64);
        for place in 0..length {
            let mut sums: BTreeMap<char, (f64, f64)> = BTreeMap::new();
            for ballot in self.texts.values().filter(|ballot| ballot.characters.len() == length) {
                let (c, weight) = ballot.characters[place];
                let sum = sums.entry(c).or_default();
                *sum = (sum.0 + weight, sum.1 + ballot.clear);
            }
            let all: f64 = sums.values().map(|(weight, _)| weight).sum();
            let (c, weight) = heaviest(sums.iter().map(|(c, (weight, _))| (*c, *weight)))?;
            text.push(c);
            let (share, mean) = (weight / all.max(f64::MIN_POSITIVE), weight / sums[&c].1);
            confidence = confidence.min(share * mean);
            weakest = weakest.min(share);
        }
        let total: f64 = self.texts.values().map(|ballot| ballot.weight).sum();
        let mut others: Vec<Candidate> = self
            .texts
            .iter()
            .filter(|(other, _)| **other != text)
            .map(|(other, ballot)| Candidate {
                text: other.clone(),
                confidence: rounded(ballot.weight / total.max(f64::MIN_POSITIVE)),
            })
            .collect();
        others.sort_by(|a, b| b.confidence.total_cmp(&a.confidence).then_with(|| a.text.cmp(&b.text)));
        others.truncate(CANDIDATES);
        let agreeing = self.texts.get(&text).map_or(0.0, |ballot| ballot.worth);
        Some(Outcome { text, confidence: rounded(confidence), share: weakest, agreeing, others })
    }
}

/// The entry with the most weight; the first of equals.
fn heaviest<K>(entries: impl Iterator<Item = (K, f64)>) -> Option<(K, f64)> {
    entries.reduce(|best, next| if next.1 > best.1 { next } else { best })
}

/// Three decimals are all that a confidence means.
fn rounded(confidence: f64) -> f64 {
    (confidence.clamp(0.0, 1.0) * 1000.0).round() / 1000.0
}
