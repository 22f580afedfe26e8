//! Engine.IO (protocol version 4) on the wire: every exchange that the protocol's document lists.
//!
//! | exchange | test |
//! |---|---|
//! | handshake, over polling and WebSocket; wrong version, transport, session, method | `a_session_opens_on_its_terms_or_not_at_all` |
//! | origins, preflight | `only_pages_of_ours_get_a_session` |
//! | heartbeat; no answer to it | `heartbeats_keep_a_session` |
//! | silence from the start | `a_client_that_never_connects_is_sent_away` |
//! | close by the client, by hanging up | `a_client_can_leave` |
//! | upgrade: probe, release of the poll, packets on either side of it; half of one, a wrong one, a second one | `a_polled_session_takes_a_websocket` |
//! | payloads of several packets, binary in base64 or as a frame, malformed packets | `a_payload_holds_several_packets_and_only_packets` |
//! | two GETs at once, two POSTs at once | `two_requests_at_once_end_the_session` |
//! | more than `maxPayload` | `too_much_at_once_is_refused` |
//!
//! Socket.IO's own (version 5) are in `socketio.rs`: connecting, refused, other namespaces, leaving
//! (`there_is_one_namespace`, `nobody_comes_in_without_a_good_token`), events and acknowledgements, binary ones too
//! (`events_are_acknowledged_if_they_ask_for_it`), malformed packets (`what_is_no_packet_ends_the_connection`). The server sends
//! nothing binary and asks for no acknowledgements.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::Message;

use super::{Server, Socket, dir, http, tcp};
use crate::support::PATIENCE;

/// Where a session begins.
pub const POLLING: &str = "/socket.io/?EIO=4&transport=polling";
pub const WEBSOCKET: &str = "/socket.io/?EIO=4&transport=websocket";

/// Short heartbeats.
const QUICK: &[&str] = &["--ping-interval", "1", "--ping-timeout", "1"];

