//! Services of others behind the edge, to which a configured route leads (`backend` in
//! `proxy.additional_policies`).
//!
//! Who calls goes along as the token that reva's services hand to each other (`X-Access-Token`,
//! signed with `jwt_secret`), as oCIS's proxy does it. What the client presented to us stays here.
//! Bodies pass by in both directions and are not collected. A connection is not upgraded: WebSockets
//! are not passed on.

use std::convert::Infallible;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::TryStreamExt as _;
use http::header::{
    CONNECTION, CONTENT_LENGTH, FORWARDED, HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE,
    TRAILER, TRANSFER_ENCODING, UPGRADE, USER_AGENT,
};
use http::uri::{PathAndQuery, Scheme, Uri};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyDataStream, BodyExt as _};
use ocis_auth::token::Minter;
use ocis_core::cx::Peer;
use ocis_core::data::{Body, HttpService};
use ocis_core::{Caller, Cx, Error, Result};
use tower::service_fn;

use super::routes::decoded;
use crate::late_http::plain;

/// The header with the caller's token.
pub(super) const ACCESS_TOKEN: HeaderName = HeaderName::from_static("x-access-token");

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// How long a backend may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(30);

/// How backends are reached.
#[derive(Debug, Clone, Default)]
pub struct BackendOptions {
    /// Whether any certificate of theirs is accepted (`PROXY_INSECURE_BACKENDS`).
    pub insecure: bool,
    /// A file of certificates (PEM), the only ones that are trusted then (`PROXY_HTTPS_CACERT`).
    pub ca_cert: Option<PathBuf>,
    /// Whether clients reach this server over TLS.
    pub https: bool,
}

/// What reaches the services of others.
pub struct Backends {
    options: BackendOptions,
    minter: Minter,
    client: OnceLock<reqwest::Client>,
}

/// Where one of them is.
#[derive(Debug, Clone)]
pub struct Target {
    /// `http` or `https`, host and port; a path goes before that of the request.
    pub url: Uri,
    /// Whether it is asked under the name in its URL, and not under that by which the client
    /// reached us (`apache_vhost`).
    pub own_host: bool,
}

impl Target {
    /// A backend by its URL. [`ocis_core::ErrorKind::InvalidArgument`] when it is none.
    pub fn new(url: &str, own_host: bool) -> Result<Self> {
        let parsed = url.parse::<Uri>().ok().filter(|url| {
            let web = url.scheme() == Some(&Scheme::HTTP) || url.scheme() == Some(&Scheme::HTTPS);
            web && url.authority().is_some()
        });
        let url = parsed.ok_or_else(|| {
            Error::invalid(format!(
                "the backend {url:?} of a route is no address; right would be http://localhost:9204"
            ))
        })?;
        Ok(Self { url, own_host })
    }

    /// The address of a request for `path` there.
    fn at(&self, asked: &Uri) -> Result<Uri> {
        let before = self.url.path().trim_end_matches('/');
        let mut path = format!("{before}{}", asked.path());
        let queries = [self.url.query(), asked.query()];
        let mut separator = '?';
        for query in queries.into_iter().flatten().filter(|query| !query.is_empty()) {
            path.push(separator);
            path.push_str(query);
            separator = '&';
        }
        let mut parts = self.url.clone().into_parts();
        parts.path_and_query =
            Some(PathAndQuery::try_from(path).map_err(|error| wrong_path().because(error))?);
        Uri::from_parts(parts).map_err(|error| wrong_path().because(error))
    }
}

impl Backends {
    /// Tells backends by tokens of `minter` who calls.
    pub fn new(minter: Minter, options: BackendOptions) -> Arc<Self> {
        Arc::new(Self { options, minter, client: OnceLock::new() })
    }

    /// Reads the certificates that are trusted, unless that was done. Blocks.
    /// [`ocis_core::ErrorKind::InvalidArgument`] names a file that holds none.
    pub fn prepare(&self) -> Result<()> {
        self.client().map(drop)
    }

    /// The service at `target`.
    pub fn service(self: &Arc<Self>, target: Target) -> HttpService {
        let (backends, target) = (Arc::clone(self), Arc::new(target));
        HttpService::new(service_fn(move |request| {
            let (backends, target) = (Arc::clone(&backends), Arc::clone(&target));
            async move {
                let answer = backends.pass_on(&target, request).await;
                Ok::<_, Infallible>(answer.unwrap_or_else(|error| failed(&target, &error)))
            }
        }))
    }

