//! A slot seen upright, and the bare ground that it is compared with.

use std::ops::Range;

/// Width of a patch in pixels; the slot's longer side lies along it.
pub const WIDTH: usize = 64;
/// Height of a patch in pixels.
pub const HEIGHT: usize = 32;
/// What a patch shows, over the slot's own extent: a little of what lies around it.
pub const AROUND: f64 = 1.15;
/// Columns and rows of a patch's coarse look.
pub const COARSE: [usize; 2] = [16, 8];
/// Columns and rows of pixels in a cell of it.
const CELL: [usize; 2] = [WIDTH / COARSE[0], HEIGHT / COARSE[1]];
/// Columns of a patch where the slot alone is asked about: beside them neighbours reach in, lines are painted.
const INNER_X: Range<usize> = 11..WIDTH - 11;
/// Rows of it.
const INNER_Y: Range<usize> = 6..HEIGHT - 6;

/// A slot and a little around it, straightened: [`WIDTH`] x [`HEIGHT`] pixels (BGR), row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    pixels: Vec<[u8; 3]>,
    /// Pixels of the slot's inner part by grey level.
    levels: [u16; 256],
    /// Sums of the grey levels in [`COARSE`] cells, row by row.
    cells: [u32; COARSE[0] * COARSE[1]],
}

impl Patch {
    /// A patch of these bytes; `None` if they are not [`WIDTH`] x [`HEIGHT`] pixels of three.
    pub fn new(bgr: &[u8]) -> Option<Self> {
        let (pixels, []) = bgr.as_chunks::<3>() else { return None };
        if pixels.len() != WIDTH * HEIGHT {
            return None;
        }
        let (mut levels, mut cells) = ([0; 256], [0; COARSE[0] * COARSE[1]]);
        for (y, row) in pixels.chunks_exact(WIDTH).enumerate() {
            let greys: [u8; WIDTH] = std::array::from_fn(|x| grey(&row[x]));
            let first = y / CELL[1] * COARSE[0];
            for (cell, part) in cells[first..].iter_mut().zip(greys.chunks_exact(CELL[0])) {
                *cell += part.iter().map(|&level| u32::from(level)).sum::<u32>();
            }
            if INNER_Y.contains(&y) {
                greys[INNER_X].iter().for_each(|&level| levels[usize::from(level)] += 1);
            }
        }
        Some(Patch { pixels: pixels.to_vec(), levels, cells })
    }

    /// The pixels, row by row.
    pub fn pixels(&self) -> &[[u8; 3]] {
        &self.pixels
    }

    /// The grey level below which lies this share of the slot's inner part.
    pub fn level(&self, share: f64) -> f64 {
        quantile(&self.levels, share)
    }

    /// The patch as [`COARSE`] cells of grey, row by row.
    pub fn coarse(&self) -> Vec<f64> {
        self.cells.iter().map(|&sum| f64::from(sum) / (CELL[0] * CELL[1]) as f64).collect()
    }

    /// Distance of the grey quartiles over the brightness: near 0 for an even surface.
    fn unevenness(&self) -> f64 {
        (self.level(0.75) - self.level(0.25)) / self.level(0.5).max(10.0)
    }

    /// The middle of each colour over the slot's inner part.
    fn colour(&self) -> [f64; 3] {
        let mut levels = [[0; 256]; 3];
        for pixel in inner(&self.pixels) {
            (0..3).for_each(|channel| levels[channel][usize::from(pixel[channel])] += 1);
        }
        levels.map(|levels| quantile(&levels, 0.5))
    }
}

/// The colour of bare ground, blue first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ground(pub [f64; 3]);

impl Ground {
    /// The ground of a frame whose slots are these: the most even quarter of them shows it.
    pub fn of(patches: &[Patch]) -> Self {
        let mut even: Vec<(f64, &Patch)> = patches.iter().map(|patch| (patch.unevenness(), patch)).collect();
        even.sort_by(|a, b| a.0.total_cmp(&b.0));
        even.truncate(patches.len().div_ceil(4));
        let colours: Vec<[f64; 3]> = even.iter().map(|(_, patch)| patch.colour()).collect();
        Ground([0, 1, 2].map(|channel| {
            let mut values: Vec<f64> = colours.iter().map(|colour| colour[channel]).collect();
            values.sort_by(f64::total_cmp);
            values.get(values.len() / 2).copied().unwrap_or_default()
        }))
    }
}

impl Ground {
    /// Its grey level.
    pub fn light(self) -> f64 {
        let [b, g, r] = self.0;
        0.114 * b + 0.587 * g + 0.299 * r
    }
}

/// ITU-R BT.601, as everywhere else where a picture becomes grey.
fn grey([b, g, r]: &[u8; 3]) -> u8 {
    ((114 * u32::from(*b) + 587 * u32::from(*g) + 299 * u32::from(*r) + 500) / 1000) as u8
}

fn inner(pixels: &[[u8; 3]]) -> impl Iterator<Item = &[u8; 3]> {
    pixels.chunks_exact(WIDTH).take(INNER_Y.end).skip(INNER_Y.start).flat_map(|row| &row[INNER_X])
}

/// The value below which lies `share` of a histogram of a patch's inner part, interpolated within its bin.
fn quantile(histogram: &[u16; 256], share: f64) -> f64 {
    let mut left = share * (INNER_X.len() * INNER_Y.len()) as f64;
    for (value, &n) in histogram.iter().enumerate() {
        let n = f64::from(n);
        if n > 0.0 && left <= n {
            return value as f64 + left / n;
        }
        left -= n;
    }
    255.0
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn patch(pixel: impl Fn(usize, usize) -> [u8; 3]) -> Patch {
        let pixels: Vec<[u8; 3]> = (0..WIDTH * HEIGHT).map(|i| pixel(i % WIDTH, i / WIDTH)).collect();
        Patch::new(pixels.as_flattened()).unwrap()
    }

    #[test]
    fn the_ground_is_what_the_most_even_slots_show() {
        let ground = patch(|x, y| [90 + ((x * 7 + y * 3) % 4) as u8, 100, 110]);
        let vehicle = patch(|x, _| if x / 6 % 2 == 0 { [20; 3] } else { [240; 3] });
        let Ground(seen) = Ground::of(&[vehicle.clone(), vehicle.clone(), ground, vehicle]);
        assert!((seen[0] - 92.0).abs() < 2.0 && (seen[1] - 100.5).abs() < 1.0, "{seen:?}");
        assert_eq!(Ground::of(&[]), Ground([0.0; 3]));
    }

    #[test]
    fn levels_are_those_of_the_slot_and_not_of_its_neighbours() {
        let lined =
            patch(|x, y| if !(5..27).contains(&y) || !(8..56).contains(&x) { [250; 3] } else { [60; 3] });
        assert_eq!(lined.level(0.95).floor(), 60.0);
    }

    #[test]
    fn a_patch_of_another_size_is_refused() {
        assert_eq!(Patch::new(&[0; 7]), None);
        assert_eq!(Patch::new(&[0; 3 * WIDTH]), None);
    }
}
