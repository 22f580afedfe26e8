//! The command: flags, the two sides (the loop that writes, the runtime that serves), and their end.

use std::net::{IpAddr, SocketAddr, TcpListener, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};
use park_core::cli::{Command, Context, IoArgs, Length, Manual};
use park_core::site::Site;
use park_core::stream::{End, Endpoint, Session, Setup};
use park_core::{Error, Kind, Result};
use park_store::Store;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::time::interval;

use crate::access::issue::{self, TokenArgs};
use crate::access::{Access, AccessArgs};
use crate::history::History;
use crate::http::limits::{LimitArgs, Limits};
use crate::http::tls::{Tls, TlsArgs};
use crate::http::{Doors, accept};
use crate::hub::Hub;
use crate::ingest::{self, Ingest};
use crate::intake::Intake;
use crate::kinds::READS;
use crate::metrics::{self, Metrics};
use crate::monitors::{MonitorArgs, Monitors};
use crate::operations::report::{self, LogArgs};
use crate::operations::{Operations, OperationsArgs};
use crate::server::Server;
use crate::socketio::SocketioArgs;
use crate::video::{Video, VideoArgs};
use crate::{channels, check, socketio, sse, system};

/// Flags of `park-serve`.
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ServeArgs {
    #[command(subcommand)]
    task: Option<Task>,

    /// Listen on HOST:PORT. 127.0.0.1:8000 by default, or what WEBSOCKET_HOST and WEBSOCKET_PORT say.
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,

    /// Keep the log in the SQLite database FILE; park.db in the state directory by default.
    #[arg(long, value_name = "FILE", env = "PARK_DB")]
    db: Option<PathBuf>,

    /// Listen on an address that others can reach although nobody has to show a token: whoever reaches it can open gates.
    #[arg(long)]
    insecure: bool,

    /// Let pages of ORIGIN, such as https://park.example, do what the server's own page may (repeatable).
    #[arg(long, value_name = "ORIGIN", env = "FRONTEND_URL")]
    allow_origin: Vec<String>,

    /// Let at most BYTES wait for one client; one that is slower is sent away and may resume. K and M may follow the number.
    #[arg(long, value_name = "BYTES", default_value = "1M")]
    queue: Length,

    /// End when the inputs end instead of serving on until told to stop.
    #[arg(long)]
    once: bool,

    #[command(flatten)]
    video: VideoArgs,

    #[command(flatten)]
    operations: OperationsArgs,

    #[command(flatten)]
    access: AccessArgs,

    #[command(flatten)]
    tls: TlsArgs,

    #[command(flatten)]
    limits: LimitArgs,

    #[command(flatten)]
    monitors: MonitorArgs,

    #[command(flatten)]
    socketio: SocketioArgs,

    #[command(flatten)]
    io: IoArgs,
}

#[derive(Debug, Clone, Subcommand)]
enum Task {
    /// Read a whole database and say whether anything is wrong with it: exit code 1 if so.
    Check {
        /// The database.
        #[arg(long, value_name = "FILE", env = "PARK_DB")]
        db: Option<PathBuf>,
    },
    /// Print the audit trail, the log of connections or the statistics of a database, a line of JSON each.
    Log(LogArgs),
    /// Print a token for somebody, signed with the secret of --jwt-secret.
    Token(TokenArgs),
}

/// The command `park-serve`.
#[derive(Debug)]
pub struct Serve;

impl Command for Serve {
    const NAME: &'static str = "park-serve";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const ABOUT: &'static str = "Log records in SQLite and serve them to live clients";
    const READS: &'static [&'static str] = READS;
    const WRITES: &'static [&'static str] = &["gate_control", "camera_control", "request_status", "ack"];
    const MANUAL: Manual = MANUAL;
    type Args = ServeArgs;

    fn run(args: ServeArgs, context: &Context) -> Result<End> {
        match args.task.clone() {
            Some(Task::Check { db }) => check::run(&db.unwrap_or_else(|| default_db(context))),
            Some(Task::Log(args)) => report::run(args, default_db(context), context),
            Some(Task::Token(args)) => issue::run(args, context),
            None => serve(args, context),
        }
    }
}

fn default_db(context: &Context) -> PathBuf {
    context.state_dir().join("park.db")
}

