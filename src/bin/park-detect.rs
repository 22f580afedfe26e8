//! `park-detect`.

use std::process::ExitCode;

fn main() -> ExitCode {
    park_core::cli::main::<park_detect::Detect>()
}
