//! Dialect E: detection back ends that the server connects to, one connection for a gate and one for each lot.
//!
//! What a back end says becomes records ([`foreign`]), which are logged and handed to the rules. The rules are those of
//! `park-gate` and `park-track`, which this crate does not know: a monitor runs the commands themselves ([`pipeline`]),
//! a gate's for each gate and one tracker for all, and takes what they write into the log.
//!
//! * [`foreign`]: messages of back ends to records. Pure.
//! * [`link`]: one connection, made again when it goes.
//! * [`pipeline`]: a command as a child.
//! * [`routes`]: starting, stopping and asking over HTTP.

pub mod foreign;
pub mod link;
pub mod pipeline;
pub mod routes;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use clap::Args;
use futures_util::FutureExt;
use park_core::cli::{Context, Seconds};
use park_core::record::{Envelope, Time};
use park_core::site::{Passage, Site};
use park_core::stream::{Endpoint, Peer};
use park_core::{Error, Kind, Result};
use serde_json::{Value, json};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;

use crate::intake::Intake;
use foreign::Place;
use link::{Link, Patience, Ways};
use pipeline::{Feed, Program, Sink};

/// Flags of monitors.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Monitors")]
pub struct MonitorArgs {
    /// Connect to the detection back end at URL, ws://…, for the plates at a gate; GATE=URL names the gate (repeatable).
    /// More can be set in park.toml.
    #[arg(long, value_name = "[GATE=]URL")]
    monitor_gate: Vec<String>,

    /// Connect to the detection back end at URL, ws://…, for the slots and counts of LOT (repeatable).
    #[arg(long, value_name = "LOT=URL")]
    monitor_lot: Vec<String>,

    /// Connect again after SECONDS, then after twice as long each time, up to a minute.
    #[arg(long, value_name = "SECONDS", default_value = "1")]
    reconnect_delay: Seconds,

    /// Give a back end up after N tries in a row; 0 for never.
    #[arg(long, value_name = "N", default_value_t = 10)]
    reconnect_attempts: u32,
}

/// What the gate's command adds; the rest it only passes on.
const OF_GATE: &[&str] =
    &["plate_detected", "access_decision", "gate_status", "parking_entry", "parking_exit", "error"];

/// What the tracker adds.
const OF_TRACK: &[&str] =
    &["slot_changed", "capacity_update", "parking_update", "occupancy_drift", "violation", "alert", "error"];

/// The monitors of the site.
pub struct Monitors {
    links: BTreeMap<Place, Arc<Link>>,
    site: Site,
    db: PathBuf,
    context: Context,
    intake: Intake,
    running: Mutex<Running>,
}

#[derive(Default)]
struct Running {
    tracker: Option<(Feed, watch::Sender<bool>, JoinHandle<()>)>,
    links: BTreeMap<Place, Watched>,
}

/// A link that runs, with the gate's command if it has one.
struct Watched {
    stop: watch::Sender<bool>,
    link: JoinHandle<()>,
    gate: Option<(watch::Sender<bool>, JoinHandle<()>)>,
}

