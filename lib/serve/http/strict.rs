//! Line ends of requests, looked at before hyper does. It takes a bare LF for a line end, as a server may (RFC 9112,
//! section 2.2); a proxy before us may not, and whoever can make the two disagree on where a request ends can hide one.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection of HTTP/1.1 whose request lines and headers end with CRLF: what else would end one becomes a NUL, which no
/// header may hold, and hyper answers 400 and closes.
///
/// Bodies whose length is given are passed over. After a request with a body in chunks, or one that asks to upgrade, nothing
/// is looked at any more: the answer must end the connection, unless it upgrades it.
pub struct Strict<S> {
    stream: S,
    head: Head,
}

impl<S> Strict<S> {
    /// Looks at what comes over `stream` from now on.
    pub fn new(stream: S) -> Strict<S> {
        Strict { stream, head: Head::default() }
    }
}

/// How much of a line must be known: a field's name, and a length in decimal.
const KNOWN: usize = 32;

/// Where in a request the next byte is.
#[derive(Default)]
struct Head {
    line: [u8; KNOWN],
    /// How long the line is so far, without its end.
    length: usize,
    /// Whether the last byte was a CR.
    cr: bool,
    /// Whether the request's first line has come.
    begun: bool,
    /// The length of the body.
    body: u64,
    /// What is left of the body that is being passed over.
    left: u64,
    /// Whether this is the connection's last request.
    last: bool,
    /// Whether nothing is looked at any more.
    done: bool,
}

impl Head {
    fn look(&mut self, mut bytes: &mut [u8]) {
        while !self.done && !bytes.is_empty() {
            if self.left > 0 {
                let over = bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
                self.left -= over as u64;
                bytes = &mut bytes[over..];
                continue;
            }
            let Some((byte, rest)) = bytes.split_first_mut() else { return };
            if !self.take(*byte) {
                *byte = 0;
                self.done = true;
            }
            bytes = rest;
        }
    }

    /// Takes one byte of a head; false if it must not be there.
    fn take(&mut self, byte: u8) -> bool {
        if byte != b'\n' {
            // A CR within a line is for hyper to refuse.
            if let Some(place) = self.line.get_mut(self.length) {
                *place = byte.to_ascii_lowercase();
            }
            self.length += 1;
            self.cr = byte == b'\r';
            return true;
        }
        if !self.cr {
            return false;
        }
        let length = self.length - 1;
        (self.length, self.cr) = (0, false);
        match (length, self.begun) {
            (0, false) => true,
            (0, true) => {
                *self = Head { left: self.body, done: self.last, ..Head::default() };
                true
            }
            (_, false) => {
                self.begun = true;
                true
            }
            (_, true) => self.field(length),
        }
    }

    fn field(&mut self, length: usize) -> bool {
        let line = &self.line[..length.min(KNOWN)];
        if let Some(value) = line.strip_prefix(b"content-length:") {
            let number = std::str::from_utf8(value).ok().map(str::trim).filter(|_| length <= KNOWN);
            let digits = number.filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
            let Some(body) = digits.and_then(|digits| digits.parse().ok()) else { return false };
            self.body = body;
        }
        self.last |= line.starts_with(b"transfer-encoding:") || line.starts_with(b"upgrade:");
        true
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Strict<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
        if !this.head.done {
            this.head.look(&mut buffer.filled_mut()[before..]);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Strict<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes through, whatever the pieces it comes in.
    fn through(text: &str) -> String {
        let mut whole = text.as_bytes().to_vec();
        Head::default().look(&mut whole);
        for size in [1, 2, 3, 7] {
            let (mut head, mut bytes) = (Head::default(), text.as_bytes().to_vec());
            bytes.chunks_mut(size).for_each(|piece| head.look(piece));
            assert_eq!(bytes, whole, "in pieces of {size}");
        }
        String::from_utf8_lossy(&whole).into_owned()
    }

    #[test]
    fn what_is_in_order_comes_through() {
        for text in [
            "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\n\r\n",
            "\r\nPOST / HTTP/1.1\r\nCONTENT-length:  5\r\n\r\na\nb\ncGET / HTTP/1.1\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n\n\r\n0\r\n\r\n",
            "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\n\n\n",
        ] {
            assert_eq!(through(text), text);
        }
    }

    #[test]
    fn a_bare_line_feed_does_not() {
        for text in [
            "GET / HTTP/1.1\nHost: x\n\n",
            "GET / HTTP/1.1\r\nX: a\nY: b\r\n\r\n",
            "GET / HTTP/1.1\r\nX: a\r\n\n",
            "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\na\nbGET / HTTP/1.1\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: +2\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 2, 2\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length:                              2\r\n\r\n",
        ] {
            assert_eq!(through(text).matches('\0').count(), 1, "{text:?}");
        }
    }
}
