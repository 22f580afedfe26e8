//! Ridge logistic regression by Newton's method.

use std::error::Error;

use opencv::core::{Mat, MatTraitConst, MatTraitConstManual, MatTraitManual, Size};
use opencv::imgproc;
use park_detect::slots::SlotMap;
use park_detect::slots::features::Scene as Ground;
use park_detect::slots::view::View;

use crate::sets::{self, Scene};

/// How often each picture is seen.
const VIEWS: usize = 9;
/// The weight of the ridge, in the scale of standardised features.
const RIDGE: f64 = 0.005;
/// Features and the constant.
const N: usize = 6;

struct Sample {
    features: [f64; N - 1],
    occupied: bool,
}

pub fn fit(folders: &[&str]) -> Result<(), Box<dyn Error>> {
    let mut random = Random(1);
    let mut samples = Vec::new();
    for folder in folders {
        for scene in sets::load(folder)? {
            for view in 0..VIEWS {
                samples.extend(see(&scene, view > 0, &mut random)?);
            }
        }
    }
    let (weights, bias) = regress(&samples);
    let sum = |s: &Sample| bias + weights.iter().zip(s.features).map(|(w, f)| w * f).sum::<f64>();
    let right = samples.iter().filter(|s| (sum(s) > 0.0) == s.occupied).count();
    println!("weights: {weights:.2?}, bias: {bias:.2}");
    println!("{right} of {} right", samples.len());
    Ok(())
}

/// The slots of a picture, seen as they are or varied as cameras and maps vary.
fn see(scene: &Scene, vary: bool, random: &mut Random) -> Result<Vec<Sample>, Box<dyn Error>> {
    let (picture, map) = match vary {
        true => (varied(&scene.picture, random)?, shifted(&scene.map, random)),
        false => (scene.picture.try_clone()?, scene.map.clone()),
    };
    let mut view = View::new(&map, map.image_size)?.ok_or("the map fits its own picture")?;
    let patches = view.measure(&picture)?;
    let ground = Ground::of(&patches);
    let labelled = patches.iter().zip(&scene.occupied);
    Ok(labelled
        .filter_map(|(patch, occupied)| {
            Some(Sample { features: patch.features(ground).to_array(), occupied: (*occupied)? })
        })
        .collect())
}

/// Dimmer or brighter, softer, noisier.
fn varied(picture: &Mat, random: &mut Random) -> opencv::Result<Mat> {
    let mut soft = Mat::default();
    let blur = random.between(0.1, 1.2);
    imgproc::gaussian_blur_def(picture, &mut soft, Size::new(5, 5), blur)?;
    let gain = random.between(0.3, 1.2);
    let noise = random.between(0.0, 8.0);
    for value in soft.data_bytes_mut()? {
        *value = (f64::from(*value) * gain + noise * random.normal()).round().clamp(0.0, 255.0) as u8;
    }
    debug_assert_eq!(soft.data_bytes()?.len(), picture.data_bytes()?.len());
    Ok(soft)
}

/// Every slot a little beside its place.
fn shifted(map: &SlotMap, random: &mut Random) -> SlotMap {
    let mut map = map.clone();
    for slot in &mut map.slots {
        let extent = |axis: usize| {
            let along = slot.polygon.iter().map(|corner| corner[axis]);
            along.clone().fold(0.0, f64::max) - along.fold(f64::INFINITY, f64::min)
        };
        let by = [0, 1].map(|axis| extent(axis) * random.between(-0.06, 0.06));
        for corner in &mut slot.polygon {
            *corner = [corner[0] + by[0], corner[1] + by[1]];
        }
    }
    map
}

/// Weights and bias; both classes count the same.
fn regress(samples: &[Sample]) -> ([f64; N - 1], f64) {
    let count = samples.len() as f64;
    let mean = each(|i| samples.iter().map(|s| s.features[i]).sum::<f64>() / count);
    let spread = each(|i| {
        (samples.iter().map(|s| (s.features[i] - mean[i]).powi(2)).sum::<f64>() / count).sqrt().max(1e-9)
    });
    let occupied = samples.iter().filter(|s| s.occupied).count() as f64;
    let mut theta = [0.0; N];
    for _ in 0..50 {
        let mut gradient = theta.map(|t| t * RIDGE);
        gradient[N - 1] = 0.0;
        let mut hessian = [[0.0; N]; N];
        for (i, row) in hessian.iter_mut().take(N - 1).enumerate() {
            row[i] = RIDGE;
        }
        for s in samples {
            let mut x = [1.0; N];
            for i in 0..N - 1 {
                x[i] = (s.features[i] - mean[i]) / spread[i];
            }
            let weight = 0.5 / if s.occupied { occupied } else { count - occupied };
            let p = 1.0 / (1.0 + (-x.iter().zip(theta).map(|(x, t)| x * t).sum::<f64>()).exp());
            for i in 0..N {
                gradient[i] += weight * (p - f64::from(u8::from(s.occupied))) * x[i];
                for j in 0..N {
                    hessian[i][j] += weight * p * (1.0 - p) * x[i] * x[j];
                }
            }
        }
        let step = solve(hessian, gradient);
        for i in 0..N {
            theta[i] -= step[i];
        }
    }
    let weights = each(|i| theta[i] / spread[i]);
    let bias = theta[N - 1] - weights.iter().zip(mean).map(|(w, m)| w * m).sum::<f64>();
    (weights, bias)
}

fn each(of: impl Fn(usize) -> f64) -> [f64; N - 1] {
    std::array::from_fn(of)
}

/// Gauss and Jordan; the matrix is positive definite, so no pivot is zero.
fn solve(mut a: [[f64; N]; N], mut b: [f64; N]) -> [f64; N] {
    for i in 0..N {
        for j in 0..N {
            if i != j {
                let factor = a[j][i] / a[i][i];
                let row = a[i];
                for (value, pivot) in a[j].iter_mut().zip(row) {
                    *value -= factor * pivot;
                }
                b[j] -= factor * b[i];
            }
        }
    }
    std::array::from_fn(|i| b[i] / a[i][i])
}

/// Steele and others' SplitMix64 (2014): the same numbers on every run.
struct Random(u64);

impl Random {
    fn between(&mut self, low: f64, high: f64) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        low + (high - low) * ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Nearly normal, of mean 0 and deviation 1: four numbers are enough for noise.
    fn normal(&mut self) -> f64 {
        (0..4).map(|_| self.between(-1.0, 1.0)).sum::<f64>() * 0.866
    }
}
