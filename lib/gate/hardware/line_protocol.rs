//! The line protocol between a gate and its barrier, version 1. Lines end with a newline; a carriage return before it is
//! ignored; numbers are decimal.
//!
//! ```text
//! gate to barrier                        barrier to gate
//! OPEN <milliseconds> <nonce>            HELLO park-barrier 1      it has started; it is closed or closing
//! CLOSE <nonce>                          OK <nonce>                it does so (a repeated nonce is done once)
//! HOLD <nonce>                           ERR <nonce> <reason>      it does not
//! HB      once a second                  HB                        once a second
//!                                        STATE <state> [loop]      on change and every few seconds; `loop`: a vehicle
//!                                                                  stands on it
//! ```
//!
//! States: closed, opening, open, closing, held, fault. The reason `loop` means that a vehicle stands on it. The barrier measures the pulse; it closes by itself when it hears
//! nothing for three seconds; it never closes while its loop is covered.

use park_core::record::gate::GateState;

use crate::rules::controller::{Command, Report};

/// The longest line that means anything.
const LONGEST: usize = 80;

/// The line for a command, with its newline.
pub fn line(command: Command) -> String {
    match command {
        Command::Open { pulse, nonce } => format!("OPEN {pulse} {nonce}\n"),
        Command::Close { nonce } => format!("CLOSE {nonce}\n"),
        Command::Hold { nonce } => format!("HOLD {nonce}\n"),
        Command::Beat => "HB\n".to_owned(),
    }
}

/// What a line (without its end) of the barrier means; nothing if it is noise.
pub fn report(line: &[u8]) -> Option<Report> {
    let line = std::str::from_utf8(line).ok()?;
    let mut words = line.split_ascii_whitespace();
    let report = match words.next()? {
        "HB" => Report::Beat,
        "HELLO" => (words.next()? == "park-barrier" && words.next()? == "1").then_some(Report::Hello)?,
        "OK" => Report::Done(nonce(words.next()?)?),
        "ERR" => {
            let nonce = nonce(words.next()?)?;
            let reason: Vec<&str> = words.by_ref().collect();
            Report::Refused(nonce, reason.join(" "))
        }
        "STATE" => {
            let state = match words.next()? {
                "closed" => GateState::Closed,
                "opening" => GateState::Opening,
                "open" => GateState::Open,
                "closing" => GateState::Closing,
                "held" => GateState::Held,
                "fault" => GateState::Fault,
                _ => return None,
            };
            let on_loop = words.next();
            if on_loop.is_some_and(|word| word != "loop") {
                return None;
            }
            Report::State(state, Some(on_loop.is_some()))
        }
        _ => return None,
    };
    // A line with more to it was mangled on its way: believe none of it.
    words.next().is_none().then_some(report)
}

/// The number of a nonce; 0, which no command has, for one that cannot be ours.
fn nonce(word: &str) -> Option<u64> {
    let is_word = word.len() <= 20 && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_word.then(|| word.parse().unwrap_or(0))
}

/// Cuts what arrives into lines.
#[derive(Debug, Clone, Default)]
pub struct Lines {
    line: Vec<u8>,
    too_long: bool,
}

impl Lines {
    /// Takes what has arrived; gives each whole line to `each`, without its end. A line that is too long is given as an
    /// empty one: noise.
    pub fn push(&mut self, bytes: &[u8], mut each: impl FnMut(&[u8])) {
        for &byte in bytes {
            match byte {
                b'\n' if self.too_long => {
                    self.too_long = false;
                    self.line.clear();
                    each(b"");
                }
                b'\n' => {
                    each(self.line.strip_suffix(b"\r").unwrap_or(&self.line));
                    self.line.clear();
                }
                _ if self.line.len() == LONGEST => self.too_long = true,
                _ => self.line.push(byte),
            }
        }
    }

    /// Forgets half a line: the device was lost.
    pub fn clear(&mut self) {
        *self = Lines::default();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reports(bytes: &[u8]) -> Vec<Option<Report>> {
        let (mut lines, mut all) = (Lines::default(), Vec::new());
        lines.push(bytes, |line| all.push(report(line)));
        all
    }

    #[test]
    fn each_line_is_understood() {
        let heard = reports(
            b"HELLO park-barrier 1\r\nHB\nOK 17\nERR 18 motor stalled\nSTATE open loop\nSTATE closed\n",
        );
        assert_eq!(
            heard,
            [
                Some(Report::Hello),
                Some(Report::Beat),
                Some(Report::Done(17)),
                Some(Report::Refused(18, "motor stalled".to_owned())),
                Some(Report::State(GateState::Open, Some(true))),
                Some(Report::State(GateState::Closed, Some(false))),
            ]
        );
    }

    #[test]
    fn noise_is_nothing() {
        for noise in [
            "OK\n",
            "OK \x1b[A\n",
            "OK 1 2\n",
            "STATE ajar\n",
            "STATE open loop loop\n",
            "HELLO park-barrier 2\n",
            "\n",
            "ok 1\n",
            "STATE\n",
        ] {
            assert_eq!(reports(noise.as_bytes()), [None], "{noise:?}");
        }
        assert_eq!(reports(b"\xff\xfe\nHB\n"), [None, Some(Report::Beat)]);
        assert_eq!(reports(&[&b"OK "[..], &[b'1'; 500], b"\nHB\n"].concat()), [None, Some(Report::Beat)]);
    }

    #[test]
    fn commands_are_lines() {
        assert_eq!(line(Command::Open { pulse: 5000, nonce: 3 }), "OPEN 5000 3\n");
        assert_eq!(line(Command::Close { nonce: 4 }), "CLOSE 4\n");
        assert_eq!(line(Command::Hold { nonce: 5 }), "HOLD 5\n");
        assert_eq!(line(Command::Beat), "HB\n");
    }

    proptest! {
        // A file of failures would lie where the workspace looks for its members.
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_in_any_pieces_give_the_same(bytes in prop::collection::vec(any::<u8>(), 0..300), cut in 0usize..300) {
            let (mut lines, mut all) = (Lines::default(), Vec::new());
            let (first, second) = bytes.split_at(cut.min(bytes.len()));
            lines.push(first, |line| all.push(report(line)));
            lines.push(second, |line| all.push(report(line)));
            prop_assert_eq!(all, reports(&bytes));
        }
    }
}
