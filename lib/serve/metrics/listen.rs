//! The page on an address of its own, for a Prometheus on the same machine.

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use park_core::{Error, Kind, Result};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

use super::{CONTENT_TYPE, page};
use crate::server::Server;

/// Who may ask at once.
const AT_ONCE: usize = 16;

/// How long a connection may last.
const LONGEST: Duration = Duration::from_secs(30);

/// Binds `address`, which must be one of loopback: nobody has to show a token there.
pub fn bind(address: SocketAddr) -> Result<TcpListener> {
    if !address.ip().is_loopback() {
        let message = format!(
            "{address} can be reached from other machines: metrics have a loopback address of their own, or a token at \
             /metrics"
        );
        return Err(Error::new(Kind::Usage, message));
    }
    let doing = || format!("listening on {address}");
    let listener =
        TcpListener::bind(address).map_err(|error| Error::new(Kind::Unavailable, doing()).because(error))?;
    listener.set_nonblocking(true).map_err(|error| Error::io(doing(), error))?;
    Ok(listener)
}

/// Answers until `stop` turns true.
pub async fn serve(listener: tokio::net::TcpListener, server: Arc<Server>, mut stop: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        let Ok((stream, _)) = accepted else {
            // Out of descriptors, most likely: do not spin.
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        let Ok(permit) = Arc::clone(&places).try_acquire_owned() else { continue };
        let server = Arc::clone(&server);
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let answer = answer(&request, &server);
                async { Ok::<_, Infallible>(answer) }
            });
            let mut builder = http1::Builder::new();
            builder.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(10));
            let _ = timeout(LONGEST, builder.serve_connection(TokioIo::new(stream), service)).await;
            drop(permit);
        });
    }
}

fn answer<B>(request: &Request<B>, server: &Server) -> Response<Full<Bytes>> {
    let host = request.headers().get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (status, body) = match (request.method(), request.uri().path()) {
        // A page of another site could give its own name to this address.
        _ if !crate::http::doors::is_local(host) => (StatusCode::MISDIRECTED_REQUEST, String::new()),
        (&Method::GET, "/metrics") => (StatusCode::OK, page(server)),
        (_, "/metrics") => (StatusCode::METHOD_NOT_ALLOWED, String::new()),
        _ => (StatusCode::NOT_FOUND, String::new()),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(CONTENT_TYPE));
    response
}
