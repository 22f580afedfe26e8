//! What is looked for in frames: plates, slots, nothing.

use std::time::Duration;

use opencv::core::Mat;
use park_core::cli::StateFile;
use park_core::record::vision::{Candidate, Character, Plate, Plates, Slots};
use park_core::record::{Time, encode};
use park_core::{Error, Kind, Result};

use crate::error::Kind as Failed;
use crate::filter::Look;
use crate::frames::About;
use crate::plates::{PlateRead, PlateReader};
use crate::slots::SlotReader;

/// Looks for nothing.
pub struct NoJob;

impl Look for NoJob {
    fn look(&mut self, _: &About, _: &Mat, _: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }
}

/// Plates.
pub struct PlatesJob(pub PlateReader);

impl Look for PlatesJob {
    fn look(&mut self, about: &About, picture: &Mat, lines: &mut Vec<u8>) -> Result<()> {
        let reads = self.0.read(picture).map_err(|error| failure_on(about, error))?;
        let plates = Plates {
            camera_id: about.camera_id.clone(),
            seq: about.seq,
            file: about.file.clone(),
            plates: reads.into_iter().map(plate).collect(),
        };
        encode(&about.stamp, &plates, lines);
        Ok(())
    }
}

/// A reading as the record has it; numbers are cut to what they are good for, which keeps records short.
fn plate(read: PlateRead) -> Plate {
    let to = |digits: f64| move |value: f64| (value * digits).round() / digits;
    let (probability, pixel) = (to(1e4), to(10.0));
    let character = |(char, confidence)| Character { char, confidence: probability(confidence) };
    let candidate = |(text, confidence)| Candidate { text, confidence: probability(confidence) };
    Plate {
        text: read.text,
        confidence: probability(read.confidence),
        corners: read.corners.map(|corner| corner.map(pixel)),
        characters: read.characters.into_iter().map(character).collect(),
        candidates: read.candidates.into_iter().map(candidate).collect(),
        region: read.region.map(|region| region.to_string()),
        rejected: read.rejected.map(str::to_owned),
    }
}

/// The version of the state file's form.
pub const STATE_VERSION: u32 = 1;
/// How much event time of learning a crash may lose.
const AT_MOST_LOST: Duration = Duration::from_secs(60);

/// Slots.
pub struct SlotsJob {
    reader: SlotReader,
    /// Where what is learnt outlives the run.
    state: Option<StateFile>,
    /// The event times of the frame that taught something last, and of the last one that is in the state file.
    kept: Option<[Time; 2]>,
    /// The last size of a frame that was reported as not fitting the map.
    told: Option<[u32; 2]>,
}

impl SlotsJob {
    /// A reader of slots, and the file that it is to learn into.
    pub fn new(reader: SlotReader, state: Option<StateFile>) -> Self {
        SlotsJob { reader, state, kept: None, told: None }
    }
}

impl Look for SlotsJob {
    fn look(&mut self, about: &About, picture: &Mat, lines: &mut Vec<u8>) -> Result<()> {
        let at = about.stamp.time;
        let slots = self.reader.read(picture, at).map_err(|error| failure_on(about, error))?;
        if self.reader.has_learnt() {
            self.kept = Some([at, self.kept.map_or(at, |[_, kept]| kept)]);
        }
        let stamp = about.stamp.clone().lot(&self.reader.map().lot_id);
        let slots =
            Slots { camera_id: about.camera_id.clone(), seq: about.seq, file: about.file.clone(), slots };
        encode(&stamp, &slots, lines);
        match self.reader.misfit() {
            Some(size) if self.told != Some(size) => {
                self.told = Some(size);
                let ([width, height], [w, h]) = (size, self.reader.map().image_size);
                let message = format!(
                    "{}: {width} x {height} has another shape than the slot map's {w} x {h}: no slot can be told",
                    about.name()
                );
                Err(Error::new(Kind::BadInput, message))
            }
            _ => Ok(()),
        }
    }

    fn keep(&mut self, last: bool) -> Result<()> {
        if let (Some(file), Some([learnt, kept])) = (&self.state, &mut self.kept)
            && (last || learnt.since(*kept) >= AT_MOST_LOST)
        {
            file.save(self.reader.memory())?;
            *kept = *learnt;
        }
        Ok(())
    }
}

/// An error of detection on one frame: a picture's fault is the record's, a network's is not.
fn failure_on(about: &About, error: crate::error::Error) -> Error {
    let kind = match error.kind() {
        Failed::Image => Kind::BadInput,
        Failed::Model => Kind::Config,
    };
    Error::new(kind, about.name()).because(error)
}
