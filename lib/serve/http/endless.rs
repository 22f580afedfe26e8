//! Answers that have no end. hyper keeps two buffers of 8 KiB for as long as an answer lasts; ten thousand streams must
//! not, so that the connection of such an answer is taken over from it and written to here.

use std::io;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::http::response::Parts;
use hyper::{Response, StatusCode};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::{Body, Connection, plain};
use crate::server::Server;

/// Marks an answer that has no end, among the extensions of its head.
#[derive(Debug, Clone, Copy)]
pub struct Endless {
    /// How long the client may take nothing before it is cut off.
    pub patience: Duration,
}

/// A connection that nobody else reads or writes.
pub trait Line: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Line for S {}

/// Where whoever wants a connection to himself waits for it.
#[derive(Default)]
pub struct Exit(Mutex<Option<oneshot::Sender<Box<dyn Line>>>>);

impl Exit {
    fn waiting(&self) -> Option<oneshot::Sender<Box<dyn Line>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The connection, once all that was written before has left. Nothing if it ends first.
    async fn take(&self) -> Option<Box<dyn Line>> {
        let (taker, taken) = oneshot::channel();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(taker);
        taken.await.ok()
    }
}

/// A connection until somebody takes it over: whoever holds this then hears nothing more and can write nothing more.
pub struct Takeable<S> {
    stream: Option<S>,
    exit: Arc<Exit>,
}

impl<S> Takeable<S> {
    /// Holds `stream` until it is asked for at `exit`.
    pub fn new(stream: S, exit: Arc<Exit>) -> Takeable<S> {
        Takeable { stream: Some(stream), exit }
    }
}

fn taken() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "taken over")
}

impl<S: AsyncRead + Unpin> AsyncRead for Takeable<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Some(stream) => Pin::new(stream).poll_read(context, buffer),
            // An end would end the request that is still being answered.
            None => Poll::Pending,
        }
    }
}

impl<S: Line + 'static> AsyncWrite for Takeable<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().stream {
            Some(stream) => Pin::new(stream).poll_write(context, bytes),
            None => Poll::Ready(Err(taken())),
        }
    }

    /// hyper calls this only when it has nothing left to write: the moment to hand over.
    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let Some(stream) = &mut this.stream else { return Poll::Ready(Ok(())) };
        ready!(Pin::new(stream).poll_flush(context))?;
        if let Some(taker) = this.exit.waiting()
            && let Some(stream) = this.stream.take()
        {
            // Whoever asked may be gone; the connection ends with him.
            let _ = taker.send(Box::new(stream));
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Some(stream) => Pin::new(stream).poll_shutdown(context),
            None => Poll::Ready(Ok(())),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().stream {
            Some(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            None => Poll::Ready(Err(taken())),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }
}

/// Sees to an answer that has no end, and returns any other for hyper to write. What is returned for an endless one
/// reaches nobody: hyper finds that it cannot write, and ends.
pub async fn see_to(response: Response<Body>, connection: Connection, server: Arc<Server>) -> Response<Body> {
    let Some(Endless { patience }) = response.extensions().get().copied() else { return response };
    if let Some(line) = connection.exit.take().await {
        tokio::spawn(async move {
            if last(line, response, patience)
                .await
                .is_err_and(|error| error.kind() == io::ErrorKind::TimedOut)
            {
                server.hub.counts.cut.fetch_add(1, Ordering::Relaxed);
            }
            drop(connection);
        });
    }
    plain(StatusCode::OK, "")
}

/// Writes an answer until it or the connection ends.
async fn last(mut line: Box<dyn Line>, response: Response<Body>, patience: Duration) -> io::Result<()> {
    let (parts, mut body) = response.into_parts();
    write(&mut line, &head(&parts), patience).await?;
    drop(parts);
    let mut waste = [0; 64];
    loop {
        let frame = tokio::select! {
            frame = body.frame() => frame,
            read = line.read(&mut waste) => match read? {
                0 => return Ok(()),
                // Whatever is asked next has no answer: this one does not end.
                _ => continue,
            },
        };
        let Some(frame) = frame.transpose()? else { break };
        if let Ok(bytes) = frame.into_data() {
            write(&mut line, &bytes, patience).await?;
        }
    }
    timeout(patience, line.shutdown()).await?
}

async fn write(line: &mut Box<dyn Line>, bytes: &[u8], patience: Duration) -> io::Result<()> {
    timeout(patience, async {
        line.write_all(bytes).await?;
        line.flush().await
    })
    .await?
}

/// The head of an answer whose body ends with the connection (RFC 9112, section 6.3).
fn head(parts: &Parts) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {}\r\nconnection: close\r\n", parts.status).into_bytes();
    for (name, value) in &parts.headers {
        if name != hyper::header::CONNECTION {
            head.extend_from_slice(name.as_str().as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(value.as_bytes());
            head.extend_from_slice(b"\r\n");
        }
    }
    head.extend_from_slice(b"\r\n");
    head
}
