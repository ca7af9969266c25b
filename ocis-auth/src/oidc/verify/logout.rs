//! What a provider says when a session has ended.

use std::time::Duration;

use ocis_core::Result;
use ocis_core::time::Timestamp;

use super::claims::Claims;
use super::{SKEW, refused};

/// How old a logout token may be. The provider sends it at once; it says no more about when it ends.
const MAX_AGE: Duration = Duration::from_secs(600);

/// A verified logout token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogoutToken {
    /// The session that ended; none for all sessions of the person.
    pub session: Option<String>,
    /// Whose session ended.
    pub subject: Option<String>,
    /// When it was issued.
    pub issued: Timestamp,
}

impl LogoutToken {
    /// The rest of the rules of section 2.6, after signature, issuer, audience and event.
    pub(super) fn of(claims: &Claims, now: Timestamp) -> Result<Self> {
        if claims.has("nonce") {
            return Err(refused("a logout token has no nonce"));
        }
        let text = |name| claims.text(name).map(str::to_owned);
        let (session, subject) = (text("sid"), text("sub"));
        if session.is_none() && subject.is_none() {
            return Err(refused("the logout token names neither session nor person"));
        }
        let issued = claims.time("iat").ok_or_else(|| refused("the token does not say its age"))?;
        if issued.plus(MAX_AGE).plus(SKEW) < now {
            return Err(refused("the logout token is too old"));
        }
        Ok(Self { session, subject, issued })
    }
}
