//! `park-track`: see `park-track --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    park_core::cli::main::<park_track::Track>()
}
