//! Dialect A: the gate hub's WebSocket channels. Dashboards watch and command, controllers report and obey.
//!
//! * [`message`]: the message, both ways, against records. Pure.
//! * [`socket`]: one connection.
//! * [`dashboard`], [`controller`]: the two kinds of client.
//! * `renewal`: a client shows a new token.
//! * [`upgrade`]: from HTTP to WebSocket.

pub mod controller;
pub mod dashboard;
pub mod message;
mod renewal;
pub mod socket;
pub mod upgrade;

pub use socket::PING;
