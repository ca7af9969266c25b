//! HTTP services that are known by name before they are there, and those that never will be.

use std::convert::Infallible;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Request, Response, StatusCode};
use ocis_core::data::{Body, HttpService, full};
use ocis_core::port::Late;
use tower::{ServiceExt as _, service_fn};

/// The service that `handle` is bound to; 503 while it is bound to nothing. `name` is what the
/// answer calls it.
pub(crate) fn late_http(handle: Late<HttpService>, name: &'static str) -> HttpService {
    HttpService::new(service_fn(move |request: Request<Body>| {
        let service = handle.bound();
        async move {
            match service {
                Ok(service) => HttpService::clone(&service).oneshot(request).await,
                Err(_) => Ok(unavailable(name)),
            }
        }
    }))
}

/// A service that answers everything with 501, because what `name` is for comes later.
pub(crate) fn not_implemented(name: &'static str) -> HttpService {
    HttpService::new(service_fn(move |_: Request<Body>| async move {
        let text = format!("{name} is not part of this version yet\n");
        Ok::<_, Infallible>(plain(StatusCode::NOT_IMPLEMENTED, text))
    }))
}

/// An answer in plain text.
pub(crate) fn plain(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(full(text));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

fn unavailable(name: &str) -> Response<Body> {
    let text = format!("{name} does not run in this server at the moment\n");
    let mut response = plain(StatusCode::SERVICE_UNAVAILABLE, text);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ocis_core::data::empty;

    use super::*;

    async fn status(service: &HttpService) -> StatusCode {
        service.clone().oneshot(Request::new(empty())).await.unwrap().status()
    }

    #[tokio::test]
    async fn answers_503_until_it_is_bound_and_after_it_is_unbound() {
        let handle = Late::named("http");
        let service = late_http(handle.clone(), "ocdav");
        assert_eq!(status(&service).await, StatusCode::SERVICE_UNAVAILABLE);
        handle.bind(Arc::new(not_implemented("ocdav")));
        assert_eq!(status(&service).await, StatusCode::NOT_IMPLEMENTED);
        handle.unbind();
        assert_eq!(status(&service).await, StatusCode::SERVICE_UNAVAILABLE);
    }
}
