//! Occupancy, violations and alerts as a pure fold: events and their time in, records out.
//!
//! [`Tracker`] takes one [`Event`] after the other and returns what is to be said. It knows no clock but the
//! events' own and no files; all that it remembers is its [`State`], which can be kept over a restart.
//!
//! * [`slot`]: when a slot has changed for good.
//! * [`gates`]: who is inside by the gates' count.
//! * [`count`]: places taken, free and unknown.
//! * [`lot`]: one lot, all of that together, and the drift between its two counts.
//! * [`violation`], [`alert`]: what is wrong, from beginning to end under one id.
//! * [`camera`]: which cameras are heard of.
//! * [`lasting`]: conditions that count only once they have lasted.
//! * [`plan`], [`settings`]: what the site and the user say.

pub mod alert;
pub mod camera;
pub mod count;
pub mod gates;
pub mod lasting;
pub mod lot;
pub mod plan;
pub mod settings;
pub mod slot;
pub mod tracker;
pub mod violation;

pub use plan::Plans;
pub use settings::Settings;
pub use tracker::{Event, Said, State, Tracker, What};

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
