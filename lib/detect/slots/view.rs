//! A map bound to a frame size: each slot's upright patch.

use opencv::core::{
    self, CV_8UC1, Mat, MatExprTraitConst, MatTraitConst, MatTraitConstManual, Point, Point2f, Scalar, Size,
    Vector,
};
use opencv::imgproc;

use super::geometry;
use super::map::SlotMap;
use super::patch::{AROUND, HEIGHT, Patch, WIDTH};
use crate::error::{Error, Result};

/// How often a frame is halved at most.
const LEVELS: usize = 6;

/// Width in cells of the overview of a frame.
const OVERVIEW: i32 = 96;

/// The slots of a map in frames of one size.
#[derive(Debug)]
pub struct View {
    size: [u32; 2],
    slots: Vec<Placed>,
    /// The frame halved once, twice and so on; memory used again from frame to frame, like `patch`.
    halved: Vec<Mat>,
    patch: Mat,
    /// The whole frame, small and grey.
    small: Mat,
    overview: Mat,
    /// Which cells of the overview show no slot.
    surroundings: Vec<bool>,
}

#[derive(Debug)]
struct Placed {
    /// How often the frame is halved for this slot.
    level: usize,
    /// From the halved frame to the patch.
    transform: Mat,
}

impl View {
    /// Binds `map` to frames of `size` (width, height), scaling it if need be; `None` if they have another shape than the map's
    /// picture, by more than one part in fifty.
    ///
    /// # Errors
    /// [`Kind::Image`](crate::error::Kind::Image) when OpenCV fails.
    pub fn new(map: &SlotMap, size: [u32; 2]) -> Result<Option<Self>> {
        let scale = |axis: usize| f64::from(size[axis]) / f64::from(map.image_size[axis]);
        let (sx, sy) = (scale(0), scale(1));
        if !SlotMap::has_shape(map.image_size, size) {
            return Ok(None);
        }
        let slots: opencv::Result<Vec<Placed>> = map
            .slots
            .iter()
            .map(|slot| {
                let scaled: Vec<[f64; 2]> = slot.polygon.iter().map(|[x, y]| [x * sx, y * sy]).collect();
                place(geometry::frame_of(&scaled))
            })
            .collect();
        let slots = slots.map_err(|error| Error::image("placing the slots", error))?;
        let deepest = slots.iter().map(|slot| slot.level).max().unwrap_or(0);
        let surroundings =
            surroundings(map, size).map_err(|error| Error::image("looking around the slots", error))?;
        Ok(Some(View {
            size,
            slots,
            halved: vec![Mat::default(); deepest],
            patch: Mat::default(),
            small: Mat::default(),
            overview: Mat::default(),
            surroundings,
        }))
    }

    /// Which cells of the overview show no slot.
    pub fn surroundings(&self) -> &[bool] {
        &self.surroundings
    }

    /// The frame last cut into patches, as a few grey cells row by row, and how many stand in a row.
    ///
    /// # Errors
    /// [`Kind::Image`](crate::error::Kind::Image) when OpenCV fails.
    pub fn overview(&mut self, bgr: &Mat) -> Result<(Vec<f64>, usize)> {
        let mut shrink = || -> opencv::Result<Vec<f64>> {
            let [width, height] = overview_size(self.size);
            // A halved frame has been smoothed already, and is quicker to go through.
            let from =
                self.halved.iter().take_while(|halved| halved.cols() >= 2 * width).last().unwrap_or(bgr);
            imgproc::resize(from, &mut self.small, Size::new(width, height), 0.0, 0.0, imgproc::INTER_AREA)?;
            imgproc::cvt_color_def(&self.small, &mut self.overview, imgproc::COLOR_BGR2GRAY)?;
            Ok(self.overview.data_bytes()?.iter().map(|level| f64::from(*level)).collect())
        };
        let cells = shrink().map_err(|error| Error::image("looking over the frame", error))?;
        Ok((cells, OVERVIEW as usize))
    }

