//! The debug address of each running service: `/healthz` (does the supervisor still care for it),
//! `/readyz` (can it answer now), `/metrics` (Prometheus). Bound to loopback by default, and it
//! tells nothing else: no settings, no secrets.

use std::net::TcpListener;
use std::sync::Arc;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use ocis_core::Result;
use ocis_core::config::Secret;
use ocis_core::data::Body;
use subtle::ConstantTimeEq as _;

use crate::late_http::plain;
use crate::plain_http;
use crate::service::Stop;
use crate::supervisor::Health;

/// Serves the debug address of the service that `health` is about.
pub(crate) fn serve(
    socket: TcpListener,
    health: Arc<Health>,
    token: Secret,
    stop: Stop,
) -> Result<impl Future<Output = ()> + Send + 'static> {
    plain_http::serve(socket, Arc::new(move |head| answer(head, &health, &token)), stop)
}

fn answer(head: &Parts, health: &Health, token: &Secret) -> Response<Body> {
    match head.uri.path() {
        "/healthz" => verdict(health.alive()),
        "/readyz" => verdict(health.ready()),
        "/metrics" if !may_read(head, token) => {
            plain(StatusCode::UNAUTHORIZED, "a bearer token is needed (DEBUG_TOKEN)")
        }
        "/metrics" => metrics(),
        _ => plain(StatusCode::NOT_FOUND, "Not Found"),
    }
}

/// Whether no token is asked for, or the right one is given.
fn may_read(head: &Parts, token: &Secret) -> bool {
    let given =
        head.headers.get(AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    token.is_empty() || given.is_some_and(|given| given.ct_eq(token.expose().as_bytes()).into())
}

fn verdict(result: Result<()>) -> Response<Body> {
    match result {
        Ok(()) => plain(StatusCode::OK, "OK"),
        Err(error) => plain(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

fn metrics() -> Response<Body> {
    let mut response = plain(StatusCode::OK, crate::telemetry::metrics::render());
    let format = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, format);
    response
}

#[cfg(test)]
mod tests {
    use http::Request;
    use ocis_core::Error;

    use super::*;
    use crate::supervisor::State;

    fn get(path: &str, token: &str, health: &Health) -> StatusCode {
        let request = Request::get(path).header(AUTHORIZATION, format!("Bearer {token}"));
        let (head, ()) = request.body(()).unwrap().into_parts();
        answer(&head, health, &Secret::new("right")).status()
    }

    #[test]
    fn health_and_readiness_are_two_answers() {
        let health = Health::new("search", None, Vec::new());
        assert_eq!(get("/healthz", "", &health), StatusCode::OK);
        assert_eq!(get("/readyz", "", &health), StatusCode::INTERNAL_SERVER_ERROR);
        health.running(None);
        assert_eq!(get("/readyz", "", &health), StatusCode::OK);
        health.failed(State::GivenUp, &Error::internal("broken"));
        assert_eq!(get("/healthz", "", &health), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(get("/config", "", &health), StatusCode::NOT_FOUND);
    }

    #[test]
    fn metrics_ask_for_the_token_that_is_set() {
        let health = Health::new("search", None, Vec::new());
        assert_eq!(get("/metrics", "wrong", &health), StatusCode::UNAUTHORIZED);
        assert_eq!(get("/metrics", "right", &health), StatusCode::OK);
    }
}
