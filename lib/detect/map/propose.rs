//! Slots from arrivals and departures in a video.
//!
//! Where a vehicle came or went the picture changes from one long stillness to another. Every quarter of the shortest stay a frame
//! is kept; the newest few are compared with as many from before a gap in which a manoeuvre has room. What was still in
//! both, differs between them beyond the change of light over the whole picture, and has other edges (a shadow has not), is
//! a footprint. Footprints on one another are one place; a place is proposed if it was seen twice or more.
//!
//! A slot in which nobody came or went leaves no trace, and is not proposed.

use std::collections::VecDeque;
use std::time::Duration;

use opencv::core::{
    self, CV_8UC1, Mat, MatTraitConst, MatTraitConstManual, Point as Pixel, Point2f, Scalar, Size, Vector,
};
use opencv::imgproc;
use park_core::record::Time;

use crate::error::{Error, Result};
use crate::slots::Slot;
use crate::slots::geometry::{self, Point};

/// Frames are looked at in this width at most.
const WIDTH: i32 = 640;
/// Frames that make a stillness, before and after.
const STILL: usize = 4;
/// Frames in between.
const GAP: usize = 4;
/// The most that a colour may vary within a stillness, of 255.
const STEADY: i32 = 20;
/// The least by which a colour must differ between two stillnesses.
const CHANGED: i32 = 28;
/// The least mean difference of gradients in a footprint: shadows have less.
const EDGES: f32 = 6.0;
/// The least and most share of the picture that a footprint covers.
const AREA: [f64; 2] = [0.0012, 0.1];
/// How much of its convex hull a footprint fills at least.
const FILLED: f64 = 0.6;
/// Footprints with this much in common (intersection over union) are of one place.
const SAME: f64 = 0.4;
/// Places that share this much of the smaller one are not both proposed.
const OVERLAP: f64 = 0.3;

/// Gathers frames of one camera and proposes slots.
#[derive(Debug)]
pub struct Proposer {
    every: Duration,
    size: Option<[u32; 2]>,
    first: Option<Time>,
    last: Option<Time>,
    kept: VecDeque<Mat>,
    places: Vec<Vec<Footprint>>,
}

/// Where something came or went, in pixels of the reduced frame.
#[derive(Debug, Clone)]
struct Footprint {
    area: f64,
    hull: Vec<Point>,
    corners: [Point; 4],
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The size of the frames.
    pub image_size: [u32; 2],
    /// The slots, in rows from above, without ids.
    pub polygons: Vec<Vec<[f64; 2]>>,
    /// How much event time the frames span.
    pub span: Duration,
}

impl Proposal {
    /// The slots, numbered from 1 behind `prefix`.
    pub fn slots(&self, prefix: &str, level_id: Option<&str>) -> Vec<Slot> {
        let slot = |(at, polygon): (usize, &Vec<[f64; 2]>)| Slot {
            slot_id: format!("{prefix}{}", at + 1),
            level_id: level_id.map(str::to_owned),
            polygon: polygon.clone(),
        };
        self.polygons.iter().enumerate().map(slot).collect()
    }
}

impl Proposer {
    /// A proposer for vehicles that stand for `stay` at least.
    pub fn new(stay: Duration) -> Self {
        let every = stay / STILL as u32;
        Proposer { every, size: None, first: None, last: None, kept: VecDeque::new(), places: Vec::new() }
    }

    /// Takes in a frame (8-bit BGR); frames closer to one another than a quarter of the stay are passed over.
    ///
    /// # Errors
    /// [`Kind::Image`](crate::error::Kind::Image) when the frame has another size than the first, or OpenCV fails.
    pub fn add(&mut self, time: Time, bgr: &Mat) -> Result<()> {
        let size = [bgr.cols() as u32, bgr.rows() as u32];
        if *self.size.get_or_insert(size) != size {
            return Err(Error::image("looking for slots", "the frame has another size than those before it"));
        }
        self.first.get_or_insert(time);
        if self.last.is_some_and(|last| time < last + self.every) {
            return Ok(());
        }
        self.last = Some(time);
        self.look(bgr).map_err(|error| Error::image("looking for slots", error))
    }

    fn look(&mut self, bgr: &Mat) -> opencv::Result<()> {
        let width = bgr.cols().min(WIDTH);
        let height = (i64::from(bgr.rows()) * i64::from(width) / i64::from(bgr.cols())).max(1) as i32;
        let (mut small, mut soft) = (Mat::default(), Mat::default());
        imgproc::resize(bgr, &mut small, Size::new(width, height), 0.0, 0.0, imgproc::INTER_AREA)?;
        imgproc::gaussian_blur_def(&small, &mut soft, Size::new(5, 5), 0.0)?;
        self.kept.push_back(soft);
        if self.kept.len() > 2 * STILL + GAP {
            self.kept.pop_front();
        }
        if self.kept.len() == 2 * STILL + GAP {
            for footprint in self.footprints()? {
                self.place(footprint);
            }
        }
        Ok(())
    }

