//! Socket.IO (protocol version 5) on the wire, and dialects C and D in it.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tungstenite::Message;

use super::engineio::{Polled, WEBSOCKET};
use super::{Server, Socket, dir, record, taken};

impl Socket {
    /// In the namespace.
    pub fn joined(server: &Server, auth: &Value) -> Socket {
        let mut socket = server.socket(WEBSOCKET);
        socket.say(&format!("40{auth}"));
        let sid: Value = serde_json::from_str(&socket.hear_of("40")[2..]).unwrap();
        assert!(sid["sid"].as_str().unwrap().len() >= 20);
        socket
    }

    fn emit(&mut self, name: &str, data: &Value) {
        self.say(&format!("42{}", json!([name, data])));
    }

    pub fn ask(&mut self, name: &str, data: &Value) -> Value {
        self.say(&format!("427{}", json!([name, data])));
        let answer: Vec<Value> = serde_json::from_str(&self.hear_of("437")[3..]).unwrap();
        answer[0].clone()
    }

    /// The next event: its name and its data.
    pub fn event(&mut self) -> (String, Value) {
        let packet = self.hear_of("42");
        serde_json::from_str(&packet[2..]).unwrap()
    }

    fn event_of(&mut self, name: &str) -> Value {
        std::iter::repeat_with(|| self.event()).find(|(event, _)| event == name).unwrap().1
    }
}

fn level(id: &str, lot: &str, level: &str, occupied: u32) -> String {
    let payload = json!({
        "level_id": level, "name": "Roof", "total": 10, "occupied": occupied, "available": 10 - occupied, "unknown": 0,
    });
    record(id, "parking_update", lot, &payload)
}

fn booking(id: &str, user: &str) -> String {
    let payload = json!({
        "booking_id": id, "status": "paid", "action": "updated", "user_id": user, "booking": { "lot": "lot_1" },
    });
    record(id, "booking_updated", "lot_1", &payload)
}

