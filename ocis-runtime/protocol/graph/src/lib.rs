//! libre.graph: the JSON interface by which clients learn who they are and which drives they have.
//!
//! This version answers `/graph/v1.0/me`, `/me/drives` and `/me/drive`. What oCIS serves beside
//! them is refused with 501 and the code `notSupported`, what nobody serves with 404. The routes
//! stand in `route`, the part of OData that is understood in `query`, the errors in `error`.

mod drives;
mod error;
mod me;
mod query;
mod route;

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use ocis_core::data::HttpService;
use ocis_core::port::{Groups, Spaces, Users};

/// What the endpoints are made of.
#[derive(Clone)]
pub struct GraphParts {
    /// The spaces, which are called drives here.
    pub spaces: Arc<dyn Spaces>,
    /// The accounts.
    pub users: Arc<dyn Users>,
    /// The groups of accounts.
    pub groups: Arc<dyn Groups>,
    /// The public address of the server, `OCIS_URL`.
    pub url: String,
    /// The language of who has not chosen one, `OCIS_DEFAULT_LANGUAGE`; empty means `en`, as in
    /// oCIS.
    pub language: String,
}

/// The endpoints below `/graph`.
#[derive(Debug)]
pub struct Graph;

impl Graph {
    /// The endpoints as an HTTP service. It takes the whole path of a request, and the caller from
    /// the request's extension [`ocis_core::Cx`].
    #[allow(clippy::new_ret_no_self, reason = "what is wanted of the endpoints is the service")]
    pub fn new(mut parts: GraphParts) -> HttpService {
        parts.url.truncate(parts.url.trim_end_matches('/').len());
        if parts.language.is_empty() {
            parts.language = "en".into();
        }
        let parts = Arc::new(parts);
        HttpService::new(tower::service_fn(move |request: http::Request<_>| {
            let (parts, (head, _)) = (Arc::clone(&parts), request.into_parts());
            async move { Ok::<_, Infallible>(route::answer(&parts, &head).await) }
        }))
    }
}

impl fmt::Debug for GraphParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GraphParts").field("url", &self.url).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
