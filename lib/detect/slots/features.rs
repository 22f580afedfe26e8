//! The few numbers a slot is judged by.
//!
//! A vehicle breaks the even surface of a slot: it has edges all over, parts darker and brighter than one another,
//! and a brightness of its own. Paint, stains and a neighbour's shadow do a little of each, so all are weighed
//! together, and against the frame: its noise, and how bright its bare surface is.

/// Width of a slot's upright patch in pixels.
pub const WIDTH: usize = 64;
/// Height of a slot's upright patch in pixels.
pub const HEIGHT: usize = 32;
/// What is left out at the left and right end, where neighbours reach in and lines are painted.
const MARGIN_X: usize = 8;
/// What is left out at the top and the bottom.
const MARGIN_Y: usize = 5;
/// Pixels that count.
const COUNT: usize = (WIDTH - 2 * MARGIN_X) * (HEIGHT - 2 * MARGIN_Y);

/// What is counted in one patch; everything else follows from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// Pixels by grey level.
    levels: [u16; 256],
    /// Pixels by slope, in eighths of a grey level a pixel; the last bin holds all steeper ones.
    slopes: [u16; 256],
    /// Each pixel's colour: how much more red and how much more blue than green.
    tints: Vec<[i16; 2]>,
}

/// What a slot is compared with: the frame it was seen in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scene {
    /// The grey level of the bare surface.
    pub surface: f64,
    /// The bare surface's colour: how much more red and how much more blue than green.
    pub tint: [f64; 2],
    /// The slope below which lies a quarter of an even surface's pixels, in grey levels a pixel: texture and noise.
    pub grain: f64,
}

/// What a slot is judged by, all without unit and near 0 for a bare even surface.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Features {
    /// Share of pixels on an edge, 0 to 1.
    pub edges: f64,
    /// Distance of the grey quartiles over the slot's brightness.
    pub spread: f64,
    /// Standard deviation of the grey level over the slot's brightness.
    pub deviation: f64,
    /// Mean distance of the grey level from the bare surface's, over the latter.
    pub offset: f64,
    /// Share of pixels of quite another colour than the bare surface, 0 to 1.
    pub coloured: f64,
}

impl Features {
    /// The features in the order of the parameters.
    pub fn to_array(self) -> [f64; 5] {
        [self.edges, self.spread, self.deviation, self.offset, self.coloured]
    }
}

/// A slope is an edge from this share of the slot's brightness a pixel.
const EDGE: f64 = 0.10;
/// And from this many times the frame's grain.
const EDGE_OVER_GRAIN: f64 = 4.0;
/// A pixel is coloured from this distance of its tint from the surface's, over the slot's brightness.
const COLOURED: f64 = 0.6;
/// And from this many times the standard deviation of the frame's noise.
const COLOURED_OVER_NOISE: f64 = 7.0;
/// Standard deviation of white noise over its grain, for the slope of [`Measurement::of`].
const NOISE_OVER_GRAIN: f64 = 2.74;

impl Measurement {
    /// Measures a patch of [`WIDTH`] x [`HEIGHT`] pixels (BGR), row by row; `None` if it has another size.
    pub fn of(patch: &[u8]) -> Option<Self> {
        let (pixels, []) = patch.as_chunks::<3>() else { return None };
        if pixels.len() != WIDTH * HEIGHT {
            return None;
        }
        // ITU-R BT.601, as everywhere else where a picture becomes grey.
        let grey: Vec<i32> = pixels
            .iter()
            .map(|&[b, g, r]| (114 * i32::from(b) + 587 * i32::from(g) + 299 * i32::from(r) + 500) / 1000)
            .collect();
        let mut measured =
            Measurement { levels: [0; 256], slopes: [0; 256], tints: Vec::with_capacity(COUNT) };
        for y in MARGIN_Y..HEIGHT - MARGIN_Y {
            for x in MARGIN_X..WIDTH - MARGIN_X {
                let at = |dx: usize, dy: usize| grey[(y + dy - 1) * WIDTH + x + dx - 1];
                // Scharr's operator, 32 times the slope.
                let gx = 3 * (at(2, 0) - at(0, 0)) + 10 * (at(2, 1) - at(0, 1)) + 3 * (at(2, 2) - at(0, 2));
                let gy = 3 * (at(0, 2) - at(0, 0)) + 10 * (at(1, 2) - at(1, 0)) + 3 * (at(2, 2) - at(2, 0));
                let slope = f64::from(gx * gx + gy * gy).sqrt() / 4.0;
                measured.slopes[(slope as usize).min(255)] += 1;
                measured.levels[at(1, 1) as usize] += 1;
                let [b, g, r] = pixels[y * WIDTH + x].map(i16::from);
                measured.tints.push([r - g, b - g]);
            }
        }
        Some(measured)
    }

