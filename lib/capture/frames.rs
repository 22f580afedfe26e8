//! Pixels to `frame` records, inline or in shared memory, and to a still.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use opencv::core::{Mat, Size, Vector};
use opencv::imgcodecs::{IMREAD_COLOR, IMWRITE_JPEG_QUALITY, imdecode, imencode};
use opencv::imgproc::{INTER_AREA, INTER_LINEAR, resize};
use opencv::prelude::*;
use park_core::record::camera::{Encoding, Frame, ImageCaptured};
use park_core::record::{Stamp, Time};
use park_core::stream::Out;
use park_core::stream::spool::{Put, SpoolWriter};
use park_core::{Error, Kind, Result};

use crate::recording::Pixels;
use crate::vision::failed;

/// How frames are given out.
#[derive(Debug, Clone)]
pub struct Form {
    /// The size they are brought to, in pixels; their own without it.
    pub size: Option<(u32, u32)>,
    /// The JPEG quality, 1 to 100.
    pub quality: u8,
    /// The directory for frames by reference; inline without it.
    pub spool: Option<PathBuf>,
    /// How many frames may wait there.
    pub spool_frames: usize,
}

/// What became of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It was written.
    Done,
    /// It was written, and an earlier one that nobody had taken is lost.
    Replaced,
    /// It was not written: the spool is full.
    Full,
}

/// Writes the frames of one camera.
#[derive(Debug)]
pub struct Frames {
    camera: String,
    form: Form,
    spool: Option<SpoolWriter>,
    resized: Mat,
    jpeg: Vector<u8>,
    text: String,
}

impl Frames {
    /// A writer of `camera`'s frames; its spool is made ready.
    pub fn new(camera: &str, form: &Form) -> Result<Self> {
        let spool = match &form.spool {
            Some(dir) => Some(SpoolWriter::new(dir, camera, form.spool_frames)?),
            None => None,
        };
        Ok(Frames {
            camera: camera.to_owned(),
            form: form.clone(),
            spool,
            resized: Mat::default(),
            jpeg: Vector::new(),
            text: String::new(),
        })
    }

    /// What the camera's records are stamped with at `time`.
    pub fn stamp(&self, time: Time) -> Stamp {
        Stamp::at(time).source(&*self.camera)
    }

    /// Whether a frame can be written without another one giving way.
    pub fn has_room(&mut self) -> bool {
        self.spool.as_mut().is_none_or(SpoolWriter::has_room)
    }

    /// Writes a frame. With `replace`, a full spool gives up its oldest frame.
    pub fn write(
        &mut self,
        out: &mut Out,
        time: Time,
        seq: u64,
        pixels: Pixels<'_>,
        file: Option<&str>,
        replace: bool,
    ) -> Result<Written> {
        let stamp = self.stamp(time);
        let mut frame = Frame {
            camera_id: self.camera.clone(),
            seq,
            width: 0,
            height: 0,
            file: file.map(str::to_owned),
            encoding: Encoding::Jpeg,
            data: None,
            path: None,
        };
        let mut written = Written::Done;
        if let Pixels::Jpeg { bytes, width, height } = pixels {
            (frame.width, frame.height) = (width, height);
            frame.data = Some(base64(bytes, &mut self.text));
        } else {
            let mat = fit(pixels, self.form.size, &mut self.resized)?;
            (frame.width, frame.height) = (mat.cols().unsigned_abs(), mat.rows().unsigned_abs());
            if let Some(spool) = &mut self.spool {
                let bytes = mat.data_bytes().map_err(failed("reading a frame's pixels"))?;
                let path = match spool.put(seq, bytes, replace)? {
                    Put::Full => return Ok(Written::Full),
                    Put::Done(path) => path,
                    Put::Replaced { path, .. } => {
                        written = Written::Replaced;
                        path
                    }
                };
                frame.encoding = Encoding::Bgr24;
                frame.path = Some(path.into_os_string().into_string().map_err(|path| {
                    Error::new(Kind::Config, format!("the spool's path {path:?} is not UTF-8"))
                })?);
            } else {
                encode(mat, ".jpg", self.form.quality, &mut self.jpeg)?;
                frame.data = Some(base64(self.jpeg.as_slice(), &mut self.text));
            }
        }
        out.emit(&stamp, &frame);
        self.text = frame.data.unwrap_or_default();
        Ok(written)
    }

