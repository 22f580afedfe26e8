//! Connections of every kind as a reader and a writer of lines.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tungstenite::client::{IntoClientRequest, client_with_config};
use tungstenite::handshake::HandshakeError;
use tungstenite::handshake::client::ClientHandshake;
use tungstenite::http::HeaderValue;
use tungstenite::http::header::AUTHORIZATION;
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Message, WebSocket};

use super::endpoint::Endpoint;
use super::tls::Tls;

/// How long a peer may leave a write unread before its connection is given up.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection: whole lines in, whole lines out.
pub(super) struct Connection {
    pub reader: Box<dyn Read + Send>,
    pub writer: Box<dyn Write + Send>,
    pub name: String,
    /// Ends both halves, so that a thread blocked in a read wakes up.
    pub close: Box<dyn Fn() + Send + Sync>,
}

/// How connections are made.
#[derive(Debug, Clone)]
pub(crate) struct Wire {
    /// A line of more bytes is refused.
    pub max_line: usize,
    /// The file with the token that WebSocket servers are shown.
    pub token_file: Option<PathBuf>,
}

/// Connects to `endpoint`, a socket to connect to.
pub(super) fn connect(endpoint: &Endpoint, wire: &Wire) -> io::Result<Connection> {
    match endpoint {
        Endpoint::Unix(path) => unix(UnixStream::connect(path)?, endpoint.to_string()),
        Endpoint::Tcp(address) => tcp(TcpStream::connect(address)?, endpoint.to_string()),
        Endpoint::Ws(url) => dial(url, endpoint.to_string(), wire),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "not a socket to connect to")),
    }
}

/// Connects as a WebSocket client. The name of the endpoint is for messages: the URL may hold secrets.
fn dial(url: &str, name: String, wire: &Wire) -> io::Result<Connection> {
    let bad = |reason: &str| io::Error::new(io::ErrorKind::InvalidInput, reason);
    let mut request = url.into_client_request().map_err(|_| bad("not a URL"))?;
    let host = request.uri().host().ok_or_else(|| bad("a ws:// URL needs a host"))?.to_owned();
    let tls = request.uri().scheme_str() == Some("wss");
    let port = request.uri().port_u16().unwrap_or(if tls { 443 } else { 80 });
    if let Some(path) = &wire.token_file {
        request.headers_mut().insert(AUTHORIZATION, bearer(path)?);
    }
    let stream = TcpStream::connect(format!("{host}:{port}"))?;
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
    stream.set_read_timeout(Some(WRITE_TIMEOUT))?;
    let stream = match tls {
        true => Shared::over_tls(stream, host.trim_matches(['[', ']']))?,
        false => Shared::new(stream),
    };
    let (socket, _) = client_with_config(request, stream, Some(config(wire.max_line))).map_err(refused)?;
    websocket(socket, Role::Client, name, wire.max_line)
}

/// The header that shows the token in a file.
fn bearer(path: &Path) -> io::Result<HeaderValue> {
    let doing = |reason: &str| format!("the token in {}: {reason}", path.display());
    let token = std::fs::read_to_string(path)
        .map_err(|error| io::Error::new(error.kind(), doing(&error.to_string())))?;
    let mut value = HeaderValue::try_from(format!("Bearer {}", token.trim()))
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, doing("not a token")))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Why a server did not shake hands, without what was sent to it.
fn refused(error: HandshakeError<ClientHandshake<Shared>>) -> io::Error {
    match error {
        HandshakeError::Failure(tungstenite::Error::Http(response)) => {
            io::Error::other(format!("the server answered {}", response.status()))
        }
        HandshakeError::Failure(tungstenite::Error::Io(error)) => error,
        HandshakeError::Failure(error) => io::Error::other(error),
        HandshakeError::Interrupted(_) => io::Error::from(io::ErrorKind::TimedOut),
    }
}

fn config(max_line: usize) -> WebSocketConfig {
    WebSocketConfig::default().max_message_size(Some(max_line)).max_frame_size(Some(max_line))
}

fn unix(stream: UnixStream, name: String) -> io::Result<Connection> {
    stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
    let closer = stream.try_clone()?;
    Ok(Connection {
        reader: Box::new(stream.try_clone()?),
        writer: Box::new(stream),
        name,
        close: Box::new(move || drop(closer.shutdown(std::net::Shutdown::Both))),
    })
}

fn tcp(stream: TcpStream, name: String) -> io::Result<Connection> {
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
    let closer = stream.try_clone()?;
    Ok(Connection {
        reader: Box::new(stream.try_clone()?),
        writer: Box::new(stream),
        name,
        close: Box::new(move || drop(closer.shutdown(std::net::Shutdown::Both))),
    })
}

/// Sockets that were asked to accept connections.
pub(super) enum Listener {
    Unix(UnixListener, PathBuf),
    Tcp(TcpListener),
    Ws(TcpListener, usize),
}

