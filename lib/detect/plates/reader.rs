//! Frames to plates.

use opencv::core::{self, Mat, MatTraitConst, ToInputArray};
use opencv::imgproc;

use super::decode::{self, CLASSES, Place};
use super::strip::{self, Frame, TEXT_HEIGHT};
use super::strips::{Strip, strips};
use crate::engine::{self, Engine, OpenCv, Tensor};
use crate::error::{Error, Result};

/// The network: models/plate-characters/README.md.
const MODEL: &[u8] = include_bytes!("../../../models/plate-characters.onnx");
/// Strips read at once. The shape stays the same, since OpenCV lays a network out anew for every other one.
const BATCH: usize = 8;
/// Pixels of a strip for one column of the scores.
const COLUMN: usize = 2;
/// Characters of a plate, fewest and most.
const LENGTHS: std::ops::RangeInclusive<usize> = 4..=10;
/// Farthest apart two characters of one plate stand, in heights of the text.
const WIDEST_GAP: f64 = 1.9;
/// A read below this share of the wanted confidence is not worth reporting as rejected.
const WORTH_A_WORD: f64 = 0.7;
/// Text lower than this share of a plate's is small print on it.
const SMALL_PRINT: f64 = 0.7;
/// Texts offered for one plate.
const CANDIDATES: usize = 5;

/// What a reader looks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// A read below this confidence (0 to 1) is rejected.
    pub min_confidence: f64,
    /// Threads that OpenCV may use in this process; 0 leaves its default.
    pub threads: usize,
    /// Corners of the only area to look at, in pixels of the frame; the whole frame when absent.
    pub region_of_interest: Option<Vec<[f64; 2]>>,
    /// Most plates reported of one frame.
    pub max_plates: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { min_confidence: 0.7, threads: 0, region_of_interest: None, max_plates: 16 }
    }
}

/// One plate of a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct PlateRead {
    /// What it says: A-Z and 0-9, no separators.
    pub text: String,
    /// How sure the text is, 0 to 1: the geometric mean over its characters.
    pub confidence: f64,
    /// The plate's corners in pixels of the frame, clockwise from the text's top left.
    pub corners: [[f64; 2]; 4],
    /// Every character with its confidence.
    pub characters: Vec<(char, f64)>,
    /// Texts it may be with their confidences, best first; the first is `text`.
    pub candidates: Vec<(String, f64)>,
    /// Why this read should not be believed; `None` for a good one.
    pub rejected: Option<&'static str>,
}

/// Finds and reads the plates of frames.
pub struct PlateReader {
    options: Options,
    engine: Box<dyn Engine>,
}

impl PlateReader {
    /// A reader with the network that is built in, run by OpenCV.
    ///
    /// # Errors
    /// [`Kind::Model`](crate::error::Kind::Model) when OpenCV cannot load it.
    pub fn new(options: Options) -> Result<Self> {
        engine::set_num_threads(options.threads)?;
        Ok(Self { options, engine: Box::new(OpenCv::from_onnx(MODEL)?) })
    }

    /// The plates of an 8-bit frame (BGR, BGRA or grey), good reads first, those with most and largest characters
    /// first. Reads that come near are there too, with `rejected` set.
    ///
    /// # Errors
    /// [`Kind::Image`](crate::error::Kind::Image) when the frame is empty or of another kind;
    /// [`Kind::Model`](crate::error::Kind::Model) when the network fails.
    pub fn read(&mut self, bgr: &(impl MatTraitConst + ToInputArray)) -> Result<Vec<PlateRead>> {
        let grey = grey(bgr)?;
        let area = self.options.region_of_interest.clone();
        let inside = |point| area.as_ref().is_none_or(|area| contains(area, point));
        let strips = strips(&grey, inside).map_err(|e| Error::image("looking for lines of text", e))?;
        let mut reads = Vec::new();
        for batch in strips.chunks(BATCH) {
            let scores = self.scores(batch)?;
            for (strip, scores) in batch.iter().zip(scores.chunks_exact(scores.len() / BATCH)) {
                reads.extend(self.plate(strip, scores));
            }
        }
        reads.sort_by(|a, b| {
            a.rejected.is_some().cmp(&b.rejected.is_some()).then(b.weight().total_cmp(&a.weight()))
        });
        let mut plates: Vec<PlateRead> = Vec::new();
        for read in reads {
            if plates.len() < self.options.max_plates && !plates.iter().any(|plate| plate.covers(&read)) {
                plates.push(read);
            }
        }
        Ok(plates)
    }

    /// Scores of at most `BATCH` strips, one strip's after the other's.
    fn scores(&mut self, batch: &[Strip]) -> Result<Vec<f32>> {
        let size = strip::WIDTH * strip::HEIGHT;
        let mut data: Vec<f32> = batch.iter().flat_map(|s| strip::normalised(&s.pixels)).collect();
        data.resize(BATCH * size, 0.0);
        let scores = self.engine.run(Tensor { shape: vec![BATCH, 1, strip::HEIGHT, strip::WIDTH], data })?;
        if scores.data.len() != BATCH * CLASSES * strip::WIDTH / COLUMN {
            return Err(Error::model("reading a plate", format!("scores of shape {:?}", scores.shape)));
        }
        Ok(scores.data)
    }

