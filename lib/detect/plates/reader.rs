//! Frames to plates.

use std::path::PathBuf;

use opencv::core::{self, Mat, MatTraitConst, ToInputArray};
use opencv::imgproc;

use super::decode::{self, CLASSES, Candidate, LINES};
use super::detector::Detector;
use super::prior::Prior;
use super::rectify::{self, HEIGHT, Laying, WIDTH};
use super::{Corners, Region};
use crate::engine::{Engine, Runtime, Tensor};
use crate::error::{Error, Result};

/// The networks that are built in: models/plates/README.md.
const DETECTOR: &[u8] = include_bytes!("../../../models/plate-detector.onnx");
const READER: &[u8] = include_bytes!("../../../models/plate-reader.onnx");
/// Pixels of an upright plate for one column of the scores.
const COLUMN: usize = 4;
/// Characters of a plate, fewest and most (a trade plate of India).
const LENGTHS: std::ops::RangeInclusive<usize> = 3..=11;
/// A read below this share of the wanted confidence is not worth reporting as rejected.
const WORTH_A_WORD: f64 = 0.2;
/// Texts offered for one plate.
const CANDIDATES: usize = 5;
/// Texts looked through for one that a region allows.
const BEAM: usize = 48;
/// A plate that is not read this surely is read again, in two more ways of [`MORE`] at a time.
const SURE: f64 = 0.8;
/// What is read less surely than this is no plate, or none that can be read.
const HOPELESS: f64 = 0.05;
/// A plate that is read less surely than this is read otherwise too,
const DOUBTFUL: f64 = 0.3;
/// which is believed if it is so many times as sure,
const CLEARER: f64 = 1.5;
/// and so much less than it is sure, for the plate as it is says something else.
const OTHERWISE_SAID: f64 = 0.7;
/// What a plate may be taken for that is hardly read as it is, one after another.
const OTHERWISE: [(Shade, Laying); 4] = [
    (Shade::Negative, WHOLE),
    // Without what stands below the number, such as a month and a year, which may look like a second line;
    (Shade::Own, [0.0, -0.35, -0.175]),
    // without what stands above and below, such as the rims of a panel;
    (Shade::Own, [0.0, -0.25, 0.0]),
    // without what stands above, such as a state's name.
    (Shade::Own, [0.0, -0.3, 0.15]),
];
/// A number in a part of a plate has at least so many characters: fewer are one line of two.
const OF_A_PART: usize = 5;
/// The plate as its corners say.
const WHOLE: Laying = [0.0; 3];
/// How a plate is laid upright when it is read again, each time a little different, since corners are never quite right.
const MORE: [[Laying; 2]; 2] =
    [[[0.08, 0.12, 0.0], [-0.05, -0.08, 0.0]], [[0.0, 0.1, 0.06], [0.0, 0.1, -0.06]]];

/// A picture with no side longer than this may be cut to a plate,
const SMALL: i32 = 480;
/// and so may one that is so many times as wide as it is high, flatter than what cameras give.
const FLAT: f64 = 1.9;
/// Such a plate is taken to begin this share of the picture's sides within it. What the network is shown around a plate would
/// show nothing there, and the characters are the larger for it.
const INSIDE: [f64; 2] = [0.025, 0.04];

/// What a reader looks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// A read below this confidence (0 to 1) is rejected.
    pub min_confidence: f64,
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
        Self { min_confidence: 0.2, region_of_interest: None, max_plates: 16, regions: Vec::new() }
    }
}

/// One plate of a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct PlateRead {
    /// What it says: A-Z and 0-9, no separators.
    pub text: String,
    /// How likely the whole text is right, 0 to 1.
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
    prior: Prior,
    detector: Detector,
    /// The network that reads a plate laid upright.
    engine: Box<dyn Engine>,
}

impl PlateReader {
    /// A reader, its networks run by `runtime`.
    ///
    /// # Errors
    /// [`Kind::Model`](crate::error::Kind::Model), naming the file, when a network cannot be loaded or has other inputs and
    /// outputs than models/plates/README.md tells.
    pub fn new(options: Options, networks: &Networks, runtime: &Runtime) -> Result<Self> {
        let detector = runtime.load(networks.detector.as_deref(), DETECTOR, Detector::new)?;
        let engine = runtime.load(networks.reader.as_deref(), READER, |mut engine| {
            // One of other shapes is refused here, and not at the first plate.
            scores(engine.as_mut(), vec![0.0; WIDTH * HEIGHT])?;
            Ok(engine)
        })?;
        Ok(Self { prior: Prior::of(&options.regions), options, detector, engine })
    }

