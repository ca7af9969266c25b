//! Asking a runtime what runs in it.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use ocis_core::{Error, Result};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::supervisor::Status;

/// How long a runtime on the same machine may take to answer.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// The longest answer in bytes.
const LONGEST_ANSWER: usize = 1 << 20;

/// The services that run in the runtime whose control port is `port` on `host`.
/// [`ocis_core::ErrorKind::Unavailable`] when none answers there.
pub async fn services(host: &str, port: u16) -> Result<Vec<Status>> {
    let body = get(host, port, "/services").await.map_err(|error| {
        Error::unavailable(format!("no runtime answers on {host}:{port}: {error}"))
    })?;
    serde_json::from_slice(&body).map_err(|error| {
        Error::unavailable(format!("what answers on {host}:{port} is not an ocis runtime"))
            .because(error)
    })
}

/// Asks the debug address of a service whether it is healthy. The error says why it is not.
pub async fn healthy(host: &str, port: u16) -> Result<()> {
    let answer = get(host, port, "/healthz").await;
    answer.map(drop).map_err(|error| Error::unavailable(format!("{host}:{port}: {error}")))
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn get(host: &str, port: u16, path: &str) -> Result<Bytes, Failure> {
    let request = Request::get(path).header("host", host).body(Empty::<Bytes>::new())?;
    send(host, port, request, LONGEST_ANSWER, LONGEST_WAIT).await
}

/// Sends a request and gives the body of the answer, at most `longest` bytes within `patience`.
pub(super) async fn send<B>(
    host: &str,
    port: u16,
    request: Request<B>,
    longest: usize,
    patience: Duration,
) -> Result<Bytes, Failure>
where
    B: http_body::Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    let answer = try_send(host, port, request, longest);
    timeout(patience, answer).await.map_err(|_| "no answer in time")?
}

async fn try_send<B>(
    host: &str,
    port: u16,
    request: Request<B>,
    longest: usize,
) -> Result<Bytes, Failure>
where
    B: http_body::Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    let stream = timeout(LONGEST_WAIT, TcpStream::connect((host, port)));
    let stream = stream.await.map_err(|_| "no connection in time")??;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let answer = async {
        let response = sender.send_request(request).await?;
        if response.status() != StatusCode::OK {
            return Err(format!("it answered {}", response.status()).into());
        }
        Ok(Limited::new(response.into_body(), longest).collect().await?.to_bytes())
    };
    tokio::select! {
        answer = answer => answer,
        Err(error) = connection => Err(error.into()),
    }
}
