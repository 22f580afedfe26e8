//! The manners that every command shares: one prelude, one set of stream flags, one way to be configured,
//! to log, to show progress, to describe itself, to keep a state over a restart.

mod config;
mod context;
mod flags;
mod log;
mod manual;
mod prelude;
mod progress;
mod safe;
mod state;

pub use context::Context;
pub use flags::{CommonArgs, IoArgs, Length, Seconds};
pub use log::{Colour, Level, Log};
pub use manual::Manual;
pub(crate) use manual::{DATE, escape};
pub use prelude::{Command, main};
pub use progress::Progress;
pub use safe::make_safe;
pub use state::StateFile;
