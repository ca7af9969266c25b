//! The control port of a runtime (`OCIS_RUNTIME_HOST`, `OCIS_RUNTIME_PORT`): tells the command line
//! what runs, and lets it maintain the stores of this server (`note.rs`). `GET /services` answers with
//! a list of [`Status`] as JSON. Only programs on the same machine reach it.

mod client;
mod note;

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Response, StatusCode};
use ocis_core::data::Body;
use ocis_core::{Error, Result};
use tracing::warn;

pub use self::client::{healthy, services};
pub(crate) use self::note::{Entrance, Note};

use crate::late_http::plain;
use crate::peers::Peers;
use crate::plain_http;
use crate::service::Stop;
use crate::supervisor::{Health, Status};

/// Opens the control port. An address that other machines could reach is not used: the port is
/// opened on loopback then.
pub(crate) async fn open(address: &str) -> Result<(TcpListener, SocketAddr)> {
    let address = match address.rsplit_once(':') {
        // The same address on every machine, whatever comes first in its list of hosts.
        Some(("localhost", port)) => format!("127.0.0.1:{port}"),
        Some((host, port)) if !is_loopback(host) => {
            warn!(host, "the control port is opened for this machine only (OCIS_RUNTIME_HOST)");
            format!("127.0.0.1:{port}")
        }
        _ => address.to_owned(),
    };
    let lost = |error| Error::internal("the control port is lost").because(error);
    let socket = crate::http::bind(&address, "OCIS_RUNTIME_PORT").await.map_err(|error| {
        Error::new(error.kind(), format!("the runtime cannot start: {error}")).because(error)
    })?;
    let local = socket.local_addr().map_err(lost)?;
    Ok((socket.into_std().map_err(lost)?, local))
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Serves the control port at `address`, and lets services know of it.
pub(crate) fn serve(
    socket: TcpListener,
    address: SocketAddr,
    services: Vec<Arc<Health>>,
    peers: &Peers,
    stop: Stop,
) -> Result<impl Future<Output = ()> + Send + use<>> {
    let entrance = Entrance::new(address)?;
    peers.set_entrance(entrance.clone());
    let (services, peers) = (Arc::new(services), peers.clone());
    let handle: plain_http::Handle = Arc::new(move |request| {
        let (services, peers, entrance) = (Arc::clone(&services), peers.clone(), entrance.clone());
        Box::pin(async move {
            if request.uri().path().starts_with("/stores/") {
                return note::answer(&entrance, &peers, request).await;
            }
            match *request.method() {
                Method::GET => answer(request.uri().path(), &services),
                _ => plain(StatusCode::METHOD_NOT_ALLOWED, "only GET\n"),
            }
        })
    });
    plain_http::serve_all(socket, handle, note::LONGEST_CALL, stop)
}

fn answer(path: &str, services: &[Arc<Health>]) -> Response<Body> {
    if path != "/services" {
        return plain(StatusCode::NOT_FOUND, "Not Found");
    }
    let services: Vec<Status> = services.iter().map(|health| health.status()).collect();
    match serde_json::to_vec(&services) {
        Ok(json) => {
            let mut response = plain(StatusCode::OK, json);
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(CONTENT_TYPE, json);
            response
        }
        Err(error) => plain(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tells_what_runs_and_ends_when_asked_to() {
        let (socket, address) = open("localhost:0").await.unwrap();
        let health = Arc::new(Health::new("search", None, Vec::new()));
        let stop = Stop::new();
        let serve = serve(socket, address, vec![health], &Peers::new(), stop.clone());
        let task = tokio::spawn(serve.unwrap());
        let running = services("127.0.0.1", address.port()).await.unwrap();
        assert_eq!(running.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["search"]);
        stop.cancel();
        task.await.unwrap();
        let error = services("127.0.0.1", address.port()).await.unwrap_err();
        assert!(error.message().starts_with("no runtime answers on 127.0.0.1:"), "{error}");
    }

    #[tokio::test]
    async fn other_machines_cannot_reach_it() {
        let (_socket, address) = open("0.0.0.0:0").await.unwrap();
        assert!(address.ip().is_loopback());
    }
}
