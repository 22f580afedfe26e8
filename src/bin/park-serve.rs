//! `park-serve`: see `park-serve --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    park_core::cli::main::<park_serve::Serve>()
}
