//! Dialect C over REST.

use super::*;

use crate::support::access::bearer;

fn json_of(answer: (u16, String), status: u16) -> Value {
    assert_eq!(answer.0, status, "{}", answer.1);
    serde_json::from_str(&answer.1).unwrap()
}

impl Server {
    fn put(&self, lot: &str, body: &Value, status: u16) -> Value {
        let path = format!("/realtime/parking-lots/{lot}/availability");
        json_of(self.http("PUT", &path, &[], &body.to_string()), status)
    }

    fn announce(&self, body: &str, status: u16) -> Value {
        json_of(self.http("POST", "/realtime/announcement", &[], body), status)
    }
}

#[test]
fn what_is_free_is_told_and_set() {
    let dir = dir();
    let mut server = Server::start(dir.path(), &[]);
    assert_eq!(server.get("/realtime/parking-availability")["parking_lots"], json!([]));
    let mut events = server.events("", None).connected();
    let level = json!({ "level_id": "1", "name": "Roof", "total": 60, "occupied": 20, "available": 40, "unknown": 0 });
    server
        .running
        .send(&[taken("one", "lot_1", 30), record("two", "parking_update", "lot_1", &level)].concat());
    events.next();
    events.next();
    let told = server.get("/realtime/parking-availability?parking_lot_id=lot_1");
    assert_eq!(told["success"], true);
    let lot = &told["parking_lots"][0];
    assert_eq!((&lot["total_spaces"], &lot["available_spaces"]), (&json!(100), &json!(70)));
    assert_eq!(
        lot["levels"],
        json!([{ "id": "1", "name": "Roof", "spots": { "total": 60, "occupied": 20, "available": 40 } }])
    );

    let set = server.put("lot_1", &json!({ "available_spaces": 12 }), 200);
    let (id, kind, data) = events.next();
    assert_eq!((id.as_str(), kind.as_str()), (set["id"].as_str().unwrap(), "capacity_update"));
    assert_eq!((&data["empty"], &data["totalSlots"]), (&json!(12), &json!(100)));
    server.put("lot%202", &json!({ "available_spaces": 3, "total_spaces": 4 }), 200);
    assert_eq!(events.next().2["parkingLotId"], "lot 2");
    let all = server.get("/realtime/parking-availability");
    assert_eq!(all["parking_lots"].as_array().unwrap().len(), 2);

    for (body, named) in [
        (json!({ "available_spaces": 101 }), "available_spaces"),
        (json!({ "available_spaces": -1 }), "-1"),
        (json!({ "available_spaces": "many" }), "many"),
        (json!({}), "available_spaces"),
    ] {
        let refused = server.put("lot_1", &body, 400);
        assert!(refused["error"].as_str().unwrap().contains(named), "{refused}");
    }
    let refused = server.put("unheard_of", &json!({ "available_spaces": 1 }), 400);
    assert!(refused["error"].as_str().unwrap().contains("total_spaces"), "{refused}");
    server.put("a%0ab", &json!({ "available_spaces": 1, "total_spaces": 1 }), 400);
    let unknown = server.http("GET", "/realtime/parking-availability?parking_lot_id=nowhere", &[], "");
    assert!(json_of(unknown, 404)["error"].as_str().unwrap().contains("parking_lot_id"));
    assert_eq!(server.http("GET", "/realtime/nothing", &[], "").0, 404);
}

