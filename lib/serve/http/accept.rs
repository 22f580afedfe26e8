//! Connections: accepted within limits, over TLS or not, served until they end or the server stops.

use std::convert::Infallible;
use std::net::IpAddr;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};

use super::answer::{Routes, answer};
use super::endless::{self, see_to};
use super::limits::{Place, TooMany, count};
use super::routes::routes;
use super::strict::Strict;
use super::{Connection, Permit};
use crate::server::Server;

/// How long a client may take over a TLS handshake, and over the head of a request; this is also how long a connection
/// may be idle between two requests.
const HEAD: Duration = Duration::from_secs(10);

/// How long clients may take to end when the server stops: whoever does not listen must not hold up a restart.
const FAREWELL: Duration = Duration::from_secs(1);

/// How long one that was turned away may take to read why.
const LINGER: Duration = Duration::from_secs(1);

/// How many of those are waited for at once.
const LINGERING: usize = 16;

/// Accepts connections until `stop` turns true, then waits a while for those that are open to end.
pub async fn accept(listener: TcpListener, server: Arc<Server>, mut stop: watch::Receiver<bool>) {
    let routes = TowerToHyperService::new(warp::service(routes(&server)));
    let most = server.limits.connections;
    let (places, doorstep) = (Arc::new(Semaphore::new(most)), Arc::new(Semaphore::new(LINGERING)));
    let mut failing = false;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        match accepted {
            Ok((stream, address)) => {
                failing = false;
                match permit(&server, &places, address.ip()) {
                    Ok(permit) => {
                        let _ = stream.set_nodelay(true);
                        let (routes, server, stop) = (routes.clone(), Arc::clone(&server), stop.clone());
                        tokio::spawn(welcome(stream, address.ip(), permit, routes, server, stop));
                    }
                    Err(refusal) => turn_away(stream, &refusal, &doorstep, server.tls.is_some()),
                }
            }
            Err(error) => {
                count(&server.limits.counts.failed);
                if !std::mem::replace(&mut failing, true) {
                    server.log().warn(&format!("accepting a connection: {error}; trying again"));
                }
                // Out of descriptors, most likely: do not spin.
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    let all = u32::try_from(most).unwrap_or(u32::MAX);
    let _ = timeout(FAREWELL, places.acquire_many(all)).await;
}

/// A connection's share of what is allowed; if there is none left, what it is told.
fn permit(server: &Arc<Server>, places: &Arc<Semaphore>, address: IpAddr) -> Result<Permit, String> {
    let counts = &server.limits.counts;
    let place = server.limits.connect(address).map_err(|too_many| match too_many {
        TooMany::Open => refusal("429 Too Many Requests", 5),
        TooMany::Often(seconds) => refusal("429 Too Many Requests", seconds),
    })?;
    let Ok(permit) = Arc::clone(places).try_acquire_owned() else {
        count(&counts.full);
        return Err(refusal("503 Service Unavailable", 5));
    };
    count(&counts.accepted);
    count(&counts.connections);
    Ok(Arc::new(Held { server: Arc::clone(server), _permit: permit, _place: place }))
}

/// A connection's share of what is allowed, given back when the last who holds it drops it.
pub struct Held {
    server: Arc<Server>,
    _permit: OwnedSemaphorePermit,
    _place: Option<Place<IpAddr>>,
}

impl Drop for Held {
    fn drop(&mut self) {
        let open: &AtomicU64 = &self.server.limits.counts.connections;
        open.fetch_sub(1, Ordering::Relaxed);
    }
}

fn refusal(status: &str, seconds: u64) -> String {
    format!("HTTP/1.1 {status}\r\nRetry-After: {seconds}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

/// Says why, and waits a moment for the client to read it: a connection that is closed with something unread is reset,
/// and what was said is lost.
fn turn_away(stream: TcpStream, refusal: &str, doorstep: &Arc<Semaphore>, tls: bool) {
    let Ok(permit) = Arc::clone(doorstep).try_acquire_owned() else { return };
    if tls || stream.try_write(refusal.as_bytes()).is_err() {
        return;
    }
    tokio::spawn(async move {
        let _permit = permit;
        let mut waste = [0; 1024];
        let reading = async {
            while stream.readable().await.is_ok() {
                match stream.try_read(&mut waste) {
                    Ok(0) => return,
                    Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => return,
                    _ => {}
                }
            }
        };
        let _ = timeout(LINGER, reading).await;
    });
}

async fn welcome(
    stream: TcpStream,
    address: IpAddr,
    permit: Permit,
    routes: impl Routes,
    server: Arc<Server>,
    stop: watch::Receiver<bool>,
) {
    let connection = Connection::new(permit, address, server.tls.is_some(), stream.as_raw_fd());
    if server.tls.is_none() {
        return serve(stream, connection, routes, server, stop).await;
    }
    // A connection without TLS need not keep the room that this takes.
    Box::pin(shake_hands(stream, connection, routes, server, stop)).await;
}

/// Serves a connection over TLS.
async fn shake_hands(
    stream: TcpStream,
    connection: Connection,
    routes: impl Routes,
    server: Arc<Server>,
    stop: watch::Receiver<bool>,
) {
    let Some(tls) = &server.tls else { return };
    let counts = &server.limits.counts;
    match timeout(HEAD, tls.acceptor().accept(stream)).await {
        Ok(Ok(stream)) => serve(stream, connection, routes, Arc::clone(&server), stop).await,
        Ok(Err(_)) => count(&counts.failed),
        Err(_) => count(&counts.too_slow),
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    connection: Connection,
    routes: impl Routes,
    server: Arc<Server>,
    mut stop: watch::Receiver<bool>,
) {
    let stream = Strict::new(endless::Takeable::new(stream, Arc::clone(&connection.exit)));
    let service = service_fn(move |request: Request<Incoming>| {
        let (routes, server, connection) = (routes.clone(), Arc::clone(&server), connection.clone());
        // hyper keeps room for this future as long as the connection lives: only for a pointer to it, then.
        Box::pin(async move {
            let response = answer(request, connection.clone(), routes, Arc::clone(&server)).await;
            Ok::<_, Infallible>(see_to(response, connection, server).await)
        })
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(16 * 1024);
    let http = builder.serve_connection(TokioIo::new(stream), service).with_upgrades();
    tokio::pin!(http);
    tokio::select! {
        _ = http.as_mut() => return,
        _ = stop.wait_for(|stop| *stop) => {}
    }
    http.as_mut().graceful_shutdown();
    let _ = http.await;
}
