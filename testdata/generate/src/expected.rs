//! What the gate pipelines should find in the recordings, and the lists of the demonstration.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::files;
use crate::gate::Truth;

/// Seconds by which a decision's time may differ from the standstill that it is measured from.
pub const TOLERANCE_S: f32 = 5.0;

/// An entry or an exit that a pipeline should report.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    /// `parking_entry` or `parking_exit`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Gate.
    pub gate_id: String,
    /// Recording.
    pub recording: String,
    /// Plate, capitals and digits only.
    pub plate: String,
    /// Time at which the car stands before the barrier.
    pub timestamp: String,
    /// Seconds since the entry, of an exit whose entry was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_s: Option<f32>,
}

/// All that is expected of `gate-day.mp4` followed by `gate-out.mp4`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Expected {
    /// Seconds by which timestamps and durations may differ.
    pub tolerance_s: f32,
    /// Entries, then exits, in order of time.
    pub events: Vec<Event>,
    /// Plates that leave without having been seen to enter.
    pub exits_without_entry: Vec<String>,
    /// Plates that are inside at the end.
    pub still_inside: Vec<String>,
}

fn at(truth: &Truth, frame: usize) -> String {
    files::time(&truth.start, frame as f32 / truth.fps as f32)
}

fn seconds(time: &str) -> f32 {
    let clock = time.get(11..).unwrap_or_default().trim_end_matches('Z');
    clock.split(':').fold(0.0, |sum, part| sum * 60.0 + part.parse::<f32>().unwrap_or(0.0))
}

/// Pairs the entries with the exits.
pub fn pair(entries: &Truth, exits: &Truth) -> Expected {
    let event = |kind: &str, gate: &str, recording: &str, truth: &Truth, plate: &str, frame: usize| Event {
        kind: kind.to_owned(),
        gate_id: gate.to_owned(),
        recording: recording.to_owned(),
        plate: plate.to_owned(),
        timestamp: at(truth, frame),
        duration_s: None,
    };
    let mut events: Vec<Event> = entries
        .passages
        .iter()
        .map(|p| event("parking_entry", "gate_in", "gate-day.mp4", entries, &p.plate, p.stopped_at))
        .collect();
    let (mut inside, mut strangers): (Vec<Event>, Vec<String>) = (events.clone(), Vec::new());
    for p in &exits.passages {
        let mut out = event("parking_exit", "gate_out", "gate-out.mp4", exits, &p.plate, p.stopped_at);
        match inside.iter().position(|e| e.plate == p.plate) {
            Some(i) => {
                let came = seconds(&inside.remove(i).timestamp);
                out.duration_s = Some(((seconds(&out.timestamp) - came) * 100.0).round() / 100.0);
                events.push(out);
            }
            None => strangers.push(p.plate.clone()),
        }
    }
    Expected {
        tolerance_s: TOLERANCE_S,
        events,
        exits_without_entry: strangers,
        still_inside: inside.into_iter().map(|e| e.plate).collect(),
    }
}

/// Writes `expected.json` from the truth files in `folder`, and the lists.
///
/// # Errors
/// A sentence on what could not be read or written.
pub fn write(folder: &Path) -> Result<(), String> {
    let truth = |name: &str| -> Result<Truth, String> {
        let path = folder.join(name);
        let text = std::fs::read_to_string(&path).map_err(|e| format!("read {}: {e}", path.display()))?;
        serde_json::from_str(&text).map_err(|e| format!("parse {}: {e}", path.display()))
    };
    let (entries, exits) = (truth("gate-day.truth.json")?, truth("gate-out.truth.json")?);
    files::json(&folder.join("expected.json"), &pair(&entries, &exits))?;
    let allow = "# Plates that may enter, one a line.\nAZJ6991   # resident\nB1482KXF\nRKJ4F82\nKV21ZDR\n\n# staff\nMH12AB1234\n";
    let deny = "# Plates that may not enter, one a line.\nD7305LMA  # unpaid\n";
    files::write(&folder.join("allow.txt"), allow.as_bytes())?;
    files::write(&folder.join("deny.txt"), deny.as_bytes())
}
