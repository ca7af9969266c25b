//! The one place that turns kinds of errors into OCS codes and HTTP statuses.
//!
//! What a handler refuses follows the rules of oCIS: version 1 says HTTP 200, version 2 derives the
//! status from the code. A path or method that there is not is refused by the router with the HTTP
//! status itself in both versions, as in oCIS.

use http::StatusCode;
use ocis_core::{Error, ErrorKind};

use crate::envelope::Version;

/// Why a request was refused.
#[derive(Debug)]
pub(crate) enum Failure {
    /// There is no such path.
    NoRoute,
    /// The path is one of oCIS's that this version does not serve.
    NotYet,
    /// The path is there, but not for this method.
    Method,
    /// The layer before this one did not say who is asking.
    NoContext,
    /// A handler or a port refused it.
    Error(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Failure {
    /// The code in `ocs.meta`.
    pub(crate) fn code(&self) -> u16 {
        match self {
            Self::NoRoute => 998,
            Self::NotYet => 501,
            Self::Method => 405,
            Self::NoContext => 996,
            Self::Error(error) => match error.kind() {
                ErrorKind::Unauthenticated => 997,
                ErrorKind::PermissionDenied => 403,
                ErrorKind::NotFound => 998,
                ErrorKind::InvalidArgument => 400,
                ErrorKind::AlreadyExists | ErrorKind::Conflict => 409,
                ErrorKind::PreconditionFailed => 412,
                ErrorKind::Locked => 423,
                ErrorKind::TooEarly => 425,
                ErrorKind::ResourceExhausted => 429,
                ErrorKind::InsufficientStorage => 507,
                ErrorKind::Unimplemented => 501,
                ErrorKind::Unavailable => 503,
                ErrorKind::DeadlineExceeded => 504,
                _ => 996,
            },
        }
    }

    /// The HTTP status.
    pub(crate) fn status(&self, version: Version) -> StatusCode {
        if let (Self::Error(_) | Self::NoContext, Version::V1) = (self, version) {
            return StatusCode::OK;
        }
        match self.code() {
            997 => StatusCode::UNAUTHORIZED,
            998 => StatusCode::NOT_FOUND,
            code => StatusCode::from_u16(code)
                .ok()
                .filter(|_| code < 600)
                .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }

    /// The sentence in `ocs.meta`.
    pub(crate) fn message(&self) -> &str {
        match self {
            Self::NoRoute => "Not Found",
            Self::NotYet => "this version does not do that yet",
            Self::Method => "Method Not Allowed",
            Self::NoContext => "Server Error",
            Self::Error(error) => match error.kind() {
                ErrorKind::Unauthenticated => "Unauthorised",
                ErrorKind::Internal => "Server Error",
                _ => error.message(),
            },
        }
    }

    /// Logs what the administrator has to know of.
    pub(crate) fn log(&self) {
        match self {
            Self::Error(error) if error.kind() == ErrorKind::Internal => {
                tracing::error!(?error, "an OCS request failed");
            }
            Self::NoContext => tracing::error!("an OCS request came without its context"),
            _ => {}
        }
    }
}
