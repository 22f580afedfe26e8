//! A picture to the strips that may hold a plate's text.

use opencv::core::{Mat, MatTraitConst, Size};
use opencv::imgproc;

use super::components::glyphs;
use super::lines::{Line, lines};
use super::strip::{self, Frame};

/// Longest side of a picture that is looked at; a larger one is shrunk first.
const LONGEST_SIDE: f64 = 1280.0;
/// A picture whose longest side is below this is also looked at enlarged to twice its size.
const SMALL_SIDE: f64 = 800.0;
/// Most strips cut from one picture.
const MOST: usize = 48;
/// Most strips cut from one upright plate.
const MOST_OF_A_PLATE: usize = 16;
/// Fewest characters of a line of text.
const SHORTEST: usize = 3;
/// Fewest characters of a line of an upright plate, of which there may be two.
const SHORTEST_OF_A_PLATE: usize = 2;
/// The sizes at which an upright plate is searched.
const PLATE_FACTORS: [f64; 2] = [1.0, 0.5];

/// A straightened line of text, dark on light, and where it lies in the picture.
#[derive(Clone, Debug)]
pub struct Strip {
    /// [`strip::HEIGHT`] rows of [`strip::WIDTH`] grey pixels.
    pub pixels: Vec<u8>,
    /// Where the strip lies.
    pub frame: Frame,
    /// The line found there.
    pub line: Line,
    /// Whether the text is darker than its ground in the picture.
    pub dark: bool,
}

struct Found {
    line: Line,
    level: usize,
    dark: bool,
}

/// Strips of an 8-bit grey picture around everything that looks like a line of characters, likeliest first.
///
/// # Errors
/// OpenCV's, when the picture is of another kind.
pub fn strips(grey: &Mat) -> opencv::Result<Vec<Strip>> {
    search(grey, &factors(grey.size()?), MOST, SHORTEST)
}

/// Strips around the lines of text of an upright plate, likeliest first.
pub fn of_plate(plate: &Mat) -> opencv::Result<Vec<Strip>> {
    search(plate, &PLATE_FACTORS, MOST_OF_A_PLATE, SHORTEST_OF_A_PLATE)
}

/// At most so many strips of lines with so many characters at least, found at these sizes of the picture.
fn search(grey: &Mat, factors: &[f64], most: usize, shortest: usize) -> opencv::Result<Vec<Strip>> {
    let levels = pyramid(grey, factors)?;
    let mut found = Vec::new();
    for (level, (factor, picture)) in levels.iter().enumerate() {
        let glyphs = glyphs(picture)?;
        for (dark, glyphs) in [(true, glyphs.dark), (false, glyphs.light)] {
            found.extend(lines(glyphs, shortest).into_iter().map(|line| Found {
                line: line.scaled(1.0 / factor),
                level,
                dark,
            }));
        }
    }
    let cut = |f: Found| -> opencv::Result<Strip> {
        let frame = Frame::around(&f.line);
        let (factor, picture) = &levels[f.level];
        let pixels = strip::cut(picture, &frame.scaled(*factor), f.dark)?;
        Ok(Strip { pixels, frame, line: f.line, dark: f.dark })
    };
    distinct(found, most).into_iter().map(cut).collect()
}

/// The sizes at which a picture is searched, each over the picture's own.
fn factors(size: Size) -> Vec<f64> {
    let longest = f64::from(size.width.max(size.height));
    let base = (LONGEST_SIDE / longest).min(1.0);
    let mut factors = vec![base, base / 2.0, base / 4.0];
    if longest < SMALL_SIDE {
        factors.insert(0, 2.0);
    }
    factors
}

/// The picture at these sizes.
fn pyramid(grey: &Mat, factors: &[f64]) -> opencv::Result<Vec<(f64, Mat)>> {
    let size = grey.size()?;
    let mut levels: Vec<(f64, Mat)> = Vec::new();
    for &factor in factors {
        let side = |n: i32| (f64::from(n) * factor).round() as i32;
        let target = Size::new(side(size.width), side(size.height));
        if target.width < 16 || target.height < 16 {
            continue;
        }
        let mut level = Mat::default();
        let how = if factor > 1.0 { imgproc::INTER_CUBIC } else { imgproc::INTER_AREA };
        imgproc::resize(grey, &mut level, target, 0.0, 0.0, how)?;
        levels.push((factor, level));
    }
    Ok(levels)
}

/// The lines with most characters, without those that another one already covers.
fn distinct(mut found: Vec<Found>, most: usize) -> Vec<Found> {
    found.sort_by_key(|f| std::cmp::Reverse(f.line.glyphs));
    let mut kept: Vec<Found> = Vec::new();
    for candidate in found {
        if kept.len() == most {
            break;
        }
        if !kept.iter().any(|k| k.dark == candidate.dark && k.line.covers(&candidate.line)) {
            kept.push(candidate);
        }
    }
    kept
}
