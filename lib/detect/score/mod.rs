//! How good detection is: `plates` and `slots` records held against the truth about the same pictures.
//!
//! * [`truth`]: the truth file, JSON lines or CSV; [`key`] says which picture a line or a record is about.
//! * [`plates`]: detection, reading, false texts of [`PlateScore`].
//! * [`slots`]: states and flips of [`SlotScore`]; `labels` says what the truth holds at a moment.
//! * [`rates`]: rates with their intervals; [`reliability`]: whether confidence means what it says.
//! * [`text`]: when two texts are the same, and how far apart they are.
//! * [`table`]: a report as a table.
//! * `command`: `park-detect score`.

mod command;
pub mod key;
mod labels;

pub mod plates;
pub mod rates;
pub mod reliability;
pub mod slots;
pub mod table;
pub mod text;
pub mod truth;

#[cfg(test)]
mod tests;

pub(crate) use command::{ScoreArgs, TRUTH, run};
pub use key::{Key, Moment};
pub use plates::{PlateReport, PlateScore};
pub use slots::{SlotReport, SlotScore};
pub use truth::Truth;
