//! One connection to a detection back end: made, kept, made again.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt, StreamExt};
use park_core::cli::Log;
use park_core::record::camera::{CameraState, CameraStatus};
use park_core::record::command::Tick;
use park_core::record::{Envelope, Payload, Stamp, Time, encode};
use park_core::stream::{Backoff, Endpoint, Peer, client_config};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, interval, sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, Uri, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::foreign::{Heard, Place, Translator};
use super::pipeline::Feed;
use crate::intake::Intake;

/// How long a back end may take to shake hands.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How often a back end is asked for a sign of life, and how long it may owe one.
const PING: Duration = Duration::from_secs(20);
const SILENCE: Duration = Duration::from_secs(60);

/// How often time is let pass for the rules.
const TICK: Duration = Duration::from_secs(5);

/// The longest wait before the next try.
const MOST_DELAY: Duration = Duration::from_secs(60);

/// The longest message of a back end.
const LONGEST: usize = 8 << 20;

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is being made.
    Connecting,
    /// It is open.
    Connected,
    /// It is made again after a while.
    Waiting,
    /// Somebody stopped it.
    Stopped,
    /// It could not be made as often as was to be tried.
    Failed,
}

/// How a connection is made again.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// How long to wait before the first try; twice as long before each further one.
    pub delay: Duration,
    /// How many tries in a row may fail; 0 for no end.
    pub attempts: u32,
}

/// What is told of a connection.
#[derive(Debug, Clone)]
struct Report {
    state: State,
    attempts: u32,
    last_message: Option<Time>,
    last_error: Option<String>,
    messages: u64,
    rejected: u64,
}

/// A connection that is or was made.
pub struct Link {
    /// What it is for.
    pub place: Place,
    url: String,
    camera: String,
    patience: Patience,
    report: Mutex<Report>,
}

/// Where a link's records go.
#[derive(Clone)]
pub struct Ways {
    /// The log.
    pub intake: Intake,
    /// The child that applies the rules.
    pub feed: Feed,
    /// The server's log of messages.
    pub log: Log,
    /// The clock.
    pub now: fn() -> Time,
}

impl Link {
    /// A connection to `url` that is not made yet. Messages that name no camera are `camera`'s.
    pub fn new(place: Place, url: String, camera: String, patience: Patience) -> Link {
        let report = Report {
            state: State::Stopped,
            attempts: 0,
            last_message: None,
            last_error: None,
            messages: 0,
            rejected: 0,
        };
        Link { place, url, camera, patience, report: Mutex::new(report) }
    }

    /// Its state for people: everything but what is secret.
    pub fn status(&self) -> Value {
        let report = self.report().clone();
        let state = match report.state {
            State::Connecting => "connecting",
            State::Connected => "connected",
            State::Waiting => "waiting",
            State::Stopped => "stopped",
            State::Failed => "failed",
        };
        let (kind, name, place) = match &self.place {
            Place::Gate(gate) => ("gate", "gateId", gate),
            Place::Lot(lot) => ("lot", "parkingLotId", lot),
        };
        json!({
            "kind": kind, name: place, "url": self.name(), "state": state, "attempts": report.attempts,
            "lastMessage": report.last_message, "lastError": report.last_error, "messages": report.messages,
            "rejected": report.rejected,
        })
    }

    /// Its address without secrets.
    fn name(&self) -> String {
        Endpoint::Ws(self.url.clone()).to_string()
    }

    fn report(&self) -> MutexGuard<'_, Report> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the connection until `stop` turns true or it is given up.
    pub async fn run(self: Arc<Self>, ways: Ways, mut stop: watch::Receiver<bool>) {
        self.report().state = State::Connecting;
        self.report().attempts = 0;
        let mut session = Session {
            translator: Translator::new(self.place.clone(), self.camera.clone()),
            clock: None,
            began: Instant::now(),
            cameras: BTreeSet::new(),
            link: Arc::clone(&self),
            ways,
        };
        let end = tokio::select! {
            () = session.keep() => State::Failed,
            _ = stop.wait_for(|stop| *stop) => State::Stopped,
        };
        session.leave().await;
        self.report().state = end;
    }
}

/// Bytes both ways, in the clear or not.
trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<W: AsyncRead + AsyncWrite + Send + Unpin> Wire for W {}

