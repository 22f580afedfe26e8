//! What the tests share: the binaries, pipelines of them, lines of output as JSON.

#![allow(dead_code)]

pub mod access;
pub mod camera;
pub mod pty;

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything awaited may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The path of a command that Cargo built for this test.
pub fn binary(command: &str) -> &'static str {
    match command {
        "park-capture" => env!("CARGO_BIN_EXE_park-capture"),
        "park-detect" => env!("CARGO_BIN_EXE_park-detect"),
        "park-gate" => env!("CARGO_BIN_EXE_park-gate"),
        "park-serve" => env!("CARGO_BIN_EXE_park-serve"),
        "park-track" => env!("CARGO_BIN_EXE_park-track"),
        other => panic!("no command {other}"),
    }
}

/// A command to run, in a clean environment but for PATH.
pub fn park(command: &str) -> Command {
    let mut process = Command::new(binary(command));
    process.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    // A test must not see this machine's settings or leave state behind.
    process
        .env("XDG_CONFIG_HOME", "/nonexistent")
        .env("PARK_STATE_DIR", std::env::temp_dir().join("park-test-state"));
    process
}

/// A file of testdata/.
pub fn testdata(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(path)
}

/// Runs to the end with `input` on stdin.
pub fn run<S: AsRef<OsStr>>(command: &str, args: &[S], input: &[u8]) -> Output {
    let mut child = park(command)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A command that ends early closes its stdin: that is not this test's failure.
    let feeder = thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    output
}

/// Runs a script in sh with the commands first on PATH, in the folder `dir`.
pub fn shell(script: &str, dir: &Path) -> Output {
    let bin = Path::new(binary("park-gate")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    Command::new("bash")
        .args(["-euo", "pipefail", "-c", script])
        .current_dir(dir)
        .env("PATH", path)
        .env("XDG_CONFIG_HOME", "/nonexistent")
        .env("PARK_STATE_DIR", dir.join("state"))
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Standard output as records.
pub fn records(output: &Output) -> Vec<Value> {
    lines(&output.stdout)
}

/// Bytes as records, a line each.
pub fn lines(bytes: &[u8]) -> Vec<Value> {
    String::from_utf8_lossy(bytes).lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

/// The records of one type.
pub fn of_type<'a>(records: &'a [Value], kind: &str) -> Vec<&'a Value> {
    records.iter().filter(|record| record["type"] == kind).collect()
}

/// Standard error as text.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A command that runs on while the test talks to it; killed when dropped.
pub struct Running {
    pub child: Child,
    lines: Receiver<String>,
    errors: Receiver<String>,
}

impl Running {
    /// Starts a command with stdin held open.
    pub fn start<S: AsRef<OsStr>>(command: &str, args: &[S]) -> Running {
        let mut process = park(command);
        process.args(args);
        Running::spawn(process)
    }

    /// Starts what was prepared, stdin held open unless it says otherwise.
    pub fn spawn(mut process: Command) -> Running {
        let mut child =
            process.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = follow(child.stdout.take().unwrap());
        let errors = follow(child.stderr.take().unwrap());
        Running { child, lines, errors }
    }

    /// Writes lines to its stdin.
    pub fn send(&mut self, text: &str) {
        self.child.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Closes its stdin.
    pub fn close(&mut self) {
        drop(self.child.stdin.take());
    }

    /// The next record on its stdout.
    pub fn next(&self) -> Value {
        let line = self.lines.recv_timeout(PATIENCE).expect("a record within the test's patience");
        serde_json::from_str(&line).expect(&line)
    }

    /// The next record of a type; those before it are passed over.
    pub fn next_of(&self, kind: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < deadline, "no {kind} within the test's patience");
            let record = self.next();
            if record["type"] == kind {
                return record;
            }
        }
    }

    /// The next line on stderr that contains `text`.
    pub fn says(&self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line =
                self.errors.recv_timeout(left).unwrap_or_else(|_| panic!("stderr never said {text:?}"));
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Everything more that it says on stderr until its end.
    pub fn says_all(&self) -> String {
        let lines = std::iter::from_fn(|| self.errors.recv_timeout(PATIENCE).ok());
        lines.map(|line| line + "\n").collect()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: i32) {
        // SAFETY: kill only takes numbers; the child is ours and not yet waited for, so its number is its own.
        assert_eq!(unsafe { libc::kill(self.child.id() as libc::pid_t, signal) }, 0);
    }

    /// Waits for its end; gives the status and the records not yet taken.
    pub fn end(mut self) -> (std::process::ExitStatus, Vec<Value>) {
        drop(self.child.stdin.take());
        let deadline = Instant::now() + PATIENCE;
        let rest: Vec<Value> = std::iter::from_fn(|| {
            self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok()
        })
        .map(|line| serde_json::from_str(&line).expect(&line))
        .collect();
        assert!(Instant::now() < deadline, "the command did not end");
        (self.child.wait().unwrap(), rest)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn follow(stream: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}