fn serve(args: ServeArgs, context: &Context) -> Result<End> {
    let descriptors = system::raise_descriptor_limit();
    let access = Access::load(&args.access, context)?;
    let tls = Tls::load(&args.tls)?.map(Arc::new);
    if !access.is_open() || tls.is_some() {
        system::keep_memory_private();
    }
    let listener = listen(&args, context)?;
    let path = args.db.clone().unwrap_or_else(|| default_db(context));
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .map_err(|error| Error::io(format!("making the folder {}", folder.display()), error))?;
    }
    let store = Store::open(&path)?;
    let (position, state) = ingest::recall(&store)?;
    let hub = Hub::new(position, state, args.queue.0);
    let site = context.config().map(Site::read).transpose()?.unwrap_or_default();
    let cameras = site.cameras.iter().map(|(id, camera)| (id.clone(), camera.gate.clone()));
    let video = Arc::new(Video::new(&args.video, cameras));
    let metrics = Arc::new(Metrics::default());
    let keep = args.operations.keep.clone().unwrap_or_default();
    let operations =
        Operations::start(Store::open(&path)?, keep, Arc::clone(&metrics), Arc::clone(&hub), context)?;
    let metrics_listener = args.operations.metrics_listen.map(metrics::listen::bind).transpose()?;
    let mut session = Session::open(&args.io, &Setup::default(), context)?;
    let intake = Intake::new(session.injector(!args.once));
    let server = Arc::new(Server {
        hub: Arc::clone(&hub),
        monitors: Monitors::new(&args.monitors, site, &path, context, intake.clone())?,
        intake,
        history: History::new(path.clone(), &store)?,
        video: Arc::clone(&video),
        socketio: args.socketio.sessions(args.limits.max_connections as usize),
        access,
        doors: doors(&args, &listener)?,
        operations: Arc::clone(&operations),
        metrics: Arc::clone(&metrics),
        limits: Limits::new(&args.limits, descriptors),
        tls,
        context: context.clone(),
    });
    let reload = {
        let server = Arc::clone(&server);
        Box::new(move || server.reload())
    };
    let running = Running::start(listener, metrics_listener, server, context)?;
    let ended = session.run(&mut Ingest::new(store, hub, video, metrics, reload, context));
    running.stop();
    operations.stop();
    ended
}

/// Binds the address, and says who can reach what.
fn listen(args: &ServeArgs, context: &Context) -> Result<TcpListener> {
    let text = args.listen.clone().unwrap_or_else(|| {
        let host = context.env("WEBSOCKET_HOST").unwrap_or_else(|| "127.0.0.1".into());
        let port = context.env("WEBSOCKET_PORT").unwrap_or_else(|| "8000".into());
        // An IPv6 address needs its brackets before a port.
        if host.parse::<IpAddr>().is_ok_and(|address| address.is_ipv6()) {
            format!("[{host}]:{port}")
        } else {
            format!("{host}:{port}")
        }
    });
    let addresses: Vec<SocketAddr> = text
        .to_socket_addrs()
        .map_err(|error| Error::new(Kind::Usage, format!("{text:?} is not HOST:PORT")).because(error))?
        .collect();
    exposure(args, &text, is_public(&addresses), context)?;
    let listener = TcpListener::bind(addresses.as_slice())
        .map_err(|error| Error::new(Kind::Unavailable, format!("listening on {text}")).because(error))?;
    listener.set_nonblocking(true).map_err(|error| Error::io(format!("listening on {text}"), error))?;
    Ok(listener)
}

fn is_public(addresses: &[SocketAddr]) -> bool {
    addresses.iter().any(|address| !address.ip().is_loopback())
}

