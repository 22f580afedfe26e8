//! The thin layer between the stream and the rules.

use std::collections::BTreeMap;
use std::time::Duration;

use park_core::cli::{Log, StateFile};
use park_core::record::gate::{AccessDecision, ParkingEntry, ParkingExit};
use park_core::record::lot::{CapacityUpdate, SlotChanged};
use park_core::record::{Envelope, Payload, Stamp, Time, camera, derive_id, vision};
use park_core::stream::{End, Filter, Origin, Out};
use park_core::{Error, Kind, Result};

use crate::report::{self, Tally};
use crate::rules::tracker::Emit;
use crate::rules::{Event, Plans, Said, Tracker, What};

/// How much event time of mere readings a crash may lose. What they led to is kept at once.
const AT_MOST_LOST: Duration = Duration::from_secs(10);

/// Feeds records to a [`Tracker`], writes what it says, and keeps its state.
pub struct TrackFilter {
    tracker: Tracker,
    plan: Box<dyn Fn() -> Result<Plans>>,
    state: Option<StateFile>,
    /// Whether something was remembered that the state file must have before senders get their acks.
    dirty: bool,
    saved_at: Time,
    said: Vec<(Stamp, Said)>,
    tally: Tally,
    report: Option<Log>,
}

impl TrackFilter {
    /// A filter around `tracker`, which keeps its state in `state`; `plan` reads the site again; with a log, `report` is
    /// said there at the end.
    pub fn new(
        tracker: Tracker,
        plan: Box<dyn Fn() -> Result<Plans>>,
        state: Option<StateFile>,
        report: Option<Log>,
    ) -> TrackFilter {
        let saved_at = tracker.state().clock;
        TrackFilter {
            tracker,
            plan,
            state,
            dirty: false,
            saved_at,
            said: Vec::new(),
            tally: Tally::default(),
            report,
        }
    }

    fn save(&mut self) -> Result<()> {
        if let Some(file) = &self.state {
            file.save(self.tracker.state())?;
        }
        (self.dirty, self.saved_at) = (false, self.tracker.state().clock);
        Ok(())
    }
}

struct Outlet<'a>(&'a mut Out);

impl Emit for Outlet<'_> {
    fn emit<P: Payload>(&mut self, stamp: &Stamp, payload: &P) {
        self.0.emit(stamp, payload);
    }
}

impl Filter for TrackFilter {
    fn consumes(&self, _kind: &str) -> bool {
        false
    }

    fn wants(&self, kind: &str) -> bool {
        matches!(
            kind,
            "slots"
                | "plates"
                | "frame"
                | "tick"
                | "camera_status"
                | "access_decision"
                | "capacity_update"
                | "slot_changed"
                | "parking_entry"
                | "parking_exit"
        )
    }

    fn record(&mut self, record: &Envelope<'_>, _origin: &Origin, out: &mut Out) -> Result<()> {
        let Some(at) = record.timestamp else {
            return Err(Error::new(Kind::BadInput, format!("a {} record without a timestamp", record.kind)));
        };
        let what = match record.kind.as_str() {
            "tick" => What::Tick,
            "slots" => What::Slots(record.payload::<vision::Slots>()?),
            "camera_status" => What::Camera(record.payload::<camera::CameraStatus>()?),
            "capacity_update" => match record.source.as_deref() {
                Some(source) => What::Capacity(source, record.payload::<CapacityUpdate>()?),
                None => What::Tick,
            },
            "slot_changed" => match record.source.as_deref() {
                Some(source) => What::Slot(source, record.payload::<SlotChanged>()?),
                None => What::Tick,
            },
            "access_decision" => What::Decision(record.payload::<AccessDecision>()?),
            "parking_entry" => What::Entry(record.payload::<ParkingEntry>()?),
            "parking_exit" => What::Exit(record.payload::<ParkingExit>()?),
            // Of a picture only its coming counts, which spares reading it.
            _ => match record.source.as_deref() {
                Some(camera) => What::Heard(camera),
                None => What::Tick,
            },
        };
        let made;
        let id = match record.id.as_deref() {
            Some(id) => id,
            None => {
                made = derive_id(at, &[record.kind.as_bytes(), record.payload_json().as_bytes()]);
                &made
            }
        };
        self.tally.hear(&what);
        let lot = record.lot_id.as_deref();
        let event = Event { at, id, lot, gate: record.gate_id.as_deref(), what };
        self.dirty |= self.tracker.take(event, &mut self.said);
        for (stamp, said) in self.said.drain(..) {
            self.tally.say(&said);
            said.with(&stamp, &mut Outlet(out));
        }
        Ok(())
    }

    fn settle(&mut self, out: &mut Out) -> Result<()> {
        if self.dirty || self.tracker.state().clock.since(self.saved_at) >= AT_MOST_LOST {
            // After a crash between the two, the same records are said again with the same ids, which is harmless; the
            // other way round they would be lost.
            out.flush()?;
            self.save()?;
        }
        Ok(())
    }

    fn reload(&mut self) -> Result<()> {
        self.tracker.replan((self.plan)()?);
        Ok(())
    }

    fn counters(&self) -> BTreeMap<String, u64> {
        let mut counters = self.tally.counters();
        counters.insert("lots".into(), self.tracker.state().lots.len() as u64);
        counters
    }

    fn finish(&mut self, why: End, out: &mut Out) -> Result<()> {
        if let Some(log) = &self.report {
            for line in report::table(&report::rows(&self.tracker)) {
                log.notice(&line);
            }
        }
        let flushed = if why == End::BrokenPipe { Ok(()) } else { out.flush() };
        self.save()?;
        flushed
    }
}
