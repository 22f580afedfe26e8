//! Behind a proxy: whose word for where a request comes from is taken.

use super::*;

use super::operations::log_when;

const FROM: &str = "X-Forwarded-For: 203.0.113.7";
const ELSEWHERE: &str = "X-Forwarded-For: 203.0.113.8";
const UPDATE: &str = r#"{"parkingLotId":"lot_1","totalSlots":10,"occupied":4}"#;

#[test]
fn a_trusted_proxy_says_from_where_requests_come() {
    let dir = dir();
    let limits = ["--requests-per-minute", "30", "--max-per-address", "3"];
    let server =
        Server::start(dir.path(), &[&["--trusted-proxy", "10.0.0.1,127.0.0.1"], &limits[..]].concat());
    assert_eq!(server.http("POST", "/api/capacity/update", &[FROM], UPDATE).0, 200);
    let forwarded = [("x-forwarded-for", "198.51.100.1, 203.0.113.7")];
    let mut held: Vec<Socket> =
        (0..2).map(|_| server.upgrade("/ws/gate_in", &forwarded).ok().unwrap()).collect();
    held.push(server.upgrade(engineio::WEBSOCKET, &forwarded).ok().unwrap());
    assert_eq!(server.upgrade("/ws/gate_in", &forwarded).err(), Some(429));
    assert_eq!(server.asks("/api/sse/dashboard", &[FROM]), 429);
    assert_eq!(server.asks("/api/sse/dashboard", &[ELSEWHERE]), 200);
    // Its place is given back with the stream.
    drop(held.pop());
    let deadline = Instant::now() + PATIENCE;
    while server.upgrade("/ws/gate_in", &forwarded).is_err() {
        assert!(Instant::now() < deadline, "the place was not given back");
        // Each try counts as a request of this minute.
        std::thread::sleep(Duration::from_secs(2));
    }
    let refused: Vec<u16> = (0..40).map(|_| server.http("GET", "/healthz", &[FROM], "").0).collect();
    assert_eq!(refused.last(), Some(&429), "{refused:?}");
    assert_eq!(server.http("GET", "/healthz", &[ELSEWHERE], "").0, 200);
    drop(held);
    let of_it = |lines: &[Value]| lines.iter().filter(|line| line["address"] == "203.0.113.7").count() >= 3;
    log_when(dir.path(), &["connections"], of_it);
    let trail = log_when(dir.path(), &["audit"], |lines| !lines.is_empty());
    assert_eq!(
        (&trail[0]["address"], &trail[0]["action"]),
        (&json!("203.0.113.7"), &json!("POST /api/capacity/update"))
    );
}

#[test]
fn nobody_else_is_believed() {
    let dir = dir();
    let limits = ["--limit-loopback", "--requests-per-minute", "20", "--trusted-proxy", "10.0.0.1"];
    let server = Server::start(dir.path(), &limits);
    assert_eq!(server.http("POST", "/api/capacity/update", &[FROM], UPDATE).0, 200);
    drop(server.upgrade("/ws/gate_in", &[("x-forwarded-for", "203.0.113.7")]).ok().unwrap());
    let answers: Vec<u16> = (0..30)
        .map(|n| server.http("GET", "/healthz", &[&format!("X-Forwarded-For: 203.0.113.{n}")], "").0)
        .collect();
    assert!(answers.starts_with(&[200; 10]) && answers.last() == Some(&429), "{answers:?}");
    let connections = log_when(dir.path(), &["connections"], |lines| !lines.is_empty());
    let trail = log_when(dir.path(), &["audit"], |lines| !lines.is_empty());
    for line in connections.iter().chain(&trail) {
        assert_eq!(line["address"], "127.0.0.1", "{line}");
    }
}

#[test]
fn what_is_no_address_is_refused() {
    for wrong in ["proxy.example", "10.0.0.1/33", ""] {
        let refused = run("park-serve", &["--trusted-proxy", wrong, "--listen", "127.0.0.1:0"], b"");
        assert_eq!(refused.status.code(), Some(2), "{wrong}: {}", stderr(&refused));
    }
}
