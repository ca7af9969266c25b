//! How an operation ended, in LDAP's codes.

use ldap3_proto::proto::{LdapResult, LdapResultCode};
use ocis_core::{Error, ErrorKind};

/// Why an operation did not succeed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refusal {
    pub(super) code: LdapResultCode,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(code: LdapResultCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let code = match error.kind() {
            ErrorKind::InvalidArgument => LdapResultCode::ConstraintViolation,
            ErrorKind::Unauthenticated => LdapResultCode::InvalidCredentials,
            ErrorKind::PermissionDenied => LdapResultCode::InsufficentAccessRights,
            ErrorKind::NotFound => LdapResultCode::NoSuchObject,
            ErrorKind::AlreadyExists => LdapResultCode::EntryAlreadyExists,
            ErrorKind::ResourceExhausted | ErrorKind::Unavailable => LdapResultCode::Busy,
            _ => {
                tracing::error!(%error, "an LDAP operation failed");
                LdapResultCode::Other
            }
        };
        Self::new(code, error.message())
    }
}

/// The result that a client is told.
pub(super) fn result(code: LdapResultCode, message: impl Into<String>) -> LdapResult {
    LdapResult { code, matcheddn: String::new(), message: message.into(), referral: Vec::new() }
}

/// Success, or the refusal.
pub(super) fn outcome(outcome: Result<(), Refusal>) -> LdapResult {
    match outcome {
        Ok(()) => result(LdapResultCode::Success, ""),
        Err(Refusal { code, message }) => result(code, message),
    }
}
