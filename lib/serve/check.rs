//! `park-serve check`: whether a database is whole.

use std::io::Write;
use std::path::Path;

use park_core::stream::End;
use park_core::{Error, Kind, Result};
use park_store::{Findings, Store};

/// Says on standard output what is in the database and what is wrong with it. Something wrong is the answer no.
pub fn run(path: &Path) -> Result<End> {
    let name = path.display().to_string();
    let findings = Store::open_to_read(path)?.check()?;
    let mut stdout = std::io::stdout().lock();
    report(&mut stdout, &findings)
        .and_then(|()| stdout.flush())
        .map_err(|error| Error::new(Kind::Io, "writing to standard output").because(error))?;
    match findings.problems.len() {
        0 => Ok(End::Input),
        count => Err(Error::new(Kind::No, format!("{name} is damaged: {count} problems"))),
    }
}

fn report(out: &mut impl Write, findings: &Findings) -> std::io::Result<()> {
    writeln!(out, "records  {}", findings.records)?;
    writeln!(out, "sessions {} ({} inside)", findings.sessions, findings.inside)?;
    for problem in &findings.problems {
        writeln!(out, "problem  {problem}")?;
    }
    Ok(())
}
