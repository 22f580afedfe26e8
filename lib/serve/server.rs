//! What every connection may reach.

use std::net::IpAddr;
use std::sync::Arc;

use park_core::Result;
use park_core::cli::{Context, Log};
use park_core::record::{Payload, Stamp, Time, encode};

use crate::access::{Access, Person};
use crate::history::History;
use crate::http::Doors;
use crate::http::limits::Limits;
use crate::http::tls::Tls;
use crate::hub::Hub;
use crate::intake::Intake;
use crate::metrics::Metrics;
use crate::monitors::Monitors;
use crate::operations::{Action, Operations, Surface, Visit, Visitor};
use crate::socketio::Sessions;
use crate::video::Video;

/// What every connection may reach.
pub struct Server {
    /// Who listens, and what holds now.
    pub hub: Arc<Hub>,
    /// The way of records into the log.
    pub intake: Intake,
    /// The log, to be read.
    pub history: History,
    /// The cameras and who watches them.
    pub video: Arc<Video>,
    /// The detection back ends that it is connected to.
    pub monitors: Monitors,
    /// The sessions of Socket.IO.
    pub socketio: Sessions,
    /// Who may come in.
    pub access: Access,
    /// Whom the doors are open to.
    pub doors: Doors,
    /// Who is connected, who did what.
    pub operations: Arc<Operations>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// How much anybody may take.
    pub limits: Limits,
    /// The certificate, if TLS is spoken.
    pub tls: Option<Arc<Tls>>,
    /// The command's world: its clock, its log of messages.
    pub context: Context,
}

impl Server {
    /// The wall clock, for what arises at this edge.
    pub fn now(&self) -> Time {
        self.context.now()
    }

    /// The wall clock in seconds since 1970, as tokens count.
    pub fn seconds(&self) -> u64 {
        u64::try_from(self.now().millis() / 1000).unwrap_or(0)
    }

    /// `person` has connected at `surface` from `address`; see [`Operations::opened`].
    pub fn opened(&self, person: &Arc<Person>, surface: Surface, address: IpAddr) -> Visit {
        self.operations.opened(Visitor { person: Arc::clone(person), surface, address })
    }

    /// Reads the certificate and the key to tokens again. What is wrong leaves the old one in use; the error names it.
    pub fn reload(&self) -> Result<()> {
        let tls = self.tls.as_ref().map_or(Ok(()), |tls| tls.reload());
        self.access.reload(&self.context).and(tls)
    }

    /// Makes a record durable, and that `visitor` made it by `action` part of the audit trail; then gives its id. Nothing if
    /// the server stops.
    pub async fn publish<P: Payload>(
        &self,
        visitor: &Visitor,
        action: Action<'_>,
        stamp: &Stamp,
        payload: &P,
    ) -> Option<String> {
        let mut line = Vec::new();
        let id = encode(stamp, payload, &mut line);
        let json = serde_json::to_string(payload).unwrap_or_default();
        let action = Action { payload: Some(&json), request_id: Some(&id), ..action };
        let durable =
            self.intake.durably("the API", line).await && self.operations.done(visitor, action).await;
        durable.then_some(id)
    }

    /// Where messages go.
    pub fn log(&self) -> &Log {
        self.context.log()
    }
}
