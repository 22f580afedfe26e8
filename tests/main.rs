//! The commands as people run them: the real binaries with pipes, sockets, terminals and signals.
//!
//! One test program for all, so that the workspace links once; a module a command, `support` for what they share.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::print_stderr, clippy::panic)]

mod capture;
mod detect;
mod gate;
mod man;
mod manners;
mod map;
mod readme;
mod records;
mod score;
mod serve;
mod slots;
mod support;
mod track;