    /// The grey level below which lies this share of the pixels.
    pub fn level(&self, share: f64) -> f64 {
        quantile(&self.levels, share)
    }

    /// The slope below which lies this share of the pixels, in grey levels a pixel.
    fn slope(&self, share: f64) -> f64 {
        quantile(&self.slopes, share) / 8.0
    }

    /// The features of the patch in its scene.
    pub fn features(&self, scene: Scene) -> Features {
        let brightness = self.level(0.5).max(0.4 * scene.surface).max(10.0);
        let edge = (EDGE * brightness).max(EDGE_OVER_GRAIN * scene.grain);
        let noise = NOISE_OVER_GRAIN * scene.grain;
        let without_noise = |value: f64, noise: f64| (value * value - noise * noise).max(0.0).sqrt();
        let mean = self.mean(|level| level);
        Features {
            edges: share_from(&self.slopes, edge * 8.0),
            spread: without_noise(self.level(0.75) - self.level(0.25), 1.35 * noise) / brightness,
            deviation: without_noise(self.mean(|level| (level - mean).powi(2)).sqrt(), noise) / brightness,
            offset: self.mean(|level| (level - scene.surface).abs()) / scene.surface.max(10.0),
            coloured: self.coloured(scene.tint, (COLOURED * brightness).max(COLOURED_OVER_NOISE * noise)),
        }
    }

    /// The share of pixels whose tint is farther than `distance` from `tint`.
    fn coloured(&self, tint: [f64; 2], distance: f64) -> f64 {
        let far = |&&[red, blue]: &&[i16; 2]| {
            (f64::from(red) - tint[0]).abs() + (f64::from(blue) - tint[1]).abs() > distance
        };
        self.tints.iter().filter(far).count() as f64 / COUNT as f64
    }

    /// The middle of the pixels' tints, red and blue apart.
    fn tint(&self) -> [f64; 2] {
        [0, 1].map(|axis| ranked(self.tints.iter().map(|tint| f64::from(tint[axis])).collect(), 0.5))
    }

    fn mean(&self, of: impl Fn(f64) -> f64) -> f64 {
        let sum: f64 =
            self.levels.iter().enumerate().map(|(level, &n)| f64::from(n) * of(level as f64)).sum();
        sum / COUNT as f64
    }
}

impl Scene {
    /// The scene behind the patches of one frame: the most even quarter of them shows the bare surface, and a
    /// quarter of a slot is smooth enough to show the grain, whatever stands in it.
    pub fn of(patches: &[Measurement]) -> Self {
        let spread = |p: &Measurement| (p.level(0.75) - p.level(0.25)) / p.level(0.5).max(10.0);
        let mut by_spread: Vec<(f64, &Measurement)> = patches.iter().map(|p| (spread(p), p)).collect();
        by_spread.sort_by(|a, b| a.0.total_cmp(&b.0));
        by_spread.truncate(patches.len().div_ceil(4));
        let middle =
            |of: &dyn Fn(&Measurement) -> f64| ranked(by_spread.iter().map(|(_, p)| of(p)).collect(), 0.5);
        Scene {
            surface: middle(&|p| p.level(0.5)),
            tint: [middle(&|p| p.tint()[0]), middle(&|p| p.tint()[1])],
            grain: ranked(patches.iter().map(|p| p.slope(0.25)).collect(), 0.25),
        }
    }
}

