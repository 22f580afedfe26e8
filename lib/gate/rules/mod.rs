//! The gate's rules: records and event time in, facts out. No clock, no device, no database.

pub mod consensus;
pub mod controller;
pub mod decide;
pub mod lists;
mod passage;
mod place;
pub mod presence;
pub mod text;
pub mod vehicle;
mod vote;
