//! Any bytes for a JPEG: an error, or pixels of the size that its head states.
#![no_main]

use libfuzzer_sys::fuzz_target;
use park_serve::video::jpeg;

fuzz_target!(|bytes: &[u8]| {
    // What is large only takes long.
    if jpeg::size(bytes).is_ok_and(|(width, height)| width * height > 1 << 16) {
        return;
    }
    if let Ok(pixels) = jpeg::decode(bytes) {
        assert_eq!(pixels.bytes.len() as u64, u64::from(pixels.width) * u64::from(pixels.height) * 3);
        let _ = jpeg::shrink(&pixels, pixels.width / 2);
    }
});
