//! `park-gate`: passages, decisions, sessions, lists, the barrier and the card reader.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::pty::Pty;
use crate::support::{PATIENCE, Running, lines, of_type, park, records, run, stderr};

/// A moment of the test's day, `seconds` after ten.
fn at(seconds: f64) -> String {
    let millis = (seconds * 1000.0).round() as u64;
    let (minutes, rest) = (millis / 60_000, millis % 60_000);
    format!("2026-01-20T10:{minutes:02}:{:02}.{:03}Z", rest / 1000, rest % 1000)
}

fn plates(camera: &str, seconds: f64, text: &str) -> String {
    let record = json!({
        "type": "plates", "timestamp": at(seconds), "source": camera,
        "payload": { "camera_id": camera, "seq": (seconds * 100.0) as u64, "plates": [{
            "text": text, "confidence": 0.9,
            "corners": [[100.0, 100.0], [220.0, 100.0], [220.0, 130.0], [100.0, 130.0]],
        }] },
    });
    format!("{record}\n")
}

/// Five frames of a passage, a fifth of a second apart.
fn passage(camera: &str, from: f64, text: &str) -> String {
    (0..5).map(|n| plates(camera, from + f64::from(n) * 0.2, text)).collect()
}

fn tick(seconds: f64) -> String {
    format!("{}\n", json!({ "type": "tick", "timestamp": at(seconds), "payload": {} }))
}

fn control(action: &str, gate: &str) -> String {
    format!(
        "{}\n",
        json!({ "type": "gate_control", "id": "C1", "payload": { "action": action, "gate_id": gate, "duration": 2 } })
    )
}

/// What the records say, without when and who.
fn brief<'a>(records: &'a [Value], kind: &str, fields: &[&str]) -> Vec<Vec<&'a Value>> {
    of_type(records, kind)
        .iter()
        .map(|record| fields.iter().map(|field| &record["payload"][*field]).collect())
        .collect()
}

fn states(records: &[Value]) -> Vec<String> {
    let mut states: Vec<String> = brief(records, "gate_status", &["state"])
        .iter()
        .map(|fields| fields[0].as_str().unwrap().to_owned())
        .collect();
    states.dedup();
    states
}

#[test]
fn a_visit_is_an_entry_and_an_exit_with_its_duration() {
    let input =
        passage("cam", 0.0, "AB123CD") + &passage("cam", 10.0, "XY777ZZ") + &passage("cam", 90.0, "AB123CD");
    let output = run("park-gate", &["--gate", "g1"], input.as_bytes());
    assert!(output.status.success(), "{}", stderr(&output));
    let records = records(&output);
    assert_eq!(of_type(&records, "plates").len(), 15, "what is read is passed on");
    assert_eq!(of_type(&records, "plate_detected").len(), 3);
    let entries = brief(&records, "parking_entry", &["plate", "entered_at"]);
    assert_eq!(entries, [[&json!("AB123CD"), &json!(at(0.4))], [&json!("XY777ZZ"), &json!(at(10.4))]]);
    let exits = brief(&records, "parking_exit", &["plate", "duration", "matched"]);
    assert_eq!(exits, [[&json!("AB123CD"), &json!(90.0), &json!("plate")]]);
    assert_eq!(
        of_type(&records, "parking_exit")[0]["payload"]["session_id"],
        of_type(&records, "parking_entry")[0]["payload"]["session_id"]
    );
}

#[test]
fn the_same_input_gives_the_same_bytes_and_nothing_doubles_in_a_database() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("park.db");
    let db = db.to_str().unwrap();
    let input =
        passage("cam", 0.0, "AB123CD") + &passage("cam", 90.0, "AB123CD") + &passage("cam", 200.0, "XY777ZZ");
    let gate = |db: &str| {
        run(
            "park-gate",
            &["--gate", "g1", "--barrier", "sim", "--default", "allow", "--db", db],
            input.as_bytes(),
        )
    };
    let (first, again) = (gate(db), gate(db));
    let fresh = gate(folder.path().join("other.db").to_str().unwrap());
    assert!(first.status.success());
    assert_eq!(String::from_utf8_lossy(&first.stdout), String::from_utf8_lossy(&again.stdout));
    assert_eq!(first.stdout, fresh.stdout);
    let count =
        |what: &str| -> i64 { Connection::open(db).unwrap().query_row(what, [], |row| row.get(0)).unwrap() };
    assert_eq!(count("SELECT count(*) FROM sessions"), 2);
    assert_eq!(count("SELECT count(*) FROM sessions WHERE exited IS NOT NULL"), 1);
}

