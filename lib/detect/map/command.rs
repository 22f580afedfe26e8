//! `park-detect map`: its flags, and what it does with them.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use opencv::core::{Mat, MatTraitConst};
use opencv::imgcodecs;
use park_core::cli::{Context, IoArgs, Seconds};
use park_core::record::camera::Frame;
use park_core::record::{Envelope, Payload};
use park_core::stream::{End, Filter, Origin, Out, Session, Setup};
use park_core::{Error, Kind, Result};

use super::grid::Grid;
use super::propose::Proposer;
use super::{draw, import};
use crate::frames::Frames;
use crate::slots::SlotMap;

#[derive(Debug, Args)]
#[command(mut_arg("output", |arg| arg.hide(true)), mut_arg("count", |arg| arg.hide(true)))]
pub(crate) struct MapArgs {
    /// Take the map's size from this picture of the camera, and draw over it.
    #[arg(long, value_name = "PICTURE")]
    frame: Option<PathBuf>,

    /// The size of the camera's pictures, where there is no --frame.
    #[arg(long, value_name = "WxH", conflicts_with = "frame")]
    size: Option<Size>,

    /// Name the lot.
    #[arg(long, value_name = "ID")]
    lot: Option<String>,

    /// Put new slots on this level.
    #[arg(long, value_name = "ID")]
    level: Option<String>,

    /// Add a row or grid of slots (repeatable): "A1..A6 X,Y X,Y X,Y X,Y". Each range of ids is a row, from the first corner to
    /// the second, the next towards the fourth; one id may have any polygon.
    #[arg(long, value_name = "IDS CORNERS")]
    grid: Vec<Grid>,

    /// Add the slots of a map, or of a PKLot, CNRPark, COCO or CSV file (repeatable).
    #[arg(long, value_name = "FILE")]
    import: Vec<PathBuf>,

    /// Of an imported file with several pictures, take the slots of NAME.
    #[arg(long, value_name = "NAME")]
    picture: Option<String>,

    /// Imported polygons were drawn on pictures of this size, and are scaled from it.
    #[arg(long, value_name = "WxH")]
    drawn_on: Option<Size>,

    /// Put TEXT before the ids of imported and proposed slots [default of proposed ones: S].
    #[arg(long, value_name = "TEXT")]
    prefix: Option<String>,

    /// Read frames and propose slots where vehicles came or went.
    #[arg(long)]
    propose: bool,

    /// A vehicle that stands in a slot stands for SECONDS at least.
    #[arg(long, value_name = "SECONDS", default_value = "60")]
    stay: Seconds,

    /// Draw the map over the frame, or over grey, into a picture.
    #[arg(long, value_name = "PICTURE")]
    draw: Option<PathBuf>,

    #[command(flatten)]
    io: IoArgs,
}

/// A size in pixels, such as `1280x720`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Size([u32; 2]);

impl FromStr for Size {
    type Err = String;
    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let side = |text: &str| text.parse::<u32>().ok().filter(|side| (1..=16384).contains(side));
        let sides = text.split_once(['x', 'X', '×']).and_then(|(w, h)| Some(Size([side(w)?, side(h)?])));
        sides.ok_or_else(|| format!("{text:?} is not WIDTHxHEIGHT, each from 1 to 16384"))
    }
}

/// Runs `park-detect map`.
pub(crate) fn run(args: &MapArgs, context: &Context) -> Result<End> {
    if args.grid.is_empty() && args.import.is_empty() && !args.propose {
        return Err(usage("no slots: give --grid, --import or --propose"));
    }
    if !args.io.output.is_empty() {
        return Err(usage("the map is written to standard output"));
    }
    if args.stay.0.is_zero() {
        return Err(usage("--stay is more than 0 seconds"));
    }
    let mut making = Making { map: None, picture: args.frame.as_deref().map(picture).transpose()? };
    let mut end = End::Input;
    if let Some(size) = making.picture.as_ref().map(size_of).or(args.size.map(|Size(size)| size)) {
        making.sized(size);
    }
    for path in &args.import {
        making.import(path, args, context)?;
    }
    if args.propose {
        end = making.propose(args, context)?;
    }
    let Making { map: Some(mut map), picture } = making else {
        return Err(usage("the pictures' size is not known: give --frame or --size"));
    };
    map.slots.extend(args.grid.iter().flat_map(|grid| grid.slots(args.level.as_deref())));
    map.lot_id = args.lot.clone().unwrap_or(map.lot_id);
    finish(&map, picture.as_ref(), args, context)?;
    Ok(end)
}

