//! Cross-origin requests of browsers (the fetch standard, section 3.2), with oCIS's defaults.
//!
//! Only a request with `Access-Control-Request-Method` is a preflight: `OPTIONS` without it is
//! WebDAV's and goes on.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use ocis_core::data::{Body, empty};
use ocis_core::{Error, Result};

use super::layer::Answer;

/// Paths that pages of any origin may ask, as in oCIS: the OpenID provider's endpoints for clients,
/// which look at no cookies. Which pages get tokens is decided by the registered addresses.
const FOR_ANY_ORIGIN: [&str; 5] = [
    "/.well-known/openid-configuration",
    "/konnect/v1/jwks.json",
    "/konnect/v1/token",
    "/konnect/v1/userinfo",
    "/konnect/v1/register",
];

/// What pages of other origins may do (`OCIS_CORS_*`).
#[derive(Debug, Clone)]
pub struct Cors {
    /// Origins such as `https://cloud.example.org`; `*` means any.
    pub allow_origins: Vec<String>,
    /// Methods.
    pub allow_methods: Vec<String>,
    /// Request headers.
    pub allow_headers: Vec<String>,
    /// Whether the page may send the credentials that the browser keeps.
    pub allow_credentials: bool,
}

impl Cors {
    /// oCIS's defaults for its frontend: only pages of the server's own `url`.
    pub fn for_url(url: &str) -> Self {
        let list = |text: &str| text.split(' ').map(str::to_owned).collect();
        Self {
            allow_origins: vec![url.trim_end_matches('/').to_owned()],
            allow_methods: list(
                "OPTIONS HEAD GET PUT POST PATCH DELETE MKCOL PROPFIND PROPPATCH MOVE COPY \
                 REPORT SEARCH",
            ),
            allow_headers: list(
                "Origin Accept Content-Type Depth Authorization Ocs-Apirequest If-None-Match \
                 If-Match Destination Overwrite X-Request-Id X-Requested-With Tus-Resumable \
                 Tus-Checksum-Algorithm Upload-Concat Upload-Length Upload-Metadata \
                 Upload-Defer-Length Upload-Expires Upload-Checksum Upload-Offset \
                 X-HTTP-Method-Override Cache-Control",
            ),
            allow_credentials: false,
        }
    }
}

/// Answers preflights and marks answers to pages of allowed origins.
pub(super) struct CrossOrigin<S> {
    origins: Vec<String>,
    methods: HeaderValue,
    headers: HeaderValue,
    credentials: bool,
    next: S,
}

impl<S> CrossOrigin<S> {
    /// [`ocis_core::ErrorKind::InvalidArgument`] when a setting cannot be part of a header.
    pub(super) fn new(cors: Cors, next: S) -> Result<Self> {
        let list = |values: &[String]| {
            HeaderValue::from_str(&values.join(", ")).map_err(|error| {
                Error::invalid("the CORS settings cannot be a header").because(error)
            })
        };
        Ok(Self {
            methods: list(&cors.allow_methods)?,
            headers: list(&cors.allow_headers)?,
            origins: cors.allow_origins,
            credentials: cors.allow_credentials,
            next,
        })
    }

    fn mark(&self, path: &str, origin: HeaderValue, headers: &mut HeaderMap) -> bool {
        headers.append(VARY, HeaderValue::from_static("Origin"));
        if FOR_ANY_ORIGIN.contains(&path) {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            return true;
        }
        let text = origin.as_bytes();
        let allowed = |known: &String| known == "*" || known.as_bytes().eq_ignore_ascii_case(text);
        if !self.origins.iter().any(allowed) {
            return false;
        }
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if self.credentials {
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        true
    }

    fn preflight(&self, path: &str, origin: HeaderValue) -> Response<Body> {
        let mut response = Response::new(empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        if self.mark(path, origin, response.headers_mut()) {
            let headers = response.headers_mut();
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, self.methods.clone());
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, self.headers.clone());
        }
        response
    }
}

impl<S: Answer> Answer for CrossOrigin<S> {
    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let Some(origin) = request.headers().get(ORIGIN).cloned() else {
            return self.next.answer(request).await;
        };
        let asks = request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if asks && request.method() == Method::OPTIONS {
            return self.preflight(request.uri().path(), origin);
        }
        let path = request.uri().path().to_owned();
        let mut response = self.next.answer(request).await;
        self.mark(&path, origin, response.headers_mut());
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Teapot;

    impl Answer for Teapot {
        async fn answer(&self, _: Request<Body>) -> Response<Body> {
            let mut response = Response::new(empty());
            *response.status_mut() = StatusCode::IM_A_TEAPOT;
            response
        }
    }

    async fn ask(method: &str, origin: Option<&str>, preflight: bool) -> Response<Body> {
        let layer = CrossOrigin::new(Cors::for_url("https://cloud.example.org/"), Teapot).unwrap();
        let mut request = Request::builder().method(method);
        if let Some(origin) = origin {
            request = request.header(ORIGIN, origin);
        }
        if preflight {
            request = request.header(ACCESS_CONTROL_REQUEST_METHOD, "PROPFIND");
        }
        layer.answer(request.body(empty()).unwrap()).await
    }

    #[tokio::test]
    async fn only_allowed_origins_are_told_so_and_only_preflights_are_answered_here() {
        let url = "https://cloud.example.org";
        let own = Some(url);
        let response = ask("OPTIONS", own, true).await;
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
        assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], url);
        assert!(response.headers().contains_key(ACCESS_CONTROL_ALLOW_METHODS));

        let response = ask("OPTIONS", Some("https://evil.example"), true).await;
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
        assert!(!response.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));

        let response = ask("OPTIONS", own, false).await;
        assert_eq!(response.status(), StatusCode::IM_A_TEAPOT);
        assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], url);
        assert!(!response.headers().contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS));

        let response = ask("GET", None, false).await;
        assert!(!response.headers().contains_key(VARY));
    }

    #[tokio::test]
    async fn pages_of_any_origin_may_ask_the_provider_but_without_cookies() {
        let layer = CrossOrigin::new(Cors::for_url("https://cloud.example.org/"), Teapot).unwrap();
        let request = Request::options("/konnect/v1/userinfo")
            .header(ORIGIN, "https://app.example")
            .header(ACCESS_CONTROL_REQUEST_METHOD, "GET");
        let response = layer.answer(request.body(empty()).unwrap()).await;
        assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert!(response.headers().contains_key(ACCESS_CONTROL_ALLOW_HEADERS));
        assert!(!response.headers().contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS));
    }
}
