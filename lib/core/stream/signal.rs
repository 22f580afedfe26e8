//! Unix signals as events.

use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::Signals;

use super::inlet::{Event, Signal};
use crate::error::{Error, Result};

/// Turns signals into events from now on. A second TERM or INT ends the process at once.
pub(super) fn watch(events: std::sync::mpsc::SyncSender<Event>) -> Result<()> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM, SIGUSR1])
        .map_err(|error| Error::io("setting up signal handlers", error))?;
    thread::spawn(move || {
        let mut stopping = false;
        for number in signals.forever() {
            let signal = match number {
                SIGHUP => Signal::Reload,
                SIGUSR1 => Signal::State,
                SIGTERM => Signal::Terminate,
                _ => Signal::Interrupt,
            };
            let stop = matches!(signal, Signal::Terminate | Signal::Interrupt);
            if stop && std::mem::replace(&mut stopping, true) {
                // Whatever the loop is stuck in, the user asked twice.
                let _ = signal_hook::low_level::emulate_default_handler(number);
            }
            if events.send(Event::Signal(signal)).is_err() {
                return;
            }
        }
    });
    Ok(())
}
