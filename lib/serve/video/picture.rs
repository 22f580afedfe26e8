//! One frame, and what was made of it: each size and quality at most once, for all who want it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use park_core::record::Time;
use park_core::record::camera::{Encoding, Frame};
use park_core::stream::spool::{SpoolReader, Take};
use tokio::sync::{OnceCell, Semaphore};
use tokio::task::spawn_blocking;

use super::jpeg::{self, Pixels};
use super::pace::Shape;

/// The quality of frames that come as raw pixels, where nobody asks for less.
const BEST: u8 = 85;

/// Where pictures are made: few at a time, off the runtime.
pub struct Kitchen {
    places: Semaphore,
    reader: Mutex<SpoolReader>,
    /// Frees what is passed over: a reader of its own, since the ingest loop must not wait for a picture.
    passer: Mutex<SpoolReader>,
}

impl Kitchen {
    /// Makes at most `places` pictures at a time.
    pub fn new(places: usize) -> Kitchen {
        Kitchen { places: Semaphore::new(places), reader: Mutex::default(), passer: Mutex::default() }
    }
}

/// A picture, or why it cannot be had.
type Made = Result<Bytes, Arc<str>>;

/// One frame of a camera as it came in; nothing is read of it until somebody looks.
pub struct Picture {
    /// Its number at this server.
    pub number: u64,
    /// Event time.
    pub time: Time,
    /// When it came.
    pub received: Instant,
    payload: Box<str>,
    /// The file in the spool with its length, until it was read or freed.
    file: Mutex<Option<(PathBuf, usize)>>,
    kitchen: Arc<Kitchen>,
    raw: OnceLock<Result<Raw, Arc<str>>>,
    shapes: Mutex<HashMap<Shape, Arc<OnceCell<Made>>>>,
}

enum Raw {
    Jpeg(Bytes, OnceLock<Result<Pixels, Arc<str>>>),
    Pixels(Pixels),
}

impl Picture {
    /// The frame with this payload, which is read when it is wanted.
    pub fn new(number: u64, time: Time, payload: &str, kitchen: &Arc<Kitchen>) -> Picture {
        // Only a frame by reference is as short as this; its file must be freed even if nobody looks.
        let frame = if payload.len() <= 4096 { serde_json::from_str::<Frame>(payload).ok() } else { None };
        let file = frame.and_then(|frame| {
            let length = frame.width as usize * frame.height as usize * 3;
            let path = frame.path.filter(|_| jpeg::fits(frame.width, frame.height))?;
            Some((PathBuf::from(path), length))
        });
        Picture {
            number,
            time,
            received: Instant::now(),
            payload: payload.into(),
            file: Mutex::new(file),
            kitchen: Arc::clone(kitchen),
            raw: OnceLock::new(),
            shapes: Mutex::default(),
        }
    }

    /// How many bytes it holds as it came.
    pub fn length(&self) -> usize {
        self.payload.len()
    }

    /// The picture as a JPEG in this shape; made once, whoever asks.
    pub async fn jpeg(self: &Arc<Self>, shape: Shape) -> Made {
        let cell = {
            let mut shapes = self.shapes.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(shapes.entry(shape).or_default())
        };
        let made = cell.get_or_init(|| async {
            let _place = self.kitchen.places.acquire().await;
            let picture = Arc::clone(self);
            let made = spawn_blocking(move || picture.make(shape));
            made.await.unwrap_or_else(|error| Err(error.to_string().into()))
        });
        made.await.clone()
    }

    fn make(&self, shape: Shape) -> Made {
        let raw = self.raw.get_or_init(|| self.read().map_err(Into::into)).as_ref().map_err(Arc::clone)?;
        let pixels = match raw {
            Raw::Jpeg(jpeg, _) if shape == Shape::default() => return Ok(jpeg.clone()),
            Raw::Jpeg(jpeg, pixels) => {
                pixels.get_or_init(|| jpeg::decode(jpeg).map_err(Into::into)).as_ref().map_err(Arc::clone)?
            }
            Raw::Pixels(pixels) => pixels,
        };
        let smaller = jpeg::shrink(pixels, shape.width)?;
        let quality = if shape.quality == 0 { BEST } else { shape.quality };
        Ok(jpeg::encode(smaller.as_ref().unwrap_or(pixels), quality)?)
    }

