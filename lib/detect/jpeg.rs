//! What a JPEG says of itself, read before a decoder makes room for it: ISO/IEC 10918-1, annex B.

/// Width and height in pixels.
pub type Size = [u32; 2];

/// The size of a whole JPEG; an error says in words why it cannot be used: another format, cut short, or a kind of
/// JPEG that is no 8-bit picture.
pub fn inspect(bytes: &[u8]) -> Result<Size, &'static str> {
    const CUT_SHORT: &str = "the JPEG is cut short";
    if !bytes.starts_with(&[0xFF, 0xD8]) {
        return Err("it is not a JPEG");
    }
    let mut size = None;
    let mut rest = &bytes[2..];
    loop {
        let [0xFF, marker, after @ ..] = rest else {
            return Err(if rest.len() < 2 { CUT_SHORT } else { "the JPEG is damaged" });
        };
        // A marker may be filled up with 0xFF, and some stand alone.
        if matches!(marker, 0xFF) {
            rest = &rest[1..];
            continue;
        }
        if matches!(marker, 0x01 | 0xD0..=0xD8) {
            rest = after;
            continue;
        }
        let length = after.first_chunk().map(|&length| usize::from(u16::from_be_bytes(length)));
        let length = length.filter(|&length| length >= 2 && length <= after.len()).ok_or(CUT_SHORT)?;
        let (segment, after) = after.split_at(length);
        match marker {
            // The scan runs to the end-of-image marker, which cannot stand within its data.
            0xDA if after.windows(2).rev().any(|pair| pair == [0xFF, 0xD9]) => {
                return size.ok_or("the JPEG is damaged");
            }
            0xDA => return Err(CUT_SHORT),
            0xC0..=0xCF if !matches!(marker, 0xC4 | 0xC8 | 0xCC) => size = Some(frame_size(segment)?),
            _ => {}
        }
        rest = after;
    }
}

/// The size in a frame header.
fn frame_size(segment: &[u8]) -> Result<Size, &'static str> {
    let &[_, _, precision, h1, h0, w1, w0, ..] = segment else { return Err("the JPEG is damaged") };
    if precision != 8 {
        return Err("it has more than 8 bits a sample");
    }
    Ok([u32::from(u16::from_be_bytes([w1, w0])), u32::from(u16::from_be_bytes([h1, h0]))])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Start, a segment to skip, a frame header of 320 x 200, a scan, the end.
    fn jpeg(precision: u8) -> Vec<u8> {
        let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xE1, 0, 4, 0xFF, 0xD9];
        bytes.extend([0xFF, 0xC2, 0, 11, precision, 0, 200, 1, 64, 1, 1, 0x11, 0]);
        bytes.extend([0xFF, 0xFF, 0xDA, 0, 2, 1, 2, 0xFF, 0, 3, 0xFF, 0xD9, 0, 0]);
        bytes
    }

    #[test]
    fn the_size_is_read_without_decoding() {
        assert_eq!(inspect(&jpeg(8)), Ok([320, 200]));
        assert!(inspect(&jpeg(12)).is_err());
        assert!(inspect(b"\x89PNG\r\n").is_err());
    }

    #[test]
    fn no_beginning_of_a_jpeg_is_a_whole_one() {
        let whole = jpeg(8);
        for end in 0..whole.len() - 2 {
            assert!(inspect(&whole[..end]).is_err(), "{end} bytes");
        }
    }
}
