//! What a JPEG file says of itself, without decoding it (ITU-T T.81, annex B; Exif 2.3, section 4).

/// The frame header of a JPEG, and whether the file is all there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jpeg {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Whether every decoder shows it the same way: 8 bits, grey or colour, not turned by its Exif data.
    pub plain: bool,
    /// Whether the coded picture ends with its end marker. A truncated one decodes too, to half a picture over grey.
    pub complete: bool,
}

const START_OF_IMAGE: [u8; 2] = [0xFF, 0xD8];
const START_OF_SCAN: u8 = 0xDA;
const EXIF: u8 = 0xE1;

/// The header of the JPEG in `bytes`; `None` if it is none, or is broken before its first scan.
pub fn inspect(bytes: &[u8]) -> Option<Jpeg> {
    let mut rest = bytes.strip_prefix(&START_OF_IMAGE)?;
    let mut frame = None;
    let mut turned = false;
    loop {
        // A marker may be preceded by any number of fill bytes.
        let marker = rest.iter().position(|byte| *byte != 0xFF)?;
        let kind = rest[marker];
        if marker == 0 {
            return None;
        }
        rest = &rest[marker + 1..];
        let length = usize::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?]));
        let segment = rest.get(2..length)?;
        match kind {
            START_OF_SCAN => break,
            // The start-of-frame markers; C4, C8 and CC among them mean something else.
            0xC0..=0xCF if !matches!(kind, 0xC4 | 0xC8 | 0xCC) => {
                frame = Some((kind, frame_header(segment)?))
            }
            EXIF => turned |= segment.strip_prefix(b"Exif\0\0").and_then(orientation).is_some_and(|o| o != 1),
            _ => {}
        }
        rest = &rest[length..];
    }
    let (kind, (precision, width, height, components)) = frame?;
    let coding = (0xC0..=0xC2).contains(&kind);
    let plain = coding && precision == 8 && matches!(components, 1 | 3) && !turned;
    // Within coded data FF is always followed by 00 or a restart marker, so FF D9 is the end and nothing else.
    let complete = rest.windows(2).any(|pair| pair == [0xFF, 0xD9]);
    Some(Jpeg { width, height, plain, complete })
}

/// Precision, width, height and number of components.
fn frame_header(segment: &[u8]) -> Option<(u8, u32, u32, u8)> {
    let [precision, h1, h0, w1, w0, components, ..] = *segment else { return None };
    let (width, height) = (u16::from_be_bytes([w1, w0]), u16::from_be_bytes([h1, h0]));
    (width > 0 && height > 0).then_some((precision, width.into(), height.into(), components))
}

/// The orientation (1 to 8, 1 is upright) in Exif data, which is a TIFF file.
fn orientation(tiff: &[u8]) -> Option<u16> {
    let big = match tiff.get(..2)? {
        b"MM" => true,
        b"II" => false,
        _ => return None,
    };
    let short = |at: usize| {
        let bytes = [*tiff.get(at)?, *tiff.get(at + 1)?];
        Some(if big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    };
    let (high, low) = if big { (4, 6) } else { (6, 4) };
    let directory = usize::from(short(high)?) << 16 | usize::from(short(low)?);
    let entries = usize::from(short(directory)?);
    (0..entries).map(|entry| directory + 2 + entry * 12).find_map(|at| match short(at)? {
        0x0112 => short(at + 8),
        _ => None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A JPEG's skeleton: the given segments, a frame header of 640 x 480, a scan with stuffed bytes.
    fn skeleton(extra: &[u8], end: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0xFF, 0xD8];
        bytes.extend(extra);
        bytes.extend([0xFF, 0xC0, 0, 17, 8, 1, 0xE0, 2, 0x80, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]);
        bytes.extend([0xFF, 0xDA, 0, 12, 3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0, 1, 2, 0xFF, 0, 3]);
        bytes.extend(end);
        bytes
    }

    fn exif(order: &[u8; 2], number: fn(u16) -> [u8; 2], turn: u16) -> Vec<u8> {
        let mut tiff = order.to_vec();
        tiff.extend(number(42));
        tiff.extend(if order == b"MM" { [0, 0, 0, 8] } else { [8, 0, 0, 0] });
        tiff.extend(number(1));
        tiff.extend([number(0x0112), number(3)].concat());
        tiff.extend(if order == b"MM" { [0, 0, 0, 1] } else { [1, 0, 0, 0] });
        tiff.extend([number(turn), [0, 0]].concat());
        let mut segment = vec![0xFF, 0xE1];
        segment.extend((2 + 6 + tiff.len() as u16).to_be_bytes());
        segment.extend(b"Exif\0\0");
        segment.extend(tiff);
        segment
    }

    #[test]
    fn a_whole_picture_and_its_size() {
        let jpeg = inspect(&skeleton(&[], &[0xFF, 0xD9])).unwrap();
        assert_eq!(jpeg, Jpeg { width: 640, height: 480, plain: true, complete: true });
    }

    #[test]
    fn a_thumbnails_end_is_not_the_pictures() {
        let thumbnail = [0xFF, 0xE0, 0, 6, 0xFF, 0xD9, 1, 2];
        assert!(!inspect(&skeleton(&thumbnail, &[])).unwrap().complete);
    }

    #[test]
    fn a_turned_picture_is_not_plain() {
        for (turn, plain) in [(1, true), (6, false), (8, false)] {
            for segment in [exif(b"MM", u16::to_be_bytes, turn), exif(b"II", u16::to_le_bytes, turn)] {
                assert_eq!(inspect(&skeleton(&segment, &[])).unwrap().plain, plain, "orientation {turn}");
            }
        }
    }

    #[test]
    fn broken_headers_are_no_jpeg_and_no_panic() {
        let whole = skeleton(&exif(b"II", u16::to_le_bytes, 6), &[0xFF, 0xD9]);
        let scan = whole.windows(2).position(|pair| pair == [0xFF, 0xDA]).unwrap();
        for end in 0..scan {
            assert_eq!(inspect(&whole[..end]), None, "cut at {end}");
        }
        for at in 0..whole.len() {
            for value in [0, 0x7F, 0xFF] {
                let mut bent = whole.clone();
                bent[at] = value;
                let _ = inspect(&bent);
            }
        }
        assert_eq!(inspect(b"GIF89a"), None);
    }
}