/// Says what others can reach, and refuses what is not safe unless told that it shall be so.
fn exposure(args: &ServeArgs, text: &str, public: bool, context: &Context) -> Result<()> {
    let (log, key) = (context.log(), args.access.has_key());
    let refuse = |message: String| match args.insecure {
        false => Err(Error::new(Kind::Usage, message + ", or say --insecure")),
        true => Ok(()),
    };
    match (public, key) {
        (true, false) => {
            refuse(format!(
                "{text} can be reached from other machines, and anybody there could open gates: give --jwt-secret or \
                 --jwt-public-key, listen on 127.0.0.1 behind a proxy that checks who comes"
            ))?;
            log.warn(&format!("anybody who can reach {text} can watch and open gates"));
        }
        (true, true) if args.tls.tls_cert.is_none() => {
            log.warn(&format!("tokens travel to {text} unencrypted: give --tls-cert and --tls-key"));
        }
        (false, false) => {
            log.notice("without a key everybody on this machine is let in, and nobody else; see --jwt-secret")
        }
        _ => {}
    }
    for input in &args.io.input {
        if let Endpoint::TcpListen(address) | Endpoint::WsListen(address) = input
            && address.to_socket_addrs().is_ok_and(|addresses| is_public(&addresses.collect::<Vec<_>>()))
        {
            refuse(format!(
                "the input {input} takes records from other machines without asking for a token: let them connect to \
                 /ws/controller/GATE, listen on 127.0.0.1"
            ))?;
            log.warn(&format!("anybody who can reach {address} can write records"));
        }
    }
    Ok(())
}

fn doors(args: &ServeArgs, listener: &TcpListener) -> Result<Doors> {
    let address = listener.local_addr().map_err(|error| Error::io("asking for the own address", error))?;
    for origin in &args.allow_origin {
        if !origin.starts_with("http://") && !origin.starts_with("https://") {
            return Err(Error::new(
                Kind::Usage,
                format!("{origin:?} is no origin, such as https://park.example"),
            ));
        }
    }
    Ok(Doors { loopback: address.ip().is_loopback(), origins: args.allow_origin.clone() })
}

/// The side that serves.
struct Running {
    runtime: Runtime,
    server: Arc<Server>,
    stop: watch::Sender<bool>,
    accepting: tokio::task::JoinHandle<()>,
    supervisor: Option<String>,
}

impl Running {
    fn start(
        listener: TcpListener,
        metrics_listener: Option<TcpListener>,
        server: Arc<Server>,
        context: &Context,
    ) -> Result<Running> {
        let doing = "starting to serve";
        let runtime =
            Builder::new_multi_thread().enable_all().build().map_err(|error| Error::io(doing, error))?;
        let address = listener.local_addr().map_err(|error| Error::io(doing, error))?;
        let (stop, stopping) = watch::channel(false);
        let adopt = |listener: TcpListener| {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener).map_err(|error| Error::io(doing, error))
        };
        let listener = adopt(listener)?;
        if let Some(listener) = metrics_listener {
            let address = listener.local_addr().map_err(|error| Error::io(doing, error))?;
            context.log().notice(&format!("metrics on http://{address}/metrics"));
            runtime.spawn(metrics::listen::serve(adopt(listener)?, Arc::clone(&server), stopping.clone()));
        }
        let accepting = runtime.spawn(accept::accept(listener, Arc::clone(&server), stopping));
        runtime.spawn(keep_house(Arc::clone(&server)));
        let monitored = Arc::clone(&server);
        runtime.spawn(async move { monitored.monitors.start_all().await });
        let supervisor = context.env("NOTIFY_SOCKET");
        system::notify(supervisor.as_deref(), "READY=1");
        let scheme = if server.tls.is_some() { "https" } else { "http" };
        context.log().notice(&format!("serving on {scheme}://{address}/"));
        Ok(Running { runtime, server, stop, accepting, supervisor })
    }

    /// Tells everybody, gives them a moment, and ends.
    fn stop(self) {
        system::notify(self.supervisor.as_deref(), "STOPPING=1");
        self.server.hub.stop();
        let _ = self.stop.send(true);
        self.runtime.block_on(self.server.monitors.stop_all());
        let _ = self.runtime.block_on(self.accepting);
        self.runtime.shutdown_timeout(Duration::from_millis(200));
    }
}

/// Pings clients every 30 s, and sends those away whose time is over.
async fn keep_house(server: Arc<Server>) {
    let mut second = interval(Duration::from_secs(1));
    let mut seconds = 0u32;
    loop {
        second.tick().await;
        server.video.sweep();
        server.hub.expire(server.seconds());
        server.socketio.sweep();
        seconds = (seconds + 1) % 30;
        if seconds.is_multiple_of(10) {
            socketio::booking::tell_stats(&server).await;
        }
        if seconds == 0 {
            server.limits.sweep();
            sse::ping(&server);
            server.hub.ping(&channels::message::FORM, &channels::PING);
        }
    }
}

