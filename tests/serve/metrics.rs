//! `/metrics`.

use super::*;

use std::net::TcpListener;

use crate::support::access::bearer;

impl Server {
    /// The page's samples: name with labels, and value.
    fn metrics(&self) -> Vec<(String, f64)> {
        let (status, body) = self.http("GET", "/metrics", &[], "");
        assert_eq!(status, 200, "{body}");
        assert!(body.ends_with("# EOF\n"), "{body}");
        samples(&body)
    }

    fn metric(&self, name: &str) -> f64 {
        let metrics = self.metrics();
        metrics
            .iter()
            .find(|(known, _)| known == name)
            .unwrap_or_else(|| panic!("no {name} in {metrics:?}"))
            .1
    }
}

fn samples(body: &str) -> Vec<(String, f64)> {
    let samples = body.lines().filter(|line| !line.starts_with('#'));
    samples
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
        .collect()
}

#[test]
fn prometheus_is_told_how_things_go() {
    let dir = dir();
    let mut server = Server::start(dir.path(), &[]);
    let mut admin = server.socket("/ws/admin");
    let mut events = server.events("?lot=lot_1", None).connected();
    let unfit = record("bad", "capacity_update", "lot_1", &json!({ "total": "many" }));
    let known = taken("one", "lot_1", 1);
    let unknown = record("two", "a_type_of_mine", "lot_1", &json!({}));
    server.running.send(&[&*known, &known, &unknown, &unfit, "nonsense\n"].concat());
    assert_eq!(events.taken().0, "one");
    assert_eq!(events.next().0, "two");
    admin.send(&json!({ "type": "gate_control", "gate_id": "g", "payload": { "action": "open" } }));
    admin.next_of("error");
    let deadline = Instant::now() + PATIENCE;
    while server.metric("park_rejected_total{reason=\"malformed\"}") < 1.0 {
        assert!(Instant::now() < deadline);
    }
    for (name, value) in [
        ("park_records_total{type=\"capacity_update\"}", 1.0),
        ("park_records_total{type=\"other\"}", 1.0),
        ("park_records_total{type=\"violation\"}", 0.0),
        ("park_duplicates_total", 1.0),
        ("park_rejected_total{reason=\"unfit\"}", 1.0),
        ("park_rejected_total{reason=\"too_long\"}", 0.0),
        ("park_subscribers{surface=\"channel\"}", 1.0),
        ("park_subscribers{surface=\"sse\"}", 1.0),
        ("park_commands_total{outcome=\"no_controller\"}", 1.0),
        ("park_commands_total{outcome=\"refused\"}", 0.0),
        ("park_dropped_subscribers_total{reason=\"slow\"}", 0.0),
        ("park_queue_bytes", 0.0),
        ("park_queue_bytes_max", 0.0),
        ("park_controllers", 0.0),
        ("park_trail_lost_total", 0.0),
    ] {
        assert_eq!(server.metric(name), value, "{name}");
    }
    assert!(server.metric("park_deliveries_total") >= 4.0);
    assert!(server.metric("park_store_commit_seconds_count") >= 1.0);
    assert!(server.metric("process_resident_memory_bytes") > 1e6);
    assert!(server.metric("process_open_fds") > 5.0);
}

#[test]
fn no_series_comes_from_outside() {
    let dir = dir();
    let mut server = Server::start(dir.path(), &[]);
    let names = |server: &Server| {
        let mut names: Vec<String> = server.metrics().into_iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        names
    };
    let before = names(&server);
    let mut peer = server.peer();
    for chunk in 0..20 {
        let lines: String = (0..500)
            .map(|n| {
                let name = format!("random_{chunk}_{n}");
                let place = if n % 2 == 0 { format!("lot_{name}") } else { format!("gate_{name}") };
                record(&name, &name, &place, &json!({}))
            })
            .collect();
        peer.send(&lines);
    }
    while peer.next_of("ack")["payload"]["id"] != "random_19_499" {}
    for n in 0..100 {
        server.http("GET", &format!("/random/{n}"), &[&format!("User-Agent: random_{n}")], "");
        drop(server.socket(&format!("/ws/random_{n}")));
    }
    drop(server.events("?type=random_name&lot=random_name", None));
    server.running.send("{\"type\":\"random_bad\",\"v\":\"random\"}\n");
    let deadline = Instant::now() + PATIENCE;
    while server.metric("park_rejected_total{reason=\"malformed\"}") < 1.0 {
        assert!(Instant::now() < deadline);
    }
    assert_eq!(server.metric("park_records_total{type=\"other\"}"), 10_000.0);
    let after = names(&server);
    assert_eq!(after, before);
    assert!(!after.iter().any(|name| name.contains("random")));
}

#[test]
fn metrics_may_have_an_address_of_their_own() {
    let dir = dir();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let _server = Server::start(dir.path(), &["--metrics-listen", &address.to_string()]);
    let ask = |head: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "{head}Connection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let page = ask("GET /metrics HTTP/1.1\r\nHost: localhost\r\n");
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("application/openmetrics-text"), "{page}");
    assert!(page.contains("park_subscribers{surface=\"sse\"} 0\n"), "{page}");
    assert!(ask("GET / HTTP/1.1\r\nHost: localhost\r\n").starts_with("HTTP/1.1 404"));
    assert!(ask("POST /metrics HTTP/1.1\r\nHost: localhost\r\n").starts_with("HTTP/1.1 405"));
    assert!(ask("GET /metrics HTTP/1.1\r\nHost: evil.example\r\n").starts_with("HTTP/1.1 421"));
    let db = dir.path().join("other.db");
    let args = ["--listen", "127.0.0.1:0", "--metrics-listen", "0.0.0.0:0", "--db", db.to_str().unwrap()];
    let refused = run("park-serve", &args, b"");
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("0.0.0.0:0"), "{}", stderr(&refused));
}

#[test]
fn metrics_are_for_operators_and_admins() {
    let dir = dir();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let (server, keys) = Server::with_keys(dir.path(), &["--metrics-listen", &address]);
    assert_eq!(server.http("GET", "/metrics", &[], "").0, 401);
    for (role, status) in
        [("viewer", 403), ("user", 403), ("controller", 403), ("operator", 200), ("admin", 200)]
    {
        assert_eq!(server.http("GET", "/metrics", &[&bearer(&keys.token(role))], "").0, status, "{role}");
    }
    let page = server.http("GET", "/metrics", &[&bearer(&keys.token("admin"))], "").1;
    let refused =
        samples(&page).into_iter().find(|(name, _)| name == "park_refused_total{reason=\"unauthenticated\"}");
    assert_eq!(refused.unwrap().1, 1.0);
    // On this machine alone, and on an address of its own, nobody has to show a token.
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
