//! The command `park-detect`: its flags, and what they start.

use std::num::NonZero;
use std::path::PathBuf;
use std::str::FromStr;
use std::thread;

use clap::{Args, Subcommand};
use park_core::cli::{Command, Context, IoArgs, Manual, StateFile};
use park_core::stream::End;
use park_core::{Error, Kind, Result};

use crate::engine::Runtime;
use crate::filter::{filter, run};
use crate::heap;
use crate::jobs::{NoJob, PlatesJob, STATE_VERSION, SlotsJob};
use crate::map::{self, MapArgs};
use crate::plates::{Networks, Options, PlateReader, Region};
use crate::score::{self, ScoreArgs};
use crate::slots::{Memory, SlotMap, SlotReader};

/// `park-detect`: see its manual page.
#[derive(Debug)]
pub struct Detect;

/// What to detect.
#[derive(Debug, Args)]
pub struct DetectArgs {
    #[command(subcommand)]
    job: Job,
}

#[derive(Debug, Subcommand)]
enum Job {
    /// Find and read the licence plates of each frame.
    Plates(PlatesArgs),
    /// Tell which slots of a lot are occupied in each frame.
    Slots(SlotsArgs),
    /// Make the slot map of a lot: from corners, from other formats, from where vehicles stand.
    Map(MapArgs),
    /// Hold plates or slots records against the truth, and say how right they are.
    Score(ScoreArgs),
    /// Open each frame and look for nothing: checks frames, and measures what a pipe costs by itself.
    None(JobArgs),
}

#[derive(Debug, Args)]
struct PlatesArgs {
    #[command(flatten)]
    common: JobArgs,

    /// Look only inside the polygon with these corners, in pixels: "X,Y X,Y X,Y …".
    #[arg(long, value_name = "CORNERS")]
    roi: Option<Polygon>,

    /// Mark readings that are less sure than P (0 to 1) as rejected.
    #[arg(long, value_name = "P", default_value_t = Options::default().min_confidence)]
    min_confidence: f64,

    /// Report at most N plates of a frame, the surest first.
    #[arg(long, value_name = "N", default_value_t = Options::default().max_plates)]
    max_plates: usize,

    /// Prefer numbers that plates of these countries may bear: ISO 3166 codes such as id,my,sg.
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    region: Vec<Region>,

    /// Find plates with the network in this ONNX file.
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,

