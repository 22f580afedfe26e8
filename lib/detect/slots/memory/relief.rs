//! What a picture looks like whatever its light: the steps in brightness from each cell of a grid to its neighbours.
//!
//! A step is a difference of logarithms, so a change of gain leaves it alone, and a shadow changes only the steps along
//! its edge.

use serde::{Deserialize, Serialize};

/// Added to every level, so that the noise of the dark makes no steps.
const DARK: f64 = 6.0;
/// A step larger than this counts as this: one lamp or one edge must not outweigh all else.
const LARGEST: f32 = 0.5;
/// Steps are kept in this many parts of one.
const PARTS: f32 = 1000.0;

/// The steps of a grid: those to the right, row by row, then those down.
#[derive(Debug, Clone, PartialEq)]
pub struct Relief {
    /// Width of the grid.
    width: usize,
    steps: Vec<f32>,
}

/// A relief as it usually is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Usual {
    width: usize,
    /// In thousandths: the state file stays short, and nothing finer is ever seen.
    steps: Vec<i16>,
    /// How often it was seen.
    pub seen: u32,
}

impl Relief {
    /// The relief of a grid of grey levels, `width` a row.
    pub fn of(levels: &[f64], width: usize) -> Self {
        let logs: Vec<f32> = levels.iter().map(|level| (level + DARK).ln() as f32).collect();
        let step = |from: usize, to: usize| (logs[to] - logs[from]).clamp(-LARGEST, LARGEST);
        let ends = |i: usize| (i + 1).is_multiple_of(width);
        let right = (0..logs.len()).map(|i| if ends(i) { 0.0 } else { step(i, i + 1) });
        let down = (0..logs.len()).map(|i| if i + width < logs.len() { step(i, i + width) } else { 0.0 });
        Relief { width, steps: right.chain(down).collect() }
    }

    /// The mean distance of its steps from the usual ones, 0 to 1.
    pub fn distance(&self, usual: &Usual) -> f64 {
        let pairs = self.steps.iter().zip(&usual.steps);
        let sum: f32 = pairs.map(|(a, b)| (a - f32::from(*b) / PARTS).abs().min(LARGEST)).sum();
        f64::from(sum) / self.steps.len().max(1) as f64
    }

    /// How strong its steps are in the cells that count: the mean of their squares.
    pub fn strength(&self, counts: &[bool]) -> f64 {
        let (sum, n) = both(counts)
            .zip(&self.steps)
            .filter(|(counts, _)| *counts)
            .fold((0.0, 0_u32), |(sum, n), (_, step)| (sum + f64::from(step * step), n + 1));
        sum / f64::from(n.max(1))
    }

    /// How well it agrees with the usual one when it is moved by (x, y) cells, in the cells that count: 1 if it is the same, 0 if
    /// it has nothing to do with it.
    pub fn agreement(&self, usual: &Usual, counts: &[bool], [x, y]: [i32; 2]) -> f64 {
        let (width, cells) = (self.width as i32, self.steps.len() / 2);
        let height = cells as i32 / width;
        let (mut both, mut own, mut other) = (0.0_f64, 0.0_f64, 0.0_f64);
        for row in 0.max(-y)..height.min(height - y) {
            for column in 0.max(-x)..width.min(width - x) {
                let there = (row * width + column) as usize;
                if !counts[there] {
                    continue;
                }
                let here = ((row + y) * width + column + x) as usize;
                for half in [0, cells] {
                    let (a, b) = (self.steps[here + half], f32::from(usual.steps[there + half]) / PARTS);
                    both += f64::from(a * b);
                    own += f64::from(a * a);
                    other += f64::from(b * b);
                }
            }
        }
        both / (own * other).sqrt().max(1e-9)
    }
}

impl Usual {
    /// A relief seen for the first time.
    pub fn first(relief: &Relief) -> Self {
        let steps = relief.steps.iter().map(|step| (step * PARTS).round() as i16).collect();
        Usual { width: relief.width, steps, seen: 1 }
    }

    /// Whether it is of the same grid.
    pub fn fits(&self, relief: &Relief) -> bool {
        (self.width, self.steps.len()) == (relief.width, relief.steps.len())
    }

    /// Moves it towards what is seen now, by `share` of the way once it has settled and by more before.
    pub fn learn(&mut self, relief: &Relief, share: f32) {
        self.seen = self.seen.saturating_add(1);
        let share = share.max(1.0 / self.seen as f32);
        for (usual, step) in self.steps.iter_mut().zip(&relief.steps) {
            let way = share * (step * PARTS - f32::from(*usual));
            // The last thousandths would be lost in rounding.
            *usual +=
                if way.abs() < 1.0 { way.signum() as i16 * i16::from(way.abs() > 0.05) } else { way as i16 };
        }
    }

    /// How strong its steps are in the cells that count.
    pub fn strength(&self, counts: &[bool]) -> f64 {
        let steps = self.steps.iter().map(|step| f32::from(*step) / PARTS).collect();
        Relief { width: self.width, steps }.strength(counts)
    }
}

/// Whether each step counts: as its cell does.
fn both(counts: &[bool]) -> impl Iterator<Item = bool> + '_ {
    counts.iter().chain(counts).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture with something everywhere, moved by (x, y).
    fn scene(x: i32, y: i32, light: f64) -> Relief {
        let level = |i: i32| {
            let (column, row) = (i % 24 + x, i / 24 + y);
            light
                * (60.0 + f64::from((column * 7919 + row * row * 104_729 + column * row * 31).rem_euclid(97)))
        };
        Relief::of(&(0..24 * 16).map(level).collect::<Vec<_>>(), 24)
    }

    #[test]
    fn the_same_scene_in_other_light_has_the_same_relief() {
        let usual = Usual::first(&scene(0, 0, 1.0));
        for light in [0.5, 1.5] {
            assert!(scene(0, 0, light).distance(&usual) < 0.03);
        }
        assert!(scene(5, 0, 1.0).distance(&usual) > 0.2);
    }

    #[test]
    fn a_scene_that_moved_agrees_where_it_went() {
        let (usual, all) = (Usual::first(&scene(0, 0, 1.0)), [true; 24 * 16]);
        let moved = scene(-2, 1, 0.8);
        assert!(moved.agreement(&usual, &all, [0, 0]) < 0.3);
        assert!(moved.agreement(&usual, &all, [2, -1]) > 0.95);
    }

    #[test]
    fn what_is_usual_follows_what_is_seen() {
        let (old, new) = (scene(0, 0, 1.0), scene(3, 3, 1.0));
        let mut usual = Usual::first(&old);
        (0..60).for_each(|_| usual.learn(&old, 0.01));
        usual.learn(&new, 0.01);
        assert!(old.distance(&usual) < 0.02, "once is not enough");
        (0..600).for_each(|_| usual.learn(&new, 0.01));
        assert!(new.distance(&usual) < 0.02 && old.distance(&usual) > 0.15);
    }
}
