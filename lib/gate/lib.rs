//! park-gate: plates and cards to decisions, the barrier, entries and exits.
//!
//! * [`rules`]: consensus, lists, decision, the gate controller; pure.
//! * [`hardware`]: barriers and card readers, one small file a device.
//! * `filter`: the thin layer that feeds the rules and writes what they say; `desk` keeps its sessions.
//! * `cli`: the flags, and the command itself, [`Gate`].

mod cli;
mod clock;
mod desk;
mod filter;
pub mod hardware;
pub mod rules;

pub use cli::Gate;
