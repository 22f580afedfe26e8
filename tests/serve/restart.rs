//! Ends of all kinds, and what comes after them.

use super::*;

use std::collections::HashSet;
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use park_store::Record;

/// A number that a longer run than the usual sets in the environment.
fn from_environment(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

/// How long a server may take to be back in service; a build that is not optimised takes a while longer.
const BACK: Duration = Duration::from_secs(if cfg!(debug_assertions) { 8 } else { 2 });

/// Lines sent before the sender looks for acks again.
const CHUNK: u64 = 50;

fn numbered(n: u64) -> String {
    taken(&format!("k{n}"), "lot_1", 1)
}

fn number(id: &str) -> u64 {
    id[1..].parse().unwrap()
}

/// A sender as the toolkit's own are: it keeps what was not acknowledged and sends it again to the next server.
struct Sender {
    /// Everything up to here was acknowledged.
    acknowledged: Arc<AtomicU64>,
    flood: thread::JoinHandle<()>,
    acks: thread::JoinHandle<()>,
}

impl Sender {
    /// Sends the records after `acknowledged`, up to `last`, until the server is gone.
    fn start(server: &Server, acknowledged: u64, last: u64) -> Sender {
        let UnixPeer { reader, mut stream } = server.peer();
        let flood = thread::spawn(move || {
            let mut next = acknowledged + 1;
            while next <= last {
                let end = (next + CHUNK).min(last + 1);
                let lines: String = (next..end).map(numbered).collect();
                if stream.write_all(lines.as_bytes()).is_err() {
                    return;
                }
                next = end;
            }
        });
        let acknowledged = Arc::new(AtomicU64::new(acknowledged));
        let noted = Arc::clone(&acknowledged);
        let acks = thread::spawn(move || {
            for line in reader.lines().map_while(Result::ok) {
                let record: Value = serde_json::from_str(&line).unwrap();
                if record["type"] == "ack" {
                    noted.store(number(record["payload"]["id"].as_str().unwrap()), Ordering::SeqCst);
                }
            }
        });
        Sender { acknowledged, flood, acks }
    }

    fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::SeqCst)
    }

    /// Waits until the server has gone, and gives the last ack that came.
    fn end(self) -> u64 {
        self.flood.join().unwrap();
        self.acks.join().unwrap();
        self.acknowledged.load(Ordering::SeqCst)
    }
}

/// Reads a stream that resumes after `last` until it ends, or until `until` has come.
fn follow(server: &Server, last: &str, until: Option<u64>) -> thread::JoinHandle<Vec<String>> {
    let Events(mut reader) = server.events("", Some(last));
    let until = until.map(|number| format!("k{number}"));
    thread::spawn(move || {
        let (mut ids, mut block) = (Vec::new(), Vec::new());
        loop {
            let mut line = String::new();
            match reader.read_line(&mut line) {
                // What is not whole does not count: a browser drops it too.
                Ok(0) => return ids,
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return ids,
                Err(error) => panic!("{error}"),
                Ok(_) if !line.ends_with('\n') => return ids,
                Ok(_) => {}
            }
            if line != "\n" {
                block.push(line.trim_end().to_owned());
                continue;
            }
            let id = block.iter().find_map(|line| line.strip_prefix("id: k"));
            assert!(!block.iter().any(|line| line == "event: reset"), "{block:?}");
            if block.iter().any(|line| line == "event: capacity_update") {
                ids.push(format!("k{}", id.unwrap()));
                if ids.last() == until.as_ref() {
                    return ids;
                }
            }
            block.clear();
        }
    })
}

#[test]
fn what_was_acknowledged_survives_kill_9_and_is_replayed_once() {
    let rounds = from_environment("PARK_KILLS", 4);
    let dir = dir();
    let (mut acknowledged, mut seen) = (0, Vec::new());
    for round in 0..rounds {
        let mut server = Server::start(dir.path(), &[]);
        let last = seen.last().cloned().unwrap_or_else(|| "0".to_owned());
        let client = follow(&server, &last, None);
        let sender = Sender::start(&server, acknowledged, u64::MAX / 2);
        // Each round another while into the flood.
        let enough = acknowledged + 200 + round * 37 % 11 * 300;
        let deadline = Instant::now() + PATIENCE;
        while sender.acknowledged() < enough {
            assert!(Instant::now() < deadline, "no more acks came");
            thread::yield_now();
        }
        server.running.child.kill().unwrap();
        server.running.child.wait().unwrap();
        acknowledged = sender.end();
        seen.extend(client.join().unwrap());
        let store = Store::open(dir.path().join("park.db")).unwrap();
        for n in 1..=acknowledged {
            assert!(store.seq_of(&format!("k{n}")).unwrap().is_some(), "k{n} of ..k{acknowledged} is lost");
        }
    }
    let server = Server::start(dir.path(), &[]);
    let last = acknowledged + 1000;
    let sender = Sender::start(&server, acknowledged, last);
    let from = seen.last().cloned().unwrap_or_else(|| "0".to_owned());
    seen.extend(follow(&server, &from, Some(last)).join().unwrap());
    server.terminate();
    sender.end();

    let store = Store::open(dir.path().join("park.db")).unwrap();
    let logged = store.since(0, &Query::default(), usize::MAX).unwrap();
    let distinct: HashSet<&str> = logged.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(distinct.len(), logged.len());
    let of_log: Vec<&str> = logged.iter().map(|one| one.id.as_str()).take(seen.len()).collect();
    assert_eq!(seen, of_log, "each once, in the order of the log");
    let checked = run("park-serve", &["check", "--db", dir.path().join("park.db").to_str().unwrap()], b"");
    assert!(checked.status.success(), "{}", stderr(&checked));
}

