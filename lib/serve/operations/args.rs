//! Flags.

use std::net::SocketAddr;

use clap::Args;

use super::retention::Keep;

/// What is kept for how long, and where metrics are.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Operations")]
pub struct OperationsArgs {
    /// Keep records of a type, `records` of all other types, `connections`, the `audit` trail or `statistics` for TIME
    /// since they came: 12h, 7d, 1y, forever. What is not named is kept as long as the manual says.
    #[arg(long, value_name = "NAME=TIME,…")]
    pub keep: Option<Keep>,

    /// Answer GET /metrics on a loopback address of its own, without asking for a token.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub metrics_listen: Option<SocketAddr>,
}
