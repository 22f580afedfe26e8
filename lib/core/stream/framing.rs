//! Bytes into whole lines, without ever holding more than a line's limit.

use std::io::{self, Read};

/// What a read brought.
#[derive(Debug, PartialEq, Eq)]
pub enum Chunk {
    /// One or more whole lines; only the last line of an input may lack its newline.
    Lines(Vec<u8>),
    /// A line longer than the limit was passed over.
    TooLong,
}

/// Reads whole lines, many at a time. A line over the limit costs no memory beyond it.
#[derive(Debug)]
pub struct LineReader<R> {
    inner: R,
    max_line: usize,
    held: Vec<u8>,
    /// Bytes of a line over the limit that were passed over, while one is.
    skipping: Option<usize>,
    /// How many of them are an error.
    endless: usize,
    ended: bool,
}

const READ: usize = 256 * 1024;

impl<R: Read> LineReader<R> {
    /// Reads from `inner`, refusing lines of more than `max_line` bytes.
    pub fn new(inner: R, max_line: usize) -> Self {
        LineReader { inner, max_line, held: Vec::new(), skipping: None, endless: usize::MAX, ended: false }
    }

    /// The same, for somebody whom it does not do to listen to for ever: a line that is `times` the limit too long is an error.
    pub fn no_longer_than(self, times: usize) -> Self {
        LineReader { endless: self.max_line.saturating_mul(times), ..self }
    }

    /// The next lines, as many as one read brought; `None` at the end.
    pub fn next_chunk(&mut self) -> io::Result<Option<Chunk>> {
        while !self.ended {
            let before = self.held.len();
            self.held.resize(before + READ, 0);
            let count = match self.inner.read(&mut self.held[before..]) {
                Ok(count) => count,
                Err(error) => {
                    self.held.truncate(before);
                    if error.kind() == io::ErrorKind::Interrupted {
                        continue;
                    }
                    return Err(error);
                }
            };
            self.held.truncate(before + count);
            self.ended = count == 0;
            if let Some(chunk) = self.take(before) {
                return Ok(Some(chunk));
            }
            if self.skipping.is_some_and(|passed_over| passed_over > self.endless) {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a line without an end"));
            }
        }
        if self.held.is_empty() || self.skipping.take().is_some() {
            return Ok(None);
        }
        Ok(Some(Chunk::Lines(std::mem::take(&mut self.held))))
    }

    /// What can be given out, the bytes from `fresh` on being new.
    fn take(&mut self, mut fresh: usize) -> Option<Chunk> {
        if let Some(passed_over) = &mut self.skipping {
            let Some(end) = memchr::memchr(b'\n', &self.held) else {
                *passed_over = passed_over.saturating_add(self.held.len());
                self.held.clear();
                return None;
            };
            self.held.drain(..=end);
            self.skipping = None;
            fresh = 0;
        }
        let last = memchr::memrchr(b'\n', &self.held[fresh..]).map(|at| fresh + at);
        if let Some(last) = last {
            let rest = self.held.split_off(last + 1);
            return Some(Chunk::Lines(std::mem::replace(&mut self.held, rest)));
        }
        if self.held.len() > self.max_line {
            self.held = Vec::new();
            self.skipping = Some(0);
            return Some(Chunk::TooLong);
        }
        None
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Gives its bytes in pieces of the sizes named, the last size again and again.
    struct Pieces<'a>(&'a [u8], Vec<usize>);

    impl Read for Pieces<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let size = if self.1.len() > 1 { self.1.remove(0) } else { self.1[0] };
            let size = size.min(self.0.len()).min(out.len());
            out[..size].copy_from_slice(&self.0[..size]);
            self.0 = &self.0[size..];
            Ok(size)
        }
    }

    fn all(bytes: &[u8], sizes: Vec<usize>, max: usize) -> (Vec<u8>, usize) {
        let mut reader = LineReader::new(Pieces(bytes, sizes), max);
        let (mut lines, mut too_long) = (Vec::new(), 0);
        while let Some(chunk) = reader.next_chunk().unwrap() {
            match chunk {
                Chunk::Lines(bytes) => lines.extend(bytes),
                Chunk::TooLong => too_long += 1,
            }
        }
        (lines, too_long)
    }

    #[test]
    fn nothing_is_lost_however_the_bytes_arrive() {
        let text = b"one\ntwo\n\nthree";
        for size in 1..16 {
            assert_eq!(all(text, vec![size], 100), (text.to_vec(), 0));
        }
    }

    #[test]
    fn a_line_over_the_limit_is_passed_over_and_counted() {
        let mut text = b"first\n".to_vec();
        text.extend(std::iter::repeat_n(b'x', 1000));
        text.extend(b"\nlast\n");
        for size in [1, 3, 7, 64] {
            assert_eq!(all(&text, vec![size], 50), (b"first\nlast\n".to_vec(), 1), "pieces of {size}");
        }
        assert_eq!(all(&[b'x'; 1000], vec![64], 50), (Vec::new(), 1));
    }

    #[test]
    fn a_line_without_an_end_is_an_error_where_it_may_be_one() {
        let bytes = [&b"12345678901\nx\n"[..], &[b'y'; 60]].concat();
        let mut reader = LineReader::new(Pieces(&bytes, vec![1]), 10).no_longer_than(4);
        assert_eq!(reader.next_chunk().unwrap(), Some(Chunk::TooLong));
        assert_eq!(reader.next_chunk().unwrap(), Some(Chunk::Lines(b"x\n".to_vec())));
        assert_eq!(reader.next_chunk().unwrap(), Some(Chunk::TooLong));
        assert_eq!(reader.next_chunk().unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
