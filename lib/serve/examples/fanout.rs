//! Measures how many messages a running `park-serve` delivers to many subscribers.
//!
//! Publishes records to the server's TCP input, doubling their rate each second or so, and counts what arrives. The best
//! rate at which everything arrived with a 99th percentile of the latency below 200 ms is printed.
//!
//!     fanout HTTP_ADDRESS TCP_INPUT_ADDRESS ws|sse SUBSCRIBERS
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used, reason = "a tool for developers")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// Begins the marker in each record; the nanoseconds since the start follow.
const MARK: &[u8] = b"bench:";
/// Subscribers whose latency is measured; the rest only count.
const SAMPLED: usize = 20;
const ROUND: Duration = Duration::from_millis(2000);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let args: Vec<String> = std::env::args().collect();
    let [_, http, input, kind, subscribers] = args.as_slice() else {
        eprintln!("usage: fanout HTTP_ADDRESS TCP_INPUT_ADDRESS ws|sse SUBSCRIBERS");
        std::process::exit(2);
    };
    let subscribers: usize = subscribers.parse().unwrap();
    let start = Instant::now();
    let arrived = Arc::new(AtomicU64::new(0));
    let (latencies, mut measured) = unbounded_channel();
    for number in 0..subscribers {
        let stream = subscribe(http, kind).await;
        let latencies = (number < SAMPLED).then(|| latencies.clone());
        tokio::spawn(count(stream, Arc::clone(&arrived), start, latencies));
    }
    let mut publisher = TcpStream::connect(input).await.unwrap();
    publisher.set_nodelay(true).unwrap();
    let mut best = (0.0, Duration::ZERO, Duration::ZERO);
    let mut rate = 50;
    let mut serial = 0;
    loop {
        arrived.store(0, Ordering::Relaxed);
        let began = Instant::now();
        let published = publish(&mut publisher, kind, rate, start, &mut serial).await;
        let expected = published * subscribers as u64;
        let deadline = Instant::now() + Duration::from_secs(5);
        while arrived.load(Ordering::Relaxed) < expected && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let elapsed = began.elapsed();
        let got = arrived.load(Ordering::Relaxed);
        let mut round: Vec<Duration> = std::iter::from_fn(|| measured.try_recv().ok()).collect();
        round.sort_unstable();
        let at = |share: f64| {
            round.get(((round.len() as f64 * share) as usize).min(round.len().saturating_sub(1))).copied()
        };
        let (p50, p99) = (at(0.5).unwrap_or_default(), at(0.99).unwrap_or_default());
        let delivered = got as f64 / elapsed.as_secs_f64();
        eprintln!(
            "{rate} records/s to {subscribers}: {delivered:.0} deliveries/s of {got}/{expected}, p50 {p50:?}, p99 {p99:?}"
        );
        if got < expected || p99 > Duration::from_millis(200) || round.is_empty() {
            break;
        }
        best = (delivered, p50, p99);
        rate = rate * 5 / 4;
    }
    println!(
        "{kind} {subscribers} subscribers: {:.0} deliveries/s, p50 {:.1} ms, p99 {:.1} ms",
        best.0,
        best.1.as_secs_f64() * 1e3,
        best.2.as_secs_f64() * 1e3
    );
}

/// Sends records for a round at `rate` a second, in small bursts; returns how many.
async fn publish(to: &mut TcpStream, kind: &str, rate: u64, start: Instant, serial: &mut u64) -> u64 {
    let began = Instant::now();
    let mut sent = 0;
    let mut acks = [0; 65536];
    while began.elapsed() < ROUND {
        let due = (began.elapsed().as_secs_f64() * rate as f64) as u64;
        let mut burst = String::new();
        while sent < due {
            *serial += 1;
            sent += 1;
            burst.push_str(&record(kind, *serial, start.elapsed().as_nanos()));
        }
        if !burst.is_empty() {
            to.write_all(burst.as_bytes()).await.unwrap();
        }
        let _ = to.try_read(&mut acks);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    sent
}

/// A record of about 300 bytes.
fn record(kind: &str, serial: u64, now: u128) -> String {
    let pad = "x".repeat(60);
    let head = format!(
        r#""v":1,"id":"BENCH{:08x}{serial:013}","timestamp":"2026-01-20T10:00:00.000Z","source":"{pad}""#,
        std::process::id()
    );
    match kind {
        "ws" => format!(
            "{{\"type\":\"gate_status\",{head},\"gate_id\":\"gate_bench\",\"payload\":{{\"state\":\"open\",\"confirmed\":true,\"cause\":\"bench:{now}:\"}}}}\n"
        ),
        _ => format!(
            "{{\"type\":\"alert\",{head},\"lot_id\":\"lot_bench\",\"payload\":{{\"alert_id\":\"{serial}\",\"alert_type\":\"camera_offline\",\
             \"severity\":\"low\",\"message\":\"bench:{now}:\",\"status\":\"active\",\"created_at\":\"2026-01-20T10:00:00.000Z\"}}}}\n"
        ),
    }
}

async fn subscribe(address: &str, kind: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = match kind {
        "ws" => format!(
            "GET /ws/gate_all HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        ),
        _ => {
            format!("GET /api/sse/dashboard HTTP/1.1\r\nHost: {address}\r\nAccept: text/event-stream\r\n\r\n")
        }
    };
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(
        head.starts_with(b"HTTP/1.1 101") || head.starts_with(b"HTTP/1.1 200"),
        "{}",
        String::from_utf8_lossy(&head)
    );
    stream
}

/// Counts the marks that arrive, wherever the pieces of the stream are cut.
async fn count(
    mut stream: TcpStream,
    arrived: Arc<AtomicU64>,
    start: Instant,
    latencies: Option<UnboundedSender<Duration>>,
) {
    let finder = |held: &[u8]| held.windows(MARK.len()).position(|bytes| bytes == MARK);
    let mut held = Vec::new();
    let mut piece = vec![0; 16384];
    loop {
        let length = match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return eprintln!("the server closed a subscriber"),
            Ok(length) => length,
        };
        held.extend_from_slice(&piece[..length]);
        let mut seen = 0;
        let mut at = 0;
        while let Some(found) = finder(&held[at..]) {
            let number = &held[at + found + MARK.len()..];
            let Some(end) = number.iter().position(|byte| *byte == b':') else { break };
            if let Some(latencies) = &latencies {
                let sent: u64 = std::str::from_utf8(&number[..end]).unwrap().parse().unwrap();
                let _ = latencies.send(start.elapsed().saturating_sub(Duration::from_nanos(sent)));
            }
            at += found + MARK.len() + end;
            seen += 1;
        }
        let keep = held.len().saturating_sub(40).max(at);
        held.drain(..keep.min(held.len()));
        arrived.fetch_add(seen, Ordering::Relaxed);
    }
}
