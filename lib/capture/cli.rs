//! The command: its flags, its manual, and what it does with them.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args as ClapArgs;
use park_core::cli::{Command, Context, IoArgs, Manual, Seconds};
use park_core::record::Time;
use park_core::stream::spool::DEFAULT_FRAMES;
use park_core::stream::{End, Policy, Setup, SourceSession};
use park_core::{Error, Kind, Result};

use crate::faults::Faults;
use crate::frames::Form;
use crate::live::{self, Patience};
use crate::pace::Rates;
use crate::play::{self, Player};
use crate::source::Source;
use crate::vision;

/// `park-capture`: cameras and recordings to frames.
#[derive(Debug, Clone, Copy)]
pub struct Capture;

/// The flags of `park-capture`.
#[derive(Debug, Clone, ClapArgs)]
#[command(mut_arg("input", |arg| arg.hide(true)))]
pub struct Args {
    /// Where frames come from: a video file, a folder or list of pictures, a device (/dev/videoN, v4l2:N), a camera on
    /// the network (rtsp://, http://), or a recorded stream of records (.ndjson, .jsonl, `-`). Recordings follow one
    /// another, cameras stand side by side.
    #[arg(value_name = "SOURCE", required = true, num_args = 1..)]
    sources: Vec<String>,

    /// Name the camera; repeat it for several cameras. Made from the source's name by default.
    #[arg(long, value_name = "ID", env = "CAMERA_DEVICE_ID")]
    camera: Vec<String>,

    /// Keep N frames a second. A folder's pictures are taken to be N a second (1 by default).
    #[arg(long, value_name = "N", value_parser = rate)]
    fps: Option<f64>,

    /// Keep only N frames a second of a video or a camera while nothing moves in its view, from two seconds after the last
    /// movement on.
    #[arg(long, value_name = "N", value_parser = rate)]
    idle_fps: Option<f64>,

    /// Bring frames to WIDTHxHEIGHT pixels.
    #[arg(long, value_name = "WxH")]
    size: Option<Size>,

    /// Code inline frames as JPEG of this quality, 1 to 100 (85 by default). Pictures that are JPEG already pass as they
    /// are unless it is given.
    #[arg(long, value_name = "Q", value_parser = clap::value_parser!(u8).range(1..=100))]
    quality: Option<u8>,

    /// Give frames by reference: raw pixels in files of DIR, best in /dev/shm, for a reader on this host.
    #[arg(long, value_name = "DIR")]
    spool: Option<PathBuf>,

    /// Let up to N frames wait in the spool. A recording waits for room; a camera loses its oldest.
    #[arg(long, value_name = "N", default_value_t = DEFAULT_FRAMES, value_parser = at_least_one)]
    spool_frames: usize,

    /// Write one picture to FILE, in the format that its name says, and end.
    #[arg(long, value_name = "FILE")]
    still: Option<PathBuf>,

    #[command(flatten)]
    recording: RecordingArgs,

    #[command(flatten)]
    live: LiveArgs,

    #[command(flatten)]
    io: IoArgs,
}

#[derive(Debug, Clone, ClapArgs)]
#[command(next_help_heading = "Recordings")]
struct RecordingArgs {
    /// Take TIME (RFC 3339) for the beginning of the recording [default: 1970-01-01T00:00:00Z].
    #[arg(long, value_name = "TIME")]
    start: Option<Time>,

    /// Play recordings by their own clock instead of as fast as they are taken.
    #[arg(long)]
    realtime: bool,

    /// Begin again at the end, with the clock going on.
    #[arg(long = "loop")]
    again: bool,
}

#[derive(Debug, Clone, ClapArgs)]
#[command(next_help_heading = "Cameras")]
struct LiveArgs {
    /// Wait up to SECONDS for a camera on the network to open.
    #[arg(long, value_name = "SECONDS", default_value = "10")]
    open_timeout: Seconds,

    /// Take a camera on the network for lost after SECONDS without a frame.
    #[arg(long, value_name = "SECONDS", default_value = "5")]
    read_timeout: Seconds,

    /// Open a lost camera again after SECONDS, then after twice as long each time.
    #[arg(long, value_name = "SECONDS", default_value = "1")]
    reconnect_delay: Seconds,

    /// Wait at most SECONDS before a lost camera is opened again.
    #[arg(long, value_name = "SECONDS", default_value = "30")]
    reconnect_max: Seconds,

    /// Give a camera up after N tries in a row; 0 for never [default: 0, with --still 1].
    #[arg(long, value_name = "N")]
    reconnect_tries: Option<u32>,

    /// Pass USER:PASSWORD from FILE to cameras on the network, so that no secret stands on the command line.
    #[arg(long, value_name = "FILE")]
    credentials: Option<PathBuf>,

    /// Say a camera's state every SECONDS while it does not change.
    #[arg(long, value_name = "SECONDS", default_value = "10")]
    status_every: Seconds,
}

