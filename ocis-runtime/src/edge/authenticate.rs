//! Who is calling: what a request presents, checked through the `Authenticate` port.
//!
//! The ways that this server takes ([`Scheme`]) are asked in their order, and the first one that
//! proves somebody counts. Only challenges that it can meet are sent. A page's own script
//! (`X-Requested-With: XMLHttpRequest`) gets none, so that the browser shows no dialogue.

use std::net::IpAddr;
use std::sync::Arc;

use http::header::{EXPECT, HOST, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use ocis_core::data::Body;
use ocis_core::port::Authenticate;
use ocis_core::{Cx, Error, ErrorKind, Identity, Result};

use super::error;
use super::scheme::{Asked, Scheme};
use crate::http::RequestId;

/// The largest request body that is read before a refusal, so that the connection can be used for
/// the next try.
const MAX_DRAIN: u64 = 64 * 1024;

/// Finds out who is calling.
pub(super) struct Authentication {
    port: Arc<dyn Authenticate>,
    schemes: Vec<Scheme>,
    /// The realm where the client does not tell under which name it reached us.
    host: String,
}

impl Authentication {
    /// Takes credentials of `schemes`, in this order.
    pub(super) fn new(port: Arc<dyn Authenticate>, schemes: Vec<Scheme>, url: &str) -> Self {
        let host = url.split_once("://").map_or(url, |(_, rest)| rest);
        let host = host.split('/').next().unwrap_or_default().to_owned();
        Self { port, schemes, host }
    }

    /// The person whom the request's credentials prove. [`ErrorKind::Unauthenticated`] when there
    /// are none, none that this server takes, or wrong ones.
    pub(super) async fn caller(
        &self,
        cx: &Cx,
        head: &Parts,
        peer: Option<IpAddr>,
    ) -> Result<Arc<Identity>> {
        let mut refused = Error::unauthenticated("no credentials that this server takes");
        for scheme in &self.schemes {
            let Some(credentials) = scheme.credentials(Asked { head, peer }) else { continue };
            match self.port.authenticate(cx, credentials).await {
                Err(error) if error.kind() == ErrorKind::Unauthenticated => refused = error,
                answer => return answer,
            }
        }
        Err(refused)
    }

    /// The answer to a request whose caller could not be found out.
    pub(super) async fn refuse(
        &self,
        failure: &Error,
        request: Request<Body>,
        dav: bool,
    ) -> Response<Body> {
        if matches!(failure.kind(), ErrorKind::Internal | ErrorKind::Unavailable) {
            let id = request.extensions().get::<RequestId>().map(|RequestId(id)| &**id);
            tracing::error!("request-id" = id, ?failure, "credentials cannot be checked");
        }
        let dav = dav || is_dav_method(&request);
        let mut response = error::failed(failure, dav);
        let (head, body) = request.into_parts();
        if failure.kind() == ErrorKind::Unauthenticated && !is_script(&head.headers) {
            let host = self.realm(&head);
            let mut names: Vec<_> = self.schemes.iter().filter_map(Scheme::challenge).collect();
            names.dedup();
            for name in names {
                let challenge = format!("{name} realm=\"{host}\", charset=\"UTF-8\"");
                if let Ok(challenge) = HeaderValue::from_str(&challenge) {
                    response.headers_mut().append(WWW_AUTHENTICATE, challenge);
                }
            }
        }
        drain(&head.headers, body).await;
        response
    }

    /// The name under which the client reached us, if it can stand in a header.
    fn realm<'a>(&'a self, head: &'a Parts) -> &'a str {
        let given = head.uri.authority().map(http::uri::Authority::as_str);
        let given = given.or_else(|| head.headers.get(HOST).and_then(|host| host.to_str().ok()));
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte);
        given.filter(|host| host.bytes().all(legal)).unwrap_or(&self.host)
    }
}

fn is_script(headers: &HeaderMap) -> bool {
    headers.get("x-requested-with").is_some_and(|value| value == "XMLHttpRequest")
}

fn is_dav_method(request: &Request<Body>) -> bool {
    const METHODS: [&str; 8] =
        ["PROPFIND", "DELETE", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK"];
    METHODS.contains(&request.method().as_str())
}

/// Reads a small body to its end. A client that waits for `100 Continue` sends none.
async fn drain(headers: &HeaderMap, mut body: Body) {
    let small = body.size_hint().upper().is_some_and(|bytes| bytes <= MAX_DRAIN);
    if small && !headers.contains_key(EXPECT) {
        while let Some(Ok(_)) = body.frame().await {}
    }
}
