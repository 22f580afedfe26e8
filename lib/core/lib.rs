//! What every park command shares: the records that flow between them, the streams they flow
//! through, the site they describe, and the manners of a Unix command.
//!
//! * [`record`]: the vocabulary, one file a family; the envelope, ids, event time.
//! * [`stream`]: endpoints, framing, the filter loop, queues, frames by reference.
//! * [`site`]: `park.toml`, the site's cameras, gates, lots, contractors and lists.
//! * [`cli`]: flags, configuration, logging, progress, exit codes, man pages.
//! * [`error`]: what can go wrong, by kind, with one table of exit codes.

pub mod cli;
pub mod error;
pub mod record;
pub mod site;
pub mod stream;

pub use error::{Error, Kind, Result};
