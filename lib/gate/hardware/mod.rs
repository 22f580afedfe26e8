//! The gate's devices, one small file each. Parsers are pure functions over bytes; only [`port`] opens a device.

pub mod barrier;
pub mod line_protocol;
pub mod port;
pub mod rfid;
pub mod sim;

use std::str::FromStr;

/// A serial port by its stable name, such as `/dev/serial/by-id/…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerialName {
    /// The device.
    pub path: String,
    /// Its speed.
    pub baud: u32,
}

/// What RDM6300 and ID-12 speak, and what an Arduino speaks by default.
const BAUD: u32 = 9600;

impl FromStr for SerialName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name =
            text.strip_prefix("serial:").ok_or_else(|| format!("{text:?} is not serial:DEVICE[@BAUD]"))?;
        let (path, baud) = match name.rsplit_once('@') {
            Some((path, baud)) => {
                (path, baud.parse().map_err(|_| format!("{baud:?} is not a speed in baud"))?)
            }
            None => (name, BAUD),
        };
        if path.is_empty() || baud == 0 {
            return Err(format!("{text:?} is not serial:DEVICE[@BAUD]"));
        }
        Ok(SerialName { path: path.to_owned(), baud })
    }
}

/// Which barrier a gate has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BarrierName {
    /// None: decisions only.
    None,
    /// A simulated one, in event time.
    Sim,
    /// One that speaks the line protocol over a serial port.
    Serial(SerialName),
}

impl FromStr for BarrierName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(BarrierName::None),
            "sim" => Ok(BarrierName::Sim),
            _ => text
                .parse()
                .map(BarrierName::Serial)
                .map_err(|_| format!("{text:?} is not none, sim or serial:DEVICE[@BAUD]")),
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod transcripts;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_named() {
        let name: SerialName = "serial:/dev/serial/by-id/usb-1a86@if00@19200".parse().unwrap();
        assert_eq!((name.path.as_str(), name.baud), ("/dev/serial/by-id/usb-1a86@if00", 19_200));
        assert_eq!("serial:/dev/ttyUSB0".parse::<SerialName>().unwrap().baud, 9600);
        assert_eq!("sim".parse::<BarrierName>().unwrap(), BarrierName::Sim);
        for wrong in ["serial:", "/dev/ttyUSB0", "serial:/dev/tty@fast", "serial:/dev/tty@0", "relay"] {
            assert!(wrong.parse::<BarrierName>().is_err(), "{wrong}");
        }
    }
}
