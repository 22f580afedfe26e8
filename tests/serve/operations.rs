//! The audit trail, the log of connections, statistics, the clean-up.

use super::*;

use park_store::{Connection, Span};

use crate::support::access::bearer;

/// What `park-serve log` prints of this database.
fn log(dir: &Path, what: &[&str]) -> Vec<Value> {
    let db = dir.join("park.db");
    let output = run("park-serve", &[&["log"], what, &["--db", db.to_str().unwrap()]].concat(), b"");
    assert!(output.status.success(), "{}", stderr(&output));
    crate::support::lines(&output.stdout)
}

/// Asks the log until it is as wanted: it is written a little later than things happen.
pub fn log_when(dir: &Path, what: &[&str], wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let lines = log(dir, what);
        if wanted(&lines) {
            return lines;
        }
        assert!(Instant::now() < deadline, "{what:?} stays {lines:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn order(kind: &str, action: &str) -> Value {
    json!({ "type": kind, "payload": { "action": action, "operator": "somebody else" }, "gate_id": "gate_in" })
}

/// Answers the next command of a gate.
fn answer(controller: &mut Socket, success: bool, message: &str) -> Value {
    let asked = controller.next_of("gate_control");
    controller.send(&json!({
        "type": "gate_control_response", "gate_id": "gate_in",
        "payload": {
            "action": "open", "success": success, "gate_status": "closed", "message": message,
            "request_id": asked["id"],
        },
    }));
    asked
}

#[test]
fn every_command_is_in_the_trail_with_what_came_of_it() {
    let dir = dir();
    let server = Server::start(dir.path(), &[]);
    let mut admin = server.socket("/ws/admin");
    admin.send(&order("gate_control", "open"));
    admin.next_of("error");

    let mut controller = server.socket("/ws/controller/gate_in");
    server.status_when(|status| status["controllers"] == json!(["gate_in"]));
    admin.send(&order("gate_control", "open"));
    let asked = answer(&mut controller, true, "");
    assert_eq!(asked["payload"]["operator"], "anyone", "the server says who it is");
    admin.next_of("gate_control_response");
    admin.send(&order("gate_control", "close"));
    answer(&mut controller, false, "a vehicle stands there");
    admin.next_of("gate_control_response");
    admin.send(&order("camera_control", "capture"));
    controller.next_of("camera_control");
    admin.send(&json!({ "type": "request_status", "gate_id": "gate_in" }));
    controller.next_of("request_status");
    // And one that is never answered.
    admin.send(&order("gate_control", "hold"));
    controller.next_of("gate_control");
    let told = admin.next_of("error");
    assert!(told["payload"]["message"].as_str().unwrap().contains("has not answered"), "{told}");

    let known = |lines: &[Value]| lines.len() == 5 && lines.iter().all(|line| line["outcome"].is_string());
    let trail = log_when(dir.path(), &["audit"], known);
    let brief: Vec<_> = trail
        .iter()
        .map(|line| (line["action"].as_str().unwrap(), line["outcome"].as_str().unwrap()))
        .collect();
    assert_eq!(
        brief,
        [
            ("gate_control", "no_controller"),
            ("gate_control", "done"),
            ("gate_control", "failed"),
            ("camera_control", "sent"),
            ("gate_control", "no_answer"),
        ]
    );
    let done = &trail[1];
    assert_eq!((&done["person"], &done["role"]), (&json!("anyone"), &json!("admin")));
    assert_eq!((&done["surface"], &done["address"]), (&json!("channel"), &json!("127.0.0.1")));
    assert_eq!((&done["target"], &done["request_id"]), (&json!("gate_in"), &asked["id"]));
    assert_eq!(
        (&done["payload"]["action"], &done["payload"]["operator"]),
        (&json!("open"), &json!("anyone"))
    );
    assert_eq!(trail[2]["detail"], "a vehicle stands there");

    let later = done["time"].as_str().unwrap();
    assert_eq!(log(dir.path(), &["audit", "--until", later]).len(), 1);
    assert_eq!(log(dir.path(), &["audit", "--since", later]).len(), 4);
    assert_eq!(log(dir.path(), &["audit", "--since", "1h"]).len(), 5);
    let db = dir.path().join("park.db");
    for wrong in ["yesterday", "' OR 1=1--"] {
        let refused =
            run("park-serve", &["log", "audit", "--since", wrong, "--db", db.to_str().unwrap()], b"");
        assert_eq!(refused.status.code(), Some(2));
        assert!(stderr(&refused).contains(wrong), "{}", stderr(&refused));
    }
}

#[test]
fn connections_are_logged_with_their_duration_and_their_end() {
    let dir = dir();
    let mut server = Server::start(dir.path(), &[]);
    let events = server.events("", None).connected();
    let mut first = server.socket("/ws/controller/gate_in");
    server.status_when(|status| status["controllers"] == json!(["gate_in"]));
    let second = server.socket("/ws/controller/gate_in");
    first.send(&json!({ "type": "card_detected", "payload": {} }));
    assert_eq!(first.end(), CloseCode::Policy);
    let mut long = server.socket("/ws/gate_in");
    server.running.send(&closed("a", "gate_in"));
    long.next_of("gate_status");
    long.send(&json!({ "type": "x".repeat(20_000) }));
    assert_eq!(long.end(), CloseCode::Size);
    drop(events);

    let ended = |lines: &[Value]| lines.iter().filter(|line| line["closed"].is_string()).count() == 3;
    let lines = log_when(dir.path(), &["connections"], ended);
    let of = |surface: &str, why: &str| {
        lines
            .iter()
            .find(|line| line["surface"] == surface && line["why"] == why)
            .unwrap_or_else(|| panic!("{lines:?}"))
    };
    assert!(of("sse", "left")["bytes"].as_u64().unwrap() > 50);
    assert!(of("channel", "too_long")["bytes"].as_u64().unwrap() > 50);
    assert!(of("controller", "replaced")["duration"].as_f64().unwrap() >= 0.0);
    assert_eq!(of("sse", "left")["person"], "anyone");

    // A server that is killed cannot say when its connections ended; the next one says that much.
    server.running.child.kill().unwrap();
    server.running.child.wait().unwrap();
    drop(second);
    let mut server = Server::start(dir.path(), &[]);
    let lines =
        log_when(dir.path(), &["connections"], |lines| lines.iter().all(|line| line["why"].is_string()));
    let last = lines.iter().find(|line| line["why"] == "the server ended").unwrap();
    assert_eq!((&last["surface"], &last["closed"]), (&json!("controller"), &Value::Null));
    let watching = server.socket("/ws/gate_all");
    server.status_when(|status| status["active_channels"]["gate_all"] == 1);
    server.running.send(&closed("b", "gate_in"));
    server.status_when(|status| status["last_id"] == "b");
    server.terminate();
    assert_eq!(watching.end(), CloseCode::Away);
    let lines = log(dir.path(), &["connections"]);
    assert_eq!(lines.last().unwrap()["why"], "stopping");
    let statistics = log(dir.path(), &["statistics"]);
    let count = |name: &str, thing: &str| {
        let of = statistics.iter().filter(|line| line["name"] == name && line["thing"] == thing);
        of.map(|line| line["count"].as_i64().unwrap()).sum::<i64>()
    };
    // What the killed one had counted within the last minute is not known.
    assert_eq!(count("connections", "channel"), 1);
    assert_eq!((count("records", "gate_status"), count("deliveries", "")), (1, 1));
}

#[test]
fn a_crowd_that_comes_and_goes_is_logged_and_holds_up_nobody() {
    const CROWD: usize = 200;
    let dir = dir();
    let mut server = Server::start(dir.path(), &[]);
    let mut watching = server.events("", None).connected();
    let crowd: Vec<Socket> = (0..CROWD).map(|_| server.socket("/ws/gate_in")).collect();
    server.running.send(&taken("one", "lot_1", 1));
    assert_eq!(watching.taken().0, "one");
    drop(crowd);
    let all: Vec<Connection> = {
        let closed = |lines: &[Value]| lines.iter().filter(|line| line["why"] == "left").count() == CROWD;
        log_when(dir.path(), &["connections"], closed);
        let (store, mut all) = (Store::open(dir.path().join("park.db")).unwrap(), Vec::new());
        let take = |connection: &Connection| {
            all.push(connection.clone());
            true
        };
        store.connections(Span::default(), take).unwrap();
        all
    };
    assert_eq!(all.len(), CROWD + 1);
    assert!(all.iter().filter(|one| one.surface == "channel").all(|one| one.closed >= Some(one.opened)));
}

#[test]
fn what_is_old_goes_and_what_is_kept_stays() {
    let dir = dir();
    let keep = ["--keep", "plates=2s,records=1h,connections=2s"];
    let mut server = Server::start(dir.path(), &keep);
    let mut peer = server.peer();
    // The time of the event is long ago: what counts is when it came.
    let readings: String = (0..1200)
        .map(|n| {
            record(&format!("p{n}"), "plates", "lot_1", &json!({ "camera_id": "c", "seq": n, "plates": [] }))
        })
        .collect();
    peer.send(&readings);
    peer.send(&taken("kept", "lot_1", 1));
    while peer.next_of("ack")["payload"]["id"] != "kept" {}
    drop(server.socket("/ws/admin"));
    let store = Store::open(dir.path().join("park.db")).unwrap();
    assert!(store.seq_of("p1199").unwrap().is_some(), "nothing goes at once");
    let deadline = Instant::now() + PATIENCE;
    while store.seq_of("p0").unwrap().is_some() || store.seq_of("p1199").unwrap().is_some() {
        assert!(Instant::now() < deadline, "the readings stay");
        std::thread::sleep(Duration::from_millis(100));
    }
    log_when(dir.path(), &["connections"], <[Value]>::is_empty);
    assert!(store.seq_of("kept").unwrap().is_some());
    // Who resumes from something that has gone is told so, and goes on.
    let mut lost = server.events("", Some("p5")).connected();
    assert_eq!(lost.next().1, "reset");
    server.running.send(&taken("after", "lot_1", 2));
    assert_eq!(lost.taken().0, "after");
    let mut resumed = server.events("", Some("kept")).connected();
    assert_eq!(resumed.taken().0, "after");
    server.terminate();
    for (wrong, named) in [("plate=1d", "plate"), ("plates=soon", "soon"), ("plates", "plates")] {
        let refused = run("park-serve", &["--keep", wrong, "--listen", "127.0.0.1:0"], b"");
        assert_eq!(refused.status.code(), Some(2));
        assert!(stderr(&refused).contains(named), "{}", stderr(&refused));
    }
}

#[test]
fn no_text_from_outside_is_sql() {
    let dir = dir();
    let mut server = Server::start(dir.path(), &[]);
    server.running.send(&[taken("one", "lot_1", 1), taken("two", "lot_2", 2)].concat());
    server.status_when(|status| status["last_id"] == "two");
    let evil =
        ["' OR 1=1--", "%", "_", "lot_%", "lot_1' --", "\" OR \"\"=\"", "1;DROP TABLE records;--", "lot_1\0"];
    let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
    for text in evil {
        let coded = encode(text);
        let mut lots = server.events(&format!("?lot={coded}"), Some("0")).connected();
        let mut types = server.events(&format!("?type={coded}"), Some("0")).connected();
        let resumed = server.events(&format!("?lastEventId={coded}"), None).connected().next();
        assert_eq!((resumed.1.as_str(), &resumed.2["lastEventId"]), ("reset", &json!(text)));
        // Had the filter let others through, they would come first.
        let mut probe: Value =
            serde_json::from_str(&taken(&format!("of{}", coded.replace('%', "-")), "lot_9", 3)).unwrap();
        probe["lot_id"] = text.into();
        server.running.send(&format!("{probe}\n"));
        assert_eq!(lots.taken().1, 3, "{text}");
        probe["type"] = text.into();
        probe["id"] = format!("type{}", coded.replace('%', "-")).into();
        server.running.send(&format!("{probe}\n"));
        let mut line = types.block();
        while !line.iter().any(|line| line.starts_with("data:")) {
            line = types.block();
        }
        assert!(line.iter().any(|line| line.contains("\"occupied\":3")), "{text}: {line:?}");

        let asked =
            server.http("GET", &format!("/realtime/parking-availability?parking_lot_id={coded}"), &[], "");
        match text.contains('\0') {
            true => assert_eq!(asked.0, 400, "{text:?}: {}", asked.1),
            false => {
                let lots: Value = serde_json::from_str(&asked.1).unwrap();
                assert_eq!(lots["parking_lots"].as_array().unwrap().len(), 1, "{text:?}: {lots}");
                assert_eq!(lots["parking_lots"][0]["parking_lot_id"], text);
            }
        }
        let limit = server.http("GET", &format!("/realtime/booking-activity?limit={coded}"), &[], "");
        assert_eq!(limit.0, 400, "{}", limit.1);
    }
    server.terminate();
    let store = Store::open(dir.path().join("park.db")).unwrap();
    assert!(store.check().unwrap().problems.is_empty());
    assert_eq!(store.check().unwrap().records, 2 + 2 * evil.len() as u64);
}

#[test]
fn no_path_leads_out_of_the_pages() {
    let dir = dir();
    let server = Server::start(dir.path(), &[]);
    for path in [
        "/static/..%2f..%2fetc/passwd",
        "/..%2f..%2f..%2fetc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/../../etc/passwd",
        "/./park.db",
        "/park.css/../../park.db",
        "//etc/passwd",
        "/park.js%00",
        "/park.js%00.png",
        "/\\..\\..\\etc\\passwd",
        "/realtime/..%2f..%2fstatus",
        "/realtime/parking-availability/../../status",
        "/ws/..%2f..%2fadmin",
        "/cameras/..%2f..%2fetc/snapshot.jpg",
        "/metrics/..",
        "/%c0%ae%c0%ae/etc/passwd",
    ] {
        let (status, body) = server.http("GET", path, &[], "");
        assert!((400..500).contains(&status), "{path}: {status}");
        assert!(!body.contains("root:") && !body.contains("SQLite"), "{path}: {body}");
    }
    assert_eq!(server.http("GET", "/park.js", &[], "").0, 200);
}

#[test]
fn what_is_said_on_stderr_is_one_line_and_steers_no_terminal() {
    let dir = dir();
    let mut server = Server::start(dir.path(), &[]);
    let evil = format!("a\npark-serve: all is well\r\u{1b}[2J\u{202e}\u{2028}{}", "x".repeat(100_000));
    let bad = record("bad", "gate_status", "gate_in", &json!({ "state": evil, "confirmed": true }));
    server.running.send(&bad);
    let said = server.running.says("stdin:1");
    assert!(said.len() < 5000, "{} bytes", said.len());
    let steers = |char: char| char.is_control() || matches!(char, '\u{202e}' | '\u{2028}');
    assert!(!said.chars().any(steers), "{said}");
    server.http("GET", "/a%0aserving%20on", &["User-Agent: a\u{1b}[31mb"], "");
    server.running.send("nonsense\n");
    let next = server.running.says("");
    assert!(next.starts_with("park-serve: ") && next.contains("stdin:2"), "{next}");
}

#[test]
fn who_may_not_command_is_refused_and_that_is_in_the_trail() {
    let dir = dir();
    let (server, keys) = Server::with_keys(dir.path(), &[]);
    let socket = |role: &str| {
        let bearer = format!("Bearer {}", keys.token(role));
        server
            .upgrade("/ws/gate_in", &[("authorization", &bearer)])
            .map_err(|status| format!("{role}: {status}"))
            .unwrap()
    };
    let (mut viewer, mut operator) = (socket("viewer"), socket("operator"));
    viewer.send(&order("gate_control", "open"));
    assert!(viewer.next_of("error")["payload"]["message"].as_str().unwrap().contains("only operators"));
    viewer.send(&order("camera_control", "capture"));
    viewer.next_of("error");
    operator.send(&order("gate_control", "open"));
    assert!(operator.next_of("error")["payload"]["message"].as_str().unwrap().contains("no controller"));
    let admin = bearer(&keys.token("admin"));
    let operator = bearer(&keys.token("operator"));
    let body = r#"{"message":"hello"}"#;
    assert_eq!(server.http("POST", "/realtime/announcement", &[&operator], body).0, 403);
    assert_eq!(server.http("POST", "/realtime/announcement", &[&admin], body).0, 200);
    let update = r#"{"parkingLotId":"lot_1","totalSlots":10,"occupied":4}"#;
    let viewer = bearer(&keys.token("viewer"));
    assert_eq!(server.http("POST", "/api/capacity/update", &[&viewer], update).0, 403);
    assert_eq!(server.http("POST", "/api/capacity/update", &[&operator], update).0, 200);
    server.terminate();
    let trail = log(dir.path(), &["audit"]);
    let brief: Vec<[&str; 4]> = trail
        .iter()
        .map(|line| ["person", "role", "action", "outcome"].map(|name| line[name].as_str().unwrap()))
        .collect();
    assert_eq!(
        brief,
        [
            ["viewer", "viewer", "gate_control", "refused"],
            ["viewer", "viewer", "camera_control", "refused"],
            ["operator", "operator", "gate_control", "no_controller"],
            ["operator", "operator", "announcement", "refused"],
            ["admin", "admin", "announcement", "done"],
            ["viewer", "viewer", "POST /api/capacity/update", "refused"],
            ["operator", "operator", "POST /api/capacity/update", "done"],
        ]
    );
    let update = &trail[6];
    assert_eq!((&update["target"], &update["payload"]["occupied"]), (&json!("lot_1"), &json!(4)));
    let store = Store::open(dir.path().join("park.db")).unwrap();
    let commands = store.since(0, &Query { kinds: &["gate_control"], ..Query::default() }, 9).unwrap();
    assert_eq!(commands.len(), 1, "what is refused is no command");
    assert!(commands[0].body.contains(r#""operator":"operator""#), "{}", commands[0].body);
}
