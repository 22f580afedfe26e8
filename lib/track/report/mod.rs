//! What there is to say at the end: counts and a table, pure formatting.

use std::collections::BTreeMap;

use park_core::record::lot::{AlertStatus, CountedBy, ViolationStatus};

use crate::rules::{Said, Tracker, What};

/// What was read and said in this run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    entries: u64,
    exits: u64,
    readings: u64,
    slot_changes: u64,
    violations: u64,
    alerts: u64,
}

impl Tally {
    /// Counts something that was read.
    pub fn hear(&mut self, what: &What<'_>) {
        match what {
            What::Entry(_) => self.entries += 1,
            What::Exit(_) => self.exits += 1,
            What::Slots(_) => self.readings += 1,
            _ => {}
        }
    }

    /// Counts something that is said; an end is not counted again.
    pub fn say(&mut self, said: &Said) {
        match said {
            Said::SlotChanged(_) => self.slot_changes += 1,
            Said::Violation(it) if it.status == ViolationStatus::Pending => self.violations += 1,
            Said::Alert(it) if it.status == AlertStatus::Active => self.alerts += 1,
            _ => {}
        }
    }

    /// The counts by name.
    pub fn counters(&self) -> BTreeMap<String, u64> {
        [
            ("entries", self.entries),
            ("exits", self.exits),
            ("slot_readings", self.readings),
            ("slot_changes", self.slot_changes),
            ("violations", self.violations),
            ("alerts", self.alerts),
        ]
        .map(|(name, count)| (name.to_owned(), count))
        .into()
    }
}

/// How a lot stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    lot: String,
    numbers: [Option<u64>; 7],
    counted_by: Option<CountedBy>,
}

/// How every lot stands.
pub fn rows(tracker: &Tracker) -> Vec<Row> {
    let row = |(id, lot): (&String, &crate::rules::lot::Lot)| {
        let told = lot.count(tracker.plans().of(id));
        let count = |of: fn(crate::rules::count::Count) -> u32| told.map(|told| u64::from(of(told.count)));
        Row {
            lot: if id.is_empty() { "-".to_owned() } else { id.clone() },
            numbers: [
                count(|count| count.total),
                count(|count| count.occupied),
                count(|count| count.free),
                count(|count| count.unknown),
                told.and_then(|told| told.by_gates).map(u64::from),
                Some(lot.violations.open().count() as u64),
                Some(lot.alerts.len() as u64),
            ],
            counted_by: told.map(|told| told.counted_by),
        }
    };
    tracker.state().lots.iter().map(row).collect()
}

/// The table, a line each, columns aligned; `-` is what is not known.
pub fn table(rows: &[Row]) -> Vec<String> {
    let head =
        ["lot", "places", "occupied", "free", "unknown", "by gates", "violations", "alerts", "counted by"];
    let mut cells = vec![head.map(str::to_owned)];
    cells.extend(rows.iter().map(|row| {
        let number = |at: usize| row.numbers[at].map_or("-".to_owned(), |number| number.to_string());
        let by = match row.counted_by {
            Some(CountedBy::Slots) => "slots",
            Some(CountedBy::Gates) => "gates",
            None => "-",
        };
        let [a, b, c, d, e, f, g] = std::array::from_fn(number);
        [row.lot.clone(), a, b, c, d, e, f, g, by.to_owned()]
    }));
    let widths: [usize; 9] = std::array::from_fn(|column| {
        cells.iter().map(|line| line[column].chars().count()).max().unwrap_or(0)
    });
    let line = |line: &[String; 9]| {
        let columns = line.iter().zip(widths).enumerate().map(|(at, (cell, width))| {
            // Numbers to the right, words to the left.
            if (1..8).contains(&at) { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        columns.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    cells.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_of_the_table_stand_below_each_other() {
        let row = Row {
            lot: "lot_1".into(),
            numbers: [Some(12), Some(3), Some(8), Some(1), None, Some(0), Some(100)],
            counted_by: Some(CountedBy::Slots),
        };
        assert_eq!(
            table(&[row]),
            [
                "lot    places  occupied  free  unknown  by gates  violations  alerts  counted by",
                "lot_1      12         3     8        1         -           0     100  slots",
            ]
        );
    }
}
