//! The one place that turns kinds of errors into libre.graph's codes and HTTP statuses.

use std::borrow::Cow;

use chrono::SecondsFormat;
use http::{HeaderValue, Response, StatusCode, header};
use ocis_core::data::{Body, full};
use ocis_core::{Cx, Error, ErrorKind};
use serde::Serialize;

/// The outcome of a request.
pub(crate) type Answer<T = Response<Body>> = Result<T, Failure>;

/// Why a request was refused.
#[derive(Debug)]
pub(crate) enum Failure {
    /// There is no such path.
    NoRoute,
    /// oCIS has such a path or option, this version does not.
    NotYet,
    /// The path is there, but only for these methods.
    Method(&'static str),
    /// The layer before this one did not say who is asking.
    NoContext,
    /// What oCIS answers with a status and code of its own.
    Refused(StatusCode, &'static str, Cow<'static, str>),
    /// A port or a parser refused it.
    Error(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Failure {
    /// 400 `invalidRequest`.
    pub(crate) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Error(Error::invalid(message))
    }

    /// 403 `accessDenied`.
    pub(crate) fn denied(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Error(Error::denied(message))
    }

    /// 404 `itemNotFound`.
    pub(crate) fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Error(Error::not_found(message))
    }

    /// 403 `notAllowed`, which oCIS says where nobody may do it, whatever the role.
    pub(crate) fn not_allowed(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Refused(StatusCode::FORBIDDEN, "notAllowed", message.into())
    }

    /// What a port refused, if it did so for this reason.
    pub(crate) fn kind(&self) -> Option<ErrorKind> {
        match self {
            Self::Error(error) => Some(error.kind()),
            _ => None,
        }
    }
}

#[derive(Serialize)]
struct Outer<'a> {
    error: Main<'a>,
}

#[derive(Serialize)]
struct Main<'a> {
    code: &'a str,
    innererror: Inner<'a>,
    message: &'a str,
}

#[derive(Serialize)]
struct Inner<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<String>,
    #[serde(rename = "request-id")]
    request_id: &'a str,
}

/// The answer to a refused request.
pub(crate) fn respond(cx: Option<&Cx>, failure: &Failure) -> Response<Body> {
    let (status, code) = classify(failure);
    if status == StatusCode::INTERNAL_SERVER_ERROR {
        tracing::error!(?failure, "a Graph request failed");
    }
    let date = cx.map(|cx| cx.now.date_time().to_rfc3339_opts(SecondsFormat::Secs, true));
    let request_id = cx.map_or("", |cx| &*cx.trace);
    let message = message(failure);
    let innererror = Inner { date, request_id };
    let body = Outer { error: Main { code, innererror, message: &message } };
    // Strings alone cannot fail to be written.
    let mut response = Response::new(full(serde_json::to_vec(&body).unwrap_or_default()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Failure::Method(allowed) = failure {
        headers.insert(header::ALLOW, HeaderValue::from_static(allowed));
    }
    response
}

fn classify(failure: &Failure) -> (StatusCode, &'static str) {
    match failure {
        Failure::NoRoute => (StatusCode::NOT_FOUND, "itemNotFound"),
        Failure::NotYet => (StatusCode::NOT_IMPLEMENTED, "notSupported"),
        Failure::Method(_) => (StatusCode::METHOD_NOT_ALLOWED, "notAllowed"),
        Failure::NoContext => (StatusCode::INTERNAL_SERVER_ERROR, "generalException"),
        Failure::Refused(status, code, _) => (*status, code),
        Failure::Error(error) => match error.kind() {
            ErrorKind::InvalidArgument => (StatusCode::BAD_REQUEST, "invalidRequest"),
            ErrorKind::Unauthenticated => (StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken"),
            ErrorKind::PermissionDenied => (StatusCode::FORBIDDEN, "accessDenied"),
            ErrorKind::NotFound => (StatusCode::NOT_FOUND, "itemNotFound"),
            ErrorKind::AlreadyExists => (StatusCode::CONFLICT, "nameAlreadyExists"),
            ErrorKind::Conflict => (StatusCode::CONFLICT, "resourceModified"),
            ErrorKind::PreconditionFailed => {
                (StatusCode::PRECONDITION_FAILED, "preconditionFailed")
            }
            ErrorKind::Locked => (StatusCode::LOCKED, "itemIsLocked"),
            ErrorKind::TooEarly => (StatusCode::TOO_EARLY, "serviceNotAvailable"),
            ErrorKind::ResourceExhausted => (StatusCode::TOO_MANY_REQUESTS, "activityLimitReached"),
            ErrorKind::InsufficientStorage => {
                (StatusCode::INSUFFICIENT_STORAGE, "quotaLimitReached")
            }
            ErrorKind::Unimplemented => (StatusCode::NOT_IMPLEMENTED, "notSupported"),
            ErrorKind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "serviceNotAvailable"),
            ErrorKind::DeadlineExceeded => (StatusCode::GATEWAY_TIMEOUT, "serviceNotAvailable"),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "generalException"),
        },
    }
}

fn message(failure: &Failure) -> Cow<'_, str> {
    match failure {
        Failure::NoRoute => "there is nothing at this path".into(),
        Failure::NotYet => "this version does not do that yet".into(),
        Failure::Method(_) => "the method is not allowed here".into(),
        Failure::NoContext => "the request failed".into(),
        Failure::Refused(_, _, message) => Cow::Borrowed(message),
        // What is broken inside is for the log.
        Failure::Error(error) if error.kind() == ErrorKind::Internal => "the request failed".into(),
        Failure::Error(error) => error.message().into(),
    }
}
