//! `park-serve` as its clients meet it: HTTP, Server-Sent Events, WebSockets, sockets of other commands.
//!
//! What it must resist, and the test that shows it:
//!
//! | | threat | test |
//! |---|---|---|
//! | 1 | slow head | `limits::who_is_slow_is_closed_and_holds_up_nobody` |
//! | 2 | slow body | the same |
//! | 3 | upgraded, then silent | the same; `engineio::a_client_that_never_connects_is_sent_away` |
//! | 4 | huge messages and frames | `limits::huge_messages_end_their_connection_and_cost_no_memory` |
//! | 5 | lines without an end | `limits::a_line_without_an_end_is_dropped_and_the_others_go_on` |
//! | 6 | many attachments, deep JSON | `socketio::what_is_no_packet_ends_the_connection`, `limits::deep_and_malformed_input_is_refused_at_every_door` |
//! | 7 | packed bodies | `limits::nothing_is_unpacked` |
//! | 8 | without rights, at any door | `access::the_same_rules_hold_at_every_door`, `access::each_role_passes_its_own_doors_only`, `socketio::rooms_and_answers_are_for_those_they_are_for`, `socketio::a_newer_token_takes_away_what_it_does_not_allow` |
//! | 9 | a token that ends | `access::a_stream_ends_with_its_token_unless_it_was_renewed`, `socketio::a_token_ends_its_connection_unless_a_newer_one_is_shown` |
//! | 10 | tokens in addresses | `access::a_browser_comes_in_by_subprotocol_cookie_or_ticket`, `secrets::secrets_stand_in_no_place_that_others_can_see` |
//! | 11 | forged tokens | `access::every_bad_token_gets_the_same_answer`, `access::public_keys_let_in_what_their_owner_signed_and_nothing_else` |
//! | 12 | weak secrets | `access::a_weak_or_wrong_key_is_refused_at_the_start` |
//! | 13 | sockets for other sites | `access::no_socket_for_pages_of_other_sites`, `engineio::only_pages_of_ours_get_a_session` |
//! | 14 | requests of other sites with our cookie | `access::a_browser_comes_in_by_subprotocol_cookie_or_ticket` |
//! | 15 | too many streams, no descriptors left | `crowds::ten_thousand_streams_find_a_thousand_places`, `limits::descriptors_never_run_out`, `crowds::out_of_descriptors_a_server_waits_and_does_not_spin`, `limits::an_account_has_so_many_requests_and_streams` |
//! | 16 | slow consumers | `crowds::half_of_a_hundred_fall_asleep_and_cost_their_queues`, and one for each dialect named `a_slow_…` |
//! | 17 | all back at once | `crowds::a_thousand_that_come_back_at_once_miss_nothing_and_hold_up_nobody`, `limits::a_storm_of_connections_is_slowed_down` |
//! | 18 | floods by one source | `limits::an_account_has_so_many_requests_and_streams`, `limits::an_address_that_takes_too_much_is_told_when_to_come_back` |
//! | 19 | paths that lead out | `operations::no_path_leads_out_of_the_pages` |
//! | 20 | SQL | `operations::no_text_from_outside_is_sql` |
//! | 21 | text that becomes an event | `sse::no_text_becomes_an_event_of_its_own` |
//! | 22 | text that becomes a message of ours | `operations::what_is_said_on_stderr_is_one_line_and_steers_no_terminal` |
//! | 23 | metrics that leak or grow | `metrics::metrics_are_for_operators_and_admins`, `metrics::no_series_comes_from_outside` |
//! | 24 | requests that can be read in two ways | `limits::what_two_servers_could_read_in_two_ways_is_refused` |
//! | 25 | panics | `limits::deep_and_malformed_input_is_refused_at_every_door`; `fuzz/` |
//! | 26 | there is no bus; other sources | `a_record_is_taken_once_and_bad_ones_are_told_apart`, `monitors::a_back_end_that_dies_is_connected_to_again_and_nonsense_ends_nothing` |
//! | 27 | TLS | `tls::tls_is_spoken_from_1_2_on_and_says_that_it_stays`, `tls::hup_reads_the_certificate_again_and_a_broken_one_changes_nothing` |
//! | 28 | secrets in sight | `secrets::secrets_stand_in_no_place_that_others_can_see`, `secrets::secrets_are_in_no_core_dump` |

