#![allow(clippy::unwrap_used)]

mod check;
mod log;
mod operations;
mod schema;
mod sessions;
mod two_processes;
