//! Where secrets must not stand: arguments, environment, messages, answers, core dumps.

use std::os::unix::process::{CommandExt, ExitStatusExt};

use super::*;

use crate::support::access::{Keys, bearer};

#[test]
fn secrets_stand_in_no_place_that_others_can_see() {
    let dir = dir();
    let (server, keys) = Server::with_keys(dir.path(), &["--log", "debug"]);
    let token = keys.token("admin");
    assert_eq!(server.asks("/status", &[&bearer(&token)]), 200);
    // Shown rightly and wrongly, at every door.
    let ticket = {
        let answer: Value =
            serde_json::from_str(&server.http("POST", "/api/ticket", &[&bearer(&token)], "").1).unwrap();
        answer["ticket"].as_str().unwrap().to_owned()
    };
    let mut answers = Vec::new();
    for path in ["/status", "/api/state", "/realtime/connections", "/cameras/c/snapshot.jpg", "/nothing"] {
        answers.push(server.http("GET", &format!("{path}?token={token}&access_token={token}"), &[], "").1);
        answers.push(server.http("GET", &format!("{path}?ticket={token}"), &[], "").1);
    }
    assert_eq!(server.asks(&format!("/api/sse/dashboard?ticket={ticket}"), &[]), 200);
    assert_eq!(server.asks(&format!("/api/sse/dashboard?ticket={ticket}"), &[]), 401);
    assert!(
        server.upgrade("/ws/admin", &[("sec-websocket-protocol", &format!("park.bearer, {token}"))]).is_ok()
    );
    let mut socket = server.socket(engineio::WEBSOCKET);
    socket.say(&format!("40{}", json!({ "token": token })));
    socket.hear_of("40");
    socket.say(&format!("42{}", json!(["auth", { "token": format!("{token}x") }])));
    answers.push(socket.hear_of("42[\"error\""));
    answers.push(server.http("GET", "/metrics", &[&bearer(&token)], "").1);
    for answer in &answers {
        assert!(!answer.contains(&token) && !answer.contains(&ticket), "{answer}");
    }
    let secret = std::fs::read_to_string(&keys.0).unwrap();
    let pid = server.running.child.id();
    for file in ["cmdline", "environ"] {
        let text = std::fs::read(format!("/proc/{pid}/{file}")).unwrap();
        let text = String::from_utf8_lossy(&text);
        assert!(!text.contains(secret.trim()) && !text.contains(&token), "{file}");
    }
    let config = run("park-serve", &["--print-config", "--jwt-secret", keys.path()], b"");
    assert!(!String::from_utf8_lossy(&config.stdout).contains(secret.trim()));
    server.running.signal(libc::SIGTERM);
    let said = server.running.says_all();
    assert!(said.contains("is not let in"), "{said}");
    let signature = token.rsplit('.').next().unwrap();
    for hidden in [secret.trim(), &token, signature, &ticket] {
        assert!(!said.contains(hidden), "{said}");
    }
}

#[test]
fn secrets_are_in_no_core_dump() {
    let dir = dir();
    let keys = Keys::new(dir.path());
    // One without secrets dumps its memory here, so that one with them could.
    for (args, dumped) in [(&[][..], true), (&["--jwt-secret", keys.path()], false)] {
        let mut command = park("park-serve");
        command.current_dir(dir.path()).args(["--listen", "127.0.0.1:0", "--db", "park.db"]).args(args);
        let limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
        // SAFETY: setrlimit only reads the limit, which the closure owns, and is safe to call between fork and exec.
        unsafe {
            command.pre_exec(move || match libc::setrlimit(libc::RLIMIT_CORE, &limit) {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            })
        };
        let running = Running::spawn(command);
        running.says("serving on http://");
        running.signal(libc::SIGABRT);
        let status = running.end().0;
        assert_eq!(status.signal(), Some(libc::SIGABRT));
        assert_eq!(status.core_dumped(), dumped, "{args:?}");
    }
}
