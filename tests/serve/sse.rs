//! Dialect B with the clients that people have: the stock `EventSource`, a real browser, curl.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use serde_json::Value;
use tempfile::TempDir;

use super::{Server, tcp};
use crate::support::{PATIENCE, Running};

/// A stock EventSource that listens for alerts and for what strangers would like it to hear.
fn event_source(server: &Server) -> Running {
    let mut node = Command::new("node");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/events.mjs");
    node.arg(script).arg(format!("http://{}/api/sse/dashboard", server.address)).args(["alert", "admin"]);
    Running::spawn(node)
}

fn alert(number: u32) -> String {
    format!(
        r#"{{"type":"alert","id":"alert-{number:04}","timestamp":"2026-01-20T10:30:00Z","lot_id":"l","payload":{{"alert_id":"a{number}","alert_type":"capacity_warning","severity":"high","message":"x","status":"active","created_at":"2026-01-20T10:30:00Z"}}}}"#
    )
}

/// The next thing of this type that the client says.
fn heard(client: &Running, kind: &str) -> Value {
    loop {
        let said = client.next();
        if said[0] == kind {
            return said;
        }
    }
}

#[test]
fn an_event_source_misses_nothing_when_the_server_is_killed() {
    let dir = TempDir::new().unwrap();
    let mut server = Server::start(dir.path(), &[]);
    let client = event_source(&server);
    heard(&client, "connected");
    server.running.send(&(alert(1) + "\n"));
    assert_eq!(heard(&client, "alert")[1], "alert-0001");
    let address = server.address.clone();
    server.running.signal(libc::SIGKILL);
    server.running.end();
    heard(&client, "error");
    let mut server = Server::start(dir.path(), &["--listen", &address]);
    let more: String = (2..6).map(|number| alert(number) + "\n").collect();
    server.running.send(&more);
    for number in 2..6 {
        let said = heard(&client, "alert");
        assert_eq!(said[1], format!("alert-{number:04}"));
        assert_eq!(said[2]["data"]["_id"], format!("a{number}"));
    }
    server.terminate();
    assert_eq!(heard(&client, "closing")[2]["data"]["reason"], "the server stops");
}

