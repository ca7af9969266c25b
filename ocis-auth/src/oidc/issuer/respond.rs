//! The shapes of answers.

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, LOCATION, PRAGMA, WWW_AUTHENTICATE,
};
use http::{HeaderValue, Response, StatusCode};
use ocis_core::data::{Body, full};
use serde::Serialize;
use serde_json::json;

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

fn plain(status: StatusCode, bytes: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(full(bytes));
    *response.status_mut() = status;
    response
}

/// An answer that must not be kept anywhere.
fn private(status: StatusCode, bytes: impl Into<Bytes>) -> Response<Body> {
    let mut response = plain(status, bytes);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// A status and nothing else.
pub(super) fn empty(status: StatusCode) -> Response<Body> {
    private(status, "")
}

/// JSON that pages of any origin may read: these endpoints look at no cookies.
pub(super) fn public_json(bytes: Bytes) -> Response<Body> {
    let mut response = plain(StatusCode::OK, bytes);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"));
    response
}

/// JSON for the one who asked.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response<Body> {
    let bytes = serde_json::to_vec(value).unwrap_or_default();
    let mut response = private(status, bytes);
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

/// The same, for pages of any origin.
pub(super) fn open_json(status: StatusCode, value: &impl Serialize) -> Response<Body> {
    let mut response = json(status, value);
    let any = HeaderValue::from_static("*");
    response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, any);
    response
}

/// An error of the token endpoint (RFC 6749 section 5.2).
pub(super) fn oauth_error(status: StatusCode, error: &str, description: &str) -> Response<Body> {
    let body = json!({ "error": error, "error_description": description });
    let mut response = open_json(status, &body);
    if status == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Basic realm=\"token\"");
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}

/// A refused access token (RFC 6750 section 3).
pub(super) fn bearer_error(error: Option<&str>) -> Response<Body> {
    let challenge = match error {
        Some(error) => format!("Bearer error=\"{error}\""),
        None => "Bearer".to_owned(),
    };
    let mut response = open_json(StatusCode::UNAUTHORIZED, &json!({ "error": error }));
    if let Ok(challenge) = HeaderValue::from_str(&challenge) {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}

/// Sends the browser elsewhere with a `GET`: 302 as oCIS does, 303 after a form.
pub(super) fn redirect(location: &str, after_form: bool) -> Response<Body> {
    let status = if after_form { StatusCode::SEE_OTHER } else { StatusCode::FOUND };
    let Ok(location) = HeaderValue::from_str(location) else {
        return empty(StatusCode::BAD_REQUEST);
    };
    let mut response = empty(status);
    response.headers_mut().insert(LOCATION, location);
    response
}

/// A file of ours that does not change while the server runs.
pub(super) fn file(kind: &'static str, bytes: impl Into<Bytes>) -> Response<Body> {
    let mut response = plain(StatusCode::OK, bytes);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400"));
    response
}

/// A page.
pub(super) fn html(status: StatusCode, policy: &str, text: String) -> Response<Body> {
    let mut response = private(status, text);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    if let Ok(policy) = HeaderValue::from_str(policy) {
        headers.insert(http::header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}
