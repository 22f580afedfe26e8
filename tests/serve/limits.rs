//! What strangers can cost: slow, silent, huge, malformed and too many requests.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::protocol::frame::coding::CloseCode;

use super::{Server, Socket, dir};
use crate::support::access::{Keys, bearer};
use crate::support::{Running, park};

/// How late a limit of ten seconds may take effect on a busy machine.
const TEN: Duration = Duration::from_secs(13);

const UPGRADE: &str = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

impl Server {
    /// Sends bytes as they are, and gives what comes back until the connection ends.
    fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = self.tcp();
        // The server may refuse before it has read everything.
        let _ = stream.write_all(bytes);
        until_end(&mut stream)
    }

    /// A raw WebSocket connection, upgraded.
    pub fn upgraded(&self) -> TcpStream {
        upgrade(self.tcp())
    }

    /// Resident memory in bytes.
    pub fn memory(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.running.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
    }

    fn limit(&self, name: &str) -> u64 {
        self.get("/status")["limits"][name].as_u64().unwrap()
    }
}

fn upgrade(stream: TcpStream) -> TcpStream {
    upgrade_at(stream, "/ws/admin")
}

fn upgrade_at(mut stream: TcpStream, path: &str) -> TcpStream {
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n{UPGRADE}\r\n").unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    assert!(head.starts_with(b"HTTP/1.1 101"));
    stream
}

fn until_end(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("the connection stays open"),
        // A reset is an end too.
        _ => String::from_utf8_lossy(&answer).into_owned(),
    }
}