/// A size in pixels, such as `1280x720`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Size(u32, u32);

impl FromStr for Size {
    type Err = String;
    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let side = |text: &str| text.parse::<u32>().ok().filter(|side| (1..=16384).contains(side));
        let sides = text.split_once(['x', 'X', '×']).and_then(|(w, h)| Some(Size(side(w)?, side(h)?)));
        sides.ok_or_else(|| format!("{text:?} is not WIDTHxHEIGHT, each from 1 to 16384"))
    }
}

fn rate(text: &str) -> std::result::Result<f64, String> {
    let rate = text.parse::<f64>().ok().filter(|rate| (0.001..=1000.0).contains(rate));
    rate.ok_or_else(|| format!("{text:?} is not a rate from 0.001 to 1000"))
}

fn at_least_one(text: &str) -> std::result::Result<usize, String> {
    let number = text.parse::<usize>().ok().filter(|number| *number > 0);
    number.ok_or_else(|| format!("{text:?} is not a number from 1 on"))
}

impl Command for Capture {
    const NAME: &'static str = "park-capture";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const ABOUT: &'static str = "Turn cameras and recordings into a stream of frames";
    const READS: &'static [&'static str] = &[];
    const WRITES: &'static [&'static str] = &["frame", "camera_status", "image_captured", "tick"];
    const MANUAL: Manual = MANUAL;
    type Args = Args;

    fn run(args: Args, context: &Context) -> Result<End> {
        if !args.io.input.is_empty() {
            return Err(usage("park-capture has SOURCE arguments in place of --input"));
        }
        let mut sources = Source::parse_all(&args.sources)?;
        if let Some(path) = &args.live.credentials {
            let credentials = std::fs::read_to_string(path).map_err(|error| {
                Error::new(Kind::Config, format!("reading {}", path.display())).because(error)
            })?;
            sources =
                sources.into_iter().map(|source| source.with_credentials(credentials.trim_end())).collect();
        }
        let live = sources.iter().filter(|source| source.is_live()).count();
        if live != 0 && live != sources.len() {
            return Err(usage(
                "cameras and recordings cannot be captured together: run one command for each",
            ));
        }
        let named = named(sources, &args.camera, live > 0)?;
        // Before the session, which starts threads.
        vision::set_up(named.iter().any(|(source, _)| matches!(source, Source::Network(_))));
        if live > 0 { args.watch(&named, context) } else { args.play(&named, context) }
    }
}

impl Args {
    fn form(&self) -> Form {
        Form {
            size: self.size.map(|Size(width, height)| (width, height)),
            quality: self.quality.unwrap_or(85),
            spool: self.spool.clone(),
            spool_frames: self.spool_frames,
        }
    }

    fn rates(&self) -> Rates {
        Rates { fps: self.fps, idle_fps: self.idle_fps }
    }

    fn play(&self, sources: &[(Source, String)], context: &Context) -> Result<End> {
        let manner = play::Manner {
            start: self.recording.start.unwrap_or_default(),
            rates: self.rates(),
            realtime: self.recording.realtime,
            again: self.recording.again,
            as_they_are: self.quality.is_none() && self.size.is_none() && self.spool.is_none(),
            still: self.still.clone(),
            max_line: self.io.max_line.0,
        };
        let mut session = SourceSession::open(&self.io, &Setup::default(), context)?;
        let faults = Faults::new(self.io.strict, context);
        let end = Player::new(&mut session, context, manner, self.form(), faults).play(sources);
        finish(session, end)
    }

    fn watch(&self, sources: &[(Source, String)], context: &Context) -> Result<End> {
        let recording = &self.recording;
        if recording.start.is_some() || recording.realtime || recording.again {
            return Err(usage("--start, --realtime and --loop are for recordings, not for cameras"));
        }
        let live = &self.live;
        let manner = live::Manner {
            rates: self.rates(),
            patience: Patience {
                open: live.open_timeout.0,
                read: live.read_timeout.0,
                first_delay: live.reconnect_delay.0,
                most_delay: live.reconnect_max.0,
                tries: live.reconnect_tries.unwrap_or(u32::from(self.still.is_some())),
            },
            status_every: live.status_every.0,
            still: self.still.clone(),
        };
        // What a slow peer misses of the present is not worth keeping.
        let setup = Setup { policy: Policy::DropOldest, ..Setup::default() };
        let mut session = SourceSession::open(&self.io, &setup, context)?;
        let end = live::watch(&mut session, context, &manner, &self.form(), sources);
        finish(session, end)
    }
}

/// Sends off the last records even after an error, which is the first thing to tell.
fn finish(session: SourceSession, end: Result<End>) -> Result<End> {
    match end {
        Ok(end) => session.finish(end),
        Err(error) => {
            let _ = session.finish(End::Input);
            Err(error)
        }
    }
}

