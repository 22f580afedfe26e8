//! Pictures: JPEG read within limits, made smaller, coded again. Pure.

use bytes::Bytes;
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// The longest side of a picture that is taken.
pub const LONGEST_SIDE: u32 = 8192;

/// The most pixels of a picture that is taken: a progressive one of this size needs some 150 MB while it is read.
pub const MOST_PIXELS: u64 = 16 << 20;

/// Three bytes a pixel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pixels {
    /// Row by row, without padding.
    pub bytes: Vec<u8>,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Whether blue comes first.
    pub bgr: bool,
}

/// Whether a picture of this size is taken.
pub fn fits(width: u32, height: u32) -> bool {
    let sides = 1..=LONGEST_SIDE;
    sides.contains(&width) && sides.contains(&height) && u64::from(width) * u64::from(height) <= MOST_PIXELS
}

/// The size of a JPEG, from its head alone. The error says what is wrong with it.
pub fn size(jpeg: &[u8]) -> Result<(u32, u32), String> {
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(jpeg), options());
    decoder.decode_headers().map_err(|error| format!("no JPEG: {error}"))?;
    let info = decoder.info().ok_or("no JPEG: it has no size")?;
    let (width, height) = (u32::from(info.width), u32::from(info.height));
    if !fits(width, height) {
        return Err(format!("{width} x {height} pixels are too many"));
    }
    Ok((width, height))
}

/// The pixels of a JPEG. One that is cut off gives what there is of it.
pub fn decode(jpeg: &[u8]) -> Result<Pixels, String> {
    let (width, height) = size(jpeg)?;
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(jpeg), options());
    let bytes = decoder.decode().map_err(|error| format!("no JPEG: {error}"))?;
    if bytes.len() as u64 != u64::from(width) * u64::from(height) * 3 {
        return Err("no JPEG of three colours".into());
    }
    Ok(Pixels { bytes, width, height, bgr: false })
}

fn options() -> DecoderOptions {
    let side = LONGEST_SIDE as usize;
    DecoderOptions::default()
        .set_max_width(side)
        .set_max_height(side)
        .jpeg_set_out_colorspace(ColorSpace::RGB)
}

/// The picture made `width` pixels wide, in proportion; nothing if it is no wider than that.
pub fn shrink(pixels: &Pixels, width: u32) -> Result<Option<Pixels>, String> {
    if width == 0 || width >= pixels.width {
        return Ok(None);
    }
    let failed = |error: &dyn std::fmt::Display| format!("resizing: {error}");
    let height = (u64::from(pixels.height) * u64::from(width) / u64::from(pixels.width)).max(1) as u32;
    let from = ImageRef::new(pixels.width, pixels.height, &pixels.bytes, PixelType::U8x3)
        .map_err(|error| failed(&error))?;
    let mut to = Image::new(width, height, PixelType::U8x3);
    let bilinear = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
    Resizer::new().resize(&from, &mut to, &bilinear).map_err(|error| failed(&error))?;
    Ok(Some(Pixels { bytes: to.into_vec(), width, height, bgr: pixels.bgr }))
}

/// The picture as a JPEG of `quality`, 1 to 100.
pub fn encode(pixels: &Pixels, quality: u8) -> Result<Bytes, String> {
    let failed = |error: &dyn std::fmt::Display| format!("coding a JPEG: {error}");
    let side = |length: u32| u16::try_from(length).map_err(|error| failed(&error));
    let colours = if pixels.bgr { ColorType::Bgr } else { ColorType::Rgb };
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, quality.clamp(1, 100));
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder
        .encode(&pixels.bytes, side(pixels.width)?, side(pixels.height)?, colours)
        .map_err(|error| failed(&error))?;
    Ok(Bytes::from(jpeg))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use super::*;

    /// A picture whose brightness grows to the right.
    pub fn ramp(width: u32, height: u32) -> Pixels {
        let row = (0..width).flat_map(|x| [(x * 255 / width) as u8; 3]);
        let bytes = (0..height).flat_map(|_| row.clone()).collect();
        Pixels { bytes, width, height, bgr: false }
    }

    #[test]
    fn a_picture_survives_coding_and_shrinking() {
        let picture = ramp(320, 200);
        let jpeg = encode(&picture, 90).unwrap();
        assert_eq!(size(&jpeg).unwrap(), (320, 200));
        let again = decode(&jpeg).unwrap();
        let off = |a: &[u8], b: &[u8]| a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(off(&picture.bytes, &again.bytes) < 12);
        let small = shrink(&again, 160).unwrap().unwrap();
        assert_eq!((small.width, small.height, small.bytes.len()), (160, 100, 48_000));
        assert!(off(&small.bytes, &ramp(160, 100).bytes) < 12);
        assert_eq!(shrink(&small, 160).unwrap(), None);
        assert!(encode(&small, 20).unwrap().len() < encode(&small, 80).unwrap().len());
    }

    #[test]
    fn what_is_no_picture_or_too_large_is_refused() {
        let jpeg = encode(&ramp(64, 64), 80).unwrap();
        for bad in [&b""[..], b"\xff\xd8", b"GIF89a", &jpeg[..20], &[0; 1000]] {
            assert!(size(bad).is_err() && decode(bad).is_err(), "{} bytes", bad.len());
        }
        // The size stands in the frame's head: marker SOF0, its length, the precision, then height and width.
        let at = jpeg.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap() + 5;
        for (height, width) in [(65_535u16, 65_535u16), (8000, 8000), (8192, 1), (1, 9000)] {
            let mut huge = jpeg.to_vec();
            huge[at..at + 2].copy_from_slice(&height.to_be_bytes());
            huge[at + 2..at + 4].copy_from_slice(&width.to_be_bytes());
            let taken = size(&huge);
            assert_eq!(taken.is_ok(), fits(width.into(), height.into()), "{width} x {height}: {taken:?}");
        }
    }

    #[test]
    fn a_picture_that_is_cut_off_ends_nothing() {
        let jpeg = encode(&ramp(256, 256), 90).unwrap();
        for length in (0..jpeg.len()).step_by(7) {
            let _ = decode(&jpeg[..length]);
        }
    }
}