/// Sends `drip` each second until the connection ends, and says after how long that was.
fn drip(mut stream: TcpStream, first: &str, drip: &str) -> (Duration, String) {
    let began = Instant::now();
    stream.write_all(first.as_bytes()).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let mut said = Vec::new();
    loop {
        let mut some = [0; 512];
        match stream.read(&mut some) {
            Ok(0) => break,
            Ok(count) => said.extend(&some[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if stream.write_all(drip.as_bytes()).is_err() {
                    break;
                }
            }
            Err(_) => break,
        }
        assert!(began.elapsed() < 3 * TEN, "the connection stays open");
    }
    (began.elapsed(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn who_is_slow_is_closed_and_holds_up_nobody() {
    let dir = dir();
    let server = Server::start(dir.path(), &[]);
    let began = Instant::now();
    let mut slow: Vec<TcpStream> = (0..1000).map(|_| server.tcp()).collect();
    for stream in &mut slow {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ").unwrap();
    }
    let best = (0..10).map(|_| {
        let asked = Instant::now();
        server.get("/healthz");
        asked.elapsed()
    });
    let best = best.min().unwrap();
    assert!(best < Duration::from_millis(100), "healthz took {best:?}");
    let streams: [TcpStream; 5] = std::array::from_fn(|_| server.tcp());
    let drippers = std::thread::scope(|scope| {
        let [head, body, nothing, idle, silent] = streams;
        let head = scope.spawn(move || drip(head, "GET / HTTP/1.1\r\nHost: localhost\r\n", "X: y\r\n"));
        let request = "POST /api/capacity/update HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n";
        let body = scope.spawn(move || drip(body, request, " "));
        let nothing = scope.spawn(move || drip(nothing, "", ""));
        let idle = scope.spawn(move || drip(idle, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", ""));
        let silent = scope.spawn(move || {
            let mut stream = upgrade(silent);
            let began = Instant::now();
            (until_end(&mut stream), began.elapsed())
        });
        let (said, after) = silent.join().unwrap();
        assert!(after < TEN && said.contains("no answer to the first ping"), "{after:?} {said:?}");
        [head, body, nothing, idle].map(|dripper| dripper.join().unwrap())
    });
    for (after, said) in &drippers {
        assert!(*after < TEN && *after > Duration::from_secs(8), "{after:?}: {said}");
    }
    assert!(drippers[1].1.contains("408"), "{}", drippers[1].1);
    for stream in &mut slow {
        until_end(stream);
    }
    assert!(began.elapsed() < 2 * TEN);
    assert!(server.limit("too_slow") >= 1);
    server.status_when(|status| status["limits"]["connections"] == 1);
}

#[test]
fn huge_messages_end_their_connection_and_cost_no_memory() {
    let dir = dir();
    let server = Server::start(dir.path(), &[]);
    let ends = |bytes: &[u8]| {
        let mut stream = server.upgraded();
        let _ = stream.write_all(bytes);
        let said = until_end(&mut stream);
        assert!(said.contains("message too long"), "{said:?}");
    };
    // Once, so that what is set up once is.
    let declared = [&[0x81, 0xFF][..], &(1u64 << 62).to_be_bytes(), &[0; 4]].concat();
    ends(&declared);
    let before = server.memory();
    ends(&declared);
    let whole = [&[0x81, 0xFF][..], &(10u64 << 20).to_be_bytes(), &[0; 4], &vec![b'x'; 10 << 20]].concat();
    ends(&whole);
    let mut fragments = [0x01, 0x81, 0, 0, 0, 0, b'x'].to_vec();
    fragments.extend([0x00, 0x81, 0, 0, 0, 0, b'x'].repeat(10 << 20));
    ends(&fragments);
    // Over Socket.IO nobody has to have said who they are by then.
    for bytes in [&declared, &whole, &fragments] {
        let mut stream = upgrade_at(server.tcp(), super::engineio::WEBSOCKET);
        let _ = stream.write_all(bytes);
        let said = until_end(&mut stream);
        assert!(said.contains("message too long"), "{said:?}");
    }
    let grown = server.memory().saturating_sub(before);
    assert!(grown < 1 << 20, "{grown} bytes more");
    assert_eq!(server.get("/healthz")["status"], "ok");
}

#[test]
fn nothing_is_unpacked() {
    let dir = dir();
    let server = Server::start(dir.path(), &[]);
    let offer = format!(
        "GET /ws/admin HTTP/1.1\r\nHost: localhost\r\n{UPGRADE}Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    );
    let mut stream = server.tcp();
    stream.write_all(offer.as_bytes()).unwrap();
    let mut head = [0; 400];
    let count = stream.read(&mut head).unwrap();
    let head = String::from_utf8_lossy(&head[..count]).to_lowercase();
    assert!(head.contains("101") && !head.contains("deflate"), "{head}");
    for coding in ["gzip", "deflate", "br", "zstd", "GZIP, identity"] {
        let header = format!("Content-Encoding: {coding}");
        assert_eq!(server.http("POST", "/api/capacity/update", &[&header], "{}").0, 415, "{coding}");
    }
    assert_eq!(server.http("POST", "/api/capacity/update", &["Content-Encoding: identity"], "{}").0, 400);
    // A megabyte of zeros, packed.
    let mut gzip =
        Command::new("gzip").arg("-9").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    gzip.stdin.take().unwrap().write_all(&[0; 1 << 20]).unwrap();
    let bomb = gzip.wait_with_output().unwrap().stdout;
    assert!(bomb.len() < 2000);
    for path in ["/api/capacity/update", "/socket.io/?EIO=4&transport=polling", "/realtime/announcement"] {
        let length = bomb.len();
        let head = format!(
            "POST {path} HTTP/1.0\r\nHost: localhost\r\nContent-Encoding: gzip\r\nContent-Length: {length}\r\n\r\n"
        );
        let answer = server.raw(&[head.as_bytes(), &bomb].concat());
        assert!(answer.contains(" 415 "), "{path}: {answer}");
    }
}

#[test]
fn a_line_without_an_end_is_dropped_and_the_others_go_on() {
    let dir = dir();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut server = Server::start(dir.path(), &["--input", &format!("tcp-listen:{port}")]);
    let mut events = server.events("", None).connected();
    let before = server.memory();
    let piece = vec![b'x'; 1 << 20];
    let mut unix = server.peer().stream;
    let mut over_tcp = super::tcp(&port.to_string());
    // A gibibyte each; whoever is cut off need not send it all.
    let unix_sent = (0..1024).take_while(|_| unix.write_all(&piece).is_ok()).count();
    let tcp_sent = (0..1024).take_while(|_| over_tcp.write_all(&piece).is_ok()).count();
    assert!(unix_sent < 1024 && tcp_sent < 1024, "{unix_sent} and {tcp_sent} MiB were taken");
    let pipe = server.running.child.stdin.as_mut().unwrap();
    (0..1024).for_each(|_| pipe.write_all(&piece).unwrap());
    pipe.write_all(b"\n").unwrap();
    let grown = server.memory().saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes more");
    // The pipe cannot be cut off: what comes after that line counts.
    server.running.send(&super::taken("after", "lot_1", 1));
    assert_eq!(events.taken().0, "after");
    let mut peer = server.peer();
    peer.send(&super::taken("other", "lot_1", 2));
    assert_eq!(events.taken().0, "other");
}

#[test]
fn deep_and_malformed_input_is_refused_at_every_door() {
    let dir = dir();
    let mut server = Server::start(dir.path(), &[]);
    let mut events = server.events("", None).connected();
    let deep = "[".repeat(100_000);
    let lines = [
        super::taken("deep", "lot_1", 1).replacen("100", &deep, 1),
        format!(r#"{{"type":"x","id":"deep2","timestamp":"2026-01-20T10:30:00Z","payload":{deep}}}"#) + "\n",
    ];
    server.running.send(&lines.concat());
    let pipe = server.running.child.stdin.as_mut().unwrap();
    pipe.write_all(b"{\"type\":\"x\xFF\",\"id\":\"utf\"}\n\xC3\x28\n\0\0\n").unwrap();
    server.running.send(&super::taken("fine", "lot_1", 3));
    assert_eq!(events.taken().0, "fine");

    // A frame of text that is none (masked with nothing), to each kind of WebSocket.
    for path in ["/ws/admin", "/ws/controller/gate_in", super::engineio::WEBSOCKET] {
        let mut stream = upgrade_at(server.tcp(), path);
        stream.write_all(&[0x81, 0x82, 0, 0, 0, 0, 0xFF, 0xFE]).unwrap();
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said);
        // 1007: not the data that the type promises.
        assert!(said.windows(4).any(|bytes| bytes == [0x88, 2, 0x03, 0xEF]), "{path}: {said:?}");
    }
    for (path, depth) in [("/ws/admin", 5000), ("/ws/controller/gate_in", 100_000)] {
        let mut socket = server.socket(path);
        let payload = "[".repeat(depth) + &"]".repeat(depth);
        socket.say(&format!(r#"{{"type":"gate_control","payload":{payload}}}"#));
        socket.next_of("error");
    }
    for head in [
        &b"GET /\xFF\xFE HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"[..],
        b"GET /%FF%FE HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET /status HTTP/1.1\r\nHost: \xFF\r\nConnection: close\r\n\r\n",
        b"POST /api/capacity/update HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nConnection: close\r\n\r\n\xFF\xFE",
    ] {
        let answer = server.raw(head);
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    let body = format!(r#"{{"parkingLotId":{deep}"#);
    assert!(matches!(server.http("POST", "/api/capacity/update", &[], &body).0, 400 | 413));
    assert_eq!(server.get("/healthz")["status"], "ok");
}

#[test]
fn a_client_has_so_many_subscriptions() {
    let dir = dir();
    let server = Server::start(dir.path(), &["--max-subscriptions", "3"]);
    let filters = |count: usize| (0..count).map(|n| format!("lot=l{n}&type=t{n}&")).collect::<String>();
    assert_eq!(server.asks(&format!("/api/sse/dashboard?{}lot=more", filters(1)), &[]), 200);
    assert_eq!(server.asks(&format!("/api/sse/dashboard?{}", filters(2)), &[]), 400);

    // Rooms named at the start, then asked for, then places and cameras: all together.
    let rooms = json!({ "rooms": ["parking_lot:1", "parking_lot:1", "user:anyone"] });
    let mut socket = Socket::joined(&server, &rooms);
    assert_eq!(socket.ask("subscribe", &json!({ "room": "parking_updates" }))["success"], true);
    assert_eq!(socket.ask("subscribe_to_parking", &json!({ "location_id": "1" }))["success"], true);
    let refused = |socket: &mut Socket, name: &str, data: Value| {
        let answer = socket.ask(name, &data);
        assert_eq!(answer["error"], "3 subscriptions are the most", "{name}: {answer}");
    };
    refused(&mut socket, "subscribe", json!({ "room": "parking_lot:2" }));
    refused(&mut socket, "subscribe", json!({ "room": "parking_lot:2", "lastEventId": "0" }));
    refused(&mut socket, "subscribe_to_parking", json!({ "location_id": "2" }));
    refused(&mut socket, "subscribe_to_camera", json!({ "camera_id": "cam" }));
    // What one has already is no more; what was left makes room.
    assert_eq!(socket.ask("subscribe", &json!({ "room": "parking_lot:1" }))["success"], true);
    assert_eq!(socket.ask("unsubscribe", &json!({ "room": "parking_lot:1" }))["success"], true);
    assert_eq!(socket.ask("subscribe", &json!({ "room": "parking_lot:2" }))["success"], true);

    let names: Vec<String> = (0..50).map(|n| format!("parking_lot:{n}")).collect();
    let mut greedy = Socket::joined(&server, &json!({ "rooms": names }));
    let told: Vec<String> = (0..5).map(|_| greedy.event().0).collect();
    assert_eq!(told, ["connected", "subscribed", "subscribed", "subscribed", "error"]);
    // A channel is the one subscription of its WebSocket, which takes no other.
    let mut channel = server.socket("/ws/gate_in");
    channel.send(&json!({ "type": "subscribe", "payload": { "room": "gate_out" } }));
    channel.next_of("error");
}

#[test]
fn what_two_servers_could_read_in_two_ways_is_refused() {
    let dir = dir();
    let server = Server::start(dir.path(), &[]);
    let inner = "GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let post = "POST /api/capacity/update HTTP/1.1\r\nHost: localhost\r\n";
    for request in [
        format!("{post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{inner}"),
        format!("{post}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n{inner}"),
        format!("{post}Content-Length: 2\r\nContent-Length: 5\r\n\r\n{{}}{inner}"),
        format!("{post}Content-Length: 2, 5\r\n\r\n{{}}{inner}"),
        format!("{post}Content-Length: +2\r\n\r\n{{}}{inner}"),
        format!("{post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{inner}"),
        format!("{post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{inner}"),
        format!("{post}Content-Length : 2\r\n\r\n{{}}{inner}"),
        format!("{post} Content-Length: 2\r\n\r\n{{}}{inner}"),
        "GET /healthz HTTP/1.1\nHost: localhost\n\n".to_owned(),
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\n\r\n".to_owned(),
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n".to_owned(),
        "GET /healthz HTTP/9.9\r\nHost: localhost\r\n\r\n".to_owned(),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
        "nonsense\r\n\r\n".to_owned(),
        format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "x".repeat(100_000)),
    ] {
        let answer = server.raw(request.as_bytes());
        if request.starts_with("PRI") {
            // The beginning of HTTP/2, which may be closed without a word.
            assert!(!answer.contains(" 200 "), "{answer}");
            continue;
        }
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{request:?}: {answer}");
        assert!(answer.starts_with("HTTP/1.1 4"), "{:?}: {answer}", &request[..request.len().min(200)]);
    }
}

#[test]
fn an_address_that_takes_too_much_is_told_when_to_come_back() {
    let dir = dir();
    let args = ["--limit-loopback", "--max-per-address", "5", "--requests-per-minute", "30"];
    let server = Server::start(dir.path(), &args);
    let held: Vec<_> = (0..5).map(|_| server.upgraded()).collect();
    let answer = server.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 429") && answer.contains("Retry-After: "), "{answer}");
    drop(held);
    let deadline = Instant::now() + TEN;
    while server.head("GET", "/healthz", &[]).contains("429") {
        assert!(Instant::now() < deadline, "its places were not given back");
        std::thread::sleep(Duration::from_millis(300));
    }
    let mut refused = String::new();
    for _ in 0..40 {
        refused = server.head("GET", "/healthz", &[]);
    }
    assert!(refused.starts_with("HTTP/1.1 429") && refused.contains("retry-after: "), "{refused}");
}

#[test]
fn a_storm_of_connections_is_slowed_down() {
    let dir = dir();
    let server = Server::start(dir.path(), &["--limit-loopback", "--connects-per-minute", "40"]);
    let answers: Vec<_> = (0..60)
        .map(|_| server.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
        .collect();
    let taken = answers.iter().filter(|answer| answer.contains(" 200 ")).count();
    assert!((40..50).contains(&taken), "{taken}");
    let refused = answers.iter().find(|answer| !answer.contains(" 200 ")).unwrap();
    assert!(refused.contains("429") && refused.contains("Retry-After: "), "{refused}");
}

#[test]
fn an_account_has_so_many_requests_and_streams() {
    let dir = dir();
    let args = ["--requests-per-minute", "20", "--streams-per-account", "3"];
    let (server, keys) = Server::with_keys(dir.path(), &args);
    let (ann, bob) = (bearer(&keys.token("admin")), bearer(&keys.token("viewer")));
    let streams: Vec<_> = (0..3)
        .map(|_| {
            let mut stream = server.tcp();
            write!(stream, "GET /api/sse/dashboard HTTP/1.1\r\nHost: localhost\r\n{ann}\r\n\r\n").unwrap();
            stream.read_exact(&mut [0; 16]).unwrap();
            stream
        })
        .collect();
    assert_eq!(server.asks("/api/sse/dashboard", &[&ann]), 429);
    assert_eq!(server.upgrade("/ws/admin", &[("authorization", &ann[15..])]).err(), Some(429));
    assert_eq!(server.asks("/api/sse/dashboard", &[&bob]), 200);
    drop(streams);
    let update = r#"{"parkingLotId":"lot_1","totalSlots":10,"occupied":4}"#;
    let answers: Vec<_> =
        (0..20).map(|_| server.http("POST", "/api/capacity/update", &[&ann], update).0).collect();
    assert!(answers.starts_with(&[200; 10]) && answers.ends_with(&[429]), "{answers:?}");
    assert_eq!(server.asks("/status", &[&bob]), 200);
    let limits = server.http("GET", "/status", &[&bob], "").1;
    assert!(limits.contains(r#""streams_full":2"#), "{limits}");
}

#[test]
fn descriptors_never_run_out() {
    let dir = dir();
    let mut command = park("park-serve");
    command.arg("--db").arg(dir.path().join("park.db")).args(["--listen", "127.0.0.1:0"]);
    let limit = libc::rlimit { rlim_cur: 256, rlim_max: 256 };
    // SAFETY: setrlimit only reads the limit, which the closure owns, and is safe to call between fork and exec.
    unsafe {
        command.pre_exec(move || match libc::setrlimit(libc::RLIMIT_NOFILE, &limit) {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        })
    };
    let running = Running::spawn(command);
    let said = running.says("serving on http://");
    let address = said.rsplit_once("http://").unwrap().1.trim_end_matches('/').to_owned();
    let server = Server { running, address, dir: dir.path().to_owned() };
    let mut held: Vec<_> = (0..400).map(|_| server.tcp()).collect();
    for stream in &mut held {
        let _ = stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    let answers: Vec<_> = held
        .iter_mut()
        .map(|stream| {
            let mut head = [0; 12];
            stream.read_exact(&mut head).map(|()| head[9..].to_vec()).unwrap_or_default()
        })
        .collect();
    let count = |status: &[u8]| answers.iter().filter(|answer| answer.as_slice() == status).count();
    assert_eq!(count(b"200"), 256 * 4 / 5 - 64);
    // Those for whom nobody waits may find their connection reset before they could read why.
    assert!(count(b"503") > 0 && count(b"503") + count(b"") == 400 - count(b"200"));
    let open = std::fs::read_dir(format!("/proc/{}/fd", server.running.child.id())).unwrap().count();
    assert!(open < 256 * 4 / 5, "{open} descriptors");
    drop(held);
    let deadline = Instant::now() + TEN;
    while !server.raw(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n").contains(" 200 ") {
        assert!(Instant::now() < deadline, "the places were not given back");
    }
    server.status_when(|status| status["limits"]["connections"].as_u64() < Some(10));
}

#[test]
fn a_connection_that_speaks_stays() {
    let dir = dir();
    let keys = Keys::new(dir.path());
    let server = Server::start(dir.path(), &["--jwt-secret", keys.path()]);
    let authorization = format!("Bearer {}", keys.token("admin"));
    let mut socket = server.upgrade("/ws/admin", &[("authorization", &authorization)]).ok().unwrap();
    let until = Instant::now() + Duration::from_secs(12);
    socket.0.get_mut().set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    while Instant::now() < until {
        // Answers what pings come.
        if let Err(tungstenite::Error::Io(error)) = socket.0.read() {
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
        }
    }
    server.running.signal(libc::SIGTERM);
    assert_eq!(socket.end(), CloseCode::Away);
}