/// A map in the making; there is none while its size is not known.
struct Making {
    map: Option<SlotMap>,
    picture: Option<Mat>,
}

impl Making {
    /// The map, of pictures of this size if none was known before.
    fn sized(&mut self, image_size: [u32; 2]) -> &mut SlotMap {
        let new = || SlotMap { lot_id: "lot".to_owned(), image_size, slots: Vec::new() };
        self.map.get_or_insert_with(new)
    }

    fn import(&mut self, path: &Path, args: &MapArgs, context: &Context) -> Result<()> {
        let reading = || format!("importing {}", path.display());
        let wrong = |fault: String| Error::new(Kind::Config, format!("{}: {fault}", reading()));
        let text = std::fs::read_to_string(path)
            .map_err(|error| Error::new(Kind::Config, reading()).because(error))?;
        let mut imported = import::import(&text, args.picture.as_deref()).map_err(wrong)?;
        if let (None, Some(picture)) = (&args.picture, &imported.picture)
            && imported.pictures > 1
        {
            let pictures = imported.pictures;
            context.log().warn(&format!(
                "{} has slots of {pictures} pictures: those of {picture} are taken; --picture names another",
                path.display()
            ));
        }
        let drawn_on = args.drawn_on.map(|Size(size)| size).or(imported.size);
        let known = self.map.as_ref().map(|map| map.image_size).or(drawn_on);
        let Some(size) = known else {
            return Err(usage(&format!(
                "{} does not say how large its pictures are: give --frame or --size",
                path.display()
            )));
        };
        imported.scale(drawn_on.unwrap_or(size), size).map_err(wrong)?;
        let map = self.sized(size);
        if let Some(lot) = imported.lot_id {
            map.lot_id = lot;
        }
        for mut slot in imported.slots {
            slot.slot_id = args.prefix.clone().unwrap_or_default() + &slot.slot_id;
            slot.level_id = slot.level_id.or_else(|| args.level.clone());
            map.slots.push(slot);
        }
        Ok(())
    }

    fn propose(&mut self, args: &MapArgs, context: &Context) -> Result<End> {
        let mut filter = Watching {
            frames: Frames::new(false),
            proposer: Proposer::new(args.stay.0),
            last: Mat::default(),
        };
        let setup = Setup { report: true, ..Setup::default() };
        let end = Session::open(&args.io, &setup, context)?.run(&mut filter)?;
        let Some(proposal) = filter.proposer.propose() else {
            return Err(Error::new(Kind::No, "no frame came to propose slots from"));
        };
        let (width, height) = (proposal.image_size[0], proposal.image_size[1]);
        let map = self.sized(proposal.image_size);
        if map.image_size != proposal.image_size {
            let [w, h] = map.image_size;
            let message =
                format!("the frames are {width} x {height}, the map {w} x {h}: bring them to one size");
            return Err(Error::new(Kind::Config, message));
        }
        let prefix = args.prefix.as_deref().unwrap_or("S");
        map.slots.extend(proposal.slots(prefix, args.level.as_deref()));
        self.picture.get_or_insert(filter.last);
        context.log().notice(&format!(
            "{} slots proposed from {:.0} s of video; where nobody came or went none can be",
            proposal.polygons.len(),
            proposal.span.as_secs_f64()
        ));
        Ok(end)
    }
}

