//! One camera's thread: opens it, grabs its frames, opens it again when it is lost.

use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use opencv::core::Vector;
use opencv::prelude::*;
use opencv::videoio::{
    CAP_FFMPEG, CAP_PROP_FPS, CAP_PROP_FRAME_HEIGHT, CAP_PROP_FRAME_WIDTH, CAP_PROP_OPEN_TIMEOUT_MSEC,
    CAP_PROP_READ_TIMEOUT_MSEC, CAP_V4L2, VideoCapture,
};
use park_core::record::Time;
use park_core::record::camera::CameraState;
use park_core::stream::Backoff;

use super::mailbox::{Mailbox, News};
use crate::pace::{Choice, Rates};
use crate::source::Source;

/// How long to wait for a camera, and when to give it up.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// How long opening may take.
    pub open: Duration,
    /// How long the next frame may take.
    pub read: Duration,
    /// How long to wait before the first try to open it again; twice as long before each further one.
    pub first_delay: Duration,
    /// How long to wait at most.
    pub most_delay: Duration,
    /// How many tries in a row may fail before it is given up; 0 for no end.
    pub tries: u32,
}

/// What a thread needs to know of its camera.
#[derive(Debug)]
pub struct Camera {
    source: Source,
    rates: Rates,
    size: Option<(u32, u32)>,
    patience: Patience,
}

impl Camera {
    /// The camera that `source` names; frames a second and `size` are asked of a device.
    pub fn new(source: Source, rates: Rates, size: Option<(u32, u32)>, patience: Patience) -> Self {
        Camera { source, rates, size, patience }
    }

    /// Posts frames and changes of state as number `index` until nobody reads or the camera is given up.
    pub fn run(&self, index: usize, mailbox: &Mailbox) {
        // Cameras that were lost together must not come back together, so each has its own jitter.
        let seed = u64::from(std::process::id()) << 8 | index as u64;
        let mut backoff = Backoff::new(self.patience.first_delay, self.patience.most_delay, seed);
        let mut grabbed = Grabbed { index, mailbox, seq: 0, choice: Choice::new(self.rates) };
        let mut failed = 0;
        while !mailbox.is_closed() {
            let before = grabbed.seq;
            let cause = match self.open() {
                Ok(mut capture) => grabbed.frames(&mut capture, self.patience.read),
                Err(cause) => cause,
            };
            if grabbed.seq > before {
                backoff.reset();
                failed = 0;
            }
            failed += 1;
            let over = failed == self.patience.tries;
            let state = if over { CameraState::Offline } else { CameraState::Reconnecting };
            if !grabbed.say(Time::from(SystemTime::now()), state, Some(cause)) || over {
                return;
            }
            thread::sleep(backoff.delay());
        }
    }

    fn open(&self) -> Result<VideoCapture, String> {
        match &self.source {
            Source::Device(path) => self.open_device(path),
            Source::Network(url) => self.open_stream(url),
            _ => Err("not a camera".into()),
        }
    }

    fn open_device(&self, path: &Path) -> Result<VideoCapture, String> {
        std::fs::metadata(path).map_err(|error| format!("opening {}: {error}", path.display()))?;
        let name = path.to_str().ok_or("its path is not UTF-8")?;
        let mut capture = VideoCapture::from_file(name, CAP_V4L2).map_err(|error| error.message)?;
        if !capture.is_opened().unwrap_or(false) {
            return Err("not a camera, or one in use".into());
        }
        let wanted = [
            (CAP_PROP_FRAME_WIDTH, self.size.map(|(width, _)| f64::from(width))),
            (CAP_PROP_FRAME_HEIGHT, self.size.map(|(_, height)| f64::from(height))),
            (CAP_PROP_FPS, self.rates.fps),
        ];
        for (property, value) in wanted {
            // A camera that cannot do it is resized and sampled.
            let _ = value.map(|value| capture.set(property, value));
        }
        Ok(capture)
    }

    fn open_stream(&self, url: &str) -> Result<VideoCapture, String> {
        let millis = |time: Duration| i32::try_from(time.as_millis()).unwrap_or(i32::MAX);
        let parameters = Vector::from_slice(&[
            CAP_PROP_OPEN_TIMEOUT_MSEC,
            millis(self.patience.open),
            CAP_PROP_READ_TIMEOUT_MSEC,
            millis(self.patience.read),
        ]);
        let capture = VideoCapture::from_file_with_params(url, CAP_FFMPEG, &parameters);
        match capture {
            Ok(capture) if capture.is_opened().unwrap_or(false) => Ok(capture),
            _ => Err(self.diagnose(url)),
        }
    }

    /// Why a stream could not be opened, as far as can be told: OpenCV does not say.
    fn diagnose(&self, url: &str) -> String {
        let Some((scheme, rest)) = url.split_once("://") else { return "not a URL".into() };
        let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        let port = match scheme.to_ascii_lowercase().as_str() {
            "rtsp" => 554,
            "rtsps" => 322,
            "https" => 443,
            _ => 80,
        };
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let address = if has_port { host.to_owned() } else { format!("{host}:{port}") };
        let reached = address.to_socket_addrs().and_then(|mut addresses| {
            let address = addresses.next().ok_or(std::io::ErrorKind::NotFound)?;
            TcpStream::connect_timeout(&address, self.patience.open)
        });
        match reached {
            Ok(_) => format!("{host} answers but gives no video: a wrong path or password, or no camera"),
            Err(error) => format!("{host} cannot be reached: {error}"),
        }
    }
}

/// The grabbing side of the mailbox.
struct Grabbed<'a> {
    index: usize,
    mailbox: &'a Mailbox,
    seq: u64,
    choice: Choice,
}

impl Grabbed<'_> {
    /// Posts frames until there are no more, and says why.
    fn frames(&mut self, capture: &mut VideoCapture, patience: Duration) -> String {
        let first = self.seq;
        let mut mat = self.mailbox.spare();
        loop {
            let asked = Instant::now();
            if !capture.grab().unwrap_or(false) {
                // A read that times out fails a little before or after its time.
                return match asked.elapsed() >= patience.mul_f64(0.9) {
                    true => format!("no frame for {} s", patience.as_secs_f64()),
                    false if self.seq == first => "it was opened but gives no frame".into(),
                    false => "the stream has ended".into(),
                };
            }
            let time = Time::from(SystemTime::now());
            if self.mailbox.is_closed() {
                return "nobody reads".into();
            }
            if !self.choice.may_want(time.seconds()) {
                continue;
            }
            if !capture.retrieve_def(&mut mat).unwrap_or(false) || mat.empty() {
                continue;
            }
            // A picture that cannot be compared is one to look at.
            if !self.choice.wants(&mat, time.seconds()).unwrap_or(true) {
                continue;
            }
            if self.seq == first {
                self.say(time, CameraState::Online, None);
            }
            let news = News::Frame { seq: self.seq, time, mat, lost: 0 };
            self.seq += 1;
            if !self.mailbox.post(self.index, news) {
                return "nobody reads".into();
            }
            mat = self.mailbox.spare();
        }
    }

    fn say(&self, time: Time, state: CameraState, cause: Option<String>) -> bool {
        self.mailbox.post(self.index, News::State { time, state, cause })
    }
}
