//! Detection back ends: a fake one that says things, dies, comes back, is silent or talks nonsense; and our own.

use super::*;

use std::net::TcpListener;

use crate::support::testdata;

/// A back end that a server connects to.
struct BackEnd(TcpListener);

impl BackEnd {
    fn new() -> BackEnd {
        BackEnd(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    fn url(&self) -> String {
        format!("ws://user:secret@{}/detections?token=hidden", self.0.local_addr().unwrap())
    }

    /// The next connection, hands shaken.
    fn accept(&self) -> Said {
        let (stream, _) = self.0.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Said(tungstenite::accept(stream).unwrap())
    }
}

struct Said(WebSocket<TcpStream>);

impl Said {
    fn say(&mut self, message: impl ToString) {
        self.0.send(Message::text(message.to_string())).unwrap();
    }
}

const SITE: &str = "
[gates.gate_in]
lot = 'lot_1'
[lots.lot_1]
capacity = 10
[contractors.acme]
lot = 'lot_1'
capacity = 5
penalty = 3.0
[cameras.cam_lot]
lot = 'lot_1'
";

/// A server of the site that monitors as `more` says.
fn monitoring(dir: &Path, more: &[&str]) -> Server {
    std::fs::write(dir.join("park.toml"), SITE).unwrap();
    let config = dir.join("park.toml").display().to_string();
    let all = [&["--config", &config, "--reconnect-delay", "0.1"], more].concat();
    Server::start(dir, &all)
}

fn status_of(server: &Server, kind: &str) -> Value {
    server.get("/api/monitoring/status")[kind][0].clone()
}

fn when(server: &Server, kind: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let status = status_of(server, kind);
        if wanted(&status) {
            return status;
        }
        assert!(Instant::now() < deadline, "the monitor stays {status}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn count(occupied: u32) -> Value {
    json!({ "type": "capacity_update", "data": { "parkingLotId": "lot_1", "totalSlots": 10, "occupied": occupied } })
}

#[test]
fn a_plate_opens_a_record_and_closes_it() {
    let dir = dir();
    let back_end = BackEnd::new();
    let server = monitoring(dir.path(), &["--monitor-gate", &back_end.url()]);
    let mut events =
        server.events("?type=parking_entry&type=parking_exit&type=plate_detected", None).connected();
    let mut said = back_end.accept();
    let plate = |time: &str| json!({ "type": "plate_detected", "timestamp": time, "payload": { "plate": "AB-123", "camera_id": "cam_in", "confidence": 0.9 } });
    said.say(plate("2026-01-20T10:00:00Z"));
    let entry = std::iter::repeat_with(|| events.next()).find(|event| event.1 == "parking_entry").unwrap().2;
    assert_eq!(
        (&entry["plate"], &entry["gateId"], &entry["parkingLotId"]),
        (&json!("AB123"), &json!("gate_in"), &json!("lot_1"))
    );
    said.say(plate("2026-01-20T10:00:04Z"));
    said.say(plate("2026-01-20T10:30:00Z"));
    let exit = std::iter::repeat_with(|| events.next()).find(|event| event.1 != "plate_detected").unwrap();
    assert_eq!(
        (exit.1.as_str(), &exit.2["duration"]),
        ("parking_exit", &json!(1800.0)),
        "the second was the same passage"
    );
    let status = status_of(&server, "gates");
    assert_eq!(
        (&status["state"], &status["gateId"], &status["messages"]),
        (&json!("connected"), &json!("gate_in"), &json!(3))
    );
    assert!(!status.to_string().contains("secret") && !status.to_string().contains("hidden"), "{status}");
    server.terminate();
}

#[test]
fn a_count_is_logged_and_leads_to_violations_and_alerts() {
    let dir = dir();
    let back_end = BackEnd::new();
    let server = monitoring(dir.path(), &["--monitor-lot", &format!("lot_1={}", back_end.url())]);
    let mut events = server.events("", None).connected();
    let mut said = back_end.accept();
    let mut next =
        |kind: &str| std::iter::repeat_with(|| events.next()).find(|event| event.1 == kind).unwrap().2;
    said.say(json!({
        "type": "capacity_update", "timestamp": "2026-01-20T10:00:00Z", "payload": {
            "parkingLotId": "lot_1", "totalSlots": 10, "occupied": 4, "slots": [{ "slotId": "A1", "occupied": true }],
        },
    }));
    let slot = next("slot_changed");
    assert_eq!((&slot["slotId"], &slot["state"]), (&json!("A1"), &json!("occupied")));
    let update = next("capacity_update");
    assert_eq!((&update["occupied"], &update["timestamp"]), (&json!(4), &json!("2026-01-20T10:00:00.000Z")));
    said.say(count(7));
    let violation = next("violation");
    assert_eq!(
        (&violation["contractorId"], &violation["violationType"]),
        (&json!("acme"), &json!("overparking"))
    );
    assert_eq!((&violation["details"]["excessVehicles"], &violation["penalty"]), (&json!(2), &json!(6.0)));
    assert_eq!(next("alert")["type"], "violation_detected");
    said.say(count(10));
    let kinds = [next("alert")["type"].clone(), status_of(&server, "lots")["url"].clone()];
    assert_eq!(kinds[0], "capacity_warning");
    assert!(kinds[1].as_str().unwrap().ends_with("/detections"), "{kinds:?}");
}

#[test]
fn a_back_end_that_dies_is_connected_to_again_and_nonsense_ends_nothing() {
    let dir = dir();
    let back_end = BackEnd::new();
    let server = monitoring(dir.path(), &["--monitor-lot", &format!("lot_1={}", back_end.url())]);
    let mut said = back_end.accept();
    for nonsense in
        ["{", "[]", "null", "{\"type\":\"gate_control\",\"id\":\"x\",\"timestamp\":\"2026-01-20T10:00:00Z\"}"]
    {
        said.say(nonsense);
    }
    said.say("[".repeat(200_000));
    said.0.send(Message::binary(vec![0xFF, 0xFE])).unwrap();
    let status = when(&server, "lots", |status| status["rejected"] == 6);
    assert_eq!((&status["state"], &status["messages"]), (&json!("connected"), &json!(0)));
    drop(said);
    let mut said = back_end.accept();
    said.say(count(3));
    let status = when(&server, "lots", |status| status["messages"] == 1);
    assert!(status["lastMessage"].is_string() && status["lastError"].is_string(), "{status}");
    // A frame of 2^62 bytes is not waited for.
    use std::io::Write as _;
    said.0.get_mut().write_all(&[0x82, 127, 0x40, 0, 0, 0, 0, 0, 0, 0]).unwrap();
    back_end.accept().say(count(4));
    when(&server, "lots", |status| status["messages"] == 2);
    assert_eq!(server.get("/healthz")["status"], "ok");
}

#[test]
fn one_that_never_answers_is_given_up_and_can_be_started_again() {
    let dir = dir();
    let back_end = BackEnd::new();
    let url = format!("lot_1={}", back_end.url());
    drop(back_end.0);
    let server = monitoring(dir.path(), &["--monitor-lot", &url, "--reconnect-attempts", "2"]);
    let status = when(&server, "lots", |status| status["state"] == "failed");
    assert_eq!(status["attempts"], 3);
    let post = |what: &str, body: &str| server.http("POST", &format!("/api/monitoring/{what}"), &[], body);
    let address = url.split(['@', '/']).nth(3).unwrap();
    let back_end = BackEnd(TcpListener::bind(address).unwrap());
    assert_eq!(post("start", r#"{"parkingLotId":"lot_1"}"#), (200, r#"{"success":true}"#.into()));
    let said = back_end.accept();
    when(&server, "lots", |status| status["state"] == "connected");
    assert_eq!(post("stop", r#"{"parkingLotId":"lot_1"}"#).0, 200);
    assert_eq!(status_of(&server, "lots")["state"], "stopped");
    assert_eq!(post("start", r#"{"parkingLotId":"lot_2"}"#).0, 404);
    assert_eq!(post("start", r#"{"gateId":"' OR 1=1--"}"#).0, 404);
    assert_eq!(post("start", "{}").0, 400);
    assert_eq!(post("burn", r#"{"parkingLotId":"lot_1"}"#).0, 404);
    drop(said);
}

#[test]
fn what_is_no_url_is_refused_without_its_secrets() {
    for (flag, value) in [
        ("--monitor-gate", "http://u:hunter2@x/"),
        ("--monitor-lot", "ws://u:hunter2@x/"),
        ("--monitor-gate", "../x=ws://h"),
    ] {
        let refused = run(
            "park-serve",
            &[flag, value, "--listen", "127.0.0.1:0", "--db", "/dev/shm/park-refused.db"],
            b"",
        );
        assert_eq!(refused.status.code(), Some(2), "{value}: {}", stderr(&refused));
        assert!(!stderr(&refused).contains("hunter2"), "{}", stderr(&refused));
    }
}

#[test]
fn our_own_detector_is_a_back_end_and_is_acknowledged() {
    let dir = dir();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut detect = {
        let script = format!(
            "'{}' '{}' --camera cam_out --fps 4 | '{}' plates --output ws-listen:{free} --drain 60",
            crate::support::binary("park-capture"),
            testdata("gate/gate-out.mp4").display(),
            crate::support::binary("park-detect"),
        );
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &script]).env("PARK_STATE_DIR", dir.path().join("state"));
        Running::spawn(command)
    };
    let server = monitoring(
        dir.path(),
        &["--monitor-gate", &format!("gate_in=ws://{free}"), "--reconnect-attempts", "0"],
    );
    let mut events = server.events("?type=parking_entry", None).connected();
    assert_eq!(events.next().2["gateId"], "gate_in");
    // Reading plates takes its time where all tests run at once.
    let deadline = Instant::now() + 6 * PATIENCE;
    let status = loop {
        match detect.child.try_wait().unwrap() {
            Some(status) => break status,
            None => assert!(Instant::now() < deadline, "the detector does not end"),
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(status.success(), "everything was acknowledged: {status}");
    let store = Store::open(dir.path().join("park.db")).unwrap();
    let kinds: Vec<_> =
        store.since(0, &Query::default(), 10_000).unwrap().into_iter().map(|it| it.kind).collect();
    assert!(kinds.contains(&"plates".into()), "the readings are in the log");
}