    /// The plates of an 8-bit frame (BGR, BGRA or grey), good reads first, the surest first. Reads that come near are there
    /// too, with `rejected` set.
    ///
    /// # Errors
    /// [`Kind::Image`](crate::error::Kind::Image) when the frame is empty or of another kind;
    /// [`Kind::Model`](crate::error::Kind::Model) when a network fails.
    pub fn read(&mut self, bgr: &(impl MatTraitConst + ToInputArray)) -> Result<Vec<PlateRead>> {
        let grey = grey(bgr)?;
        let mut plates = Vec::new();
        for spot in self.detector.find(&grey)? {
            plates.extend(self.plate(&grey, spot.corners)?);
        }
        if may_be_plate(&grey)
            && let Some(whole) = self.plate(&grey, outline(&grey))?
            && plates.iter().all(|plate| plate.confidence < whole.confidence || is_part(plate, &whole))
        {
            plates = vec![whole];
        }
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

    /// What stands between these corners, if it is worth reporting and lies where plates are looked for.
    fn plate(&mut self, grey: &Mat, corners: Corners) -> Result<Option<PlateRead>> {
        if !self.looks_at(&corners) {
            return Ok(None);
        }
        let mut texts = self.texts(grey, &corners, Shade::Own, 0.0)?;
        if likelihood(&texts) < DOUBTFUL {
            texts = self.otherwise(grey, &corners, texts)?;
        }
        Ok(self.told(corners, texts))
    }

    /// What is read between these corners when they are taken for something else, if it is clearer than these `texts`.
    fn otherwise(
        &mut self,
        grey: &Mat,
        corners: &Corners,
        mut texts: Vec<Candidate>,
    ) -> Result<Vec<Candidate>> {
        for (shade, part) in OTHERWISE {
            let sure = likelihood(&texts);
            let clearest = CLEARER * sure >= 1.0;
            if clearest || (sure < HOPELESS && part != WHOLE) {
                break;
            }
            let other = self.texts(grey, &rectify::shifted(corners, part), shade, sure)?;
            let number = |text: &Candidate| part == WHOLE || text.text.len() >= OF_A_PART;
            if likelihood(&other) > CLEARER * sure && other.first().is_some_and(number) {
                texts = other;
                texts.iter_mut().for_each(|text| text.likelihood *= OTHERWISE_SAID);
            }
        }
        Ok(texts)
    }

    /// What stands between these corners, likeliest first: read once, and more often as long as that leaves a doubt, if it is
    /// likelier than `least`.
    fn texts(&mut self, grey: &Mat, corners: &Corners, shade: Shade, least: f64) -> Result<Vec<Candidate>> {
        let engine = self.engine.as_mut();
        let mut readings = vec![read(engine, grey, corners, WHOLE, shade)?];
        let mut texts = decode::mean(&readings, BEAM);
        for layings in &MORE {
            if !in_doubt(&texts, least) {
                break;
            }
            for &laying in layings {
                readings.push(read(engine, grey, corners, laying, shade)?);
            }
            texts = decode::mean(&readings, BEAM);
        }
        Ok(texts)
    }

    /// What was read, if it is worth reporting.
    fn told(&self, corners: Corners, mut texts: Vec<Candidate>) -> Option<PlateRead> {
        self.prior.weigh(&mut texts);
        texts.truncate(CANDIDATES);
        let Candidate { text, likelihood: confidence, alone } = texts.first()?.clone();
        if confidence < WORTH_A_WORD * self.options.min_confidence {
            return None;
        }
        let rejected = if text.len() < *LENGTHS.start() {
            Some("too few characters")
        } else if text.len() > *LENGTHS.end() {
            Some("too many characters")
        } else if confidence < self.options.min_confidence {
            Some("low confidence")
        } else {
            None
        };
        // Each is right at least as often as the whole; what a region says for the text it says for its characters.
        let characters = text.chars().zip(alone).map(|(c, alone)| (c, alone.max(confidence))).collect();
        let candidates = texts.into_iter().map(|other| (other.text, other.likelihood)).collect();
        let region = self.prior.region(&text);
        Some(PlateRead { text, confidence, corners, characters, candidates, region, rejected })
    }
}

/// How a plate is shown to the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shade {
    /// As it is.
    Own,
    /// Light where it is dark: most plates that the network learnt on are light, and it reads some dark ones better so.
    Negative,
}

/// How likely the likeliest text is.
fn likelihood(texts: &[Candidate]) -> f64 {
    texts.first().map_or(0.0, |text| text.likelihood)
}

/// Whether it is worth while to read once more: the likeliest text is likelier than `least`, not sure, and long enough for a plate.
fn in_doubt(texts: &[Candidate], least: f64) -> bool {
    texts.first().is_some_and(|text| {
        (least.max(HOPELESS)..SURE).contains(&text.likelihood) && text.text.len() >= *LENGTHS.start()
    })
}

/// The texts of the plate with these corners, laid upright in this way.
fn read(
    engine: &mut dyn Engine,
    grey: &Mat,
    corners: &Corners,
    laying: Laying,
    shade: Shade,
) -> Result<Vec<Candidate>> {
    let pixels = rectify::rectified(grey, &rectify::shifted(corners, laying));
    let pixels = pixels.map_err(|e| Error::image("laying a plate upright", e))?;
    let light = if shade == Shade::Negative { -1.0 } else { 1.0 };
    let plate = rectify::normalised(&pixels).into_iter().map(|level| light * level).collect();
    Ok(decode::candidates(&scores(engine, plate)?, BEAM))
}

