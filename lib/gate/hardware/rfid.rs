//! The frames of 125 kHz card readers: RDM6300 and ID-12.
//!
//! ```text
//! RDM6300   02  D0 … D9         C0 C1          03     14 bytes, every 50 ms or so while the card is near
//! ID-12     02  D0 … D9         C0 C1  0D 0A   03     16 bytes, once
//!           |   ten hex digits  |              |
//!           STX the number      its checksum   ETX    checksum: the five bytes of the number, XORed
//! ```

/// Why a frame is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reject {
    /// It is cut off, too long, or holds something that is no hex digit.
    Frame,
    /// Its checksum is wrong.
    Checksum,
    /// It is all zeros, which is what noise looks like to the checksum.
    Zero,
}

/// Puts frames together from the bytes of a reader.
#[derive(Debug, Clone, Default)]
pub struct Framer {
    digits: Option<Vec<u8>>,
}

const START: u8 = 0x02;
const END: u8 = 0x03;
const DIGITS: usize = 12;

impl Framer {
    /// Takes what has arrived; gives each card (ten hex digits in upper case) or the reason against it to `each`. Bytes
    /// outside of a frame are passed over.
    pub fn push(&mut self, bytes: &[u8], mut each: impl FnMut(Result<String, Reject>)) {
        for &byte in bytes {
            match (byte, &mut self.digits) {
                (START, digits) => {
                    if digits.replace(Vec::with_capacity(DIGITS)).is_some() {
                        each(Err(Reject::Frame));
                    }
                }
                (END, Some(digits)) => {
                    each(card(digits));
                    self.digits = None;
                }
                (b'\r' | b'\n', Some(digits)) if digits.len() == DIGITS => {}
                (_, Some(digits)) if digits.len() == DIGITS || !byte.is_ascii_hexdigit() => {
                    self.digits = None;
                    each(Err(Reject::Frame));
                }
                (_, Some(digits)) => digits.push(byte.to_ascii_uppercase()),
                (_, None) => {}
            }
        }
    }

    /// Forgets half a frame: the reader was lost.
    pub fn clear(&mut self) {
        self.digits = None;
    }
}

/// The card whose number and checksum these digits are.
fn card(digits: &[u8]) -> Result<String, Reject> {
    let text = std::str::from_utf8(digits).ok().filter(|text| text.len() == DIGITS).ok_or(Reject::Frame)?;
    let bits = u64::from_str_radix(text, 16).map_err(|_| Reject::Frame)?;
    let [_, _, number @ .., checksum] = bits.to_be_bytes();
    if number.iter().fold(0, |sum, byte| sum ^ byte) != checksum {
        return Err(Reject::Checksum);
    }
    if number == [0; 5] {
        return Err(Reject::Zero);
    }
    Ok(text[..10].to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frames(bytes: &[u8]) -> Vec<Result<String, Reject>> {
        let (mut framer, mut all) = (Framer::default(), Vec::new());
        framer.push(bytes, |frame| all.push(frame));
        all
    }

    #[test]
    fn both_readers_frames_are_understood() {
        // The number and its checksum were read from a real card whose print says 0008844356.
        let card = || Ok("100086F444".to_owned());
        assert_eq!(frames(b"\x02100086F44426\x03"), [card()]);
        assert_eq!(frames(b"\x02100086f44426\r\n\x03"), [card()]);
        assert_eq!(frames(b"noise\x03\x02100086F44426\x03\x02100086F44426\x03"), [card(), card()]);
    }

    #[test]
    fn what_cannot_be_believed_is_rejected() {
        assert_eq!(frames(b"\x02100086F44427\x03"), [Err(Reject::Checksum)]);
        assert_eq!(frames(b"\x02000000000000\x03"), [Err(Reject::Zero)]);
        assert_eq!(frames(b"\x02100086F444\x03"), [Err(Reject::Frame)]);
        assert_eq!(frames(b"\x02100086F4442\x02100086F44426\x03").len(), 2);
        assert_eq!(frames(b"\x02100086G44426\x03"), [Err(Reject::Frame)]);
        assert_eq!(frames(b"\x02100086F444260\x03"), [Err(Reject::Frame)]);
        assert_eq!(frames(b"\x02+00086F44426\x03"), [Err(Reject::Frame)]);
    }

    proptest! {
        // A file of failures would lie where the workspace looks for its members.
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_card_survives_its_frame_in_any_pieces(number in 1u64..1 << 40, cut in 0usize..14) {
            let bytes = number.to_be_bytes();
            let checksum = bytes.iter().fold(0, |sum, byte| sum ^ byte);
            let frame = format!("\x02{number:010X}{checksum:02X}\x03");
            let (mut framer, mut all) = (Framer::default(), Vec::new());
            let (first, second) = frame.as_bytes().split_at(cut);
            framer.push(first, |frame| all.push(frame));
            framer.push(second, |frame| all.push(frame));
            prop_assert_eq!(all, vec![Ok(format!("{number:010X}"))]);
        }

        #[test]
        fn noise_is_never_a_panic_nor_zero(bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(2), Just(3), Just(b'0')], 0..200)) {
            for card in frames(&bytes).into_iter().flatten() {
                prop_assert_eq!(card.len(), 10);
                prop_assert_ne!(card, "0000000000");
            }
        }
    }
}
