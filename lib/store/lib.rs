//! The SQLite store: the log of records and the parking sessions, in one file that several
//! processes open at once. Nothing outside this crate speaks SQL.
//!
//! * [`Store`]: opens the file, brings its schema up to date.
//! * [`log`]: records, each id taken once, in the order of their arrival.
//! * [`sessions`]: who is inside, since when; every question is asked as of an event time.
//! * [`trail`]: who was connected, who did what, what was counted. [`retention`]: what is old goes.
//! * `check`: whether a database is whole. `snapshots`: what readers of the log keep beside it.
//! * `schema`, `migrations/`: one SQL file a step, numbered by `PRAGMA user_version`.

mod check;
mod error;
pub mod log;
pub mod retention;
mod schema;
pub mod sessions;
mod snapshots;
mod store;
pub mod trail;

pub use check::Findings;
pub use log::{Appended, Logged, Place, Query, Record};
pub use retention::{Old, Removed};
pub use sessions::{Arrival, Departure, Session, Summary};
pub use store::Store;
pub use trail::{Connection, Count, Deed, Note, Span};

#[cfg(test)]
mod tests;