    async fn pass_on(&self, target: &Target, request: Request<Body>) -> Result<Response<Body>> {
        if climbs(request.uri().path()) {
            return Err(wrong_path());
        }
        let (mut head, body) = request.into_parts();
        let peer = head.extensions.get::<Peer>().map(|Peer(address)| *address);
        let token = match head.extensions.get::<Cx>() {
            Some(Cx { caller: Caller::User(identity), now, .. }) => {
                Some(self.minter.mint(identity, *now)?)
            }
            _ => None,
        };
        let host = head.uri.authority().map(|host| HeaderValue::from_str(host.as_str()));
        let host = host.and_then(std::result::Result::ok).or_else(|| head.headers.remove(HOST));
        head.uri = target.at(&head.uri)?;
        let headers = &mut head.headers;
        drop_hop_by_hop(headers);
        self.forwarded(headers, peer, host.as_ref());
        headers.remove(HOST);
        if let Some(host) = host.filter(|_| !target.own_host) {
            headers.insert(HOST, host);
        }
        // Else the client would send its own.
        headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(""));
        headers.remove(ACCESS_TOKEN);
        if let Some(token) = token {
            let mut value = HeaderValue::from_str(token.expose())
                .map_err(|error| Error::internal("not a token").because(error))?;
            value.set_sensitive(true);
            headers.insert(ACCESS_TOKEN, value);
        }
        let body = outgoing(headers, body);
        let mut request = Request::new(body);
        *request.method_mut() = head.method;
        *request.uri_mut() = head.uri;
        *request.headers_mut() = head.headers;
        let away = |error: reqwest::Error| {
            Error::unavailable("the service behind this address does not answer").because(error)
        };
        let request = reqwest::Request::try_from(request).map_err(away)?;
        let answer = self.client()?.execute(request).await.map_err(away)?;
        let (mut head, body) = Response::<reqwest::Body>::from(answer).into_parts();
        drop_hop_by_hop(&mut head.headers);
        head.extensions.clear();
        let broken = |error| Error::unavailable("a backend broke off").because(error);
        Ok(Response::from_parts(head, body.map_err(broken).boxed_unsync()))
    }

    /// How the request reached us. What the client says about that is not passed on.
    fn forwarded(&self, headers: &mut HeaderMap, peer: Option<IpAddr>, host: Option<&HeaderValue>) {
        headers.remove(FORWARDED);
        for name in [FORWARDED_FOR, FORWARDED_HOST, FORWARDED_PROTO] {
            headers.remove(name);
        }
        let peer = peer.and_then(|peer| HeaderValue::try_from(peer.to_string()).ok());
        if let Some(peer) = peer {
            headers.insert(FORWARDED_FOR, peer);
        }
        if let Some(host) = host {
            headers.insert(FORWARDED_HOST, host.clone());
        }
        let scheme = if self.options.https { "https" } else { "http" };
        headers.insert(FORWARDED_PROTO, HeaderValue::from_static(scheme));
    }

    fn client(&self) -> Result<reqwest::Client> {
        if let Some(client) = self.client.get() {
            return Ok(client.clone());
        }
        let mut builder = reqwest::Client::builder()
            .tls_danger_accept_invalid_certs(self.options.insecure)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT);
        if let Some(file) = &self.options.ca_cert {
            builder = builder.tls_certs_only(certificates(file)?);
        }
        let client = builder
            .build()
            .map_err(|error| Error::internal("TLS cannot be set up").because(error))?;
        Ok(self.client.get_or_init(|| client).clone())
    }
}

impl fmt::Debug for Backends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backends").field("options", &self.options).finish_non_exhaustive()
    }
}

fn certificates(file: &PathBuf) -> Result<Vec<reqwest::Certificate>> {
    let wrong = |why: &str| {
        let file = file.display();
        Error::invalid(format!("PROXY_HTTPS_CACERT: the file {file} {why}"))
    };
    let pem = std::fs::read(file).map_err(|error| wrong("cannot be read").because(error))?;
    let found = reqwest::Certificate::from_pem_bundle(&pem)
        .map_err(|error| wrong("is broken").because(error))?;
    if found.is_empty() { Err(wrong("has no certificate in it")) } else { Ok(found) }
}

/// The body as the client sends it on; none where there is none, so that nothing is said about one.
fn outgoing(headers: &HeaderMap, body: Body) -> reqwest::Body {
    use http_body::Body as _;

    let is_empty = body.is_end_stream() || body.size_hint().exact() == Some(0);
    if is_empty && !headers.contains_key(CONTENT_LENGTH) {
        return reqwest::Body::default();
    }
    reqwest::Body::wrap_stream(BodyDataStream::new(body).into_stream())
}

/// Whether a path has a segment that leads elsewhere than the route that was found for it: `..`
/// or `.`, in whatever writing.
fn climbs(path: &str) -> bool {
    decoded(path).split(['/', '\\']).any(|segment| matches!(segment, "." | ".."))
}

/// Takes away what is said to the next hop only (RFC 9110 section 7.6.1).
fn drop_hop_by_hop(headers: &mut HeaderMap) {
    const NAMES: [HeaderName; 9] = [
        CONNECTION,
        HeaderName::from_static("keep-alive"),
        HeaderName::from_static("proxy-connection"),
        PROXY_AUTHENTICATE,
        PROXY_AUTHORIZATION,
        TE,
        TRAILER,
        TRANSFER_ENCODING,
        UPGRADE,
    ];
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.into_iter().chain(NAMES) {
        headers.remove(name);
    }
}

fn wrong_path() -> Error {
    Error::invalid("this is no path")
}

fn failed(target: &Target, error: &Error) -> Response<Body> {
    let status = match error.kind() {
        ocis_core::ErrorKind::InvalidArgument => StatusCode::BAD_REQUEST,
        ocis_core::ErrorKind::Unavailable => StatusCode::BAD_GATEWAY,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    if status != StatusCode::BAD_REQUEST {
        tracing::error!(backend = %target.url, ?error, "a backend cannot be asked");
    }
    plain(status, format!("{}\n", error.message()))
}

#[cfg(test)]
mod tests;
