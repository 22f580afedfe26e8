//! Recordings one after the other, with one clock.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use park_core::cli::{Context, Progress};
use park_core::record::Time;
use park_core::record::camera::{CameraState, CameraStatus};
use park_core::stream::{End, SourceSession};
use park_core::{Error, Kind, Result};

use crate::faults::Faults;
use crate::frames::{Form, Frames};
use crate::pace::{Pacer, Rates};
use crate::recording::{Pictures, Recording, Shot, Step, Video};
use crate::replay;
use crate::source::Source;

/// How recordings are played.
#[derive(Debug, Clone)]
pub struct Manner {
    /// The event time at which the first begins.
    pub start: Time,
    /// Frames a second: how many of a video are kept, how many of a folder there were.
    pub rates: Rates,
    /// Whether to keep to the recording's own clock.
    pub realtime: bool,
    /// Whether to begin again at the end.
    pub again: bool,
    /// Whether JPEG files pass as they are.
    pub as_they_are: bool,
    /// The file that one picture is to be written to.
    pub still: Option<PathBuf>,
    /// The longest line of a recorded stream.
    pub max_line: usize,
}

/// How long to sleep at most before it is checked again whether there is a reason to end.
pub const NAP: Duration = Duration::from_millis(20);

/// Plays recordings one after the other: the clock of each goes on where that of the one before ended.
pub struct Player<'a> {
    session: &'a mut SourceSession,
    context: &'a Context,
    manner: Manner,
    form: Form,
    faults: Faults,
    clock: Time,
    pacer: Pacer,
    /// The cameras so far, with the number of the next frame of each.
    cameras: BTreeMap<String, (Frames, u64)>,
}

impl<'a> Player<'a> {
    /// A player that writes to `session`.
    pub fn new(
        session: &'a mut SourceSession,
        context: &'a Context,
        manner: Manner,
        form: Form,
        faults: Faults,
    ) -> Self {
        let clock = manner.start;
        let (pacer, cameras) = (Pacer::default(), BTreeMap::new());
        Player { session, context, manner, form, faults, clock, pacer, cameras }
    }

    /// Plays all of `sources`, each with its camera's name, and says why it ended.
    pub fn play(&mut self, sources: &[(Source, String)]) -> Result<End> {
        let ended = self.play_all(sources);
        let gone = match &ended {
            Ok(end) => *end == End::BrokenPipe,
            Err(error) => error.is_broken_pipe(),
        };
        for (frames, _) in self.cameras.values_mut() {
            frames.clear(gone);
        }
        let end = ended?;
        self.faults.verdict().map(|()| end)
    }

    fn play_all(&mut self, sources: &[(Source, String)]) -> Result<End> {
        loop {
            for (source, camera) in sources {
                let end = match source {
                    Source::Records(path) => replay::replay(
                        self.session,
                        &mut self.faults,
                        path,
                        &source.to_string(),
                        self.manner.max_line,
                        self.manner.realtime.then_some(&mut self.pacer),
                    )?,
                    _ => self.play_one(source, camera)?,
                };
                if let Some(end) = end {
                    return Ok(end);
                }
            }
            if self.manner.still.is_some() {
                return Err(Error::new(Kind::No, "no picture came that could be written"));
            }
            if !self.manner.again {
                return Ok(End::Input);
            }
        }
    }

    fn play_one(&mut self, source: &Source, camera: &str) -> Result<Option<End>> {
        let name = source.to_string();
        let opened = match source {
            Source::Video(path) => {
                Video::open(path, self.manner.rates).map(|video| Box::new(video) as Box<dyn Recording>)
            }
            Source::Pictures { files, .. } => Ok(Box::new(Pictures::new(
                files.clone(),
                self.manner.rates.fps.unwrap_or(1.0),
                self.manner.as_they_are,
            )) as Box<dyn Recording>),
            _ => Err(Error::new(Kind::Usage, format!("{name} is no recording"))),
        };
        let mut recording = match opened {
            Ok(recording) => recording,
            Err(error) if error.kind() == Kind::BadInput => {
                self.faults.report(&mut self.session.out, self.clock, &name, None, &error.to_string())?;
                return self.session.out.flush().map(|()| None);
            }
            Err(error) => return Err(error),
        };
        if !self.cameras.contains_key(camera) {
            self.cameras.insert(camera.to_owned(), (Frames::new(camera, &self.form)?, 0));
        }
        let bar = self.context.progress(recording.length(), &name);
        let ended = self.run(&mut *recording, camera, &name, &bar);
        drop(bar);
        ended
    }

