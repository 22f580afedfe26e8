//! The stock clients, as their users install them, against `park-serve`.

use std::process::Command;
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Server, dir, taken};
use crate::support::{PATIENCE, Running, park, testdata};

/// The stock client of Socket.IO in a process of its own.
struct Client(Running);

impl Client {
    fn start(server: &Server, options: &Value) -> Client {
        let clients = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients");
        let mut node = Command::new("node");
        node.arg(format!("{clients}/socketio.mjs"))
            .arg(format!("http://{}", server.address))
            .arg(options.to_string());
        Client(Running::spawn(node))
    }

    /// Waits until it is in its room, and has taken the WebSocket if it is to.
    fn settled(&mut self, transports: &[&str]) {
        if transports.len() == 2 {
            assert_eq!(self.0.next_of("upgrade")["transport"], "websocket");
            // It may have been in its room before that.
            self.tell(&json!({ "emit": ["subscribe", { "room": "parking_updates" }] }));
        }
        self.event("subscribed");
    }

    fn tell(&mut self, what: &Value) {
        self.0.send(&format!("{what}\n"));
    }

    fn ask(&mut self, name: &str, data: &Value) -> Value {
        self.tell(&json!({ "ask": [name, data] }));
        self.0.next_of("ack")["data"].clone()
    }

    fn event(&self, name: &str) -> Value {
        std::iter::repeat_with(|| self.0.next_of("event")).find(|event| event["name"] == name).unwrap()["data"].clone()
    }
}

fn options(transports: &[&str]) -> Value {
    json!({ "transports": transports, "auth": { "rooms": ["parking_updates"] }, "reconnectionDelay": 100, "reconnectionDelayMax": 200 })
}

#[test]
fn the_stock_client_works_over_each_transport() {
    let dir = dir();
    let mut server = Server::start(dir.path(), &[]);
    for (at, transports) in [&["websocket"][..], &["polling"], &["polling", "websocket"]].iter().enumerate() {
        let mut client = Client::start(&server, &options(transports));
        assert_eq!(client.0.next_of("open")["transport"], transports[0]);
        if transports.len() == 2 {
            client.settled(transports);
        } else {
            assert!(client.event("connected")["message"].is_string());
            assert_eq!(client.event("subscribed")["room"], "parking_updates");
        }
        server.running.send(&taken(&format!("a{at}"), "lot_1", 40));
        assert_eq!(client.event("parking_updated")["available_spaces"], 60);
        let lots = client.ask("get_parking_availability", &json!({ "parking_lot_id": "lot_1" }));
        assert_eq!(lots["parking_lots"][0]["occupied_spaces"], 40);
        client.tell(&json!({ "emit": ["subscribe_to_parking", { "location_id": "lot_1" }] }));
        assert_eq!(client.event("parking_data")["levels"][0]["spots"]["available"], 60);
        // Much at once.
        let lines: String = (0..500).map(|n| taken(&format!("b{at}.{n}"), "lot_1", n % 100)).collect();
        server.running.send(&lines);
        for n in 0..500 {
            assert_eq!(client.event("parking_updated")["id"], format!("b{at}.{n}"));
        }
        for _ in 0..2 {
            client.tell(&json!({ "disconnect": true }));
            assert_eq!(client.0.next_of("disconnect")["reason"], "io client disconnect");
            server.status_when(|status| status["socketio_clients"] == 0);
            client.tell(&json!({ "connect": true }));
            client.0.next_of("connect");
        }
        client.tell(&json!({ "disconnect": true }));
        server.status_when(|status| status["socketio_clients"] == 0);
    }
}

#[test]
fn the_stock_client_survives_heartbeats() {
    let dir = dir();
    let mut server = Server::start(dir.path(), &["--ping-interval", "1", "--ping-timeout", "5"]);
    let clients =
        [&["websocket"][..], &["polling"]].map(|transports| Client::start(&server, &options(transports)));
    clients.iter().for_each(|client| drop(client.event("subscribed")));
    std::thread::sleep(std::time::Duration::from_secs(8));
    server.running.send(&taken("a", "lot_1", 40));
    for client in &clients {
        // Nothing came in between, not even a new connection.
        assert_eq!(client.0.next()["name"], "parking_updated");
    }
}