#[test]
fn two_gates_share_the_sessions_even_if_one_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("park.db");
    let db = db.to_str().unwrap();
    let mut entry = Running::start("park-gate", &["--gate", "in", "--direction", "entry", "--db", db]);
    entry.send(&passage("cam", 0.0, "AB123CD"));
    let session = entry.next_of("parking_entry")["payload"]["session_id"].clone();
    entry.signal(libc::SIGKILL);
    let exit = ["--gate", "out", "--direction", "exit", "--barrier", "sim", "--db", db];
    let out = run("park-gate", &exit, passage("cam", 60.0, "AB123CD").as_bytes());
    let records = records(&out);
    let exits = brief(&records, "parking_exit", &["session_id", "duration"]);
    assert_eq!(exits, [[&session, &json!(60.0)]]);
    assert_eq!(brief(&records, "access_decision", &["reason"]), [[&json!("open_session")]]);
}

#[test]
fn lists_decide_and_are_read_again_on_hup() {
    let folder = tempfile::tempdir().unwrap();
    let (allow, deny) = (folder.path().join("allow.txt"), folder.path().join("deny.txt"));
    fs::write(&allow, "# residents\nab 123-cd\n").unwrap();
    fs::write(&deny, "BAD 666\n").unwrap();
    let mut gate = Running::start(
        "park-gate",
        &["--direction", "entry", "--allow", allow.to_str().unwrap(), "--deny", deny.to_str().unwrap()],
    );
    let decided = |gate: &mut Running, from: f64, plate: &str| {
        gate.send(&passage("cam", from, plate));
        let decision = gate.next_of("access_decision")["payload"].clone();
        (decision["decision"].clone(), decision["reason"].clone(), decision["list"].clone())
    };
    assert_eq!(decided(&mut gate, 0.0, "AB123CD"), (json!("allow"), json!("allowed"), json!("allow.txt:2")));
    assert_eq!(decided(&mut gate, 10.0, "BAD666"), (json!("deny"), json!("denied"), json!("deny.txt:1")));
    assert_eq!(decided(&mut gate, 20.0, "A8123CD").1, json!("look_alike"));
    assert_eq!(decided(&mut gate, 30.0, "XY777ZZ"), (json!("refer"), json!("unlisted"), Value::Null));

    fs::write(&allow, "XY777ZZ\n<not a plate>\n").unwrap();
    gate.signal(libc::SIGHUP);
    gate.says("allow.txt: line 2: \"<not a plate>\" is no plate or card; the old ones stay");
    assert_eq!(decided(&mut gate, 40.0, "XY777ZZ").0, json!("refer"));

    fs::write(&allow, "XY777ZZ\n").unwrap();
    gate.signal(libc::SIGHUP);
    gate.signal(libc::SIGUSR1);
    gate.says("allow_list 1");
    assert_eq!(decided(&mut gate, 50.0, "XY777ZZ").0, json!("allow"));
    let (status, rest) = gate.end();
    assert!(status.success());
    assert_eq!(of_type(&rest, "parking_entry").len(), 1);
}

#[test]
fn a_missing_or_broken_list_at_the_start_is_a_wrong_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("allow.txt");
    for text in [None, Some("AB12\n???\n")] {
        if let Some(text) = text {
            fs::write(&list, text).unwrap();
        }
        let output = run("park-gate", &["--allow", list.to_str().unwrap()], b"");
        assert_eq!(output.status.code(), Some(78));
        assert!(stderr(&output).contains("allow.txt"), "{}", stderr(&output));
    }
}

#[test]
fn a_simulated_barrier_opens_for_the_allowed_only_and_ends_closed() {
    let folder = tempfile::tempdir().unwrap();
    let allow = folder.path().join("allow.txt");
    fs::write(&allow, "AB123CD\n").unwrap();
    let args = ["--barrier", "sim", "--direction", "entry", "--allow", allow.to_str().unwrap()];
    let stranger = records(&run("park-gate", &args, passage("cam", 0.0, "XY777ZZ").as_bytes()));
    assert_eq!(states(&stranger), ["closed"]);
    let input = passage("cam", 0.0, "AB123CD") + &tick(60.0) + &passage("cam", 61.0, "AB123CD");
    let resident = records(&run("park-gate", &args, input.as_bytes()));
    let cycle = ["opening", "open", "closing", "closed"];
    assert_eq!(states(&resident)[1..5], cycle);
    assert_eq!(states(&resident).last().unwrap(), "closed", "the input ended within the second pulse");
    let open = &of_type(&resident, "gate_status")[1]["payload"];
    assert_eq!((&open["commanded"], &open["confirmed"]), (&json!("open"), &json!(false)));
    assert_eq!(open["cause"], of_type(&resident, "access_decision")[0]["id"]);
}