    /// What has changed between the oldest and the newest frames kept.
    fn footprints(&self) -> opencv::Result<Vec<Footprint>> {
        let before = Still::of(self.kept.iter().take(STILL))?;
        let after = Still::of(self.kept.iter().skip(STILL + GAP))?;
        let changed = before.changed(&after)?;
        let mut contours: Vector<Vector<Pixel>> = Vector::new();
        let (mode, method) = (imgproc::RETR_EXTERNAL, imgproc::CHAIN_APPROX_SIMPLE);
        imgproc::find_contours_def(&changed, &mut contours, mode, method)?;
        let (old, new) = (before.gradient()?, after.gradient()?);
        let mut difference = Mat::default();
        core::absdiff(&old, &new, &mut difference)?;
        let whole = f64::from(changed.cols()) * f64::from(changed.rows());
        let mut found = Vec::new();
        for (at, contour) in (0..).zip(contours.iter()) {
            let area = imgproc::contour_area_def(&contour)?;
            if !(AREA[0] * whole..=AREA[1] * whole).contains(&area) {
                continue;
            }
            let mut hull: Vector<Pixel> = Vector::new();
            imgproc::convex_hull_def(&contour, &mut hull)?;
            if area < FILLED * imgproc::contour_area_def(&hull)? {
                continue;
            }
            let mut mask =
                Mat::new_rows_cols_with_default(changed.rows(), changed.cols(), CV_8UC1, Scalar::default())?;
            imgproc::draw_contours(
                &mut mask,
                &contours,
                at,
                Scalar::all(255.0),
                -1,
                imgproc::LINE_8,
                &Mat::default(),
                0,
                Pixel::default(),
            )?;
            if core::mean(&difference, &mask)?[0] < f64::from(EDGES) {
                continue;
            }
            let mut corners = [Point2f::default(); 4];
            imgproc::min_area_rect(&contour)?.points(&mut corners)?;
            found.push(Footprint {
                area,
                hull: hull.iter().map(|p| [f64::from(p.x), f64::from(p.y)]).collect(),
                corners: corners.map(|p| [f64::from(p.x), f64::from(p.y)]),
            });
        }
        Ok(found)
    }

    /// Puts a footprint to the place it fits best, or to a new one.
    fn place(&mut self, footprint: Footprint) {
        let fit = |place: &Vec<Footprint>| place.first().map_or(0.0, |first| first.overlap(&footprint));
        let best = self.places.iter_mut().map(|place| (fit(place), place)).max_by(|a, b| a.0.total_cmp(&b.0));
        match best {
            Some((overlap, place)) if overlap > SAME => place.push(footprint),
            _ => self.places.push(vec![footprint]),
        }
    }

    /// The slots found so far; `None` before the first frame.
    pub fn propose(&self) -> Option<Proposal> {
        let image_size = self.size?;
        let scale = f64::from(image_size[0]) / f64::from(image_size[0].min(WIDTH as u32));
        let mut places: Vec<(usize, Footprint)> = Vec::new();
        for place in self.places.iter().filter(|place| place.len() > 1) {
            let mut place = place.clone();
            place.sort_by(|a, b| a.area.total_cmp(&b.area));
            places.push((place.len(), place.swap_remove(place.len() / 2)));
        }
        places.sort_by_key(|(seen, _)| std::cmp::Reverse(*seen));
        let mut kept: Vec<Footprint> = Vec::new();
        for (_, place) in places {
            let covers = |other: &Footprint| {
                let shared = geometry::shared_area(&other.corners, &place.corners);
                shared > OVERLAP * other.rectangle().min(place.rectangle())
            };
            if !kept.iter().any(covers) {
                kept.push(place);
            }
        }
        let [width, height] = image_size.map(f64::from);
        let corner = |[x, y]: Point| {
            [(x * scale).clamp(0.0, width), (y * scale).clamp(0.0, height)]
                .map(|side| (side * 10.0).round() / 10.0)
        };
        let polygons = in_rows(kept).into_iter().map(|place| place.corners.map(corner).to_vec()).collect();
        let span = self.last.zip(self.first).map_or(Duration::ZERO, |(last, first)| last.since(first));
        Some(Proposal { image_size, polygons, span })
    }
}

/// Row by row from above, each from the left: a place begins a row if its centre lies below the first one of the row before.
fn in_rows(mut places: Vec<Footprint>) -> Vec<Footprint> {
    places.sort_by(|a, b| a.centre()[1].total_cmp(&b.centre()[1]));
    let mut rows: Vec<Vec<Footprint>> = Vec::new();
    for place in places {
        match rows.last_mut() {
            Some(row) if place.centre()[1] < row[0].bottom() => row.push(place),
            _ => rows.push(vec![place]),
        }
    }
    for row in &mut rows {
        row.sort_by(|a, b| a.centre()[0].total_cmp(&b.centre()[0]));
    }
    rows.into_iter().flatten().collect()
}

