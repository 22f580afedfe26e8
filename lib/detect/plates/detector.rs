//! A frame to the places where plates may be, by the network of `models/plates/detector.py`.

use opencv::core::{Mat, MatTraitConst, MatTraitConstManual, Rect, Size};
use opencv::imgproc;

use super::{Corners, bounds};
use crate::engine::{Engine, Tensor};
use crate::error::{Error, Result};

/// How the network is shown a frame, so that plates of every size are of a size it knows: most, then large ones, then those that
/// fill the frame. What is left over is not looked at once a plate is found.
const LOOKS: [Look; 3] = [
    Look { longest: 448.0, margin: 0, least: 0.0 },
    Look { longest: 240.0, margin: 0, least: 0.28 },
    Look { longest: 80.0, margin: 30, least: 0.6 },
];
/// How it is shown a place where it has found a plate, to see the corners better: so many pixels across and down.
const CLOSE: [usize; 2] = [256, 160];
/// The plate is so wide there, or two thirds of this high if that is less.
const CLOSE_WIDTH: f64 = 120.0;
/// Either side of a frame that the network is shown is a multiple of this.
const STEP: usize = 32;
/// Pixels there for one cell of the maps.
const STRIDE: usize = 8;
/// Maps: one of scores, and x and y of four corners.
const MAPS: usize = 9;
/// The corners are given in this many cells.
const SPREAD: f64 = 4.0;
/// Least score of a place worth reading.
const LEAST: f64 = 0.3;
/// Of two places that share more than this of the smaller one's area, one is left.
const SAME: f64 = 0.6;
/// What is seen closely is the same place if it shares more than this of the smaller one's area.
const SAME_CLOSELY: f64 = 0.5;
/// Most places of a frame.
const MOST: usize = 16;

/// Where a plate may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spot {
    /// How sure the network is of a plate, 0 to 1.
    pub score: f64,
    /// Its corners in pixels of the frame, clockwise from its own top left.
    pub corners: Corners,
}

/// One way to show a frame.
struct Look {
    /// Longest side of the frame as it is shown.
    longest: f64,
    /// Dark pixels around it, at least.
    margin: usize,
    /// Plates narrower than this share of the frame's longest side are left to the other looks.
    least: f64,
}

/// Where what was shown lies in the frame.
struct View {
    /// Pixels of the frame for one that was shown, across and down.
    factors: [f64; 2],
    /// The frame's top left corner, in pixels that were shown.
    origin: [f64; 2],
}

/// Finds plates.
pub struct Detector {
    engine: Box<dyn Engine>,
}

impl Detector {
    /// A detector around a network of one input, 1 x 1 x height x width, grey from 0 to 1, both multiples of 32, and one
    /// output, 1 x 9 x height / 8 x width / 8.
    ///
    /// # Errors
    /// [`Kind::Model`](crate::error::Kind::Model) when it has other shapes.
    pub fn new(mut engine: Box<dyn Engine>) -> Result<Self> {
        let [width, height] = CLOSE;
        let maps =
            engine.run(Tensor { shape: vec![1, 1, height, width], data: vec![0.5; width * height] })?;
        let wanted = [1, MAPS, height / STRIDE, width / STRIDE];
        match maps.shape == wanted {
            true => Ok(Self { engine }),
            false => {
                let why = format!("it gives maps of {:?}, not {wanted:?}", maps.shape);
                Err(Error::model("trying the plate detector", why))
            }
        }
    }

    /// The places of an 8-bit grey picture where plates may be, likeliest first.
    ///
    /// # Errors
    /// [`Kind::Model`](crate::error::Kind::Model) when the network fails.
    pub fn find(&mut self, grey: &Mat) -> Result<Vec<Spot>> {
        let longest = f64::from(grey.rows().max(grey.cols()));
        for look in &LOOKS {
            let (input, view) = shown(grey, look).map_err(|e| Error::image("shrinking a frame", e))?;
            let mut found = spots(&self.engine.run(input)?, &view);
            found.retain(|spot| width(&spot.corners) >= look.least * longest);
            let mut seen = Vec::new();
            for spot in distinct(found) {
                seen.extend(self.closely(grey, &spot)?);
            }
            if !seen.is_empty() {
                seen.sort_by(|a: &Spot, b| b.score.total_cmp(&a.score));
                return Ok(distinct(seen));
            }
        }
        Ok(Vec::new())
    }

    /// The same place, seen closely: corners that are off by a tenth of the plate from afar are right to a few hundredths then,
    /// and most of what is no plate is gone.
    fn closely(&mut self, grey: &Mat, spot: &Spot) -> Result<Option<Spot>> {
        let (input, view) = close_up(grey, &spot.corners).map_err(|e| Error::image("looking closely", e))?;
        let found = spots(&self.engine.run(input)?, &view);
        Ok(found.into_iter().find(|seen| shared(&seen.corners, &spot.corners) > SAME_CLOSELY))
    }
}

