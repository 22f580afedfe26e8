//! park-serve: records to SQLite and to live clients.
//!
//! Records come in through the one filter loop ([`ingest`]), which makes a burst durable and then publishes it to the
//! [`hub`]. Each dialect of the clients has a folder that knows the hub and no other dialect; [`http`] is the door
//! they share.
//!
//! * [`cli`]: the command.
//! * [`ingest`], [`intake`]: records into the log, from streams and from connections.
//!   `kinds`: which types come in.
//! * [`history`]: the log, read by those who resume.
//! * [`access`]: who comes, and what they may do.
//! * [`hub`]: who listens, what holds now, who controls which gate.
//! * [`channels`]: dialect A, WebSocket channels of gates. [`sse`]: dialect B, Server-Sent Events.
//! * [`realtime`]: what dialect C asks, over Socket.IO and REST.
//! * [`video`]: the newest frame of each camera, for those who watch.
//! * [`socketio`]: dialects C and D, Socket.IO.
//! * [`operations`]: who was connected, who did what; what is old goes. [`metrics`]: what Prometheus asks.
//! * [`monitors`]: dialect E, connections to detection back ends.
//! * [`http`]: connections, guard, routes, pages. [`server`]: what all of these share.

pub mod access;
pub mod channels;
mod check;
pub mod cli;
pub mod history;
pub mod http;
pub mod hub;
pub mod ingest;
pub mod intake;
mod kinds;
pub mod metrics;
pub mod monitors;
pub mod operations;
mod random;
pub mod realtime;
pub mod server;
pub mod socketio;
pub mod sse;
mod system;
pub mod video;

pub use cli::Serve;
