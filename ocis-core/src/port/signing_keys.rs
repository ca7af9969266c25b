//! With which key does an account sign URLs?

use serde::{Deserialize, Serialize};

use crate::config::Secret;
use crate::id::UserId;
use crate::port::declare::port;

/// Asks for the caller's key.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct OwnSigningKey {}

/// The key of an account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SigningKey {
    /// The account.
    pub user: UserId,
    /// The key; its bytes are those of this text.
    pub key: Secret,
}

port! {
    /// The keys with which clients sign URLs that somebody is to fetch without credentials.
    pub trait SigningKeys = "signing-keys" {
        /// The caller's key, which is made when there is none. It is durable when it is told.
        async fn own(OwnSigningKey) -> SigningKey;
    }
}
