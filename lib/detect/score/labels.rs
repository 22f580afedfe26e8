//! What the truth says of every slot at a moment.

use std::collections::{BTreeMap, BTreeSet};

use super::key::{Key, Moment};
use super::truth::TrueSlot;

/// Whether a slot is occupied, as far as it is known.
pub(super) type Known = Option<bool>;

/// The truth, ready to be asked; slots stand in the order of [`Labels::names`].
#[derive(Debug)]
pub(super) struct Labels {
    names: Vec<String>,
    lines: Lines,
}

#[derive(Debug)]
enum Lines {
    /// Each line is about one picture.
    Pictures(BTreeMap<Key, Vec<Known>>),
    /// Each line holds until the next that names the slot: for each slot, since when what holds.
    Held { by_seq: bool, since: Vec<BTreeMap<Key, Known>> },
}

impl Labels {
    /// With `hold`, each line holds until the next that names the slot; all lines must then name frames by number, or all by time.
    pub(super) fn new(truth: BTreeMap<Key, Vec<TrueSlot>>, hold: bool) -> Result<Self, String> {
        let by_seq = truth.keys().all(|key| matches!(key, Key::Seq(_)));
        let by_time = truth.keys().all(|key| matches!(key, Key::Time(_)));
        if hold && !by_seq && !by_time {
            return Err(
                "states hold in a video only: name every frame by seq, or every one by timestamp".into()
            );
        }
        let names: BTreeSet<String> = truth.values().flatten().map(|slot| slot.slot_id.clone()).collect();
        let names: Vec<String> = names.into_iter().collect();
        let mut pictures = BTreeMap::new();
        let mut since = vec![BTreeMap::new(); names.len()];
        for (key, slots) in truth {
            let labels = pictures.entry(key.clone()).or_insert_with(|| vec![None; names.len()]);
            for slot in slots {
                if let Ok(at) = names.binary_search(&slot.slot_id) {
                    labels[at] = slot.occupied;
                    since[at].insert(key.clone(), slot.occupied);
                }
            }
        }
        let lines = if hold { Lines::Held { by_seq, since } } else { Lines::Pictures(pictures) };
        Ok(Labels { names, lines })
    }

    /// The slots that the truth names, sorted.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// The key of a record, and what is true then of each slot; `None` if the truth says nothing of that moment.
    pub(super) fn at(&self, moment: &Moment) -> Option<(Key, Vec<Known>)> {
        match &self.lines {
            Lines::Pictures(pictures) => moment.find(pictures).map(|(key, labels)| (key, labels.clone())),
            Lines::Held { by_seq, since } => {
                let key = if *by_seq { Key::Seq(moment.seq) } else { Key::Time(moment.time?) };
                let last =
                    |steps: &BTreeMap<Key, Known>| steps.range(..=&key).next_back().map(|(_, label)| *label);
                let labels: Vec<Option<Known>> = since.iter().map(last).collect();
                let any = labels.iter().any(Option::is_some);
                any.then(|| (key, labels.into_iter().map(Option::flatten).collect()))
            }
        }
    }

    /// The pictures that the truth names one by one, with what is true in them.
    pub(super) fn pictures(&self) -> impl Iterator<Item = (&Key, &Vec<Known>)> {
        let pictures = match &self.lines {
            Lines::Pictures(pictures) => Some(pictures),
            Lines::Held { .. } => None,
        };
        pictures.into_iter().flatten()
    }

    /// Whether it is about frames of a video, told by number or time.
    pub(super) fn is_video(&self) -> bool {
        !self.pictures().any(|(key, _)| matches!(key, Key::File(_)))
    }
}
