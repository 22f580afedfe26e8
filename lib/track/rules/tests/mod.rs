//! The rules as a whole: events in, records out.

mod cameras;
mod gates;
mod lots;
mod properties;
mod restart;
mod told;
mod violations;

use park_core::record::camera::{CameraState, CameraStatus};
use park_core::record::gate::{
    AccessDecision, Decision, Direction, Match, ParkingEntry, ParkingExit, Reason,
};
use park_core::record::lot::{Alert, CapacityUpdate, SlotChanged, Violation};
use park_core::record::vision::{SlotReading, SlotState, Slots};
use park_core::record::{Payload, Stamp, Time, derive_id, encode};
use park_core::site::{List, Site};

use super::tracker::Emit;
use super::{Event, Plans, Said, Settings, State, Tracker, What};

/// A tracker and everything it said.
pub struct Bench {
    pub tracker: Tracker,
    pub said: Vec<(Stamp, Said)>,
    settings: Settings,
    site: String,
}

/// An event that can be kept: what happened at which second in which lot and at which gate.
#[derive(Debug, Clone)]
pub struct Happening {
    pub at: i64,
    pub lot: Option<String>,
    pub gate: Option<String>,
    pub what: What<'static>,
}

pub fn at(second: i64) -> Time {
    Time::from_millis(second * 1000)
}

/// Short delays, for short stories.
pub fn quick() -> Settings {
    let three = std::time::Duration::from_secs(3);
    Settings { occupied_after: three, free_after: three, ..Settings::default() }
}

/// What happens at a second, in lot `l`.
pub fn happen(second: i64, what: What<'static>) -> Happening {
    Happening { at: second, lot: Some("l".into()), gate: None, what }
}

/// A frame of camera `c`: its slots are written as `A1=o A2=f B1=u`.
pub fn slots(camera: &str, states: &str) -> What<'static> {
    let slots = states.split_whitespace().map(|word| {
        let (slot, state) = word.split_once('=').unwrap();
        let state = match state {
            "o" => SlotState::Occupied,
            "f" => SlotState::Free,
            _ => SlotState::Unknown,
        };
        SlotReading { slot_id: slot.into(), level_id: None, state, confidence: 1.0, cause: None }
    });
    What::Slots(Slots { camera_id: camera.into(), seq: 0, file: None, slots: slots.collect() })
}

pub fn entry(second: i64, session: &str, plate: &str) -> What<'static> {
    What::Entry(ParkingEntry {
        session_id: session.into(),
        plate: Some(plate.into()),
        card: None,
        entered_at: at(second),
        confidence: None,
    })
}

pub fn exit(second: i64, session: Option<&str>, plate: &str) -> What<'static> {
    What::Exit(ParkingExit {
        session_id: session.map(str::to_owned),
        plate: Some(plate.into()),
        card: None,
        entered_at: None,
        exited_at: at(second),
        duration: None,
        fee: None,
        matched: Match::Plate,
    })
}

pub fn decision(decision: Decision, plate: &str) -> What<'static> {
    What::Decision(AccessDecision {
        decision,
        reason: Reason::Unlisted,
        plate: Some(plate.into()),
        card: None,
        direction: Some(Direction::Entry),
        list: None,
        session_id: None,
        caused_by: None,
    })
}

pub fn status(camera: &str, state: CameraState, cause: Option<&str>) -> What<'static> {
    let cause = cause.map(str::to_owned);
    What::Camera(CameraStatus { camera_id: camera.into(), state, cause, fps: None, dropped: None })
}

impl Bench {
    pub fn new(settings: Settings, site: &str) -> Bench {
        let tracker = Tracker::new(settings.clone(), plans(&settings, site), State::default());
        Bench { tracker, said: Vec::new(), settings, site: site.into() }
    }

    pub fn plain() -> Bench {
        Bench::new(quick(), "")
    }

    /// Takes an event; its id is derived as the stream's records have it.
    pub fn take(&mut self, happening: &Happening) {
        let Happening { at: second, lot, gate, what } = happening;
        let id = derive_id(at(*second), &[format!("{happening:?}").as_bytes()]);
        let event = Event {
            at: at(*second),
            id: &id,
            lot: lot.as_deref(),
            gate: gate.as_deref(),
            what: what.clone(),
        };
        self.tracker.take(event, &mut self.said);
    }

    /// Something happens in lot `l`.
    pub fn at(&mut self, second: i64, what: What<'static>) -> &mut Bench {
        self.take(&happen(second, what));
        self
    }

    /// A camera shows the same from one second to another, once a second, both included.
    pub fn show(&mut self, camera: &str, states: &str, seconds: std::ops::RangeInclusive<i64>) -> &mut Bench {
        for second in seconds {
            self.at(second, slots(camera, states));
        }
        self
    }

    /// Ends the tracker and begins another with what it kept.
    pub fn restart(&mut self) {
        let kept = serde_json::to_string(self.tracker.state()).unwrap();
        let state = serde_json::from_str(&kept).unwrap();
        assert_eq!(&state, self.tracker.state(), "a state reads back as it was written");
        self.tracker = Tracker::new(self.settings.clone(), plans(&self.settings, &self.site), state);
    }

    /// What was said since this was last asked, as the lines of a stream.
    pub fn lines(&mut self) -> String {
        struct Lines(Vec<u8>);
        impl Emit for Lines {
            fn emit<P: Payload>(&mut self, stamp: &Stamp, payload: &P) {
                encode(stamp, payload, &mut self.0);
            }
        }
        let mut lines = Lines(Vec::new());
        for (stamp, said) in self.said.drain(..) {
            said.with(&stamp, &mut lines);
        }
        String::from_utf8(lines.0).unwrap()
    }

    /// Takes out what was said of one kind, with its second.
    pub fn take_of<T>(&mut self, of: fn(&Said) -> Option<&T>) -> Vec<(i64, T)>
    where
        T: Clone,
    {
        let found = self
            .said
            .iter()
            .filter_map(|(stamp, said)| Some((stamp.time.millis() / 1000, of(said)?.clone())))
            .collect();
        self.said.retain(|(_, said)| of(said).is_none());
        found
    }

    pub fn slot_changes(&mut self) -> Vec<(i64, SlotChanged)> {
        self.take_of(|said| if let Said::SlotChanged(it) = said { Some(it) } else { None })
    }

    pub fn capacity(&mut self) -> Vec<(i64, CapacityUpdate)> {
        self.take_of(|said| if let Said::CapacityUpdate(it) = said { Some(it) } else { None })
    }

    pub fn violations(&mut self) -> Vec<(i64, Violation)> {
        self.take_of(|said| if let Said::Violation(it) = said { Some(it) } else { None })
    }

    pub fn alerts(&mut self) -> Vec<(i64, Alert)> {
        self.take_of(|said| if let Said::Alert(it) = said { Some(it) } else { None })
    }
}

/// Plans of a site whose lists are `deny.txt` (one denied plate) and `acme.txt` (one plate of a contractor).
pub fn plans(settings: &Settings, site: &str) -> Plans {
    let list = |path: &std::path::Path| match path.to_str() {
        Some("deny.txt") => List::parse("deny.txt", "BAD 1\n"),
        Some("acme.txt") => List::parse("acme.txt", "ACM-3\n"),
        _ => panic!("no list {path:?}"),
    };
    Plans::new(settings, Site::parse(site).unwrap(), list).unwrap()
}
