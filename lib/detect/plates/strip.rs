//! A line of text straightened into a small strip of fixed size, dark on light.

use opencv::core::{self, Mat, MatTraitConstManual, Scalar, Size};
use opencv::imgproc;

use super::lines::Line;

/// Width of a strip in pixels.
pub const WIDTH: usize = 160;
/// Height of a strip in pixels.
pub const HEIGHT: usize = 24;
/// Height of the characters in a strip, in pixels; the rest is margin, the same above and below.
pub const TEXT_HEIGHT: f64 = 18.0;
/// Ground kept free on either side of a line, in heights of its characters: room for characters not found.
const MARGIN: f64 = 0.9;
/// Sampled at this many times the size and averaged down, so that large characters keep their strokes.
const OVERSAMPLING: usize = 2;

/// Where a strip lies in the picture it was cut from.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// The picture's point at the strip's (0, 0).
    pub origin: [f64; 2],
    /// Step in the picture for one pixel to the right in the strip.
    pub right: [f64; 2],
    /// Step in the picture for one pixel down in the strip.
    pub down: [f64; 2],
}

impl Frame {
    /// The strip for a line: as wide as it shows at true proportion, squeezed only where the line needs it.
    pub fn around(line: &Line) -> Self {
        let [dx, dy] = line.direction();
        let scale = line.height / TEXT_HEIGHT;
        let needed = line.length() + 2.0 * MARGIN * line.height;
        let step = (needed / WIDTH as f64).max(scale);
        let centre = [(line.left[0] + line.right[0]) / 2.0, (line.left[1] + line.right[1]) / 2.0];
        let (right, down) = ([dx * step, dy * step], [-dy * scale, dx * scale]);
        let corner = |i: usize| {
            centre[i] - right[i] * (WIDTH as f64 - 1.0) / 2.0 - down[i] * (HEIGHT as f64 - 1.0) / 2.0
        };
        Self { origin: [corner(0), corner(1)], right, down }
    }

    /// The picture's point at the strip's (x, y).
    pub fn point(&self, x: f64, y: f64) -> [f64; 2] {
        [0, 1].map(|i| self.origin[i] + self.right[i] * x + self.down[i] * y)
    }

    /// The same strip in a picture `factor` times as large.
    pub fn scaled(&self, factor: f64) -> Self {
        let scale = |v: [f64; 2]| v.map(|c| c * factor);
        Self { origin: scale(self.origin), right: scale(self.right), down: scale(self.down) }
    }
}

/// The strip's pixels, row by row, from an 8-bit grey picture; `dark` says that the text is darker than its ground.
pub fn cut(grey: &Mat, frame: &Frame, dark: bool) -> opencv::Result<Vec<u8>> {
    let fine = OVERSAMPLING as f64;
    let start = frame.point((1.0 / fine - 1.0) / 2.0, (1.0 / fine - 1.0) / 2.0);
    let row = |i: usize| [frame.right[i] / fine, frame.down[i] / fine, start[i]];
    let transform = Mat::from_slice_2d(&[row(0), row(1)])?;
    let size = Size::new((WIDTH * OVERSAMPLING) as i32, (HEIGHT * OVERSAMPLING) as i32);
    let (mut large, mut strip) = (Mat::default(), Mat::default());
    let flags = imgproc::INTER_LINEAR | imgproc::WARP_INVERSE_MAP;
    imgproc::warp_affine(
        grey,
        &mut large,
        &transform,
        size,
        flags,
        core::BORDER_REPLICATE,
        Scalar::default(),
    )?;
    let size = Size::new(WIDTH as i32, HEIGHT as i32);
    imgproc::resize(&large, &mut strip, size, 0.0, 0.0, imgproc::INTER_AREA)?;
    let pixels = strip.data_typed::<u8>()?;
    Ok(pixels.iter().map(|&v| if dark { v } else { 255 - v }).collect())
}

/// The strip as the reader takes it: mean 0, spread 1, whatever the light.
pub fn normalised(strip: &[u8]) -> impl Iterator<Item = f32> {
    let n = strip.len().max(1) as f32;
    let mean = strip.iter().map(|&v| f32::from(v)).sum::<f32>() / n;
    let variance = strip.iter().map(|&v| (f32::from(v) - mean).powi(2)).sum::<f32>() / n;
    let spread = variance.sqrt() + 2.0;
    strip.iter().map(move |&v| (f32::from(v) - mean) / spread)
}
