//! Sessions that the provider ended before their tokens expired.

use std::sync::atomic::{AtomicBool, Ordering};

use moka::sync::Cache;
use ocis_core::time::Timestamp;

use crate::oidc::verify::{LogoutToken, Verified};

/// For how many sessions and people it is known. A provider ends those of one person at a time.
const REMEMBERED: u64 = 100_000;

/// The session that a token belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Session {
    id: Option<String>,
    subject: Option<String>,
    /// When the token was issued; for one that does not say, and one that only the provider can
    /// judge, when it was looked at.
    since: Timestamp,
}

impl Session {
    pub(super) fn of(verified: &Verified, now: Timestamp) -> Self {
        let text = |name| verified.claims.text(name).map(str::to_owned);
        let issued = verified.claims.time("iat").filter(|_| verified.is_signed);
        Self { id: text("sid"), subject: text("sub"), since: issued.unwrap_or(now) }
    }
}

/// What has ended.
#[derive(Debug)]
pub(super) struct Ended {
    any: AtomicBool,
    sessions: Cache<String, ()>,
    subjects: Cache<String, Timestamp>,
}

impl Default for Ended {
    fn default() -> Self {
        Self {
            any: AtomicBool::new(false),
            sessions: Cache::new(REMEMBERED),
            subjects: Cache::new(REMEMBERED),
        }
    }
}

impl Ended {
    /// Ends the session of a logout token; without one, everything of the person that began before
    /// the logout token was issued.
    pub(super) fn end(&self, token: &LogoutToken, now: Timestamp) {
        match (&token.session, &token.subject) {
            (Some(session), _) => self.sessions.insert(session.clone(), ()),
            (None, Some(subject)) => {
                let at = token.issued.min(now);
                let latest = self.subjects.get(subject).map_or(at, |before| before.max(at));
                self.subjects.insert(subject.clone(), latest);
            }
            (None, None) => {}
        }
        self.any.store(true, Ordering::Release);
    }

    /// Whether the session has ended.
    pub(super) fn covers(&self, session: &Session) -> bool {
        if !self.any.load(Ordering::Acquire) {
            return false;
        }
        session.id.as_ref().is_some_and(|id| self.sessions.contains_key(id))
            || session
                .subject
                .as_ref()
                .and_then(|subject| self.subjects.get(subject))
                .is_some_and(|at| session.since <= at)
    }
}
