//! One WebSocket connection: shared frames out in few writes, messages in.
//!
//! tungstenite reads, answers pings and closes; the records go out beneath it as frames that were encoded once for
//! everybody. That is sound because nothing of tungstenite's own is half written when they do: it is flushed first.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Sleep, sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::CapacityError;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use crate::hub::{Queue, Subscription, Taken, Why};
use crate::operations::Visit;

/// An unmasked ping without a payload.
pub const PING: Bytes = Bytes::from_static(&[0x89, 0]);

/// Frames that wait are joined into writes of about this size.
const WRITE: usize = 64 * 1024;

/// How long a write may take before the connection is given up: nothing can be said on it any more.
const STALLED: Duration = Duration::from_secs(10);

/// How long the other side may take to answer a close.
const FAREWELL: Duration = Duration::from_secs(2);

/// How long nothing must come from one that is not listened to any more, before the connection is closed.
const QUIET: Duration = Duration::from_millis(200);

/// How long a client that has just come may be silent: it is pinged at once, and whatever speaks WebSocket answers.
const TRIAL: Duration = Duration::from_secs(10);

/// What happens next on a connection.
pub enum Turn {
    /// The client has sent something.
    Message(Message),
    /// The queue has ended.
    Ended(Why),
    /// The connection has ended.
    Gone,
}

/// A connection.
pub struct Socket {
    stream: WebSocketStream<TokioIo<Upgraded>>,
    visit: Option<Arc<Visit>>,
    /// Until when it must be heard of for the first time.
    trial: Option<Pin<Box<Sleep>>>,
}

impl Socket {
    /// Takes over the upgraded connection of `visit`, if that has begun; messages of more than `limit` bytes end it. It
    /// holds `buffer` bytes to read into.
    pub async fn new(upgraded: Upgraded, visit: Option<Arc<Visit>>, limit: usize, buffer: usize) -> Socket {
        let config = WebSocketConfig::default()
            .read_buffer_size(buffer)
            .write_buffer_size(0)
            .max_write_buffer_size(64 * 1024)
            .max_message_size(Some(limit))
            .max_frame_size(Some(limit));
        let stream =
            WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
        let mut socket = Socket { stream, visit, trial: Some(Box::pin(sleep(TRIAL))) };
        let _ = Box::pin(timeout(STALLED, socket.write(vec![PING]))).await;
        socket
    }

    /// Whose connection it is from now on.
    pub fn belongs(&mut self, visit: Option<Arc<Visit>>) {
        self.visit = visit;
    }

    /// Whether somebody's visit has begun.
    pub fn is_visited(&self) -> bool {
        self.visit.is_some()
    }

    fn ends(&self, why: &'static str) {
        if let Some(visit) = &self.visit {
            visit.ends(why);
        }
    }

    fn sent(&self, bytes: usize) {
        if let Some(visit) = &self.visit {
            visit.sent(bytes);
        }
    }

    /// The next message; meanwhile what waits for the subscriber is sent. Nothing once the connection has ended.
    ///
    /// Whatever an idle connection is not waiting for is boxed: it keeps room for this future.
    pub async fn next(&mut self, subscription: &Subscription) -> Option<Utf8Bytes> {
        loop {
            tokio::select! {
                taken = subscription.queue.take(WRITE) => match taken {
                    Taken::Frames(frames) => Box::pin(timeout(STALLED, self.write(frames))).await.ok()?.ok()?,
                    Taken::End(why) => {
                        self.ends(why.name());
                        let (code, reason) = farewell(why);
                        Box::pin(self.close(code, reason)).await;
                        return None;
                    }
                },
                () = over(&mut self.trial) => {
                    Box::pin(self.close(CloseCode::Policy, "no answer to the first ping")).await;
                    return None;
                }
                message = self.stream.next() => {
                    self.trial = None;
                    subscription.heard();
                    match message? {
                        Ok(Message::Text(text)) => return Some(text),
                        Ok(Message::Binary(bytes)) => match Utf8Bytes::try_from(bytes) {
                            Ok(text) => return Some(text),
                            Err(_) => {
                                Box::pin(self.close(CloseCode::Unsupported, "text only")).await;
                                return None;
                            }
                        },
                        Ok(_) => {}
                        Err(error) => {
                            Box::pin(self.refuse(&error)).await;
                            return None;
                        }
                    }
                }
            }
        }
    }

