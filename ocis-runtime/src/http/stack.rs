//! The layers of the public listener, as one list.

use http::{Request, Response, StatusCode};
use ocis_core::Result;
use ocis_core::data::{Body, HttpService};

use super::cors::{Cors, CrossOrigin};
use super::layer::{Answer, Stack};
use super::listen::PeerAddr;
use super::observe::Observe;
use super::panics::CatchPanic;
use super::security::{DEFAULT_CSP, SecurityHeaders};
use crate::late_http::plain;

/// What the layers of the public listener are told.
#[derive(Debug, Clone)]
pub struct PublicSettings {
    /// What pages of other origins may do.
    pub cors: Cors,
    /// The content security policy; none means oCIS's default.
    pub csp: Option<String>,
    /// The longest path and query in bytes. A path of 4,096 bytes is up to 12,288 when every byte
    /// is percent-encoded.
    pub uri_bytes: usize,
}

impl PublicSettings {
    /// oCIS's defaults for a server that is reached under `url`.
    pub fn for_url(url: &str) -> Self {
        Self { cors: Cors::for_url(url), csp: None, uri_bytes: 16 * 1024 }
    }
}

/// The public listener: `edge` with everything in front of it. `service` is what logs and metrics
/// call it. [`ocis_core::ErrorKind::InvalidArgument`] when a setting cannot be part of a header.
///
/// Read from the bottom up for the way of a request.
pub fn public(
    service: &'static str,
    edge: HttpService,
    settings: PublicSettings,
) -> Result<HttpService> {
    let headers = SecurityHeaders::new(settings.csp.as_deref().unwrap_or(DEFAULT_CSP))?;
    let cors = settings.cors;
    let cross_origin = |next| CrossOrigin::new(cors, next);
    let stack = Stack::around(edge)
        // Nothing looks at an absurd target, neither routes nor logs.
        .push(|next| BoundUri { limit: settings.uri_bytes, next })
        // Inside everything that must see the 500, outside everything that may panic.
        .push(|next| CatchPanic { next })
        // Before authentication: browsers send preflights without credentials, and a page may only
        // read a 401 that is marked for it.
        .try_push(cross_origin)?
        // On every answer, errors included.
        .push(|next| Secure { headers, next })
        // Outermost: sees every request, and the status that the client sees.
        .push(|next| Observe { service, next });
    Ok(stack.boxed())
}

/// Refuses targets that are too long (414).
struct BoundUri<S> {
    limit: usize,
    next: S,
}

impl<S: Answer> Answer for BoundUri<S> {
    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
        if target > self.limit {
            return plain(StatusCode::URI_TOO_LONG, "the address is too long\n");
        }
        self.next.answer(request).await
    }
}

/// Sets the headers that keep browsers from misusing an answer.
struct Secure<S> {
    headers: SecurityHeaders,
    next: S,
}

impl<S: Answer> Answer for Secure<S> {
    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let tls = request.extensions().get::<PeerAddr>().is_some_and(|peer| peer.tls);
        let mut response = self.next.answer(request).await;
        self.headers.set(response.headers_mut(), tls);
        response
    }
}
