//! Engine.IO (protocol version 4): a session over long polling, over a WebSocket, or from the one to the other.
//!
//! What is sent to a client waits in its one queue of the hub, as WebSocket frames; whichever transport the session has
//! takes it from there.
//!
//! * [`packet`]: packets against text. Pure.
//! * `session`: the sessions, their heartbeats and their ends.
//! * `door`: from a request to a session. `polling`, `websocket`: the transports.

mod door;
pub mod packet;
mod polling;
mod session;
mod websocket;

pub use door::{answer, is_here};
pub use session::{Session, Sessions, secret};

/// The longest message of a client, and the longest payload.
const LONGEST: usize = 100_000;
