//! A plate at an angle to a small upright picture of one size.

use opencv::core::{self, Mat, MatTraitConstManual, Point2f, Scalar, Size};
use opencv::imgproc;

use super::Corners;

/// Width of an upright plate in pixels.
pub const WIDTH: usize = 160;
/// Height of an upright plate in pixels.
pub const HEIGHT: usize = 48;
/// Where the plate lies there, left, top, right and bottom; the rest is margin, for corners are never quite right.
const INNER: [f32; 4] = [14.0, 7.0, 146.0, 41.0];
/// Plates with more pixels than this for one are averaged down, so that their strokes stay whole.
const DENSE: f64 = 1.5;

/// The plate with these corners, row by row, from an 8-bit grey picture.
pub fn rectified(grey: &Mat, corners: &Corners) -> opencv::Result<Vec<u8>> {
    let [left, top, right, bottom] = INNER;
    let length = |a: [f64; 2], b: [f64; 2]| (b[0] - a[0]).hypot(b[1] - a[1]);
    let across = length(corners[0], corners[1]) / f64::from(right - left);
    let down = length(corners[0], corners[3]) / f64::from(bottom - top);
    let fine: usize = if across.max(down) > DENSE { 2 } else { 1 };
    let place = |v: f32| v * fine as f32 + (fine as f32 - 1.0) / 2.0;
    let from = corners.map(|[x, y]| Point2f::new(x as f32, y as f32));
    let to = [[left, top], [right, top], [right, bottom], [left, bottom]]
        .map(|[x, y]| Point2f::new(place(x), place(y)));
    let transform = imgproc::get_perspective_transform_slice_def(from, to)?;
    let size = |fine: usize| Size::new((WIDTH * fine) as i32, (HEIGHT * fine) as i32);
    let mut plate = Mat::default();
    imgproc::warp_perspective(
        grey,
        &mut plate,
        &transform,
        size(fine),
        imgproc::INTER_LINEAR,
        core::BORDER_REPLICATE,
        Scalar::default(),
    )?;
    if fine > 1 {
        let mut small = Mat::default();
        imgproc::resize(&plate, &mut small, size(1), 0.0, 0.0, imgproc::INTER_AREA)?;
        plate = small;
    }
    Ok(plate.data_typed::<u8>()?.to_vec())
}

/// By which shares of its sides a plate is taken to be wider, taller, and lower than its corners say.
pub type Laying = [f64; 3];

/// The same plate with its corners moved.
pub fn shifted(corners: &Corners, [wider, taller, down]: Laying) -> Corners {
    let [a, b, c, d] = corners;
    let between = |p: &[f64; 2], q: &[f64; 2]| [(p[0] + q[0]) / 2.0, (p[1] + q[1]) / 2.0];
    let [left, right, top, bottom] = [between(a, d), between(b, c), between(a, b), between(d, c)];
    let along = [right[0] - left[0], right[1] - left[1]];
    let across = [bottom[0] - top[0], bottom[1] - top[1]];
    let signs = [[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]];
    std::array::from_fn(|i| {
        let [u, v] = [signs[i][0] * wider, signs[i][1] * taller + down];
        [0, 1].map(|axis| corners[i][axis] + u * along[axis] + v * across[axis])
    })
}

/// The pixels as the reader takes them: mean 0, spread 1, whatever the light.
pub fn normalised(pixels: &[u8]) -> Vec<f32> {
    let n = pixels.len().max(1) as f32;
    let mean = pixels.iter().map(|&v| f32::from(v)).sum::<f32>() / n;
    let variance = pixels.iter().map(|&v| (f32::from(v) - mean).powi(2)).sum::<f32>() / n;
    let spread = variance.sqrt() + 2.0;
    pixels.iter().map(|&v| (f32::from(v) - mean) / spread).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_are_moved_along_the_plate() {
        let plate = [[10.0, 0.0], [30.0, 10.0], [25.0, 20.0], [5.0, 10.0]];
        assert_eq!(shifted(&plate, [0.0; 3]), plate);
        assert_eq!(shifted(&plate, [0.1, 0.0, 0.0]), [[9.0, -0.5], [31.0, 10.5], [26.0, 20.5], [4.0, 9.5]]);
        assert_eq!(shifted(&plate, [0.0, 0.0, 0.5]), plate.map(|[x, y]| [x - 2.5, y + 5.0]));
    }
}
