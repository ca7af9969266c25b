//! What the server or the connection to it says went wrong, as errors of the domain.

use ldap3::{LdapError, LdapResult};
use ocis_core::{Error, ErrorKind};

/// Result codes of RFC 4511 section 4.1.9 that decide something here.
pub(super) mod code {
    pub(in crate::ldap) const SIZE_LIMIT_EXCEEDED: u32 = 4;
    pub(in crate::ldap) const NO_SUCH_OBJECT: u32 = 32;
    pub(in crate::ldap) const INAPPROPRIATE_AUTHENTICATION: u32 = 48;
    pub(in crate::ldap) const INVALID_CREDENTIALS: u32 = 49;
    pub(in crate::ldap) const UNWILLING_TO_PERFORM: u32 = 53;
}

/// There is no connection, or there is none any more.
pub(super) fn no_connection(error: LdapError) -> Error {
    Error::unavailable("the user directory cannot be reached").because(error)
}

/// The error of a request that went out.
pub(super) fn failed(error: LdapError) -> Error {
    match error {
        LdapError::LdapResult { result } => refused(result),
        LdapError::FilterParsing | LdapError::AddNoValues => {
            Error::internal("a request to the user directory was malformed").because(error)
        }
        error => no_connection(error),
    }
}

/// Whether the connection is gone, so that the same request can succeed on another one.
pub(super) fn is_lost(error: &LdapError) -> bool {
    !matches!(
        error,
        LdapError::LdapResult { .. } | LdapError::FilterParsing | LdapError::AddNoValues
    )
}

/// The server's refusal. What it says about it is for the log.
pub(super) fn refused(result: LdapResult) -> Error {
    let (kind, message) = match result.rc {
        3 | 51 | 52 => (ErrorKind::Unavailable, "the user directory is busy"),
        4 | 11 => {
            (ErrorKind::ResourceExhausted, "the user directory does not list that many entries")
        }
        8 | 13 | 50 | 53 => (ErrorKind::PermissionDenied, "the user directory does not allow this"),
        16 | 32 => (ErrorKind::NotFound, "there is no such entry in the user directory"),
        19 | 21 | 34 | 64 => {
            (ErrorKind::InvalidArgument, "the user directory does not accept this value")
        }
        20 | 68 => (ErrorKind::AlreadyExists, "there is such an entry in the user directory"),
        65 => (ErrorKind::Conflict, "the schema of the user directory does not allow this"),
        _ => (ErrorKind::Internal, "the user directory cannot do this"),
    };
    let text = result.to_string();
    Error::new(kind, message).with("ldap", result.rc).because(text)
}
