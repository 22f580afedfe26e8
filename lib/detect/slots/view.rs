//! A map bound to a frame size: each slot's upright patch.

use opencv::core::{self, Mat, MatTraitConstManual, Point2f, Scalar, Size};
use opencv::imgproc;

use super::features::{HEIGHT, Measurement, WIDTH};
use super::geometry::{self, Point};
use super::map::SlotMap;
use crate::error::{Error, Result};

/// How often a frame is halved at most.
const LEVELS: usize = 6;

/// The slots of a map in frames of one size.
#[derive(Debug)]
pub struct View {
    size: [u32; 2],
    slots: Vec<Placed>,
    /// The frame halved once, twice and so on; memory used again from frame to frame, like `patch`.
    halved: Vec<Mat>,
    patch: Mat,
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
                let scaled: Vec<Point> = slot.polygon.iter().map(|[x, y]| [x * sx, y * sy]).collect();
                place(geometry::frame_of(&scaled))
            })
            .collect();
        let slots = slots.map_err(|error| Error::image("placing the slots", error))?;
        let deepest = slots.iter().map(|slot| slot.level).max().unwrap_or(0);
        Ok(Some(View { size, slots, halved: vec![Mat::default(); deepest], patch: Mat::default() }))
    }

    /// The size of the frames it was made for.
    pub fn size(&self) -> [u32; 2] {
        self.size
    }

    /// Measures every slot's patch in a frame (BGR, of the size this was made for), in the order of the map.
    ///
    /// # Errors
    /// [`Kind::Image`](crate::error::Kind::Image) when OpenCV fails.
    pub fn measure(&mut self, bgr: &Mat) -> Result<Vec<Measurement>> {
        self.cut(bgr).map_err(|error| Error::image("cutting out the slots", error))
    }

    fn cut(&mut self, bgr: &Mat) -> opencv::Result<Vec<Measurement>> {
        for level in 0..self.halved.len() {
            let (done, rest) = self.halved.split_at_mut(level);
            imgproc::pyr_down_def(done.last().unwrap_or(bgr), &mut rest[0])?;
        }
        let mut measured = Vec::with_capacity(self.slots.len());
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
            measured.extend(Measurement::of(self.patch.data_bytes()?));
        }
        Ok(measured)
    }
}

/// Where a slot with these corners is found: halved so often that the patch samples no more than every second pixel.
fn place(corners: [Point; 4]) -> opencv::Result<Placed> {
    let area = geometry::signed_area(&corners).abs();
    let mut shrink = (area / (WIDTH * HEIGHT) as f64).sqrt();
    let mut level = 0;
    while shrink > 1.6 && level < LEVELS {
        shrink /= 2.0;
        level += 1;
    }
    let scale = 0.5_f64.powi(level as i32);
    // Pixels have their centre at half a pixel.
    let from = corners.map(|[x, y]| Point2f::new((x * scale - 0.5) as f32, (y * scale - 0.5) as f32));
    let (right, bottom) = (WIDTH as f32 - 0.5, HEIGHT as f32 - 0.5);
    let to = [(-0.5, -0.5), (right, -0.5), (right, bottom), (-0.5, bottom)].map(|(x, y)| Point2f::new(x, y));
    let transform = imgproc::get_perspective_transform_slice_def(from, to)?;
    Ok(Placed { level, transform })
}