/// The picture as the network takes it, and where that lies in the picture.
fn shown(grey: &Mat, look: &Look) -> opencv::Result<(Tensor, View)> {
    let size = grey.size()?;
    let scale = look.longest / f64::from(size.width.max(size.height));
    // Without a margin the picture is stretched a little to multiples of STEP; with one, the margin takes up the rest.
    let sides = |length: i32| {
        let small = f64::from(length) * scale;
        match look.margin {
            0 => [((small / STEP as f64).round() as usize).max(1) * STEP; 2],
            margin => {
                let small = (small.round() as usize).max(1);
                [small, (small + 2 * margin).next_multiple_of(STEP)]
            }
        }
    };
    let ([w, width], [h, height]) = (sides(size.width), sides(size.height));
    let (left, top) = ((width - w) / 2, (height - h) / 2);
    let view = View {
        factors: [f64::from(size.width) / w as f64, f64::from(size.height) / h as f64],
        origin: [left as f64, top as f64],
    };
    Ok((laid(grey, [w, h], [left, top], [width, height], scale)?, view))
}

/// Along one axis: what of the picture is shown, and where.
struct Cut {
    start: i32,
    length: i32,
    at: usize,
    shown: usize,
}

impl Cut {
    /// `room` pixels with the middle of `low` and `high` in their middle, of a picture so long.
    fn around(low: f64, high: f64, scale: f64, room: usize, length: i32) -> Cut {
        let extent = room as f64 / scale;
        let from = (low + high - extent) / 2.0;
        let start = from.floor().clamp(0.0, f64::from(length - 1));
        let end = (from + extent).ceil().clamp(start + 1.0, f64::from(length));
        let at = (((start - from) * scale).round().max(0.0) as usize).min(room - 1);
        let shown = (((end - start) * scale).round() as usize).clamp(1, room - at);
        Cut { start: start as i32, length: (end - start) as i32, at, shown }
    }

    /// Pixels of the picture for one that is shown, and where the picture begins in those.
    fn view(&self) -> [f64; 2] {
        let factor = f64::from(self.length) / self.shown as f64;
        [factor, self.at as f64 - f64::from(self.start) / factor]
    }
}

/// What lies around these corners as the network takes it, and where that lies in the picture.
fn close_up(grey: &Mat, corners: &Corners) -> opencv::Result<(Tensor, View)> {
    let [left, top, right, bottom] = bounds(corners);
    let scale = CLOSE_WIDTH / (right - left).max(1.5 * (bottom - top)).max(4.0);
    let x = Cut::around(left, right, scale, CLOSE[0], grey.cols());
    let y = Cut::around(top, bottom, scale, CLOSE[1], grey.rows());
    let part = grey.roi(Rect::new(x.start, y.start, x.length, y.length))?.try_clone()?;
    let tensor = laid(&part, [x.shown, y.shown], [x.at, y.at], CLOSE, scale)?;
    let ([fx, from_x], [fy, from_y]) = (x.view(), y.view());
    Ok((tensor, View { factors: [fx, fy], origin: [from_x, from_y] }))
}

/// The picture brought to a size, `scale` times its own or nearly, and laid at a place of an otherwise dark one.
fn laid(
    grey: &Mat,
    [w, h]: [usize; 2],
    [left, top]: [usize; 2],
    [width, height]: [usize; 2],
    scale: f64,
) -> opencv::Result<Tensor> {
    let how = if scale < 1.0 { imgproc::INTER_AREA } else { imgproc::INTER_LINEAR };
    let mut small = Mat::default();
    imgproc::resize(grey, &mut small, Size::new(w as i32, h as i32), 0.0, 0.0, how)?;
    let pixels = small.data_typed::<u8>()?;
    let mean = pixels.iter().map(|&v| f32::from(v)).sum::<f32>() / pixels.len() as f32;
    let mut data = vec![mean / 2.0 / 255.0; width * height];
    for (row, line) in pixels.chunks_exact(w).enumerate() {
        let start = (top + row) * width + left;
        data[start..start + w].iter_mut().zip(line).for_each(|(to, &v)| *to = f32::from(v) / 255.0);
    }
    Ok(Tensor { shape: vec![1, 1, height, width], data })
}

/// The peaks of the scores with their corners, likeliest first.
fn spots(maps: &Tensor, view: &View) -> Vec<Spot> {
    let [.., rows, columns] = maps.shape[..] else { return Vec::new() };
    let at = |map: usize, y: usize, x: usize| maps.data[(map * rows + y) * columns + x];
    let near = |i: usize, end: usize| i.saturating_sub(1)..(i + 2).min(end);
    let mut found = Vec::new();
    for (y, x) in (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x))) {
        let logit = at(0, y, x);
        let score = 1.0 / (1.0 + f64::from(-logit).exp());
        if score < LEAST || near(y, rows).any(|v| near(x, columns).any(|u| at(0, v, u) > logit)) {
            continue;
        }
        let corner = |i: usize| {
            let to = |axis: usize, cell: usize| {
                let cells = f64::from(at(1 + 2 * i + axis, y, x)) * SPREAD + cell as f64 + 0.5;
                (cells * STRIDE as f64 - view.origin[axis]) * view.factors[axis]
            };
            [to(0, x), to(1, y)]
        };
        found.push(Spot { score, corners: [corner(0), corner(1), corner(2), corner(3)] });
    }
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found
}

