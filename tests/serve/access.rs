//! Who is let in where: keys, tokens and roles at every door.

use std::io::{Read, Write};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header, crypto, encode};
use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest;
use tungstenite::protocol::frame::coding::CloseCode;

use super::{Server, Socket, closed, dir, taken};
use crate::support::access::{Keys, bearer};
use crate::support::{PATIENCE, Running, park, run, stderr};

const ROLES: [&str; 5] = ["viewer", "user", "operator", "admin", "controller"];

impl Server {
    /// A server that asks for tokens, and the keys to it.
    pub fn with_keys(dir: &Path, more: &[&str]) -> (Server, Keys) {
        let keys = Keys::new(dir);
        (Server::start(dir, &[&["--jwt-secret", keys.path()], more].concat()), keys)
    }

    /// A WebSocket with these headers; the status of the refusal if it is refused.
    pub fn upgrade(&self, path: &str, headers: &[(&'static str, &str)]) -> Result<Socket, u16> {
        let mut request = format!("ws://{}{path}", self.address).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match tungstenite::client(request, self.tcp()) {
            Ok((socket, answer)) => {
                let spoken =
                    answer.headers().get("sec-websocket-protocol").map(|name| name.to_str().unwrap());
                let offered = headers.iter().any(|(name, _)| *name == "sec-websocket-protocol");
                assert_eq!(spoken, offered.then_some("park.bearer"));
                Ok(Socket(socket))
            }
            Err(tungstenite::HandshakeError::Failure(tungstenite::Error::Http(answer))) => {
                Err(answer.status().as_u16())
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// The status of a GET whose answer may go on for ever.
    pub fn asks(&self, path: &str, headers: &[&str]) -> u16 {
        let mut stream = self.tcp();
        let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\n{headers}\r\n", self.address).unwrap();
        let mut head = [0; 12];
        stream.read_exact(&mut head).unwrap();
        std::str::from_utf8(&head[9..]).unwrap().parse().unwrap()
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn part(value: &Value) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A token with any header, signed with HS256 all the same.
fn token(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let message = format!("{}.{}", part(header), part(claims));
    let signature =
        crypto::sign(message.as_bytes(), &EncodingKey::from_secret(secret), Algorithm::HS256).unwrap();
    format!("{message}.{signature}")
}

#[test]
fn a_weak_or_wrong_key_is_refused_at_the_start() {
    let dir = dir();
    let start = |name: &str, text: &str, flag: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        let args = [flag, path.to_str().unwrap(), "--listen", "127.0.0.1:0", "--db", "/nonexistent/park.db"];
        let output = run("park-serve", &args, b"");
        assert_eq!(output.status.code(), Some(78), "{name}: {}", stderr(&output));
        assert!(!stderr(&output).contains(text.trim()), "{name}: {}", stderr(&output));
        stderr(&output)
    };
    let said = start("weak", "secret-of-31-bytes-is-too-short\n\n", "--jwt-secret");
    assert!(said.contains("31 bytes") && said.contains("others may read"), "{said}");
    openssl(dir.path(), "genpkey -algorithm ed25519 -out private.pem");
    let private = std::fs::read_to_string(dir.path().join("private.pem")).unwrap();
    assert!(start("key", &private, "--jwt-public-key").contains("private key"));
    assert!(start("nonsense", "nothing of the kind", "--jwt-public-key").contains("neither"));
    let both = ["--jwt-secret", "a", "--jwt-public-key", "b"];
    assert_eq!(run("park-serve", &both, b"").status.code(), Some(2));
}

#[test]
fn what_others_can_reach_is_said_or_refused() {
    let dir = dir();
    let db = dir.path().join("park.db");
    let start = |args: &[&str]| {
        let mut command = park("park-serve");
        command.args(["--db", db.to_str().unwrap()]).args(args);
        Running::spawn(command)
    };
    let local = start(&["--listen", "127.0.0.1:0"]);
    local.says("without a key everybody on this machine");
    let keys = Keys::new(dir.path());
    start(&["--listen", "0.0.0.0:0", "--jwt-secret", keys.path()]).says("tokens travel");
    start(&["--listen", "0.0.0.0:0", "--insecure"]).says("anybody who can reach");
    let open = ["--listen", "127.0.0.1:0", "--jwt-secret", keys.path(), "--input", "tcp-listen:0.0.0.0:0"];
    let refused = run("park-serve", &open, b"");
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("without asking for a token"), "{}", stderr(&refused));
}

#[test]
fn each_role_passes_its_own_doors_only() {
    let dir = dir();
    let (server, keys) = Server::with_keys(dir.path(), &[]);
    let tokens = ROLES.map(|role| keys.token_with(role, role, &["--gate", "gate_in"]));
    let update = r#"{"parkingLotId":"lot_1","totalSlots":10,"occupied":4}"#;
    // Each with what nobody gets, and what each role gets, in the order of the roles.
    let gets: [(&str, u16, [u16; 5]); 6] = [
        ("/healthz", 200, [200; 5]),
        ("/", 200, [200; 5]),
        ("/park.js", 200, [200; 5]),
        ("/status", 401, [200, 403, 200, 200, 403]),
        ("/api/state", 401, [200; 5]),
        ("/api/sse/dashboard", 401, [200; 5]),
    ];
    for (path, nobody, roles) in gets {
        assert_eq!(server.asks(path, &[]), nobody, "{path}");
        for (token, expected) in tokens.iter().zip(roles) {
            assert_eq!(server.asks(path, &[&bearer(token)]), expected, "{path} {token}");
        }
    }
    assert_eq!(server.http("POST", "/api/capacity/update", &[], update).0, 401);
    for (token, expected) in tokens.iter().zip([403, 403, 200, 200, 200]) {
        assert_eq!(server.http("POST", "/api/capacity/update", &[&bearer(token)], update).0, expected);
    }
    let sockets: [(&str, [u16; 5]); 5] = [
        ("/ws/gate_in", [101, 403, 101, 101, 403]),
        ("/ws/gate_all", [101, 403, 101, 101, 403]),
        ("/ws/admin", [403, 403, 403, 101, 403]),
        ("/ws/controller/gate_in", [403, 403, 403, 101, 101]),
        ("/ws/controller/gate_out", [403, 403, 403, 101, 403]),
    ];
    for (path, roles) in sockets {
        assert_eq!(server.upgrade(path, &[]).err(), Some(401), "{path}");
        for (token, expected) in tokens.iter().zip(roles) {
            let status = server.upgrade(path, &[("authorization", &format!("Bearer {token}"))]);
            assert_eq!(status.err().unwrap_or(101), expected, "{path} {token}");
        }
    }
}

#[test]
fn a_user_hears_only_what_is_public_or_theirs() {
    let dir = dir();
    let (mut server, keys) = Server::with_keys(dir.path(), &[]);
    let mut stream = server.tcp();
    let user = bearer(&keys.token("user"));
    write!(stream, "GET /api/sse/dashboard HTTP/1.0\r\nHost: localhost\r\n{user}\r\n\r\n").unwrap();
    let mut events = super::Events(std::io::BufReader::new(stream));
    events.block();
    assert_eq!(events.next().1, "connected");
    server.running.send(&[closed("a", "gate_in"), taken("b", "lot_1", 1)].concat());
    assert_eq!(events.next().0, "b");
    let (_, state) = server.http("GET", "/api/state", &[&user], "");
    let state: Value = serde_json::from_str(&state).unwrap();
    assert_eq!(state["events"].as_array().unwrap().len(), 1, "{state}");
}

#[test]
fn a_viewer_watches_and_an_operator_commands() {
    let dir = dir();
    let (server, keys) = Server::with_keys(dir.path(), &[]);
    let as_role = |role: &str, path: &str| {
        server.upgrade(path, &[("authorization", &bearer(&keys.token(role))[15..])]).ok().unwrap()
    };
    let mut gate = as_role("controller", "/ws/controller/gate_in");
    let (mut viewer, mut operator) = (as_role("viewer", "/ws/gate_in"), as_role("operator", "/ws/gate_in"));
    let open = json!({ "type": "gate_control", "payload": { "action": "open" } });
    viewer.send(&open);
    assert!(viewer.next_of("error")["payload"]["message"].as_str().unwrap().contains("operators"));
    operator.send(&open);
    assert_eq!(gate.next_of("gate_control")["payload"]["action"], "open");
}

/// Whom tokens must be for, and from.
const CLAIMS: [&str; 4] = ["--jwt-audience", "park", "--jwt-issuer", "us"];

#[test]
fn every_bad_token_gets_the_same_answer() {
    let dir = dir();
    let (server, keys) =
        Server::with_keys(dir.path(), &[&CLAIMS[..], &["--jwt-key-id", "summer", "--log", "debug"]].concat());
    let secret = std::fs::read(&keys.0).unwrap();
    let secret = secret.trim_ascii_end();
    let (plain, later) = (json!({ "alg": "HS256", "typ": "JWT" }), now() + 60);
    let good = json!({ "sub": "ann", "role": "admin", "exp": later, "aud": "park", "iss": "us" });
    let claims = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        token(&plain, &claims, secret)
    };
    let without = |name: &str| {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove(name);
        token(&plain, &claims, secret)
    };
    let header = |name: &str, value: Value| {
        let mut header = plain.clone();
        header[name] = value;
        token(&header, &good, secret)
    };
    let fine = token(&plain, &good, secret);
    assert_eq!(server.http("GET", "/status", &[&bearer(&fine)], "").0, 200);
    assert_eq!(server.http("GET", "/status", &[&bearer(&header("kid", json!("summer")))], "").0, 200);
    let made = keys.token_with("admin", "ann", &["--audience", "park", "--issuer", "us"]);
    assert_eq!(server.http("GET", "/status", &[&bearer(&made)], "").0, 200);
    let unsigned = format!("{}.{}.", part(&json!({ "alg": "none" })), part(&good));
    let bad = [
        String::new(),
        "nonsense".into(),
        unsigned,
        fine[..fine.len() - 4].to_owned(),
        token(&plain, &good, b"another secret that is long enough too"),
        header("alg", json!("none")),
        header("alg", json!("HS512")),
        header("kid", json!("unknown")),
        header("kid", json!("../../dev/null")),
        header("kid", json!(["summer"])),
        header("jku", json!("https://evil.example")),
        header("x5u", json!("https://evil.example")),
        header("jwk", json!({ "kty": "oct", "k": "AAAA" })),
        header("crit", json!(["exp"])),
        without("exp"),
        without("aud"),
        without("iss"),
        without("sub"),
        without("role"),
        claims("exp", json!(later.to_string())),
        claims("exp", json!(later as f64 + 0.5)),
        claims("exp", json!(now() - 10)),
        claims("nbf", json!(later)),
        claims("aud", json!("another")),
        claims("iss", json!("another")),
        claims("role", json!("root")),
        claims("aud", json!(["another"])),
        fine.replacen('.', ".\u{fe}", 1),
    ];
    let answers: Vec<_> =
        bad.iter().map(|token| server.http("GET", "/status", &[&bearer(token)], "")).collect();
    for (token, answer) in bad.iter().zip(&answers) {
        assert_eq!((answer.0, &answer.1), (401, &answers[0].1), "{token}");
    }
    // None of it is in the messages, although they say why.
    server.running.signal(libc::SIGTERM);
    let said = server.running.says_all();
    assert!(said.contains("is not let in"), "{said}");
    for token in bad.iter().chain([&fine, &made]).filter(|token| token.len() > 20) {
        let signature = token.rsplit('.').next().unwrap();
        assert!(
            !said.contains(token.as_str()) && (signature.is_empty() || !said.contains(signature)),
            "{said}"
        );
    }
}

#[test]
fn hup_reads_the_key_again_and_a_broken_one_changes_nothing() {
    let dir = dir();
    let (server, keys) = Server::with_keys(dir.path(), &[]);
    let (secret, claims) =
        (std::fs::read(&keys.0).unwrap(), json!({ "sub": "ann", "role": "admin", "exp": now() + 600 }));
    let asks = |token: &str| server.http("GET", "/status", &[&bearer(token)], "").0;
    // While the key has no name, what a token calls it is a hint that leads nowhere.
    let hinted = token(&json!({ "alg": "HS256", "kid": "../../dev/null" }), &claims, secret.trim_ascii_end());
    assert_eq!(asks(&hinted), 200);
    let old = keys.token("admin");
    let mut open = server.upgrade("/ws/admin", &[("authorization", &bearer(&old)[15..])]).ok().unwrap();

    std::fs::write(&keys.0, "quite another secret, which is long enough too\n").unwrap();
    let new = keys.token("admin");
    assert_eq!((asks(&old), asks(&new)), (200, 401));
    server.running.signal(libc::SIGHUP);
    let deadline = std::time::Instant::now() + PATIENCE;
    while asks(&new) != 200 {
        assert!(std::time::Instant::now() < deadline, "the new key never came");
    }
    assert_eq!((asks(&old), asks(&hinted)), (401, 401));
    std::fs::write(&keys.0, "too short\n").unwrap();
    server.running.signal(libc::SIGHUP);
    let said = server.running.says("the old ones stay");
    assert!(said.contains("secret") && !said.contains("too short\n"), "{said}");
    assert_eq!(asks(&new), 200);
    // Who is in stays in.
    open.send(&json!({ "type": "request_status", "payload": {}, "gate_id": "gate_in" }));
    open.next_of("error");
}

#[test]
fn public_keys_let_in_what_their_owner_signed_and_nothing_else() {
    let dir = dir();
    openssl(dir.path(), "genpkey -algorithm ed25519 -out ed.pem");
    openssl(dir.path(), "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem");
    let read = |name: &str| std::fs::read(dir.path().join(name)).unwrap();
    let claims = json!({ "sub": "ann", "role": "viewer", "exp": now() + 60 });
    let sign = |algorithm, key: &EncodingKey| encode(&Header::new(algorithm), &claims, key).unwrap();
    let (ed, rsa) = (EncodingKey::from_ed_pem(&read("ed.pem")), EncodingKey::from_rsa_pem(&read("rsa.pem")));
    let (ed, rsa) = (ed.unwrap(), rsa.unwrap());
    let tokens = [
        ("ed", sign(Algorithm::EdDSA, &ed)),
        ("rsa", sign(Algorithm::RS256, &rsa)),
        ("", sign(Algorithm::RS512, &rsa)),
    ];
    for name in ["ed", "rsa"] {
        openssl(dir.path(), &format!("pkey -in {name}.pem -pubout -out {name}.pub"));
        let public = dir.path().join(format!("{name}.pub"));
        let server = Server::start(dir.path(), &["--jwt-public-key", public.to_str().unwrap()]);
        for (owner, token) in &tokens {
            let expected = if *owner == name { 200 } else { 401 };
            assert_eq!(server.http("GET", "/status", &[&bearer(token)], "").0, expected, "{owner} at {name}");
        }
        // The public key taken for a shared secret.
        let confused = token(&json!({ "alg": "HS256" }), &claims, &read(&format!("{name}.pub")));
        assert_eq!(server.http("GET", "/status", &[&bearer(&confused)], "").0, 401);
    }
}

#[test]
fn a_browser_comes_in_by_subprotocol_cookie_or_ticket() {
    let dir = dir();
    let (server, keys) = Server::with_keys(dir.path(), &[]);
    let token = keys.token("admin");
    let own = format!("http://{}", server.address);
    let protocols = format!("park.bearer, {token}");
    assert!(server.upgrade("/ws/admin", &[("sec-websocket-protocol", &protocols)]).is_ok());
    assert_eq!(
        server.upgrade("/ws/admin", &[("sec-websocket-protocol", "park.bearer, x.y.z")]).err(),
        Some(401)
    );
    assert_eq!(server.asks(&format!("/api/state?token={token}"), &[]), 401);

    // Signing in: the cookie is the browser's alone.
    let origin = format!("Origin: {own}");
    let head = server.head("POST", "/api/session", &[&bearer(&token), &origin]);
    let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    assert!(
        cookie.contains("HttpOnly; SameSite=Strict") && cookie.contains("Path=/; Max-Age=28"),
        "{cookie}"
    );
    let cookie = cookie.split(';').next().unwrap();
    let header = format!("Cookie: {cookie}");
    assert_eq!(server.asks("/api/state", &[&header]), 200);
    assert_eq!(server.asks("/api/sse/dashboard", &[&header]), 200);
    assert_eq!(server.asks("/api/state", &[&header, "Sec-Fetch-Site: cross-site"]), 401);
    assert_eq!(server.asks("/api/state", &[&header, "Origin: https://evil.example"]), 401);
    assert!(server.upgrade("/ws/admin", &[("cookie", cookie), ("origin", &own)]).is_ok());
    assert_eq!(server.upgrade("/ws/admin", &[("cookie", cookie)]).err(), Some(401));
    let evil = [("cookie", cookie), ("origin", "https://evil.example")];
    assert_eq!(server.upgrade("/ws/admin", &evil).err(), Some(403));
    let (status, me) = server.http("GET", "/api/session", &[&header], "");
    assert!(status == 200 && me.contains(r#""role":"admin""#), "{me}");
    // With the cookie alone a page of another site changes nothing, and neither does a request that names no page.
    let update = r#"{"parkingLotId":"lot_1","totalSlots":10,"occupied":4}"#;
    for (origin, expected) in [("Origin: https://evil.example", 403), ("X: y", 401), (&*origin, 200)] {
        assert_eq!(
            server.http("POST", "/api/capacity/update", &[&header, origin], update).0,
            expected,
            "{origin}"
        );
    }
    assert!(server.head("DELETE", "/api/session", &[&header, &origin]).contains("Max-Age=0"));

    // A ticket is good once.
    let ticket = || {
        let (status, answer) = server.http("POST", "/api/ticket", &[&bearer(&token)], "");
        assert_eq!(status, 200, "{answer}");
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert!(answer["expires_in"].as_u64().unwrap() <= 60);
        format!("?ticket={}", answer["ticket"].as_str().unwrap())
    };
    let (first, second, third) = (ticket(), ticket(), ticket());
    assert_eq!(server.asks(&format!("/api/sse/dashboard{first}"), &[]), 200);
    assert_eq!(server.asks(&format!("/api/sse/dashboard{first}"), &[]), 401);
    assert!(server.upgrade(&format!("/ws/admin{second}"), &[]).is_ok());
    assert_eq!(server.upgrade(&format!("/ws/admin{second}"), &[]).err(), Some(401));
    assert_eq!(server.http("POST", &format!("/api/capacity/update{third}"), &[], update).0, 401);
    assert_eq!(server.http("POST", "/api/ticket", &[], "").0, 401);
}

#[test]
fn no_socket_for_pages_of_other_sites() {
    let dir = dir();
    let (server, keys) = Server::with_keys(dir.path(), &["--allow-origin", "https://good.example"]);
    let token = format!("Bearer {}", keys.token("admin"));
    for origin in ["https://evil.example", "null", "https://good.example.evil", "http://good.example"] {
        for path in ["/ws/admin", "/ws/gate_in", "/ws/controller/gate_in"] {
            let status = server.upgrade(path, &[("authorization", &token), ("origin", origin)]);
            assert_eq!(status.err(), Some(403), "{origin} {path}");
        }
        let polling = ["/socket.io/?EIO=4&transport=polling", "/socket.io/?EIO=4&transport=websocket"];
        for path in polling {
            assert_eq!(server.asks(path, &[&format!("Origin: {origin}")]), 403, "{origin} {path}");
        }
        let head = server.head(
            "GET",
            "/status",
            &[&format!("Origin: {origin}"), &format!("Authorization: {token}")],
        );
        assert!(!head.contains("access-control-allow-origin"), "{head}");
    }
    let good = [("authorization", &*token), ("origin", "https://good.example")];
    assert!(server.upgrade("/ws/admin", &good).is_ok());
    let head = server.head("GET", "/status", &["Origin: https://good.example"]);
    assert!(
        head.contains("401") && head.contains("access-control-allow-origin: https://good.example"),
        "{head}"
    );
}

#[test]
fn a_stream_ends_with_its_token_unless_it_was_renewed() {
    let dir = dir();
    let (server, keys) = Server::with_keys(dir.path(), &[]);
    let brief = keys.token_with("admin", "ann", &["--ttl", "3s"]);
    let authorization = format!("Bearer {brief}");
    let open = |path: &str| server.upgrade(path, &[("authorization", &authorization)]).ok().unwrap();
    let (short, mut renewed, mut refused) = (open("/ws/admin"), open("/ws/admin"), open("/ws/gate_in"));
    let controller = open("/ws/controller/gate_in");
    let mut stream = server.tcp();
    let header = bearer(&brief);
    write!(stream, "GET /api/sse/dashboard HTTP/1.0\r\nHost: localhost\r\n{header}\r\n\r\n").unwrap();

    let auth = |token: &str| json!({ "type": "auth", "payload": { "token": token } });
    renewed.send(&auth(&keys.token_with("admin", "ann", &["--ttl", "1h"])));
    let answer = renewed.next_of("auth");
    assert!(answer["payload"]["expires"].as_u64().unwrap() > now() + 3000, "{answer}");
    for other in [keys.token_with("admin", "bob", &[]), keys.token_with("operator", "ann", &[]), "x".into()] {
        refused.send(&auth(&other));
        assert_eq!(refused.next_of("auth")["payload"]["success"], false);
    }
    for socket in [short, refused, controller] {
        assert_eq!(socket.end(), CloseCode::Library(4401));
    }
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    assert!(said.contains("event: closing") && said.contains("token has expired"), "{said}");
    // Leeway and all.
    std::thread::sleep(Duration::from_secs(6));
    assert_eq!(server.asks("/status", &[&header]), 401);
    renewed.send(&json!({ "type": "request_status", "payload": {}, "gate_id": "gate_in" }));
    renewed.next_of("error");
}

#[test]
fn the_same_rules_hold_at_every_door() {
    let dir = dir();
    let (mut server, keys) = Server::with_keys(dir.path(), &[]);
    let secret = std::fs::read(&keys.0).unwrap();
    let expired = json!({ "sub": "ann", "role": "admin", "exp": now() - 60 });
    let expired = token(&json!({ "alg": "HS256", "typ": "JWT" }), &expired, secret.trim_ascii_end());
    let user = keys.token_with("user", "otto", &[]);
    server.running.send(&[closed("secret", "gate_in"), taken("public", "lot_1", 1)].concat());
    let admin = bearer(&keys.token("admin"));
    while !server.http("GET", "/status", &[&admin], "").1.contains(r#""last_id":"public""#) {}

    // Live, replay and REST; then WebSockets; then Socket.IO: with no token, an ended one, and that of a user.
    for (path, role) in [
        ("/api/sse/dashboard", 200),
        ("/api/sse/dashboard?lastEventId=0", 200),
        ("/api/state", 200),
        ("/status", 403),
        ("/metrics", 403),
        ("/realtime/connections", 403),
        ("/api/monitoring/status", 403),
        ("/cameras/cam_1/snapshot.jpg", 403),
        ("/cameras/cam_1/stream.mjpg", 403),
    ] {
        assert_eq!(server.asks(path, &[]), 401, "{path}");
        assert_eq!(server.asks(path, &[&bearer(&expired)]), 401, "{path}");
        assert_eq!(server.asks(path, &[&bearer(&user)]), role, "{path}");
    }
    for path in ["/ws/gate_in", "/ws/gate_all", "/ws/admin", "/ws/controller/gate_in"] {
        let with = |token: &str| server.upgrade(path, &[("authorization", &bearer(token)[15..])]).err();
        assert_eq!(server.upgrade(path, &[]).err(), Some(401), "{path}");
        assert_eq!((with(&expired), with(&user)), (Some(401), Some(403)), "{path}");
    }
    for auth in [json!({}), json!({ "token": expired })] {
        let mut socket = server.socket(super::engineio::WEBSOCKET);
        socket.say(&format!("40{auth}"));
        assert_eq!(socket.hear_of("44"), r#"44{"message":"Authentication error"}"#);
    }
    // The wrong room: what is in it comes neither live nor as a replay.
    let rooms =
        json!({ "token": user, "lastEventId": "0", "rooms": ["admin", "user:ann", "parking_updates"] });
    let mut socket = server.socket(super::engineio::WEBSOCKET);
    socket.say(&format!("40{rooms}"));
    let mut stream = server.tcp();
    let head = format!("Host: localhost\r\n{}\r\nLast-Event-ID: 0\r\n", bearer(&user));
    write!(stream, "GET /api/sse/dashboard HTTP/1.0\r\n{head}\r\n").unwrap();
    server.running.send(&[closed("secret2", "gate_in"), taken("last", "lot_1", 2)].concat());
    let heard: Vec<String> = std::iter::from_fn(|| socket.hear())
        .filter(|packet| packet.starts_with("42"))
        .take_while(|packet| !packet.contains(r#""id":"last""#))
        .collect();
    assert_eq!(heard.iter().filter(|packet| packet.starts_with("42[\"error\"")).count(), 2, "{heard:?}");
    assert!(heard.iter().any(|packet| packet.contains(r#""id":"public""#)), "{heard:?}");
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(stream)).map_while(Result::ok);
    let seen: Vec<String> = lines.by_ref().take_while(|line| line != "id: last").collect();
    assert!(seen.contains(&"id: public".to_owned()), "{seen:?}");
    assert!(!heard.iter().chain(&seen).any(|text| text.contains("secret")), "{heard:?} {seen:?}");
}

#[test]
fn a_gate_pushes_its_records_with_a_token_from_a_file() {
    let dir = dir();
    let (server, keys) = Server::with_keys(dir.path(), &[]);
    let file = dir.path().join("token");
    std::fs::write(&file, "not.a.token\n").unwrap();
    let url = format!("ws://{}/ws/controller/gate_in", server.address);
    let mut command = park("park-gate");
    command.args(["--gate", "gate_in", "--output", &url]).env("PARK_TOKEN_FILE", &file);
    let mut gate = Running::spawn(command);
    gate.says("the server answered 401");
    std::fs::write(&file, keys.token_with("controller", "gate_in", &["--gate", "gate_in"])).unwrap();
    let mut admin =
        server.upgrade("/ws/admin", &[("authorization", &bearer(&keys.token("admin"))[15..])]).ok().unwrap();
    gate.send(&super::record("c1", "card_detected", "gate_in", &json!({ "card": "7", "state": "present" })));
    assert_eq!(admin.next_of("card_detected")["payload"]["card"], "7");
    gate.signal(libc::SIGTERM);
    let status = gate.end().0;
    assert!(status.success(), "{status}");
}

/// Runs openssl in `dir`.
pub fn openssl(dir: &Path, args: &str) {
    let output = Command::new("openssl").args(args.split(' ')).current_dir(dir).output().unwrap();
    assert!(output.status.success(), "openssl {args}: {}", String::from_utf8_lossy(&output.stderr));
}
