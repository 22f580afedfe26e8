//! From features to a state and its probability.

use park_core::record::vision::{SlotState, UnknownCause};

use super::features::{Features, Measurement, Scene};

/// Everything that was fitted or chosen, in one table.
///
/// `weights` and `bias` are a logistic regression (ridge, both classes weighed the same) on the 600 slots of PKLot's
/// camera UFPR05 (Almeida et al., 2015, CC BY 4.0) and on our own rendered lot (testdata/lot/lot.mp4, lot-night.mp4), each seen shifted,
/// dimmed, blurred and in noise as well: `cargo run -p park-detect --example slots -- fit PKLOT testdata/lot/lot*.mp4`
/// prints them anew.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameters {
    /// Of edges, spread, deviation, offset and coloured, see [`Features`].
    pub weights: [f64; 5],
    /// What the weighed sum starts from.
    pub bias: f64,
    /// Nearer to an even chance than this, a slot is unsure.
    pub unsure: f64,
    /// A slot whose brightest twentieth is darker than this grey level is too dark to see.
    pub dark: f64,
}

/// The parameters in use.
pub const PARAMETERS: Parameters =
    Parameters { weights: [8.61, 5.27, 7.65, 5.36, 8.51], bias: -8.79, unsure: 0.03, dark: 14.0 };

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
}

impl Parameters {
    /// How likely a slot with these features holds a vehicle.
    pub fn probability(&self, features: Features) -> f64 {
        let sum: f64 =
            self.weights.iter().zip(features.to_array()).map(|(weight, value)| weight * value).sum();
        1.0 / (1.0 + (-(self.bias + sum)).exp())
    }

    /// The state of a slot from its patch and the frame around it.
    pub fn judge(&self, patch: &Measurement, scene: Scene) -> Verdict {
        if patch.level(0.95) < self.dark {
            return Verdict::unknown(UnknownCause::Dark);
        }
        let occupied = self.probability(patch.features(scene));
        if (occupied - 0.5).abs() < self.unsure {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn features([edges, spread, deviation, offset, coloured]: [f64; 5]) -> Features {
        Features { edges, spread, deviation, offset, coloured }
    }

    #[test]
    fn more_of_anything_speaks_for_a_vehicle() {
        let bare = features([0.02, 0.03, 0.04, 0.05, 0.0]);
        let full = features([0.4, 0.6, 0.5, 0.5, 0.1]);
        assert!(PARAMETERS.probability(bare) < 0.01);
        assert!(PARAMETERS.probability(full) > 0.95);
        let low = bare.to_array();
        for at in 0..5 {
            let mut more = low;
            more[at] += 0.1;
            assert!(PARAMETERS.probability(features(more)) > PARAMETERS.probability(bare), "feature {at}");
        }
    }
}
