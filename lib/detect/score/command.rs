//! `park-detect score`: its flags, and the filter that feeds the scores.

use std::path::PathBuf;

use clap::Args;
use park_core::cli::{Context, IoArgs};
use park_core::record::vision::{Plates, Slots};
use park_core::record::{Envelope, Payload};
use park_core::stream::{End, Filter, Origin, Out, Session, Setup};
use park_core::{Error, Kind, Result};
use serde::Serialize;

use super::key::{Key, Moment, Names};
use super::plates::{Options, PlateScore};
use super::slots::SlotScore;
use super::table;
use super::text::Fold;
use super::truth::Truth;

#[derive(Debug, Args)]
#[command(mut_arg("count", |arg| arg.hide(true)))]
pub(crate) struct ScoreArgs {
    /// The truth, as JSON lines or CSV; see below.
    #[arg(long, value_name = "FILE")]
    truth: PathBuf,

    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,

    /// List what is not right as well, picture by picture.
    #[arg(long)]
    errors: bool,

    /// Plates: take the characters of each GROUP for one another, such as O0Q,I1.
    #[arg(long, value_name = "GROUP,…", value_delimiter = ',')]
    fold: Vec<Fold>,

    /// Plates: a reading whose box overlaps a plate's by RATIO (intersection over union) is on it.
    #[arg(long, value_name = "RATIO", default_value_t = Options::default().iou)]
    iou: f64,

    /// Plates: look for the right text among the first N candidates.
    #[arg(long, value_name = "N", default_value_t = Options::default().top)]
    top: usize,

    /// Plates: leave out plates that the truth calls illegible, and the readings on them.
    #[arg(long)]
    skip_illegible: bool,

    /// Slots: let what a line of the truth says hold until the next that names the slot.
    #[arg(long)]
    hold: bool,

    #[command(flatten)]
    io: IoArgs,
}

/// What is scored.
enum Score {
    Plates(Box<PlateScore>),
    Slots(Box<SlotScore>),
}

struct Scoring {
    score: Option<Score>,
    json: bool,
    errors: bool,
    log: park_core::cli::Log,
    matched: bool,
    kind: &'static str,
}

/// Runs `park-detect score`.
pub(crate) fn run(args: &ScoreArgs, context: &Context) -> Result<End> {
    if !(args.iou > 0.0 && args.iou <= 1.0) {
        return Err(Error::new(Kind::Usage, "--iou is a number over 0, and 1 at most"));
    }
    let (score, kind) = match Truth::load(&args.truth)? {
        Truth::Plates(truth) => {
            let options = Options {
                iou: args.iou,
                top: args.top,
                folds: args.fold.clone(),
                skip_illegible: args.skip_illegible,
            };
            (Score::Plates(Box::new(PlateScore::new(truth, options))), Plates::TYPE)
        }
        Truth::Slots(truth) => {
            let wrong = |fault| Error::new(Kind::Config, format!("{}: {fault}", args.truth.display()));
            (Score::Slots(Box::new(SlotScore::new(truth, args.hold).map_err(wrong)?)), Slots::TYPE)
        }
    };
    let (json, errors, log) = (args.json, args.errors, context.log().clone());
    let mut scoring = Scoring { score: Some(score), json, errors, log, matched: false, kind };
    let setup = Setup { report: true, ..Setup::default() };
    let end = Session::open(&args.io, &setup, context)?.run(&mut scoring)?;
    match scoring.matched {
        true => Ok(end),
        false => {
            let message = format!("no {kind} record is about a picture of {}", args.truth.display());
            Err(Error::new(Kind::No, message))
        }
    }
}

impl Filter for Scoring {
    fn consumes(&self, _: &str) -> bool {
        true
    }

    fn wants(&self, kind: &str) -> bool {
        kind == self.kind
    }