    /// Read plates with the network in this ONNX file.
    #[arg(long, value_name = "FILE")]
    reader: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct SlotsArgs {
    #[command(flatten)]
    common: JobArgs,

    /// The slot map: JSON that says where each slot lies in the picture.
    #[arg(long, value_name = "FILE")]
    map: PathBuf,

    /// Keep what is learnt of the camera's view in FILE, so that a restart goes on where the last run ended.
    #[arg(long, value_name = "FILE", env = "PARK_DETECT_STATE")]
    state: Option<PathBuf>,

    /// Judge slots with the network in this ONNX file.
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct JobArgs {
    /// Pass frames on as well; those by reference stay where they are.
    #[arg(long)]
    keep_frames: bool,

    /// Use N threads; 0 is one for each core.
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,

    /// Run the networks with this ONNX Runtime library, about twice as fast as OpenCV runs them; `none` is OpenCV. By default
    /// the library is taken where the system's linker finds it.
    #[arg(long, value_name = "FILE", env = "ORT_DYLIB_PATH")]
    onnxruntime: Option<PathBuf>,

    #[command(flatten)]
    io: IoArgs,
}

impl JobArgs {
    /// How many threads there may be.
    fn cores(&self) -> usize {
        match self.threads {
            0 => thread::available_parallelism().map_or(1, NonZero::get),
            threads => threads,
        }
    }

    /// What runs the networks, each on so many threads.
    fn runtime(&self, threads: usize) -> Result<Runtime> {
        Runtime::chosen(self.onnxruntime.as_deref(), threads).map_err(failure)
    }
}

/// A polygon on the command line.
#[derive(Debug, Clone, PartialEq)]
struct Polygon(Vec<[f64; 2]>);

impl FromStr for Polygon {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let corner = |word: &str| {
            let (x, y) = word.split_once(',')?;
            let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
            Some([number(x)?, number(y)?])
        };
        let corners: Option<Vec<_>> = text.split_whitespace().map(corner).collect();
        match corners {
            Some(corners) if corners.len() >= 3 => Ok(Polygon(corners)),
            Some(_) => Err("a polygon has three corners or more".to_owned()),
            None => Err("corners are numbers in the form \"X,Y X,Y X,Y\"".to_owned()),
        }
    }
}

impl Command for Detect {
    const NAME: &'static str = "park-detect";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const ABOUT: &'static str = "Find licence plates and the state of parking slots in frames";
    const READS: &'static [&'static str] = &["frame", "plates", "slots"];
    const WRITES: &'static [&'static str] = &["plates", "slots"];
    const MANUAL: Manual = Manual {
        description: "park-detect reads frame records and answers each with what is seen in it: park-detect plates \
            with a plates record, park-detect slots with a slots record, which has the frame's time, source and gate. Frames end \
            here unless --keep-frames is given; every other record is passed on.\n\n\
            A frame holds its picture as JPEG, or names a file in the directory that park-capture --spool writes to. A frame \
            that was taken back before it could be looked at is counted as expired and gets no answer. A picture that cannot be \
            used (cut short, more than 8 bits a sample, under 16 x 16 or over 64 Mi pixels) is reported as a bad record.\n\n\
            I and 1, O and 0 are drawn alike on many plates. Which it is follows from how plates are made up: those of the countries \
            told by --region, or of all that are known.\n\n\
            park-detect score reads those answers and prints a report, park-detect map makes a slot map; neither passes records on.",
        sections: &[
            (
                "Slot map",
                "A JSON object:\n\n    \
             {\"lot_id\": \"lot_1\", \"image_size\": [1280, 720], \"slots\": [\n      \
             {\"slot_id\": \"A1\", \"level_id\": \"L1\",\n       \
             \"polygon\": [[100,200], [160,200], [170,300], [95,300]]}]}\n\n\
             image_size is the size of the picture that the polygons were drawn on, in pixels. Frames of another size are fine \
             if they have the same shape; in frames of another shape every slot is unknown, with the cause camera_moved. \
             A polygon with fewer than three corners, outside the picture or crossing itself, or a slot_id that is there \
             twice ends the command with status 78; slots that cover one another are warned of.",
            ),
            map::MAKING,
            score::TRUTH,
            (
                "What a camera comes to know",
                "park-detect slots judges each slot by its picture, and by what the camera has shown before: how each slot looks when it \
             is empty, by night, in the shade and by day, and how all looks that is no slot. It learns from frames a second or more \
             apart and says more after twenty of them. By the surroundings it notices that the camera was moved (camera_moved) or that \
             something is before it (blocked): then every slot is unknown, and nothing is learnt. A slot too dark to see is \
             unknown with the cause dark, one that could be either with the cause unsure.\n\n\
             With --state this outlives the run; so a camera that was turned while the command was down is noticed as well. When the \
             map is drawn anew, what was learnt with the old one is dropped. A view that has changed for good without a new map \
             (snow, new walls) may need the file removed.",
            ),
        ],
        examples: &[
            (
                "Read the plates at a gate:",
                "park-capture rtsp://10.0.0.7/stream --camera cam_in | park-detect plates | park-gate --gate gate_in",
            ),
            (
                "Watch a lot, frames by reference:",
                "park-capture lot.mp4 --spool /dev/shm/park | park-detect slots --map lot.json | park-track --lot lot_1",
            ),
            (
                "Propose the slots of a lot from a day of it, and look at them:",
                "park-capture rtsp://10.0.0.8/lot --fps 0.2 --timeout 36000 | park-detect map --propose --draw look.jpg > lot.json",
            ),
            (
                "See how well plates are read, on pictures of your own:",
                "park-capture pictures/ | park-detect plates | park-detect score --truth truth.jsonl --fold O0Q,I1",
            ),
            (
                "Remember the camera's view over a restart:",
                "park-capture rtsp://10.0.0.9/lot | park-detect slots --map lot.json --state lot.eye | park-track --lot lot_1",
            ),
        ],
        environment: &[],
        files: &[],
    };
    type Args = DetectArgs;

    fn run(args: DetectArgs, context: &Context) -> Result<End> {
        heap::keep_little();
        match args.job {
            Job::Plates(args) => {
                if !(0.0..=1.0).contains(&args.min_confidence) {
                    return Err(Error::new(Kind::Usage, "--min-confidence is a number from 0 to 1"));
                }
                let options = Options {
                    min_confidence: args.min_confidence,
                    region_of_interest: args.roi.map(|Polygon(corners)| corners),
                    max_plates: args.max_plates,
                    regions: args.region,
                };
                let networks = Networks { detector: args.model, reader: args.reader };
                // Frames side by side use the cores better than a network on several does.
                let runtime = args.common.runtime(1)?;
                let reader = || PlateReader::new(options.clone(), &networks, &runtime).map(PlatesJob);
                let jobs: std::result::Result<_, _> = (0..args.common.cores()).map(|_| reader()).collect();
                run(jobs.map_err(failure)?, &args.common.io, args.common.keep_frames, context)
            }
            Job::Slots(args) => {
                let map = SlotMap::load(&args.map)?;
                for warning in map.warnings() {
                    context.log().warn(&format!("{}: {warning}", args.map.display()));
                }
                let (state, memory) = match &args.state {
                    Some(path) => {
                        StateFile::open(path, STATE_VERSION).map(|(file, memory)| (Some(file), memory))?
                    }
                    None => (None, Memory::default()),
                };
                let runtime = args.common.runtime(args.common.threads)?;
                let reader =
                    SlotReader::new(map, memory, args.model.as_deref(), &runtime).map_err(failure)?;
                filter(SlotsJob::new(reader, state), &args.common.io, args.common.keep_frames, context)
            }
            Job::Map(args) => map::run(&args, context),
            Job::Score(args) => score::run(&args, context),
            Job::None(args) => filter(NoJob, &args.io, args.keep_frames, context),
        }
    }
}

/// An error before the first frame.
fn failure(error: crate::error::Error) -> Error {
    Error::new(Kind::Config, "getting ready").because(error)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_polygon_is_three_corners_or_more() {
        let square: Polygon = "0,0 4,0  4,4.5 0,4".parse().unwrap();
        assert_eq!(square.0, [[0.0, 0.0], [4.0, 0.0], [4.0, 4.5], [0.0, 4.0]]);
        for wrong in ["", "1,2 3,4", "1,2 3,4 5", "a,b c,d e,f", "0,0 1,inf 2,2"] {
            assert!(wrong.parse::<Polygon>().is_err(), "{wrong:?}");
        }
    }
}