/// Every source with its camera's name.
fn named(sources: Vec<Source>, names: &[String], live: bool) -> Result<Vec<(Source, String)>> {
    let names: Vec<String> = match names {
        [] => sources.iter().map(Source::camera).collect(),
        [one] if !live => vec![one.clone(); sources.len()],
        names if names.len() == sources.len() => names.to_vec(),
        names => {
            let message =
                format!("{} names for {} cameras; give one --camera for each", names.len(), sources.len());
            return Err(usage(&message));
        }
    };
    let twice = (1..names.len()).find(|&at| names[..at].contains(&names[at]));
    match twice {
        Some(at) if live => {
            Err(usage(&format!("two cameras are called {}; name each with --camera", names[at])))
        }
        _ => Ok(sources.into_iter().zip(names).collect()),
    }
}

fn usage(message: &str) -> Error {
    Error::new(Kind::Usage, message)
}

const MANUAL: Manual = Manual {
    description: "Reads cameras and recordings and writes their frames to standard output, one record a line, as JPEG in \
base64 or, with --spool, by reference to raw pixels in shared memory.

Videos, folders of pictures and recorded streams follow one another in the order given; the clock of each goes on where \
the one before it ended. The same input gives the same bytes. Nothing is dropped: a slow reader is waited for. A file \
that cannot be decoded, or ends before its time, is reported on standard error and by an error record; the others are \
played, and the exit status is 65.

Cameras are captured side by side. Their frames carry the time at which they were grabbed. A camera never builds up \
delay: when the reader is slow the newest frame is kept, the others are dropped, and camera_status says how many. A lost \
camera is opened again, after 1, 2, 4 and up to 30 seconds. While no frame comes, a tick stands for it each second.",
    sections: &[
        (
            "Idle views",
            "Most of the time nothing happens at a gate, and looking for plates in every frame is work for nothing. With \
--idle-fps a frame is compared with the last one that was given, in blocks of a 64th of its width; where no block's mean \
colour has changed by more than 5 of 255 levels for two seconds, only so many frames a second are given. Everything that \
moves, and a change of the light, brings all frames back at once. For slots a low --fps does better.",
        ),
        (
            "Cameras on the network",
            "A password in a URL shows in the list of processes; --credentials takes it from a file. Neither is ever \
printed.

Streams are opened through FFmpeg, RTSP over TCP. OPENCV_FFMPEG_CAPTURE_OPTIONS (key;value|key;value) changes how, for \
all of them.",
        ),
        (
            "The spool",
            "A frame is a file CAMERA-SEQ.bgr of WIDTH x HEIGHT x 3 bytes. Whoever takes it renames it to .taken, reads \
it and renames it to .free; the next frame is written over a free file. A directory takes one process for each camera.",
        ),
    ],
    examples: &[
        ("Read the plates of a camera at the gate, on one host:",
         "park-capture rtsp://10.0.0.5/stream1 --credentials cam.txt --camera cam_in --spool /dev/shm/park | park-detect plates"),
        ("The same, at two frames a second while nobody comes:",
         "park-capture rtsp://10.0.0.5/stream1 --camera cam_in --spool /dev/shm/park --idle-fps 2 | park-detect plates"),
        ("Play a recording as if it happened now:",
         "park-capture lane.mp4 --realtime --start 2026-01-20T08:00:00Z | park-detect plates"),
        ("Record a camera and play it again:",
         "park-capture v4l2:0 --count 500 > lane.ndjson; park-capture lane.ndjson | park-detect plates"),
        ("Write one picture:", "park-capture /dev/video0 --still now.jpg"),
    ],
    environment: &[(
        "OPENCV_FFMPEG_CAPTURE_OPTIONS",
        "How streams of the network are opened: over TCP and without a long look at them, by default.",
    )],
    files: &[],
};

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_rates_are_bounded() {
        assert_eq!("1280x720".parse::<Size>().unwrap(), Size(1280, 720));
        for text in ["1280", "0x5", "x", "5x", "99999x1", "-1x1"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
        assert_eq!(rate("2.5"), Ok(2.5));
        for text in ["0", "-1", "NaN", "inf", "1e9", ""] {
            assert!(rate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn cameras_of_one_name_are_refused_and_recordings_are_not() {
        let sources = || vec![Source::Network("rtsp://a/1".into()), Source::Network("rtsp://b/1".into())];
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert!(named(sources(), &names(&["x", "x"]), true).is_err());
        assert!(named(sources(), &names(&["x"]), true).is_err());
        assert_eq!(named(sources(), &names(&["x", "y"]), true).unwrap()[1].1, "y");
        assert_eq!(named(sources(), &names(&["x"]), false).unwrap()[1].1, "x");
        assert_eq!(named(sources(), &[], true).unwrap()[0].1, "a-1");
    }
}
