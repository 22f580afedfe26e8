//! Crowds: more than there is room for, all back at once, half of them asleep.

use std::os::fd::AsRawFd;

use super::*;

impl Server {
    /// Open descriptors of the server.
    fn descriptors(&self) -> u64 {
        std::fs::read_dir(format!("/proc/{}/fd", self.running.child.id())).unwrap().count() as u64
    }

    /// How many descriptors it may have; becomes `limit`.
    fn descriptor_limit(&self, limit: Option<libc::rlimit>) -> libc::rlimit {
        let mut old = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        let new = limit.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        let pid = self.running.child.id() as libc::pid_t;
        // SAFETY: `old` is there to be written to, `new` is null or a limit to be read, and both outlive the call.
        let result = unsafe { libc::prlimit(pid, libc::RLIMIT_NOFILE, new, &mut old) };
        assert_eq!(result, 0, "prlimit");
        old
    }

    /// Processor time that it has taken.
    fn worked(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.running.child.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
        let ticks = |at: usize| fields[at].parse::<u64>().unwrap();
        Duration::from_millis((ticks(11) + ticks(12)) * 10)
    }

    /// Asks for the stream of events after `last` and reads nothing yet.
    fn asking(&self, last: &str) -> TcpStream {
        let mut stream = self.tcp();
        // What the server refuses at once it may have closed already.
        let _ = write!(
            stream,
            "GET /api/sse/dashboard HTTP/1.0\r\nHost: localhost\r\nLast-Event-ID: {last}\r\n\r\n"
        );
        stream
    }
}

#[test]
fn ten_thousand_streams_find_a_thousand_places() {
    let dir = dir();
    let server = Server::start(dir.path(), &["--max-connections", "1000"]);
    let (mut held, mut told) = (Vec::new(), 0);
    for _ in 0..10_000 {
        let mut stream = server.asking("0");
        let mut head = [0; 512];
        let count = stream.read(&mut head).unwrap_or(0);
        let head = String::from_utf8_lossy(&head[..count]);
        if head.contains(" 200 ") {
            held.push(stream);
        } else if head.contains(" 503 ") {
            assert!(head.contains("Retry-After: "), "{head}");
            told += 1;
        } else {
            // Those for whom nobody waits may find their connection reset.
            assert_eq!(head, "");
        }
    }
    assert_eq!(held.len(), 1000);
    assert!(told > 4500, "{told} of 9000 were told why");
    let (open, limit) = (server.descriptors(), server.descriptor_limit(None).rlim_cur);
    assert!(open < 1100 && open < limit * 4 / 5, "{open} descriptors of {limit}");
    drop(held);
    server.status_when(|status| status["sse_clients"] == 0);
    drop(server.events("", None).connected());
}

#[test]
fn out_of_descriptors_a_server_waits_and_does_not_spin() {
    let dir = dir();
    let server = Server::start(dir.path(), &[]);
    assert_eq!(server.get("/healthz")["status"], "ok");
    let before = server.descriptor_limit(None);
    server.descriptor_limit(Some(libc::rlimit { rlim_cur: server.descriptors(), ..before }));
    let mut waiting: Vec<TcpStream> = (0..30).map(|_| server.tcp()).collect();
    for stream in &mut waiting {
        stream.write_all(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
    }
    server.running.says("accepting a connection");
    let (began, worked) = (Instant::now(), server.worked());
    std::thread::sleep(Duration::from_secs(3));
    let worked = server.worked() - worked;
    assert!(worked < began.elapsed() / 3, "{worked:?} of work while nothing could be done");
    server.descriptor_limit(Some(before));
    for stream in &mut waiting {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains(" 200 "), "{answer}");
    }
    let failed = server.get("/status")["limits"]["failed"].as_u64().unwrap();
    assert!((1..=began.elapsed().as_millis() as u64 / 90 + 5).contains(&failed), "{failed} tries");
}

