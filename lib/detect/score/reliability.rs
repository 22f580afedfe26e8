//! Whether confidence means what it says.

use serde::Serialize;

use super::rates::Share;

/// The lower edges of the bins; the last ends at 1.
const EDGES: [f64; 8] = [0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99];
/// The confidence from which on an answer is acted upon.
const SURE: f64 = 0.9;
/// Confidences are summed in millionths, so that their order does not matter.
const UNIT: f64 = 1e6;

/// Answers gathered by their confidence.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bins([Bin; EDGES.len()]);

#[derive(Debug, Clone, Copy, Default)]
struct Bin {
    answers: u64,
    right: u64,
    sum: u64,
}

impl Bins {
    pub(super) fn add(&mut self, confidence: f64, right: bool) {
        let at = EDGES.iter().rposition(|edge| confidence >= *edge).unwrap_or(0);
        let bin = &mut self.0[at];
        bin.answers += 1;
        bin.right += u64::from(right);
        bin.sum += (confidence.clamp(0.0, 1.0) * UNIT).round() as u64;
    }

    pub(super) fn report(&self) -> Reliability {
        let tops = EDGES[1..].iter().chain([&1.0]);
        let bins: Vec<Level> = self
            .0
            .iter()
            .zip(EDGES.iter().zip(tops))
            .filter(|(bin, _)| bin.answers > 0)
            .map(|(bin, (from, to))| Level {
                from: *from,
                to: *to,
                confidence: bin.sum as f64 / UNIT / bin.answers as f64,
                right: Share::new(bin.right, bin.answers),
            })
            .collect();
        let all: u64 = self.0.iter().map(|bin| bin.answers).sum();
        let off = |level: &Level| {
            (level.confidence - level.right.rate.unwrap_or_default()).abs() * level.right.of as f64
        };
        let sure = bins.iter().filter(|level| level.from >= SURE).map(|level| level.right);
        let (right, of) = sure.fold((0, 0), |(right, of), share| (right + share.count, of + share.of));
        Reliability {
            sure: Share::new(right, of),
            off: (all > 0).then(|| bins.iter().map(off).sum::<f64>() / all as f64),
            bins,
        }
    }
}

/// How often answers of each confidence are right.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reliability {
    /// How many of the answers with a confidence of 0.9 and over are right.
    pub sure: Share,
    /// How far confidence is from the share that is right, on average (expected calibration error).
    pub off: Option<f64>,
    /// The answers by confidence; bins without any are left out.
    pub bins: Vec<Level>,
}

/// The answers within a bin of confidence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Level {
    /// The lower edge, included.
    pub from: f64,
    /// The upper edge, not included but for 1.
    pub to: f64,
    /// The mean of their confidence.
    pub confidence: f64,
    /// How many are right.
    pub right: Share,
}