#[test]
fn a_server_with_a_long_log_is_soon_back() {
    let records = from_environment("PARK_LOG_RECORDS", 50_000);
    let dir = dir();
    let path = dir.path().join("park.db");
    // The first makes the state that the next begin with.
    Server::start(dir.path(), &[]).terminate();
    let mut store = Store::open(&path).unwrap();
    for first in (1..=records).step_by(1000) {
        let lines: Vec<String> = (first..(first + 1000).min(records + 1)).map(numbered).collect();
        let batch: Vec<Record> = lines
            .iter()
            .map(|line| Record::parse(line.trim_end().as_bytes(), Default::default()).unwrap())
            .collect();
        store.append(&batch).unwrap();
    }
    drop(store);
    let mut took = Vec::new();
    let mut server = start_timed(dir.path(), &mut took);
    // Killed at once, and in its prime; then ended in good order.
    server.running.child.kill().unwrap();
    server.running.child.wait().unwrap();
    let mut server = start_timed(dir.path(), &mut took);
    server.running.send(&numbered(records + 1));
    let mut events = server.events("", Some(&format!("k{}", records - 1))).connected();
    assert_eq!(events.taken().0, format!("k{records}"));
    assert_eq!(events.taken().0, format!("k{}", records + 1));
    server.terminate();
    let server = start_timed(dir.path(), &mut took);
    assert_eq!(server.get("/status")["last_id"], format!("k{}", records + 1));
    assert!(took.iter().all(|took| *took < BACK), "{took:?}");
}

fn start_timed(dir: &Path, took: &mut Vec<Duration>) -> Server {
    let began = Instant::now();
    let server = Server::start(dir, &[]);
    assert_eq!(server.get("/healthz")["status"], "ok");
    took.push(began.elapsed());
    server
}

#[test]
fn on_term_streams_say_when_to_come_back_and_what_was_sent_is_there() {
    let dir = dir();
    let mut server = Server::start(dir.path(), &[]);
    let mut streams: Vec<Events> = (0..20).map(|_| server.events("", None).connected()).collect();
    let lines: String = (1..=2000).map(numbered).collect();
    server.running.send(&lines);
    assert_eq!(streams[0].taken().0, "k1");
    server.running.signal(libc::SIGTERM);
    let mut waits = HashSet::new();
    for stream in &mut streams {
        let closing = loop {
            let block = stream.block();
            assert!(!block.is_empty(), "the stream ended without a word");
            if block.iter().any(|line| line == "event: closing") {
                break block;
            }
        };
        let retry = closing.iter().find_map(|line| line.strip_prefix("retry: ")).unwrap();
        let retry: u64 = retry.parse().unwrap();
        assert!((1000..=2000).contains(&retry), "{retry}");
        waits.insert(retry);
    }
    assert!(waits.len() > 10, "they must not all come back at once: {waits:?}");
    assert!(server.running.end().0.success());
}

#[test]
fn who_does_not_listen_holds_up_no_restart() {
    let dir = dir();
    let mut server = Server::start(dir.path(), &[]);
    let stalled: Vec<Socket> = (0..5).map(|_| server.socket("/ws/admin")).collect();
    let mut events = server.events("", None).connected();
    server.status_when(|status| status["active_channels"]["admin"] == 5);
    let padding = json!({ "message": "x".repeat(100_000), "command": "test" });
    let lines: String = (0..50).map(|n| record(&format!("s{n}"), "error", "lot_1", &padding)).collect();
    server.running.send(&lines);
    while events.next().0 != "s49" {}
    let began = Instant::now();
    server.terminate();
    start_timed(dir.path(), &mut Vec::new());
    assert!(began.elapsed() < BACK, "{:?}", began.elapsed());
    drop(stalled);
}
