//! What every call carries: who asks, until when, in which trace, and what time it is.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::id::{GroupId, UserId};
use crate::scope::Scope;
use crate::time::Timestamp;
use crate::user::UserRole;

/// The first argument of every port call.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Cx {
    /// Who asks.
    pub caller: Caller,
    /// When the answer is of no use any more; none means never.
    pub deadline: Option<Timestamp>,
    /// The request id that ties log lines of one request together.
    pub trace: Arc<str>,
    /// The time at which the request came in. The domain takes the time from here and reads no
    /// clock of its own.
    pub now: Timestamp,
}

impl Cx {
    /// A context for `caller` at `now` without deadline or trace.
    pub fn new(caller: Caller, now: Timestamp) -> Self {
        Self { caller, deadline: None, trace: "".into(), now }
    }
}

/// Who asks.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Caller {
    /// Nobody that we know.
    Anonymous,
    /// A person who signed in.
    User(Arc<Identity>),
    /// A part of this server acting on its own account; may do everything.
    Service(Arc<str>),
}

impl Caller {
    /// The person who signed in; [`crate::ErrorKind::Unauthenticated`] for anybody else.
    pub fn identity(&self) -> Result<&Arc<Identity>> {
        match self {
            Self::User(identity) => Ok(identity),
            _ => Err(Error::unauthenticated("you are not signed in")),
        }
    }
}

/// The address that a request came from, in the extensions of an HTTP request: that of the client,
/// not of a proxy in front of this server that is trusted. Set by whoever accepts requests, never
/// taken from a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub std::net::IpAddr);

/// What is known of a person who signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The account.
    pub id: UserId,
    /// The issuer that knows the account (`OCIS_URL` for the embedded directory).
    pub idp: Arc<str>,
    /// The name to sign in with.
    pub username: String,
    /// The name to show.
    pub display_name: String,
    /// The mail address; may be empty.
    pub mail: String,
    /// The groups of the account.
    pub groups: Vec<GroupId>,
    /// The role of the account. What checks credentials does not know it and says `User`; the edge
    /// asks [`crate::port::Roles`] before anybody acts on it.
    pub role: UserRole,
    /// How far the credentials reach that were presented.
    #[serde(default)]
    pub scope: Scope,
}
