//! Every request gets an id, a span, a line in the access log and a place in the metrics.
//!
//! With oCIS's default log level (error) neither span nor line exists, and they cost one comparison.
//! The path is told at debug level only, as it holds names of files and tokens of links; oCIS tells
//! it at info.

use std::time::Instant;

use http::{HeaderValue, Method, Request, Response, Version};
use ocis_core::data::Body;
use tracing::{Instrument as _, Level};

use super::layer::Answer;
use super::listen::PeerAddr;
use super::request_id::{RequestId, X_REQUEST_ID};
use crate::telemetry::metrics;

/// Which service answered; put into the extensions of an answer by whoever passes requests on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ServedBy(pub(crate) &'static str);

/// The outermost layer; `service` is what metrics call the listener itself.
pub(super) struct Observe<S> {
    pub(super) service: &'static str,
    pub(super) next: S,
}

/// What is told of a request after it was answered.
struct Seen {
    method: Method,
    version: Version,
    peer: Option<PeerAddr>,
    path: Option<String>,
}

impl<S: Answer> Answer for Observe<S> {
    async fn answer(&self, mut request: Request<Body>) -> Response<Body> {
        let begin = Instant::now();
        let id = RequestId::of(request.headers());
        let seen = Seen {
            method: request.method().clone(),
            version: request.version(),
            peer: request.extensions().get::<PeerAddr>().copied(),
            path: tracing::enabled!(Level::DEBUG).then(|| loggable(request.uri().path())),
        };
        request.extensions_mut().insert(id.clone());
        let span = tracing::info_span!("request", service = self.service, "request-id" = &*id.0);
        let mut response = self.next.answer(request).instrument(span.clone()).await;
        let took = begin.elapsed();
        let service =
            response.extensions().get::<ServedBy>().map_or(self.service, |&ServedBy(name)| name);
        metrics::http_request(service, &seen.method, response.status(), took);
        if tracing::enabled!(Level::INFO) {
            span.in_scope(|| seen.log(service, &response, took));
        }
        if let Ok(value) = HeaderValue::from_str(&id.0) {
            response.headers_mut().insert(X_REQUEST_ID, value);
        }
        response
    }
}

impl Seen {
    fn log(&self, service: &str, response: &Response<Body>, took: std::time::Duration) {
        let remote = self.peer.map(|peer| tracing::field::display(peer.address));
        tracing::info!(
            proto = ?self.version,
            "remote-addr" = remote,
            method = %self.method,
            status = response.status().as_u16(),
            path = self.path,
            backend = service,
            duration = took.as_secs_f64() * 1000.0,
            bytes = http_body::Body::size_hint(response.body()).exact(),
            "access-log"
        );
    }
}

/// A path without what is a right by itself: the ticket of an upload, `/data/<ticket>`.
fn loggable(path: &str) -> String {
    match path.strip_prefix("/data/") {
        Some(_) => "/data/...".to_owned(),
        None => path.to_owned(),
    }
}
