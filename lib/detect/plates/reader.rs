//! Frames to plates.

use std::path::{Path, PathBuf};

use opencv::core::{self, Mat, MatTraitConst, ToInputArray};
use opencv::imgproc;

use super::decode::{self, CLASSES, Place};
use super::detector::{Detector, Spot};
use super::rectify;
use super::strip::{self, Frame, TEXT_HEIGHT};
use super::strips::{self, Strip};
use super::{Corners, Region};
use crate::engine::{self, Engine, OpenCv, Tensor};
use crate::error::{Error, Result};

/// The networks that are built in: models/plates/README.md and models/plate-characters/README.md.
const DETECTOR: &[u8] = include_bytes!("../../../models/plate-detector.onnx");
const READER: &[u8] = include_bytes!("../../../models/plate-characters.onnx");
/// Strips read at once. The shape stays the same, since OpenCV lays a network out anew for every other one.
const BATCH: usize = 8;
/// Pixels of a strip for one column of the scores.
const COLUMN: usize = 2;
/// Characters of a plate, fewest and most.
const LENGTHS: std::ops::RangeInclusive<usize> = 4..=10;
/// Farthest apart two characters of one plate stand, in heights of the text.
const WIDEST_GAP: f64 = 2.6;
/// A read below this share of the wanted confidence is not worth reporting as rejected.
const WORTH_A_WORD: f64 = 0.7;
/// Lines whose heights differ by more than this are not one number.
const ALIKE: f64 = 1.6;
/// The second line of a number is at least so sure.
const SURE: f64 = 0.7;
/// How far beside a spot its plate may still be, over the spot's own extent.
const ROUGH: f64 = 1.3;
/// Texts offered for one plate.
const CANDIDATES: usize = 5;
/// Texts looked through for one that a region allows.
const BEAM: usize = 256;
/// A text that a region allows is taken if its confidence is at least this share of the surest one's.
const LIKELY_ENOUGH: f64 = 0.5;

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
    /// Where the plates are from, likeliest first; a text that may stand on theirs is preferred. Any when empty.
    pub regions: Vec<Region>,
}

/// The ONNX files to run in place of the networks that are built in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Networks {
    /// Finds plates.
    pub detector: Option<PathBuf>,
    /// Reads them.
    pub reader: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            min_confidence: 0.7,
            threads: 0,
            region_of_interest: None,
            max_plates: 16,
            regions: Vec::new(),
        }
    }
}

/// One plate of a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct PlateRead {
    /// What it says: A-Z and 0-9, no separators.
    pub text: String,
    /// How sure the text is, 0 to 1: the geometric mean over its characters.
    pub confidence: f64,
    /// The plate's corners in pixels of the frame, clockwise from its own top left.
    pub corners: Corners,
    /// Every character with its confidence.
    pub characters: Vec<(char, f64)>,
    /// Texts it may be with their confidences; the first is `text`, the others follow best first.
    pub candidates: Vec<(String, f64)>,
    /// The region asked for whose plates may bear `text`.
    pub region: Option<Region>,
    /// Why this read should not be believed; `None` for a good one.
    pub rejected: Option<&'static str>,
}

/// Finds and reads the plates of frames.
pub struct PlateReader {
    options: Options,
    detector: Detector,
    engine: Box<dyn Engine>,
}

impl PlateReader {
    /// A reader, its networks run by OpenCV.
    ///
    /// # Errors
    /// [`Kind::Model`](crate::error::Kind::Model), naming the file, when a network cannot be loaded or has other inputs and
    /// outputs than models/plates/README.md tells.
    pub fn new(options: Options, networks: &Networks) -> Result<Self> {
        engine::set_num_threads(options.threads)?;
        let detector = networks.detector.as_deref();
        let detector = load(detector, DETECTOR).and_then(Detector::new).map_err(|e| named(e, detector))?;
        let reader = networks.reader.as_deref();
        let engine = load(reader, READER).and_then(tried).map_err(|e| named(e, reader))?;
        Ok(Self { options, detector, engine })
    }