mod access;
mod browser;
mod clients;
mod crowds;
mod engineio;
mod limits;
mod metrics;
mod monitors;
mod operations;
mod proxies;
mod realtime;
mod restart;
mod secrets;
mod socketio;
mod sse;
mod tls;
mod video;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use park_store::{Query, Store};
use serde_json::{Value, json};
use tempfile::TempDir;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Message, WebSocket};

use crate::support::{PATIENCE, Running, park, run, stderr};

/// A server with a database and a socket in a folder.
struct Server {
    running: Running,
    address: String,
    dir: PathBuf,
}

impl Server {
    fn start(dir: &Path, more: &[&str]) -> Server {
        Server::start_at(dir, "127.0.0.1:0", more)
    }

    fn start_at(dir: &Path, address: &str, more: &[&str]) -> Server {
        let mut command = park("park-serve");
        command.arg("--db").arg(dir.join("park.db"));
        if !more.contains(&"--listen") {
            command.args(["--listen", address]);
        }
        command.arg("--input").arg(format!("unix-listen:{}", dir.join("park.sock").display()));
        command.args(["--input", "-"]).args(more);
        let running = Running::spawn(command);
        let said = running.says("serving on http://");
        let address = said.rsplit_once("http://").unwrap().1.trim_end_matches('/').to_owned();
        Server { running, address, dir: dir.to_owned() }
    }

    fn http(&self, method: &str, path: &str, headers: &[&str], body: &str) -> (u16, String) {
        http(&self.address, method, path, headers, body)
    }

    /// The head of the answer to a request without a body.
    fn head(&self, method: &str, path: &str, headers: &[&str]) -> String {
        let answer = self.exchange(method, path, headers, "");
        answer.split_once("\r\n\r\n").unwrap().0.to_owned()
    }

    fn exchange(&self, method: &str, path: &str, headers: &[&str], body: &str) -> String {
        exchange(&self.address, method, path, headers, body)
    }