    /// Writes a frame as a picture to `path`, whole or not at all, and says so by a record.
    pub fn still(
        &mut self,
        out: &mut Out,
        time: Time,
        seq: u64,
        pixels: Pixels<'_>,
        path: &Path,
    ) -> Result<()> {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or("jpg");
        let extension = extension.to_ascii_lowercase();
        let bytes = match pixels {
            Pixels::Jpeg { bytes, .. } if matches!(&*extension, "jpg" | "jpeg") => bytes,
            Pixels::Jpeg { bytes, .. } => {
                let decoded = Mat::from_bytes::<u8>(bytes)
                    .and_then(|bytes| imdecode(&bytes, IMREAD_COLOR))
                    .map_err(failed("decoding the picture"))?;
                encode(&decoded, &format!(".{extension}"), self.form.quality, &mut self.jpeg)?;
                self.jpeg.as_slice()
            }
            pixels @ Pixels::Bgr(_) => {
                let mat = fit(pixels, self.form.size, &mut self.resized)?;
                encode(mat, &format!(".{extension}"), self.form.quality, &mut self.jpeg)?;
                self.jpeg.as_slice()
            }
        };
        let aside = path.with_extension(format!("{extension}.part"));
        std::fs::write(&aside, bytes)
            .and_then(|()| std::fs::rename(&aside, path))
            .map_err(|error| Error::io(format!("writing {}", path.display()), error))?;
        let captured =
            ImageCaptured { camera_id: self.camera.clone(), path: path.display().to_string(), seq };
        out.emit(&self.stamp(time), &captured);
        Ok(())
    }

    /// Removes what nobody will take: frames, too, when the reader is gone.
    pub fn clear(&mut self, reader_gone: bool) {
        if let Some(spool) = &mut self.spool {
            spool.clear(reader_gone);
        }
    }
}

/// The picture at the size wanted; `room` holds it where it had to be resized.
fn fit<'a>(pixels: Pixels<'a>, size: Option<(u32, u32)>, room: &'a mut Mat) -> Result<&'a Mat> {
    let Pixels::Bgr(mat) = pixels else {
        return Err(Error::new(Kind::Io, "a coded picture cannot be resized"));
    };
    let side = |length: u32| i32::try_from(length).unwrap_or(i32::MAX);
    match size.map(|(width, height)| Size::new(side(width), side(height))) {
        Some(size) if size.width != mat.cols() || size.height != mat.rows() => {
            let smaller = size.width < mat.cols();
            let method = if smaller { INTER_AREA } else { INTER_LINEAR };
            resize(mat, room, size, 0.0, 0.0, method).map_err(failed("resizing a frame"))?;
            Ok(room)
        }
        _ => Ok(mat),
    }
}

fn encode(mat: &Mat, extension: &str, quality: u8, bytes: &mut Vector<u8>) -> Result<()> {
    // Other formats pass over what they do not know.
    let parameters = Vector::from_slice(&[IMWRITE_JPEG_QUALITY, i32::from(quality)]);
    let coded = imencode(extension, mat, bytes, &parameters).map_err(|_| {
        Error::new(Kind::Usage, format!("pictures of the kind {extension} cannot be written"))
    })?;
    if coded { Ok(()) } else { Err(Error::new(Kind::Io, format!("coding a frame as {extension} failed"))) }
}

/// The bytes in base64, in the memory of `text`.
fn base64(bytes: &[u8], text: &mut String) -> String {
    let mut text = std::mem::take(text);
    text.clear();
    STANDARD.encode_string(bytes, &mut text);
    text
}
