//! Pictures one after the other, as if a camera had taken them at a steady rate.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use opencv::core::Mat;
use opencv::imgcodecs::{IMREAD_COLOR, imdecode_to};
use opencv::prelude::*;
use park_core::Result;

use super::{Pixels, Recording, Shot, Step, jpeg};

/// A JPEG of more bytes is coded anew, so that its line stays well under what readers take (16 MiB).
const MOST_AS_IT_IS: usize = 8 << 20;

/// Pictures in the order of their list.
#[derive(Debug)]
pub struct Pictures {
    files: Vec<PathBuf>,
    at: usize,
    interval: f64,
    as_they_are: bool,
    name: String,
    bytes: Vec<u8>,
    mat: Mat,
}

impl Pictures {
    /// Pictures taken `fps` times a second. With `as_they_are`, JPEGs are not decoded.
    pub fn new(files: Vec<PathBuf>, fps: f64, as_they_are: bool) -> Self {
        Pictures {
            files,
            at: 0,
            interval: 1.0 / fps,
            as_they_are,
            name: String::new(),
            bytes: Vec::new(),
            mat: Mat::default(),
        }
    }

    /// The size of the JPEG that was read if it is to pass as it is; otherwise the picture is in `mat` now.
    fn look(&mut self) -> std::result::Result<Option<(u32, u32)>, &'static str> {
        if self.bytes.is_empty() {
            return Err("the file is empty");
        }
        let header = jpeg::inspect(&self.bytes);
        if let Some(header) = header {
            if !header.complete {
                return Err("the JPEG is truncated");
            }
            if self.as_they_are && header.plain && self.bytes.len() <= MOST_AS_IT_IS {
                return Ok(Some((header.width, header.height)));
            }
        }
        let decoded = Mat::from_bytes::<u8>(&self.bytes)
            .and_then(|bytes| imdecode_to(&bytes, IMREAD_COLOR, &mut self.mat));
        match decoded {
            Ok(picture) if !picture.empty() => Ok(None),
            _ => Err("not a picture, or a broken one"),
        }
    }
}

impl Recording for Pictures {
    fn next(&mut self) -> Result<Step<'_>> {
        let Some(path) = self.files.get(self.at) else { return Ok(Step::End(None)) };
        let position = self.at as f64 * self.interval;
        self.at += 1;
        self.name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.bytes.clear();
        let read = File::open(path).and_then(|mut file| file.read_to_end(&mut self.bytes));
        let looked = match read {
            Ok(_) => self.look().map_err(str::to_owned),
            Err(error) => Err(format!("cannot be read: {error}")),
        };
        let pixels = match looked {
            Ok(None) => Pixels::Bgr(&self.mat),
            Ok(Some((width, height))) => Pixels::Jpeg { bytes: &self.bytes, width, height },
            Err(message) => return Ok(Step::Bad { file: self.name.clone(), message, position }),
        };
        Ok(Step::Shot(Shot { pixels, position, file: Some(&self.name) }))
    }

    fn length(&self) -> u64 {
        self.files.len() as u64
    }

    fn interval(&self) -> f64 {
        self.interval
    }
}
