//! Dialects C and D: Socket.IO at `/socket.io/`, for the booking platform and for the mobile app.
//!
//! * [`engine`]: Engine.IO: sessions over long polling and WebSockets.
//! * [`packet`]: Socket.IO's packets. Pure.
//! * `client`: one connected client: who it is, where it is. `question`: what it asks.
//! * `replay`: what a client missed, then what is new.
//! * [`rooms`]: rooms, and what is heard in them. Pure.
//! * [`booking`], [`mobile`]: the two dialects.

pub mod booking;
mod client;
pub mod engine;
pub mod mobile;
pub mod packet;
mod question;
mod replay;
pub mod rooms;

use std::time::Duration;

use clap::Args;
use park_core::cli::Seconds;

pub use engine::{Sessions, answer, is_here};

/// Flags of Socket.IO.
#[derive(Debug, Clone, Args)]
pub struct SocketioArgs {
    /// Ping each client of Socket.IO every SECONDS.
    #[arg(long, value_name = "SECONDS", default_value = "25", value_parser = whole)]
    ping_interval: Seconds,

    /// Send a client of Socket.IO away that has not answered a ping for SECONDS.
    #[arg(long, value_name = "SECONDS", default_value = "20", value_parser = whole)]
    ping_timeout: Seconds,
}

fn whole(text: &str) -> Result<Seconds, String> {
    let seconds: Seconds = text.parse()?;
    match seconds.0 {
        fine if (Duration::from_secs(1)..=Duration::from_secs(3600)).contains(&fine) => Ok(seconds),
        _ => Err("from 1 to 3600 seconds".into()),
    }
}

impl SocketioArgs {
    /// The sessions to come, `most` at once.
    pub fn sessions(&self, most: usize) -> Sessions {
        Sessions::new(self.ping_interval.0, self.ping_timeout.0, most)
    }
}
