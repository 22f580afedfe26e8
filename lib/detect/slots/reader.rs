//! The state of every mapped slot in a frame.

use std::path::Path;

use opencv::core::{Mat, MatTraitConst};
use park_core::record::Time;
use park_core::record::vision::{SlotReading, UnknownCause};

use super::classifier::Classifier;
use super::judge::{self, Verdict};
use super::map::SlotMap;
use super::memory::{Memory, Relief, Sight};
use super::patch::{COARSE, Ground, Patch};
use super::view::View;
use crate::engine::Runtime;
use crate::error::{Error, Result};

/// Tells the state of every slot of a map, frame by frame, from what the frame shows and what the camera has seen before.
#[derive(Debug)]
pub struct SlotReader {
    map: SlotMap,
    classifier: Classifier,
    memory: Memory,
    view: Option<View>,
    /// The last frame's size when it does not fit the map.
    misfit: Option<[u32; 2]>,
    learnt: bool,
}

impl SlotReader {
    /// A reader of the slots of `map`, which goes on with `memory` if it is of the same map, and else begins anew. Its network,
    /// the one in the ONNX file `model` or else the one that is built in, is run by `runtime`.
    ///
    /// # Errors
    /// [`Kind::Model`](crate::error::Kind::Model), naming the file, when the network cannot be loaded or is of another kind.
    pub fn new(map: SlotMap, memory: Memory, model: Option<&Path>, runtime: &Runtime) -> Result<Self> {
        let memory = memory.of_map(fingerprint(&map));
        Ok(SlotReader {
            classifier: Classifier::new(model, runtime)?,
            map,
            memory,
            view: None,
            misfit: None,
            learnt: false,
        })
    }

    /// The map.
    pub fn map(&self) -> &SlotMap {
        &self.map
    }

    /// What has been learnt of the camera's view, to be handed to [`SlotReader::new`] after a restart.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Whether the last frame taught the memory anything.
    pub fn has_learnt(&self) -> bool {
        self.learnt
    }

    /// The size of the last frame if it has another shape than the map's picture, so that no slot could be told.
    pub fn misfit(&self) -> Option<[u32; 2]> {
        self.misfit
    }

    /// The state of every slot in a frame (8-bit BGR) of event time `at`, in the order of the map. Frames of another size than
    /// the map's picture are fine if they have its shape; else every slot is unknown, see [`SlotReader::misfit`].
    ///
    /// # Errors
    /// [`Kind::Image`](crate::error::Kind::Image) when the frame is not 8-bit BGR or OpenCV fails;
    /// [`Kind::Model`](crate::error::Kind::Model) when the network fails.
    pub fn read(&mut self, bgr: &Mat, at: Time) -> Result<Vec<SlotReading>> {
        if bgr.typ() != opencv::core::CV_8UC3 || bgr.empty() {
            return Err(Error::image("looking for vehicles", "the frame is not 8-bit BGR"));
        }
        self.learnt = false;
        let size = [bgr.cols() as u32, bgr.rows() as u32];
        if self.view.as_ref().is_none_or(|view| view.size() != size) {
            self.view = View::new(&self.map, size)?;
            self.misfit = self.view.is_none().then_some(size);
        }
        let Some(view) = &mut self.view else {
            let unknown = Verdict::unknown(UnknownCause::CameraMoved);
            return Ok(self.readings(std::iter::repeat(unknown)));
        };
        let patches = view.patches(bgr)?;
        let ground = Ground::of(&patches);
        let sight = sight(view, bgr, at, &patches, ground)?;
        let trouble = self.memory.trouble(&sight, view.surroundings());
        let dark = |patch: &Patch| judge::is_dark(patch);
        if trouble.is_some() || patches.iter().all(dark) {
            let cause =
                |patch| if dark(patch) { UnknownCause::Dark } else { trouble.unwrap_or(UnknownCause::Dark) };
            return Ok(self.readings(patches.iter().map(|patch| Verdict::unknown(cause(patch)))));
        }
        let mut odds = self.classifier.odds(&patches, ground)?;
        let opinions = self.memory.opinions(&sight, view.surroundings());
        odds.iter_mut().zip(opinions).for_each(|(odds, opinion)| *odds += opinion);
        self.learnt = self.memory.learn(&sight, &odds);
        Ok(self.readings(patches.iter().zip(odds).map(|(patch, odds)| Verdict::of(patch, odds))))
    }