    /// What happens next; meanwhile what waits in the queue is sent.
    pub async fn turn(&mut self, queue: &Queue) -> Turn {
        loop {
            tokio::select! {
                taken = queue.take(WRITE) => match taken {
                    Taken::Frames(frames) => match timeout(STALLED, self.write(frames)).await {
                        Ok(Ok(())) => {}
                        _ => return Turn::Gone,
                    },
                    Taken::End(why) => {
                        self.ends(why.name());
                        return Turn::Ended(why);
                    }
                },
                message = self.message() => return message.map_or(Turn::Gone, Turn::Message),
            }
        }
    }

    /// The next message of the client. Nothing once the connection has ended; one that breaks the rules is told so.
    pub async fn message(&mut self) -> Option<Message> {
        loop {
            let message = self.stream.next().await?;
            self.trial = None;
            match message {
                Ok(Message::Ping(_) | Message::Pong(_)) => {}
                Ok(message) => return Some(message),
                Err(error) => {
                    Box::pin(self.refuse(&error)).await;
                    return None;
                }
            }
        }
    }

    /// Says the last words, and closes.
    pub async fn leave(mut self, words: Vec<Bytes>, code: CloseCode, reason: &'static str) {
        if words.is_empty() || matches!(timeout(FAREWELL, self.write(words)).await, Ok(Ok(()))) {
            self.close(code, reason).await;
        }
    }

    /// Sends frames.
    pub async fn write(&mut self, frames: Vec<Bytes>) -> Result<(), Error> {
        self.stream.flush().await?;
        let raw = self.stream.get_mut();
        if let [frame] = frames.as_slice() {
            raw.write_all(frame).await?;
        } else {
            let mut joined = BytesMut::with_capacity(frames.iter().map(Bytes::len).sum());
            frames.iter().for_each(|frame| joined.extend_from_slice(frame));
            raw.write_all(&joined).await?;
        }
        raw.flush().await?;
        self.sent(frames.iter().map(Bytes::len).sum());
        Ok(())
    }

    async fn refuse(&mut self, error: &Error) {
        match error {
            Error::Capacity(CapacityError::MessageTooLong { .. }) => {
                self.ends("too_long");
                self.close(CloseCode::Size, "message too long").await;
            }
            Error::Protocol(_) => self.close(CloseCode::Protocol, "").await,
            Error::Utf8(_) => self.close(CloseCode::Invalid, "").await,
            // The connection is gone, or closed in good order.
            _ => return,
        }
        self.pass_over().await;
    }

    /// Reads what is still on its way, of a client that is not listened to any more: a connection that is closed with something
    /// unread is reset, and what was said last is lost.
    async fn pass_over(&mut self) {
        let mut waste = [0; 4096];
        let raw = self.stream.get_mut();
        let reading = async { while let Ok(Ok(1..)) = timeout(QUIET, raw.read(&mut waste)).await {} };
        let _ = timeout(FAREWELL, reading).await;
    }

    /// Says why, and waits a moment for the other side to close too.
    async fn close(&mut self, code: CloseCode, reason: &'static str) {
        let frame = CloseFrame { code, reason: Utf8Bytes::from_static(reason) };
        let goodbye = async {
            if self.stream.close(Some(frame)).await.is_ok() {
                while let Some(Ok(_)) = self.stream.next().await {}
            }
        };
        let _ = timeout(FAREWELL, goodbye).await;
    }
}

/// Waits for the end of a trial; for ever if there is none.
async fn over(trial: &mut Option<Pin<Box<Sleep>>>) {
    match trial {
        Some(sleep) => sleep.as_mut().await,
        None => std::future::pending().await,
    }
}

/// The close code and the reason of an end.
pub fn farewell(why: Why) -> (CloseCode, &'static str) {
    match why {
        Why::Slow => (CloseCode::Again, "too slow: connect again"),
        Why::Stopping => (CloseCode::Away, "the server stops: connect again"),
        Why::Replaced => (CloseCode::Policy, "another connection took this place"),
        Why::Expired => (CloseCode::Library(4401), "the token has expired"),
        Why::Silent => (CloseCode::Policy, "no answer to pings"),
    }
}
