//! Any bytes in pieces of any size: the lines come out whole, in order, none over the limit's reach.
#![no_main]

use std::io::{self, Read};

use libfuzzer_sys::fuzz_target;
use park_core::stream::{Chunk, LineReader};

struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let size = self.1.min(self.0.len()).min(out.len());
        out[..size].copy_from_slice(&self.0[..size]);
        self.0 = &self.0[size..];
        Ok(size)
    }
}

fuzz_target!(|input: (u8, &[u8])| {
    let (size, bytes) = input;
    let limit = 64;
    let mut reader = LineReader::new(Pieces(bytes, usize::from(size) + 1), limit);
    let mut lines = Vec::new();
    let mut whole = true;
    while let Ok(Some(chunk)) = reader.next_chunk() {
        match chunk {
            Chunk::Lines(more) => lines.extend(more),
            Chunk::TooLong => whole = false,
        }
    }
    assert!(!whole || lines == bytes);
});
