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
/// `inside` says which points of the picture count.
pub fn strips(grey: &Mat, inside: impl Fn([f64; 2]) -> bool) -> opencv::Result<Vec<Strip>> {
    let levels = pyramid(grey)?;
    let mut found = Vec::new();
    for (level, (factor, picture)) in levels.iter().enumerate() {
        let glyphs = glyphs(picture)?;
        for (dark, glyphs) in [(true, glyphs.dark), (false, glyphs.light)] {
            found.extend(lines(glyphs).into_iter().map(|line| Found {
                line: line.scaled(1.0 / factor),
                level,
                dark,
            }));
        }
    }
    found.retain(|f| inside([0, 1].map(|i| (f.line.left[i] + f.line.right[i]) / 2.0)));
    let cut = |f: Found| -> opencv::Result<Strip> {
        let frame = Frame::around(&f.line);
        let (factor, picture) = &levels[f.level];
        let pixels = strip::cut(picture, &frame.scaled(*factor), f.dark)?;
        Ok(Strip { pixels, frame, line: f.line, dark: f.dark })
    };
    distinct(found).into_iter().map(cut).collect()
}

/// The picture at the sizes it is searched at, each with its size over the picture's own.
fn pyramid(grey: &Mat) -> opencv::Result<Vec<(f64, Mat)>> {
    let size = grey.size()?;
    let longest = f64::from(size.width.max(size.height));
    let base = (LONGEST_SIDE / longest).min(1.0);
    let mut factors = vec![base, base / 2.0, base / 4.0];
    if longest < SMALL_SIDE {
        factors.insert(0, 2.0);
    }
    let mut levels: Vec<(f64, Mat)> = Vec::new();
    for factor in factors {
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
fn distinct(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by_key(|f| std::cmp::Reverse(f.line.glyphs));
    let mut kept: Vec<Found> = Vec::new();
    for candidate in found {
        if kept.len() == MOST {
            break;
        }
        if !kept.iter().any(|k| k.dark == candidate.dark && k.line.covers(&candidate.line)) {
            kept.push(candidate);
        }
    }
    kept
}