    fn get(&self, path: &str) -> Value {
        let (status, body) = self.http("GET", path, &[], "");
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    /// Asks for the status until it is as wanted.
    fn status_when(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let status = self.get("/status");
            if wanted(&status) {
                return status;
            }
            assert!(Instant::now() < deadline, "the status stays {status}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn tcp(&self) -> TcpStream {
        tcp(&self.address)
    }

    fn socket(&self, path: &str) -> Socket {
        Socket(tungstenite::client(format!("ws://{}{path}", self.address), self.tcp()).unwrap().0)
    }

    fn try_socket(&self, path: &str) -> Result<Socket, String> {
        let opened = tungstenite::client(format!("ws://{}{path}", self.address), self.tcp());
        opened.map(|(socket, _)| Socket(socket)).map_err(|error| error.to_string())
    }

    /// The same as soon as the server gives one.
    fn socket_when(&self, path: &str) -> Socket {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.try_socket(path) {
                Ok(socket) => return socket,
                Err(error) => assert!(Instant::now() < deadline, "{error}"),
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn events(&self, query: &str, last: Option<&str>) -> Events {
        let mut stream = self.tcp();
        let last = last.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
        // An answer to HTTP/1.0 comes without chunks.
        write!(stream, "GET /api/sse/dashboard{query} HTTP/1.0\r\nHost: localhost\r\n{last}\r\n").unwrap();
        let mut events = Events(BufReader::new(stream));
        let head = events.block();
        assert!(
            head[0].contains("200") && head.iter().any(|line| line.contains("text/event-stream")),
            "{head:?}"
        );
        events
    }

    fn peer(&self) -> UnixPeer {
        let stream = UnixStream::connect(self.dir.join("park.sock")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        UnixPeer { reader: BufReader::new(stream.try_clone().unwrap()), stream }
    }

    fn terminate(self) {
        self.running.signal(libc::SIGTERM);
        assert!(self.running.end().0.success());
    }
}

fn tcp(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn http(address: &str, method: &str, path: &str, headers: &[&str], body: &str) -> (u16, String) {
    let answer = exchange(address, method, path, headers, body);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

fn exchange(address: &str, method: &str, path: &str, headers: &[&str], body: &str) -> String {
    let mut stream = tcp(address);
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let length = body.len();
    let head =
        format!("{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}");
    let host = if headers.contains("Host:") { String::new() } else { format!("Host: {address}\r\n") };
    // One write: who is refused at his first line may find the door shut behind a second one.
    stream.write_all(format!("{head}{host}\r\n{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

struct Socket(WebSocket<TcpStream>);

impl Socket {
    fn send(&mut self, message: &Value) {
        self.0.send(Message::text(message.to_string())).unwrap();
    }

    fn next(&mut self) -> Value {
        loop {
            if let Message::Text(text) = self.0.read().unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }

    fn next_of(&mut self, kind: &str) -> Value {
        std::iter::repeat_with(|| self.next()).find(|message| message["type"] == kind).unwrap()
    }

    /// Reads to the end and gives the close code.
    fn end(mut self) -> CloseCode {
        loop {
            if let Message::Close(frame) = self.0.read().unwrap() {
                return frame.unwrap().code;
            }
        }
    }
}

struct Events(BufReader<TcpStream>);

impl Events {
    fn block(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            let read = self.0.read_line(&mut line).unwrap();
            let line = line.trim_end().to_owned();
            if read == 0 || line.is_empty() {
                return lines;
            }
            lines.push(line);
        }
    }

    /// The next event: its id, its type and its data.
    fn next(&mut self) -> (String, String, Value) {
        let lines = self.block();
        let field = |name: &str| {
            lines.iter().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned()
        };
        let (kind, data) = (field("event:"), field("data:"));
        let data: Value = serde_json::from_str(&data).unwrap_or_else(|_| panic!("{lines:?}"));
        assert_eq!(data["type"], kind);
        (field("id:"), kind, data["data"].clone())
    }

    fn connected(mut self) -> Events {
        assert_eq!(self.next().1, "connected");
        self
    }

    fn taken(&mut self) -> (String, u64) {
        let (id, kind, data) = self.next();
        assert_eq!(kind, "capacity_update");
        (id, data["occupied"].as_u64().unwrap())
    }
}

struct UnixPeer {
    reader: BufReader<UnixStream>,
    stream: UnixStream,
}

impl UnixPeer {
    fn send(&mut self, line: &str) {
        self.stream.write_all(line.as_bytes()).unwrap();
    }

    fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let mut line = String::new();
            assert!(self.reader.read_line(&mut line).unwrap() > 0, "the server has gone");
            let record: Value = serde_json::from_str(&line).unwrap();
            if record["type"] == kind {
                return record;
            }
        }
    }
}

fn dir() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn record(id: &str, kind: &str, place: &str, payload: &Value) -> String {
    let [name, place] = if place.starts_with("lot") { ["lot_id", place] } else { ["gate_id", place] };
    let mut record = json!({ "type": kind, "v": 1, "id": id, "timestamp": "2026-01-20T10:30:00.000Z" });
    record[name] = place.into();
    record["payload"] = payload.clone();
    format!("{record}\n")
}

fn taken(id: &str, lot: &str, occupied: u32) -> String {
    let payload = json!({
        "total": 100, "occupied": occupied, "free": 100 - occupied, "unknown": 0,
        "occupancy_rate": f64::from(occupied) / 100.0, "counted_by": "slots",
    });
    record(id, "capacity_update", lot, &payload)
}

fn closed(id: &str, gate: &str) -> String {
    record(id, "gate_status", gate, &json!({ "state": "closed", "confirmed": true }))
}

#[test]
fn the_door_tells_how_things_stand_and_whom_it_lets_in() {
    let dir = dir();
    let server = Server::start(dir.path(), &[]);
    assert_eq!(server.get("/healthz")["status"], "ok");
    let status = server.get("/status");
    assert_eq!((&status["active_channels"], &status["controllers"]), (&json!({}), &json!([])));
    let (page, html) = server.http("GET", "/", &[], "");
    assert!(page == 200 && html.contains("park.js"));
    for path in ["/nothing", "/ws/", "/ws/a%2fb", "/..%2f..%2fetc/passwd", "/web/../Cargo.toml"] {
        assert_eq!(server.http("GET", path, &[], "").0, 404, "{path}");
    }
    let update = r#"{"parkingLotId":"lot_1","totalSlots":10,"occupied":4}"#;
    let upgrade = [
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Origin: https://evil.example",
    ];
    assert_eq!(server.http("GET", "/ws/admin", &upgrade, "").0, 403);
    assert_eq!(server.http("POST", "/api/capacity/update", &upgrade[4..], update).0, 403);
    assert_eq!(server.http("GET", "/status", &["Host: evil.example"], "").0, 421);
    assert_eq!(server.http("POST", "/api/capacity/update", &[], "{}").0, 400);
    assert_eq!(server.http("POST", "/api/capacity/update", &[], &" ".repeat(100_000)).0, 413);
    let mut events = server.events("", None).connected();
    assert_eq!(server.http("POST", "/api/capacity/update", &[], update).0, 200);
    let (_, kind, data) = events.next();
    assert_eq!(
        (kind.as_str(), &data["empty"], &data["occupancyRate"]),
        ("capacity_update", &json!(6), &json!(0.4))
    );
}

#[test]
fn an_open_address_needs_a_word() {
    let refused = run("park-serve", &["--listen", "0.0.0.0:0", "--db", "/nonexistent/p.db"], b"");
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("--insecure"));
}

#[test]
fn a_dashboard_gets_the_latest_status_first_and_then_its_own_gate() {
    let dir = dir();
    let mut server = Server::start(dir.path(), &[]);
    let mut admin = server.socket("/ws/admin");
    server.running.send(&[closed("a", "gate_in"), closed("b", "gate_out")].concat());
    assert_eq!(admin.next()["gate_id"], "gate_in");
    assert_eq!(admin.next()["gate_id"], "gate_out");

    let (mut inside, mut all) = (server.socket("/ws/gate_in"), server.socket("/ws/gate_all"));
    let first = inside.next();
    assert_eq!((&first["type"], &first["gate_id"]), (&json!("gate_status"), &json!("gate_in")));
    assert_eq!((&first["payload"]["status"], &first["id"]), (&json!("closed"), &json!("a")));
    assert_eq!([all.next(), all.next()].map(|message| message["id"].clone()), [json!("a"), json!("b")]);

    let card =
        |id: &str, gate: &str| record(id, "card_detected", gate, &json!({ "card": "1", "state": "present" }));
    server.running.send(&[card("c", "gate_out"), card("d", "gate_in"), taken("e", "lot_1", 1)].concat());
    assert_eq!(inside.next()["id"], "d");
    assert_eq!([all.next(), all.next()].map(|message| message["id"].clone()), [json!("c"), json!("d")]);
    assert_eq!(admin.next_of("capacity_update")["id"], "e");

    let status = server.status_when(|status| status["active_channels"]["admin"] == 1);
    assert_eq!(status["active_channels"], json!({ "admin": 1, "gate_all": 1, "gate_in": 1 }));
    assert_eq!(status["latest_data"]["gate_out"]["card_detected"]["payload"]["card"], "1");
}

#[test]
fn a_stream_resumes_across_a_restart_without_gap_or_repeat() {
    let dir = dir();
    let mut server = Server::start(dir.path(), &[]);
    let mut events = server.events("", None).connected();
    let lines: String = (1..=5).map(|n| taken(&format!("id{n}"), "lot_1", n)).collect();
    server.running.send(&lines);
    let seen: Vec<_> = (0..5).map(|_| events.taken()).collect();
    assert_eq!(seen[4], ("id5".to_owned(), 5));
    server.terminate();
    let closing = events.block();
    assert!(closing.iter().any(|line| line.starts_with("retry: ")), "{closing:?}");

    let mut server = Server::start(dir.path(), &[]);
    let mut resumed = server.events("", Some("id2")).connected();
    assert_eq!([resumed.taken().1, resumed.taken().1, resumed.taken().1], [3, 4, 5]);
    let mut of_another = server.events("?lot=lot_2&lot=lot_3&type=capacity_update", Some("0")).connected();
    server
        .running
        .send(&[taken("id5", "lot_1", 5), taken("id6", "lot_1", 6), taken("id7", "lot_2", 7)].concat());
    assert_eq!([resumed.taken().1, resumed.taken().1], [6, 7]);
    assert_eq!(of_another.taken(), ("id7".to_owned(), 7));

    let mut lost = server.events("", Some("never was")).connected();
    let (id, kind, data) = lost.next();
    assert_eq!((id.as_str(), kind.as_str(), &data["lastEventId"]), ("id7", "reset", &json!("never was")));
    let state = server.get("/api/state");
    assert_eq!(state["lastEventId"], "id7");
    assert_eq!(state["events"].as_array().unwrap().len(), 2, "one a lot: {state}");
    server.running.send(&taken("id8", "lot_1", 8));
    assert_eq!(lost.taken().1, 8);
}

#[test]
fn a_long_replay_runs_into_the_live_stream() {
    let dir = dir();
    let mut server = Server::start(dir.path(), &[]);
    let mut writer = server.events("", None).connected();
    let lines = |range: std::ops::Range<u32>| -> String {
        range.map(|n| record(&format!("n{n}"), "alert_seen", "lot_1", &json!({ "n": n }))).collect()
    };
    server.running.send(&lines(0..3000));
    while writer.next().2["n"] != 2999 {}
    let mut late = server.events("", Some("n99")).connected();
    server.running.send(&lines(3000..3500));
    let seen: Vec<u64> = (100..3500).map(|_| late.next().2["n"].as_u64().unwrap()).collect();
    assert_eq!(seen, (100..3500).collect::<Vec<_>>());
}

#[test]
fn a_command_reaches_a_websocket_controller_and_its_answer_comes_back() {
    let dir = dir();
    let server = Server::start(dir.path(), &[]);
    let mut admin = server.socket("/ws/admin");
    let open = json!({
        "type": "gate_control", "payload": { "action": "open", "gate_id": "gate_in", "duration": 5 },
        "gate_id": "gate_in", "timestamp": "2026-01-20T10:30:00Z",
    });
    admin.send(&open);
    let error = admin.next_of("error");
    assert!(error["payload"]["message"].as_str().unwrap().contains("no controller"), "{error}");
    admin.send(&json!({ "type": "gate_status" }));
    admin.next_of("error");

    let mut controller = server.socket("/ws/controller/gate_in");
    server.status_when(|status| status["controllers"] == json!(["gate_in"]));
    // A controller of another maker: no id, a time without a zone, payloads of its own.
    controller.send(&json!({
        "type": "card_detected", "payload": { "uid": "7" }, "gate_id": "gate_in",
        "timestamp": "2026-01-20T10:30:00.250000",
    }));
    let card = admin.next_of("card_detected");
    assert_eq!(
        (&card["payload"], &card["timestamp"]),
        (&json!({ "uid": "7" }), &json!("2026-01-20T10:30:00.250Z"))
    );

    admin.send(&open);
    let asked = controller.next_of("gate_control");
    assert_eq!((&asked["payload"]["action"], &asked["payload"]["duration"]), (&json!("open"), &json!(5.0)));
    controller.send(&json!({
        "type": "gate_control_response", "gate_id": "gate_in", "timestamp": "2026-01-20T10:30:01Z",
        "payload": { "action": "open", "success": true, "gate_status": "opening", "request_id": asked["id"] },
    }));
    let answer = admin.next_of("gate_control_response");
    assert_eq!(answer["payload"]["request_id"], asked["id"]);

    controller.send(&json!({ "type": "gate_status", "gate_id": "gate_out", "payload": {} }));
    assert!(controller.next_of("error")["payload"]["message"].as_str().unwrap().contains("gate_in"));
    let second = server.socket("/ws/controller/gate_in");
    assert_eq!(controller.end(), CloseCode::Policy);
    drop(second);
    server.status_when(|status| status["controllers"] == json!([]));
}

#[test]
fn a_command_reaches_a_gate_at_the_other_end_of_a_socket() {
    let dir = dir();
    let server = Server::start(dir.path(), &[]);
    let mut dashboard = server.socket("/ws/gate_in");
    let mut gate = server.peer();
    gate.send(&closed("first", "gate_in"));
    assert_eq!(gate.next_of("ack")["payload"]["id"], "first");
    assert_eq!(dashboard.next()["id"], "first");
    dashboard.send(&json!({ "type": "gate_control", "payload": { "action": "close" } }));
    let asked = gate.next_of("gate_control");
    assert_eq!((&asked["gate_id"], &asked["payload"]["gate_id"]), (&json!("gate_in"), &json!("gate_in")));
    let answer =
        json!({ "action": "close", "success": true, "gate_status": "closed", "request_id": asked["id"] });
    gate.send(&record("second", "gate_control_response", "gate_in", &answer));
    assert_eq!(dashboard.next_of("gate_control_response")["payload"]["request_id"], asked["id"]);
    dashboard.send(&json!({ "type": "request_status", "payload": {} }));
    gate.next_of("request_status");

    drop(gate);
    server.status_when(|status| status["controllers"] == json!([]));
    dashboard.send(&json!({ "type": "gate_control", "payload": { "action": "open" } }));
    assert!(dashboard.next_of("error")["payload"]["message"].as_str().unwrap().contains("no controller"));
    // Commands are in the log, at the latest when the server has ended.
    server.terminate();
    let store = Store::open(dir.path().join("park.db")).unwrap();
    let commands = Query { kinds: &["gate_control"], ..Query::default() };
    assert_eq!(store.since(0, &commands, 9).unwrap().len(), 2);
}

#[test]
fn a_record_is_taken_once_and_bad_ones_are_told_apart() {
    let dir = dir();
    let mut server = Server::start(dir.path(), &[]);
    let mut events = server.events("", None).connected();
    let bad = record("bad", "capacity_update", "lot_1", &json!({ "total": "many" }));
    let strange = record("a\u{7}b", "capacity_update", "lot_1", &json!({}));
    let (one, two) = (taken("one", "lot_1", 1), taken("two", "lot_1", 2));
    server.running.send(&[&*one, &one, "nonsense\n", &bad, &strange, &two, &one].concat());
    assert_eq!([events.taken().0, events.taken().0], ["one", "two"]);
    server.running.signal(libc::SIGUSR1);
    assert!(server.running.says("duplicates").contains("rejected 3"));
    server.running.signal(libc::SIGTERM);
    // Some input was bad, and the exit code says so.
    assert_eq!(server.running.end().0.code(), Some(65));
    let store = Store::open(dir.path().join("park.db")).unwrap();
    assert_eq!(store.since(0, &Query::default(), 9).unwrap().len(), 2);
}

#[test]
fn a_slow_client_is_sent_away_while_the_others_go_on() {
    let dir = dir();
    let mut server = Server::start(dir.path(), &["--queue", "512K"]);
    let mut slow = server.socket("/ws/admin");
    // It answers the first ping, or it would be sent away for its silence.
    slow.0.read().unwrap();
    slow.0.flush().unwrap();
    let (mut quick, mut events) = (server.socket("/ws/admin"), server.events("", None).connected());
    let padding = "x".repeat(16_000);
    let mut sent = 0;
    // The buffers of the kernel take some megabytes before the slow one's queue begins to fill.
    while server.get("/status")["counts"]["slow"] == 0 {
        let payload = json!({ "message": padding, "command": "test" });
        let lines: String =
            (0..10).map(|n| record(&format!("s{}", sent + n), "error", "lot_1", &payload)).collect();
        server.running.send(&lines);
        for n in sent..sent + 10 {
            assert_eq!(quick.next()["id"], format!("s{n}"));
            assert_eq!(events.next().0, format!("s{n}"));
        }
        sent += 10;
        assert!(sent < 5000, "the slow one was never noticed");
    }
    assert_eq!(slow.end(), CloseCode::Again);
    server.status_when(|status| status["active_channels"]["admin"] == 1);
}

#[test]
fn on_term_everybody_is_told() {
    let dir = dir();
    let server = Server::start(dir.path(), &[]);
    let (dashboard, controller) = (server.socket("/ws/gate_in"), server.socket("/ws/controller/gate_in"));
    let mut events = server.events("", None).connected();
    server.status_when(|status| status["controllers"] == json!(["gate_in"]));
    let asked = Instant::now();
    server.running.signal(libc::SIGTERM);
    assert_eq!(dashboard.end(), CloseCode::Away);
    assert_eq!(controller.end(), CloseCode::Away);
    assert!(events.block().iter().any(|line| line == "event: closing"));
    assert!(server.running.end().0.success());
    assert!(asked.elapsed() < Duration::from_secs(3), "took {:?}", asked.elapsed());
}

#[test]
fn a_message_that_is_too_long_ends_its_connection_only() {
    let dir = dir();
    let server = Server::start(dir.path(), &[]);
    let (mut long, mut other) = (server.socket("/ws/admin"), server.socket("/ws/admin"));
    long.send(&json!({ "type": "x".repeat(20_000) }));
    assert_eq!(long.end(), CloseCode::Size);
    other.send(&json!({ "type": "nothing" }));
    other.next_of("error");
}

#[test]
fn with_once_it_ends_with_its_input() {
    let dir = dir();
    let db = dir.path().join("sub/park.db");
    let args = ["--once", "--listen", "127.0.0.1:0", "--db", db.to_str().unwrap()];
    let output = run("park-serve", &args, taken("one", "lot_1", 1).as_bytes());
    assert!(output.status.success() && output.stdout.is_empty(), "{}", stderr(&output));
    let checked = run("park-serve", &["check", "--db", db.to_str().unwrap()], b"");
    assert!(String::from_utf8_lossy(&checked.stdout).contains("records  1"));
    std::fs::write(&db, "not a database, not at all").unwrap();
    let _ = std::fs::remove_file(db.with_extension("db-wal"));
    assert!(!run("park-serve", &["check", "--db", db.to_str().unwrap()], b"").status.success());
}
