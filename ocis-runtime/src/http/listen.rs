//! Listening: binding an address, and serving HTTP/1.1 and HTTP/2 on it with limits.
//!
//! Binding is apart from serving, so that addresses are known and failures come before anything
//! runs, and so that tests bring their own listener. Serving ends when it is asked to stop: it
//! accepts no more, lets running requests finish for a while, and then cuts what is left. Dropping
//! the future cuts everything at once.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::header::CONNECTION;
use http::{HeaderValue, Request, Response, StatusCode, Version};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use ocis_core::data::{Body, HttpService, empty};
use ocis_core::{Error, Result};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::activity::{Activity, Due, Next};
use super::admit::refusal;
use super::body::{Left, RequestBody, ResponseBody};
use super::descriptors::descriptors;
use super::stream::{LINGER, SILENCE, Watched};
use crate::late_http::plain;

/// What one listener grants its clients. Every bound on memory and time in front of the services
/// stands here.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at a time, and never more than half of the files that the process may open;
    /// more wait in the system's queue.
    pub connections: usize,
    /// Until a TLS handshake is done.
    pub handshake: Duration,
    /// From the first byte of a request's head to its last, and until the first request of a
    /// connection.
    pub header: Duration,
    /// Without a byte of a request body while the server wants to read.
    pub body: Duration,
    /// Without the client taking a byte of what the server wants to send.
    pub write: Duration,
    /// Between requests, and between pings of HTTP/2.
    pub idle: Duration,
    /// Bytes of a request's head; 8,192 at least.
    pub header_bytes: u32,
    /// Headers of a request over HTTP/1.
    pub headers: usize,
    /// Requests at a time on one connection of HTTP/2.
    pub streams: u32,
    /// From being asked to stop to cutting what still runs.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 8192,
            handshake: Duration::from_secs(10),
            header: Duration::from_secs(20),
            body: Duration::from_secs(60),
            write: Duration::from_secs(60),
            idle: Duration::from_secs(120),
            header_bytes: 64 * 1024,
            headers: 128,
            streams: 128,
            grace: Duration::from_secs(10),
        }
    }
}

/// Who is at the other end of the connection; in the extensions of every request.
#[derive(Debug, Clone, Copy)]
pub struct PeerAddr {
    /// The address of the socket. Behind a reverse proxy it is that proxy's.
    pub address: SocketAddr,
    /// Whether the connection is encrypted up to this server.
    pub tls: bool,
}

/// Opens the socket of `address` (`host:port`; an empty host means every address of the machine).
/// An error names the address and what to do; `variable` is the setting that the address is from.
pub async fn bind(address: &str, variable: &str) -> Result<TcpListener> {
    let full = match address.strip_prefix(':') {
        Some(port) => format!("0.0.0.0:{port}"),
        None => address.to_owned(),
    };
    TcpListener::bind(&full).await.map_err(|error| {
        let text = match error.kind() {
            io::ErrorKind::AddrInUse => format!(
                "{address} is already in use: end the program that listens there, or set \
                 {variable} to another address"
            ),
            io::ErrorKind::PermissionDenied => format!(
                "{address} may not be opened by this user: set {variable} to a port above 1023, or \
                 grant CAP_NET_BIND_SERVICE"
            ),
            io::ErrorKind::AddrNotAvailable => format!(
                "{address} is no address of this machine: set {variable} to one that is, or to \
                 0.0.0.0:<port>"
            ),
            _ => format!("{variable}: cannot listen on \"{address}\": {error}"),
        };
        Error::unavailable(text).because(error)
    })
}

/// Serves `service` on `listener` until `stop`, then drains. `tls` is none for plain HTTP.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
    service: HttpService,
    limits: Limits,
    stop: CancellationToken,
) {
    // Half of the descriptors are for files.
    let most = limits.connections.min(descriptors() / 2).max(1);
    let slots = Arc::new(Semaphore::new(most));
    let acceptor = tls.map(TlsAcceptor::from);
    let server = Arc::new(Server { protocol: protocol(&limits), service, limits, stop });
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            () = server.stop.cancelled() => break,
            accepted = accept(&listener, &slots) => accepted,
        };
        let (stream, peer, slot) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                back_off(&error).await;
                continue;
            }
        };
        let (server, acceptor) = (Arc::clone(&server), acceptor.clone());
        connections.spawn(async move {
            server.connection(stream, peer, acceptor).await;
            drop(slot);
        });
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    if timeout(server.limits.grace, drained).await.is_err() {
        tracing::warn!(left = connections.len(), "cutting connections that did not end in time");
        connections.shutdown().await;
    }
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    // Without it, small answers on a kept connection wait for the client's delayed acknowledgement
    // (40 ms).
    stream.set_nodelay(true)?;
    Ok((stream, peer, slot))
}

/// Out of descriptors or memory, trying again at once would spin; every other failure is that of
/// one connection.
pub(crate) async fn back_off(error: &io::Error) {
    use rustix::io::Errno;
    let ours = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
    let code = Errno::from_io_error(error);
    if code.is_some_and(|code| ours.contains(&code)) {
        tracing::error!(%error, "cannot accept connections; trying again in half a second");
        tokio::time::sleep(Duration::from_millis(500)).await;
    } else {
        tracing::debug!(%error, "a connection failed before it was accepted");
    }
}