#[test]
fn a_terminated_gate_closes_its_barrier_first() {
    let mut gate = Running::start("park-gate", &["--barrier", "sim", "--default", "allow"]);
    gate.send(&passage("cam", 0.0, "AB123CD"));
    while gate.next_of("gate_status")["payload"]["state"] != "opening" {}
    gate.signal(libc::SIGTERM);
    let (status, rest) = gate.end();
    assert_eq!(status.code(), Some(0));
    assert_eq!(states(&rest).last().unwrap(), "closed");
}

#[test]
fn an_operator_opens_for_the_vehicle_that_was_referred() {
    let mut input = passage("cam", 0.0, "XY777ZZ");
    input += &json!({ "type": "gate_control", "id": "C9", "timestamp": at(5.0), "payload": { "action": "open", "operator": "Ana" } }).to_string();
    let args = ["--gate", "g1", "--barrier", "sim", "--direction", "entry"];
    let records = records(&run("park-gate", &args, input.as_bytes()));
    let decisions = brief(&records, "access_decision", &["decision", "reason", "plate"]);
    assert_eq!(decisions[0], [&json!("refer"), &json!("unlisted"), &json!("XY777ZZ")]);
    assert_eq!(decisions[1], [&json!("allow"), &json!("operator"), &json!("XY777ZZ")]);
    assert_eq!(brief(&records, "parking_entry", &["entered_at"]), [[&json!(at(5.0))]]);
    let answers = brief(&records, "gate_control_response", &["success", "request_id"]);
    assert_eq!(answers, [[&json!(true), &json!("C9")]]);
    assert_eq!(of_type(&records, "gate_control").len(), 0, "a command ends at its gate");
}

#[test]
fn commands_over_a_control_socket_are_answered_there() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("control.sock");
    let endpoint = format!("unix-listen:{}", socket.display());
    let mut gate = Running::start("park-gate", &["--gate", "g1", "--barrier", "sim", "--control", &endpoint]);
    gate.send(&tick(0.0));
    gate.next_of("gate_status");
    let mut stream = UnixStream::connect(&socket).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut answers = BufReader::new(stream.try_clone().unwrap())
        .lines()
        .map(|line| -> Value { serde_json::from_str(&line.unwrap()).unwrap() });
    let mut answer = |kind: &str| answers.find(|record| record["type"] == kind).unwrap();
    stream.write_all(control("open", "other").as_bytes()).unwrap();
    assert_eq!(answer("error")["payload"]["message"], "this is gate g1, not other");
    stream.write_all(control("open", "g1").as_bytes()).unwrap();
    assert_eq!(answer("gate_control_response")["payload"]["success"], true);
    // Nothing more comes in: the wall clock carries the time on, and the pulse ends.
    let mut seen = Vec::new();
    while seen.last() != Some(&json!("closed")) {
        seen.push(gate.next_of("gate_status")["payload"]["state"].clone());
    }
    assert!(seen.contains(&json!("open")));
    stream.write_all(b"{\"type\":\"request_status\"}\n").unwrap();
    assert_eq!(answer("gate_status")["payload"]["state"], "closed");
    assert_eq!(answer("hardware_status")["payload"]["arduino"]["connected"], true);
    assert_eq!(answer("system_status")["payload"]["counters"]["commands"], 1);
    let (status, rest) = gate.end();
    assert!(status.success());
    assert_eq!(of_type(&rest, "request_status").len(), 0, "commands are no part of the stream");
}