    fn record(&mut self, record: &Envelope<'_>, _: &Origin, _: &mut Out) -> Result<()> {
        let moment = |file: &Option<String>, seq| Moment { file: file.clone(), seq, time: record.timestamp };
        let added = match &mut self.score {
            Some(Score::Plates(score)) => {
                let plates: Plates = record.payload()?;
                score.add(&moment(&plates.file, plates.seq), &plates)
            }
            Some(Score::Slots(score)) => {
                let slots: Slots = record.payload()?;
                score.add(&moment(&slots.file, slots.seq), &slots)
            }
            None => Ok(()),
        };
        added.map_err(|key: Key| {
            Error::new(Kind::BadInput, format!("a second {} record of {key}, which is left out", self.kind))
        })
    }

    fn finish(&mut self, _: End, out: &mut Out) -> Result<()> {
        match self.score.take() {
            None => Ok(()),
            Some(Score::Plates(score)) => {
                self.matched = !score.is_empty();
                let mut report = score.report();
                if !self.errors {
                    report.errors.clear();
                }
                self.tell(&report, &table::plates(&report), &report.unmatched(), out)
            }
            Some(Score::Slots(score)) => {
                self.matched = !score.is_empty();
                let mut report = score.report();
                if !self.errors {
                    report.errors.clear();
                }
                self.tell(&report, &table::slots(&report), &report.unmatched(), out)
            }
        }
    }
}

impl Scoring {
    /// Writes the report: the table, or JSON, and then says on stderr what the table would have said of what does not match,
    /// which a script should not overlook.
    fn tell(
        &self,
        report: &impl Serialize,
        table: &str,
        unmatched: &[(&str, &Names)],
        out: &mut Out,
    ) -> Result<()> {
        if !self.json {
            out.line(table.as_bytes());
            return Ok(());
        }
        for (what, names) in unmatched.iter().filter(|(_, names)| names.count > 0) {
            self.log.warn(&format!("{what}: {} ({names})", names.count));
        }
        let line = serde_json::to_vec(report);
        out.line(&line.map_err(|error| Error::new(Kind::Io, "writing the report").because(error))?);
        Ok(())
    }
}

/// The manual's section on the truth.
pub(crate) const TRUTH: (&str, &str) = (
    "Truth",
    "What park-detect score holds records against: a JSON object a line, about one picture each.\n\n    \
     {\"file\": \"a.jpg\", \"plates\": [{\"text\": \"AB 123\", \"box\": [40, 60, 120, 30]}]}\n    \
     {\"file\": \"b.jpg\", \"plates\": []}\n\n    \
     {\"seq\": 0, \"slots\": [{\"slot_id\": \"A1\", \"occupied\": true}]}\n    \
     {\"seq\": 35, \"slots\": [{\"slot_id\": \"A1\", \"occupied\": false}]}\n\n\
     A picture is named by its file (folders do not count), by seq, the number of the frame, or by timestamp. box is left, top, \
     width and height in pixels; corners [[x,y], …] will do as well. Without text only the place counts; a plate with \
     \"legible\": false is left out with --skip-illegible. A slot whose occupied is null is not scored. CSV with a \
     header is read too: file, plate_text, x, y, w, h and perhaps legible, or file, slot_id and occupied (1, 0 or empty); \
     other columns do not matter.\n\n\
     Texts are compared in capitals, letters and digits alone. A reading is on a plate if their boxes overlap by --iou, or the centre \
     of each lies in the other; readings and plates are paired one to one, the largest overlap first. exact counts plates whose \
     own reading is right; wrong characters is the edit distance by the length of the plates; false is a reading on no \
     plate. Rejected readings count for nothing. A picture without a record is one in which nothing was found.\n\n\
     Of slots, unknown is never right. With --hold a line goes on to hold until the next that names the slot, so that a video's \
     truth is its changes. A flip is a change between occupied and free in successive records; those beyond the changes \
     in the truth are too many, and are given by the hour of event time.\n\n\
     Intervals are of 95 %, by Wilson for shares and by Byar for flips. Successive frames are much alike: the interval of a video \
     is too narrow. What does not match is said: records that the truth says nothing of, pictures without a record. If nothing \
     matches at all, the status is 1.",
);
