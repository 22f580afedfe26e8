//! `park-track`: slots and gate events to occupancy, violations and alerts.
//!
//! * [`rules`]: the fold from events to records; pure.
//! * [`filter`]: the rules in a stream.
//! * [`report`]: the counts, as a table for people.
//! * [`cli`]: the command; `manual` has its manual page's words.

pub mod cli;
pub mod filter;
mod manual;
pub mod report;
pub mod rules;

pub use cli::Track;