#[test]
fn the_backend_of_the_environment_gets_the_records_and_gives_commands() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = park("park-gate");
    command.args(["--barrier", "sim"]).env("GATE_ID", "gate_7").env("BACKEND_HOST", "127.0.0.1");
    command.env("BACKEND_PORT", listener.local_addr().unwrap().port().to_string());
    let folder = tempfile::tempdir().unwrap();
    command.env("PARK_STATE_DIR", folder.path());
    let mut gate = Running::spawn(command);
    let mut path = String::new();
    let (stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    #[expect(clippy::result_large_err, reason = "the error type is the library's")]
    let mut socket =
        tungstenite::accept_hdr(stream, |request: &tungstenite::handshake::server::Request, response| {
            path = request.uri().path().to_owned();
            Ok(response)
        })
        .unwrap();
    assert_eq!(path, "/ws/controller/gate_7");
    gate.send(&tick(0.0));
    let mut answer = |kind: &str, command: Option<String>| -> Value {
        if let Some(command) = command {
            socket.send(tungstenite::Message::text(command)).unwrap();
        }
        loop {
            let message = socket.read().unwrap();
            let Ok(text) = message.into_text() else { continue };
            if let Some(found) = lines(text.as_bytes()).into_iter().find(|record| record["type"] == kind) {
                return found;
            }
        }
    };
    assert_eq!(answer("gate_status", None)["gate_id"], "gate_7");
    let response = answer("gate_control_response", Some(control("open", "gate_7")));
    assert_eq!(response["payload"]["request_id"], "C1");
    assert_eq!(gate.next_of("gate_control_response"), response, "standard output has it too");
}

#[test]
fn a_first_misreading_neither_locks_a_resident_out_nor_counts_a_guest_twice() {
    let folder = tempfile::tempdir().unwrap();
    let allow = folder.path().join("allow.txt");
    fs::write(&allow, "AB123CD\n").unwrap();
    let input: String = (0..12)
        .map(|n| plates("cam", f64::from(n) * 0.1, if n < 3 { "AX123CD" } else { "AB123CD" }))
        .collect();
    let resident = run("park-gate", &["--allow", allow.to_str().unwrap()], input.as_bytes());
    let decisions = records(&resident);
    let decisions = brief(&decisions, "access_decision", &["plate", "decision"]);
    assert_eq!(decisions[0], [&json!("AX123CD"), &json!("refer")]);
    assert_eq!(decisions[1], [&json!("AB123CD"), &json!("allow")]);
    let guest = records(&run("park-gate", &["--default", "allow"], input.as_bytes()));
    assert_eq!(of_type(&guest, "parking_entry").len(), 1);
}

#[test]
fn a_bad_record_is_reported_and_the_gate_goes_on() {
    let input =
        r#"{"type":"plates","payload":{"camera_id":7}}"#.to_owned() + "\n" + &passage("cam", 0.0, "AB123CD");
    let output = run("park-gate", &[""; 0], input.as_bytes());
    assert_eq!(output.status.code(), Some(65));
    assert!(stderr(&output).contains("wrong payload for plates"), "{}", stderr(&output));
    let records = records(&output);
    assert_eq!(of_type(&records, "error").len(), 1);
    assert_eq!(of_type(&records, "parking_entry").len(), 1);
}

#[test]
fn plate_and_card_together_are_one_session() {
    let card = json!({ "type": "card_detected", "timestamp": at(2.0), "payload": { "card": "0102030405", "state": "present" } });
    let input = passage("cam", 0.0, "AB123CD") + &format!("{card}\n") + &passage("cam", 60.0, "AB123CD");
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("park.db");
    let records = records(&run("park-gate", &["--db", db.to_str().unwrap()], input.as_bytes()));
    assert_eq!(of_type(&records, "parking_entry").len(), 1);
    assert_eq!(of_type(&records, "parking_exit").len(), 1);
    let joined = &of_type(&records, "access_decision")[1]["payload"];
    assert_eq!((&joined["plate"], &joined["card"]), (&json!("AB123CD"), &json!("0102030405")));
    let card: String =
        Connection::open(db).unwrap().query_row("SELECT card FROM sessions", [], |row| row.get(0)).unwrap();
    assert_eq!(card, "0102030405");
}

/// One RDM6300 frame of the card whose print says 0008844356.
const FRAME: &[u8] = b"\x02100086F44426\x03";

