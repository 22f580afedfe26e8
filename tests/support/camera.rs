//! Cameras to test against: MJPEG over HTTP that hangs, dies and comes back on cue, and RTSP from GStreamer.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::PATIENCE;

/// What a fake camera does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// Gives frames.
    Well = 0,
    /// Accepts and keeps connections, and says nothing.
    Hung = 1,
    /// Has closed its port and its connections.
    Dead = 2,
}

/// A camera that serves one picture again and again as MJPEG over HTTP.
pub struct MjpegCamera {
    address: SocketAddr,
    mood: Arc<AtomicU8>,
    sent: Arc<AtomicU64>,
}

impl MjpegCamera {
    /// A camera that gives `jpeg` some fifty times a second.
    pub fn start(jpeg: Vec<u8>) -> MjpegCamera {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let camera =
            MjpegCamera { address, mood: Arc::new(AtomicU8::new(0)), sent: Arc::new(AtomicU64::new(0)) };
        let (mood, sent) = (Arc::clone(&camera.mood), Arc::clone(&camera.sent));
        thread::spawn(move || listen(listener, &jpeg.into(), &mood, &sent));
        camera
    }

    pub fn url(&self) -> String {
        format!("http://{}/video", self.address)
    }

    pub fn becomes(&self, mood: Mood) {
        self.mood.store(mood as u8, Ordering::SeqCst);
    }

    /// Waits until it has sent `more` frames from now on.
    pub fn sends(&self, more: u64) {
        let (goal, deadline) = (self.sent.load(Ordering::SeqCst) + more, Instant::now() + PATIENCE);
        while self.sent.load(Ordering::SeqCst) < goal {
            assert!(Instant::now() < deadline, "nobody takes the camera's frames");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for MjpegCamera {
    fn drop(&mut self) {
        self.becomes(Mood::Dead);
    }
}

fn listen(listener: TcpListener, jpeg: &Arc<[u8]>, mood: &Arc<AtomicU8>, sent: &Arc<AtomicU64>) {
    let address = listener.local_addr().unwrap();
    let is_dead = || mood.load(Ordering::SeqCst) == Mood::Dead as u8;
    let mut open = Some(listener);
    loop {
        match (&open, is_dead()) {
            (_, true) => open = None,
            (None, false) => open = TcpListener::bind(address).ok(),
            (Some(listener), false) => {
                listener.set_nonblocking(true).unwrap();
                if let Ok((stream, _)) = listener.accept() {
                    let (jpeg, mood, sent) = (Arc::clone(jpeg), Arc::clone(mood), Arc::clone(sent));
                    thread::spawn(move || drop(serve(stream, &jpeg, &mood, &sent)));
                    continue;
                }
            }
        }
        thread::sleep(Duration::from_millis(2));
    }
}

fn serve(mut stream: TcpStream, jpeg: &[u8], mood: &AtomicU8, sent: &AtomicU64) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    // A reader that takes nothing must not keep a dead camera's connection open.
    stream.set_write_timeout(Some(Duration::from_millis(50)))?;
    let mut request = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    while request.read_line(&mut line)? > 2 {
        line.clear();
    }
    let mut head = &b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"[..];
    let mut part =
        format!("--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n", jpeg.len()).into_bytes();
    part.extend(jpeg);
    part.extend(b"\r\n");
    loop {
        match mood.load(Ordering::SeqCst) {
            mood if mood == Mood::Dead as u8 => return Ok(()),
            mood if mood == Mood::Hung as u8 => {}
            _ => {
                send(&mut stream, std::mem::take(&mut head), mood)?;
                send(&mut stream, &part, mood)?;
                sent.fetch_add(1, Ordering::SeqCst);
            }
        }
        thread::sleep(Duration::from_millis(20));
    }
}

fn send(stream: &mut TcpStream, mut bytes: &[u8], mood: &AtomicU8) -> std::io::Result<()> {
    while !bytes.is_empty() {
        match stream.write(bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if mood.load(Ordering::SeqCst) == Mood::Dead as u8 {
                    return Err(error);
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// GStreamer's RTSP server with a test picture; stopped when dropped.
pub struct RtspCamera {
    server: Child,
    pub port: u16,
}

impl RtspCamera {
    /// A camera on `port` (0 for any), which asks for `account` (`user:password`) if there is one.
    pub fn start(port: u16, account: Option<&str>) -> RtspCamera {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/rtsp-server.py");
        let mut command = Command::new("/usr/bin/python3");
        command.arg(script).arg(port.to_string()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        if let Some(account) = account {
            command.env("PARK_RTSP_USER", account);
        }
        let mut server = command.spawn().unwrap();
        let mut said = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let port = said.trim().strip_prefix("ready ").expect("the RTSP server is ready").parse().unwrap();
        RtspCamera { server, port }
    }

    /// Its URL, without an account.
    pub fn url(&self) -> String {
        format!("rtsp://127.0.0.1:{}/cam", self.port)
    }
}

impl Drop for RtspCamera {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// A pseudo-terminal: what is written to the second end is read from the first.
pub fn pty() -> (std::fs::File, std::fs::File) {
    use std::os::fd::FromRawFd;
    let (mut master, mut slave) = (0, 0);
    let none = std::ptr::null_mut();
    // SAFETY: openpty fills in the two numbers; name, settings and size may be null.
    let result =
        unsafe { libc::openpty(&mut master, &mut slave, none, std::ptr::null_mut(), std::ptr::null_mut()) };
    assert_eq!(result, 0, "openpty");
    // SAFETY: both are open descriptors that nobody else owns.
    unsafe { (std::fs::File::from_raw_fd(master), std::fs::File::from_raw_fd(slave)) }
}

/// Everything that comes from a terminal until its other end is closed.
pub fn until_hangup(mut terminal: std::fs::File) -> String {
    let (mut all, mut bytes) = (Vec::new(), [0; 4096]);
    // Linux says EIO, not end of file, when the last writer is gone.
    while let Ok(count @ 1..) = terminal.read(&mut bytes) {
        all.extend_from_slice(&bytes[..count]);
    }
    String::from_utf8_lossy(&all).into_owned()
}
