//! A plate at an angle laid upright.

use opencv::core::{self, Mat, MatTraitConst, MatTraitConstManual, Point2f, Rect, Scalar, Size};
use opencv::imgproc;

use super::{Corners, bounds};

/// Width of an upright plate in pixels, without its margin.
const WIDTH: f64 = 240.0;
/// Highest upright plate, in widths.
const TALLEST: f64 = 1.0;
/// Room around the plate, in its heights: corners are never quite right.
const MARGIN: f64 = 0.3;
/// Plates with more pixels than this for one are averaged down, so that their strokes stay whole.
const DENSE: f64 = 1.5;

/// What is cut out around a plate as it stands, over the plate's own extent.
const AROUND: f64 = 2.2;

/// An upright plate with some of what is around it, and where it was.
pub struct Upright {
    /// The plate, 8-bit grey.
    pub plate: Mat,
    /// The picture's homogeneous coordinates from the plate's, row by row.
    back: [f64; 9],
}

impl Upright {
    /// The picture's point at the plate's (x, y).
    pub fn point(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let row = |i: usize| self.back[i] * x + self.back[i + 1] * y + self.back[i + 2];
        [row(0) / row(6), row(3) / row(6)]
    }
}

/// The plate with these corners in an 8-bit grey picture.
pub fn upright(grey: &Mat, corners: &Corners) -> opencv::Result<Upright> {
    let length = |a: [f64; 2], b: [f64; 2]| (b[0] - a[0]).hypot(b[1] - a[1]);
    let [a, b, c, d] = *corners;
    let (across, down) = ((length(a, b) + length(d, c)) / 2.0, (length(a, d) + length(b, c)) / 2.0);
    let height = WIDTH * (down / across.max(1.0)).clamp(0.1, TALLEST);
    let margin = MARGIN * height;
    let fine = if across / WIDTH > DENSE { 2.0 } else { 1.0 };
    let from = corners.map(|[x, y]| Point2f::new(x as f32, y as f32));
    let to = |fine: f64| {
        let at = |v: f64| ((v + margin) * fine + (fine - 1.0) / 2.0) as f32;
        let place = |x: f64, y: f64| Point2f::new(at(x), at(y));
        [place(0.0, 0.0), place(WIDTH, 0.0), place(WIDTH, height), place(0.0, height)]
    };
    let transform = imgproc::get_perspective_transform_slice_def(from, to(fine))?;
    let inverse = imgproc::get_perspective_transform_slice_def(to(1.0), from)?;
    let mut back = [0.0; 9];
    back.copy_from_slice(inverse.data_typed::<f64>()?);
    let side = |v: f64, fine: f64| (v + 2.0 * margin).round() as i32 * fine as i32;
    let size = |fine: f64| Size::new(side(WIDTH, fine), side(height, fine));
    let mut plate = Mat::default();
    imgproc::warp_perspective(
        grey,
        &mut plate,
        &transform,
        size(fine),
        imgproc::INTER_CUBIC,
        core::BORDER_REPLICATE,
        Scalar::default(),
    )?;
    if fine > 1.0 {
        let mut small = Mat::default();
        imgproc::resize(&plate, &mut small, size(1.0), 0.0, 0.0, imgproc::INTER_AREA)?;
        plate = small;
    }
    Ok(Upright { plate, back })
}

/// The upright box around these corners, grown so many times about its middle: left, top, right, bottom.
pub fn grown(corners: &Corners, times: f64) -> [f64; 4] {
    let [left, top, right, bottom] = bounds(corners);
    let span = |low: f64, high: f64| {
        let (middle, half) = ((low + high) / 2.0, (high - low) / 2.0 * times);
        (middle - half, middle + half)
    };
    let ((left, right), (top, bottom)) = (span(left, right), span(top, bottom));
    [left, top, right, bottom]
}

/// A plate as it stands in an 8-bit grey picture, with what is around it, and where that begins.
pub fn around(grey: &Mat, corners: &Corners) -> opencv::Result<(Mat, [f64; 2])> {
    // Flat boxes get room above and below as well: corners are as rough there, and plates lean.
    let [left, top, right, bottom] = grown(corners, AROUND);
    let room = (0.15 * (right - left) - 0.25 * (bottom - top)).max(0.0);
    let within = |v: f64, end: i32| v.clamp(0.0, f64::from(end)) as i32;
    let (x, y) = (within(left, grey.cols()), within(top - room, grey.rows()));
    let (end_x, end_y) = (within(right, grey.cols()), within(bottom + room, grey.rows()));
    let part = grey.roi(Rect::new(x, y, end_x - x, end_y - y))?.try_clone()?;
    Ok((part, [f64::from(x), f64::from(y)]))
}
