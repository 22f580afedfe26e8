//! From `frame` records to pictures in memory.

use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use opencv::core::{CV_8UC3, Mat, MatTraitConst, MatTraitManual, Scalar};
use opencv::imgcodecs;
use park_core::record::camera::{Encoding, Frame};
use park_core::record::{Envelope, Payload, Stamp, Text};
use park_core::stream::spool::{SpoolReader, Take, Taken};
use park_core::{Error, Kind, Result};
use serde::Deserialize;

use crate::jpeg;

/// The least width and height of a picture in which there is anything to find.
const LEAST: u32 = 16;
/// The most pixels of a picture: 200 MB once decoded.
const MOST: u64 = 64 << 20;

/// A frame's payload as it stands on its line, for a JPEG is too long to be copied for nothing.
#[derive(Deserialize)]
struct View<'a> {
    #[serde(borrow)]
    camera_id: Text<'a>,
    seq: u64,
    width: u32,
    height: u32,
    #[serde(borrow, default)]
    file: Option<Text<'a>>,
    encoding: Encoding,
    #[serde(borrow, default)]
    data: Option<Text<'a>>,
    #[serde(borrow, default)]
    path: Option<Text<'a>>,
}

/// What a frame's answer repeats of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// When, and from where; the stamp of the answer.
    pub stamp: Stamp,
    /// The camera.
    pub camera_id: String,
    /// The frame's number.
    pub seq: u64,
    /// The picture's file, where it came from one.
    pub file: Option<String>,
}

impl About {
    /// The frame in words.
    pub fn name(&self) -> String {
        let file = self.file.as_ref().map(|file| format!(" ({file})")).unwrap_or_default();
        format!("frame {} of {}{file}", self.seq, self.camera_id)
    }
}

/// A frame's picture: three channels of 8 bits, blue first.
#[derive(Debug)]
pub enum Picture<'a> {
    /// In the memory of [`Frames`].
    Own(&'a Mat),
    /// In the spool, which has its file back when this is dropped.
    Lent {
        /// The picture. Stands first: it is gone before its memory.
        mat: Mat,
        /// Its memory.
        _taken: Taken,
    },
}

impl std::ops::Deref for Picture<'_> {
    type Target = Mat;
    fn deref(&self) -> &Mat {
        match self {
            Picture::Own(mat) => mat,
            Picture::Lent { mat, .. } => mat,
        }
    }
}

/// Opens frames. Its memory is used again from frame to frame.
#[derive(Debug, Default)]
pub struct Frames {
    spool: SpoolReader,
    keep: bool,
    jpeg: Vec<u8>,
    decoded: Mat,
    raw: Mat,
}

impl Frames {
    /// With `keep`, frames by reference stay in the spool for the next command.
    pub fn new(keep: bool) -> Self {
        Frames { keep, ..Frames::default() }
    }