type Stream = Box<dyn Wire>;
type Socket = WebSocketStream<Stream>;

struct Session {
    link: Arc<Link>,
    ways: Ways,
    translator: Translator,
    /// The time of the latest record, and when it came.
    clock: Option<(Time, Instant)>,
    began: Instant,
    cameras: BTreeSet<String>,
}

impl Session {
    /// Connects and listens, again and again, until it is given up.
    async fn keep(&mut self) {
        let Patience { delay, attempts: most } = self.link.patience;
        let seed = u64::from(std::process::id()) ^ self.link.url.len() as u64;
        let mut backoff = Backoff::new(delay, MOST_DELAY.max(delay), seed);
        loop {
            let before = self.link.report().messages;
            let why = match timeout(HANDSHAKE, connect(&self.link.url)).await {
                Ok(Ok(socket)) => {
                    self.ways.log.info(&format!("monitoring {}", self.link.name()));
                    self.link.report().state = State::Connected;
                    self.listen(socket).await
                }
                Ok(Err(error)) => error,
                Err(_) => "no answer".to_owned(),
            };
            if self.link.report().messages > before {
                self.link.report().attempts = 0;
                backoff.reset();
            }
            let attempts = {
                let mut report = self.link.report();
                report.attempts += 1;
                report.last_error = Some(why.clone());
                report.attempts
            };
            if most > 0 && attempts > most {
                self.ways.log.error(&format!("{}: {why}; given up", self.link.name()));
                return;
            }
            self.ways.log.warn(&format!("{}: {why}; trying again", self.link.name()));
            self.link.report().state = State::Waiting;
            self.wait(backoff.delay()).await;
            self.link.report().state = State::Connecting;
        }
    }

    /// Waits, and lets time pass for the rules meanwhile.
    async fn wait(&mut self, delay: Duration) {
        let until = Instant::now() + delay;
        while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            sleep(left.min(TICK)).await;
            self.tick().await;
        }
    }

    /// Takes what comes over a connection until it ends, and says why it did.
    async fn listen(&mut self, mut socket: Socket) -> String {
        let (sender, mut acks) = mpsc::channel(64);
        let peer = Peer::two_way(self.link.name(), false, Box::new(Acks(sender)));
        let (mut pings, mut ticks) = (interval(PING), interval(TICK));
        let mut heard = Instant::now();
        // Another maker knows nothing of acks.
        let mut ours = false;
        let why = loop {
            tokio::select! {
                message = socket.next() => {
                    heard = Instant::now();
                    match message {
                        Some(Ok(Message::Text(text))) => ours = self.take(&text, &peer).await,
                        Some(Ok(Message::Binary(bytes))) => match Utf8Bytes::try_from(bytes) {
                            Ok(text) => ours = self.take(&text, &peer).await,
                            Err(_) => self.reject("not UTF-8"),
                        },
                        Some(Ok(_)) => {}
                        Some(Err(error)) => break error.to_string(),
                        None => break "it closed the connection".to_owned(),
                    }
                }
                Some(ack) = acks.recv() => {
                    if ours && let Err(error) = socket.send(Message::text(ack)).await {
                        break error.to_string();
                    }
                }
                _ = pings.tick() => {
                    if heard.elapsed() > SILENCE {
                        break "it says nothing any more".to_owned();
                    }
                    if let Err(error) = socket.send(Message::Ping(Default::default())).await {
                        break error.to_string();
                    }
                }
                _ = ticks.tick() => self.tick().await,
            }
        };
        self.ways.intake.gone(&peer).await;
        why
    }

    /// Takes one message; returns whether it was one of our own records.
    async fn take(&mut self, text: &str, peer: &Arc<Peer>) -> bool {
        let now = (self.ways.now)();
        let heard = match self.translator.read(text, now) {
            Ok(heard) => heard,
            Err(reason) => {
                self.reject(&reason);
                return false;
            }
        };
        {
            let mut report = self.link.report();
            report.messages += 1;
            report.last_message = Some(now);
        }
        let (lines, ours) = match heard {
            Heard::Frame(line) => {
                self.ways.intake.lines(peer, line).await;
                return true;
            }
            Heard::Ours(lines) => (lines, true),
            Heard::Foreign(lines) => (lines, false),
        };
        self.follow(&lines);
        self.ways.intake.lines(peer, lines.clone()).await;
        self.ways.feed.send(lines).await;
        ours
    }

    /// Keeps up with the records' time and their cameras.
    fn follow(&mut self, lines: &[u8]) {
        for line in lines.split(|byte| *byte == b'\n') {
            let Ok(record) = Envelope::parse(line) else { continue };
            if let Some(time) = record.timestamp
                && self.clock.is_none_or(|(known, _)| time >= known)
            {
                self.clock = Some((time, Instant::now()));
            }
            if let Some(camera) = record.source.as_deref()
                && self.cameras.len() < 100
                && !self.cameras.contains(camera)
            {
                self.cameras.insert(camera.to_owned());
            }
        }
    }

    /// The time of the records as it goes on while none come.
    fn time(&self) -> Time {
        self.clock.map_or_else(|| (self.ways.now)(), |(time, came)| time + came.elapsed())
    }

    async fn tick(&mut self) {
        // Until something comes or has not come for long, nobody knows whether the records' time is the clock's.
        if self.clock.is_some() || self.began.elapsed() > SILENCE {
            self.feed(&Stamp::at(self.time()), &Tick {}).await;
        }
    }

    /// Nobody listens any more: that its cameras are silent from now on means nothing.
    async fn leave(&mut self) {
        for camera in std::mem::take(&mut self.cameras) {
            let cause = Some(CameraStatus::MONITORING_STOPPED.to_owned());
            let state = CameraState::Offline;
            let stamp = Stamp::at(self.time()).source(camera.as_str());
            let status = CameraStatus { camera_id: camera, state, cause, fps: None, dropped: None };
            self.feed(&stamp, &status).await;
        }
    }

    async fn feed<P: Payload>(&mut self, stamp: &Stamp, payload: &P) {
        let mut line = Vec::new();
        encode(stamp, payload, &mut line);
        self.ways.feed.send(line).await;
    }

    fn reject(&self, reason: &str) {
        let first = {
            let mut report = self.link.report();
            report.rejected += 1;
            report.last_error = Some(format!("a bad message: {reason}"));
            report.rejected == 1
        };
        let said = format!("{}: a bad message: {reason}", self.link.name());
        if first { self.ways.log.warn(&said) } else { self.ways.log.debug(&said) }
    }
}

