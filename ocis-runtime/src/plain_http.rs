//! The smallest HTTP server that does: for debug addresses and the control port, of which one
//! process has dozens. HTTP/1 without TLS; on debug addresses only `GET`, answered at once from memory.

use std::convert::Infallible;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use ocis_core::data::Body;
use ocis_core::{Error, Result};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::debug;

use crate::late_http::plain;
use crate::service::Stop;

/// How many connections one address serves at a time; more wait in the socket's queue.
const MOST_CONNECTIONS: usize = 16;
/// How long the head of a request may take.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection may live; these are for single requests of probes and scrapers.
const LONGEST_LIFE: Duration = Duration::from_secs(60);

/// Answers a `GET` by its head.
pub(crate) type Answer = Arc<dyn Fn(&Parts) -> Response<Body> + Send + Sync>;

/// Answers any request.
pub(crate) type Handle =
    Arc<dyn Fn(Request<Incoming>) -> BoxFuture<'static, Response<Body>> + Send + Sync>;

/// Serves `socket` with `answer` until `stop`.
pub(crate) fn serve(
    socket: TcpListener,
    answer: Answer,
    stop: Stop,
) -> Result<impl Future<Output = ()> + Send + 'static> {
    let handle: Handle = Arc::new(move |request| {
        let response = if request.method() == Method::GET {
            answer(&request.into_parts().0)
        } else {
            plain(StatusCode::METHOD_NOT_ALLOWED, "only GET\n")
        };
        Box::pin(std::future::ready(response))
    });
    serve_all(socket, handle, LONGEST_LIFE, stop)
}

/// Serves `socket` with `handle` until `stop`; a connection lives no longer than `longest_life`.
pub(crate) fn serve_all(
    socket: TcpListener,
    handle: Handle,
    longest_life: Duration,
    stop: Stop,
) -> Result<impl Future<Output = ()> + Send + 'static> {
    let listener = tokio::net::TcpListener::from_std(socket)
        .map_err(|error| Error::internal("a listening socket is lost").because(error))?;
    Ok(async move {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                Some(_) = connections.join_next() => {}
                accepted = listener.accept(), if connections.len() < MOST_CONNECTIONS => {
                    match accepted {
                        Ok((stream, _)) => {
                            connections.spawn(timeout(longest_life, connection(stream, Arc::clone(&handle))));
                        }
                        // Out of file descriptors: a moment later there may be some.
                        Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                    }
                }
            }
        }
    })
}

async fn connection(stream: TcpStream, handle: Handle) {
    let service = service_fn(move |request: Request<Incoming>| {
        let response = handle(request);
        async move { Ok::<_, Infallible>(response.await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        debug!(%error, "a connection to a debug address failed");
    }
}