/// Draws, checks, warns, writes.
fn finish(map: &SlotMap, picture: Option<&Mat>, args: &MapArgs, context: &Context) -> Result<()> {
    if let Some(path) = &args.draw {
        let failed = |error| Error::new(Kind::Io, format!("drawing {}", path.display())).because(error);
        let drawn = draw::draw(map, picture).map_err(failed)?;
        draw::write(&drawn, path).map_err(failed)?;
    }
    map.check().map_err(|fault| Error::new(Kind::Config, fault))?;
    for warning in map.warnings() {
        context.log().warn(&warning.to_string());
    }
    let mut stdout = std::io::stdout().lock();
    stdout
        .write_all(json(map).as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(|error| Error::new(Kind::Io, "writing to standard output").because(error))
}

/// The map as JSON, a slot a line, to be edited by hand.
fn json(map: &SlotMap) -> String {
    let value = |value: serde_json::Result<String>| value.unwrap_or_default();
    let mut text = format!("{{\"lot_id\": {}, \"image_size\": ", value(serde_json::to_string(&map.lot_id)));
    let [width, height] = map.image_size;
    let _ = write!(text, "[{width}, {height}], \"slots\": [");
    for (at, slot) in map.slots.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        let _ = write!(text, "{comma}\n  {}", value(serde_json::to_string(slot)));
    }
    text + "\n]}\n"
}

/// Feeds frames to the proposer.
struct Watching {
    frames: Frames,
    proposer: Proposer,
    last: Mat,
}

impl Filter for Watching {
    fn consumes(&self, _: &str) -> bool {
        true
    }

    fn wants(&self, kind: &str) -> bool {
        kind == Frame::TYPE
    }

    fn record(&mut self, record: &Envelope<'_>, _: &Origin, _: &mut Out) -> Result<()> {
        let Some((about, picture)) = self.frames.open(record)? else { return Ok(()) };
        let failed = |error| Error::new(Kind::BadInput, about.name()).because(error);
        self.proposer.add(about.stamp.time, &picture).map_err(failed)?;
        picture
            .copy_to(&mut self.last)
            .map_err(|error| Error::new(Kind::Io, "keeping a frame").because(error))
    }
}

fn picture(path: &Path) -> Result<Mat> {
    let failed = || Error::new(Kind::Config, format!("reading the picture {}", path.display()));
    let picture =
        imgcodecs::imread(path, imgcodecs::IMREAD_COLOR).map_err(|error| failed().because(error))?;
    if picture.empty() { Err(failed()) } else { Ok(picture) }
}

fn size_of(picture: &Mat) -> [u32; 2] {
    [picture.cols() as u32, picture.rows() as u32]
}

fn usage(message: &str) -> Error {
    Error::new(Kind::Usage, message)
}

/// The manual's section on how a map is made.
pub(crate) const MAKING: (&str, &str) = (
    "Making a map",
    "park-detect map writes a slot map on standard output, and with --draw a picture of it. Its errors are those of park-detect \
     slots; the picture is drawn all the same, with the slots at fault in red.\n\n\
     A grid is slots of one size on the ground. Its corners are those of all of them together, in pixels of the picture:\n\n    \
     park-detect map --frame lot.jpg --lot lot_1 --draw look.jpg \\\n      \
     --grid \"A1..A6 65,358 741,378 686,260 141,247\" > lot.json\n\n\
     divides the ground between them into six, so that slots further away are smaller in the picture. \
     \"A1..A6 B1..B6 …\" makes two rows, one behind the other.\n\n\
     Imported are: a map (to add slots to it), the XML of PKLot, the camera files of CNRPark-EXT (SlotId,X,Y,W,H, drawn on \
     2592 x 1944), COCO's JSON with polygons or boxes (as labelling programs write it; the annotation's id is the slot's), and CSV \
     with the columns slot_id, polygon (\"x,y x,y …\") and perhaps file. What was drawn on a picture of another size of the same shape is \
     scaled.\n\n\
     With --propose, frames are read as by park-detect slots: hours of them, best a frame every few seconds. Where the picture changed \
     from one stillness of --stay to another and has other edges than before, something came or went; what was seen twice is \
     proposed, as the rectangle around it: how a vehicle looks, not how its slot is painted. Slots in which nobody came or \
     went are missing, and vehicles that came together may be one. Look at the drawing and edit the map.",
);