impl Monitors {
    /// The monitors that `args` and the site name; none of them runs yet. Sessions are kept in `db`.
    pub fn new(
        args: &MonitorArgs,
        site: Site,
        db: &Path,
        context: &Context,
        intake: Intake,
    ) -> Result<Monitors> {
        let mut urls = BTreeMap::new();
        for (id, gate) in &site.gates {
            urls.extend(gate.detector.clone().map(|url| (Place::Gate(id.clone()), url)));
        }
        for (id, lot) in &site.lots {
            urls.extend(lot.detector.clone().map(|url| (Place::Lot(id.clone()), url)));
        }
        let only = if site.gates.len() == 1 { site.gates.keys().next() } else { None };
        for text in &args.monitor_gate {
            let (gate, url) = match text.split_once('=').filter(|(gate, _)| !gate.contains(':')) {
                Some((gate, url)) => (gate, url),
                None => (only.map_or("gate", String::as_str), text.as_str()),
            };
            urls.insert(Place::Gate(name(gate)?), url.to_owned());
        }
        for text in &args.monitor_lot {
            let (lot, url) = text.split_once('=').filter(|(lot, _)| !lot.contains(':')).ok_or_else(|| {
                Error::new(Kind::Usage, format!("--monitor-lot {:?} is not LOT=URL", shown(text)))
            })?;
            urls.insert(Place::Lot(name(lot)?), url.to_owned());
        }
        let patience = Patience { delay: args.reconnect_delay.0, attempts: args.reconnect_attempts };
        let mut links = BTreeMap::new();
        for (place, url) in urls {
            if !matches!(url.parse(), Ok(Endpoint::Ws(_))) {
                return Err(Error::new(
                    Kind::Usage,
                    format!("{:?} of a monitor is no ws:// or wss:// URL", shown(&url)),
                ));
            }
            let camera = camera_of(&site, &place);
            links.insert(place.clone(), Arc::new(Link::new(place, url, camera, patience)));
        }
        let (db, context) = (db.to_owned(), context.clone());
        Ok(Monitors { links, site, db, context, intake, running: Mutex::default() })
    }

    /// Starts every monitor.
    pub async fn start_all(&self) {
        for place in self.links.keys() {
            self.start(place).await;
        }
    }

    /// Whether there is one for that place.
    pub fn knows(&self, place: &Place) -> bool {
        self.links.contains_key(place)
    }

    /// Starts the one for that place, if there is one. One that runs goes on.
    pub async fn start(&self, place: &Place) {
        let Some(link) = self.links.get(place) else { return };
        let mut running = self.running.lock().await;
        if running.links.get(place).is_some_and(|watched| !watched.link.is_finished()) {
            return;
        }
        if let Some(watched) = running.links.remove(place) {
            watched.end().await;
        }
        let tracker = match &running.tracker {
            Some((feed, ..)) => feed.clone(),
            None => self.start_tracker(&mut running),
        };
        let (feed, gate) = match place {
            Place::Lot(_) => (tracker, None),
            Place::Gate(id) => {
                let (stop, stopping) = watch::channel(false);
                let sink = self.sink(OF_GATE, Some(tracker));
                let program = Program { name: "park-gate", arguments: self.gate_arguments(id), sink };
                let (feed, child) = pipeline::start(program, self.context.clone(), stopping);
                (feed, Some((stop, child)))
            }
        };
        let now: fn() -> Time = || Time::from(SystemTime::now());
        let ways = Ways { intake: self.intake.clone(), feed, log: self.context.log().clone(), now };
        let (stop, stopping) = watch::channel(false);
        let link = tokio::spawn(Arc::clone(link).run(ways, stopping));
        running.links.insert(place.clone(), Watched { stop, link, gate });
    }

    /// Stops the one for that place, if it runs.
    pub async fn stop(&self, place: &Place) {
        let watched = self.running.lock().await.links.remove(place);
        if let Some(watched) = watched {
            watched.end().await;
        }
    }

    /// Stops everything, children too.
    pub async fn stop_all(&self) {
        let mut running = self.running.lock().await;
        for watched in std::mem::take(&mut running.links).into_values() {
            watched.end().await;
        }
        if let Some((feed, stop, child)) = running.tracker.take() {
            drop(feed);
            let _ = stop.send(true);
            let _ = child.await;
        }
    }

    /// The state of each connection.
    pub fn status(&self) -> Value {
        let of = |gates: bool| -> Vec<Value> {
            let links = self.links.iter().filter(|(place, _)| matches!(place, Place::Gate(_)) == gates);
            links.map(|(_, link)| link.status()).collect()
        };
        json!({ "success": true, "gates": of(true), "lots": of(false) })
    }

