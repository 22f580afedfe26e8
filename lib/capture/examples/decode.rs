//! Decodes a video and does nothing else: what `scripts/bench` takes off to find the pipe's own cost.
//!
//!     decode VIDEO
#![allow(clippy::unwrap_used, reason = "a tool for developers")]

use opencv::core::Mat;
use opencv::prelude::*;
use opencv::videoio::{CAP_FFMPEG, VideoCapture};

fn main() {
    let path = std::env::args().nth(1).unwrap();
    let mut video = VideoCapture::from_file(&path, CAP_FFMPEG).unwrap();
    let mut frame = Mat::default();
    while video.read(&mut frame).unwrap() {}
}