    /// The plates of an 8-bit frame (BGR, BGRA or grey), good reads first, the surest first. Reads that come near are there
    /// too, with `rejected` set.
    ///
    /// # Errors
    /// [`Kind::Image`](crate::error::Kind::Image) when the frame is empty or of another kind;
    /// [`Kind::Model`](crate::error::Kind::Model) when a network fails.
    pub fn read(&mut self, bgr: &(impl MatTraitConst + ToInputArray)) -> Result<Vec<PlateRead>> {
        let grey = grey(bgr)?;
        let mut spots = self.detector.find(&grey)?;
        spots.retain(|spot| self.looks_at(&spot.corners));
        let mut plates = Vec::new();
        for spot in spots {
            plates.extend(self.plate(&grey, &spot)?);
        }
        // A spot on the border may lead to a text beyond it.
        plates.retain(|plate| self.looks_at(&plate.corners));
        plates.sort_by(|a, b| {
            a.rejected.is_some().cmp(&b.rejected.is_some()).then(b.confidence.total_cmp(&a.confidence))
        });
        plates.truncate(self.options.max_plates);
        Ok(plates)
    }

    /// Whether what has these corners lies where plates are looked for.
    fn looks_at(&self, corners: &Corners) -> bool {
        self.options.region_of_interest.as_ref().is_none_or(|area| contains(area, middle(corners)))
    }

    /// What stands at a spot, if it is worth reporting: laid upright by the spot's corners or, since these may be rough, as it
    /// stands in the picture.
    fn plate(&mut self, grey: &Mat, spot: &Spot) -> Result<Option<PlateRead>> {
        let doing = |e| Error::image("laying a plate upright", e);
        let upright = rectify::upright(grey, &spot.corners).map_err(doing)?;
        let strips = strips::of_plate(&upright.plate).map_err(looking)?;
        let straight = self.number(&strips, |_| true)?.map(|number| number.moved(|at| upright.point(at)));
        if straight.as_ref().is_some_and(|number| number.surety() >= SURE) {
            return Ok(straight.and_then(|number| self.told(&number)));
        }
        let (part, [left, top]) = rectify::around(grey, &spot.corners).map_err(doing)?;
        let [first_x, first_y, last_x, last_y] = rectify::grown(&spot.corners, ROUGH);
        let on_plate = |[x, y]: [f64; 2]| (first_x..last_x).contains(&x) && (first_y..last_y).contains(&y);
        let moved = |[x, y]: [f64; 2]| [x + left, y + top];
        let strips = strips::strips(&part).map_err(looking)?;
        let found = self.number(&strips, |text| on_plate(moved(middle(&text.corners))))?;
        let numbers = [straight, found.map(|number| number.moved(moved))];
        let best = numbers.into_iter().flatten().max_by(|a, b| a.merit().total_cmp(&b.merit()));
        Ok(best.and_then(|number| self.told(&number)))
    }

    /// The number that the strips show in texts that `counts` takes, if any.
    fn number(&mut self, strips: &[Strip], counts: impl Fn(&Text) -> bool) -> Result<Option<Number>> {
        let mut texts = Vec::new();
        for batch in strips.chunks(BATCH) {
            let scores = scores(self.engine.as_mut(), batch)?;
            let each = scores.chunks_exact(scores.len() / BATCH);
            texts.extend(
                batch.iter().zip(each).map(|(strip, scores)| Text::new(strip, scores)).filter(&counts),
            );
        }
        Ok(number(&texts))
    }

    /// The reading of these places, if it is worth reporting.
    fn told(&self, Number { corners, places }: &Number) -> Option<PlateRead> {
        let (candidates, region) = chosen(decode::candidates(places, BEAM), &self.options.regions);
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
        let of = |(place, shown): (&Place, char)| {
            (shown, place.options.iter().find(|o| o.0 == shown).map_or(0.0, |o| o.1))
        };
        let characters = places.iter().zip(text.chars()).map(of).collect();
        Some(PlateRead { text, confidence, corners: *corners, characters, candidates, region, rejected })
    }
}

/// A plate's number, of one line or two, and the plate's corners.
struct Number {
    corners: Corners,
    places: Vec<Place>,
}

