//! Connections, their limits, and the order in which a request meets guard, stream and routes.

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};

use super::routes::routes;
use super::{Body, Connection, plain};
use crate::server::Server;
use crate::{sse, video};

/// How long a client may take over the head of a request.
const HEAD: Duration = Duration::from_secs(10);

/// How long a request with a body may take in all.
const WHOLE: Duration = Duration::from_secs(10);

/// What a connection beyond the limit is told.
const BUSY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// The routes as a service; warp's own type has no name.
trait Routes:
    Service<Request<Incoming>, Response = warp::reply::Response, Error = Infallible, Future: Send>
    + Clone
    + Send
    + 'static
{
}

impl<R> Routes for R where
    R: Service<Request<Incoming>, Response = warp::reply::Response, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static
{
}

/// Accepts up to `most` connections at once until `stop` turns true, then waits a while for those that are open to end.
pub async fn accept(
    listener: TcpListener,
    server: Arc<Server>,
    most: usize,
    mut stop: watch::Receiver<bool>,
) {
    let routes = TowerToHyperService::new(warp::service(routes(&server)));
    let places = Arc::new(Semaphore::new(most));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        match accepted {
            Ok((stream, address)) => match Arc::clone(&places).try_acquire_owned() {
                Ok(permit) => {
                    let _ = stream.set_nodelay(true);
                    let serving = serve(
                        stream,
                        address.ip(),
                        permit,
                        routes.clone(),
                        Arc::clone(&server),
                        stop.clone(),
                    );
                    tokio::spawn(serving);
                }
                Err(_) => drop(stream.try_write(BUSY)),
            },
            Err(error) => {
                server.log().warn(&format!("accepting a connection: {error}"));
                // Out of descriptors, most likely: do not spin.
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    let all = u32::try_from(most).unwrap_or(u32::MAX);
    let _ = timeout(Duration::from_secs(3), places.acquire_many(all)).await;
}

async fn serve(
    stream: TcpStream,
    address: IpAddr,
    permit: OwnedSemaphorePermit,
    routes: impl Routes,
    server: Arc<Server>,
    mut stop: watch::Receiver<bool>,
) {
    let socket = stream.as_raw_fd();
    let permit = Arc::new(permit);
    let connection = Connection { cut: Arc::new(Notify::new()), permit, address, socket };
    let cut = Arc::clone(&connection.cut);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(connection.clone());
        let (routes, server) = (routes.clone(), Arc::clone(&server));
        // hyper keeps room for this future as long as the connection lives: only for a pointer to it, then.
        Box::pin(async move { Ok::<_, Infallible>(answer(request, routes, server).await) })
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(16 * 1024);
    let http = builder.serve_connection(TokioIo::new(stream), service).with_upgrades();
    tokio::pin!(http);
    tokio::select! {
        _ = http.as_mut() => return,
        () = cut.notified() => return,
        _ = stop.wait_for(|stop| *stop) => {}
    }
    http.as_mut().graceful_shutdown();
    tokio::select! {
        _ = http => {}
        () = cut.notified() => {}
    }
}

async fn answer(mut request: Request<Incoming>, routes: impl Routes, server: Arc<Server>) -> Response<Body> {
    if let Some((status, reason)) = server.doors.refuses(request.method(), request.headers()) {
        return plain(status, reason);
    }
    match server.access.who(request.headers(), request.uri().query(), server.seconds()) {
        Ok(person) => request.extensions_mut().insert(person),
        Err(_) => return plain(StatusCode::UNAUTHORIZED, "who are you?"),
    };
    let shared_with = server.doors.shared_with(request.headers()).cloned();
    let mut response = if request.method() == Method::OPTIONS {
        plain(StatusCode::NO_CONTENT, "")
    } else if request.uri().path() == sse::PATH {
        sse::answer(request, server).await
    } else if video::door::is_here(request.uri().path()) {
        video::door::answer(request, server).await
    } else {
        match timeout(WHOLE, routes.call(request)).await {
            Ok(Ok(response)) => response.map(|body| body.map_err(io::Error::other).boxed_unsync()),
            Ok(Err(never)) => match never {},
            Err(_) => plain(StatusCode::REQUEST_TIMEOUT, "too slow"),
        }
    };
    if let Some(origin) = shared_with {
        share(&mut response, origin);
    }
    response
}

/// Lets pages of `origin` read the answer.
fn share(response: &mut Response<Body>, origin: HeaderValue) {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    let methods = HeaderValue::from_static("GET, POST");
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    let names = HeaderValue::from_static("Content-Type, Last-Event-ID");
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names);
}