const MANUAL: Manual = Manual {
    description: "\
park-serve takes records from its inputs and from WebSocket controllers, writes them to a SQLite database, and passes \
them on to live clients: WebSocket dashboards, Server-Sent Events, and the page at /. A record is acknowledged and \
passed on only when it is durable; one that comes twice is taken once. Frames, ticks and acks are not logged; frames are shown to those who watch.

It is the end of a pipe: standard output gets an error record for each bad line and nothing else. It serves on when its inputs end, until TERM or INT; \
see --once.

It listens on a loopback address only unless told otherwise, and lets in everybody on this machine unless there is a key: see ACCESS.",
    sections: &[
        (
            "Paths",
            "\
/ is the dashboard page; /status tells the active channels with their clients, the connected controllers and the \
latest data of each gate; /healthz answers 200 while the server works; /api/state is what a page begins with.

/api/sse/dashboard is the stream of events. ?lot=ID and ?type=TYPE (repeatable) filter it; readings of single frames \
(plates, slots) come only if asked for by type. A client that sends Last-Event-ID gets everything since that record, \
then what is new; if the record is not in the log (any more), it gets a reset event instead and must load the state anew. The events connected and \
reset, /api/state and /status name the log (epoch); whoever resumes with ?epoch= too gets a reset from any other log. \
The event closing says that the server ends the stream and why. Records of the type error are events named fault.

/ws/GATE, /ws/gate_all and /ws/admin are the WebSocket channels of one gate, of all gates, and of everything. A client \
gets the latest status first, and may send gate_control, camera_control and request_status, which go to the \
gate's controller: a WebSocket client at /ws/controller/GATE, or the process at the other end of a two-way input whose records \
speak for the gate. Without a controller the answer is an error at once. Close code 1013: too slow; 1001: the server stops; \
1009: the message is too long.

POST /api/capacity/update takes a capacity update (parkingLotId, totalSlots, occupied, …) and answers when it is durable and in the audit trail.",
        ),
        (
            "Socket.IO",
            "\
/socket.io/ speaks Socket.IO (protocol 5 on Engine.IO 4) over long polling and WebSockets, in the one namespace /. A client shows \
its token in auth {token}, and a newer one with the event auth {token} before the old one ends. It sends subscribe {room, type} and \
unsubscribe for the rooms parking_lot:ID, parking_updates, admin (administrators only) and user:NAME, its own, in which it is from \
the start; get_parking_availability {parking_lot_id}, get_booking_status {booking_id}, get_live_stats; and \
subscribe_to_parking {location_id}, answered with parking_data and then parking_update. What is asked is answered to \
the acknowledgement if one is wanted, else as an event; what is wrong, with the event error {message}.

Every event has the id of its record, the same on all surfaces. A client that connects with auth {lastEventId, rooms: […]} gets \
what it missed in these rooms and then what is new; so does one that subscribes within ten seconds of coming, or names a lastEventId when it subscribes. \
The event reset says that this record is not in the log (any more), or that the log is not the one named as auth {epoch}: the event \
connected names it. Nothing that the server sends is binary; pictures are base64 text. An event of a client may have binary attachments. The event closing {reason, message} says why the server \
ends a connection: slow, stopping, expired. Except after expired, the stock client comes back by itself.",
        ),
        (
            "Cameras",
            "\
Of each camera whose frame records come in, the newest frame is kept and shown to whoever watches; frames are not logged. \
/cameras lists the cameras that one may see. /cameras/ID/snapshot.jpg is the newest frame: 404 if there is no such camera, 503 if \
nothing came of it for --frame-age. /cameras/ID/stream.mjpg is a stream of pictures (multipart/x-mixed-replace) for an <img> or a \
player. ?fps=, ?quality= (1 to 100) and ?width= bound what is sent: 30 a second at most; a width becomes the next smaller \
of those that pictures are made in. A viewer that takes pictures slowly gets fewer and smaller ones, and is cut off when it \
takes none for 30 seconds.

A camera whose process takes commands and sends no frames is told start_stream (camera_control) when the first viewer comes, and \
stop_stream when the last has gone.

A frame may have 8 MiB as its record holds it, and 16 million pixels with no side over 8192.",
        ),
        (
            "Dialect C over REST",
            "\
GET /realtime/parking-availability (?parking_lot_id=ID) tells what is free, GET /realtime/connection-status which \
connections of one's own are open. Admins alone: GET /realtime/connections (?limit=N), GET /realtime/live-stats, \
GET /realtime/booking-activity (?limit=N), POST /realtime/announcement {message, type}, \
PUT /realtime/parking-lots/ID/availability {available_spaces, total_spaces}. What changes something is durable, and in \
the audit trail, before it is answered; an error names the field that is wrong.",
        ),
        (
            "The trail",
            "\
The database holds more than records. Each gate_control and camera_control that comes through the server is in the audit trail, and each \
change by an admin: when, who, from where, what, and what came of it: done, failed (its controller could not), sent (the controller \
does not answer such commands), no_controller, no_answer (within 10 seconds), refused (not with this role). The name in it, and the \
operator of a gate_control, is that of the account, whatever the client says. The log of connections has every WebSocket, \
event stream, Socket.IO connection and video stream: from when to when, and why it ended. Statistics are counts \
by hour: of records by type, connections by surface, commands by outcome, deliveries, and clients that were too slow.

park-serve log audit, park-serve log connections and park-serve log statistics print them as lines of JSON, oldest \
first; --since and --until take an RFC 3339 time or how long ago, such as 7d. All these times are those of the wall clock.",
        ),
        (
            "What is kept",
            "\
Old records are removed a few at a time, so that nobody waits for it. How old a record is goes by when it came, not by the time of its \
event. --keep says for how long what is kept: a type of record, records (all other types), connections, audit, statistics; \
a number and s, m, h, d or y, or forever. If nobody says otherwise: plates=7d, slots=1d, live_stats=7d, camera_status=30d, hardware_status=30d, \
system_status=30d; parking_entry, parking_exit, violation, booking_updated and payment_updated 3y; records=1y, \
connections=90d, audit=1y, statistics=3y. Sessions stay. A client that resumes from a record that has gone gets a \
reset event. A database that was made by an earlier version does not become smaller, but uses its room again; \
`sqlite3 park.db 'PRAGMA auto_vacuum=2; VACUUM'` while nobody uses it changes that.",
        ),
        (
            "Metrics",
            "\
GET /metrics is for Prometheus (OpenMetrics): records by type, rejected lines by reason, open connections by surface, bytes that wait, \
subscribers sent away, commands by outcome, the time to make a burst durable, memory and descriptors. It is for \
operators and admins; --metrics-listen answers it on a loopback address to everybody on this machine. No label comes \
from outside: types that are not ours are counted as other.",
        ),
        (
            "Access",
            "\
With --jwt-secret or --jwt-public-key whoever comes shows a signed token (JSON Web Token, RFC 7519). It must name the account \
(sub), its role and its end (exp, seconds since 1970); it may name a beginning (nbf), a gate_id, cameras, and must name what \
--jwt-audience and --jwt-issuer ask for. Its algorithm is that of the key, and a header with more than alg, typ and kid is refused; kid is a hint that counts only with \
--jwt-key-id. park-serve token makes one. HUP reads the key again: tokens of the old one let nobody in any more, and connections that they \
opened stay until their token ends. \
Every token that does not count gets the same answer, 401; --log debug says why.

A viewer watches gates and lots. An operator also moves gates and cameras. An admin sees and does everything. A user sees what is free and what is \
their own. A controller sends the records of its gate and takes its commands. /healthz and the pages are open to all.

A token is shown as Authorization: Bearer TOKEN. A WebSocket client of a browser may send it as subprotocol (Sec-WebSocket-Protocol: park.bearer, \
TOKEN). The page signs in with POST /api/session, which puts it into a cookie that counts for pages of the server's own origin and of \
--allow-origin only; DELETE /api/session signs out, GET tells who one is. POST /api/ticket gives a ticket that opens one stream, socket or picture \
within a minute, as ?ticket=TICKET. A token in an address is never read.

A stream or socket ends when its token does (close code 4401, event closing), unless a WebSocket client sends a new one of the same account and \
role in time: {\"type\":\"auth\",\"payload\":{\"token\":\"…\"}}.

With --tls-cert and --tls-key the server speaks TLS 1.2 and 1.3; HUP reads both files again, and broken ones change nothing. Inputs (--input) \
ask nobody for a token: keep them on Unix sockets and loopback addresses.",
        ),
        (
            "Monitors",
            "\
With --monitor-gate, --monitor-lot, or detector in park.toml, the server connects to detection back ends as a WebSocket client and \
keeps these connections: a lost one is made again after --reconnect-delay, then after twice as long each time, and given up after \
--reconnect-attempts tries without a message. A back end is park-detect with --output ws-listen:…, or another maker's: \
JSON objects with a plate (plate, plateNumber, …) for a gate, or with places (totalSlots, occupied, …, slots) for a lot, in payload, in data or \
at the top. What comes is logged and handed to park-gate (sessions in the same database; it only watches) and park-track, which \
run as children, with the site of park.toml; what they write is logged too. A plate without an open session comes in, \
one that is inside goes out; counts lead to violations and alerts; a camera that is silent for 5 minutes is offline.

POST /api/monitoring/start and /stop take {\"parkingLotId\": …} or {\"gateId\": …}, of operators and admins; GET \
/api/monitoring/status tells the state, tries and last message of each connection.",
        ),
        (
            "Limits",
            "\
A message or payload of a Socket.IO client may have 100,000 bytes, its packets 10 attachments; it must \
connect to the namespace within 10 seconds. A message of a dashboard may have 16 KiB, one of a controller 1 MiB, the body of a request 64 KiB; the head of a request must \
come within 10 seconds, the whole of it within 10 more; a TLS handshake and an idle connection have 10 seconds too, and a \
WebSocket client must answer the first ping within as many. Bodies must not be packed (415). What waits for a client is bounded by --queue.

Connections, new connections, requests and streams are limited by address and by account: see the flags. Who is over a limit is told when to \
come back (429 or 503 with Retry-After). A channel's WebSocket has one subscription, its channel; other clients have --max-subscriptions. /status counts what was refused, under limits. An address of this machine's own is not limited, since a proxy \
may stand there for many, unless --limit-loopback says so. Behind a proxy, name it with --trusted-proxy: then limits, the log of \
connections and the audit trail go by the address in X-Forwarded-For, which is not looked at when anybody else sends it.",
        ),
    ],
    examples: &[
        ("A gate and its dashboard", "park-capture rtsp://… | park-detect plates | park-gate --gate gate_in | park-serve"),
        ("One server for many pipelines", "park-serve --input unix-listen:/run/park/park.sock --db /var/lib/park/park.db"),
        ("Watch a lot from a shell", "curl -N 'http://127.0.0.1:8000/api/sse/dashboard?lot=lot_1'"),
        ("Monitor another maker's detector", "park-serve --monitor-lot lot_1=ws://10.0.0.7:8000/lot"),
        ("One picture of a camera", "curl -o now.jpg 'http://127.0.0.1:8000/cameras/cam_in/snapshot.jpg?width=640'"),
        ("Open a gate", "echo '{\"type\":\"gate_control\",\"payload\":{\"action\":\"open\"}}' | websocat ws://127.0.0.1:8000/ws/gate_in"),
        ("Who moved a gate this week, and what came of it", "park-serve log audit --since 7d --db /var/lib/park/park.db"),
        ("Keep readings for a day and the audit trail for five years", "park-serve --keep plates=1d,audit=5y --db /var/lib/park/park.db"),
        ("A token for a shift, shown by curl", "curl -H \"Authorization: Bearer $(park-serve token --role viewer --subject ann --jwt-secret secret)\" http://127.0.0.1:8000/status"),
        ("Serve others, over TLS", "park-serve --listen 0.0.0.0:8443 --jwt-secret /etc/park/secret --tls-cert cert.pem --tls-key key.pem"),
        ("Look whether a database is whole", "park-serve check --db /var/lib/park/park.db"),
    ],
    environment: &[
        ("WEBSOCKET_HOST", "The host of --listen."),
        ("WEBSOCKET_PORT", "The port of --listen."),
        ("NOTIFY_SOCKET", "Where systemd is told that the server is ready or stopping."),
    ],
    files: &[
        ("$PARK_STATE_DIR/park.db", "The database, unless --db names another."),
        ("park.db.monitors.json", "What the tracker of the monitors remembers, beside the database."),
    ],
};