/// The answer to what [`Polled::asked`].
fn answered(stream: &mut TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// A session that is polled.
pub struct Polled {
    address: String,
    sid: String,
}

impl Polled {
    pub fn open(server: &Server) -> Polled {
        let (status, body) = server.http("GET", POLLING, &[], "");
        assert_eq!((status, &body[..1]), (200, "0"), "{body}");
        let terms: Value = serde_json::from_str(&body[1..]).unwrap();
        Polled { address: server.address.clone(), sid: terms["sid"].as_str().unwrap().to_owned() }
    }

    pub fn get(&self) -> (u16, String) {
        http(&self.address, "GET", &format!("{POLLING}&sid={}", self.sid), &[], "")
    }

    /// Sends the head of a request, which the server is then at work on.
    fn asked(&self, method: &str, headers: &str) -> TcpStream {
        let mut stream = tcp(&self.address);
        let path = format!("{POLLING}&sid={}", self.sid);
        let head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n{headers}", self.address);
        write!(stream, "{head}Connection: close\r\n\r\n").unwrap();
        thread::sleep(Duration::from_millis(300));
        stream
    }

    pub fn post(&self, payload: &str) -> u16 {
        http(&self.address, "POST", &format!("{POLLING}&sid={}", self.sid), &[], payload).0
    }

    /// The packets of the next answer.
    pub fn next(&self) -> Vec<String> {
        let (status, payload) = self.get();
        assert_eq!(status, 200, "{payload}");
        payload.split('\u{1e}').map(str::to_owned).collect()
    }

    /// Reads answers until a packet begins so.
    pub fn next_of(&self, head: &str) -> String {
        loop {
            if let Some(packet) = self.next().into_iter().find(|packet| packet.starts_with(head)) {
                return packet;
            }
        }
    }
}

impl Socket {
    pub fn say(&mut self, text: &str) {
        self.0.send(Message::text(text)).unwrap();
    }

    /// The next packet of text; nothing once it has been closed.
    pub fn hear(&mut self) -> Option<String> {
        loop {
            match self.0.read() {
                Ok(Message::Text(text)) => return Some(text.to_string()),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// Reads on until a packet begins so.
    pub fn hear_of(&mut self, head: &str) -> String {
        std::iter::from_fn(|| self.hear()).find(|packet| packet.starts_with(head)).unwrap()
    }
}

#[test]
fn a_session_opens_on_its_terms_or_not_at_all() {
    let dir = dir();
    let server = Server::start(dir.path(), &[]);
    let (status, body) = server.http("GET", POLLING, &[], "");
    let mut terms: Value = serde_json::from_str(body.strip_prefix('0').unwrap()).unwrap();
    assert!(terms["sid"].as_str().unwrap().len() >= 20);
    terms["sid"] = "x".into();
    let expected = json!({
        "sid": "x", "upgrades": ["websocket"], "pingInterval": 25000, "pingTimeout": 20000, "maxPayload": 100_000,
    });
    assert_eq!((status, terms), (200, expected.clone()));
    let mut socket = server.socket(WEBSOCKET);
    let mut terms: Value = serde_json::from_str(socket.hear().unwrap().strip_prefix('0').unwrap()).unwrap();
    terms["sid"] = "x".into();
    terms["upgrades"] = json!(["websocket"]);
    assert_eq!(terms, expected);

    let upgrade = [
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ];
    for (method, query, headers, code) in [
        ("GET", "transport=polling", &[][..], 5),
        ("GET", "EIO=3&transport=polling", &[], 5),
        ("GET", "EIO=abc&transport=polling", &[], 5),
        ("GET", "EIO=4", &[], 0),
        ("GET", "EIO=4&transport=abc", &[], 0),
        ("GET", "EIO=4&transport=polling&sid=abc", &[], 1),
        ("POST", "EIO=4&transport=polling&sid=abc", &[], 1),
        ("POST", "EIO=4&transport=polling", &[], 2),
        ("PUT", "EIO=4&transport=polling", &[], 2),
        ("GET", "EIO=4&transport=websocket", &[], 3),
        ("GET", "transport=websocket", &upgrade, 5),
        ("GET", "EIO=4&transport=abc", &upgrade, 0),
        ("GET", "EIO=4&transport=websocket&sid=abc", &upgrade, 1),
        ("GET", "EIO=4&transport=websocket", &upgrade[1..], 3),
    ] {
        let (status, body) = server.http(method, &format!("/socket.io/?{query}"), headers, "");
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, &body["code"]), (400, &json!(code)), "{method} {query}");
    }
    let polled = Polled::open(&server);
    assert_eq!(server.http("PUT", &format!("{POLLING}&sid={}", polled.sid), &[], "4").0, 400);
}

#[test]
fn only_pages_of_ours_get_a_session() {
    let dir = dir();
    let server = Server::start(dir.path(), &["--allow-origin", "https://park.example"]);
    for (origin, status) in [
        ("https://evil.example", 403),
        ("null", 403),
        ("https://park.example.evil", 403),
        ("https://park.example", 200),
    ] {
        let origin = format!("Origin: {origin}");
        assert_eq!(server.http("GET", POLLING, &[&origin], "").0, status, "{origin}");
    }
    assert_eq!(server.http("OPTIONS", POLLING, &["Origin: https://park.example"], "").0, 204);
}

#[test]
fn heartbeats_keep_a_session() {
    let dir = dir();
    let server = Server::start(dir.path(), QUICK);
    let polled = Polled::open(&server);
    let mut socket = server.socket(WEBSOCKET);
    socket.hear_of("0");
    assert_eq!(polled.post("40"), 200);
    socket.say("40");
    for _ in 0..3 {
        polled.next_of("2");
        assert_eq!(polled.post("3"), 200);
        socket.hear_of("2");
        socket.say("3");
    }
    // Now neither answers.
    assert_eq!(polled.next_of("2"), "2");
    assert_eq!(polled.next_of("1"), "1");
    assert_eq!(polled.get().0, 400);
    socket.hear_of("2");
    assert_eq!(socket.hear(), None);
    // One that does not even poll is forgotten too.
    let silent = Polled::open(&server);
    let deadline = Instant::now() + PATIENCE;
    while silent.post("6") == 200 {
        assert!(Instant::now() < deadline, "the session lives on");
        thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn a_client_that_never_connects_is_sent_away() {
    let dir = dir();
    let server = Server::start(dir.path(), &[]);
    let since = Instant::now();
    let (polled, mut socket) = (Polled::open(&server), server.socket(WEBSOCKET));
    socket.hear_of("0");
    assert_eq!(socket.hear(), None);
    while polled.post("6") == 200 {
        assert!(since.elapsed() < PATIENCE, "the session lives on");
    }
    // Ten seconds at the most, and what a busy machine adds.
    assert!((8..13).contains(&since.elapsed().as_secs()), "{:?}", since.elapsed());
    let (mut unproved, polled) = (server.socket(WEBSOCKET), Polled::open(&server));
    unproved.hear_of("0");
    let mut probing = server.socket(&format!("{WEBSOCKET}&sid={}", polled.sid));
    assert_eq!(probing.hear(), None);
}

#[test]
fn a_client_can_leave() {
    let dir = dir();
    let server = Server::start(dir.path(), &[]);
    let polled = Polled::open(&server);
    let mut waiting = polled.asked("GET", "");
    assert_eq!(polled.post("1"), 200);
    assert!(answered(&mut waiting).ends_with("\r\n\r\n6"));
    assert_eq!(polled.get().0, 400);
    let mut socket = server.socket(WEBSOCKET);
    socket.hear_of("0");
    socket.say("1");
    assert_eq!(socket.hear(), None);
    // One that hangs up while it waits has left too.
    let polled = Polled::open(&server);
    drop(polled.asked("GET", ""));
    server.status_when(|status| status["socketio_clients"] == 0);
}

#[test]
fn a_polled_session_takes_a_websocket() {
    let dir = dir();
    let server = Server::start(dir.path(), &[]);
    let polled = Polled::open(&server);
    assert_eq!(polled.post("40"), 200);
    polled.next_of("40");
    let path = format!("{WEBSOCKET}&sid={}", polled.sid);
    // One that does not go through with it leaves the session as it was.
    let mut half = server.socket(&path);
    half.say("2probe");
    assert_eq!(half.hear().unwrap(), "3probe");
    drop(half);
    assert_eq!(polled.post("421[\"get_parking_availability\"]"), 200);
    assert!(polled.next_of("43").starts_with("431["));
    let mut wrong = server.socket_when(&path);
    wrong.say("2prove");
    assert_eq!(wrong.hear(), None);

    let mut socket = server.socket_when(&path);
    socket.say("2probe");
    assert_eq!(socket.hear().unwrap(), "3probe");
    // Whoever polls meanwhile is released.
    assert_eq!(polled.next(), ["6"]);
    socket.say("5");
    socket.say("422[\"get_parking_availability\"]");
    assert!(socket.hear_of("43").starts_with("432["));
    assert_eq!(polled.get().0, 400);
    assert_eq!(polled.post("3"), 400);
    assert!(server.try_socket(&path).is_err());
    socket.say("423[\"get_parking_availability\"]");
    assert!(socket.hear_of("43").starts_with("433["));
    socket.say("1");
    assert_eq!(socket.hear(), None);
    server.status_when(|status| status["socketio_clients"] == 0);
}

#[test]
fn a_payload_holds_several_packets_and_only_packets() {
    let dir = dir();
    let server = Server::start(dir.path(), &[]);
    let polled = Polled::open(&server);
    let ask = |id: u32| format!("42{id}[\"get_parking_availability\"]");
    let payload = ["40", "3", &ask(1), &ask(2), "6"].join("\u{1e}");
    assert_eq!(polled.post(&payload), 200);
    let heard = polled.next();
    assert!(heard.iter().any(|packet| packet.starts_with("431[")), "{heard:?}");
    assert!(heard.iter().any(|packet| packet.starts_with("432[")), "{heard:?}");
    let binary = "451-3[\"get_parking_availability\",{\"_placeholder\":true,\"num\":0}]\u{1e}bAQIDBA==";
    assert_eq!(polled.post(binary), 200);
    polled.next_of("433[");
    for bad in ["abc", "", "4a\u{1e}\u{1e}", "bäh", "2probe", "5", "0{}"] {
        let polled = Polled::open(&server);
        assert_eq!(polled.post(bad), 400, "{bad}");
        assert_eq!(polled.get().0, 400, "{bad}");
        let mut socket = server.socket(WEBSOCKET);
        socket.hear_of("0");
        socket.say(bad);
        assert_eq!(socket.hear(), None, "{bad}");
    }
    let mut socket = server.socket(WEBSOCKET);
    socket.hear_of("0");
    socket.0.send(Message::binary(vec![1, 2, 3, 4])).unwrap();
    assert_eq!(socket.hear(), None);
}

#[test]
fn two_requests_at_once_end_the_session() {
    let dir = dir();
    let server = Server::start(dir.path(), &[]);
    let polled = Polled::open(&server);
    let mut first = polled.asked("GET", "");
    assert_eq!(polled.get().0, 400);
    assert!(answered(&mut first).ends_with("\r\n\r\n1"));
    assert_eq!(polled.get().0, 400);

    let polled = Polled::open(&server);
    // The first one's body is still to come.
    let mut first = polled.asked("POST", "Content-Length: 2\r\n");
    assert_eq!(polled.post("40"), 400);
    assert_eq!(polled.next(), ["1"]);
    first.write_all(b"40").unwrap();
    answered(&mut first);
    assert_eq!(polled.get().0, 400);
}

#[test]
fn too_much_at_once_is_refused() {
    let dir = dir();
    let server = Server::start(dir.path(), &[]);
    let polled = Polled::open(&server);
    assert_eq!(polled.post(&format!("4{}", "x".repeat(100_000))), 413);
    let mut socket = server.socket(WEBSOCKET);
    socket.hear_of("0");
    let _ = socket.0.send(Message::text(format!("4{}", "x".repeat(100_000))));
    assert_eq!(socket.hear(), None);
    // Others go on.
    assert_eq!(polled.post("40"), 200);
    polled.next_of("40");
}
