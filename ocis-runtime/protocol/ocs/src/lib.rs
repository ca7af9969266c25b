//! Open Collaboration Services: what clients ask before they sync. What the server can do, who they
//! are, and how the server is called.
//!
//! The routes stand in `route`; the answers, in JSON or XML, in `envelope`; what is advertised in
//! [`capabilities::Features`], where nothing is on that nobody switched on.

pub mod capabilities;
mod config;
mod envelope;
mod error;
mod route;
mod signing_key;
mod user;
mod xml;

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use ocis_core::data::HttpService;
use ocis_core::port::Spaces;

use capabilities::Features;

pub use signing_key::SigningKeyEndpoint;

/// What the endpoints are made of.
#[derive(Clone)]
pub struct OcsParts {
    /// Where the quota of the caller's personal space is asked for.
    pub spaces: Arc<dyn Spaces>,
    /// What is advertised.
    pub features: Features,
    /// The public address of the server, `OCIS_URL`.
    pub url: String,
    /// What the server calls itself.
    pub product: Product,
}

/// What a server calls itself.
#[derive(Debug, Clone)]
pub struct Product {
    /// The version of this program, `0.1.0`. Beside it clients are told the ownCloud version whose
    /// protocol is spoken, as in oCIS: see [`capabilities::PROTOCOL_VERSION`].
    pub version: String,
    /// The edition (`OCIS_EDITION`), by default `Community`.
    pub edition: String,
}

/// The endpoints below `/ocs/v1.php` and `/ocs/v2.php`.
#[derive(Debug)]
pub struct Ocs;

impl Ocs {
    /// The endpoints as an HTTP service. It takes the whole path of a request, and the caller from
    /// the request's extension [`ocis_core::Cx`].
    #[allow(clippy::new_ret_no_self, reason = "what is wanted of the endpoints is the service")]
    pub fn new(parts: OcsParts) -> HttpService {
        let parts = Arc::new(parts);
        HttpService::new(tower::service_fn(move |request: http::Request<_>| {
            let (parts, (head, _)) = (Arc::clone(&parts), request.into_parts());
            async move { Ok::<_, Infallible>(route::answer(&parts, &head).await) }
        }))
    }
}

impl fmt::Debug for OcsParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OcsParts").field("features", &self.features).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