fn protocol(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        // The watcher sees to it, without a timer that is set anew for every request, and knows a
        // slow head from an idle connection.
        .header_read_timeout(None)
        .max_buf_size(usize::try_from(limits.header_bytes).unwrap_or(usize::MAX).max(8192))
        .max_headers(limits.headers);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(limits.header_bytes)
        .max_concurrent_streams(limits.streams)
        // A client that opens and resets streams without end (CVE-2023-44487) is sent away.
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(100)
        .keep_alive_interval(limits.idle)
        .keep_alive_timeout(limits.header)
        // Wide enough for a fast upload over a slow path, small enough that a stalled reader
        // holds little memory.
        .initial_stream_window_size(1024 * 1024)
        .initial_connection_window_size(2 * 1024 * 1024)
        .max_send_buf_size(512 * 1024);
    builder
}

/// What all connections of a listener share.
struct Server {
    protocol: auto::Builder<TokioExecutor>,
    service: HttpService,
    limits: Limits,
    stop: CancellationToken,
}

impl Server {
    async fn connection(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        tls: Option<TlsAcceptor>,
    ) {
        let peer = PeerAddr { address: peer, tls: tls.is_some() };
        let Some(tls) = tls else { return self.serve(stream, peer).await };
        let handshake = tokio::select! {
            () = self.stop.cancelled() => return,
            handshake = timeout(self.limits.handshake, tls.accept(stream)) => handshake,
        };
        match handshake {
            Ok(Ok(stream)) => self.serve(stream, peer).await,
            Ok(Err(error)) => tracing::debug!(peer = %peer.address, %error, "no TLS handshake"),
            Err(_) => tracing::debug!(peer = %peer.address, "the TLS handshake took too long"),
        }
    }

    async fn serve<S>(self: Arc<Self>, stream: S, peer: PeerAddr)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let activity = Activity::begin();
        let stream = TokioIo::new(Watched::new(stream, Arc::clone(&activity)));
        let service = {
            let (server, activity) = (Arc::clone(&self), Arc::clone(&activity));
            service_fn(move |request| {
                let (server, activity) = (Arc::clone(&server), Arc::clone(&activity));
                async move { server.answer(request, peer, &activity).await }
            })
        };
        let mut connection = pin!(self.protocol.serve_connection(stream, service));
        let mut due = pin!(watch(&activity, &self.limits, Duration::ZERO));
        let mut stopping = false;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(peer = %peer.address, error, "a connection ended early");
                    }
                    return;
                }
                due_now = due.as_mut() => {
                    if due_now == Due::Cut || stopping {
                        return;
                    }
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                    // A request may have come at the last moment; else it should end soon.
                    due.set(watch(&activity, &self.limits, self.limits.header));
                }
                () = self.stop.cancelled(), if !stopping => {
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        peer: PeerAddr,
        activity: &Arc<Activity>,
    ) -> Result<Response<ResponseBody>, Infallible> {
        let version = request.version();
        let (running, two_lengths) = activity.request(version);
        let left = Left::default();
        let response = match refusal(&request, two_lengths) {
            Some(reason) => {
                let mut response = plain(StatusCode::BAD_REQUEST, format!("{reason}\n"));
                close(&mut response, version);
                response
            }
            None => self.ask(request, peer, activity, &left).await,
        };
        Ok(response.map(|body| ResponseBody { body, _running: running, _left: left }))
    }

    async fn ask(
        &self,
        request: Request<Incoming>,
        peer: PeerAddr,
        activity: &Arc<Activity>,
        left: &Left,
    ) -> Response<Body> {
        let version = request.version();
        let (mut head, incoming) = request.into_parts();
        head.extensions.insert(peer);
        if incoming.is_end_stream() {
            return self.call(Request::from_parts(head, empty())).await;
        }
        let body =
            RequestBody::new(incoming, self.limits.body, Arc::clone(activity), Arc::clone(left));
        let stalled = Arc::clone(&body.stalled);
        let mut response = self.call(Request::from_parts(head, body.boxed_unsync())).await;
        if version == Version::HTTP_2 {
            tokio::spawn(drain(Arc::clone(left)));
        }
        if stalled.load(Ordering::Relaxed) {
            let text = "the client stopped sending the request body\n";
            response = plain(StatusCode::REQUEST_TIMEOUT, text);
            close(&mut response, version);
        }
        response
    }

    async fn call(&self, request: Request<Body>) -> Response<Body> {
        match self.service.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// Reads on where a request was answered before its body had come, as [`Watched`] does for HTTP/1:
/// a stream of HTTP/2 whose body is dropped is reset, and clients (curl among them) that are still
/// sending take that for a failure of the connection before they have looked at the answer.
async fn drain(left: Left) {
    let Some(mut incoming) = left.lock().take() else { return };
    let read = async { while let Ok(Some(Ok(_))) = timeout(SILENCE, incoming.frame()).await {} };
    let _ = timeout(LINGER, read).await;
    *left.lock() = Some(incoming);
}

/// What is due to be done to the connection, as soon as it is, but not before `delay` is over.
async fn watch(activity: &Activity, limits: &Limits, delay: Duration) -> Due {
    let mut until = Instant::now() + delay;
    loop {
        sleep_until(until).await;
        match activity.next(limits, Instant::now()) {
            Next::Wait(next) => until = next,
            Next::Do(due) => return due,
        }
    }
}

fn close(response: &mut Response<Body>, version: Version) {
    if version != Version::HTTP_2 {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
}

#[cfg(test)]
pub(super) mod tests;