#[test]
fn the_stock_client_comes_back_after_a_restart_and_misses_nothing() {
    let dir = dir();
    for transports in [&["websocket"][..], &["polling"], &["polling", "websocket"]] {
        let dir = dir.path().join(transports.join("-"));
        std::fs::create_dir(&dir).unwrap();
        let mut server = Server::start(&dir, &[]);
        let mut client = Client::start(&server, &options(transports));
        client.settled(transports);
        server.running.send(&taken("a", "lot_1", 1));
        assert_eq!(client.event("parking_updated")["id"], "a");
        let address = server.address.clone();
        server.terminate();
        if transports.contains(&"websocket") {
            // One that polls is told if it waits just then.
            assert_eq!(client.event("closing")["reason"], "stopping");
        }
        client.0.next_of("disconnect");

        let mut server = Server::start_at(&dir, &address, &[]);
        server.running.send(&[taken("b", "lot_1", 2), taken("c", "lot_1", 3)].concat());
        client.0.next_of("connect");
        server.running.send(&taken("d", "lot_1", 4));
        let missed = ["b", "c", "d"].map(|_| client.event("parking_updated")["id"].clone());
        assert_eq!(missed, [json!("b"), json!("c"), json!("d")]);
    }
}

#[test]
fn the_stock_client_is_refused_let_in_and_renewed_by_its_token() {
    let dir = dir();
    let (server, keys) = Server::with_keys(dir.path(), &[]);
    for transports in [&["websocket"][..], &["polling"], &["polling", "websocket"]] {
        let mut client = Client::start(&server, &options(transports));
        assert_eq!(client.0.next_of("connect_error")["message"], "Authentication error");
        client.tell(&json!({ "token": keys.token_with("user", "anna", &["--ttl", "4s"]) }));
        client.tell(&json!({ "connect": true }));
        client.0.next_of("connect");
        let newer = keys.token_with("user", "anna", &["--ttl", "6s"]);
        assert_eq!(client.ask("auth", &json!({ "token": newer }))["success"], true);
        assert_eq!(client.ask("auth", &json!({ "token": "x" }))["success"], false);
        std::thread::sleep(std::time::Duration::from_secs(4));
        assert_eq!(client.ask("get_parking_availability", &json!({}))["success"], true);
        assert_eq!(client.event("closing")["reason"], "expired");
        assert_eq!(client.0.next_of("disconnect")["reason"], "io server disconnect");
    }
}

#[test]
fn the_stock_client_watches_a_camera() {
    let dir = dir();
    let server = Server::start(dir.path(), &[]);
    let mut command = park("park-capture");
    command.arg(testdata("gate/gate-out.mp4")).args(["--camera", "cam_1", "--realtime", "--loop"]);
    command.arg("--output").arg(format!("unix:{}", dir.path().join("park.sock").display()));
    let _camera = Running::spawn(command);
    for transports in [&["websocket"][..], &["polling"]] {
        let mut client = Client::start(&server, &options(transports));
        client.event("subscribed");
        let deadline = Instant::now() + PATIENCE;
        while client.ask("subscribe_to_camera", &json!({ "camera_id": "cam_1" }))["success"] != true {
            assert!(Instant::now() < deadline, "the camera does not come");
        }
        let mut last = -1.0;
        for _ in 0..5 {
            let frame = client.event("video_frame");
            let jpeg = STANDARD.decode(frame["data"].as_str().unwrap()).unwrap();
            assert_eq!((&jpeg[..2], &jpeg[jpeg.len() - 2..]), (&[0xFF, 0xD8][..], &[0xFF, 0xD9][..]));
            let time = frame["timestamp"].as_f64().unwrap();
            assert!(time > last && frame["camera_id"] == "cam_1", "{time} after {last}");
            last = time;
        }
        let refused = client.ask("subscribe_to_camera", &json!({ "camera_id": "../x" }));
        assert_eq!(refused["error"], "there is no camera \"../x\"");
        assert_eq!(client.ask("unsubscribe_from_camera", &json!({ "camera_id": "cam_1" }))["success"], true);
    }
}
