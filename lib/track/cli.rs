//! The command: its flags, and how they become rules.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use park_core::Result;
use park_core::cli::{Command, Context, IoArgs, Manual, Seconds, StateFile};
use park_core::site::{List, Site};
use park_core::stream::{End, Policy, Session, Setup};

use crate::filter::TrackFilter;
use crate::rules::{Plans, Settings, State, Tracker};

/// The version of the state file's form.
const STATE_VERSION: u32 = 1;

/// Flags of `park-track`.
#[derive(Debug, Clone, Args)]
pub struct TrackArgs {
    /// Take records that name no lot for LOT's; by default, the site's only lot.
    #[arg(long, value_name = "LOT", env = "PARK_LOT")]
    lot: Option<String>,

    /// The lot holds N vehicles, whatever park.toml says. Without --lot this is true of every lot.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    capacity: Option<u32>,

    /// Keep counts and states in FILE, so that a restart goes on where the last run ended.
    #[arg(long, value_name = "FILE", env = "PARK_TRACK_STATE")]
    state: Option<PathBuf>,

    /// A slot is occupied once it was seen so for SECONDS.
    #[arg(long, value_name = "SECONDS", default_value = "5", help_heading = "Slots")]
    occupied_after: Seconds,

    /// A slot is free once it was seen so for SECONDS.
    #[arg(long, value_name = "SECONDS", default_value = "5", help_heading = "Slots")]
    free_after: Seconds,

    /// A slot is unknown once its state could not be told for SECONDS.
    #[arg(long, value_name = "SECONDS", default_value = "30", help_heading = "Slots")]
    unknown_after: Seconds,

    /// Say nothing of a slot before its first state has been seen as long as a change must be.
    #[arg(long, help_heading = "Slots")]
    confirm_first: bool,

    /// Warn when more than SHARE of the places, 0 to 1, is taken, until it is 0.05 less than that.
    #[arg(long, value_name = "SHARE", default_value = "0.9", help_heading = "Alerts")]
    warn_at: Share,

    /// A camera that is silent for over SECONDS is offline, and what it saw is unknown.
    #[arg(long, value_name = "SECONDS", default_value = "300", help_heading = "Alerts")]
    camera_timeout: Seconds,

    /// The counts by slots and by gates may differ by N vehicles.
    #[arg(long, value_name = "N", default_value = "2", help_heading = "Alerts")]
    drift_tolerance: u32,

    /// Say that the counts have come apart once they differ by more for SECONDS.
    #[arg(long, value_name = "SECONDS", default_value = "300", help_heading = "Alerts")]
    drift_after: Seconds,

    /// Say on stderr at the end how every lot stands.
    #[arg(long)]
    report: bool,

    #[command(flatten)]
    io: IoArgs,
}

/// A part of a whole: more than 0, and 1 at most.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Share(f64);

impl FromStr for Share {
    type Err = String;
    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let share = text.parse().ok().filter(|share| *share > 0.0 && *share <= 1.0);
        share.map(Share).ok_or_else(|| format!("{text:?} is not a share of more than 0 and at most 1"))
    }
}

impl TrackArgs {
    fn settings(&self) -> Settings {
        Settings {
            lot: self.lot.clone(),
            capacity: self.capacity,
            occupied_after: self.occupied_after.0,
            free_after: self.free_after.0,
            unknown_after: self.unknown_after.0,
            confirm_first: self.confirm_first,
            warn_at: self.warn_at.0,
            camera_timeout: self.camera_timeout.0,
            drift_tolerance: self.drift_tolerance,
            drift_after: self.drift_after.0,
        }
    }
}

/// The command `park-track`.
#[derive(Debug)]
pub struct Track;

impl Command for Track {
    const NAME: &'static str = "park-track";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const ABOUT: &'static str = "Follow slots and gates to occupancy, violations and alerts";
    const READS: &'static [&'static str] = &[
        "slots",
        "slot_changed",
        "capacity_update",
        "parking_entry",
        "parking_exit",
        "access_decision",
        "camera_status",
        "frame",
        "plates",
        "tick",
    ];
    const WRITES: &'static [&'static str] =
        &["slot_changed", "capacity_update", "parking_update", "occupancy_drift", "violation", "alert"];
    const MANUAL: Manual = crate::manual::MANUAL;
    type Args = TrackArgs;

    fn run(args: TrackArgs, context: &Context) -> Result<End> {
        let settings = args.settings();
        let site = context.config().map(PathBuf::from);
        let plan = {
            let settings = settings.clone();
            move || {
                let site = site.as_deref().map(Site::read).transpose()?.unwrap_or_default();
                Plans::new(&settings, site, List::read)
            }
        };
        let plans = plan()?;
        let (file, state) = match &args.state {
            Some(path) => StateFile::open(path, STATE_VERSION).map(|(file, state)| (Some(file), state))?,
            None => (None, State::default()),
        };
        let tracker = Tracker::new(settings, plans, state);
        let report = args.report.then(|| context.log().clone());
        let mut track = TrackFilter::new(tracker, Box::new(plan), file, report);
        let setup = Setup { policy: Policy::Disk(context.state_dir().join("queue")), ..Setup::default() };
        Session::open(&args.io, &setup, context)?.run(&mut track)
    }
}