#[test]
fn an_event_source_is_told_when_the_log_is_another() {
    let (dir, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let mut server = Server::start(dir.path(), &[]);
    let client = event_source(&server);
    heard(&client, "connected");
    server.running.send(&(alert(1) + "\n"));
    heard(&client, "alert");
    let address = server.address.clone();
    server.terminate();
    let mut server = Server::start(other.path(), &["--listen", &address]);
    assert_eq!(heard(&client, "reset")[2]["data"]["lastEventId"], "alert-0001");
    server.running.send(&(alert(2) + "\n"));
    assert_eq!(heard(&client, "alert")[1], "alert-0002");
}

#[test]
fn no_text_becomes_an_event_of_its_own() {
    let dir = TempDir::new().unwrap();
    let mut server = Server::start(dir.path(), &[]);
    let client = event_source(&server);
    heard(&client, "connected");
    let mut say = |mut record: Value, field: &str, evil: &str, number: u32| {
        record[field] = evil.into();
        if field != "id" {
            record["id"] = format!("evil{number}").into();
        }
        // Line ends between the values of a line are no ends of fields either.
        let line = record.to_string().replace("\"type\"", "\r\r\"type\"");
        server.running.send(&(line + "\n"));
    };
    let evils = ["x\r\nevent: admin", "x\n\nevent: admin\ndata: {}", "x\revent: admin\rdata: {}\r\r", "a\0b"];
    for (number, evil) in (0..).zip(evils) {
        for field in ["id", "type", "lot_id", "source"] {
            say(serde_json::from_str(&alert(1)).unwrap(), field, evil, number);
        }
        let mut inner: Value = serde_json::from_str(&alert(1)).unwrap();
        inner["payload"]["message"] = evil.into();
        say(inner, "source", "cam", 100 + number);
    }
    server.running.send(&(alert(9) + "\n"));
    let mut messages = Vec::new();
    loop {
        let said = client.next();
        assert!(said[0] != "admin" && said[0] != "error", "{said}");
        if said[0] != "alert" {
            continue;
        }
        if said[1] == "alert-0009" {
            break;
        }
        assert_eq!(said[2]["data"]["_id"], "a1", "{said}");
        messages.push(said[2]["data"]["message"].clone());
    }
    for evil in evils {
        assert!(messages.contains(&evil.into()), "{evil:?} in {messages:?}");
    }
}

#[test]
fn a_client_that_takes_gzip_gets_the_same_events_in_fewer_bytes() {
    let dir = TempDir::new().unwrap();
    let mut server = Server::start(dir.path(), &[]);
    let all: String = (1..=200).map(|number| alert(number) + "\n").collect();
    server.running.send(&all);
    server.status_when(|status| status["last_id"] == "alert-0200");
    let replay = |option: &str| {
        let url = format!("http://{}/api/sse/dashboard?lastEventId=0", server.address);
        let mut curl = Command::new("curl");
        curl.args(["-sN", "--max-time", "20", "-w", "%{size_download}", option, &url]);
        curl.stdout(std::process::Stdio::piped()).spawn().unwrap()
    };
    let (plain, gzip) = (replay("--no-compressed"), replay("--compressed"));
    server.status_when(|status| status["sse_clients"] == 2);
    server.terminate();
    let [plain, gzip] = [plain, gzip].map(|curl| {
        let output = curl.wait_with_output().unwrap();
        assert!(output.status.success(), "{:?}: the stream did not end well", output.status);
        let text = String::from_utf8(output.stdout).unwrap();
        let (events, bytes) = text.rsplit_once("\n\n").unwrap();
        let ids: Vec<&str> = events.lines().filter(|line| line.starts_with("id: alert")).collect();
        (ids.len(), ids.last().copied().map(str::to_owned), bytes.trim().parse::<u64>().unwrap())
    });
    assert_eq!((plain.0, &plain.1), (200, &Some("id: alert-0200".to_owned())));
    assert_eq!((gzip.0, &gzip.1), (plain.0, &plain.1));
    assert!(gzip.2 * 4 < plain.2, "{} bytes for {}", gzip.2, plain.2);
}

#[test]
fn a_stream_begins_after_the_answers_before_it() {
    let dir = TempDir::new().unwrap();
    let mut server = Server::start(dir.path(), &[]);
    let mut stream = tcp(&server.address);
    let host = &server.address;
    let ask = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let all = [ask("/healthz"), ask("/api/sse/dashboard?type=alert"), ask("/healthz")].concat();
    stream.write_all(all.as_bytes()).unwrap();
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    // A body need not end with its line.
    let before = lines.by_ref().take_while(|line| !line.starts_with("data:"));
    assert_eq!(before.filter(|line| line.ends_with("HTTP/1.1 200 OK")).count(), 2);
    server.running.send(&(alert(1) + "\n"));
    assert!(lines.any(|line| line.contains("alert-0001")));
}

#[test]
fn a_browser_shows_what_happens() {
    let dir = TempDir::new().unwrap();
    let mut server = Server::start(dir.path(), &[]);
    server.running.send(&(alert(7).replace("\"x\"", "\"nearly <b>full</b>\"") + "\n"));
    server.status_when(|status| status["last_id"] == "alert-0007");
    // The page is printed once it is loaded, which may be before the first event has come.
    let deadline = Instant::now() + PATIENCE;
    loop {
        let page = page(&format!("http://{}/", server.address), &dir.path().join("profile"));
        if page.contains("nearly &lt;b&gt;full&lt;/b&gt;") {
            return;
        }
        assert!(Instant::now() < deadline, "{page}");
    }
}

/// What a browser makes of a page.
fn page(url: &str, profile: &Path) -> String {
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(["--timeout=5000", "--dump-dom", url])
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}
