//! One error for the whole system: a kind that decides what a protocol answers, a message for a
//! person, and context for the log.
//!
//! Rules: a driver keeps its detailed errors private and converts them once; a protocol turns
//! kinds into its status in exactly one place; an error is logged where it is handled, never where
//! it is passed on; a message never holds a secret, a token or a password.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The result of everything that can fail here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, as far as a caller can act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request can never succeed as it is (bad name, bad checksum, bad syntax).
    InvalidArgument,
    /// Nobody, or nobody known, is asking.
    Unauthenticated,
    /// The caller is known and may not.
    PermissionDenied,
    /// It is not there, or the caller may not know that it is.
    NotFound,
    /// The target exists and must not.
    AlreadyExists,
    /// The state of something else forbids it: a missing parent, a file where a folder must be.
    Conflict,
    /// A condition of the request (an etag, a time) does not hold.
    PreconditionFailed,
    /// A lock is held and its token was not given.
    Locked,
    /// The file is there but still being processed.
    TooEarly,
    /// A limit on the caller: too many attempts, too many requests.
    ResourceExhausted,
    /// The quota or the disk is full.
    InsufficientStorage,
    /// This version does not do that.
    Unimplemented,
    /// Not now; the same request may succeed later.
    Unavailable,
    /// The deadline of the request has passed.
    DeadlineExceeded,
    /// A defect or a broken device; nothing that the caller can mend.
    Internal,
}

impl ErrorKind {
    /// Whether repeating the same request later can help.
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::Unavailable | Self::TooEarly | Self::ResourceExhausted)
    }

    /// The name under which the kind crosses a wire and appears in logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidArgument => "invalid_argument",
            Self::Unauthenticated => "unauthenticated",
            Self::PermissionDenied => "permission_denied",
            Self::NotFound => "not_found",
            Self::AlreadyExists => "already_exists",
            Self::Conflict => "conflict",
            Self::PreconditionFailed => "precondition_failed",
            Self::Locked => "locked",
            Self::TooEarly => "too_early",
            Self::ResourceExhausted => "resource_exhausted",
            Self::InsufficientStorage => "insufficient_storage",
            Self::Unimplemented => "unimplemented",
            Self::Unavailable => "unavailable",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::Internal => "internal",
        }
    }
}

/// An error: kind, message and context survive a wire, the source does not.
#[derive(Serialize, Deserialize)]
pub struct Error {
    kind: ErrorKind,
    message: Cow<'static, str>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    context: Vec<(Cow<'static, str>, String)>,
    #[serde(skip)]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// A new error of `kind`; `message` is a sentence for the person who made the request.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, message: message.into(), context: Vec::new(), source: None }
    }

    /// Adds a fact for the log, such as `("space", id)`.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.context.push((Cow::Borrowed(key), value.to_string()));
        self
    }

    /// Adds the error that caused this one.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What a caller can act on.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The sentence for the person who made the request.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The facts for the log, in the order in which they were added.
    pub fn context(&self) -> impl Iterator<Item = (&str, &str)> {
        self.context.iter().map(|(key, value)| (key.as_ref(), value.as_str()))
    }
}

macro_rules! shorthand {
    ($($(#[$doc:meta])* $name:ident => $kind:ident;)*) => {
        impl Error {
            $($(#[$doc])*
            pub fn $name(message: impl Into<Cow<'static, str>>) -> Self {
                Self::new(ErrorKind::$kind, message)
            })*
        }
    };
}

shorthand! {
    /// An error of kind [`ErrorKind::InvalidArgument`].
    invalid => InvalidArgument;
    /// An error of kind [`ErrorKind::Unauthenticated`].
    unauthenticated => Unauthenticated;
    /// An error of kind [`ErrorKind::PermissionDenied`].
    denied => PermissionDenied;
    /// An error of kind [`ErrorKind::NotFound`].
    not_found => NotFound;
    /// An error of kind [`ErrorKind::AlreadyExists`].
    exists => AlreadyExists;
    /// An error of kind [`ErrorKind::Conflict`].
    conflict => Conflict;
    /// An error of kind [`ErrorKind::PreconditionFailed`].
    precondition => PreconditionFailed;
    /// An error of kind [`ErrorKind::Locked`].
    locked => Locked;
    /// An error of kind [`ErrorKind::InsufficientStorage`].
    full => InsufficientStorage;
    /// An error of kind [`ErrorKind::Unimplemented`].
    unimplemented => Unimplemented;
    /// An error of kind [`ErrorKind::Unavailable`].
    unavailable => Unavailable;
    /// An error of kind [`ErrorKind::Internal`].
    internal => Internal;
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for (key, value) in &self.context {
            write!(f, " [{key}={value}]")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self}", self.kind.as_str())?;
        match &self.source {
            Some(source) => write!(f, " (caused by: {source})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kind_message_and_context_survive_the_wire() {
        let error = Error::locked("the file is locked").with("node", "n1").because("secret cause");
        let json = serde_json::to_string(&error).unwrap();
        assert!(!json.contains("secret cause"));
        let back: Error = serde_json::from_str(&json).unwrap();
        assert_eq!(back.kind(), ErrorKind::Locked);
        assert_eq!(back.message(), "the file is locked");
        assert_eq!(back.context().collect::<Vec<_>>(), [("node", "n1")]);
    }
}
