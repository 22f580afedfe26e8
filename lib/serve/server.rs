//! What every connection may reach.

use std::sync::Arc;

use park_core::cli::{Context, Log};
use park_core::record::Time;

use crate::history::History;
use crate::http::Doors;
use crate::hub::Hub;
use crate::intake::Intake;

/// What every connection may reach.
pub struct Server {
    /// Who listens, and what holds now.
    pub hub: Arc<Hub>,
    /// The way of records into the log.
    pub intake: Intake,
    /// The log, to be read.
    pub history: History,
    /// Whom the doors are open to.
    pub doors: Doors,
    /// The command's world: its clock, its log of messages.
    pub context: Context,
}

impl Server {
    /// The wall clock, for what arises at this edge.
    pub fn now(&self) -> Time {
        self.context.now()
    }

    /// Where messages go.
    pub fn log(&self) -> &Log {
        self.context.log()
    }
}
