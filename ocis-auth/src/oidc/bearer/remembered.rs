//! Which tokens were verified, and which were refused.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ocis_core::Identity;
use ocis_core::time::Timestamp;
use parking_lot::RwLock;

use super::ended::Session;
use super::{BearerOptions, Digest};
use crate::oidc::verify::claims::Claims;

/// What is known of a token.
pub(super) enum Remembered {
    /// It was verified and is still good.
    Known(Arc<Known>),
    /// It was refused a moment ago.
    Refused,
    /// Nothing.
    Unknown,
}

/// A token that was verified.
pub(super) struct Known {
    pub(super) claims: Claims,
    pub(super) session: Session,
    until: Timestamp,
    account: RwLock<(Arc<Identity>, Timestamp)>,
}

impl Known {
    /// Whose token it is, if that was found out no longer than `believed` ago.
    pub(super) fn fresh(&self, now: Timestamp, believed: Duration) -> Option<Arc<Identity>> {
        let (identity, at) = &*self.account.read();
        // A clock that was set back makes nothing fresh for longer.
        (*at <= now && now < at.plus(believed)).then(|| Arc::clone(identity))
    }

    /// Whose token it turned out to be again.
    pub(super) fn renew(&self, identity: Arc<Identity>, now: Timestamp) -> Arc<Identity> {
        *self.account.write() = (Arc::clone(&identity), now);
        identity
    }
}

/// A bounded memory of tokens. Only their keyed hashes are in it.
pub(super) struct Memory {
    known: moka::sync::Cache<Digest, Arc<Known>>,
    refused: moka::sync::Cache<Digest, Timestamp>,
    refuse: Duration,
}

impl Memory {
    pub(super) fn new(options: &BearerOptions) -> Self {
        Self {
            known: moka::sync::Cache::new(options.capacity),
            refused: moka::sync::Cache::new(options.capacity),
            refuse: options.refuse,
        }
    }

    pub(super) fn get(&self, key: &Digest, now: Timestamp) -> Remembered {
        match self.known.get(key) {
            Some(known) if now < known.until => return Remembered::Known(known),
            Some(_) => self.known.invalidate(key),
            None => {}
        }
        match self.refused.get(key) {
            Some(at) if at <= now && now < at.plus(self.refuse) => Remembered::Refused,
            _ => Remembered::Unknown,
        }
    }

    pub(super) fn insert(
        &self,
        key: Digest,
        claims: Claims,
        session: Session,
        identity: Arc<Identity>,
        until: Timestamp,
        now: Timestamp,
    ) {
        let account = RwLock::new((identity, now));
        self.known.insert(key, Arc::new(Known { claims, session, until, account }));
    }

    /// Remembers that a token was refused.
    pub(super) fn refuse(&self, key: Digest, now: Timestamp) {
        self.refused.insert(key, now);
    }

    /// Forgets that a token was verified.
    pub(super) fn forget(&self, key: &Digest) {
        self.known.invalidate(key);
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("known", &self.known.entry_count()).finish_non_exhaustive()
    }
}
