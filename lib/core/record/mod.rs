//! The vocabulary: one JSON object a line, an [`Envelope`] around a [`Payload`].
//!
//! A family of records has a file: [`camera`], [`vision`], [`gate`], [`lot`], [`people`],
//! [`command`]. [`catalogue`] lists them all with their schema; `park-records(5)` is made from it.

pub mod camera;
mod catalogue;
pub mod command;
mod emit;
mod envelope;
pub mod gate;
mod id;
pub mod lot;
mod page;
pub mod people;
mod time;
pub mod vision;

pub use catalogue::{Entry, Family, Payload, catalogue, schema};
pub use emit::{Stamp, encode};
pub use envelope::{Envelope, Text, is_object};
pub use id::derive_id;
pub use page::page;
pub use time::Time;

#[cfg(test)]
mod tests;
