//! Who presents these credentials?

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::config::Secret;
use crate::cx::Identity;
use crate::port::FindUser;
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
    /// A user name with an app token, sent as basic authentication.
    AppToken {
        /// The user name, as sent.
        username: String,
        /// The token, as sent.
        token: Secret,
        /// The address that the request came from, for slowing down guessers.
        peer: Option<IpAddr>,
    },
    /// A URL that was signed with the key of an account.
    SignedUrl {
        /// The method of the request.
        method: String,
        /// The whole URL with its signature, as the client wrote it.
        url: String,
        /// The address that the request came from, for slowing down guessers.
        peer: Option<IpAddr>,
    },
    /// A part of this server acts for a user (`OCIS_MACHINE_AUTH_API_KEY`). Never comes from
    /// outside.
    Machine {
        /// The account.
        user: FindUser,
        /// The key.
        key: Secret,
    },
    /// A part of this server acts on its own account (`OCIS_SERVICE_ACCOUNT_ID`). Never comes from
    /// outside.
    ServiceAccount {
        /// The account.
        id: String,
        /// Its secret.
        secret: Secret,
    },
}

impl Credentials {
    /// The kind [`Self::AppToken`].
    pub const APP_TOKEN: &'static str = "app-token";
    /// The kind [`Self::SignedUrl`].
    pub const SIGNED_URL: &'static str = "signed-url";
    /// The kind [`Self::Machine`].
    pub const MACHINE: &'static str = "machine";
    /// The kind [`Self::ServiceAccount`].
    pub const SERVICE_ACCOUNT: &'static str = "service-account";

    /// The kind of credentials, which is the key of the service that checks them.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Basic { .. } => "basic",
            Self::Bearer { .. } => "bearer",
            Self::AppToken { .. } => Self::APP_TOKEN,
            Self::SignedUrl { .. } => Self::SIGNED_URL,
            Self::Machine { .. } => Self::MACHINE,
            Self::ServiceAccount { .. } => Self::SERVICE_ACCOUNT,
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
            Self::AppToken { username, peer, .. } => f
                .debug_struct("AppToken")
                .field("username", username)
                .field("peer", peer)
                .finish_non_exhaustive(),
            // Whoever has a signed URL may use it.
            Self::SignedUrl { method, peer, .. } => f
                .debug_struct("SignedUrl")
                .field("method", method)
                .field("peer", peer)
                .finish_non_exhaustive(),
            Self::Machine { user, .. } => {
                f.debug_struct("Machine").field("user", user).finish_non_exhaustive()
            }
            Self::ServiceAccount { id, .. } => {
                f.debug_struct("ServiceAccount").field("id", id).finish_non_exhaustive()
            }
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
