//! The one place that turns kinds of errors into statuses and oCIS's body for them.

use http::{HeaderValue, Response, StatusCode, header};
use ocis_core::data::{Body, full};
use ocis_core::{Error, ErrorKind};
use serde_json::json;

/// Why a request was refused.
#[derive(Debug)]
pub(crate) enum Failure {
    /// There is no such path.
    NoRoute,
    /// The path is there, but not for this method.
    Method,
    /// The layer before this one did not say who is asking.
    NoContext,
    /// The body is not the JSON that is expected; oCIS answers 412.
    NotJson(String),
    /// A port refused it.
    Error(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// The answer to a refused request.
pub(crate) fn respond(failure: &Failure) -> Response<Body> {
    let (status, text) = match failure {
        Failure::NoRoute => (StatusCode::NOT_FOUND, "there is nothing at this path".into()),
        Failure::Method => (StatusCode::METHOD_NOT_ALLOWED, "POST it".into()),
        Failure::NoContext => (StatusCode::INTERNAL_SERVER_ERROR, "the request failed".into()),
        Failure::NotJson(why) => (StatusCode::PRECONDITION_FAILED, why.clone()),
        Failure::Error(error) => refused(error),
    };
    if status == StatusCode::INTERNAL_SERVER_ERROR {
        tracing::error!(?failure, "a request for settings failed");
    }
    let mut response = Response::new(full(format!("{text}\n")));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, plain);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(header::ALLOW, HeaderValue::from_static("POST"));
    }
    response
}

/// The status of the answer, and the error in oCIS's form. Its status and that of the answer differ
/// for what is forbidden: oCIS answers 400.
fn refused(error: &Error) -> (StatusCode, String) {
    let (status, inner) = match error.kind() {
        ErrorKind::NotFound => (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND),
        ErrorKind::PermissionDenied => (StatusCode::BAD_REQUEST, StatusCode::FORBIDDEN),
        ErrorKind::Unauthenticated => (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED),
        ErrorKind::Unavailable => {
            (StatusCode::SERVICE_UNAVAILABLE, StatusCode::SERVICE_UNAVAILABLE)
        }
        ErrorKind::DeadlineExceeded => (StatusCode::GATEWAY_TIMEOUT, StatusCode::GATEWAY_TIMEOUT),
        ErrorKind::InsufficientStorage => {
            (StatusCode::INSUFFICIENT_STORAGE, StatusCode::INSUFFICIENT_STORAGE)
        }
        ErrorKind::Internal => {
            (StatusCode::INTERNAL_SERVER_ERROR, StatusCode::INTERNAL_SERVER_ERROR)
        }
        _ => (StatusCode::BAD_REQUEST, StatusCode::BAD_REQUEST),
    };
    let detail = match error.kind() {
        // What is broken inside is for the log.
        ErrorKind::Internal => "the request failed",
        _ => error.message(),
    };
    let reason = inner.canonical_reason().unwrap_or_default();
    let body = json!({
        "id": "ocis-settings",
        "code": inner.as_u16(),
        "detail": detail,
        "status": reason,
    });
    (status, body.to_string())
}
