//! How records get in and out: endpoints, framing, the filter loop, queues.
//!
//! Everything that happens to a command arrives as an [`inlet::Event`] on one channel: lines of
//! every input, signals, lines of threads of its own (see [`Injector`]). One loop,
//! [`Session::run`], owns the filter and the output, so nothing is shared and nothing is locked.

mod backoff;
mod endpoint;
mod filter;
mod framing;
mod inlet;
mod link;
mod outlet;
mod peer;
mod pool;
mod queue;
mod session;
mod signal;
pub mod spool;
mod tls;
mod transport;

pub use backoff::Backoff;
pub use endpoint::Endpoint;
pub use filter::{End, Filter, Origin, Rejected};
pub use framing::{Chunk, LineReader};
pub use inlet::{Injector, Signal};
pub use outlet::Out;
pub use peer::Peer;
pub use pool::Worker;
pub use queue::Policy;
pub use session::{Session, Setup, SourceSession};
pub use tls::client_config;
