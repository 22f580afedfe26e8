//! Recordings frame by frame: videos, and pictures one after the other.

mod jpeg;
mod pictures;
mod video;

pub use pictures::Pictures;
pub use video::Video;

use opencv::core::Mat;
use park_core::Result;

/// A recording that is played from its beginning.
pub trait Recording {
    /// What comes next.
    fn next(&mut self) -> Result<Step<'_>>;

    /// How many frames it has, as far as it knows; 0 if it does not.
    fn length(&self) -> u64;

    /// How long one frame lasts, in seconds.
    fn interval(&self) -> f64;
}

/// One step through a recording.
#[derive(Debug)]
pub enum Step<'a> {
    /// A frame.
    Shot(Shot<'a>),
    /// A frame that was not asked for, so many seconds from the beginning.
    Skipped(f64),
    /// A file that should be a picture and is not, or not a whole one.
    Bad {
        /// Its name.
        file: String,
        /// What is wrong with it.
        message: String,
        /// Where its frame would have been, in seconds from the beginning.
        position: f64,
    },
    /// The end. A recording that ends before its time says so.
    End(Option<String>),
}

/// A frame of a recording.
#[derive(Debug)]
pub struct Shot<'a> {
    /// Its pixels.
    pub pixels: Pixels<'a>,
    /// Seconds from the beginning.
    pub position: f64,
    /// The name of its file, where each frame has one.
    pub file: Option<&'a str>,
}

/// The pixels of a frame.
#[derive(Debug, Clone, Copy)]
pub enum Pixels<'a> {
    /// Decoded: 8 bits each of blue, green, red.
    Bgr(&'a Mat),
    /// As a JPEG that every decoder shows the same way.
    Jpeg {
        /// The file's bytes.
        bytes: &'a [u8],
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
}