    fn readings(&self, verdicts: impl Iterator<Item = Verdict>) -> Vec<SlotReading> {
        let reading = |(slot, verdict): (&super::Slot, Verdict)| SlotReading {
            slot_id: slot.slot_id.clone(),
            level_id: slot.level_id.clone(),
            state: verdict.state,
            confidence: verdict.confidence,
            cause: verdict.cause,
        };
        self.map.slots.iter().zip(verdicts).map(reading).collect()
    }
}

fn sight(view: &mut View, bgr: &Mat, at: Time, patches: &[Patch], ground: Ground) -> Result<Sight> {
    let (cells, width) = view.overview(bgr)?;
    let slots = patches.iter().map(|patch| Relief::of(&patch.coarse(), COARSE[0])).collect();
    Ok(Sight { at, light: ground.light(), scene: Relief::of(&cells, width), slots })
}

/// Tells maps apart (FNV-1a by Fowler, Noll and Vo, over what decides what a slot looks like).
fn fingerprint(map: &SlotMap) -> u64 {
    let numbers =
        map.slots.iter().flat_map(|slot| slot.polygon.iter().flatten().map(|number| number.to_bits()));
    let words = map.image_size.iter().map(|extent| u64::from(*extent)).chain(numbers);
    let bytes =
        map.slots.iter().flat_map(|slot| slot.slot_id.bytes()).chain(words.flat_map(u64::to_le_bytes));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::PathBuf;

    use opencv::core::{CV_8UC3, MatTraitManual, Rect, Scalar, Size};
    use opencv::imgproc;
    use park_core::record::vision::SlotState::{Free, Occupied, Unknown};

    use super::super::Slot;
    use super::*;
    use crate::error::Kind;

    /// Eight slots of 60 x 100 in two rows.
    fn map() -> SlotMap {
        let slot = |at: u32| {
            let (x, y) = (f64::from(20 + at % 4 * 75), f64::from(20 + at / 4 * 120));
            Slot {
                slot_id: format!("S{at}"),
                level_id: None,
                polygon: vec![[x, y], [x + 60.0, y], [x + 60.0, y + 100.0], [x, y + 100.0]],
            }
        };
        SlotMap { lot_id: "lot".into(), image_size: [320, 260], slots: (0..8).map(slot).collect() }
    }

    /// A grey yard with lines between the slots and vehicles of different colours in some of them.
    fn yard(occupied: &[usize], gain: f64) -> Mat {
        let mut picture = Mat::new_rows_cols_with_default(260, 320, CV_8UC3, Scalar::all(105.0)).unwrap();
        let mut fill = |x: i32, y: i32, w: i32, h: i32, colour: [f64; 3]| {
            let colour = Scalar::new(colour[0], colour[1], colour[2], 0.0);
            imgproc::rectangle(&mut picture, Rect::new(x, y, w, h), colour, -1, imgproc::LINE_8, 0).unwrap();
        };
        for at in 0..8 {
            let (x, y) = (20 + at % 4 * 75, 20 + at / 4 * 120);
            fill(x - 3, y, 3, 100, [220.0; 3]);
            if occupied.contains(&(at as usize)) {
                let body = [[210.0; 3], [40.0, 30.0, 25.0], [40.0, 40.0, 170.0]][at as usize % 3];
                fill(x + 12, y + 12, 36, 76, body);
                for (top, height) in [(28, 14), (68, 10)] {
                    fill(x + 16, y + top, 28, height, [30.0, 25.0, 20.0]);
                }
                fill(x + 14, y + 12, 7, 4, [250.0; 3]);
                fill(x + 39, y + 12, 7, 4, [250.0; 3]);
            }
        }
        for (at, value) in picture.data_bytes_mut().unwrap().iter_mut().enumerate() {
            let grain = ((at * 2_654_435_761) >> 7) % 7;
            *value = ((f64::from(*value) + grain as f64) * gain).min(255.0) as u8;
        }
        picture
    }

    fn reader() -> SlotReader {
        SlotReader::new(map(), Memory::default(), None, &Runtime::opencv(0).unwrap()).unwrap()
    }

    fn states(readings: &[SlotReading]) -> Vec<bool> {
        assert!(readings.iter().all(|reading| reading.state != Unknown), "{readings:?}");
        assert!(readings.iter().all(|reading| (0.5..=1.0).contains(&reading.confidence)));
        readings.iter().map(|reading| reading.state == Occupied).collect()
    }

    #[test]
    fn vehicles_are_told_from_bare_slots_by_day_and_dusk() {
        let mut reader = reader();
        for occupied in [&[][..], &[0, 5], &[1, 2, 3, 4, 6], &[0, 1, 2, 3, 4, 5, 6, 7]] {
            for gain in [1.0, 0.5, 0.25] {
                let readings = reader.read(&yard(occupied, gain), Time::default()).unwrap();
                let expected: Vec<bool> = (0..8).map(|at| occupied.contains(&at)).collect();
                assert_eq!(states(&readings), expected, "{occupied:?} at {gain}: {readings:?}");
            }
        }
    }

    #[test]
    fn another_network_is_taken_from_a_file_and_one_of_other_shapes_refused_by_name() {
        let file =
            |name: &str| [env!("CARGO_MANIFEST_DIR"), "../../models", name].iter().collect::<PathBuf>();
        let with = |name: &str| {
            SlotReader::new(map(), Memory::default(), Some(&file(name)), &Runtime::opencv(0).unwrap())
        };
        let mut same = with("slot-occupancy.onnx").unwrap();
        let day = yard(&[2, 7], 1.0);
        let own = reader().read(&day, Time::default()).unwrap();
        assert_eq!(same.read(&day, Time::default()).unwrap(), own);
        for name in ["plate-reader.onnx", "none.onnx"] {
            let error = with(name).unwrap_err();
            assert_eq!(error.kind(), Kind::Model);
            assert!(error.to_string().contains(name), "{error}");
        }
    }

    #[test]
    fn what_is_too_dark_is_unknown() {
        let readings = reader().read(&yard(&[0, 3], 0.02), Time::default()).unwrap();
        let dark =
            |reading: &SlotReading| (reading.state, reading.cause) == (Unknown, Some(UnknownCause::Dark));
        assert!(readings.iter().all(dark), "{readings:?}");
    }

    #[test]
    fn frames_of_the_maps_shape_are_scaled_and_others_tell_nothing() {
        let mut reader = reader();
        let day = yard(&[2, 7], 1.0);
        let expected = states(&reader.read(&day, Time::default()).unwrap());
        for size in [Size::new(640, 520), Size::new(160, 130)] {
            let mut scaled = Mat::default();
            imgproc::resize(&day, &mut scaled, size, 0.0, 0.0, imgproc::INTER_AREA).unwrap();
            assert_eq!(states(&reader.read(&scaled, Time::default()).unwrap()), expected);
            assert_eq!(reader.misfit(), None);
        }
        let mut other = Mat::default();
        imgproc::resize(&day, &mut other, Size::new(320, 180), 0.0, 0.0, imgproc::INTER_AREA).unwrap();
        let readings = reader.read(&other, Time::default()).unwrap();
        assert!(readings.iter().all(|reading| reading.cause == Some(UnknownCause::CameraMoved)));
        assert_eq!(reader.misfit(), Some([320, 180]));
        assert_eq!(states(&reader.read(&day, Time::default()).unwrap()), expected);
        assert!(readings.iter().all(|reading| reading.state != Free));
    }
}
