//! Live video: snapshots, streams, slow viewers, bad pictures.

use super::*;

use std::process::{Command, Stdio};

use crate::support::testdata;

/// A real camera's place is taken by a recording that plays for ever.
fn camera(server: &Server, name: &str, more: &[&str]) -> Running {
    let mut command = park("park-capture");
    command.arg(testdata("gate/gate-out.mp4")).args(["--camera", name, "--realtime", "--loop"]).args(more);
    command.arg("--output").arg(format!("unix:{}", server.dir.join("park.sock").display()));
    Running::spawn(command)
}

/// Asks until the answer is a picture.
fn snapshot(server: &Server, path: &str) -> Vec<u8> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (status, _, body) = raw(server, path);
        if status == 200 {
            return body;
        }
        assert!(Instant::now() < deadline, "{path} stays {status}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Status, head and body of a request.
fn raw(server: &Server, path: &str) -> (u16, String, Vec<u8>) {
    let mut stream = server.tcp();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", server.address).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), head, answer[end + 4..].to_vec())
}

/// The size that a JPEG's head states.
fn size(jpeg: &[u8]) -> (u32, u32) {
    assert_eq!(jpeg[..2], [0xFF, 0xD8], "no JPEG");
    let at = jpeg.windows(2).position(|pair| matches!(pair, [0xFF, 0xC0..=0xC2])).unwrap();
    let side = |at: usize| u32::from(u16::from_be_bytes([jpeg[at], jpeg[at + 1]]));
    (side(at + 7), side(at + 5))
}

/// A viewer of a stream, over HTTP/1.0 so that the parts come without chunks.
struct Viewer(BufReader<TcpStream>);

impl Viewer {
    fn new(server: &Server, path: &str) -> Viewer {
        let mut stream = server.tcp();
        write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
        let mut viewer = Viewer(BufReader::new(stream));
        let head = viewer.head();
        assert!(head[0].contains("200"), "{head:?}");
        assert!(
            head.iter().any(|line| line.contains("multipart/x-mixed-replace; boundary=frame")),
            "{head:?}"
        );
        viewer
    }

    fn head(&mut self) -> Vec<String> {
        let lines = std::iter::from_fn(|| {
            let mut line = String::new();
            self.0.read_line(&mut line).unwrap();
            let line = line.trim_end().to_owned();
            (!line.is_empty()).then_some(line)
        });
        lines.collect()
    }

    /// The next picture.
    fn next(&mut self) -> Vec<u8> {
        loop {
            let head = self.head();
            let length = head.iter().find_map(|line| line.strip_prefix("Content-Length: "));
            if let Some(length) = length {
                assert_eq!(head[0], "--frame", "{head:?}");
                let mut jpeg = vec![0; length.parse().unwrap()];
                self.0.read_exact(&mut jpeg).unwrap();
                return jpeg;
            }
        }
    }
}

/// A `frame` record with this base64.
fn frame(camera: &str, data: &str) -> String {
    let payload = json!({
        "camera_id": camera, "seq": 0, "width": 640, "height": 360, "encoding": "jpeg", "data": data,
    });
    let mut record = json!({ "type": "frame", "v": 1, "timestamp": "2026-01-20T10:30:00.000Z" });
    record["source"] = camera.into();
    record["payload"] = payload;
    format!("{record}\n")
}

fn rss(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.running.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn a_camera_is_seen_by_snapshot_and_stream() {
    let dir = dir();
    let server = Server::start(dir.path(), &[]);
    assert_eq!(server.get("/cameras"), json!({ "cameras": [] }));
    assert_eq!(raw(&server, "/cameras/cam_in/snapshot.jpg").0, 404);
    let _camera = camera(&server, "cam_in", &[]);
    let whole = snapshot(&server, "/cameras/cam_in/snapshot.jpg");
    let (width, height) = size(&whole);
    assert!(width >= 640, "{width} x {height}");

    let small = snapshot(&server, "/cameras/cam_in/snapshot.jpg?width=330&quality=40");
    assert_eq!(size(&small), (320, height * 320 / width));
    assert!(small.len() * 3 < whole.len(), "{} of {}", small.len(), whole.len());
    for bad in ["fps=0", "width=x", "quality=101", "fps=nan"] {
        assert_eq!(raw(&server, &format!("/cameras/cam_in/stream.mjpg?{bad}")).0, 400, "{bad}");
    }

    let curl = Command::new("curl")
        .args(["-s", "--max-time", "3", "-o"])
        .arg(dir.path().join("stream"))
        .arg(format!("http://{}/cameras/cam_in/stream.mjpg", server.address))
        .status()
        .unwrap();
    assert_eq!(curl.code(), Some(28), "it streams until curl has enough");
    let stream = std::fs::read(dir.path().join("stream")).unwrap();
    let parts = stream.windows(8).filter(|window| window == b"--frame\r").count();
    assert!((3..=100).contains(&parts), "{parts} parts in 3 seconds");

    let list = server.get("/cameras");
    let camera = &list["cameras"][0];
    assert_eq!(
        (&camera["id"], &camera["live"], &camera["state"]),
        (&json!("cam_in"), &json!(true), &json!("online"))
    );
    assert_eq!(camera["snapshot"], "/cameras/cam_in/snapshot.jpg");
    let store = Store::open(dir.path().join("park.db")).unwrap();
    let kinds: Vec<_> =
        store.since(0, &Query::default(), 100).unwrap().into_iter().map(|it| it.kind).collect();
    assert!(kinds.contains(&"camera_status".into()) && !kinds.contains(&"frame".into()), "{kinds:?}");
}

#[test]
fn a_rate_that_is_asked_for_is_kept_to() {
    let dir = dir();
    let server = Server::start(dir.path(), &[]);
    let _camera = camera(&server, "c", &[]);
    snapshot(&server, "/cameras/c/snapshot.jpg");
    let mut viewer = Viewer::new(&server, "/cameras/c/stream.mjpg?fps=4&width=160");
    viewer.next();
    let began = Instant::now();
    for _ in 0..4 {
        assert_eq!(size(&viewer.next()).0, 160);
    }
    assert!(began.elapsed() >= Duration::from_millis(900), "{:?}", began.elapsed());
}

#[test]
fn a_viewer_that_stops_reading_costs_the_server_one_frame_and_the_others_nothing() {
    let dir = dir();
    let server = Server::start(dir.path(), &[]);
    let _camera = camera(&server, "c", &[]);
    snapshot(&server, "/cameras/c/snapshot.jpg");
    let mut reading = Viewer::new(&server, "/cameras/c/stream.mjpg?width=320");
    reading.next();
    let before = rss(&server);
    let stalled: Vec<_> = (0..20).map(|_| Viewer::new(&server, "/cameras/c/stream.mjpg")).collect();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(6) {
        let asked = Instant::now();
        reading.next();
        // Whoever waited for a stalled viewer would wait until that one is cut off, after 30 s. On a busy machine the
        // pace alone comes down to a frame in two seconds.
        assert!(asked.elapsed() < Duration::from_secs(10), "a stalled viewer holds up one that reads");
    }
    assert_eq!(server.get("/cameras")["cameras"][0]["viewers"], 21, "none of them has been cut off yet");
    let grown = rss(&server).saturating_sub(before);
    assert!(grown < 40 * 1024, "20 viewers that read nothing cost {grown} KiB");
    drop(stalled);
    server.status_when(|_| server.get("/cameras")["cameras"][0]["viewers"] == 1);
}

#[test]
fn bad_pictures_reach_nobody_and_end_nothing() {
    let dir = dir();
    let mut server = Server::start(dir.path(), &["--frame-age", "3"]);
    let gone = json!({
        "type": "frame", "v": 1, "timestamp": "2026-01-20T10:30:00.000Z", "source": "spooled",
        "payload": { "camera_id": "spooled", "seq": 1, "width": 64, "height": 64, "encoding": "bgr24",
            "path": dir.path().join("spooled-1.bgr") },
    });
    // A JPEG whose head states 65,535 x 65,535 pixels.
    let huge = "/9j/wAARCP////8DASIAAhEBAxEB/9k=";
    let name = "../x";
    let mut lines = format!("{gone}\n");
    for (camera, data) in
        [("huge", huge), ("text", "bm8gcGljdHVyZQ=="), ("bad", "%%%"), ("none", ""), (name, "AAAA")]
    {
        lines += &frame(camera, data);
    }
    lines += &frame(&"x".repeat(200), huge);
    lines += &closed("after", "gate_in");
    server.running.send(&lines);
    server.status_when(|status| status["last_id"] == "after");
    let list = server.get("/cameras");
    let names: Vec<_> = list["cameras"].as_array().unwrap().iter().map(|it| it["id"].clone()).collect();
    assert_eq!(names, ["../x", "bad", "huge", "none", "spooled", "text"]);
    for camera in ["..%2fx", "huge", "spooled", "text", "bad", "none"] {
        let (status, head, _) = raw(&server, &format!("/cameras/{camera}/snapshot.jpg"));
        assert_eq!(status, 503, "{camera}");
        assert!(head.to_ascii_lowercase().contains("retry-after: "), "{head}");
    }
    for path in
        ["/cameras/../x/snapshot.jpg", "/cameras/..%2f..%2fetc%2fpasswd/snapshot.jpg", "/cameras/x/y.jpg"]
    {
        assert_eq!(raw(&server, path).0, 404, "{path}");
    }
    assert_eq!(server.get("/healthz")["status"], "ok");
}

#[test]
fn a_spool_is_read_when_somebody_looks_and_emptied_when_nobody_does() {
    let dir = dir();
    let server = Server::start(dir.path(), &[]);
    let spool = dir.path().join("spool");
    let spool = spool.to_str().unwrap();
    let mut capture = park("park-capture");
    // More frames than the spool holds: the recording would wait for ever if nobody freed them.
    capture.arg(testdata("gate/gate-out.mp4")).args(["--camera", "c", "--fps", "5", "--spool", spool]);
    capture.arg("--output").arg(format!("unix:{}", dir.path().join("park.sock").display()));
    let capture = capture.stdin(Stdio::null()).output().unwrap();
    assert!(capture.status.success(), "{}", stderr(&capture));
    let _camera = camera(&server, "d", &["--spool", spool]);
    size(&snapshot(&server, "/cameras/d/snapshot.jpg?width=640"));
}
