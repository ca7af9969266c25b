//! Answers that the edge gives itself: kinds of errors as status and body.

use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use ocis_core::data::{Body, full};
use ocis_core::{Error, ErrorKind};

use crate::late_http::plain;

/// The answer to a request that failed before any service saw it; in WebDAV's XML when `dav`.
pub(super) fn failed(error: &Error, dav: bool) -> Response<Body> {
    let (status, exception) = match error.kind() {
        ErrorKind::Unauthenticated => (StatusCode::UNAUTHORIZED, "NotAuthenticated"),
        ErrorKind::InvalidArgument => (StatusCode::BAD_REQUEST, "BadRequest"),
        ErrorKind::PermissionDenied => (StatusCode::FORBIDDEN, "Forbidden"),
        ErrorKind::ResourceExhausted => (StatusCode::TOO_MANY_REQUESTS, "TooManyRequests"),
        ErrorKind::Unimplemented => (StatusCode::NOT_IMPLEMENTED, "NotImplemented"),
        ErrorKind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable"),
        ErrorKind::DeadlineExceeded => (StatusCode::GATEWAY_TIMEOUT, "ServiceUnavailable"),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError"),
    };
    // Only what the caller can act on is told; the rest is for the log.
    let message = match status {
        StatusCode::INTERNAL_SERVER_ERROR => "internal error",
        StatusCode::UNAUTHORIZED => "Authentication error",
        _ => error.message(),
    };
    let mut response = match dav {
        true => sabre(status, exception, message),
        false => plain(status, format!("{message}\n")),
    };
    if let Some(seconds) = retry_after(error) {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// The answer of a route whose service is not part of this server.
pub(super) fn not_here(service: &str, url: &str) -> Response<Body> {
    let url = url.trim_end_matches('/');
    let text = match service {
        "web" => format!(
            "Infinite Scale is running, but its web interface is not part of this version yet.\n\
             Files are at {url}/remote.php/webdav for every WebDAV client (rclone, file managers, \
             curl), and the ownCloud desktop client connects to {url}.\n"
        ),
        _ => format!("{service} is not part of this server\n"),
    };
    plain(StatusCode::NOT_IMPLEMENTED, text)
}

fn retry_after(error: &Error) -> Option<u64> {
    let told = error.context().find(|(key, _)| *key == "retry_after");
    match error.kind() {
        ErrorKind::ResourceExhausted => Some(told.and_then(|(_, s)| s.parse().ok()).unwrap_or(30)),
        ErrorKind::Unavailable => Some(1),
        _ => None,
    }
}

/// Sabre's error body, as WebDAV clients expect it. `message` is one of ours.
fn sabre(status: StatusCode, exception: &str, message: &str) -> Response<Body> {
    let message = message.replace('&', "&amp;").replace('<', "&lt;");
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <d:error xmlns:d=\"DAV:\" xmlns:s=\"http://sabredav.org/ns\">\
         <s:exception>Sabre\\DAV\\Exception\\{exception}</s:exception>\
         <s:message>{message}</s:message></d:error>"
    );
    let mut response = Response::new(full(text));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/xml; charset=utf-8"));
    response
}
