//! `park-testdata`: renders `testdata/` anew.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use park_testdata::paint::Letters;
use park_testdata::{deck, expected, film, gate, invented, lot, serial, shows};

/// Samples of a pixel in what is kept, and in what is rendered to be measured once and in a third of the time.
const FINELY: usize = 4;
const ROUGHLY: usize = 1;

/// Renders the recordings of testdata/ with their ground truth. Needs the ffmpeg command and a DejaVu font.
#[derive(Parser)]
#[command(name = "park-testdata", version)]
struct Args {
    /// Folder to write into
    #[arg(long, default_value = "testdata")]
    out: PathBuf,
    /// Font for plates and signs (Debian: fonts-dejavu-core)
    #[arg(long, default_value = "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf")]
    font: PathBuf,
    /// Render only what has this in its name (gate-day, lot, serial, ...)
    #[arg(long)]
    only: Option<String>,
    /// Write the truth beside the films, but no film
    #[arg(long)]
    truth: bool,
    /// Instead, films of so many invented passages of the gate, for scripts/measure-passages
    #[arg(long, value_name = "COUNT")]
    passages: Option<usize>,
    /// Instead, write the single pictures at these seconds as JPEG into the folder
    #[arg(long, value_delimiter = ',')]
    peek: Vec<f32>,
}

fn run(args: &Args) -> Result<(), String> {
    let wanted = |name: &str| args.only.as_ref().is_none_or(|only| name.contains(only.as_str()));
    let font = Letters::read(&args.font)?;
    if let Some(count) = args.passages {
        std::fs::create_dir_all(&args.out).map_err(|e| format!("make {}: {e}", args.out.display()))?;
        let mut films = invented::passages(count).into_iter().filter(|show| wanted(&show.name));
        return films.try_for_each(|show| gate::render_show(&font, &show, ROUGHLY, &args.out));
    }
    for folder in ["gate", "lot"] {
        std::fs::create_dir_all(args.out.join(folder)).map_err(|e| format!("make folder {folder}: {e}"))?;
    }
    for show in shows::lot().iter().filter(|s| wanted(s.name)) {
        let folder = args.out.join("lot");
        if args.truth {
            lot::write_truth(show, &lot::Set::new(show, 1), &folder)?;
            continue;
        }
        if args.peek.is_empty() {
            lot::render_show(show, &folder)?;
            continue;
        }
        let set = lot::Set::new(show, 8);
        for t in &args.peek {
            let path = args.out.join(format!("{}-{t}.jpg", show.name));
            film::still(&path, &deck::camera(), &set.picture(*t, 1))?;
        }
    }
    for show in shows::gate().iter().filter(|s| wanted(&s.name)) {
        let folder = args.out.join("gate");
        if args.truth {
            gate::write_truth(show, &gate::Set::new(&font, show, 1), &folder)?;
            continue;
        }
        if args.peek.is_empty() {
            gate::render_show(&font, show, FINELY, &folder)?;
            continue;
        }
        let set = gate::Set::new(&font, show, FINELY);
        for t in &args.peek {
            let path = args.out.join(format!("{}-{t}.jpg", show.name));
            film::still(&path, &park_testdata::yard::camera(), &set.picture(*t, 1))?;
        }
    }
    if args.peek.is_empty() {
        if wanted("stills") && !args.truth {
            gate::render_stills(&font, &shows::stills(), &args.out.join("gate/stills"))?;
        }
        if wanted("expected") || wanted("gate-day") || wanted("gate-out") {
            expected::write(&args.out.join("gate"))?;
        }
        if wanted("serial") {
            serial::write(&args.out.join("serial"))?;
        }
    }
    Ok(())
}

#[expect(clippy::print_stderr, reason = "a command reports its failure")]
fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("park-testdata: {reason}");
            ExitCode::FAILURE
        }
    }
}
