//! A map over a picture, to look at.

use std::path::Path;

use opencv::core::{CV_8UC3, Mat, Point, Scalar, Vector};
use opencv::{imgcodecs, imgproc};

use crate::error::{Error, Result};
use crate::slots::SlotMap;

/// The ground without a picture.
const GROUND: f64 = 60.0;

/// Draws the outlines and ids of `map` over `picture` (8-bit BGR, brought to the map's size), or over grey. Slots that the map's check
/// finds fault with, or that cover one another, are red.
///
/// # Errors
/// [`Kind::Image`](crate::error::Kind::Image) when OpenCV fails.
pub fn draw(map: &SlotMap, picture: Option<&Mat>) -> Result<Mat> {
    over(map, picture).map_err(|error| Error::image("drawing the map", error))
}

/// Writes `picture` to the file at `path`, in the format that its name says.
///
/// # Errors
/// [`Kind::Image`](crate::error::Kind::Image) when it cannot be written.
pub fn write(picture: &Mat, path: &Path) -> Result<()> {
    let failed = |why: String| Error::image("writing the picture", why);
    match imgcodecs::imwrite_def(path, picture) {
        Ok(true) => Ok(()),
        Ok(false) => Err(failed("the file cannot be written".to_owned())),
        Err(error) => Err(failed(error.message)),
    }
}

fn over(map: &SlotMap, picture: Option<&Mat>) -> opencv::Result<Mat> {
    let [width, height] = map.image_size.map(|side| side.clamp(1, 16_384) as i32);
    let mut canvas = Mat::default();
    match picture {
        Some(picture) => {
            let size = opencv::core::Size::new(width, height);
            imgproc::resize(picture, &mut canvas, size, 0.0, 0.0, imgproc::INTER_AREA)?;
        }
        None => canvas = Mat::new_rows_cols_with_default(height, width, CV_8UC3, Scalar::all(GROUND))?,
    }
    let remarks: Vec<_> = map.faults().into_iter().chain(map.warnings()).collect();
    let (green, red) = (Scalar::new(80.0, 255.0, 0.0, 0.0), Scalar::new(40.0, 40.0, 255.0, 0.0));
    let (black, white) = (Scalar::all(0.0), Scalar::all(255.0));
    let scale = f64::from(width) / 2000.0 + 0.2;
    for (at, slot) in map.slots.iter().enumerate() {
        let wrong = remarks.iter().any(|remark| remark.slots.contains(&at));
        // Far outside, OpenCV's own numbers would run over.
        let pixel = |side: f64| side.clamp(-20_000.0, 20_000.0).round() as i32;
        let corners: Vector<Point> =
            slot.polygon.iter().map(|[x, y]| Point::new(pixel(*x), pixel(*y))).collect();
        if corners.is_empty() {
            continue;
        }
        let colour = if wrong { red } else { green };
        imgproc::polylines(&mut canvas, &corners, true, colour, 2, imgproc::LINE_AA, 0)?;
        let mean = |axis: usize| {
            slot.polygon.iter().map(|corner| corner[axis]).sum::<f64>() / slot.polygon.len() as f64
        };
        let at = Point::new(
            pixel(mean(0) - 20.0 * scale * slot.slot_id.len() as f64 / 2.0),
            pixel(mean(1) + 10.0 * scale),
        );
        for (colour, width) in [(black, 3), (white, 1)] {
            let font = imgproc::FONT_HERSHEY_SIMPLEX;
            imgproc::put_text(
                &mut canvas,
                &slot.slot_id,
                at,
                font,
                scale,
                colour,
                width,
                imgproc::LINE_AA,
                false,
            )?;
        }
    }
    Ok(canvas)
}
