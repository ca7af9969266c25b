//! The edge: what stands between the public listener and the services.
//!
//! It finds the route, says who is calling, sees to it that a person has a personal space, and
//! passes the request on with a [`Cx`] in its extensions. No service behind it looks at credentials,
//! and none trusts a header that could say who is calling.

mod authenticate;
pub mod backend;
mod error;
mod forwarded;
mod home;
pub mod openid;
mod role;
mod routes;
mod scheme;

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use http::{HeaderName, Method, Request, Response, StatusCode};
use ocis_core::config::Networks;
use ocis_core::cx::Peer;
use ocis_core::data::{Body, HttpService, TICKET, empty};
use ocis_core::port::{Authenticate, Roles as RolesPort, Spaces};
use ocis_core::time::Clock;
use ocis_core::{Caller, Cx};

use self::authenticate::Authentication;
use self::home::Homes;
use self::role::Roles;
pub use self::routes::{GivenMatch, GivenRoute, GivenRoutes};
use self::routes::{Route, Routes};
pub use self::scheme::{Scheme, SignedUrls};
use crate::http::layer::{Answer, Stack};
use crate::http::observe::ServedBy;
use crate::http::{PeerAddr, RequestId};

/// What the edge is made of.
pub struct EdgeParts {
    /// Checks credentials.
    pub authenticate: Arc<dyn Authenticate>,
    /// Knows the roles of callers.
    pub roles: Arc<dyn RolesPort>,
    /// Whether roles are given when a token of the OpenID provider is verified
    /// (`PROXY_ROLE_ASSIGNMENT_DRIVER=oidc`), and not to whoever is seen for the first time.
    pub roles_of_provider: bool,
    /// Makes personal spaces.
    pub spaces: Arc<dyn Spaces>,
    /// The services behind the routes, by name. A route whose service is missing answers 501.
    pub backends: HashMap<&'static str, HttpService>,
    /// Routes that the configuration gives.
    pub given_routes: GivenRoutes,
    /// What is accepted as credentials, in the order in which it is looked at.
    pub schemes: Vec<Scheme>,
    /// The public address of the server (`OCIS_URL`).
    pub url: String,
    /// The present time.
    pub clock: Arc<dyn Clock>,
    /// How long the answer to a request is of use; the deadline of its [`Cx`].
    pub deadline: Duration,
    /// The limits in bytes of new personal spaces, by the id of the owner's role
    /// (`proxy.role_quotas`).
    pub role_quotas: HashMap<String, u64>,
    /// Reverse proxies in front of this server. Only what comes from them may name the client's
    /// address in `X-Forwarded-For`.
    pub trusted_proxies: Networks,
}

/// The one service of the public listener.
pub struct Edge {
    routes: Routes,
    authentication: Authentication,
    roles: Roles,
    homes: Homes,
    clock: Arc<dyn Clock>,
    deadline: Duration,
    trusted_proxies: Networks,
    url: String,
}

impl Edge {
    /// The service that answers everything that comes in from outside.
    #[allow(clippy::new_ret_no_self, reason = "nobody needs the edge but as a service")]
    pub fn new(parts: EdgeParts) -> HttpService {
        let edge = Self {
            routes: Routes::new(&parts.backends, parts.given_routes),
            authentication: Authentication::new(parts.authenticate, parts.schemes, &parts.url),
            roles: Roles::new(parts.roles, parts.roles_of_provider),
            homes: Homes::new(parts.spaces, parts.role_quotas),
            clock: parts.clock,
            deadline: parts.deadline,
            trusted_proxies: parts.trusted_proxies,
            url: parts.url,
        };
        Stack::around(edge).boxed()
    }

    async fn pass_on(&self, route: &Route, public: bool, request: Request<Body>) -> Response<Body> {
        let Some(backend) = &route.backend else {
            return error::not_here(route.service, &self.url);
        };
        let mut cx = self.cx(&request);
        let (mut head, body) = request.into_parts();
        let peer = self.client(&head);
        // The provider's sign-in counts failures by address.
        head.extensions.remove::<Peer>();
        if let Some(peer) = peer {
            head.extensions.insert(Peer(peer));
        }
        if !public {
            let caller = match self.authentication.caller(&cx, &head, peer).await {
                Ok(identity) => self.roles.fill(&cx, identity).await,
                refused => refused,
            };
            match caller {
                Ok(identity) => {
                    cx.caller = Caller::User(Arc::clone(&identity));
                    self.homes.ensure(&cx, &identity).await;
                    // Nobody behind the edge has any use for the password or the token.
                    head.headers.remove(http::header::AUTHORIZATION);
                }
                Err(failure) => {
                    let request = Request::from_parts(head, body);
                    return self.authentication.refuse(&failure, request, route.is_dav()).await;
                }
            }
        }
        head.extensions.insert(cx);
        backend.answer(Request::from_parts(head, body)).await
    }

    fn cx(&self, request: &Request<Body>) -> Cx {
        let now = self.clock.now();
        let trace = request.extensions().get::<RequestId>().map(|RequestId(id)| Arc::clone(id));
        Cx {
            caller: Caller::Anonymous,
            deadline: Some(now.plus(self.deadline)),
            trace: trace.unwrap_or_else(|| Arc::from("")),
            now,
        }
    }

    fn client(&self, head: &Parts) -> Option<IpAddr> {
        let peer = head.extensions.get::<PeerAddr>()?.address.ip();
        Some(forwarded::client(peer, &head.headers, &self.trusted_proxies))
    }
}

impl Answer for Edge {
    async fn answer(&self, mut request: Request<Body>) -> Response<Body> {
        let path = routes::decoded(request.uri().path());
        if !path.starts_with('/') {
            return asterisk(request.method());
        }
        let route = self.routes.find(request.method(), &path, request.uri().query());
        let public =
            route.public || request.method() == Method::OPTIONS || routes::is_public(&path);
        let keep_ticket = route.takes_tickets();
        drop(path);
        strip(&mut request, keep_ticket);
        let mut response = self.pass_on(route, public, request).await;
        response.extensions_mut().insert(ServedBy(route.service));
        response
    }
}

impl fmt::Debug for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Edge").field("url", &self.url).finish_non_exhaustive()
    }
}

impl fmt::Debug for EdgeParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EdgeParts").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Takes away the headers by which parts of oCIS tell each other who is calling.
fn strip(request: &mut Request<Body>, keep_ticket: bool) {
    const INTERNAL: [HeaderName; 2] =
        [backend::ACCESS_TOKEN, HeaderName::from_static("transfer-token")];
    for name in INTERNAL {
        request.headers_mut().remove(name);
    }
    if !keep_ticket {
        request.headers_mut().remove(TICKET);
    }
}

/// `OPTIONS *` asks for the server as a whole (RFC 9110 section 9.3.7); nothing else has no path.
fn asterisk(method: &Method) -> Response<Body> {
    let mut response = Response::new(empty());
    *response.status_mut() = match *method {
        Method::OPTIONS => StatusCode::NO_CONTENT,
        _ => StatusCode::BAD_REQUEST,
    };
    response
}

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;
