//! The filter: records into the log, and only then to whoever listens.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use park_core::cli::Context;
use park_core::record::command::{Ack, CameraControl, Fault, GateControl, GateControlResponse, Tick};
use park_core::record::{Envelope, Payload, Stamp, Time, camera, encode, gate, lot, people, vision};
use park_core::stream::{End, Filter, Origin, Out, Peer, Rejected};
use park_core::{Error, Kind, Result};
use park_store::{Query, Store};

use crate::hub::{Event, Hub, Position, State};
use crate::metrics::Metrics;
use crate::video::Video;

/// A burst is written at the latest when it holds this many records, or this many bytes.
const BURST: (usize, usize) = (500, 128 << 10);

/// Records after which the state is saved, so that a start need not read more than these again.
const SAVE_EVERY: u64 = 5000;

/// Records read again at a start at most.
const CATCH_UP: i64 = 50_000;

/// Records read from the log at a time.
const PAGE: usize = 1000;

/// How the names of WebSocket controllers begin.
const CONTROLLERS: &str = "/ws/controller/";

/// The name of the state among the store's snapshots.
const STATE: &str = "park-serve";

/// Writes records to the log and publishes what is durable, in the log's order.
pub struct Ingest {
    store: Store,
    hub: Arc<Hub>,
    video: Arc<Video>,
    metrics: Arc<Metrics>,
    context: Context,
    burst: Vec<Event>,
    bytes: usize,
    /// The last record published.
    position: i64,
    unsaved: u64,
    stored: u64,
    duplicates: u64,
    /// What HUP does.
    reload: Reload,
}

/// Reads files again; an error says which is wrong.
pub type Reload = Box<dyn Fn() -> Result<()> + Send>;

/// What holds at the end of the log.
pub fn recall(store: &Store) -> Result<(Position, State)> {
    let mut state = State::default();
    let Some(last) = store.latest(&Query::default())? else {
        return Ok((Position { seq: 0, id: "0".into() }, state));
    };
    let position = Position { seq: last.seq, id: last.id };
    let mut from = position.seq - CATCH_UP;
    if let Some((seq, snapshot)) = store.snapshot(STATE)?
        && seq <= position.seq
    {
        state.restore(&snapshot);
        from = from.max(seq);
    }
    loop {
        let page = store.since(from, &Query::default(), PAGE)?;
        let full = page.len() == PAGE;
        for logged in page.into_iter().take_while(|logged| logged.seq <= position.seq) {
            from = logged.seq;
            state.take(&Arc::new(Event::logged(logged)));
        }
        if !full || from >= position.seq {
            return Ok((position, state));
        }
    }
}

impl Ingest {
    /// A filter that writes to `store` and publishes to `hub`, which stands at the end of the log; frames go to `video`;
    /// HUP calls `reload`.
    pub fn new(
        store: Store,
        hub: Arc<Hub>,
        video: Arc<Video>,
        metrics: Arc<Metrics>,
        reload: Reload,
        context: &Context,
    ) -> Ingest {
        let position = hub.position().seq;
        let context = context.clone();
        let (burst, bytes) = (Vec::new(), 0);
        Ingest {
            store,
            hub,
            video,
            metrics,
            context,
            burst,
            bytes,
            position,
            unsaved: 0,
            stored: 0,
            duplicates: 0,
            reload,
        }
    }

    /// Makes the burst durable, then publishes it.
    fn commit(&mut self) -> Result<()> {
        if self.burst.is_empty() {
            return Ok(());
        }
        let records: Vec<_> = self.burst.iter().map(Event::record).collect();
        let began = Instant::now();
        let appended = self.store.append(&records)?;
        let new = records.iter().zip(&appended.seqs).filter(|(_, seq)| seq.is_some());
        let kinds = new.map(|(record, _)| record.kind.as_ref());
        self.metrics.committed(began.elapsed(), kinds, appended.duplicates);
        self.bytes = 0;
        self.stored += appended.stored as u64;
        self.duplicates += appended.duplicates as u64;
        let mut fresh = Vec::with_capacity(appended.stored);
        for (mut event, seq) in self.burst.drain(..).zip(appended.seqs) {
            if let Some(seq) = seq {
                event.seq = seq;
                fresh.push(Arc::new(event));
            }
        }
        let (Some(first), Some(last)) = (fresh.first(), fresh.last()) else { return Ok(()) };
        let alone = first.seq == self.position + 1 && last.seq - self.position == fresh.len() as i64;
        if alone {
            self.publish(&fresh)
        } else {
            // Another process writes to the same log: its records belong in between.
            self.follow()
        }
    }

    /// Publishes what the log holds beyond the last record published.
    fn follow(&mut self) -> Result<()> {
        loop {
            let page = self.store.since(self.position, &Query::default(), PAGE)?;
            let full = page.len() == PAGE;
            let events: Vec<_> = page.into_iter().map(|logged| Arc::new(Event::logged(logged))).collect();
            self.publish(&events)?;
            if !full {
                return Ok(());
            }
        }
    }

