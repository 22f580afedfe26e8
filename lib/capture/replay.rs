//! Recorded streams of records, passed on as they are.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};

use park_core::record::{Envelope, Time};
use park_core::stream::{Chunk, End, LineReader, SourceSession};
use park_core::{Error, Result};

use crate::faults::Faults;
use crate::pace::Pacer;
use crate::play::{NAP, wait};

/// Passes on every record of the file at `path` (`-`: standard input) unchanged and in order, paced by their own
/// clock if there is a `pacer`. Bad lines are reported, and the stream goes on. Says why to end, if not for its end.
pub fn replay(
    session: &mut SourceSession,
    faults: &mut Faults,
    path: &Path,
    name: &str,
    max_line: usize,
    mut pacer: Option<&mut Pacer>,
) -> Result<Option<End>> {
    let (sender, chunks) = sync_channel(4);
    let from = path.to_owned();
    // A thread of its own, since a pipe may say nothing for long, and signals must be heard meanwhile.
    std::thread::spawn(move || {
        let ended = match from.as_os_str() == "-" {
            true => read(io::stdin(), max_line, &sender),
            false => File::open(&from).and_then(|file| read(file, max_line, &sender)),
        };
        if let Err(error) = ended {
            let _ = sender.send(Err(error));
        }
    });
    let mut place = Place { name, line: 0, time: Time::default() };
    loop {
        if let Some(end) = session.ended() {
            return Ok(Some(end));
        }
        let chunk = match chunks.recv_timeout(NAP) {
            Ok(chunk) => chunk.map_err(|error| Error::io(format!("reading {name}"), error))?,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
        };
        let ended = match chunk {
            Chunk::Lines(bytes) => pass(session, faults, &mut place, &bytes, max_line, &mut pacer)?,
            Chunk::TooLong => {
                place.line += 1;
                reject(session, faults, &place, &format!("line of over {max_line} bytes"))?;
                None
            }
        };
        session.out.flush()?;
        if ended.is_some() {
            return Ok(ended);
        }
    }
}

/// Where in which input the replay stands.
struct Place<'a> {
    name: &'a str,
    line: u64,
    time: Time,
}

fn pass(
    session: &mut SourceSession,
    faults: &mut Faults,
    place: &mut Place<'_>,
    bytes: &[u8],
    max_line: usize,
    pacer: &mut Option<&mut Pacer>,
) -> Result<Option<End>> {
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        place.line += 1;
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            continue;
        }
        if line.len() > max_line {
            reject(session, faults, place, &format!("line of over {max_line} bytes"))?;
            continue;
        }
        match Envelope::parse(line) {
            Ok(record) => {
                place.time = record.timestamp.unwrap_or(place.time).max(place.time);
                if let (Some(pacer), Some(time)) = (pacer.as_deref_mut(), record.timestamp)
                    && let Some(end) = wait(session, pacer, time)?
                {
                    return Ok(Some(end));
                }
                session.out.line(line);
            }
            Err(error) => reject(session, faults, place, &error.to_string())?,
        }
        if session.out.is_full() {
            return Ok(Some(End::Count));
        }
    }
    Ok(None)
}

fn reject(session: &mut SourceSession, faults: &mut Faults, place: &Place<'_>, why: &str) -> Result<()> {
    faults.report(&mut session.out, place.time, place.name, Some(place.line), why)
}

/// Sends everything `reader` has, until nobody listens any more.
fn read(reader: impl Read, max_line: usize, chunks: &SyncSender<io::Result<Chunk>>) -> io::Result<()> {
    let mut lines = LineReader::new(reader, max_line);
    while let Some(chunk) = lines.next_chunk()? {
        if chunks.send(Ok(chunk)).is_err() {
            break;
        }
    }
    Ok(())
}
