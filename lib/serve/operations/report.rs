//! `park-serve log`: what the trail holds, as lines of JSON.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use park_core::cli::Context;
use park_core::record::Time;
use park_core::stream::End;
use park_core::{Error, Kind, Result};
use park_store::{Span, Store};
use serde::Serialize;

use super::retention::span_of;

/// What to print.
#[derive(Debug, Clone, Args)]
pub struct LogArgs {
    /// What to print.
    what: What,

    /// Only what began at TIME or later: an RFC 3339 time, or how long ago, such as 12h or 7d.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,

    /// Only what began before TIME.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,

    /// The database.
    #[arg(long, value_name = "FILE", env = "PARK_DB")]
    db: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Who commanded or changed what, and what came of it.
    Audit,
    /// Who was connected from when to when, and why it ended.
    Connections,
    /// What was counted in each hour.
    Statistics,
}

/// Prints to standard output, oldest first.
pub fn run(args: LogArgs, default_db: PathBuf, context: &Context) -> Result<End> {
    let moment = |text: &Option<String>| text.as_deref().map(|text| moment(text, context.now())).transpose();
    let every = Span::default();
    let span = Span {
        since: moment(&args.since)?.unwrap_or(every.since),
        until: moment(&args.until)?.unwrap_or(every.until),
    };
    let store = Store::open_to_read(args.db.unwrap_or(default_db))?;
    match print(&store, args.what, span) {
        Err(error) if error.is_broken_pipe() => Ok(End::BrokenPipe),
        printed => printed.map(|()| End::Input),
    }
}

fn print(store: &Store, what: What, span: Span) -> Result<()> {
    let mut lines = Lines { out: BufWriter::new(io::stdout().lock()), result: Ok(()) };
    match what {
        What::Audit => store.deeds(span, |deed| lines.add(deed))?,
        What::Connections => store.connections(span, |connection| lines.add(connection))?,
        What::Statistics => {
            let _ = store.counts(span)?.iter().all(|count| lines.add(count));
        }
    }
    let Lines { mut out, result } = lines;
    result.and_then(|()| out.flush()).map_err(|error| Error::io("writing to standard output", error))
}

struct Lines<W: Write> {
    out: W,
    result: io::Result<()>,
}

impl<W: Write> Lines<W> {
    /// Writes one line; false if there is no use in going on.
    fn add(&mut self, line: &impl Serialize) -> bool {
        let written = serde_json::to_writer(&mut self.out, line).map_err(io::Error::from);
        self.result = written.and_then(|()| self.out.write_all(b"\n"));
        self.result.is_ok()
    }
}

/// A time as RFC 3339, or as how long ago.
fn moment(text: &str, now: Time) -> Result<Time> {
    text.parse().or_else(|_| match span_of(text) {
        Ok(Some(ago)) => Ok(now - ago),
        _ => Err(Error::new(
            Kind::Usage,
            format!("{text:?} is neither an RFC 3339 time, such as 2026-01-20T10:30:00Z, nor how long ago, such as 7d"),
        )),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_or_how_long_ago() {
        let now = Time::from_millis(10_000_000);
        assert_eq!(moment("1970-01-01T01:00:00Z", now).unwrap(), Time::from_millis(3_600_000));
        assert_eq!(moment("1h", now).unwrap(), Time::from_millis(6_400_000));
        for wrong in ["", "yesterday", "forever", "7", "1970-01-01"] {
            assert_eq!(moment(wrong, now).unwrap_err().kind(), Kind::Usage, "{wrong}");
        }
    }

    #[test]
    fn lines_end_with_their_reader() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut lines = Lines { out: Full, result: Ok(()) };
        assert!(!lines.add(&1));
        assert_eq!(lines.result.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