async fn connect(url: &str) -> Result<Socket, String> {
    let failed = |error: &dyn std::fmt::Display| error.to_string();
    let mut request = url.into_client_request().map_err(|error| failed(&error))?;
    let uri: &Uri = request.uri();
    let secure = uri.scheme_str() == Some("wss");
    let host = uri.host().ok_or("a URL without a host")?.to_owned();
    let address = format!("{host}:{}", uri.port_u16().unwrap_or(if secure { 443 } else { 80 }));
    let account = uri.authority().and_then(|authority| authority.as_str().rsplit_once('@'));
    if let Some((account, _)) = account {
        let basic = format!("Basic {}", STANDARD.encode(crate::http::decode(account)));
        let value = HeaderValue::try_from(basic).map_err(|error| failed(&error))?;
        request.headers_mut().insert(header::AUTHORIZATION, value);
    }
    let stream = TcpStream::connect(address).await.map_err(|error| failed(&error))?;
    let _ = stream.set_nodelay(true);
    let stream: Stream = if secure {
        let config = client_config().map_err(|error| failed(&error))?;
        let name = ServerName::try_from(host).map_err(|error| failed(&error))?;
        Box::new(TlsConnector::from(config).connect(name, stream).await.map_err(|error| failed(&error))?)
    } else {
        Box::new(stream)
    };
    let config = WebSocketConfig::default().max_message_size(Some(LONGEST)).max_frame_size(Some(LONGEST));
    let shaken = client_async_with_config(request, stream, Some(config)).await;
    shaken.map(|(socket, _)| socket).map_err(|error| failed(&error))
}

/// Passes on the acks that the loop sends for what is durable.
struct Acks(mpsc::Sender<String>);

impl Write for Acks {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            // One that is lost is made good by the next.
            let _ = self.0.try_send(String::from_utf8_lossy(line).into_owned());
        }
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