#[test]
fn a_reader_says_a_card_once_and_may_be_unplugged() {
    let folder = tempfile::tempdir().unwrap();
    let (name, list) = (folder.path().join("reader"), folder.path().join("cards.txt"));
    fs::write(&list, "100086f444 # the manager\n").unwrap();
    let mut reader = Pty::new(&name);
    let device = format!("serial:{}", name.display());
    let gate = Running::start(
        "park-gate",
        &["--reader", &device, "--allow", list.to_str().unwrap(), "--barrier", "sim", "--direction", "entry"],
    );
    let connected =
        |gate: &Running| gate.next_of("hardware_status")["payload"]["card_reader"]["connected"].clone();
    while connected(&gate) != true {}
    reader.write(b"\x02100086F44427\x03");
    for _ in 0..10 {
        reader.write(FRAME);
        std::thread::sleep(Duration::from_millis(50));
    }
    let cards: Vec<Value> = (0..2).map(|_| gate.next_of("card_detected")["payload"].clone()).collect();
    assert_eq!(cards[0]["card"], "100086F444");
    assert_eq!((&cards[0]["state"], &cards[1]["state"]), (&json!("present"), &json!("absent")));
    gate.signal(libc::SIGUSR1);
    gate.says("cards_rejected_checksum 1");

    drop(reader);
    while connected(&gate) != false {}
    let mut reader = Pty::new(&name);
    while connected(&gate) != true {}
    reader.write(FRAME);
    assert_eq!(gate.next_of("card_detected")["payload"]["state"], "present");
    gate.signal(libc::SIGTERM);
    assert_eq!(gate.end().0.code(), Some(0));
}

/// A barrier on a pseudo-terminal that obeys at once; gives every line that it was sent, heartbeats aside.
fn obedient_barrier(pty: Pty) -> std::sync::mpsc::Receiver<String> {
    let (sender, said) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut answers = pty.writer();
        let _ = answers.write_all(b"HELLO park-barrier 1\nSTATE closed\n");
        for line in BufReader::new(pty).lines().map_while(Result::ok) {
            let words: Vec<&str> = line.split(' ').collect();
            let answer = match words[..] {
                ["OPEN", _, nonce] => format!("OK {nonce}\nSTATE opening\nSTATE open\n"),
                ["HOLD", nonce] => format!("OK {nonce}\nSTATE held\n"),
                ["CLOSE", nonce] => format!("OK {nonce}\nSTATE closing\nSTATE closed\n"),
                _ => "HB\n".to_owned(),
            };
            if answers.write_all(answer.as_bytes()).is_err()
                || (words[0] != "HB" && sender.send(line).is_err())
            {
                return;
            }
        }
    });
    said
}

fn serial_gate(name: &Path) -> Running {
    let device = format!("serial:{}", name.display());
    Running::start("park-gate", &["--barrier", &device, "--default", "allow", "--pulse", "1500"])
}

#[test]
fn a_serial_barrier_starts_closed_opens_when_told_and_is_closed_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("barrier");
    let said = obedient_barrier(Pty::new(&name));
    let mut gate = serial_gate(&name);
    assert!(said.recv_timeout(PATIENCE).unwrap().starts_with("CLOSE "));
    while gate.next_of("gate_status")["payload"]["confirmed"] != true {}
    gate.send(&passage("cam", 0.0, "AB123CD"));
    let opened =
        std::iter::from_fn(|| said.recv_timeout(PATIENCE).ok()).find(|line| !line.starts_with("CLOSE"));
    assert!(opened.unwrap().starts_with("OPEN 1500 "));
    while gate.next_of("gate_status")["payload"]["state"] != "open" {}
    gate.signal(libc::SIGTERM);
    assert!(said.recv_timeout(PATIENCE).unwrap().starts_with("CLOSE "));
    let (status, rest) = gate.end();
    assert_eq!(status.code(), Some(0));
    assert_eq!(states(&rest).last().unwrap(), "closed");
}

#[test]
fn a_lost_barrier_is_a_fault_and_is_told_to_close_when_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("barrier");
    let mut gate = serial_gate(&name);
    gate.says("trying again");
    let state = |gate: &Running| gate.next_of("gate_status")["payload"]["state"].clone();
    assert_eq!(state(&gate), "fault");
    gate.send(&passage("cam", 0.0, "AB123CD"));
    assert_eq!(gate.next_of("access_decision")["payload"]["decision"], "allow");
    let said = obedient_barrier(Pty::new(&name));
    assert!(
        said.recv_timeout(PATIENCE).unwrap().starts_with("CLOSE "),
        "the missed opening must not come late"
    );
    while state(&gate) != "closed" {}
    gate.signal(libc::SIGTERM);
    let (status, _) = gate.end();
    assert_eq!(status.code(), Some(0));
    assert!(said.try_iter().all(|line| line.starts_with("CLOSE ")));
}