impl Listener {
    /// Listens on `endpoint`. A Unix socket's file that nobody listens on any more is replaced.
    pub fn bind(endpoint: &Endpoint, max_line: usize) -> io::Result<Listener> {
        match endpoint {
            Endpoint::UnixListen(path) => Ok(Listener::Unix(bind_unix(path)?, path.clone())),
            Endpoint::TcpListen(address) => Ok(Listener::Tcp(TcpListener::bind(address)?)),
            Endpoint::WsListen(address) => Ok(Listener::Ws(TcpListener::bind(address)?, max_line)),
            _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "not a socket to listen on")),
        }
    }

    /// Waits for a connection. The handshake of a WebSocket is left to the returned function, so that a slow one holds up nobody.
    pub fn accept(&self) -> io::Result<Box<dyn FnOnce() -> io::Result<Connection> + Send>> {
        match self {
            Listener::Unix(listener, path) => {
                let (stream, _) = listener.accept()?;
                let name = format!("unix:{}", path.display());
                Ok(Box::new(move || unix(stream, name)))
            }
            Listener::Tcp(listener) => {
                let (stream, address) = listener.accept()?;
                Ok(Box::new(move || tcp(stream, format!("tcp:{address}"))))
            }
            Listener::Ws(listener, max_line) => {
                let (stream, address) = listener.accept()?;
                let max_line = *max_line;
                Ok(Box::new(move || {
                    stream.set_nodelay(true)?;
                    stream.set_read_timeout(Some(WRITE_TIMEOUT))?;
                    stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
                    let socket = tungstenite::accept_with_config(Shared::new(stream), Some(config(max_line)))
                        .map_err(|error| io::Error::other(error.to_string()))?;
                    websocket(socket, Role::Server, format!("ws:{address}"), max_line)
                }))
            }
        }
    }
}

fn bind_unix(path: &Path) -> io::Result<UnixListener> {
    match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => match UnixStream::connect(path) {
            Err(refused) if refused.kind() == io::ErrorKind::ConnectionRefused => {
                std::fs::remove_file(path)?;
                UnixListener::bind(path)
            }
            _ => Err(error),
        },
        other => other,
    }
}

/// A TCP stream of which two WebSocket states hold a half, in clear or over TLS: whole writes never interleave.
#[derive(Clone)]
struct Shared {
    stream: Arc<TcpStream>,
    writing: Arc<Mutex<()>>,
    tls: Option<Arc<Mutex<Tls>>>,
}

impl Shared {
    fn new(stream: TcpStream) -> Self {
        Shared { stream: Arc::new(stream), writing: Arc::new(Mutex::new(())), tls: None }
    }

    /// Shakes hands with the server that is called `host`.
    fn over_tls(mut stream: TcpStream, host: &str) -> io::Result<Self> {
        let tls = Tls::shake_hands(&mut stream, host)?;
        Ok(Shared { tls: Some(Arc::new(Mutex::new(tls))), ..Shared::new(stream) })
    }
}

impl Read for Shared {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let Some(tls) = &self.tls else { return (&*self.stream).read(out) };
        let mut sealed = [0; 8 * 1024];
        loop {
            // Not while waiting for the network: the other half writes meanwhile.
            let opened = tls.lock().unwrap_or_else(PoisonError::into_inner).read(out)?;
            if let Some(count) = opened {
                return Ok(count);
            }
            let count = (&*self.stream).read(&mut sealed)?;
            tls.lock().unwrap_or_else(PoisonError::into_inner).take(&sealed[..count]);
        }
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        match &self.tls {
            None => (&*self.stream).write_all(bytes)?,
            Some(tls) => {
                let sealed = tls.lock().unwrap_or_else(PoisonError::into_inner).seal(bytes)?;
                (&*self.stream).write_all(&sealed)?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Splits a WebSocket: the state that shook hands reads (it may hold early bytes), a second one writes.
fn websocket(socket: WebSocket<Shared>, role: Role, name: String, max_line: usize) -> io::Result<Connection> {
    let shared = socket.get_ref().clone();
    shared.stream.set_read_timeout(None)?;
    let closer = Arc::clone(&shared.stream);
    let writer = WebSocket::from_raw_socket(shared, role, Some(config(max_line)));
    Ok(Connection {
        reader: Box::new(MessageReader { socket, held: Vec::new(), at: 0 }),
        writer: Box::new(MessageWriter { socket: writer, held: Vec::new() }),
        name,
        close: Box::new(move || drop(closer.shutdown(std::net::Shutdown::Both))),
    })
}

/// Messages as lines.
struct MessageReader {
    socket: WebSocket<Shared>,
    held: Vec<u8>,
    at: usize,
}

impl Read for MessageReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.at == self.held.len() {
            use tungstenite::Error::{AlreadyClosed, ConnectionClosed, Io, Protocol};
            let message = match self.socket.read() {
                Ok(message) => message,
                Err(ConnectionClosed | AlreadyClosed | Protocol(_)) => return Ok(0),
                Err(Io(error)) => return Err(error),
                Err(error) => return Err(io::Error::other(error)),
            };
            if matches!(message, Message::Text(_) | Message::Binary(_)) {
                self.held = message.into_data().to_vec();
                self.held.push(b'\n');
                self.at = 0;
            }
        }
        let count = out.len().min(self.held.len() - self.at);
        out[..count].copy_from_slice(&self.held[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

/// Lines as messages.
struct MessageWriter {
    socket: WebSocket<Shared>,
    held: Vec<u8>,
}

impl Write for MessageWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(bytes);
        let Some(last) = memchr::memrchr(b'\n', &self.held) else { return Ok(bytes.len()) };
        let rest = self.held.split_off(last + 1);
        for line in std::mem::replace(&mut self.held, rest).split(|byte| *byte == b'\n') {
            if !line.is_empty() {
                let text = String::from_utf8_lossy(line).into_owned();
                self.socket.write(Message::text(text)).map_err(io::Error::other)?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush().map_err(io::Error::other)
    }
}
