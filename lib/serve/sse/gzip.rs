//! One compressed stream for each client, of blocks that are compressed once for all.
//!
//! A deflate stream (RFC 1951) is a row of blocks. One that begins with nothing to refer back to and ends at a byte (a sync
//! flush) may stand in any stream, so a record's block is made once and shared like its text. Only the checksum at
//! the end of a gzip stream (RFC 1952) is a client's own; it is put together from those of the blocks.

use std::cell::RefCell;

use bytes::{BufMut, Bytes, BytesMut};
use crc32fast::Hasher;
use flate2::{Compress, Compression, FlushCompress};

/// What stands before the data of a block: checksum and length of the text, length of the data; four bytes each.
const HEAD: usize = 12;

/// The beginning of a gzip stream: deflate, no name, no time, unknown system.
const BEGIN: [u8; 10] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF];

/// The last block of a stream, empty.
const LAST: [u8; 2] = [3, 0];

thread_local! {
    /// Its tables are large: made once for each thread.
    static COMPRESS: RefCell<Compress> = RefCell::new(Compress::new(Compression::fast(), false));
}

/// The block of a text, for [`Gzip::pass`]. Blocks may be joined.
pub fn block(text: &[u8]) -> Bytes {
    let mut data = Vec::with_capacity(text.len() + 64);
    COMPRESS.with_borrow_mut(|compress| {
        compress.reset();
        // Done once it has taken all and had room to spare for the flush.
        while (compress.total_in() as usize) < text.len() || data.len() == data.capacity() {
            data.reserve(text.len() / 2 + 64);
            let rest = &text[compress.total_in() as usize..];
            // The only error there is concerns a preset dictionary.
            if compress.compress_vec(rest, &mut data, FlushCompress::Sync).is_err() {
                break;
            }
        }
    });
    let mut block = BytesMut::with_capacity(HEAD + data.len());
    block.put_u32(crc32fast::hash(text));
    block.put_u32(text.len() as u32);
    block.put_u32(data.len() as u32);
    block.put_slice(&data);
    block.freeze()
}

/// One client's stream.
#[derive(Debug, Clone, Default)]
pub struct Gzip {
    begun: bool,
    sum: Hasher,
    length: u64,
}

impl Gzip {
    /// Blocks as they go on the wire.
    pub fn pass(&mut self, mut blocks: Bytes) -> Bytes {
        let mut wire = BytesMut::with_capacity(BEGIN.len() + blocks.len());
        if !std::mem::replace(&mut self.begun, true) {
            wire.put_slice(&BEGIN);
        }
        while blocks.len() >= HEAD {
            let head = blocks.split_to(HEAD);
            let number =
                |at: usize| head[at..at + 4].iter().fold(0u32, |number, byte| number << 8 | u32::from(*byte));
            let length = u64::from(number(4));
            self.sum.combine(&Hasher::new_with_initial_len(number(0), length));
            self.length += length;
            wire.put_slice(&blocks.split_to((number(8) as usize).min(blocks.len())));
        }
        wire.freeze()
    }

    /// The end of the stream, with its checksum and length (modulo 2³²).
    pub fn end(&mut self) -> Bytes {
        let mut wire = BytesMut::from(&self.pass(Bytes::new())[..]);
        wire.put_slice(&LAST);
        wire.put_u32_le(self.sum.clone().finalize());
        wire.put_u32_le(self.length as u32);
        wire.freeze()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Read;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn shared_blocks_make_whole_streams(
            texts in prop::collection::vec(".{0,300}", 0..20),
            long in 0usize..100_000,
        ) {
            let mut texts = texts;
            texts.push("0123456789abcdef".repeat(long / 16));
            let blocks: Vec<Bytes> = texts.iter().map(|text| block(text.as_bytes())).collect();
            // Two clients, of which the second came later and takes its blocks joined.
            for from in [0, texts.len() / 2] {
                let mut gzip = Gzip::default();
                let mut wire = Vec::new();
                if from == 0 {
                    blocks.iter().for_each(|block| wire.extend_from_slice(&gzip.pass(block.clone())));
                } else {
                    wire.extend_from_slice(&gzip.pass(Bytes::from(blocks[from..].concat())));
                }
                wire.extend_from_slice(&gzip.end());
                let mut read = String::new();
                flate2::read::GzDecoder::new(&wire[..]).read_to_string(&mut read).unwrap();
                prop_assert_eq!(read, texts[from..].concat());
            }
        }
    }

    #[test]
    fn what_was_passed_can_be_read_before_the_end() {
        let mut gzip = Gzip::default();
        let wire = gzip.pass(block(b"data: 1\n\n"));
        let mut read = [0; 9];
        flate2::read::GzDecoder::new(&wire[..]).read_exact(&mut read).unwrap();
        assert_eq!(&read, b"data: 1\n\n");
    }
}
