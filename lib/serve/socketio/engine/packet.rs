//! Engine.IO's packets (protocol version 4) against text. Pure.

use std::borrow::Cow;
use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

/// What separates the packets of a payload.
const SEPARATOR: char = '\u{1e}';

/// A packet of a client.
#[derive(Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// `1`: the client leaves.
    Close,
    /// `2`: only to try a WebSocket, with the text `probe`.
    Ping(&'a str),
    /// `3`: the answer to a ping.
    Pong,
    /// `4`: a message.
    Message(&'a str),
    /// Bytes: a frame of its own, or `b` and base64 among others of a payload.
    Binary(Cow<'a, [u8]>),
    /// `5`: what is polled from now on comes over the WebSocket.
    Upgrade,
    /// `6`: nothing.
    Noop,
}

/// What is no packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

impl<'a> Packet<'a> {
    /// Reads one packet of text, as it stands in a WebSocket's frame.
    pub fn read(text: &'a str) -> Result<Packet<'a>, Malformed> {
        let mut letters = text.chars();
        let kind = letters.next().ok_or(Malformed)?;
        let rest = letters.as_str();
        match kind {
            '1' if rest.is_empty() => Ok(Packet::Close),
            '2' => Ok(Packet::Ping(rest)),
            '3' => Ok(Packet::Pong),
            '4' => Ok(Packet::Message(rest)),
            '5' if rest.is_empty() => Ok(Packet::Upgrade),
            '6' if rest.is_empty() => Ok(Packet::Noop),
            _ => Err(Malformed),
        }
    }

    /// Reads the packets of a payload, as it is posted.
    pub fn of_payload(payload: &'a str) -> impl Iterator<Item = Result<Packet<'a>, Malformed>> {
        payload.split(SEPARATOR).map(|text| match text.strip_prefix('b') {
            Some(base64) => {
                STANDARD.decode(base64).map(|bytes| Packet::Binary(bytes.into())).map_err(|_| Malformed)
            }
            None => Packet::read(text),
        })
    }
}

/// The packets of pieces of WebSocket text frames, as a server sends them, joined to a payload. What waits for a client is
/// kept as it goes over a WebSocket; polling is for those who cannot have one.
pub fn payload_of(pieces: &[Bytes]) -> String {
    let mut payload = String::with_capacity(pieces.iter().map(Bytes::len).sum());
    for piece in pieces {
        let mut rest = piece.as_ref();
        while let Some((text, after)) = first_frame(rest) {
            if !payload.is_empty() {
                payload.push(SEPARATOR);
            }
            payload.push_str(&String::from_utf8_lossy(text));
            rest = after;
        }
    }
    payload
}

/// The text of the first unmasked frame, and what follows it.
fn first_frame(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (head, long) = match *bytes.get(1)? {
        127 => (10, u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)),
        126 => (4, u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        short => (2, u64::from(short)),
    };
    bytes.get(head..)?.split_at_checked(usize::try_from(long).ok()?)
}

/// The packet that opens a session (`0`).
pub fn open(sid: &str, upgrades: bool, interval: u128, timeout: u128, longest: usize) -> String {
    let mut text = String::from("0");
    let upgrades = if upgrades { r#""websocket""# } else { "" };
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        r#"{{"sid":"{sid}","upgrades":[{upgrades}],"pingInterval":{interval},"pingTimeout":{timeout},"maxPayload":{longest}}}"#
    );
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::channels::message::text_frame;

    #[test]
    fn packets_are_read() {
        for (text, packet) in [
            ("1", Packet::Close),
            ("2probe", Packet::Ping("probe")),
            ("3", Packet::Pong),
            ("40", Packet::Message("0")),
            ("4", Packet::Message("")),
            ("5", Packet::Upgrade),
            ("6", Packet::Noop),
        ] {
            assert_eq!(Packet::read(text), Ok(packet), "{text}");
        }
        for bad in ["", "0", "7", "a", "bAQID", "1x", "5x", "\u{1e}", "é4"] {
            assert_eq!(Packet::read(bad), Err(Malformed), "{bad}");
        }
    }

    #[test]
    fn a_payload_holds_several_packets() {
        let read = |payload| Packet::of_payload(payload).collect::<Result<Vec<_>, _>>();
        let binary = |bytes: &[u8]| Packet::Binary(bytes.to_vec().into());
        assert_eq!(
            read("4hello\u{1e}bAQIDBA==\u{1e}3"),
            Ok(vec![Packet::Message("hello"), binary(&[1, 2, 3, 4]), Packet::Pong])
        );
        assert_eq!(read("b"), Ok(vec![binary(&[])]));
        for bad in ["", "4a\u{1e}", "abc", "4a\u{1e}\u{1e}4b", "b?", "bAQIDBA"] {
            assert_eq!(read(bad), Err(Malformed), "{bad}");
        }
    }

    #[test]
    fn frames_become_a_payload() {
        let long = "4".repeat(200);
        let longer = "4".repeat(70_000);
        let pieces = [
            text_frame(b"40"),
            Bytes::from([text_frame(long.as_bytes()), text_frame(b"2")].concat()),
            text_frame(longer.as_bytes()),
        ];
        assert_eq!(payload_of(&pieces), ["40", &long, "2", &longer].join("\u{1e}"));
        assert_eq!(payload_of(&[]), "");
        assert_eq!(payload_of(&[Bytes::from_static(&[0x81, 126, 0])]), "");
    }

    #[test]
    fn a_session_opens_with_its_terms() {
        assert_eq!(
            open("x", true, 25_000, 20_000, 100_000),
            r#"0{"sid":"x","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":100000}"#
        );
    }
}
