//! A command of the toolkit as a child: records on its standard input, what it writes taken from its standard output,
//! its messages passed on, started again when it ends, ended by the end of its input, or else by TERM.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use park_core::cli::Context;
use park_core::stream::Backoff;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// Messages that may wait for a child.
const WAITING: usize = 256;

/// How long a child may take to finish when it is told to.
const FAREWELL: Duration = Duration::from_secs(2);

/// The longest line a child may write on standard error.
const LONGEST: u64 = 4096;

/// What a child needs of the environment; flags that the environment sets are for people.
const ENVIRONMENT: &[&str] =
    &["PATH", "HOME", "PARK_STATE_DIR", "STATE_DIRECTORY", "XDG_CONFIG_HOME", "XDG_STATE_HOME"];

/// Takes whole lines from a child.
pub type Sink = Arc<dyn Fn(Vec<u8>) -> futures_util::future::BoxFuture<'static, ()> + Send + Sync>;

/// The way to a child.
#[derive(Clone)]
pub struct Feed(mpsc::Sender<Vec<u8>>);

impl Feed {
    /// Hands over whole lines; waits while the child is slow.
    pub async fn send(&self, lines: Vec<u8>) {
        let _ = self.0.send(lines).await;
    }
}

/// What is to be run.
pub struct Program {
    /// The command's name.
    pub name: &'static str,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Who takes what it writes.
    pub sink: Sink,
}

/// Runs `program` until `stop` turns true or everybody who feeds it is gone.
pub fn start(program: Program, context: Context, stop: watch::Receiver<bool>) -> (Feed, JoinHandle<()>) {
    let (sender, lines) = mpsc::channel(WAITING);
    (Feed(sender), tokio::spawn(keep_running(program, context, lines, stop)))
}

async fn keep_running(
    program: Program,
    context: Context,
    mut lines: mpsc::Receiver<Vec<u8>>,
    mut stop: watch::Receiver<bool>,
) {
    let path = context.program(program.name);
    let seed = u64::from(std::process::id());
    let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30), seed);
    loop {
        let began = tokio::time::Instant::now();
        match spawn(&path, &program, &context) {
            Ok(mut child) => {
                let taking = feed(&mut child, &program, &context, &mut lines, &mut stop).await;
                if let Some(taking) = taking {
                    return end(child, taking, &program, &context).await;
                }
                let status =
                    child.wait().await.map_or_else(|error| error.to_string(), |status| status.to_string());
                context.log().error(&format!(
                    "{} of a monitor has ended: {status}; it is started again",
                    program.name
                ));
            }
            Err(error) => context.log().error(&format!("starting {}: {error}", path.display())),
        }
        if began.elapsed() > Duration::from_secs(60) {
            backoff.reset();
        }
        tokio::select! {
            () = sleep(backoff.delay()) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

fn spawn(path: &PathBuf, program: &Program, context: &Context) -> std::io::Result<Child> {
    let kept = ENVIRONMENT.iter().filter_map(|name| Some((*name, context.env(name)?)));
    Command::new(path)
        .args(&program.arguments)
        .env_clear()
        .envs(kept)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
}

/// Feeds a child and takes what it writes, until it is to end: then it is told so by the end of its input, and what still
/// takes from it is returned. Nothing if it has ended by itself.
async fn feed(
    child: &mut Child,
    program: &Program,
    context: &Context,
    lines: &mut mpsc::Receiver<Vec<u8>>,
    stop: &mut watch::Receiver<bool>,
) -> Option<JoinHandle<()>> {
    let (mut stdin, stdout, stderr) = (child.stdin.take()?, child.stdout.take()?, child.stderr.take()?);
    tokio::spawn(pass_on(stderr, program.name, context.clone()));
    let mut taking = tokio::spawn(take(stdout, Arc::clone(&program.sink)));
    let feeding = async {
        while let Some(line) = lines.recv().await {
            if stdin.write_all(&line).await.is_err() {
                return false;
            }
        }
        true
    };
    let to_end = tokio::select! {
        to_end = feeding => to_end,
        _ = &mut taking => false,
        _ = stop.wait_for(|stop| *stop) => true,
    };
    if !to_end {
        return None;
    }
    // What was said last, of cameras that are no longer monitored, must arrive.
    while let Ok(line) = lines.try_recv() {
        if !matches!(timeout(FAREWELL, stdin.write_all(&line)).await, Ok(Ok(()))) {
            break;
        }
    }
    Some(taking)
}

/// Hands on whole lines as they come.
async fn take(stdout: impl AsyncRead + Unpin, sink: Sink) {
    let mut reader = BufReader::with_capacity(256 * 1024, stdout);
    let mut held = Vec::new();
    while let Ok(bytes) = reader.fill_buf().await {
        if bytes.is_empty() {
            return;
        }
        let (read, whole) = (bytes.len(), bytes.iter().rposition(|byte| *byte == b'\n'));
        match whole {
            Some(last) => {
                held.extend_from_slice(&bytes[..=last]);
                let lines = std::mem::replace(&mut held, bytes[last + 1..].to_vec());
                reader.consume(read);
                sink(lines).await;
            }
            None => {
                held.extend_from_slice(bytes);
                reader.consume(read);
            }
        }
    }
}

/// A child's messages are ours.
async fn pass_on(stderr: impl AsyncRead + Unpin, name: &str, context: Context) {
    let mut reader = BufReader::new(stderr);
    loop {
        let mut line = Vec::new();
        match (&mut reader).take(LONGEST).read_until(b'\n', &mut line).await {
            Ok(1..) => {
                let line = String::from_utf8_lossy(&line);
                let own =
                    line.trim_end().strip_prefix(name).unwrap_or(line.trim_end()).trim_start_matches(": ");
                context.log().warn(&format!("{name} of a monitor: {own}"));
            }
            _ => return,
        }
    }
}

/// Waits for a child whose input has ended; one that does not end is told by TERM, and then killed.
async fn end(mut child: Child, taking: JoinHandle<()>, program: &Program, context: &Context) {
    if timeout(FAREWELL, child.wait()).await.is_err() {
        if let Some(id) = child.id().and_then(|id| libc::pid_t::try_from(id).ok()) {
            // SAFETY: kill only takes numbers; the child has not been waited for, so the number is still its own.
            unsafe { libc::kill(id, libc::SIGTERM) };
        }
        if timeout(FAREWELL, child.wait()).await.is_err() {
            context.log().warn(&format!("{} of a monitor does not end and is killed", program.name));
            let _ = child.kill().await;
        }
    }
    let _ = timeout(FAREWELL, taking).await;
}
