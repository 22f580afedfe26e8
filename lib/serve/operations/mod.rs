//! What whoever runs a server asks of it: who was connected, who did what, what was counted; and what is old goes.
//!
//! * [`Operations`]: what every surface tells, at its open and close, and of each deed.
//! * [`visit`]: somebody at a surface.
//! * `keeper`: the thread that writes it all down, and cleans up.
//! * [`retention`]: how long what is kept.
//! * [`report`]: `park-serve log`.

mod args;
mod keeper;
pub mod report;
pub mod retention;
pub mod visit;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use park_core::Result;
use park_core::cli::Context;
use park_core::record::Time;
use park_store::{Deed, Note, Store};
use serde_json::value::RawValue;

use crate::hub::Hub;
use crate::metrics::Metrics;
pub use args::OperationsArgs;
use keeper::Keeper;
use retention::Keep;
pub use visit::{Surface, Visit, Visitor};

/// What came of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was done.
    Done,
    /// Its controller could not do it.
    Failed,
    /// It was handed to its controller, which does not answer such commands.
    Sent,
    /// There was no controller to take it.
    NoController,
    /// Its controller has not answered in time.
    NoAnswer,
    /// Whoever gave it may not.
    Refused,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Outcome; 6] = [
        Outcome::Done,
        Outcome::Failed,
        Outcome::Sent,
        Outcome::NoController,
        Outcome::NoAnswer,
        Outcome::Refused,
    ];

    /// Its word in the audit trail and in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Done => "done",
            Outcome::Failed => "failed",
            Outcome::Sent => "sent",
            Outcome::NoController => "no_controller",
            Outcome::NoAnswer => "no_answer",
            Outcome::Refused => "refused",
        }
    }
}

/// Something that is done, for the audit trail.
#[derive(Debug, Clone, Copy, Default)]
pub struct Action<'a> {
    /// What is done: a type of record, or a method and path.
    pub name: &'a str,
    /// To which gate, lot, …
    pub target: Option<&'a str>,
    /// How, as JSON.
    pub payload: Option<&'a str>,
    /// The id of the record that carries it, by which [`Operations::became`] finds it.
    pub request_id: Option<&'a str>,
}

/// Who is connected, and the way of what happens into the store.
pub struct Operations {
    keeper: Keeper,
    metrics: Arc<Metrics>,
    context: Context,
    open: Mutex<BTreeMap<i64, (Visitor, Time)>>,
    next: AtomicI64,
}

impl Operations {
    /// Starts to write to `store`, which nobody else uses, and to remove from it what `keep` does not keep. What `metrics`
    /// and `hub` count becomes statistics.
    pub fn start(
        store: Store,
        keep: Keep,
        metrics: Arc<Metrics>,
        hub: Arc<Hub>,
        context: &Context,
    ) -> Result<Arc<Operations>> {
        store.forget_open_connections("the server ended")?;
        let next = AtomicI64::new(store.next_connection()?);
        let keeper = Keeper::start(store, keep, Arc::clone(&metrics), hub, context.clone());
        Ok(Arc::new(Operations { keeper, metrics, context: context.clone(), open: Mutex::default(), next }))
    }

    /// Somebody has connected. The connection counts as open until the visit is dropped.
    pub fn opened(self: &Arc<Operations>, visitor: Visitor) -> Visit {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let opened = self.context.now();
        self.metrics.opened(visitor.surface);
        let logged = self.keeper.tell(Note::Opened(visitor.connection(id, opened)));
        self.lock().insert(id, (visitor.clone(), opened));
        Visit::new(Arc::clone(self), id, visitor, logged)
    }

    /// Who is connected: number, who, and since when, in the order in which they came.
    pub fn connected(&self) -> Vec<(i64, Visitor, Time)> {
        let open = self.lock();
        open.iter().map(|(id, (visitor, opened))| (*id, visitor.clone(), *opened)).collect()
    }

    /// How many connections each surface has.
    pub fn surfaces(&self) -> BTreeMap<Surface, usize> {
        let mut surfaces: BTreeMap<Surface, usize> = Surface::ALL.map(|surface| (surface, 0)).into();
        for (visitor, _) in self.lock().values() {
            *surfaces.entry(visitor.surface).or_default() += 1;
        }
        surfaces
    }

    /// Notes in the audit trail that `visitor` does something; what comes of it is told later, by
    /// [`Operations::became`]. Waits only while the trail cannot keep up.
    pub async fn did(&self, visitor: &Visitor, action: Action<'_>) {
        self.keeper.write(Note::Did(self.deed(visitor, action))).await;
    }

    /// Notes what came of what was done by the record `request_id`.
    pub async fn became(&self, request_id: &str, outcome: Outcome, detail: Option<String>) {
        self.metrics.commanded(outcome);
        let request_id = request_id.to_owned();
        self.keeper.write(Note::Became { request_id, outcome: outcome.name().into(), detail }).await;
    }

    /// Notes that `visitor` may not do this.
    pub async fn refused(&self, visitor: &Visitor, action: Action<'_>) {
        self.metrics.commanded(Outcome::Refused);
        let deed = Deed { outcome: Some(Outcome::Refused.name().into()), ..self.deed(visitor, action) };
        self.keeper.write(Note::Did(deed)).await;
    }

    /// Notes that `visitor` has done something, and returns true once this is durable; false if it cannot be.
    pub async fn done(&self, visitor: &Visitor, action: Action<'_>) -> bool {
        let deed = Deed { outcome: Some(Outcome::Done.name().into()), ..self.deed(visitor, action) };
        self.keeper.write_durably(Note::Did(deed)).await
    }

    /// Writes down what is left, and ends.
    pub fn stop(&self) {
        self.keeper.stop();
    }

    fn deed(&self, visitor: &Visitor, action: Action<'_>) -> Deed {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Deed {
            time: self.context.now(),
            person: visitor.person.name.clone(),
            role: visitor.person.role.name().to_owned(),
            surface: visitor.surface.name().to_owned(),
            address: visitor.address.to_string(),
            action: action.name.to_owned(),
            target: owned(action.target),
            payload: action.payload.and_then(|json| RawValue::from_string(json.to_owned()).ok()),
            request_id: owned(action.request_id),
            outcome: None,
            detail: None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<i64, (Visitor, Time)>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