    fn start_tracker(&self, running: &mut Running) -> Feed {
        let mut state = self.db.clone().into_os_string();
        state.push(".monitors.json");
        let state = state.to_string_lossy().into_owned();
        let arguments = ["--state", &state, "--input", "-", "--output", "-"];
        let mut arguments: Vec<String> = arguments.map(str::to_owned).into();
        if let Some(config) = self.context.config() {
            arguments.extend(["--config".to_owned(), config.display().to_string()]);
        }
        let (stop, stopping) = watch::channel(false);
        let program = Program { name: "park-track", arguments, sink: self.sink(OF_TRACK, None) };
        let (feed, child) = pipeline::start(program, self.context.clone(), stopping);
        running.tracker = Some((feed.clone(), stop, child));
        feed
    }

    /// The gate only watches: whoever is inside goes out, any other comes in. Settings of the gate's own process, which may
    /// work a barrier, are not its.
    fn gate_arguments(&self, id: &str) -> Vec<String> {
        let way = match self.site.gates.get(id).map(|gate| gate.direction) {
            Some(Passage::Entry) => "entry",
            Some(Passage::Exit) => "exit",
            Some(Passage::Both) | None => "both",
        };
        let db = self.db.display().to_string();
        let given = [
            "--config",
            "/dev/null",
            "--gate",
            id,
            "--db",
            &db,
            "--direction",
            way,
            "--default",
            "allow",
            "--gap",
            "10",
            "--again",
            "30",
            "--input",
            "-",
            "--output",
            "-",
        ];
        let mut arguments: Vec<String> = given.map(str::to_owned).into();
        if let Some(lot) = self.site.lot_of_gate(id).or(self.site.only_lot()) {
            arguments.extend(["--lot".to_owned(), lot.to_owned()]);
        }
        arguments
    }

    /// Takes the records of a child that it made itself into the log, and all of them to the next child.
    fn sink(&self, made: &'static [&'static str], next: Option<Feed>) -> Sink {
        let intake = self.intake.clone();
        let peer = Peer::one_way("monitor", true);
        Arc::new(move |lines: Vec<u8>| {
            let (intake, peer, next) = (intake.clone(), Arc::clone(&peer), next.clone());
            async move {
                let own = own_lines(&lines, made);
                if !own.is_empty() {
                    intake.lines(&peer, own).await;
                }
                if let Some(next) = next {
                    next.send(lines).await;
                }
            }
            .boxed()
        })
    }
}

impl Watched {
    async fn end(self) {
        let _ = self.stop.send(true);
        let _ = self.link.await;
        if let Some((stop, child)) = self.gate {
            let _ = stop.send(true);
            let _ = child.await;
        }
    }
}

/// The lines whose type is among `made`; another system's `plate_detected`, which names no gate, is in the log already.
fn own_lines(lines: &[u8], made: &[&str]) -> Vec<u8> {
    let mut own = Vec::new();
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        let Ok(record) = Envelope::parse(line) else { continue };
        let kind = record.kind.as_str();
        if made.contains(&kind) && (kind != "plate_detected" || record.gate_id.is_some()) {
            own.extend_from_slice(line);
        }
    }
    own
}

/// A name as `park-gate` takes it too.
fn name(text: &str) -> Result<String> {
    let fine = |char: char| char.is_ascii_alphanumeric() || "_-.".contains(char);
    match text.len() {
        1..=64 if text.chars().all(fine) && !text.starts_with('.') => Ok(text.to_owned()),
        _ => Err(Error::new(Kind::Usage, format!("{text:?} of a monitor is no name of a gate or lot"))),
    }
}

/// A URL as it may be shown.
fn shown(url: &str) -> String {
    Endpoint::Ws(url.to_owned()).to_string()
}

/// The camera that a back end's messages are taken for: the only one that watches the place, or one named after it.
fn camera_of(site: &Site, place: &Place) -> String {
    let (all, id): (Vec<&str>, _) = match place {
        Place::Gate(gate) => (site.cameras_of_gate(gate).collect(), gate),
        Place::Lot(lot) => (site.cameras_of_lot(lot).collect(), lot),
    };
    match all.as_slice() {
        [camera] => (*camera).to_owned(),
        _ => format!("detector_{id}"),
    }
}
