//! Video files through OpenCV's FFmpeg backend.

use std::path::Path;

use opencv::core::Mat;
use opencv::prelude::*;
use opencv::videoio::{CAP_FFMPEG, CAP_PROP_FPS, CAP_PROP_FRAME_COUNT, CAP_PROP_POS_MSEC, VideoCapture};
use park_core::{Error, Kind, Result};

use super::{Pixels, Recording, Shot, Step};
use crate::pace::{Choice, Rates};
use crate::vision::failed;

/// What is taken for the rate of a video that does not tell it.
const USUAL_FPS: f64 = 25.0;

/// A video file, played from its beginning.
#[derive(Debug)]
pub struct Video {
    capture: VideoCapture,
    choice: Choice,
    mat: Mat,
    /// How many frames the file says it has; 0 if it does not say.
    length: u64,
    interval: f64,
    read: u64,
    position: f64,
}

impl Video {
    /// Opens the file, of which frames are kept at these rates. [`Kind::BadInput`] when it is no video that can be decoded.
    pub fn open(path: &Path, rates: Rates) -> Result<Self> {
        // FFmpeg would take what stands before a colon for a protocol.
        let whole = std::fs::canonicalize(path)
            .map_err(|error| Error::io(format!("opening {}", path.display()), error))?;
        let name = whole.to_str().ok_or_else(|| Error::new(Kind::BadInput, "its path is not UTF-8"))?;
        let capture = VideoCapture::from_file(name, CAP_FFMPEG).map_err(failed("opening the video"))?;
        let get = |property| capture.get(property).ok().filter(|value| value.is_finite() && *value > 0.0);
        if !capture.is_opened().unwrap_or(false) {
            return Err(Error::new(Kind::BadInput, "not a video, or one that cannot be decoded"));
        }
        let length = get(CAP_PROP_FRAME_COUNT).unwrap_or(0.0) as u64;
        let interval = 1.0 / get(CAP_PROP_FPS).unwrap_or(USUAL_FPS);
        let (choice, mat) = (Choice::new(rates), Mat::default());
        Ok(Video { capture, choice, mat, length, interval, read: 0, position: 0.0 })
    }

    /// Where the frame that was just grabbed stands, in seconds. Some containers tell nonsense; then the rate counts.
    fn place(&self) -> f64 {
        let told = self.capture.get(CAP_PROP_POS_MSEC).unwrap_or(f64::NAN) / 1000.0;
        let first = self.read == 1;
        match told.is_finite() && told >= 0.0 && (first || told > self.position) {
            true => told,
            false if first => 0.0,
            false => self.position + self.interval,
        }
    }

    /// What there is to say of a video that ends here.
    fn cut_short(&self) -> Option<String> {
        // Containers without an index only estimate their length.
        let doubt = 1 + self.length / 100;
        (self.read + doubt < self.length)
            .then(|| format!("the video is truncated: {} of {} frames can be read", self.read, self.length))
    }
}

impl Recording for Video {
    fn next(&mut self) -> Result<Step<'_>> {
        if !self.capture.grab().map_err(failed("reading the video"))? {
            return Ok(Step::End(self.cut_short()));
        }
        self.read += 1;
        self.position = self.place();
        if !self.choice.may_want(self.position) {
            return Ok(Step::Skipped(self.position));
        }
        if !self.capture.retrieve_def(&mut self.mat).map_err(failed("decoding the video"))? {
            return Ok(Step::End(self.cut_short()));
        }
        if !self.choice.wants(&self.mat, self.position)? {
            return Ok(Step::Skipped(self.position));
        }
        Ok(Step::Shot(Shot { pixels: Pixels::Bgr(&self.mat), position: self.position, file: None }))
    }

    fn length(&self) -> u64 {
        self.length
    }

    fn interval(&self) -> f64 {
        self.interval
    }
}
