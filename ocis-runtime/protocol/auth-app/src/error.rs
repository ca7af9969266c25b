//! The one place that turns kinds of errors into statuses. The body is the sentence, as in oCIS.

use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use ocis_core::data::{Body, full};
use ocis_core::{Error, ErrorKind};

/// Why a request was refused.
#[derive(Debug)]
pub(crate) enum Failure {
    /// There is no such path.
    NoRoute,
    /// The path is there, but not for this method.
    Method,
    /// The layer before this one did not say who is asking.
    NoContext,
    /// A port refused it.
    Error(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Failure {
    fn status(&self) -> StatusCode {
        match self {
            Self::NoRoute => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::NoContext => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Error(error) => match error.kind() {
                ErrorKind::InvalidArgument => StatusCode::BAD_REQUEST,
                ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
                ErrorKind::PermissionDenied => StatusCode::FORBIDDEN,
                ErrorKind::NotFound => StatusCode::NOT_FOUND,
                ErrorKind::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
                ErrorKind::InsufficientStorage => StatusCode::INSUFFICIENT_STORAGE,
                ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
                ErrorKind::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            },
        }
    }

    /// The answer.
    pub(crate) fn response(&self) -> Response<Body> {
        let status = self.status();
        let text = match self {
            Self::Error(error) if status != StatusCode::INTERNAL_SERVER_ERROR => error.message(),
            _ => status.canonical_reason().unwrap_or_default(),
        };
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(failure = ?self, "a request about app tokens failed");
        }
        let mut response = Response::new(full(format!("{text}\n")));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        if status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(ALLOW, HeaderValue::from_static("GET, POST, DELETE"));
        }
        response
    }
}