    /// The picture of a `frame` record, inline or by reference, or `None` if it has expired, which is no
    /// error: its writer needed the room.
    ///
    /// # Errors
    /// [`Kind::BadInput`], naming the frame: fields missing, not base64, not a JPEG, cut short, more than 8 bits, under 16 or
    /// over 64 Mi pixels, a path that is no frame's.
    pub fn open(&mut self, record: &Envelope<'_>) -> Result<Option<(About, Picture<'_>)>> {
        let view: View<'_> = serde_json::from_str(record.payload_json()).map_err(|error| {
            Error::new(Kind::BadInput, format!("wrong payload for {}", Frame::TYPE)).because(error)
        })?;
        let about = about(record, &view)?;
        let bad = |why: &str| Error::new(Kind::BadInput, format!("{}: {why}", about.name()));
        let picture = match (view.encoding, &view.data, &view.path) {
            (Encoding::Jpeg, Some(data), _) => Picture::Own(self.decode(data).map_err(|why| bad(&why))?),
            (Encoding::Bgr24, _, Some(path)) => {
                let size = [view.width, view.height];
                check_size(size).map_err(|why| bad(&why))?;
                let path = Path::new(path.as_str());
                let failed = |error: Error| Error::new(error.kind(), about.name()).because(error);
                let found = match self.keep {
                    true => self.look(path, size).map_err(failed)?.then_some(Picture::Own(&self.raw)),
                    false => claim(&mut self.spool, path, size).map_err(failed)?,
                };
                match found {
                    Some(picture) => picture,
                    None => return Ok(None),
                }
            }
            (Encoding::Jpeg, None, _) => return Err(bad("a JPEG without data")),
            (Encoding::Bgr24, _, None) => return Err(bad("raw pixels without a path")),
        };
        Ok(Some((about, picture)))
    }

    /// Copies the frame at `path`, which stays there; false if it has expired.
    fn look(&mut self, path: &Path, [width, height]: [u32; 2]) -> Result<bool> {
        let (rows, cols) = (height as i32, width as i32);
        if (self.raw.rows(), self.raw.cols()) != (rows, cols) {
            self.raw =
                Mat::new_rows_cols_with_default(rows, cols, CV_8UC3, Scalar::default()).map_err(no_room)?;
        }
        let pixels = self.raw.data_bytes_mut().map_err(no_room)?;
        Ok(self.spool.look(path, pixels)? == Take::Done)
    }

    fn decode(&mut self, data: &str) -> std::result::Result<&Mat, String> {
        self.jpeg.resize(base64::decoded_len_estimate(data.len()), 0);
        let length = BASE64_STANDARD
            .decode_slice(data, &mut self.jpeg)
            .map_err(|error| format!("its data is not base64: {error}"))?;
        let jpeg = &self.jpeg[..length];
        check_size(jpeg::inspect(jpeg)?)?;
        let failed = |error: opencv::Error| format!("the JPEG cannot be decoded: {}", error.message);
        let bytes = Mat::from_slice(jpeg).map_err(failed)?;
        // The size is that of the JPEG's own header, whatever the record says.
        imgcodecs::imdecode_to(&bytes, imgcodecs::IMREAD_COLOR, &mut self.decoded).map_err(failed)?;
        match self.decoded.empty() {
            true => Err("the JPEG cannot be decoded".to_owned()),
            false => Ok(&self.decoded),
        }
    }
}

/// Takes the frame at `path` and looks at it where it is.
fn claim<'a>(spool: &mut SpoolReader, path: &Path, [width, height]: [u32; 2]) -> Result<Option<Picture<'a>>> {
    let length = width as usize * height as usize * 3;
    let Some(taken) = spool.claim(path, length)? else { return Ok(None) };
    let data = taken.pixels().cast_mut().cast();
    // SAFETY: `taken` holds `length` bytes, which are these rows and columns of three, and stands beside the matrix, which is
    // dropped first and only ever lent as `&Mat`: nothing writes through it.
    let mat = unsafe { Mat::new_rows_cols_with_data_unsafe_def(height as i32, width as i32, CV_8UC3, data) };
    Ok(Some(Picture::Lent { mat: mat.map_err(no_room)?, _taken: taken }))
}

fn no_room(error: opencv::Error) -> Error {
    Error::new(Kind::Io, "making room for a frame").because(error)
}

fn about(record: &Envelope<'_>, view: &View<'_>) -> Result<About> {
    let text = |text: &Option<Text<'_>>| text.as_ref().map(|text| text.as_str().to_owned());
    let Some(time) = record.timestamp else {
        return Err(Error::new(Kind::BadInput, format!("frame {} has no timestamp", view.seq)));
    };
    Ok(About {
        stamp: Stamp {
            time,
            source: text(&record.source),
            gate_id: text(&record.gate_id),
            lot_id: text(&record.lot_id),
        },
        camera_id: view.camera_id.as_str().to_owned(),
        seq: view.seq,
        file: text(&view.file),
    })
}

fn check_size([width, height]: [u32; 2]) -> std::result::Result<(), String> {
    if width < LEAST || height < LEAST {
        return Err(format!("{width} x {height} pixels are too few: {LEAST} x {LEAST} at least"));
    }
    if u64::from(width) * u64::from(height) > MOST {
        return Err(format!("{width} x {height} pixels are too many: {MOST} at most"));
    }
    Ok(())
}