/// The value at this share of the sorted values; 0 when there are none.
fn ranked(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get((values.len() as f64 * share) as usize).copied().unwrap_or(0.0)
}

/// The value below which lies `share` of a histogram, interpolated within its bin.
fn quantile(histogram: &[u16; 256], share: f64) -> f64 {
    let mut left = share * COUNT as f64;
    for (value, &n) in histogram.iter().enumerate() {
        let n = f64::from(n);
        if n > 0.0 && left <= n {
            return value as f64 + left / n;
        }
        left -= n;
    }
    255.0
}

/// The share of a histogram that lies at `from` or above.
fn share_from(histogram: &[u16; 256], from: f64) -> f64 {
    let first = (from.ceil() as usize).min(255);
    histogram[first..].iter().map(|&n| f64::from(n)).sum::<f64>() / COUNT as f64
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn patch(pixel: impl Fn(usize, usize) -> u8) -> Measurement {
        let pixels: Vec<[u8; 3]> = (0..WIDTH * HEIGHT).map(|i| [pixel(i % WIDTH, i / WIDTH); 3]).collect();
        Measurement::of(pixels.as_flattened()).unwrap()
    }

    /// Noise of a standard deviation of about `sigma` grey levels.
    fn noisy(base: u8, sigma: f64) -> Measurement {
        patch(|x, y| {
            let hash = |k: usize| {
                (((x * 73_856_093) ^ (y * 19_349_663) ^ (k * 83_492_791)) % 10_007) as f64 / 10_007.0
            };
            let sum: f64 = (1..=12).map(hash).sum::<f64>() - 6.0;
            (f64::from(base) + sigma * sum) as u8
        })
    }

    #[test]
    fn an_even_patch_has_no_features() {
        let even = patch(|_, _| 100);
        let scene = Scene::of(std::slice::from_ref(&even));
        let features = even.features(scene);
        assert!(features.to_array().iter().all(|&f| f < 0.01), "{features:?}");
    }

    #[test]
    fn noise_that_lies_over_the_whole_frame_is_no_edge() {
        let frame = [noisy(60, 8.0), noisy(61, 8.0), noisy(59, 8.0)];
        let features = frame[1].features(Scene::of(&frame));
        assert!(features.edges < 0.03 && features.spread < 0.1, "{features:?}");
    }

    #[test]
    fn stripes_stand_out_of_an_even_frame() {
        let even = patch(|_, _| 100);
        let stripes = patch(|x, _| if x / 6 % 2 == 0 { 40 } else { 180 });
        let scene = Scene::of(&[even.clone(), even.clone(), even, stripes.clone()]);
        assert!((scene.surface - 100.5).abs() < 1.0);
        let features = stripes.features(scene);
        assert!(features.edges > 0.25 && features.spread > 0.5 && features.offset > 0.5, "{features:?}");
    }

    #[test]
    fn a_colour_stands_out_though_it_is_as_bright_as_the_ground() {
        let ground = patch(|_, _| 100);
        let red = Measurement::of([40, 64, 210].repeat(WIDTH * HEIGHT).as_slice()).unwrap();
        let mut frame = vec![ground.clone(); 8];
        frame.push(red.clone());
        let scene = Scene::of(&frame);
        assert_eq!(red.features(scene).coloured, 1.0);
        assert_eq!(ground.features(scene).coloured, 0.0);
        assert!((red.level(0.5) - ground.level(0.5)).abs() < 10.0);
    }

    #[test]
    fn a_patch_of_another_size_is_refused() {
        assert_eq!(Measurement::of(&[0; 7]), None);
    }
}
