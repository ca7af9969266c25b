//! The HTTP client under the bucket: it waits for no answer for ever, and adds the MD5 of what is
//! sent.

use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderValue, Method};
use http_body_util::{BodyExt as _, BodyStream, StreamBody};
use md5::{Digest as _, Md5};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpResponseBody, HttpService, ReqwestConnector,
};
use tokio::time::timeout;

/// Bytes that are sent in a second at least.
const SLOWEST: u64 = 128 * 1024;
/// How long the bucket may take for what it does by itself with large objects.
const LONG: Duration = Duration::from_secs(300);
const CONTENT_MD5: &str = "content-md5";
const COPY_SOURCE: &str = "x-amz-copy-source";

/// Makes clients.
#[derive(Debug, Clone, Copy)]
pub(super) struct Connector {
    pub(super) answer: Duration,
    pub(super) send_md5: bool,
}

#[derive(Debug)]
struct Client {
    inner: HttpClient,
    with: Connector,
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let inner = ReqwestConnector::default().connect(options)?;
        Ok(HttpClient::new(Client { inner, with: *self }))
    }
}

#[derive(Debug)]
struct TooLate;

impl std::fmt::Display for TooLate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no answer in time")
    }
}

impl std::error::Error for TooLate {}

fn too_late(_: tokio::time::error::Elapsed) -> HttpError {
    HttpError::new(HttpErrorKind::Timeout, TooLate)
}

impl Connector {
    /// How long this request is waited for.
    fn patience(&self, request: &HttpRequest) -> Duration {
        let sent = Duration::from_secs(request.body().content_length() as u64 / SLOWEST);
        let query = request.uri().query().unwrap_or_default();
        let is_completion = *request.method() == Method::POST && query.contains("uploadId=");
        if is_completion || request.headers().contains_key(COPY_SOURCE) {
            return LONG.max(self.answer);
        }
        self.answer + sent
    }
}

#[async_trait]
impl HttpService for Client {
    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let limit = self.with.patience(&request);
        if self.with.send_md5 && *request.method() == Method::PUT {
            let digest = digest(&request).await?;
            request.headers_mut().entry(CONTENT_MD5).or_insert(digest);
        }
        let answer = timeout(limit, self.inner.execute(request)).await.map_err(too_late)??;
        let (parts, body) = answer.into_parts();
        let frames =
            futures::stream::try_unfold(BodyStream::new(body), move |mut body| async move {
                use futures::StreamExt as _;
                let next = timeout(limit, body.next()).await.map_err(too_late)?.transpose()?;
                Ok(next.map(|frame| (frame, body)))
            });
        Ok(HttpResponse::from_parts(parts, HttpResponseBody::new(StreamBody::new(frames))))
    }
}

/// The MD5 of a request's body.
async fn digest(request: &HttpRequest) -> Result<HeaderValue, HttpError> {
    let bytes = request.body().clone().collect().await?.to_bytes();
    let digested = tokio::task::spawn_blocking(move || BASE64_STANDARD.encode(Md5::digest(&bytes)));
    let unknown = |error| HttpError::new(HttpErrorKind::Unknown, error);
    let text = digested.await.map_err(unknown)?;
    HeaderValue::try_from(text).map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))
}