    /// What a strip's scores say, if it is worth reporting.
    fn plate(&self, strip: &Strip, scores: &[f32]) -> Option<PlateRead> {
        let places = decode::places(scores);
        let places = together(&places, text_height(&strip.frame) / COLUMN as f64);
        let candidates = decode::candidates(places, CANDIDATES);
        let (text, confidence) = candidates.first()?.clone();
        if text.len() < *LENGTHS.start() || confidence < WORTH_A_WORD * self.options.min_confidence {
            return None;
        }
        let rejected = if confidence < self.options.min_confidence {
            Some("low confidence")
        } else if text.len() > *LENGTHS.end() {
            Some("too many characters")
        } else {
            None
        };
        let characters = places.iter().map(Place::best).collect();
        Some(PlateRead {
            text,
            confidence,
            corners: corners(&strip.frame, places),
            characters,
            candidates,
            rejected,
        })
    }
}

impl PlateRead {
    /// What decides between two reads of one place: a long text counts for more than a part of it, and a plate's own
    /// text, the tallest there, for more than the small print around it.
    fn weight(&self) -> f64 {
        let surety: f64 = self.characters.iter().map(|(_, confidence)| confidence - 0.5).sum();
        surety * self.height()
    }

    fn height(&self) -> f64 {
        let [[ax, ay], .., [bx, by]] = self.corners;
        (bx - ax).hypot(by - ay)
    }

    fn middle(&self) -> [f64; 2] {
        [0, 1].map(|i| self.corners.iter().map(|p| p[i]).sum::<f64>() / 4.0)
    }

    /// The corners with `share` of the height added above and below.
    fn taller(&self, share: f64) -> [[f64; 2]; 4] {
        let [a, b, c, d] = self.corners;
        let past = |from: [f64; 2], to: [f64; 2]| [0, 1].map(|i| to[i] + share * (to[i] - from[i]));
        [past(d, a), past(c, b), past(b, c), past(a, d)]
    }

    /// Whether another, lighter read lies on this plate: the same text once more, or small print above or below it.
    fn covers(&self, other: &PlateRead) -> bool {
        let share = other.height() / self.height().max(f64::MIN_POSITIVE);
        let around = if share < SMALL_PRINT { self.taller(share / 2.0) } else { self.corners };
        contains(&around, other.middle()) || contains(&other.corners, self.middle())
    }
}

/// An 8-bit grey copy of a frame.
fn grey(frame: &(impl MatTraitConst + ToInputArray)) -> Result<Mat> {
    let doing = "taking a frame";
    if frame.empty() {
        return Err(Error::image(doing, "it is empty"));
    }
    if frame.depth() != core::CV_8U {
        return Err(Error::image(doing, "its pixels are not of 8 bits"));
    }
    let code = match frame.channels() {
        1 => return frame.try_clone().map_err(|e| Error::image(doing, e)),
        3 => imgproc::COLOR_BGR2GRAY,
        4 => imgproc::COLOR_BGRA2GRAY,
        n => return Err(Error::image(doing, format!("it has {n} channels"))),
    };
    let mut grey = Mat::default();
    imgproc::cvt_color(frame, &mut grey, code, 0).map_err(|e| Error::image(doing, e))?;
    Ok(grey)
}

/// One height of the text in pixels along a strip, which may be squeezed.
fn text_height(frame: &Frame) -> f64 {
    let length = |[x, y]: [f64; 2]| x.hypot(y);
    TEXT_HEIGHT * length(frame.down) / length(frame.right).max(f64::MIN_POSITIVE)
}

/// The largest run of characters that no wide gap divides; `height` is the text's, in columns.
fn together(places: &[Place], height: f64) -> &[Place] {
    places
        .chunk_by(|a, b| b.column - a.column < WIDEST_GAP * height)
        .max_by_key(|run| run.len())
        .unwrap_or_default()
}

/// The corners of the plate whose text stands at these places: the text's box grown by a usual border.
fn corners(frame: &Frame, places: &[Place]) -> [[f64; 2]; 4] {
    let height = text_height(frame);
    let ends = places.first().zip(places.last());
    let (first, last) = ends.map_or((0.0, 0.0), |(a, b)| (a.column, b.column));
    let (first, last) = (first * COLUMN as f64, last * COLUMN as f64);
    let (left, right) = (first - 0.7 * height, last + 0.7 * height);
    let middle = (strip::HEIGHT as f64 - 1.0) / 2.0;
    let (top, bottom) = (middle - 0.9 * TEXT_HEIGHT, middle + 0.75 * TEXT_HEIGHT);
    [[left, top], [right, top], [right, bottom], [left, bottom]].map(|[x, y]| frame.point(x, y))
}

/// Whether a polygon contains a point (even-odd rule).
fn contains(polygon: &[[f64; 2]], [x, y]: [f64; 2]) -> bool {
    let edges = polygon.iter().zip(polygon.iter().cycle().skip(1));
    edges
        .filter(|([ax, ay], [bx, by])| (*ay > y) != (*by > y) && x < (bx - ax) * (y - ay) / (by - ay) + ax)
        .count()
        % 2
        == 1
}
