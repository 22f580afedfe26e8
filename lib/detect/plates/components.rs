//! A grey picture to character-like boxes: what stands out from its surroundings, either way.

use opencv::core::{self, Mat, MatTraitConst, MatTraitConstManual, Size};
use opencv::imgproc;

use super::lines::Glyph;

/// Lowest and highest character looked for at one scale, in pixels.
const HEIGHTS: std::ops::RangeInclusive<i32> = 9..=44;
/// Side of the square whose mean and spread a pixel is held against.
const WINDOW: i32 = 34;
/// How far off the mean, in spreads, a pixel of a character is.
const STANDS_OUT: f64 = 0.3;
/// Spread of a flat surface's noise, in grey levels.
const NOISE: f64 = 6.0;

/// Boxes of dark characters on light ground, and of light ones on dark.
pub struct Glyphs {
    /// Darker than their surroundings.
    pub dark: Vec<Glyph>,
    /// Lighter than their surroundings.
    pub light: Vec<Glyph>,
}

/// Character-like boxes of an 8-bit grey picture, by a local threshold (Niblack, 1986) and its components.
pub fn glyphs(grey: &Mat) -> opencv::Result<Glyphs> {
    let [low, high] = bounds(grey)?;
    let mut mask = Mat::default();
    core::compare(grey, &low, &mut mask, core::CMP_LT)?;
    let dark = boxes(&mask)?;
    core::compare(grey, &high, &mut mask, core::CMP_GT)?;
    Ok(Glyphs { dark, light: boxes(&mask)? })
}

/// For every pixel the grey levels below and above which it stands out from its surroundings. They change slowly, so
/// they are worked out at half the size.
fn bounds(grey: &Mat) -> opencv::Result<[Mat; 2]> {
    let window = Size::new(WINDOW / 2, WINDOW / 2);
    let (mut half, mut mean, mut square) = (Mat::default(), Mat::default(), Mat::default());
    imgproc::resize(grey, &mut half, Size::default(), 0.5, 0.5, imgproc::INTER_AREA)?;
    let anchor = core::Point::new(-1, -1);
    imgproc::box_filter(&half, &mut mean, core::CV_32F, window, anchor, true, core::BORDER_REFLECT)?;
    imgproc::sqr_box_filter(&half, &mut square, core::CV_32F, window, anchor, true, core::BORDER_REFLECT)?;
    let (mut mean_square, mut variance, mut spread) = (Mat::default(), Mat::default(), Mat::default());
    core::multiply(&mean, &mean, &mut mean_square, 1.0, -1)?;
    core::subtract(&square, &mean_square, &mut variance, &core::no_array(), -1)?;
    core::max(&variance, &core::Scalar::all(NOISE * NOISE), &mut mean_square)?;
    core::sqrt(&mean_square, &mut spread)?;
    let bound = |side: f64| -> opencv::Result<Mat> {
        let (mut small, mut large) = (Mat::default(), Mat::default());
        core::add_weighted(&mean, 1.0, &spread, side * STANDS_OUT, 0.0, &mut small, core::CV_8U)?;
        imgproc::resize(&small, &mut large, grey.size()?, 0.0, 0.0, imgproc::INTER_LINEAR)?;
        Ok(large)
    };
    Ok([bound(-1.0)?, bound(1.0)?])
}

/// The boxes of a mask's components that a character could fill.
fn boxes(mask: &Mat) -> opencv::Result<Vec<Glyph>> {
    let (mut labels, mut stats, mut centroids) = (Mat::default(), Mat::default(), Mat::default());
    imgproc::connected_components_with_stats(mask, &mut labels, &mut stats, &mut centroids, 4, core::CV_32S)?;
    let rows = stats.data_typed::<i32>()?.chunks_exact(5).skip(1);
    Ok(rows
        .filter(|row| {
            let (w, h, area) = (row[2], row[3], row[4]);
            HEIGHTS.contains(&h) && w <= h + h / 4 && w * 9 >= h && area * 6 >= w * h
        })
        .map(|row| Glyph { x: row[0].into(), y: row[1].into(), w: row[2].into(), h: row[3].into() })
        .collect())
}
