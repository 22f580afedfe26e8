#![allow(clippy::unwrap_used)]

mod log;
mod schema;
mod sessions;
mod two_processes;