    fn read(&self) -> Result<Raw, String> {
        let frame: Frame =
            serde_json::from_str(&self.payload).map_err(|error| format!("no frame: {error}"))?;
        match frame.encoding {
            Encoding::Jpeg => {
                let text = frame.data.ok_or("a frame without its picture")?;
                let bytes = STANDARD.decode(text).map_err(|error| format!("no base64: {error}"))?;
                jpeg::size(&bytes)?;
                Ok(Raw::Jpeg(bytes.into(), OnceLock::new()))
            }
            Encoding::Bgr24 => {
                let (path, length) = self.take_file().ok_or("a frame without its file, or too large")?;
                let mut bytes = vec![0; length];
                let mut reader = self.kitchen.reader.lock().unwrap_or_else(PoisonError::into_inner);
                match reader.take(&path, &mut bytes).map_err(|error| error.to_string())? {
                    Take::Done => {
                        let Frame { width, height, .. } = frame;
                        Ok(Raw::Pixels(Pixels { bytes, width, height, bgr: true }))
                    }
                    Take::Expired => Err("it is gone from the spool".into()),
                }
            }
        }
    }

    fn take_file(&self) -> Option<(PathBuf, usize)> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for Picture {
    fn drop(&mut self) {
        if let Some((path, length)) = self.take_file() {
            // A file that cannot be freed is the writer's to clear away.
            let _ =
                self.kitchen.passer.lock().unwrap_or_else(PoisonError::into_inner).pass_over(&path, length);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::jpeg::tests::ramp;
    use super::*;
    use park_core::record::{Stamp, encode};
    use park_core::stream::spool::{Put, SpoolWriter};
    use serde_json::json;

    fn picture(payload: &serde_json::Value) -> Arc<Picture> {
        let kitchen = Arc::new(Kitchen::new(1));
        Arc::new(Picture::new(1, Time::default(), &payload.to_string(), &kitchen))
    }

    fn inline(jpeg: &[u8]) -> Arc<Picture> {
        picture(&json!({
            "camera_id": "c", "seq": 0, "width": 640, "height": 400, "encoding": "jpeg", "data": STANDARD.encode(jpeg),
        }))
    }

    #[tokio::test]
    async fn a_shape_is_made_once_and_shared() {
        let jpeg = jpeg::encode(&ramp(640, 400), 90).unwrap();
        let picture = inline(&jpeg);
        assert_eq!(picture.jpeg(Shape::default()).await.unwrap(), jpeg, "as it is");
        let small = Shape { width: 320, quality: 50 };
        let (first, second) = tokio::join!(picture.jpeg(small), picture.jpeg(small));
        let (first, second) = (first.unwrap(), second.unwrap());
        assert_eq!(first.as_ptr(), second.as_ptr());
        assert_eq!(jpeg::size(&first).unwrap(), (320, 200));
    }

    #[tokio::test]
    async fn what_is_no_picture_says_why() {
        for (payload, why) in [
            (json!({}), "no frame"),
            (
                json!({ "camera_id": "c", "seq": 0, "width": 1, "height": 1, "encoding": "jpeg" }),
                "without its",
            ),
            (
                json!({ "camera_id": "c", "seq": 0, "width": 1, "height": 1, "encoding": "jpeg", "data": "%" }),
                "no base64",
            ),
            (
                json!({ "camera_id": "c", "seq": 0, "width": 1, "height": 1, "encoding": "jpeg", "data": "AAAA" }),
                "no JPEG",
            ),
            (
                json!({ "camera_id": "c", "seq": 0, "width": 1, "height": 1, "encoding": "bgr24", "path": "/gone/c-1.bgr" }),
                "gone from the spool",
            ),
            (
                json!({ "camera_id": "c", "seq": 0, "width": 60000, "height": 60000, "encoding": "bgr24", "path": "/x/c-1.bgr" }),
                "too large",
            ),
            (
                json!({ "camera_id": "c", "seq": 0, "width": 1, "height": 1, "encoding": "bgr24", "path": "/etc/passwd" }),
                "not the path of a frame",
            ),
        ] {
            let error = picture(&payload).jpeg(Shape::default()).await.unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }

    #[tokio::test]
    async fn a_frame_of_the_spool_is_read_or_freed() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = SpoolWriter::new(dir.path(), "c", 1).unwrap();
        let pixels = ramp(64, 40);
        for (seq, looked_at) in [(0, true), (1, false), (2, true)] {
            let Put::Done(path) = writer.put(seq, &pixels.bytes, false).unwrap() else {
                unreachable!("there is room: frame {seq}");
            };
            let frame = Frame {
                camera_id: "c".into(),
                seq,
                width: 64,
                height: 40,
                file: None,
                encoding: Encoding::Bgr24,
                data: None,
                path: Some(path.display().to_string()),
            };
            let mut line = Vec::new();
            encode(&Stamp::at(Time::default()), &frame, &mut line);
            let picture = picture(&serde_json::to_value(&frame).unwrap());
            if looked_at {
                assert_eq!(jpeg::size(&picture.jpeg(Shape::default()).await.unwrap()).unwrap(), (64, 40));
            }
        }
    }
}