/// The scores of an upright plate. One at a time: OpenCV would keep a second copy of the network for two.
fn scores(engine: &mut dyn Engine, plate: Vec<f32>) -> Result<Vec<f32>> {
    let scores = engine.run(Tensor { shape: vec![1, 1, HEIGHT, WIDTH], data: plate })?;
    let wanted = [1, LINES * CLASSES, 1, WIDTH / COLUMN];
    match scores.shape == wanted {
        true => Ok(scores.data),
        false => {
            let why = format!("it gives scores of {:?}, not {wanted:?}", scores.shape);
            Err(Error::model("reading a plate", why))
        }
    }
}

/// Whether a picture may be cut to a plate, as other systems hand them over: small, or of a plate's shape.
fn may_be_plate(grey: &Mat) -> bool {
    let (width, height) = (grey.cols(), grey.rows());
    width.max(height) <= SMALL || f64::from(width) >= FLAT * f64::from(height)
}

/// Whether a read is but a piece of what is read from the whole picture.
fn is_part(plate: &PlateRead, whole: &PlateRead) -> bool {
    whole.rejected.is_none() && whole.text.len() > plate.text.len() && whole.text.contains(&plate.text)
}

/// The corners of a picture, by [`INSIDE`] within it.
fn outline(grey: &Mat) -> Corners {
    let side = |length: i32, inside: f64| {
        let length = f64::from(length);
        [length * inside - 0.5, length * (1.0 - inside) - 0.5]
    };
    let ([left, right], [top, bottom]) = (side(grey.cols(), INSIDE[0]), side(grey.rows(), INSIDE[1]));
    [[left, top], [right, top], [right, bottom], [left, bottom]]
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
    use opencv::core::{Point, Scalar};

    use super::*;

    #[test]
    fn a_negative_is_read_like_the_picture_with_light_and_dark_exchanged() {
        let mut grey = Mat::new_rows_cols_with_default(60, 200, core::CV_8UC1, Scalar::all(230.0)).unwrap();
        let (at, ink) = (Point::new(12, 44), Scalar::all(20.0));
        imgproc::put_text(&mut grey, "AB123", at, imgproc::FONT_HERSHEY_SIMPLEX, 1.6, ink, 4, 8, false)
            .unwrap();
        let mut exchanged = Mat::default();
        core::bitwise_not_def(&grey, &mut exchanged).unwrap();
        let mut engine = Runtime::opencv(1).unwrap().network(READER.into()).unwrap();
        let mut said = |picture: &Mat, shade| {
            read(engine.as_mut(), picture, &outline(picture), WHOLE, shade).unwrap().remove(0).text
        };
        let own = said(&grey, Shade::Own);
        assert_eq!(own, "AB123");
        assert_eq!(said(&exchanged, Shade::Negative), own);
    }

    #[test]
    fn a_month_and_a_year_that_look_like_a_second_line_are_left_out() {
        let mut grey = Mat::new_rows_cols_with_default(126, 400, core::CV_8UC1, Scalar::all(40.0)).unwrap();
        let mut write = |text, at, size| {
            let paint = Scalar::all(230.0);
            imgproc::put_text(&mut grey, text, at, imgproc::FONT_HERSHEY_SIMPLEX, size, paint, 7, 8, false)
                .unwrap();
        };
        write("B 6354 SK", Point::new(20, 66), 2.2);
        write("02 25", Point::new(190, 116), 1.4);
        let runtime = Runtime::opencv(1).unwrap();
        let mut reader = PlateReader::new(Options::default(), &Networks::default(), &runtime).unwrap();
        let corners = outline(&grey);
        let as_it_is = reader.texts(&grey, &corners, Shade::Own, 0.0).unwrap();
        assert_ne!(as_it_is[0].text, "B6354SK");
        assert_eq!(reader.plate(&grey, corners).unwrap().unwrap().text, "B6354SK");
    }

    #[test]
    fn what_is_sure_or_hopeless_or_too_short_for_a_plate_is_not_read_again() {
        let doubted = |text: &str, likelihood, least| {
            let alone = vec![likelihood; text.len()];
            in_doubt(&[Candidate { text: text.to_owned(), likelihood, alone }], least)
        };
        assert!(doubted("AB7", 0.7, 0.0));
        assert!(!doubted("7", 0.7, 0.0));
        assert!(!doubted("AB7", 0.9, 0.0) && !doubted("AB7", 0.02, 0.0) && !doubted("AB7", 0.1, 0.2));
        assert!(!in_doubt(&[], 0.0));
    }

    #[test]
    fn a_piece_of_a_text_gives_way_to_the_whole() {
        let said = |text: &str, rejected| PlateRead {
            text: text.to_owned(),
            confidence: 0.5,
            corners: [[0.0; 2]; 4],
            characters: Vec::new(),
            candidates: Vec::new(),
            region: None,
            rejected,
        };
        assert!(is_part(&said("1775", None), &said("L1775VO", None)));
        assert!(!is_part(&said("L1775VO", None), &said("L1775VO", None)));
        assert!(!is_part(&said("1715", None), &said("L1775VO", None)));
        assert!(!is_part(&said("1775", None), &said("L1775VO", Some("low confidence"))));
    }
}
