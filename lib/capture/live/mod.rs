//! Cameras: a thread each, which keeps the newest frame and opens a lost camera again, and one loop
//! that writes what they have.

mod camera;
mod mailbox;
mod report;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use park_core::cli::Context;
use park_core::record::Time;
use park_core::record::camera::{CameraState, CameraStatus};
use park_core::record::command::Tick;
use park_core::stream::{End, SourceSession};
use park_core::{Error, Kind, Result};

use crate::frames::{Form, Frames, Written};
use crate::pace::Rates;
use crate::play::NAP;
use crate::recording::Pixels;
use crate::source::Source;
use camera::Camera;
pub use camera::Patience;
use mailbox::{Mailbox, News};
use report::Report;

/// How cameras are watched.
#[derive(Debug, Clone)]
pub struct Manner {
    /// Which frames are kept.
    pub rates: Rates,
    /// How long to wait for a camera, and when to give it up.
    pub patience: Patience,
    /// How often the state is said while it does not change.
    pub status_every: Duration,
    /// The file that one picture is to be written to.
    pub still: Option<PathBuf>,
}

/// After how long without a frame a `tick` stands for it.
const TICK: Duration = Duration::from_secs(1);

/// How long threads are waited for at the end; one that is blocked in a dead camera is left behind.
const GOODBYE: Duration = Duration::from_millis(300);

/// One camera as the loop sees it.
struct Watched {
    name: String,
    frames: Frames,
    report: Report,
    last: Instant,
    over: Option<String>,
}

/// Watches all of `sources` side by side, each with its camera's name, until there is a reason to end.
///
/// [`Kind::Unavailable`] when every camera was given up.
pub fn watch(
    session: &mut SourceSession,
    context: &Context,
    manner: &Manner,
    form: &Form,
    sources: &[(Source, String)],
) -> Result<End> {
    let mailbox = Arc::new(Mailbox::new(sources.len()));
    let mut cameras = Vec::new();
    for (source, camera) in sources {
        let frames = Frames::new(camera, form)?;
        let (name, now) = (source.to_string(), Instant::now());
        cameras.push(Watched { name, frames, report: Report::new(camera, now), last: now, over: None });
    }
    let mut threads = Vec::new();
    for (index, (source, _)) in sources.iter().enumerate() {
        let camera = Camera::new(source.clone(), manner.rates, form.size, manner.patience);
        let mailbox = Arc::clone(&mailbox);
        threads.push(std::thread::spawn(move || camera.run(index, &mailbox)));
    }
    let mut watch = Watch { session, context, manner, mailbox: &mailbox, cameras };
    let ended = watch.turn();
    let ended = watch.wind_up(ended);
    mailbox.close();
    let until = Instant::now() + GOODBYE;
    while threads.iter().any(|thread| !thread.is_finished()) && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(2));
    }
    ended
}

struct Watch<'a> {
    session: &'a mut SourceSession,
    context: &'a Context,
    manner: &'a Manner,
    mailbox: &'a Mailbox,
    cameras: Vec<Watched>,
}

impl Watch<'_> {
    fn turn(&mut self) -> Result<End> {
        loop {
            if let Some(end) = self.session.ended() {
                return Ok(end);
            }
            if let Some((index, news)) = self.mailbox.next(NAP)
                && let Some(end) = self.take(index, news)?
            {
                return Ok(end);
            }
            self.pass_time();
            self.session.out.flush()?;
            if self.cameras.iter().all(|camera| camera.over.is_some()) {
                let causes: Vec<String> = self
                    .cameras
                    .iter()
                    .filter_map(|camera| Some(format!("{}: {}", camera.name, camera.over.as_ref()?)))
                    .collect();
                return Err(Error::new(Kind::Unavailable, causes.join("; ")));
            }
        }
    }

    fn take(&mut self, index: usize, news: News) -> Result<Option<End>> {
        let Some(camera) = self.cameras.get_mut(index) else { return Ok(None) };
        let out = &mut self.session.out;
        match news {
            News::Frame { seq, time, mat, lost } => {
                camera.last = Instant::now();
                camera.report.dropped += lost;
                let pixels = Pixels::Bgr(&mat);
                if let Some(path) = &self.manner.still {
                    camera.frames.still(out, time, seq, pixels, path)?;
                    return Ok(Some(End::Input));
                }
                match camera.frames.write(out, time, seq, pixels, None, true)? {
                    Written::Done => camera.report.frames += 1,
                    Written::Replaced => {
                        camera.report.frames += 1;
                        camera.report.dropped += 1;
                    }
                    Written::Full => camera.report.dropped += 1,
                }
                self.mailbox.give_back(mat);
            }
            News::State { time, state, cause } => {
                // A camera that stays lost for the same reason is news once.
                if camera.report.repeats(state, cause.as_deref()) {
                    return Ok(None);
                }
                if state != CameraState::Online {
                    let cause = cause.as_deref().unwrap_or_default();
                    self.context.log().warn(&format!("{}: {cause}", camera.name));
                }
                if state == CameraState::Offline {
                    camera.over = Some(cause.clone().unwrap_or_default());
                }
                say(self.manner, out, camera, time, state, cause);
            }
        }
        Ok(None)
    }

    /// Turns silence into records.
    fn pass_time(&mut self) {
        let (now, time) = (Instant::now(), self.context.now());
        for camera in &mut self.cameras {
            if now.duration_since(camera.last) >= TICK {
                camera.last = now;
                if self.manner.still.is_none() {
                    self.session.out.emit(&camera.frames.stamp(time), &Tick {});
                }
            }
            let due = camera.report.age(now) >= self.manner.status_every;
            if let Some((state, cause)) = camera.report.said().filter(|_| due && camera.over.is_none()) {
                say(self.manner, &mut self.session.out, camera, time, state, cause);
            }
        }
    }

    /// The last records: every camera is offline now.
    fn wind_up(&mut self, ended: Result<End>) -> Result<End> {
        let gone = match &ended {
            Ok(end) => *end == End::BrokenPipe,
            Err(error) => error.is_broken_pipe(),
        };
        let time = self.context.now();
        for camera in &mut self.cameras {
            if !gone && camera.over.is_none() {
                let cause = Some(CameraStatus::CAPTURE_ENDED.to_owned());
                say(self.manner, &mut self.session.out, camera, time, CameraState::Offline, cause);
            }
            camera.frames.clear(gone);
        }
        ended
    }
}

fn say(
    manner: &Manner,
    out: &mut park_core::stream::Out,
    camera: &mut Watched,
    time: Time,
    state: CameraState,
    cause: Option<String>,
) {
    let status = camera.report.say(state, cause, Instant::now());
    if manner.still.is_none() {
        out.emit(&camera.frames.stamp(time), &status);
    }
}