impl Number {
    /// The same with its corners elsewhere.
    fn moved(self, to: impl Fn([f64; 2]) -> [f64; 2]) -> Self {
        Number { corners: self.corners.map(to), ..self }
    }

    /// What decides between two readings of one plate.
    fn merit(&self) -> f64 {
        merit(&self.places)
    }

    /// How sure the least sure character is; nothing if it is too short or too long for a number.
    fn surety(&self) -> f64 {
        if LENGTHS.contains(&self.places.len()) { surety(&self.places) } else { 0.0 }
    }
}

/// A line of text on an upright plate.
struct Text {
    places: Vec<Place>,
    /// Where its middle lies, from the top.
    level: f64,
    height: f64,
    /// The corners of a plate around it.
    corners: Corners,
}

impl Text {
    fn new(strip: &Strip, scores: &[f32]) -> Self {
        let places = decode::places(scores);
        let places = together(&places, text_height(&strip.frame) / COLUMN as f64).to_vec();
        let [_, level] = strip.frame.point(strip::WIDTH as f64 / 2.0, strip::HEIGHT as f64 / 2.0);
        let [x, y] = strip.frame.down;
        let corners = corners(&strip.frame, &places);
        Text { places, level, height: TEXT_HEIGHT * x.hypot(y), corners }
    }

    /// What decides between two: a long text counts for more than a part of it, and a plate's own text, the tallest
    /// there, for more than the small print around it.
    fn weight(&self) -> f64 {
        merit(&self.places) * self.height
    }
}

/// How much characters speak for a text: more of them, and surer ones, for more.
fn merit(places: &[Place]) -> f64 {
    places.iter().map(|place| place.best().1 - 0.5).sum()
}

/// How sure the least sure character is.
fn surety(places: &[Place]) -> f64 {
    places.iter().map(|place| place.best().1).fold(1.0, f64::min)
}

/// The number among the texts of a plate, its lines from the top: the weightiest one, and one above or below it that is
/// about as tall.
fn number(texts: &[Text]) -> Option<Number> {
    let main = texts.iter().max_by(|a, b| a.weight().total_cmp(&b.weight()))?;
    let second = texts.iter().filter(|text| {
        let ratio = text.height / main.height;
        let apart = (text.level - main.level).abs() / ((text.height + main.height) / 2.0);
        text.places.len() >= 2
            && surety(&text.places) >= SURE
            && (1.0 / ALIKE..ALIKE).contains(&ratio)
            && (0.9..2.2).contains(&apart)
    });
    let mut lines: Vec<&Text> = second.max_by(|a, b| a.weight().total_cmp(&b.weight())).into_iter().collect();
    lines.push(main);
    lines.sort_by(|a, b| a.level.total_cmp(&b.level));
    let ([a, b, _, _], [_, _, c, d]) = (lines.first()?.corners, lines.last()?.corners);
    let places = lines.iter().flat_map(|line| line.places.iter().cloned()).collect();
    Some(Number { corners: [a, b, c, d], places })
}

fn looking(error: opencv::Error) -> Error {
    Error::image("looking for lines of text", error)
}

/// The texts to offer, and the region whose plates bear the first: the likeliest that a region allows leads, if there is one.
fn chosen(mut texts: Vec<(String, f64)>, regions: &[Region]) -> (Vec<(String, f64)>, Option<Region>) {
    let least = texts.first().map_or(0.0, |(_, likelihood)| likelihood * LIKELY_ENOUGH);
    let region_of = |text: &str| regions.iter().copied().find(|region| region.allows(text));
    let allowed =
        texts.iter().position(|(text, likelihood)| *likelihood >= least && region_of(text).is_some());
    if let Some(index) = allowed {
        texts[..=index].rotate_right(1);
    }
    texts.truncate(CANDIDATES);
    let region = texts.first().and_then(|(text, _)| region_of(text));
    (texts, region)
}

/// The network of a file, or the one built in.
fn load(path: Option<&Path>, built_in: &[u8]) -> Result<Box<dyn Engine>> {
    let onnx = match path {
        Some(path) => &std::fs::read(path).map_err(|e| Error::model("opening a network", e))?,
        None => built_in,
    };
    Ok(Box::new(OpenCv::from_onnx(onnx)?))
}

