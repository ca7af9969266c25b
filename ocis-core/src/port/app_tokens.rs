//! Which tokens may the programs of an account sign in with?

use serde::{Deserialize, Serialize};

use crate::config::Secret;
use crate::id::UserId;
use crate::port::declare::port;
use crate::time::Timestamp;

/// A token to make.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreateAppToken {
    /// The account, if it is another one than the caller's.
    pub user: Option<UserId>,
    /// The same by the name to sign in with; when both are given, they must be one account's.
    pub username: Option<String>,
    /// What the owner recognises it by.
    pub label: String,
    /// Until when it is good.
    pub expires: Timestamp,
}

/// What is kept of a token: everything but the token itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppToken {
    /// The hash of the token, which names it when it is to be revoked.
    pub hash: String,
    /// What the owner recognises it by.
    pub label: String,
    /// When it was made.
    pub created: Timestamp,
    /// Until when it is good.
    pub expires: Timestamp,
}

/// A token that was made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewAppToken {
    /// What to sign in with instead of a password. Nobody is told it again.
    pub token: Secret,
    /// The name to sign in with.
    pub username: String,
    /// What is kept of it.
    pub kept: AppToken,
}

/// Which tokens to list.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ListAppTokens {}

/// A token that is to be good no longer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RevokeAppToken {
    /// The token, or its hash.
    pub token: Secret,
}

port! {
    /// App tokens. Changes are durable when they are answered, and count at once.
    pub trait AppTokens = "app-tokens" {
        /// Makes a token: everybody for themselves, parts of this server for everybody, and, where
        /// impersonation is switched on, who has `Accounts.ReadWrite`. Otherwise
        /// [`crate::ErrorKind::PermissionDenied`]; [`crate::ErrorKind::NotFound`] when there is no
        /// such account; [`crate::ErrorKind::InvalidArgument`] for a time that has passed;
        /// [`crate::ErrorKind::ResourceExhausted`] when the account has too many.
        async fn create(CreateAppToken) -> NewAppToken;
        /// The tokens of the caller, the oldest first, expired ones too; a bounded number.
        async fn list(ListAppTokens) -> Vec<AppToken>;
        /// Revokes a token of the caller; [`crate::ErrorKind::NotFound`] when the caller has no such
        /// token.
        async fn revoke(RevokeAppToken) -> ();
    }
}
