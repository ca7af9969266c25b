//! Calls of ports over the control port: how the command line maintains the stores of a server that
//! runs.
//!
//! Every user of the machine can connect to the port, so a call carries a secret. The server leaves
//! it with its address as a [`Note`] in each store that it owns, where only its own user can read
//! it. A call is `POST /stores/<storage>/<port>/<method>` with the request as JSON; the answer is
//! `{"Ok": reply}` or `{"Err": error}`.

use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use ocis_core::checksum::hex;
use ocis_core::data::Body;
use ocis_core::id::StorageId;
use ocis_core::port::{AppTokens, Maintenance, Spaces, Trash, UploadSessions, Versions, Wire};
use ocis_core::time::{Clock as _, SystemClock};
use ocis_core::{Caller, Cx, Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use subtle::ConstantTimeEq as _;

use super::client;
use crate::late_http::plain;
use crate::peers::Peers;

/// The longest request in bytes.
const LONGEST_REQUEST: usize = 16 << 20;
/// The longest answer in bytes.
const LONGEST_ANSWER: usize = 1 << 30;
/// How long a call may take: a step of a check may read a large space.
pub(super) const LONGEST_CALL: Duration = Duration::from_secs(3600);

/// Where a control port is, and what opens it.
#[derive(Clone)]
pub(crate) struct Entrance {
    pub(crate) address: SocketAddr,
    secret: String,
}

impl std::fmt::Debug for Entrance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entrance").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Entrance {
    /// A new secret for the control port at `address`.
    pub(super) fn new(address: SocketAddr) -> Result<Self> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)
            .map_err(|error| Error::internal("the machine gives no random bytes").because(error))?;
        Ok(Self { address, secret: hex(&secret) })
    }

    /// The note for the store of `storage`.
    pub(crate) fn note(&self, storage: &StorageId) -> Result<Vec<u8>> {
        let (address, secret) = (self.address, self.secret.clone());
        serde_json::to_vec(&Note { address, secret, storage: storage.clone() })
            .map_err(|error| Error::internal("a note cannot be written").because(error))
    }

    fn opens(&self, request: &Request<Incoming>) -> bool {
        let given = request.headers().get(AUTHORIZATION).map(http::HeaderValue::as_bytes);
        let given = given.and_then(|value| value.strip_prefix(b"Bearer ")).unwrap_or_default();
        given.ct_eq(self.secret.as_bytes()).into()
    }
}

/// What stands in a store about the server that owns it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Note {
    address: SocketAddr,
    secret: String,
    pub(crate) storage: StorageId,
}

impl std::fmt::Debug for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Note").field("address", &self.address).finish_non_exhaustive()
    }
}

#[async_trait]
impl Wire for Note {
    async fn call(&self, port: &str, method: &str, request: Value) -> Result<Value> {
        let lost = |error: &dyn std::fmt::Display| {
            let address = self.address;
            Error::unavailable(format!(
                "the server that owns the storage cannot be asked at {address}: {error}"
            ))
        };
        let path = format!("/stores/{}/{port}/{method}", self.storage);
        let request = Request::post(path)
            .header("host", "localhost")
            .header(AUTHORIZATION, format!("Bearer {}", self.secret))
            .body(Full::new(Bytes::from(request.to_string())))
            .map_err(|error| lost(&error))?;
        let (host, port) = (self.address.ip().to_string(), self.address.port());
        let call = client::send(&host, port, request, LONGEST_ANSWER, LONGEST_CALL);
        let answer = call.await.map_err(|error| lost(&error))?;
        serde_json::from_slice::<Result<Value>>(&answer).map_err(|error| lost(&error))?
    }
}

/// Answers a call.
pub(super) async fn answer(
    entrance: &Entrance,
    peers: &Peers,
    request: Request<Incoming>,
) -> Response<Body> {
    if request.method() != Method::POST {
        return plain(StatusCode::METHOD_NOT_ALLOWED, "only POST\n");
    }
    if !entrance.opens(&request) {
        return plain(StatusCode::UNAUTHORIZED, "the secret is wrong\n");
    }
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, LONGEST_REQUEST).collect().await else {
        return plain(StatusCode::BAD_REQUEST, "the request cannot be read\n");
    };
    let result = match serde_json::from_slice(&body.to_bytes()) {
        Ok(request) => call(peers, head.uri.path(), request).await,
        Err(error) => Err(Error::invalid(format!("the request is no JSON: {error}"))),
    };
    match serde_json::to_vec(&result) {
        Ok(json) => plain(StatusCode::OK, json),
        Err(error) => plain(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

async fn call(peers: &Peers, path: &str, request: Value) -> Result<Value> {
    let unknown = || Error::not_found(format!("there is no {path} in this server"));
    let parts: Vec<&str> = path.split('/').collect();
    let ["", "stores", storage, port, method] = parts[..] else { return Err(unknown()) };
    let cx = Cx::new(Caller::Service("command line".into()), SystemClock.now());
    match port {
        "app-tokens" => <dyn AppTokens>::dispatch(&*peers.app_tokens(), &cx, method, request).await,
        "maintenance" => {
            let port = peers.keyed_maintenance().find(storage).ok_or_else(unknown)?;
            <dyn Maintenance>::dispatch(&port, &cx, method, request).await
        }
        "spaces" => {
            let port = peers.keyed_spaces().find(storage).ok_or_else(unknown)?;
            <dyn Spaces>::dispatch(&port, &cx, method, request).await
        }
        "upload-sessions" => {
            let port = peers.keyed_sessions().find(storage).ok_or_else(unknown)?;
            <dyn UploadSessions>::dispatch(&port, &cx, method, request).await
        }
        "trash" => {
            let port = peers.keyed_trash().find(storage).ok_or_else(unknown)?;
            <dyn Trash>::dispatch(&port, &cx, method, request).await
        }
        "versions" => {
            let port = peers.keyed_versions().find(storage).ok_or_else(unknown)?;
            <dyn Versions>::dispatch(&port, &cx, method, request).await
        }
        _ => Err(unknown()),
    }
}