/// The error with the file that it is about.
fn named(error: Error, path: Option<&Path>) -> Error {
    match path {
        Some(path) => Error::model("taking another network", format!("{}: {error}", path.display())),
        None => error,
    }
}

/// The engine, if it gives the scores that a reader gives.
fn tried(mut engine: Box<dyn Engine>) -> Result<Box<dyn Engine>> {
    scores(engine.as_mut(), &[])?;
    Ok(engine)
}

/// Scores of at most `BATCH` strips, one strip's after the other's.
fn scores(engine: &mut dyn Engine, batch: &[Strip]) -> Result<Vec<f32>> {
    let mut data: Vec<f32> = batch.iter().flat_map(|s| strip::normalised(&s.pixels)).collect();
    data.resize(BATCH * strip::WIDTH * strip::HEIGHT, 0.0);
    let scores = engine.run(Tensor { shape: vec![BATCH, 1, strip::HEIGHT, strip::WIDTH], data })?;
    let wanted = [BATCH, CLASSES, strip::WIDTH / COLUMN];
    // OpenCV keeps a dimension of one that ONNX squeezes away.
    match scores.shape.iter().filter(|&&extent| extent != 1).eq(&wanted) {
        true => Ok(scores.data),
        false => {
            let why = format!("it gives scores of {:?}, not {wanted:?}", scores.shape);
            Err(Error::model("reading a plate", why))
        }
    }
}

fn middle(corners: &Corners) -> [f64; 2] {
    [0, 1].map(|axis| corners.iter().map(|corner| corner[axis]).sum::<f64>() / 4.0)
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

/// The corners of the plate whose text stands at these places: the text's box grown by a usual border.
fn corners(frame: &Frame, places: &[Place]) -> Corners {
    let height = text_height(frame);
    let ends = places.first().zip(places.last());
    let (first, last) = ends.map_or((0.0, 0.0), |(a, b)| (a.column, b.column));
    let (first, last) = (first * COLUMN as f64, last * COLUMN as f64);
    let (left, right) = (first - 0.7 * height, last + 0.7 * height);
    let middle = (strip::HEIGHT as f64 - 1.0) / 2.0;
    let (top, bottom) = (middle - 0.9 * TEXT_HEIGHT, middle + 0.75 * TEXT_HEIGHT);
    [[left, top], [right, top], [right, bottom], [left, bottom]].map(|[x, y]| frame.point(x, y))
}

/// The largest run of characters that no wide gap divides; `height` is the text's, in columns.
fn together(places: &[Place], height: f64) -> &[Place] {
    places
        .chunk_by(|a, b| b.column - a.column < WIDEST_GAP * height)
        .max_by_key(|run| run.len())
        .unwrap_or_default()
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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;

    fn led(texts: &[(&str, f64)], regions: &[&str]) -> (Vec<String>, Option<String>) {
        let texts = texts.iter().map(|(text, likelihood)| ((*text).to_owned(), *likelihood)).collect();
        let regions: Vec<Region> = regions.iter().map(|code| code.parse().unwrap()).collect();
        let (texts, region) = chosen(texts, &regions);
        (texts.into_iter().map(|(text, _)| text).collect(), region.map(|region| region.to_string()))
    }

    #[test]
    fn a_text_that_the_region_allows_leads_and_the_likeliest_stays_a_candidate() {
        let texts = [("8123ABC", 0.9), ("81Z3ABC", 0.8), ("B123ABC", 0.7)];
        let (told, region) = led(&texts, &["my", "id"]);
        assert_eq!(told, ["B123ABC", "8123ABC", "81Z3ABC"]);
        assert_eq!(region.as_deref(), Some("id"));
        assert_eq!(led(&texts, &[]), (texts.map(|t| t.0.to_owned()).to_vec(), None));
    }

    #[test]
    fn a_text_far_less_likely_does_not_lead_whatever_the_region() {
        let (told, region) = led(&[("8123ABC", 0.9), ("B123ABC", 0.4)], &["id"]);
        assert_eq!((told[0].as_str(), region), ("8123ABC", None));
    }
}