#[test]
fn there_is_one_namespace() {
    let dir = dir();
    let server = Server::start(dir.path(), &[]);
    let mut socket = server.socket(WEBSOCKET);
    socket.hear_of("0");
    socket.say("40/custom,{}");
    assert_eq!(socket.hear().unwrap(), r#"44/custom,{"message":"Invalid namespace"}"#);
    socket.say("40/random?token=1,");
    assert_eq!(socket.hear().unwrap(), r#"44/random,{"message":"Invalid namespace"}"#);
    socket.say("40{}");
    assert!(socket.hear().unwrap().starts_with("40{\"sid\":"));
    let (name, data) = socket.event();
    assert_eq!((name.as_str(), &data["id"]), ("connected", &json!("0")));
    assert!(data["message"].is_string());
    // It can leave and come again on the same connection.
    socket.say("41");
    socket.say("40");
    assert!(socket.hear().unwrap().starts_with("40{\"sid\":"));

    let polled = Polled::open(&server);
    assert_eq!(polled.post("40/custom,"), 200);
    assert_eq!(polled.next(), [r#"44/custom,{"message":"Invalid namespace"}"#]);
}

#[test]
fn what_is_no_packet_ends_the_connection() {
    let dir = dir();
    let server = Server::start(dir.path(), &[]);
    let deep = format!("42[\"subscribe\",{}]", "[".repeat(90_000));
    for bad in ["42[\"subscribe\"]", "41", "43[]"] {
        let mut socket = server.socket(WEBSOCKET);
        socket.hear_of("0");
        socket.say(bad);
        assert_eq!(socket.hear(), None, "{bad} before it has connected");
    }
    for bad in [
        "4abc",
        "4",
        "40",
        "42",
        "42{}",
        "42[]",
        "42[1]",
        "42\"x\"",
        "42abc[\"x\"]",
        "42[\"x\"",
        "42/custom,[\"x\"]",
        "44{}",
        "47",
        "431{}",
        "451[\"x\"]",
        "4559999-[\"x\"]",
        "411",
        &deep,
    ] {
        let mut socket = Socket::joined(&server, &json!({}));
        socket.event_of("connected");
        socket.say(bad);
        assert_eq!(socket.hear(), None, "{}", &bad[..bad.len().min(40)]);
    }
    // Text where an attachment is due, and one attachment too many.
    let mut socket = Socket::joined(&server, &json!({}));
    socket.event_of("connected");
    socket.say(r#"451-["x",{"_placeholder":true,"num":0}]"#);
    socket.say(r#"42["x"]"#);
    assert_eq!(socket.hear(), None);
    let mut socket = Socket::joined(&server, &json!({}));
    socket.event_of("connected");
    socket.0.send(Message::binary(vec![1])).unwrap();
    assert_eq!(socket.hear(), None);
}

#[test]
fn events_are_acknowledged_if_they_ask_for_it() {
    let dir = dir();
    let server = Server::start(dir.path(), &[]);
    let mut socket = Socket::joined(&server, &json!({}));
    socket.event_of("connected");
    socket.say(r#"42456["subscribe",{"room":"parking_updates"}]"#);
    assert_eq!(socket.hear().unwrap(), r#"42["subscribed",{"room":"parking_updates"}]"#);
    assert_eq!(socket.hear().unwrap(), r#"43456[{"room":"parking_updates","success":true}]"#);
    socket.say(r#"42["what is this"]"#);
    assert_eq!(socket.event(), ("error".into(), json!({ "message": "there is no event \"what is this\"" })));
    assert_eq!(socket.ask("subscribe", &json!({}))["error"], "room is missing");
    assert_eq!(socket.ask("subscribe", &json!({ "room": "kitchen" }))["success"], false);
    // Two attachments belong to the event before; what comes after it waits for them.
    let placeholder = |num: u32| json!({ "_placeholder": true, "num": num });
    socket.say(&format!("452-457{}", json!(["subscribe", placeholder(0), placeholder(1)])));
    socket.0.send(Message::binary(vec![1, 2, 3])).unwrap();
    socket.0.send(Message::binary(vec![4, 5, 6])).unwrap();
    assert_eq!(socket.hear().unwrap(), r#"43457[{"success":false,"error":"room is missing"}]"#);
    // An acknowledgement, which nobody asked for, counts for nothing; a binary one has its attachments too.
    socket.say("4312[{}]");
    socket.say(&format!("461-13{}", json!([placeholder(0)])));
    socket.0.send(Message::binary(vec![7; 1000])).unwrap();
    // In the order in which they were asked.
    for id in 0..20 {
        socket.say(&format!(r#"42{id}["unsubscribe",{{"room":"parking_lot:{id}"}}]"#));
    }
    for id in 0..20 {
        assert!(socket.hear().unwrap().starts_with(&format!("43{id}[")));
    }
}

#[test]
fn each_hears_what_its_rooms_are_for_and_once() {
    let dir = dir();
    let mut server = Server::start(dir.path(), &[]);
    let mut one = Socket::joined(&server, &json!({}));
    let mut admin = Socket::joined(&server, &json!({}));
    let mut mobile = Socket::joined(&server, &json!({}));
    server.running.send(&[level("a", "lot_1", "roof", 3), taken("b", "lot_2", 7)].concat());
    server.status_when(|status| status["last_id"] == "b");
    for room in [
        json!({ "room": "parking_lot:lot_1" }),
        json!({ "room": "lot_1", "type": "parking_lot" }),
        json!({ "room": "parking_updates" }),
    ] {
        one.emit("subscribe", &room);
        assert_eq!(one.event_of("subscribed")["room"], room["room"]);
    }
    admin.emit("subscribe", &json!({ "room": "admin", "type": "admin" }));
    admin.event_of("subscribed");
    mobile.emit("subscribe_to_parking", &json!({ "location_id": "lot_1" }));
    let (name, data) = {
        mobile.event_of("connected");
        mobile.event()
    };
    assert_eq!(name, "parking_data");
    assert_eq!(data["location_id"], "lot_1");
    let spots = json!({ "total": 10, "occupied": 3, "available": 7 });
    assert_eq!(data["levels"], json!([{ "id": "roof", "name": "Roof", "spots": spots }]));
    mobile.emit("subscribe_to_parking", &json!({ "location_id": "lot_2" }));
    assert_eq!(mobile.event().1["levels"][0]["spots"]["available"], 93);

    let announcement =
        record("f", "system_announcement", "lot_1", &json!({ "message": "m", "type": "info" }));
    server.running.send(
        &[
            taken("c", "lot_1", 1),
            level("d", "lot_1", "roof", 4),
            booking("e", "anna"),
            announcement,
            taken("g", "lot_2", 8),
        ]
        .concat(),
    );
    let (name, data) = one.event();
    let expected = json!({
        "parking_lot_id": "lot_1", "available_spaces": 99, "action": "updated", "timestamp": "2026-01-20T10:30:00.000Z",
        "total_spaces": 100, "occupied_spaces": 1, "id": "c",
    });
    assert_eq!((name.as_str(), data), ("parking_updated", expected));
    assert_eq!(one.event().1["id"], "f");
    assert_eq!(one.event().1["id"], "g");
    let (name, data) = admin.event();
    assert_eq!(
        (name.as_str(), &data["booking_id"], &data["booking"]["lot"]),
        ("booking_updated", &json!("e"), &json!("lot_1"))
    );
    assert_eq!(admin.event().0, "system_announcement");
    let (name, data) = mobile.event();
    let expected = json!({
        "location_id": "lot_1", "level_id": "roof", "data": { "total": 10, "occupied": 4, "available": 6 },
        "timestamp": 1_768_905_000.0, "id": "d",
    });
    assert_eq!((name.as_str(), data), ("parking_update", expected));
    assert_eq!(mobile.event().1["id"], "f");
    assert_eq!(mobile.event().1["level_id"], "lot_2");

    for room in ["parking_updates", "parking_lot:lot_1"] {
        one.emit("unsubscribe", &json!({ "room": room }));
    }
    assert_eq!(
        one.ask("get_parking_availability", &json!({ "parking_lot_id": "lot_2" }))["parking_lots"][0]["available_spaces"],
        92
    );
    mobile.ask("unsubscribe_from_parking", &json!({ "location_id": "lot_1" }));
    server
        .running
        .send(&[taken("h", "lot_1", 2), level("i", "lot_1", "roof", 5), taken("j", "lot_2", 9)].concat());
    assert_eq!(mobile.event().1["id"], "j");
    one.emit("get_parking_availability", &json!({ "parking_lot_id": "lot_1" }));
    let (name, data) = one.event();
    assert_eq!(
        (name.as_str(), &data["action"], &data["available_spaces"]),
        ("parking_updated", &json!("current"), &json!(98))
    );
}

#[test]
fn bookings_and_numbers_are_told_to_those_who_ask() {
    let dir = dir();
    let mut server = Server::start(dir.path(), &[]);
    let mut admin = Socket::joined(&server, &json!({}));
    server.running.send(&[booking("b1", "anna"), taken("t", "lot_1", 4)].concat());
    server.status_when(|status| status["last_id"] == "t");
    let status = admin.ask("get_booking_status", &json!({ "booking_id": "b1" }));
    assert_eq!((&status["success"], &status["status"]), (&json!(true), &json!("paid")));
    assert_eq!(admin.ask("get_booking_status", &json!({ "booking_id": "b2" }))["success"], false);
    let stats = admin.ask("get_live_stats", &json!({}))["stats"].clone();
    assert_eq!((&stats["occupied_spaces"], &stats["connections_socketio"]), (&json!(4.0), &json!(1.0)));
    admin.emit("subscribe", &json!({ "room": "admin" }));
    // Told every ten seconds, and not in the log.
    let told = admin.event_of("live_stats");
    assert!(told["stats"]["connections"].is_number() && told.get("id").is_none(), "{told}");
}

#[test]
fn one_who_resumes_gets_what_it_missed_and_then_what_is_new() {
    let dir = dir();
    let mut server = Server::start(dir.path(), &[]);
    let lines = |range: std::ops::Range<u32>| -> String {
        range.map(|n| taken(&format!("n{n}"), if n % 2 == 0 { "lot_1" } else { "lot_2" }, n % 100)).collect()
    };
    server.running.send(&lines(0..3000));
    server.status_when(|status| status["last_id"] == "n2999");
    let auth = json!({ "lastEventId": "n99", "rooms": ["parking_updates", "kitchen"] });
    let (mut whole, mut late) =
        (Socket::joined(&server, &auth), Socket::joined(&server, &json!({ "lastEventId": "n99" })));
    late.emit("subscribe", &json!({ "room": "parking_lot:lot_1" }));
    server.running.send(&lines(3000..3500));
    assert_eq!(whole.event_of("connected")["id"], "n99");
    assert_eq!(whole.event().0, "subscribed");
    assert_eq!(whole.event().0, "error");
    for n in 100..3500 {
        assert_eq!(whole.event().1["id"], format!("n{n}"));
    }
    assert_eq!(late.event_of("subscribed")["room"], "parking_lot:lot_1");
    for n in (100..3500).step_by(2) {
        assert_eq!(late.event().1["id"], format!("n{n}"));
    }
    let mut lost =
        Socket::joined(&server, &json!({ "lastEventId": "never was", "rooms": ["parking_updates"] }));
    let (name, data) = std::iter::repeat_with(|| lost.event()).find(|(name, _)| name == "reset").unwrap();
    assert_eq!(
        (name.as_str(), &data["id"], &data["lastEventId"]),
        ("reset", &json!("n3499"), &json!("never was"))
    );
    server.running.send(&taken("n3500", "lot_1", 1));
    assert_eq!(lost.event().1["id"], "n3500");
}

#[test]
fn a_slow_one_is_told_while_the_others_go_on() {
    let dir = dir();
    let mut server = Server::start(dir.path(), &["--queue", "256K"]);
    let rooms = json!({ "rooms": ["parking_updates"] });
    let (polled, mut quick) = (Polled::open(&server), Socket::joined(&server, &rooms));
    assert_eq!(polled.post(&format!("40{rooms}")), 200);
    polled.next_of("42");
    quick.event_of("subscribed");
    let mut sent = 0;
    while server.get("/status")["counts"]["slow"] == 0 {
        let lines: String = (sent..sent + 200).map(|n| taken(&format!("s{n}"), "lot_1", 1)).collect();
        server.running.send(&lines);
        for n in sent..sent + 200 {
            assert_eq!(quick.event().1["id"], format!("s{n}"));
        }
        sent += 200;
        assert!(sent < 20_000, "the slow one was never noticed");
    }
    let last = polled.next();
    assert!(last[0].contains("\"closing\"") && last[0].contains("\"slow\""), "{last:?}");
    assert_eq!(polled.next(), ["1"]);
    assert_eq!(polled.get().0, 400);
}

#[test]
fn a_slow_websocket_is_told_while_the_others_go_on() {
    let dir = dir();
    let mut server = Server::start(dir.path(), &["--queue", "256K"]);
    let rooms = json!({ "rooms": ["parking_updates"] });
    let (mut slow, mut quick) = (Socket::joined(&server, &rooms), Socket::joined(&server, &rooms));
    slow.event_of("subscribed");
    quick.event_of("subscribed");
    let mut sent = 0;
    // The buffers of the kernel take some megabytes before the slow one's queue begins to fill.
    while server.get("/status")["counts"]["slow"] == 0 {
        let lines: String = (sent..sent + 500).map(|n| taken(&format!("s{n}"), "lot_1", 1)).collect();
        server.running.send(&lines);
        for n in sent..sent + 500 {
            assert_eq!(quick.event().1["id"], format!("s{n}"));
        }
        sent += 500;
        assert!(sent < 100_000, "the slow one was never noticed");
    }
    let last = std::iter::from_fn(|| slow.hear()).last().unwrap();
    assert!(last.contains("\"closing\"") && last.contains("\"slow\""), "{last}");
    server.status_when(|status| status["socketio_clients"] == 1);
}

#[test]
fn a_resuming_client_is_told_when_the_log_is_another() {
    let (one, other) = (dir(), dir());
    let last = |server: &mut Server| {
        server.running.send(&taken("same", "lot_1", 1));
        server.status_when(|status| status["last_id"] == "same")["epoch"].as_str().unwrap().to_owned()
    };
    let mut server = Server::start(one.path(), &[]);
    let epoch = last(&mut server);
    let told = Socket::joined(&server, &json!({})).event_of("connected");
    assert_eq!((&told["epoch"], &told["id"]), (&json!(epoch), &json!("same")));
    server.terminate();
    // The same log after a restart, then another that holds the same record.
    let server = Server::start(one.path(), &[]);
    assert_eq!(server.get("/api/state")["epoch"], epoch.as_str());
    let auth = json!({ "lastEventId": "same", "epoch": epoch, "rooms": ["parking_updates"] });
    let mut resumed = Socket::joined(&server, &auth);
    assert_eq!(resumed.event_of("subscribed")["room"], "parking_updates");
    assert_eq!(resumed.ask("get_parking_availability", &json!({}))["success"], true);

    let mut server = Server::start(other.path(), &[]);
    assert_ne!(last(&mut server), epoch);
    let mut lost = Socket::joined(&server, &auth);
    let reset = lost.event_of("reset");
    assert_eq!((&reset["lastEventId"], &reset["id"]), (&json!("same"), &json!("same")));
    assert_ne!(reset["epoch"], epoch.as_str());
    let mut late = Socket::joined(&server, &json!({}));
    let subscribe = json!({ "room": "parking_updates", "lastEventId": "same", "epoch": epoch });
    assert_eq!(late.ask("subscribe", &subscribe)["success"], true);
    late.event_of("reset");
    let mut events = server.events(&format!("?epoch={epoch}"), Some("same"));
    let connected = events.next();
    assert_eq!((connected.1.as_str(), &connected.2["epoch"]), ("connected", &reset["epoch"]));
    assert_eq!(events.next().1, "reset");
    // What comes now comes, with the same id, everywhere.
    server.running.send(&taken("new", "lot_1", 2));
    assert_eq!((lost.event().1["id"].clone(), events.taken().0.as_str()), (json!("new"), "new"));
}

#[test]
fn a_newer_token_takes_away_what_it_does_not_allow() {
    let dir = dir();
    let (mut server, keys) = Server::with_keys(dir.path(), &[]);
    let token = |role: &str| keys.token_with(role, "root", &[]);
    let auth = json!({ "token": token("admin"), "rooms": ["admin", "parking_updates"] });
    let mut socket = Socket::joined(&server, &auth);
    server.running.send(&booking("b1", "anna"));
    assert_eq!(socket.event_of("booking_updated")["id"], "b1");
    assert_eq!(socket.ask("auth", &json!({ "token": token("user") }))["success"], true);
    server.running.send(&[booking("b2", "anna"), taken("t", "lot_1", 1)].concat());
    assert_eq!(socket.event().1["id"], "t");
    assert_eq!(socket.ask("subscribe", &json!({ "room": "admin" }))["success"], false);
    assert_eq!(socket.ask("get_live_stats", &json!({}))["success"], false);
}

#[test]
fn on_term_everybody_is_told_to_come_back() {
    let dir = dir();
    let server = Server::start(dir.path(), &[]);
    let (polled, mut socket) = (Polled::open(&server), Socket::joined(&server, &json!({})));
    assert_eq!(polled.post("40"), 200);
    polled.next_of("42");
    socket.event_of("connected");
    thread::scope(|scope| {
        let waiting = scope.spawn(|| polled.next());
        thread::sleep(Duration::from_millis(100));
        server.running.signal(libc::SIGTERM);
        assert_eq!(socket.event_of("closing")["reason"], "stopping");
        let last = waiting.join().unwrap();
        assert!(last[0].contains("closing"), "{last:?}");
    });
    assert!(server.running.end().0.success());
}

#[test]
fn nobody_comes_in_without_a_good_token() {
    let dir = dir();
    let (server, keys) = Server::with_keys(dir.path(), &[]);
    let good = keys.token_with("user", "anna", &[]);
    let (head, _) = good.rsplit_once('.').unwrap();
    for auth in [
        json!({}),
        json!({ "token": "" }),
        json!({ "token": "x" }),
        json!({ "token": format!("{head}.AAAA") }),
        json!({ "token": 7 }),
    ] {
        let mut socket = server.socket(WEBSOCKET);
        socket.hear_of("0");
        socket.say(&format!("40{auth}"));
        assert_eq!(socket.hear().unwrap(), r#"44{"message":"Authentication error"}"#, "{auth}");
        // It may try again, and may say nothing else.
        socket.say(&format!("40{}", json!({ "token": good })));
        assert!(socket.hear().unwrap().starts_with("40{"));
    }
    let mut socket = server.socket(WEBSOCKET);
    socket.hear_of("0");
    socket.say("40{}");
    socket.say(r#"42["get_parking_availability"]"#);
    socket.hear_of("44");
    assert_eq!(socket.hear(), None);
    // A token of the request that opens the session will do.
    let mut socket = server.upgrade(WEBSOCKET, &[("authorization", &format!("Bearer {good}"))]).unwrap();
    socket.say("40");
    assert!(socket.hear_of("4").starts_with("40{"));
}

#[test]
fn rooms_and_answers_are_for_those_they_are_for() {
    let dir = dir();
    let (mut server, keys) = Server::with_keys(dir.path(), &[]);
    let come = |role: &str, name: &str| {
        let token = keys.token_with(role, name, &[]);
        let mut socket = Socket::joined(&server, &json!({ "token": token, "rooms": ["parking_updates"] }));
        socket.event_of("subscribed");
        socket
    };
    let (mut anna, mut otto, mut admin) = (come("user", "anna"), come("user", "otto"), come("admin", "root"));
    assert_eq!(admin.ask("subscribe", &json!({ "room": "admin" }))["success"], true);
    for (name, data) in [
        ("subscribe", json!({ "room": "admin" })),
        ("subscribe", json!({ "room": "user:otto" })),
        ("get_live_stats", json!({})),
        ("auth", json!({ "token": "x" })),
        ("auth", json!({ "token": keys.token_with("user", "otto", &[]) })),
        ("auth", json!({ "token": keys.token_with("admin", "root", &[]) })),
    ] {
        assert_eq!(anna.ask(name, &data)["success"], false, "{name} {data}");
    }
    assert_eq!(anna.ask("subscribe", &json!({ "room": "user:anna" }))["success"], true);
    let note = json!({ "user_id": "otto", "title": "t", "message": "m", "type": "info" });
    server.running.send(
        &[
            booking("b1", "anna"),
            booking("b2", "otto"),
            record("n", "notification", "lot_1", &note),
            taken("t", "lot_1", 1),
        ]
        .concat(),
    );
    let heard = |socket: &mut Socket| -> Vec<Value> {
        let mut ids = Vec::new();
        while ids.last() != Some(&json!("t")) {
            ids.push(socket.event().1["id"].clone());
        }
        ids
    };
    assert_eq!(heard(&mut anna), ["b1", "t"]);
    assert_eq!(heard(&mut otto), ["b2", "n", "t"]);
    assert_eq!(heard(&mut admin), ["b1", "b2", "t"]);
    assert_eq!(anna.ask("get_booking_status", &json!({ "booking_id": "b1" }))["status"], "paid");
    assert_eq!(anna.ask("get_booking_status", &json!({ "booking_id": "b2" }))["success"], false);
    // The replay shows no more than the live stream.
    let auth = json!({ "token": keys.token_with("user", "anna", &[]), "lastEventId": "0", "rooms": ["parking_updates"] });
    let mut again = Socket::joined(&server, &auth);
    again.event_of("subscribed");
    assert_eq!(heard(&mut again), ["b1", "t"]);
}

#[test]
fn a_token_ends_its_connection_unless_a_newer_one_is_shown() {
    let dir = dir();
    let (server, keys) = Server::with_keys(dir.path(), &[]);
    let brief = || json!({ "token": keys.token_with("user", "anna", &["--ttl", "3s"]) });
    let (mut gone, mut renewed) = (Socket::joined(&server, &brief()), Socket::joined(&server, &brief()));
    let polled = Polled::open(&server);
    assert_eq!(polled.post(&format!("40{}", brief())), 200);
    let newer = json!({ "token": keys.token_with("user", "anna", &[]) });
    assert_eq!(renewed.ask("auth", &newer)["success"], true);
    assert_eq!(gone.event_of("closing")["reason"], "expired");
    assert_eq!(gone.hear().unwrap(), "41");
    assert_eq!(gone.hear(), None);
    assert_eq!(polled.next_of("41"), "41");
    assert_eq!(renewed.ask("get_parking_availability", &json!({}))["success"], true);
}
