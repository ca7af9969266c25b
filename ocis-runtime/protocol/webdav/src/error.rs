//! The one place that turns kinds of errors into a status and a body.
//!
//! Bodies have the form of the PHP server that ownCloud's clients grew up with (SabreDAV): an
//! exception that stands for the status, and a message for a person. RFC 4918 preconditions stand
//! beside them in the same `d:error` element.

use std::borrow::Cow;

use http::{HeaderValue, Response, StatusCode, header};
use ocis_core::data::{Body, full};
use ocis_core::{Error, ErrorKind};

use crate::xml::write;

/// Why a request was refused.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The status.
    pub(crate) status: StatusCode,
    message: Cow<'static, str>,
    condition: Condition,
    allow: Option<&'static str>,
    cause: Option<Box<Error>>,
}

/// A precondition of RFC 4918 section 16 that did not hold.
#[derive(Debug)]
pub(crate) enum Condition {
    /// None in particular.
    None,
    /// One that stands for itself.
    Named(&'static str),
    /// One that names the resource in the way, by its decoded path.
    At(&'static str, String),
}

/// What a verb answers.
pub(crate) type Answer<T = Response<Body>> = Result<T, Failure>;

impl Failure {
    /// A refusal with `status`.
    pub(crate) fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        let message = message.into();
        Self { status, message, condition: Condition::None, allow: None, cause: None }
    }

    /// 400.
    pub(crate) fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 412.
    pub(crate) fn precondition(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, message)
    }

    /// 501 for what a later version does.
    pub(crate) fn not_yet() -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, "this version does not do that yet")
    }

    /// 405 with the methods that do work.
    pub(crate) fn not_allowed(allow: &'static str, message: &'static str) -> Self {
        Self { allow: Some(allow), ..Self::new(StatusCode::METHOD_NOT_ALLOWED, message) }
    }

    /// The same with a precondition.
    pub(crate) fn with(mut self, condition: Condition) -> Self {
        self.condition = condition;
        self
    }

    /// The same with another status.
    pub(crate) fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The answer.
    pub(crate) fn into_response(self) -> Response<Body> {
        if let Some(cause) = self.cause.filter(|error| error.kind() == ErrorKind::Internal) {
            tracing::error!(error = ?cause, "a WebDAV request failed");
        }
        let mut body = Vec::with_capacity(512);
        write::raw(
            &mut body,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <d:error xmlns:d=\"DAV:\" xmlns:s=\"http://sabredav.org/ns\"><s:exception>",
        );
        write::raw(&mut body, exception(self.status));
        write::raw(&mut body, "</s:exception><s:message>");
        write::text(&mut body, &self.message);
        write::raw(&mut body, "</s:message><s:errorcode></s:errorcode>");
        match &self.condition {
            Condition::None => {}
            Condition::Named(name) => write::raw(&mut body, &format!("<d:{name}/>")),
            Condition::At(name, path) => {
                write::raw(&mut body, &format!("<d:{name}><d:href>"));
                write::href(&mut body, path);
                write::raw(&mut body, &format!("</d:href></d:{name}>"));
            }
        }
        write::raw(&mut body, "</d:error>");
        let mut response = Response::new(full(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/xml; charset=utf-8"),
        );
        if let Some(allow) = self.allow {
            headers.insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        response
    }
}

/// What clients of ownCloud show, and their tests look for.
const NOT_FOUND: &str = "Resource not found";

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let message = match error.kind() {
            ErrorKind::NotFound => NOT_FOUND.into(),
            _ => error.message().to_owned().into(),
        };
        let mut failure = Self { message, ..Self::new(status(error.kind()), "") };
        failure.cause = Some(Box::new(error));
        failure
    }
}

/// oCIS's table from CS3 codes to HTTP.
fn status(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::InvalidArgument => StatusCode::BAD_REQUEST,
        ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorKind::PermissionDenied => StatusCode::FORBIDDEN,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::AlreadyExists | ErrorKind::Conflict => StatusCode::CONFLICT,
        ErrorKind::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
        ErrorKind::Locked => StatusCode::LOCKED,
        ErrorKind::TooEarly => StatusCode::TOO_EARLY,
        ErrorKind::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        ErrorKind::InsufficientStorage => StatusCode::INSUFFICIENT_STORAGE,
        ErrorKind::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn exception(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "Sabre\\DAV\\Exception\\BadRequest",
        401 => "Sabre\\DAV\\Exception\\NotAuthenticated",
        403 => "Sabre\\DAV\\Exception\\Forbidden",
        404 => "Sabre\\DAV\\Exception\\NotFound",
        405 => "Sabre\\DAV\\Exception\\MethodNotAllowed",
        409 => "Sabre\\DAV\\Exception\\Conflict",
        411 => "Sabre\\DAV\\Exception\\LengthRequired",
        412 => "Sabre\\DAV\\Exception\\PreconditionFailed",
        415 => "Sabre\\DAV\\Exception\\UnsupportedMediaType",
        416 => "Sabre\\DAV\\Exception\\RequestedRangeNotSatisfiable",
        423 => "Sabre\\DAV\\Exception\\Locked",
        501 => "Sabre\\DAV\\Exception\\NotImplemented",
        503 => "Sabre\\DAV\\Exception\\ServiceUnavailable",
        507 => "Sabre\\DAV\\Exception\\InsufficientStorage",
        _ => "Sabre\\DAV\\Exception",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;

    #[tokio::test]
    async fn bodies_name_exception_message_and_condition() {
        let failure = Failure::from(Error::locked("a <lock> is held"))
            .with(Condition::At("lock-token-submitted", "/webdav/a b&c".into()));
        let response = failure.into_response();
        assert_eq!(response.status(), StatusCode::LOCKED);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        insta::assert_snapshot!(String::from_utf8_lossy(&body), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns"><s:exception>Sabre\DAV\Exception\Locked</s:exception><s:message>a &lt;lock&gt; is held</s:message><s:errorcode></s:errorcode><d:lock-token-submitted><d:href>/webdav/a%20b&amp;c</d:href></d:lock-token-submitted></d:error>
        "#);
    }
}
