//! How requests reach an OpenID provider: over the network, or directly when it is a service of the
//! same process.

use std::fmt;
use std::sync::OnceLock;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Limited};
use ocis_core::data::{HttpService, full};
use ocis_core::{Caller, Cx, Error, Result};
use tower::ServiceExt as _;

/// The longest answer that is read, in bytes: the keys of a large provider are tens of kilobytes.
const MAX_ANSWER: usize = 1024 * 1024;

/// Sends requests to a provider.
#[async_trait]
pub trait Http: Send + Sync + fmt::Debug + 'static {
    /// The answer, whatever its status. [`ocis_core::ErrorKind::Unavailable`] when there is none.
    async fn send(&self, cx: &Cx, request: Request<Bytes>) -> Result<Response<Bytes>>;
}

/// Providers elsewhere.
#[derive(Debug, Default)]
pub struct Network {
    insecure: bool,
    /// Made when it is first used, because it reads the machine's certificate authorities.
    client: OnceLock<reqwest::Client>,
}

impl Network {
    /// A client that trusts the machine's certificate authorities; with `insecure` any certificate
    /// (`PROXY_OIDC_INSECURE`), for tests and development.
    pub fn new(insecure: bool) -> Self {
        Self { insecure, client: OnceLock::new() }
    }

    fn client(&self) -> Result<reqwest::Client> {
        if let Some(client) = self.client.get() {
            return Ok(client.clone());
        }
        let client = reqwest::Client::builder()
            .tls_danger_accept_invalid_certs(self.insecure)
            .redirect(reqwest::redirect::Policy::limited(3))
            .user_agent("ocis")
            .build()
            .map_err(|error| Error::internal("TLS cannot be set up").because(error))?;
        Ok(self.client.get_or_init(|| client).clone())
    }
}

#[async_trait]
impl Http for Network {
    async fn send(&self, _: &Cx, request: Request<Bytes>) -> Result<Response<Bytes>> {
        let url = request.uri().to_string();
        let failed = |error: reqwest::Error| silent(&url).because(error.without_url());
        let request = reqwest::Request::try_from(request).map_err(failed)?;
        let answer = self.client()?.execute(request).await.map_err(failed)?;
        let (head, body) = Response::<reqwest::Body>::from(answer).into_parts();
        let body = Limited::new(body, MAX_ANSWER).collect().await;
        let body = body.map_err(|error| silent(&url).because(error))?;
        Ok(Response::from_parts(head, body.to_bytes()))
    }
}

/// Our own provider in this process, and all others over the network.
#[derive(Clone)]
pub struct OwnOr<H> {
    /// The public address of this server, without a slash at its end.
    pub url: String,
    /// What answers below it.
    pub own: HttpService,
    /// Asked for everything else.
    pub others: H,
}

#[async_trait]
impl<H: Http> Http for OwnOr<H> {
    async fn send(&self, cx: &Cx, request: Request<Bytes>) -> Result<Response<Bytes>> {
        let url = request.uri().to_string();
        let Some(path) = url.strip_prefix(&self.url).filter(|path| path.starts_with('/')) else {
            return self.others.send(cx, request).await;
        };
        let (mut head, body) = request.into_parts();
        if let Some(host) = head.uri.authority().and_then(|host| host.as_str().parse().ok()) {
            head.headers.insert(http::header::HOST, host);
        }
        head.uri = path.parse::<Uri>().map_err(|error| silent(&url).because(error))?;
        head.extensions.insert(Cx { caller: Caller::Anonymous, ..cx.clone() });
        let request = Request::from_parts(head, full(body));
        let Ok(answer) = self.own.clone().oneshot(request).await;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, MAX_ANSWER).collect().await;
        let body = body.map_err(|error| silent(&url).because(error))?;
        Ok(Response::from_parts(head, body.to_bytes()))
    }
}

impl<H: fmt::Debug> fmt::Debug for OwnOr<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnOr").field("url", &self.url).finish_non_exhaustive()
    }
}

fn silent(url: &str) -> Error {
    Error::unavailable("the OpenID provider does not answer").with("url", url)
}
