//! The site: what `park.toml` says of cameras, gates, lots, contractors and lists.
//!
//! * [`Site`] and what it holds: the tables of the file, checked against each other when it is read.
//! * [`List`]: a plain file of plates or cards, one a line.
//! * [`plain`]: a plate or card as it is compared.
//!
//! The same file holds the commands' own settings, in `[capture]`, `[detect]`, `[gate]`, `[track]` and
//! `[serve]`; those belong to [`crate::cli`] and are left alone here. `park.toml(5)` is the manual.

mod check;
mod list;
mod model;
mod read;

pub use list::{List, plain};
pub use model::{Camera, Contractor, Gate, Level, Lists, Lot, Passage, Site};

#[cfg(test)]
mod tests;
