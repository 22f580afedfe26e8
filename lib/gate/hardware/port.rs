//! A serial port in a thread of its own: read, written, lost, and opened again by its stable name.

use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, Sender};
use std::thread;
use std::time::Duration;

use park_core::stream::Backoff;
use serialport::SerialPort;

use super::SerialName;

/// Which device a happening is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// The barrier.
    Barrier,
    /// The card reader.
    Reader,
}

/// What happened at a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// It is open.
    Up,
    /// It is gone, or cannot be opened, for the reason given; said once until it is open again.
    Down(String),
    /// This arrived.
    Bytes(Vec<u8>),
}

/// How long a read waits, and so how late a command may leave.
const POLL: Duration = Duration::from_millis(20);

/// Starts the thread. It lives until nobody listens for what happens any more.
///
/// What is sent to `commands` is written as it is; what was sent while the port was closed is dropped, since a command
/// to open must not arrive late.
pub fn start(
    device: Device,
    name: SerialName,
    commands: Receiver<Vec<u8>>,
    events: Sender<(Device, Happening)>,
) {
    thread::spawn(move || {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5), 1);
        let mut said = false;
        loop {
            let why = match open(&name) {
                Ok(port) => {
                    backoff.reset();
                    said = false;
                    while commands.try_recv().is_ok() {}
                    if events.send((device, Happening::Up)).is_err() {
                        return;
                    }
                    match serve(port, device, &commands, &events) {
                        Some(error) => error.to_string(),
                        None => return,
                    }
                }
                Err(error) => error.to_string(),
            };
            if !said && events.send((device, Happening::Down(format!("{}: {why}", name.path)))).is_err() {
                return;
            }
            said = true;
            thread::sleep(backoff.delay());
        }
    });
}

fn open(name: &SerialName) -> serialport::Result<Box<dyn SerialPort>> {
    let mut port = serialport::new(&name.path, name.baud).timeout(POLL).open()?;
    // A pseudo-terminal has no such line and says ENOTTY; an Arduino needs it to be reset into a known state.
    let _ = port.write_data_terminal_ready(true);
    Ok(port)
}

/// Reads and writes until the port is lost, which is the error returned; nothing if nobody listens any more.
fn serve(
    mut port: Box<dyn SerialPort>,
    device: Device,
    commands: &Receiver<Vec<u8>>,
    events: &Sender<(Device, Happening)>,
) -> Option<io::Error> {
    let mut buffer = [0; 512];
    loop {
        // Nobody ever writes to a reader: its channel is closed from the start.
        while let Ok(bytes) = commands.try_recv() {
            if let Err(error) = port.write_all(&bytes) {
                return Some(error);
            }
        }
        match port.read(&mut buffer) {
            // Unplugged, a port reads as ended, again and again.
            Ok(0) => return Some(io::ErrorKind::UnexpectedEof.into()),
            Ok(length) => {
                if events.send((device, Happening::Bytes(buffer[..length].to_vec()))).is_err() {
                    return None;
                }
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::Interrupted) => {}
            Err(error) => return Some(error),
        }
    }
}