    /// The size of the frames it was made for.
    pub fn size(&self) -> [u32; 2] {
        self.size
    }

    /// Every slot's patch in a frame (BGR, of the size this was made for), in the order of the map.
    ///
    /// # Errors
    /// [`Kind::Image`](crate::error::Kind::Image) when OpenCV fails.
    pub fn patches(&mut self, bgr: &Mat) -> Result<Vec<Patch>> {
        self.cut(bgr).map_err(|error| Error::image("cutting out the slots", error))
    }

    fn cut(&mut self, bgr: &Mat) -> opencv::Result<Vec<Patch>> {
        for level in 0..self.halved.len() {
            let (done, rest) = self.halved.split_at_mut(level);
            imgproc::pyr_down_def(done.last().unwrap_or(bgr), &mut rest[0])?;
        }
        let mut patches = Vec::with_capacity(self.slots.len());
        for slot in &self.slots {
            imgproc::warp_perspective(
                slot.level.checked_sub(1).map_or(bgr, |halved| &self.halved[halved]),
                &mut self.patch,
                &slot.transform,
                Size::new(WIDTH as i32, HEIGHT as i32),
                imgproc::INTER_LINEAR,
                core::BORDER_REPLICATE,
                Scalar::default(),
            )?;
            patches.extend(Patch::new(self.patch.data_bytes()?));
        }
        Ok(patches)
    }
}

fn overview_size([width, height]: [u32; 2]) -> [i32; 2] {
    let rows = f64::from(OVERVIEW) * f64::from(height) / f64::from(width);
    [OVERVIEW, (rows.round() as i32).clamp(1, 4 * OVERVIEW)]
}

/// Which cells of the overview show no slot, nor a vehicle that reaches out of one.
fn surroundings(map: &SlotMap, size: [u32; 2]) -> opencv::Result<Vec<bool>> {
    let [width, height] = overview_size(size);
    let mut slots = Mat::new_rows_cols_with_default(height, width, CV_8UC1, Scalar::all(0.0))?;
    let scale = [0, 1].map(|axis| f64::from([width, height][axis]) / f64::from(map.image_size[axis]));
    for slot in &map.slots {
        let corner = |[x, y]: &[f64; 2]| Point::new((x * scale[0]) as i32, (y * scale[1]) as i32);
        let outline: Vector<Point> = slot.polygon.iter().map(corner).collect();
        imgproc::fill_poly_def(&mut slots, &outline, Scalar::all(255.0))?;
    }
    let (mut wider, around) = (Mat::default(), Mat::ones(3, 3, CV_8UC1)?.to_mat()?);
    imgproc::dilate_def(&slots, &mut wider, &around)?;
    Ok(wider.data_bytes()?.iter().map(|level| *level == 0).collect())
}

/// Where a slot with these corners is found: halved so often that the patch samples no more than every second pixel.
fn place(corners: [[f64; 2]; 4]) -> opencv::Result<Placed> {
    let area = geometry::signed_area(&corners).abs();
    let mut shrink = (area * AROUND * AROUND / (WIDTH * HEIGHT) as f64).sqrt();
    let mut level = 0;
    while shrink > 1.6 && level < LEVELS {
        shrink /= 2.0;
        level += 1;
    }
    let scale = 0.5_f64.powi(level as i32);
    // Pixels have their centre at half a pixel.
    let from = corners.map(|[x, y]| Point2f::new((x * scale - 0.5) as f32, (y * scale - 0.5) as f32));
    let edges = |extent: usize| {
        let (middle, half) = (extent as f64 / 2.0 - 0.5, extent as f64 / 2.0 / AROUND);
        [(middle - half) as f32, (middle + half) as f32]
    };
    let ([left, right], [top, bottom]) = (edges(WIDTH), edges(HEIGHT));
    let to = [(left, top), (right, top), (right, bottom), (left, bottom)].map(|(x, y)| Point2f::new(x, y));
    let transform = imgproc::get_perspective_transform_slice_def(from, to)?;
    Ok(Placed { level, transform })
}