    fn publish(&mut self, events: &[Arc<Event>]) -> Result<()> {
        let Some(last) = events.last() else { return Ok(()) };
        self.position = last.seq;
        self.hub.publish(events);
        self.unsaved += events.len() as u64;
        if self.unsaved >= SAVE_EVERY { self.save() } else { Ok(()) }
    }

    fn save(&mut self) -> Result<()> {
        let snapshot = self.hub.view(|_, state| state.snapshot());
        self.unsaved = 0;
        self.store.save_snapshot(STATE, self.position, &snapshot)
    }

    /// A controller is told what is wrong with its record; others read it on stderr.
    fn refuse(&self, record: &Envelope<'_>, peer: &Peer, error: &Error) {
        let fault = Fault {
            message: error.to_string(),
            command: self.context.command().to_owned(),
            input: Some(peer.name().to_owned()),
            line: None,
            request_id: record.id.as_deref().map(str::to_owned),
        };
        let mut line = Vec::new();
        encode(&Stamp::at(record.timestamp.unwrap_or_default()).source("park-serve"), &fault, &mut line);
        peer.reply(&line);
    }
}

impl Filter for Ingest {
    /// The stream ends here.
    fn consumes(&self, _: &str) -> bool {
        true
    }

    fn wants(&self, kind: &str) -> bool {
        ![Tick::TYPE, Ack::TYPE].contains(&kind)
    }

    fn record(&mut self, record: &Envelope<'_>, origin: &Origin, _: &mut Out) -> Result<()> {
        if record.is::<camera::Frame>() {
            self.video.frame(record, &origin.peer, self.context.now());
            return Ok(());
        }
        // A controller of another maker has payloads of its own.
        let foreign = record.id.is_none() && origin.peer.name().starts_with(CONTROLLERS);
        if !foreign && let Err(error) = check(record) {
            self.refuse(record, &origin.peer, &error);
            return Err(error);
        }
        if record.is::<camera::CameraStatus>() {
            self.video.status(record, &origin.peer);
        }
        let event = Event::new(record, self.context.now());
        self.hub.controllers.remember(&event, &origin.peer);
        self.bytes += event.line.len();
        self.burst.push(event);
        if self.burst.len() >= BURST.0 || self.bytes >= BURST.1 { self.commit() } else { Ok(()) }
    }

    fn settle(&mut self, _: &mut Out) -> Result<()> {
        self.commit()
    }

    fn rejected(&mut self, why: Rejected) {
        self.metrics.rejected(why);
    }

    fn gone(&mut self, peer: &Peer, _: &mut Out) {
        self.hub.controllers.gone(peer);
        self.video.gone(peer);
    }

    /// What other processes have written meanwhile is published too.
    fn tick_every(&self) -> Option<Duration> {
        Some(Duration::from_secs(1))
    }

    fn tick(&mut self, _: Time, _: &mut Out) -> Result<()> {
        self.commit()?;
        self.follow()
    }

    fn reload(&mut self) -> Result<()> {
        (self.reload)()
    }

    fn counters(&self) -> BTreeMap<String, u64> {
        let counts = &self.hub.counts;
        let subscribers = self.hub.channels().values().sum::<usize>() as u64;
        [
            ("stored", self.stored),
            ("duplicates", self.duplicates),
            ("subscribers", subscribers),
            ("slow", counts.slow.load(Ordering::Relaxed)),
            ("relayed", counts.relayed.load(Ordering::Relaxed)),
        ]
        .map(|(name, count)| (name.to_owned(), count))
        .into()
    }

    fn finish(&mut self, _: End, _: &mut Out) -> Result<()> {
        self.commit()?;
        self.save()
    }
}

/// Whether a record may go into the log: its id must be fit for every dialect, and its payload what its type says.
fn check(record: &Envelope<'_>) -> Result<()> {
    if let Some(id) = record.id.as_deref()
        && (id.is_empty() || id.len() > 128 || !id.bytes().all(|byte| byte.is_ascii_graphic()))
    {
        return Err(Error::new(Kind::BadInput, "the id must be 1 to 128 printable ASCII characters"));
    }
    macro_rules! payload_of {
        ($($payload:ty),* $(,)?) => {
            match record.kind.as_str() {
                $(<$payload>::TYPE => record.payload::<$payload>().map(drop),)*
                // Types of later versions pass.
                _ => Ok(()),
            }
        };
    }
    payload_of!(
        camera::CameraStatus,
        camera::ImageCaptured,
        vision::Plates,
        vision::Slots,
        gate::PlateDetected,
        gate::CardDetected,
        gate::AccessDecision,
        gate::GateStatus,
        gate::HardwareStatus,
        gate::SystemStatus,
        gate::ParkingEntry,
        gate::ParkingExit,
        lot::SlotChanged,
        lot::CapacityUpdate,
        lot::ParkingUpdate,
        lot::OccupancyDrift,
        lot::Violation,
        lot::Alert,
        people::BookingUpdated,
        people::PaymentUpdated,
        people::Notification,
        people::SystemAnnouncement,
        people::LiveStats,
        GateControl,
        CameraControl,
        GateControlResponse,
        Fault,
    )
}
