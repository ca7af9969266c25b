//! What the edge itself answers to OpenID providers and their clients: the end of a session, told
//! from behind (OpenID Connect Back-Channel Logout 1.0), and the document of a provider elsewhere.

use std::convert::Infallible;
use std::sync::Arc;

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use ocis_auth::oidc::bearer::Bearer;
use ocis_core::data::{Body, HttpService, full};
use ocis_core::{Cx, Error, ErrorKind, Result};
use percent_encoding::percent_decode_str;
use tower::{ServiceExt as _, service_fn};

use super::error::failed;

/// The longest form that is read, in bytes: one token.
const MAX_FORM: usize = 64 * 1024;

/// Answers `POST /backchannel_logout` as oCIS does: 200 when the sessions have ended, 400 with an
/// OAuth error when the token is not right.
pub fn backchannel_logout(bearer: Arc<Bearer>) -> HttpService {
    HttpService::new(service_fn(move |request: Request<Body>| {
        let bearer = Arc::clone(&bearer);
        async move {
            let answer = match log_out(&bearer, request).await {
                Ok(()) => json(StatusCode::OK, full("null\n")),
                Err(error) if error.kind() == ErrorKind::Unavailable => {
                    tracing::error!(?error, "a logout cannot be verified");
                    failed(&error, false)
                }
                Err(error) => {
                    tracing::warn!(?error, "logout refused");
                    let told = error.message().replace('"', "'");
                    let text = format!(
                        "{{\"error\":\"invalid_request\",\"error_description\":\"{told}\"}}\n"
                    );
                    json(StatusCode::BAD_REQUEST, full(text))
                }
            };
            Ok::<_, Infallible>(answer)
        }
    }))
}

async fn log_out(bearer: &Bearer, request: Request<Body>) -> Result<()> {
    let (head, body) = request.into_parts();
    let cx = head.extensions.get::<Cx>().ok_or_else(|| Error::internal("no context"))?;
    let kind = head.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if !kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded")) {
        return Err(Error::invalid("this must be a form"));
    }
    let body = Limited::new(body, MAX_FORM).collect().await;
    let body = body.map_err(|_| Error::invalid("the form cannot be read"))?.to_bytes();
    let form = std::str::from_utf8(&body).map_err(|_| Error::invalid("this must be a form"))?;
    let token = form
        .split('&')
        .find_map(|pair| pair.strip_prefix("logout_token="))
        .ok_or_else(|| Error::invalid("logout_token is missing"))?;
    let token = percent_decode_str(token).decode_utf8_lossy();
    bearer.log_out(cx, &token).await.map(drop)
}

/// `idp`, but for its document, in whose place stands that of the provider whose tokens `bearer`
/// takes (`PROXY_OIDC_REWRITE_WELLKNOWN`).
pub fn rewriting_well_known(idp: HttpService, bearer: Arc<Bearer>) -> HttpService {
    HttpService::new(service_fn(move |request: Request<Body>| {
        let (idp, bearer) = (idp.clone(), Arc::clone(&bearer));
        async move {
            let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
            let cx = request.extensions().get::<Cx>();
            let Some(cx) = cx.filter(|_| is_read && is_well_known(request.uri().path())) else {
                return idp.oneshot(request).await;
            };
            Ok(match bearer.verifier().document(cx).await {
                Ok(document) => json(StatusCode::OK, full(document)),
                Err(error) => {
                    tracing::error!(?error, "no document of the OpenID provider");
                    failed(&error, false)
                }
            })
        }
    }))
}

fn is_well_known(path: &str) -> bool {
    path == "/.well-known/openid-configuration"
}

fn json(status: StatusCode, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use bytes::Bytes;
    use ocis_auth::oidc::bearer::{AccountKey, Accounts, BearerOptions, Mapping};
    use ocis_auth::oidc::verify::http::Http;
    use ocis_auth::oidc::verify::{Options, Verifier};
    use ocis_core::Caller;
    use ocis_core::data::empty;
    use ocis_core::port::{Late, Users};

    use super::super::fixture::now;
    use super::*;
    use crate::late_http::not_implemented;

    const DOCUMENT: &str = r#"{"issuer": "https://idp", "jwks_uri": "https://idp/keys"}"#;

    /// A provider without keys, or none at all.
    #[derive(Debug)]
    struct Provider(bool);

    #[async_trait]
    impl Http for Provider {
        async fn send(&self, _: &Cx, request: Request<Bytes>) -> Result<Response<Bytes>> {
            match (self.0, request.uri().path()) {
                (false, _) => Err(Error::unavailable("away")),
                (true, "/keys") => Ok(Response::new("{\"keys\": []}".into())),
                (true, _) => Ok(Response::new(DOCUMENT.into())),
            }
        }
    }

    fn bearer(is_there: bool) -> Arc<Bearer> {
        let verifier = Verifier::new(Arc::new(Provider(is_there)), Options::new("https://idp"));
        let mapping =
            Mapping { claim: "sub".into(), key: AccountKey::UserId, idp: "https://idp".into() };
        let users = Arc::new(Late::<dyn Users>::unbound());
        let accounts = Accounts::new(users, mapping);
        Arc::new(Bearer::new(verifier, accounts, BearerOptions::default()).unwrap())
    }

    async fn ask(
        service: HttpService,
        request: http::request::Builder,
        body: Body,
    ) -> (u16, String) {
        let request = request.extension(Cx::new(Caller::Anonymous, now()));
        let answer = service.oneshot(request.body(body).unwrap()).await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.into()).unwrap())
    }

    #[tokio::test]
    async fn what_is_no_logout_is_refused() {
        let form = || {
            Request::post("/backchannel_logout")
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        };
        // {"alg":"ES256"}.{}.x
        let token = "logout_token=eyJhbGciOiJFUzI1NiJ9.e30.x";
        let service = || backchannel_logout(bearer(true));
        for (request, body) in [
            (form(), ""),
            (form(), "other=x"),
            (form(), "logout_token="),
            (form(), "logout_token=%00%ff"),
            (form(), token),
            (Request::post("/backchannel_logout"), token),
        ] {
            let (status, text) = ask(service(), request, full(body)).await;
            assert_eq!(status, 400, "{body}");
            assert!(text.contains("\"error\":\"invalid_request\""), "{text}");
        }
        let long = full(vec![b'a'; MAX_FORM + 1]);
        assert_eq!(ask(service(), form(), long).await.0, 400);
        let away = backchannel_logout(bearer(false));
        assert_eq!(ask(away, form(), full(token)).await.0, 503);
    }

    #[tokio::test]
    async fn only_the_document_is_that_of_the_provider() {
        let get = |path: &str| Request::get(path.to_owned());
        let service = |is_there| rewriting_well_known(not_implemented("idp"), bearer(is_there));
        let path = "/.well-known/openid-configuration";
        assert_eq!(ask(service(true), get(path), empty()).await, (200, DOCUMENT.to_owned()));
        assert_eq!(ask(service(false), get(path), empty()).await.0, 503);
        assert_eq!(ask(service(true), get("/konnect/v1/token"), empty()).await.0, 501);
        assert_eq!(ask(service(true), Request::post(path), empty()).await.0, 501);
    }
}
