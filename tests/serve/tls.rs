//! TLS, towards clients and towards servers.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use super::access::openssl;
use super::{Server, dir, record};
use crate::support::access::{Keys, bearer};
use crate::support::{PATIENCE, Running, park, run, stderr};

/// An authority, and a certificate for 127.0.0.1 and localhost that it signed, called `name`.
fn certificate(dir: &Path, name: &str) {
    if !dir.join("ca.pem").exists() {
        openssl(
            dir,
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=tests",
        );
    }
    std::fs::write(dir.join("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n").unwrap();
    openssl(
        dir,
        &format!(
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key -out {name}.csr -subj /CN={name}"
        ),
    );
    openssl(
        dir,
        &format!(
            "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile names -days 2 -out {name}.pem"
        ),
    );
}

/// A server over TLS with the certificate `cert.pem`, which is that of `name`.
fn start(dir: &Path, name: &str, more: &[&str]) -> Server {
    install(dir, name);
    let mut command = park("park-serve");
    command.arg("--db").arg(dir.join("park.db")).args(["--listen", "127.0.0.1:0"]).args(more);
    command.arg("--tls-cert").arg(dir.join("cert.pem")).arg("--tls-key").arg(dir.join("key.pem"));
    let running = Running::spawn(command);
    let said = running.says("serving on https://");
    let address = said.rsplit_once("https://").unwrap().1.trim_end_matches('/').to_owned();
    Server { running, address, dir: dir.to_owned() }
}

fn install(dir: &Path, name: &str) {
    std::fs::copy(dir.join(format!("{name}.pem")), dir.join("cert.pem")).unwrap();
    std::fs::copy(dir.join(format!("{name}.key")), dir.join("key.pem")).unwrap();
}

fn curl(server: &Server, args: &[&str]) -> Output {
    let url = format!("https://{}{}", server.address, args[0]);
    let ca = server.dir.join("ca.pem");
    let mut command = Command::new("curl");
    command.args(["-sSi", "--max-time", "20", "--cacert", ca.to_str().unwrap()]).args(&args[1..]).arg(url);
    command.output().unwrap()
}

/// What `openssl s_client` says of a handshake.
fn handshake(server: &Server, args: &[&str]) -> (bool, String) {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-connect", &server.address]).args(args).stdin(std::process::Stdio::null());
    let output = command.output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn tls_is_spoken_from_1_2_on_and_says_that_it_stays() {
    let dir = dir();
    certificate(dir.path(), "one");
    let server = start(dir.path(), "one", &[]);
    let answer = curl(&server, &["/healthz"]);
    let text = String::from_utf8_lossy(&answer.stdout).into_owned();
    assert!(text.starts_with("HTTP/1.1 200"), "{text}{}", stderr(&answer));
    assert!(text.contains("strict-transport-security: max-age="), "{text}");
    for (version, spoken) in [("-tls1_3", true), ("-tls1_2", true), ("-tls1_1", false), ("-tls1", false)] {
        let (done, said) = handshake(&server, &[version, "-cipher", "ALL:@SECLEVEL=0"]);
        assert_eq!(done && said.contains("Server certificate"), spoken, "{version}: {said}");
    }
    // One that says nothing is closed within ten seconds, and plain HTTP gets no answer.
    let began = std::time::Instant::now();
    let mut silent = server.tcp();
    std::io::Read::read_to_end(&mut silent, &mut Vec::new()).unwrap();
    assert!(began.elapsed().as_secs() < 13, "{:?}", began.elapsed());
    let mut plain = server.tcp();
    std::io::Write::write_all(&mut plain, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = std::io::Read::read_to_end(&mut plain, &mut answer);
    assert!(!answer.starts_with(b"HTTP"));
}

#[test]
fn the_cookie_of_tls_stays_with_tls() {
    let dir = dir();
    certificate(dir.path(), "one");
    let keys = Keys::new(dir.path());
    let server = start(dir.path(), "one", &["--jwt-secret", keys.path()]);
    let token = bearer(&keys.token("viewer"));
    let answer = curl(&server, &["/api/session", "-X", "POST", "-H", &token]);
    let text = String::from_utf8_lossy(&answer.stdout).into_owned();
    assert!(text.starts_with("HTTP/1.1 200") && text.contains("SameSite=Strict; Secure"), "{text}");
}

#[test]
fn hup_reads_the_certificate_again_and_a_broken_one_changes_nothing() {
    let dir = dir();
    certificate(dir.path(), "one");
    certificate(dir.path(), "two");
    let server = start(dir.path(), "one", &[]);
    let subject = || {
        let (done, said) = handshake(&server, &[]);
        assert!(done, "{said}");
        said.lines().find(|line| line.starts_with("subject=")).unwrap().to_owned()
    };
    assert!(subject().contains("one"));
    install(dir.path(), "two");
    server.running.signal(libc::SIGHUP);
    let deadline = std::time::Instant::now() + PATIENCE;
    while !subject().contains("two") {
        assert!(std::time::Instant::now() < deadline, "the new certificate never came");
    }
    std::fs::write(dir.path().join("cert.pem"), "broken").unwrap();
    server.running.signal(libc::SIGHUP);
    let said = server.running.says("the old ones stay");
    assert!(said.contains("cert.pem"), "{said}");
    assert!(subject().contains("two"));
}

#[test]
fn a_broken_certificate_is_refused_at_the_start() {
    let dir = dir();
    certificate(dir.path(), "one");
    certificate(dir.path(), "two");
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (one, two, ca, missing) = (path("one.pem"), path("two.key"), path("ca.pem"), path("missing"));
    for (certificate, key) in [(&one, &two), (&one, &ca), (&two, &two), (&missing, &two)] {
        let args = [
            "--tls-cert",
            certificate,
            "--tls-key",
            key,
            "--listen",
            "127.0.0.1:0",
            "--db",
            "/nonexistent/p",
        ];
        let output = run("park-serve", &args, b"");
        assert_eq!(output.status.code(), Some(78), "{certificate} {key}: {}", stderr(&output));
    }
    assert_eq!(run("park-serve", &["--tls-cert", &one], b"").status.code(), Some(2));
}

#[test]
fn a_monitor_listens_over_tls_to_a_back_end_whose_certificate_it_can_check() {
    let dir = dir();
    certificate(dir.path(), "one");
    // What speaks here as a back end is a server of ours: its channel says records.
    let mut back_end = start(dir.path(), "one", &["--input", "-"]);
    let monitor = |name: &str, authority: &str| {
        let mut command = park("park-serve");
        command.arg("--db").arg(dir.path().join(name)).args(["--listen", "127.0.0.1:0"]);
        command.args(["--reconnect-delay", "0.1", "--reconnect-attempts", "0"]);
        command.args(["--monitor-gate", &format!("gate_in=wss://{}/ws/gate_in", back_end.address)]);
        command.env("SSL_CERT_FILE", dir.path().join(authority));
        let running = Running::spawn(command);
        let said = running.says("serving on http://");
        let address = said.rsplit_once("http://").unwrap().1.trim_end_matches('/').to_owned();
        Server { running, address, dir: dir.path().to_owned() }
    };
    // Its own certificate is no authority for it.
    let (strange, trusting) = (monitor("strange.db", "one.pem"), monitor("trusting.db", "ca.pem"));
    let when = |server: &Server, wanted: &dyn Fn(&Value) -> bool| {
        let deadline = std::time::Instant::now() + PATIENCE;
        loop {
            let status = server.get("/api/monitoring/status")["gates"][0].clone();
            if wanted(&status) {
                return status;
            }
            assert!(std::time::Instant::now() < deadline, "the monitor stays {status}");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    };
    when(&trusting, &|status| status["state"] == "connected");
    let plate = json!({
        "plate": "AB123", "confidence": 0.9, "readings": 3, "first_seen": "2026-01-20T10:30:00Z",
        "last_seen": "2026-01-20T10:30:01Z", "camera_id": "cam_in",
    });
    back_end.running.send(&record(
        "seen",
        "card_detected",
        "gate_in",
        &json!({ "card": "7", "state": "present" }),
    ));
    back_end.running.send(&record("plate", "plate_detected", "gate_in", &plate));
    when(&trusting, &|status| status["messages"].as_u64() >= Some(1));
    let refused = when(&strange, &|status| status["lastError"].is_string());
    assert!(refused["lastError"].as_str().unwrap().contains("certificate"), "{refused}");
    assert_eq!(refused["messages"], 0);
}

#[test]
fn a_gate_pushes_over_tls_to_a_server_whose_certificate_it_can_check() {
    let dir = dir();
    certificate(dir.path(), "one");
    let keys = Keys::new(dir.path());
    let server = start(dir.path(), "one", &["--jwt-secret", keys.path()]);
    let token = dir.path().join("token");
    std::fs::write(&token, keys.token_with("controller", "gate_in", &["--gate", "gate_in"])).unwrap();
    let url = format!("wss://{}/ws/controller/gate_in", server.address);
    let gate = |authority: &str| {
        let mut command = park("park-gate");
        command.args(["--gate", "gate_in", "--output", &url, "--token-file", token.to_str().unwrap()]);
        command.env("SSL_CERT_FILE", dir.path().join(authority));
        Running::spawn(command)
    };
    // Its own certificate is no authority for it.
    gate("two.pem").says("certificate");
    let mut gate = gate("ca.pem");
    let long = "x".repeat(100_000);
    let lines: String = (0..50)
        .map(|n| record(&format!("r{n}"), "error", "gate_in", &json!({ "message": long, "command": "test" })))
        .collect();
    gate.send(&lines);
    let state = || {
        let answer = curl(&server, &["/status", "-H", &bearer(&keys.token("admin"))]);
        String::from_utf8_lossy(&answer.stdout).into_owned()
    };
    let deadline = std::time::Instant::now() + PATIENCE;
    while !state().contains(r#""last_id":"r49""#) {
        assert!(std::time::Instant::now() < deadline, "{}", state());
    }
    gate.signal(libc::SIGTERM);
    // Everything was acknowledged, or it would say that something was left.
    let status = gate.end().0;
    assert!(status.success(), "{status}");
}