    fn run(
        &mut self,
        recording: &mut dyn Recording,
        camera: &str,
        name: &str,
        bar: &Progress,
    ) -> Result<Option<End>> {
        let start = self.clock;
        let interval = recording.interval();
        let at = |position: f64| start + Duration::from_millis((position * 1000.0).round() as u64);
        let mut begun = false;
        for step in 1.. {
            if let Some(end) = self.session.ended() {
                return Ok(Some(end));
            }
            bar.at(step);
            match recording.next()? {
                Step::Skipped(position) => self.clock = at(position + interval),
                Step::Shot(shot) => {
                    let time = at(shot.position);
                    self.clock = at(shot.position + interval);
                    if !std::mem::replace(&mut begun, true) {
                        self.say(camera, time, CameraState::Online, None);
                    }
                    if let Some(end) = self.shot(camera, time, &shot)? {
                        return Ok(Some(end));
                    }
                }
                Step::Bad { file, message, position } => {
                    self.clock = at(position + interval);
                    self.faults.report(&mut self.session.out, at(position), &file, None, &message)?;
                    self.session.out.flush()?;
                    if let Some((_, seq)) = self.cameras.get_mut(camera) {
                        *seq += 1;
                    }
                }
                Step::End(cut) => {
                    let cause = cut.clone().unwrap_or_else(|| CameraStatus::RECORDING_ENDED.into());
                    if let Some(cut) = cut {
                        self.faults.report(&mut self.session.out, self.clock, name, None, &cut)?;
                    }
                    self.say(camera, self.clock, CameraState::Offline, Some(cause));
                    self.session.out.flush()?;
                    break;
                }
            }
        }
        Ok(None)
    }

    /// Writes one frame once it is due and there is room for it.
    fn shot(&mut self, camera: &str, time: Time, shot: &Shot<'_>) -> Result<Option<End>> {
        if self.manner.realtime
            && let Some(end) = wait(self.session, &mut self.pacer, time)?
        {
            return Ok(Some(end));
        }
        let Some((frames, next)) = self.cameras.get_mut(camera) else { return Ok(None) };
        let seq = *next;
        *next += 1;
        let out = &mut self.session.out;
        if let Some(path) = &self.manner.still {
            frames.still(out, time, seq, shot.pixels, path)?;
            out.flush()?;
            return Ok(Some(End::Input));
        }
        while !frames.has_room() {
            self.session.out.flush()?;
            // The reader takes frames by their files, not from the pipe, so no write would tell that it is gone.
            if self.session.out.is_broken() {
                return Ok(Some(End::BrokenPipe));
            }
            if let Some(end) = self.session.ended() {
                return Ok(Some(end));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        frames.write(&mut self.session.out, time, seq, shot.pixels, shot.file, false)?;
        self.session.out.flush()?;
        Ok(None)
    }

    fn say(&mut self, camera: &str, time: Time, state: CameraState, cause: Option<String>) {
        if let Some((frames, _)) = self.cameras.get(camera).filter(|_| self.manner.still.is_none()) {
            let status =
                CameraStatus { camera_id: camera.to_owned(), state, cause, fps: None, dropped: None };
            self.session.out.emit(&frames.stamp(time), &status);
        }
    }
}

/// Waits until what happened at `time` is due; says why to end, should there be a reason meanwhile.
pub fn wait(session: &mut SourceSession, pacer: &mut Pacer, time: Time) -> Result<Option<End>> {
    loop {
        let left = pacer.wait(time, Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        session.out.flush()?;
        if let Some(end) = session.ended() {
            return Ok(Some(end));
        }
        std::thread::sleep(left.min(NAP));
    }
}
