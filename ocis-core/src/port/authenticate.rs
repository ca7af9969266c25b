//! Who presents these credentials?

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::config::Secret;
use crate::cx::Identity;
use crate::port::declare::port;

/// What a client presents to prove who it is.
#[derive(Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Credentials {
    /// HTTP basic authentication.
    Basic {
        /// The user name, as sent.
        username: String,
        /// The password, as sent.
        password: String,
        /// The address that the request came from, for slowing down guessers.
        peer: Option<IpAddr>,
    },
    /// A token of an OpenID provider (RFC 6750).
    Bearer {
        /// The token, as sent.
        token: Secret,
    },
}

impl Credentials {
    /// The kind of credentials, which is the key of the service that checks them.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Basic { .. } => "basic",
            Self::Bearer { .. } => "bearer",
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Basic { username, peer, .. } => f
                .debug_struct("Basic")
                .field("username", username)
                .field("peer", peer)
                .finish_non_exhaustive(),
            Self::Bearer { .. } => f.debug_struct("Bearer").finish_non_exhaustive(),
        }
    }
}

port! {
    /// Checks credentials.
    pub trait Authenticate = "authenticate" {
        /// The person whom the credentials prove. [`crate::ErrorKind::Unauthenticated`] when they
        /// prove nobody (the answer does not tell whether the account exists);
        /// [`crate::ErrorKind::ResourceExhausted`] when there were too many failures.
        async fn authenticate(Credentials) -> std::sync::Arc<Identity>;
    }
}