/// The places that lie on none before them.
fn distinct(found: Vec<Spot>) -> Vec<Spot> {
    let mut kept: Vec<Spot> = Vec::new();
    for spot in found {
        if kept.len() < MOST && kept.iter().all(|k| shared(&k.corners, &spot.corners) < SAME) {
            kept.push(spot);
        }
    }
    kept
}

fn width(corners: &Corners) -> f64 {
    let [left, _, right, _] = bounds(corners);
    right - left
}

/// The share of the smaller box that two places have in common.
fn shared(a: &Corners, b: &Corners) -> f64 {
    let (a, b) = (bounds(a), bounds(b));
    let side = |i: usize| (a[i + 2].min(b[i + 2]) - a[i].max(b[i])).max(0.0);
    let area = |c: [f64; 4]| (c[2] - c[0]) * (c[3] - c[1]);
    side(0) * side(1) / area(a).min(area(b)).max(f64::MIN_POSITIVE)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use opencv::core::{self, Scalar};

    use super::*;

    const QUIET: f32 = -9.0;
    const WHOLE: View = View { factors: [1.0, 1.0], origin: [0.0, 0.0] };

    /// Maps of 4 x 6 cells without a plate.
    fn empty() -> Tensor {
        let mut data = vec![0.0; MAPS * 24];
        data[..24].fill(QUIET);
        Tensor { shape: vec![1, MAPS, 4, 6], data }
    }

    /// Puts a plate of 16 x 8 pixels around the middle of cell (x, y).
    fn put(maps: &mut Tensor, x: usize, y: usize, logit: f32) {
        let cell = y * 6 + x;
        maps.data[cell] = logit;
        for (i, cells) in [-1.0, -0.5, 1.0, -0.5, 1.0, 0.5, -1.0, 0.5].into_iter().enumerate() {
            maps.data[(i + 1) * 24 + cell] = cells / SPREAD as f32;
        }
    }

    #[test]
    fn a_peak_is_a_plate_with_its_corners_in_the_frame() {
        let mut maps = empty();
        put(&mut maps, 2, 1, 3.0);
        let found = spots(&maps, &View { factors: [2.0, 3.0], origin: [0.0, 4.0] });
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].corners, [[24.0, 12.0], [56.0, 12.0], [56.0, 36.0], [24.0, 36.0]]);
        assert!((found[0].score - 0.9526).abs() < 1e-3);
    }

    #[test]
    fn neighbours_are_one_plate_and_others_come_likeliest_first() {
        let mut maps = empty();
        put(&mut maps, 1, 1, 1.0);
        put(&mut maps, 2, 1, 3.0);
        put(&mut maps, 5, 3, 2.0);
        let found = distinct(spots(&maps, &WHOLE));
        assert_eq!(found.iter().map(|s| s.corners[0][0]).collect::<Vec<_>>(), [12.0, 36.0]);
        assert!(spots(&empty(), &WHOLE).is_empty());
    }

    #[test]
    fn a_close_look_has_the_place_in_its_middle_also_at_the_edge_of_the_picture() {
        let grey = Mat::new_rows_cols_with_default(300, 400, core::CV_8UC1, Scalar::all(90.0)).unwrap();
        let box_at = |x: f64, y: f64, w: f64| [[x, y], [x + w, y], [x + w, y + w / 4.0], [x, y + w / 4.0]];
        for (corners, edge) in [
            (box_at(150.0, 120.0, 60.0), false),
            (box_at(-4.0, 2.0, 40.0), true),
            (box_at(90.0, 0.0, 300.0), true),
        ] {
            let (tensor, view) = close_up(&grey, &corners).unwrap();
            assert_eq!(tensor.shape, [1, 1, CLOSE[1], CLOSE[0]]);
            let [left, top, right, bottom] = bounds(&corners);
            for (axis, middle) in [(left + right) / 2.0, (top + bottom) / 2.0].into_iter().enumerate() {
                let shown = middle / view.factors[axis] + view.origin[axis];
                assert!((shown - CLOSE[axis] as f64 / 2.0).abs() < 1.5, "{corners:?}: {shown}");
            }
            assert!(((right - left) / view.factors[0] - CLOSE_WIDTH).abs() < 2.0);
            assert_eq!(tensor.data.iter().any(|&level| level < 0.3), edge, "dark where the picture ends");
        }
        let beyond = box_at(500.0, 400.0, 20.0);
        assert!(close_up(&grey, &beyond).is_ok(), "corners may lie outside");
    }
}
