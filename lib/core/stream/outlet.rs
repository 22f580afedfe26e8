//! Where a command writes its records.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use super::endpoint::Endpoint;
use super::inlet::Event;
use super::link::Link;
use super::queue::Policy;
use super::transport::Wire;
use crate::cli::{Log, make_safe};
use crate::error::{Error, Kind, Result};
use crate::record::{Payload, Stamp, encode};

/// A command's output: a burst of records is gathered and leaves in one write to each of its sinks.
#[derive(Debug)]
pub struct Out {
    gathered: Vec<u8>,
    sinks: Vec<Sink>,
    written: u64,
    limit: Option<u64>,
}

#[derive(Debug)]
enum Sink {
    Stdout { terminal: bool },
    File(String, File),
    Link(Link),
}

/// What is gathered before it is written although the burst goes on.
const BURST: usize = 256 * 1024;

impl Out {
    /// Opens every endpoint; without any, standard output.
    pub(super) fn open(
        endpoints: &[Endpoint],
        policy: &Policy,
        limit: Option<u64>,
        wire: &Wire,
        events: &SyncSender<Event>,
        log: &Log,
    ) -> Result<Out> {
        let open = |endpoint: &Endpoint| match endpoint {
            Endpoint::Stdio => Ok(Sink::Stdout { terminal: io::stdout().is_terminal() }),
            Endpoint::File(path) => {
                let name = path.display().to_string();
                let file = File::options().create(true).append(true).open(path);
                Ok(Sink::File(
                    name.clone(),
                    file.map_err(|error| Error::io(format!("opening {name}"), error))?,
                ))
            }
            socket => Link::open(socket, policy.clone(), wire, events.clone(), log.clone()).map(Sink::Link),
        };
        let endpoints = if endpoints.is_empty() { &[Endpoint::Stdio][..] } else { endpoints };
        let sinks = endpoints.iter().map(open).collect::<Result<_>>()?;
        Ok(Out { gathered: Vec::new(), sinks, written: 0, limit })
    }

    /// Writes a record and returns its id.
    pub fn emit<P: Payload>(&mut self, stamp: &Stamp, payload: &P) -> String {
        let before = self.gathered.len();
        let id = encode(stamp, payload, &mut self.gathered);
        self.written += 1;
        if self.limit.is_some_and(|limit| self.written > limit) {
            self.gathered.truncate(before);
        }
        id
    }

    /// Writes a line as it is; it may lack its newline.
    pub fn line(&mut self, line: &[u8]) {
        self.written += 1;
        if self.limit.is_none_or(|limit| self.written <= limit) {
            self.gathered.extend_from_slice(line);
            if line.last() != Some(&b'\n') {
                self.gathered.push(b'\n');
            }
        }
    }

    /// Whether as many records were written as `--count` allows.
    pub fn is_full(&self) -> bool {
        self.limit.is_some_and(|limit| self.written >= limit)
    }

    /// How many records were written.
    pub fn written(&self) -> u64 {
        self.limit.map_or(self.written, |limit| self.written.min(limit))
    }

    /// Whether so much is gathered that it should leave before the burst ends.
    pub(super) fn is_heavy(&self) -> bool {
        self.gathered.len() >= BURST
    }

    /// Sends off what is gathered.
    pub fn flush(&mut self) -> Result<()> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        for sink in &mut self.sinks {
            sink.write(&self.gathered)?;
        }
        self.gathered.clear();
        Ok(())
    }

    /// Whether whoever read standard output is gone, found out without writing: for a source that has to
    /// wait for its reader by other means than a full pipe.
    pub fn is_broken(&self) -> bool {
        self.sinks.iter().any(|sink| matches!(sink, Sink::Stdout { .. }) && stdout_is_broken())
    }

    /// Sends off what is gathered and waits until it has arrived, at most `patience` for a socket.
    pub(super) fn finish(&mut self, patience: Duration) -> Result<()> {
        self.flush()?;
        for sink in &mut self.sinks {
            if let Sink::Link(link) = sink {
                link.finish(patience)?;
            }
        }
        Ok(())
    }
}

fn stdout_is_broken() -> bool {
    let mut stdout = libc::pollfd { fd: libc::STDOUT_FILENO, events: 0, revents: 0 };
    // SAFETY: poll writes to nothing but `revents` of the one entry, which lives on this stack, and does not wait.
    let ready = unsafe { libc::poll(&mut stdout, 1, 0) };
    ready > 0 && stdout.revents & (libc::POLLERR | libc::POLLHUP) != 0
}

impl Sink {
    fn write(&mut self, lines: &[u8]) -> Result<()> {
        match self {
            Sink::Stdout { terminal } => {
                let mut stdout = io::stdout().lock();
                let written = if *terminal {
                    stdout.write_all(make_safe(&String::from_utf8_lossy(lines)).as_bytes())
                } else {
                    stdout.write_all(lines)
                };
                written
                    .and_then(|()| stdout.flush())
                    .map_err(|error| Error::new(Kind::Io, "writing to standard output").because(error))
            }
            Sink::File(name, file) => {
                file.write_all(lines).map_err(|error| Error::io(format!("writing to {name}"), error))
            }
            Sink::Link(link) => link.write(lines),
        }
    }
}