impl Footprint {
    fn centre(&self) -> Point {
        [0, 1].map(|axis| self.corners.iter().map(|corner| corner[axis]).sum::<f64>() / 4.0)
    }

    fn bottom(&self) -> f64 {
        self.corners.iter().map(|corner| corner[1]).fold(f64::NEG_INFINITY, f64::max)
    }

    fn rectangle(&self) -> f64 {
        geometry::signed_area(&self.corners).abs()
    }

    /// Intersection over union of two hulls.
    fn overlap(&self, other: &Footprint) -> f64 {
        let shared = geometry::shared_area(&self.hull, &other.hull);
        let both = geometry::signed_area(&self.hull).abs() + geometry::signed_area(&other.hull).abs();
        shared / (both - shared).max(f64::MIN_POSITIVE)
    }
}

/// A few frames, pixel by pixel: the mean, and how far they go apart.
struct Still {
    rows: i32,
    /// Three colours a pixel.
    mean: Vec<i32>,
    steady: Vec<bool>,
}

impl Still {
    fn of<'a>(frames: impl Iterator<Item = &'a Mat>) -> opencv::Result<Self> {
        let frames: Vec<&Mat> = frames.collect();
        let bytes: Vec<&[u8]> =
            frames.iter().map(|frame| frame.data_bytes()).collect::<opencv::Result<_>>()?;
        let rows = frames.first().map_or(0, |frame| frame.rows());
        let length = bytes.iter().map(|frame| frame.len()).min().unwrap_or(0);
        let values = |at: usize| bytes.iter().map(move |frame| i32::from(frame[at]));
        let count = bytes.len().max(1) as i32;
        let mean = (0..length).map(|at| values(at).sum::<i32>() / count).collect();
        let spread = |at: usize| values(at).max().unwrap_or(0) - values(at).min().unwrap_or(0);
        let steady =
            (0..length / 3).map(|pixel| (0..3).all(|colour| spread(pixel * 3 + colour) < STEADY)).collect();
        Ok(Still { rows, mean, steady })
    }

    /// White where both are still and differ, without specks.
    fn changed(&self, after: &Still) -> opencv::Result<Mat> {
        let differences: Vec<i32> = after.mean.iter().zip(&self.mean).map(|(new, old)| new - old).collect();
        let light = [0, 1, 2].map(|colour| median(differences.iter().skip(colour).step_by(3).copied()));
        let changed = |(pixel, steady): (usize, bool)| {
            let differs =
                (0..3).any(|colour| (differences[pixel * 3 + colour] - light[colour]).abs() > CHANGED);
            if steady && differs { 255_u8 } else { 0 }
        };
        let steady = self.steady.iter().zip(&after.steady).map(|(before, after)| *before && *after);
        let mask: Vec<u8> = steady.enumerate().map(changed).collect();
        let mask = Mat::from_slice(&mask)?;
        let mask = mask.reshape(1, self.rows)?;
        let square =
            |side: i32| imgproc::get_structuring_element_def(imgproc::MORPH_RECT, Size::new(side, side));
        let (mut opened, mut closed) = (Mat::default(), Mat::default());
        imgproc::morphology_ex_def(&mask, &mut opened, imgproc::MORPH_OPEN, &square(3)?)?;
        imgproc::morphology_ex_def(&opened, &mut closed, imgproc::MORPH_CLOSE, &square(9)?)?;
        Ok(closed)
    }

    /// How steep the brightness is at each pixel.
    fn gradient(&self) -> opencv::Result<Mat> {
        let grey: Vec<f32> =
            self.mean.chunks(3).map(|pixel| pixel.iter().sum::<i32>() as f32 / 3.0).collect();
        let grey = Mat::from_slice(&grey)?;
        let grey = grey.reshape(1, self.rows)?;
        let (mut across, mut down, mut steepness) = (Mat::default(), Mat::default(), Mat::default());
        // A Sobel kernel sums four differences.
        imgproc::sobel(&grey, &mut across, core::CV_32F, 1, 0, 3, 0.25, 0.0, core::BORDER_DEFAULT)?;
        imgproc::sobel(&grey, &mut down, core::CV_32F, 0, 1, 3, 0.25, 0.0, core::BORDER_DEFAULT)?;
        core::magnitude(&across, &down, &mut steepness)?;
        Ok(steepness)
    }
}

fn median(values: impl Iterator<Item = i32>) -> i32 {
    let mut values: Vec<i32> = values.collect();
    if values.is_empty() {
        return 0;
    }
    let middle = values.len() / 2;
    *values.select_nth_unstable(middle).1
}