#[test]
fn an_announcement_reaches_everybody_and_is_durable_when_it_is_answered() {
    let dir = dir();
    let mut server = Server::start(dir.path(), &[]);
    let mut events = server.events("", None).connected();
    let made = server.announce(r#"{"message":"closed on Sunday","type":"maintenance"}"#, 200);
    // Not even a moment later.
    server.running.child.kill().unwrap();
    let (_, kind, data) = events.next();
    assert_eq!((kind.as_str(), &data["message"]), ("system_announcement", &json!("closed on Sunday")));
    server.running.child.wait().unwrap();
    let store = Store::open(dir.path().join("park.db")).unwrap();
    assert!(store.seq_of(made["id"].as_str().unwrap()).unwrap().is_some());
    let mut deeds = Vec::new();
    let take = |deed: &park_store::Deed| {
        deeds.push((deed.action.clone(), deed.outcome.clone(), deed.request_id.clone()));
        true
    };
    store.deeds(park_store::Span::default(), take).unwrap();
    let id = made["id"].as_str().map(str::to_owned);
    assert_eq!(deeds, [("announcement".to_owned(), Some("done".to_owned()), id)]);

    let server = Server::start(dir.path(), &[]);
    for (body, named) in [
        ("", "body"),
        (r#"{"message":""}"#, "message"),
        (r#"{"message":7}"#, "7"),
        (r#"{"type":"info"}"#, "message"),
        (r#"{"message":"x","type":""}"#, "type"),
    ] {
        let refused = server.announce(body, 400);
        assert!(refused["error"].as_str().unwrap().contains(named), "{refused}");
    }
    let long = json!({ "message": "x".repeat(5000) }).to_string();
    assert!(server.announce(&long, 400)["error"].as_str().unwrap().contains("message"));
}

#[test]
fn admins_see_who_is_connected_how_things_go_and_what_happens_to_bookings() {
    let dir = dir();
    let mut server = Server::start(dir.path(), &[]);
    let status = server.get("/realtime/connection-status");
    assert_eq!((&status["status"], &status["connected"]), (&json!("running"), &json!(false)));
    let dashboard = server.socket("/ws/admin");
    server.status_when(|status| status["active_channels"]["admin"] == 1);
    let mut events = server.events("", None).connected();
    let status = server.get("/realtime/connection-status");
    assert_eq!((&status["connected"], status["connections"].as_array().unwrap().len()), (&json!(true), 2));
    let all = server.get("/realtime/connections");
    assert_eq!(all["total"], 2);
    let first = &all["connections"][0];
    assert_eq!((&first["surface"], &first["user"]), (&json!("channel"), &json!("anyone")));
    assert_eq!((&first["address"], &first["role"]), (&json!("127.0.0.1"), &json!("admin")));
    assert_eq!(server.get("/realtime/connections?limit=1")["connections"].as_array().unwrap().len(), 1);
    for limit in ["0", "-1", "many", "1001", "1e3"] {
        let refused =
            json_of(server.http("GET", &format!("/realtime/connections?limit={limit}"), &[], ""), 400);
        assert!(refused["error"].as_str().unwrap().contains("limit"), "{refused}");
    }

    let booking = |status: &str| json!({ "booking_id": "b1", "status": status, "action": "updated", "user_id": "ann", "booking": { "spot": 7 } });
    let payment = json!({ "payment_id": "p1", "status": "paid", "action": "created", "user_id": "ann" });
    let lines = [
        record("1", "booking_updated", "lot_1", &booking("held")),
        record("2", "payment_updated", "lot_1", &payment),
        record("3", "booking_updated", "lot_1", &booking("confirmed")),
        taken("4", "lot_1", 30),
    ];
    server.running.send(&lines.concat());
    while events.next().0 != "4" {}
    let activity = server.get("/realtime/booking-activity?limit=2");
    let listed = activity["activity"].as_array().unwrap();
    assert_eq!((listed.len(), &listed[0]["status"]), (2, &json!("confirmed")));
    assert_eq!((&listed[0]["booking"]["spot"], &listed[1]["payment_id"]), (&json!(7), &json!("p1")));

    let stats = server.get("/realtime/live-stats")["stats"].clone();
    for (name, value) in [
        ("connections", 2.0),
        ("connections_sse", 1.0),
        ("available_spaces", 70.0),
        ("occupied_spaces", 30.0),
        ("vehicles_inside", 0.0),
        ("records", 4.0),
    ] {
        assert_eq!(stats[name], value, "{name} in {stats}");
    }
    drop(dashboard);
    server.status_when(|status| status["active_channels"] == json!({}));
    let deadline = Instant::now() + PATIENCE;
    while server.get("/realtime/connections")["total"] != 1 {
        assert!(Instant::now() < deadline);
    }
}

#[test]
fn every_account_asks_what_is_free_and_only_admins_the_rest() {
    let dir = dir();
    let (server, keys) = Server::with_keys(dir.path(), &[]);
    let announcement = r#"{"message":"hello"}"#;
    let free = r#"{"available_spaces":1,"total_spaces":2}"#;
    for (method, path, body, everybody) in [
        ("GET", "/realtime/parking-availability", "", true),
        ("GET", "/realtime/connection-status", "", true),
        ("GET", "/realtime/connections", "", false),
        ("GET", "/realtime/live-stats", "", false),
        ("GET", "/realtime/booking-activity", "", false),
        ("POST", "/realtime/announcement", announcement, false),
        ("PUT", "/realtime/parking-lots/lot_1/availability", free, false),
    ] {
        assert_eq!(server.http(method, path, &[], body).0, 401, "{path}");
        for role in ["user", "viewer", "operator", "controller", "admin"] {
            let wanted = if everybody || role == "admin" { 200 } else { 403 };
            let (status, answer) = server.http(method, path, &[&bearer(&keys.token(role))], body);
            assert_eq!(status, wanted, "{role} {path}: {answer}");
        }
    }
}
