//! Places taken, free and unknown.

use park_core::record::lot::CountedBy;
use park_core::record::vision::SlotState;
use serde::{Deserialize, Serialize};

/// How many places there are, and how many of them are taken, free, unknown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Places in all.
    pub total: u32,
    /// Places taken.
    pub occupied: u32,
    /// Places free.
    pub free: u32,
    /// Places that cannot be told.
    pub unknown: u32,
}

impl Count {
    /// The count by slots: `states` of those that were read, of `known` slots in all. Places that no slot stands for
    /// are unknown. Taken, free and unknown make up the total.
    pub fn by_slots(states: impl Iterator<Item = SlotState>, known: usize, capacity: Option<u32>) -> Count {
        let mut count = Count::default();
        for state in states {
            match state {
                SlotState::Occupied => count.occupied += 1,
                SlotState::Free => count.free += 1,
                SlotState::Unknown => {}
            }
        }
        let known = u32::try_from(known).unwrap_or(u32::MAX);
        count.total = known.max(capacity.unwrap_or(0)).max(count.occupied + count.free);
        count.unknown = count.total - count.occupied - count.free;
        count
    }

    /// The count by gates: `inside` of `capacity`, which is 0 if nobody says it. More may be inside than there are
    /// places.
    pub fn by_gates(inside: u32, capacity: Option<u32>) -> Count {
        let total = capacity.unwrap_or(0);
        Count { total, occupied: inside, free: total.saturating_sub(inside), unknown: 0 }
    }

    /// Taken of all, 0 to 1; 0 if there are no places.
    pub fn rate(&self) -> f64 {
        if self.total == 0 { 0.0 } else { (f64::from(self.occupied) / f64::from(self.total)).min(1.0) }
    }
}

/// What was last said of a lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The count.
    pub count: Count,
    /// What it rests on.
    pub counted_by: CountedBy,
    /// Vehicles inside by the gates.
    pub by_gates: Option<u32>,
}
