//! From odds to a state and its probability.

use park_core::record::vision::{SlotState, UnknownCause};

use super::patch::Patch;

/// Nearer to an even chance than this, a slot is unsure.
const UNSURE: f64 = 0.02;
/// A slot whose brightest twentieth is darker than this grey level is too dark to see.
const DARK: f64 = 14.0;

/// What one frame says of one slot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// The state.
    pub state: SlotState,
    /// How likely it is right; of an unknown state, 0.
    pub confidence: f64,
    /// Why it is unknown.
    pub cause: Option<UnknownCause>,
}

impl Verdict {
    /// A state that cannot be told.
    pub fn unknown(cause: UnknownCause) -> Self {
        Verdict { state: SlotState::Unknown, confidence: 0.0, cause: Some(cause) }
    }

    /// The state of a slot that is occupied by these odds (logarithm).
    pub fn of(patch: &Patch, odds: f64) -> Self {
        if is_dark(patch) {
            return Verdict::unknown(UnknownCause::Dark);
        }
        let occupied = 1.0 / (1.0 + (-odds).exp());
        if (occupied - 0.5).abs() < UNSURE {
            return Verdict::unknown(UnknownCause::Unsure);
        }
        let (state, confidence) = match occupied > 0.5 {
            true => (SlotState::Occupied, occupied),
            false => (SlotState::Free, 1.0 - occupied),
        };
        // Four decimals are more than it is good for, and keep the records short.
        Verdict { state, confidence: (confidence * 1e4).round() / 1e4, cause: None }
    }
}

/// Whether a slot is too dark to see.
pub fn is_dark(patch: &Patch) -> bool {
    patch.level(0.95) < DARK
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::patch::{HEIGHT, WIDTH};
    use super::*;

    fn patch(level: u8) -> Patch {
        Patch::new(&vec![level; 3 * WIDTH * HEIGHT]).unwrap()
    }

    #[test]
    fn odds_become_a_state_or_doubt() {
        let verdict = |odds| Verdict::of(&patch(90), odds);
        assert_eq!((verdict(3.0).state, verdict(3.0).confidence), (SlotState::Occupied, 0.9526));
        assert_eq!((verdict(-3.0).state, verdict(-3.0).confidence), (SlotState::Free, 0.9526));
        assert_eq!(verdict(0.05), Verdict::unknown(UnknownCause::Unsure));
        assert_eq!((verdict(-0.1).state, verdict(-0.1).confidence), (SlotState::Free, 0.525));
        assert_eq!(Verdict::of(&patch(8), 3.0), Verdict::unknown(UnknownCause::Dark));
    }
}
