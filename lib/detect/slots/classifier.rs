//! How likely a vehicle stands in a slot, by a small network: models/slot-occupancy/README.md.

use std::path::Path;

use super::patch::{Ground, HEIGHT, Patch, WIDTH};
use crate::engine::{Engine, Runtime, Tensor};
use crate::error::{Error, Result};

/// The network.
const MODEL: &[u8] = include_bytes!("../../../models/slot-occupancy.onnx");
/// Added to every level, so that noise in the dark says little.
const DARK: f64 = 6.0;
/// No logarithm is farther from 0 than this.
const FARTHEST: f64 = 2.5;
/// Patches judged at once at most: as many as fit into a processor's cache, nearly.
const BATCH: usize = 25;

/// Judges patches.
pub struct Classifier {
    engine: Box<dyn Engine>,
}

impl std::fmt::Debug for Classifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Classifier")
    }
}

impl Classifier {
    /// The network in an ONNX file, or the one that is built in, run by this runtime.
    ///
    /// # Errors
    /// [`Kind::Model`](crate::error::Kind::Model), naming the file, when it cannot be loaded or has other inputs and outputs than
    /// models/slot-occupancy/README.md tells.
    pub fn new(file: Option<&Path>, runtime: &Runtime) -> Result<Self> {
        runtime.load(file, MODEL, |engine| {
            let mut classifier = Classifier { engine };
            classifier.run(BATCH, vec![0.0; BATCH * 3 * HEIGHT * WIDTH])?;
            Ok(classifier)
        })
    }

    /// The logarithm of the odds that each slot holds a vehicle, on this ground.
    ///
    /// # Errors
    /// [`Kind::Model`](crate::error::Kind::Model) when the network fails.
    pub fn odds(&mut self, patches: &[Patch], ground: Ground) -> Result<Vec<f64>> {
        // All batches have the same shape, since OpenCV lays a network out anew for every other one.
        let batches = patches.len().div_ceil(BATCH).max(1);
        let batch = patches.len().div_ceil(batches);
        let tables = tables(ground);
        let mut odds = Vec::with_capacity(patches.len());
        for part in patches.chunks(batch.max(1)) {
            let mut data = vec![0.0; batch * 3 * HEIGHT * WIDTH];
            for (patch, planes) in part.iter().zip(data.chunks_exact_mut(3 * HEIGHT * WIDTH)) {
                compare(patch, &tables, planes);
            }
            odds.extend(self.run(batch, data)?.iter().take(part.len()).map(|odds| f64::from(*odds)));
        }
        Ok(odds)
    }

    /// The network's answers to so many patches.
    fn run(&mut self, batch: usize, data: Vec<f32>) -> Result<Vec<f32>> {
        let odds = self.engine.run(Tensor { shape: vec![batch, 3, HEIGHT, WIDTH], data })?;
        match odds.data.len() == batch {
            true => Ok(odds.data),
            false => {
                let why = format!("it gives {:?} for {batch} patches, not {:?}", odds.shape, [batch, 1]);
                Err(Error::model("judging slots", why))
            }
        }
    }
}

/// For each channel and level, its logarithm over the ground's.
fn tables(Ground(ground): Ground) -> [[f32; 256]; 3] {
    ground.map(|ground| {
        std::array::from_fn(|level| {
            ((level as f64 + DARK) / (ground + DARK)).ln().clamp(-FARTHEST, FARTHEST) as f32
        })
    })
}

/// Writes a patch as three planes: blue, green, red.
fn compare(patch: &Patch, tables: &[[f32; 256]; 3], planes: &mut [f32]) {
    for (channel, (plane, table)) in planes.chunks_exact_mut(HEIGHT * WIDTH).zip(tables).enumerate() {
        for (value, pixel) in plane.iter_mut().zip(patch.pixels()) {
            *value = table[usize::from(pixel[channel])];
        }
    }
}