#[test]
fn a_thousand_that_come_back_at_once_miss_nothing_and_hold_up_nobody() {
    const CROWD: usize = 1000;
    const MISSED: u32 = 600;
    let dir = dir();
    let mut server = Server::start(dir.path(), &[]);
    let lines: String = (0..=MISSED).map(|n| taken(&format!("m{n}"), "lot_1", n % 100)).collect();
    server.running.send(&lines);
    server.status_when(|status| status["last_id"] == format!("m{MISSED}"));
    let (mut healthy, mut dashboard) =
        (server.events("?type=capacity_update", None).connected(), server.socket("/ws/gate_in"));
    // It answers the first ping, or it would be sent away for its silence.
    dashboard.0.read().unwrap();
    dashboard.0.flush().unwrap();
    let before = server.memory();
    let crowd: Vec<TcpStream> = (0..CROWD).map(|_| server.asking("m0")).collect();
    // While they are served, what is new and what is asked comes through.
    for n in 0..10 {
        let sent = Instant::now();
        server.running.send(&taken(&format!("new{n}"), "lot_1", 1));
        assert_eq!(healthy.taken().0, format!("new{n}"));
        dashboard.send(&json!({ "type": "gate_control", "payload": { "action": "open" } }));
        dashboard.next_of("error");
        assert!(sent.elapsed() < Duration::from_secs(10), "{:?}", sent.elapsed());
    }
    for stream in crowd {
        // The last one's turn comes late where much else is going on.
        stream.set_read_timeout(Some(10 * PATIENCE)).unwrap();
        let mut events = Events(BufReader::new(stream));
        let mut seen = 1;
        while seen <= MISSED {
            let block = events.block();
            assert!(!block.is_empty(), "the stream ended after m{}", seen - 1);
            if let Some(id) = block.iter().find_map(|line| line.strip_prefix("id: m"))
                && block.iter().any(|line| line == "event: capacity_update")
            {
                assert_eq!(id, seen.to_string());
                seen += 1;
            }
        }
    }
    let grown = server.memory().saturating_sub(before);
    // What one page of the log takes, and a task, for each.
    assert!(grown < CROWD * (256 << 10), "{grown} bytes more");
}

#[test]
fn half_of_a_hundred_fall_asleep_and_cost_their_queues() {
    const QUEUE: usize = 256 << 10;
    let dir = dir();
    let mut server = Server::start(dir.path(), &["--queue", "256K"]);
    let mut awake: Vec<Events> = (0..50).map(|_| server.events("", None).connected()).collect();
    let asleep: Vec<Events> = (0..50).map(|_| server.events("", None).connected()).collect();
    for Events(stream) in &asleep {
        let (size, length) = (4096 as libc::c_int, size_of::<libc::c_int>() as libc::socklen_t);
        let (socket, value) = (stream.get_ref().as_raw_fd(), (&raw const size).cast());
        // SAFETY: `value` points to an integer of this length that outlives the call, which only reads it.
        unsafe { libc::setsockopt(socket, libc::SOL_SOCKET, libc::SO_RCVBUF, value, length) };
    }
    let before = server.memory();
    let payload = json!({ "message": "x".repeat(4000), "command": "test" });
    let mut sent = 0;
    while server.get("/status")["counts"]["slow"] != 50 {
        let lines: String =
            (sent..sent + 20).map(|n| record(&format!("z{n}"), "error", "lot_1", &payload)).collect();
        server.running.send(&lines);
        for events in &mut awake {
            for n in sent..sent + 20 {
                assert_eq!(events.next().0, format!("z{n}"));
            }
        }
        sent += 20;
        assert!(sent < 5000, "those asleep were never noticed");
    }
    let grown = server.memory().saturating_sub(before);
    assert!(grown < 50 * QUEUE + (32 << 20), "{grown} bytes more");
    // They are told, and cut off when they do not even take that.
    server.status_when(|status| status["sse_clients"] == 50);
    assert_eq!(server.get("/status")["counts"]["slow"], 50);
    drop(asleep);
}
