//! What was verified a moment ago.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ocis_core::Identity;
use ocis_core::time::Timestamp;

use crate::digest::Digest;

/// Whether credentials were right before.
pub(super) enum Remembered {
    /// They were, a moment ago.
    Fresh(Arc<Identity>),
    /// They were, longer ago than what is believed without asking.
    Stale,
    /// Nothing is known of them, or the account has changed since.
    Unknown,
}

#[derive(Clone)]
struct Verified {
    identity: Arc<Identity>,
    revision: u64,
    at: Timestamp,
}

/// A bounded memory of verified credentials. Only their keyed hashes are in it.
pub(super) struct Memory {
    verified: moka::sync::Cache<Digest, Verified>,
    believed: Duration,
}

impl Memory {
    pub(super) fn new(capacity: u64, believed: Duration) -> Self {
        Self { verified: moka::sync::Cache::new(capacity), believed }
    }

    /// What is known at `now` of credentials whose account is at `revision`.
    pub(super) fn get(&self, key: &Digest, revision: u64, now: Timestamp) -> Remembered {
        match self.verified.get(key) {
            // A clock that was set back makes nothing fresh for longer.
            Some(entry)
                if entry.revision == revision
                    && entry.at <= now
                    && now < entry.at.plus(self.believed) =>
            {
                Remembered::Fresh(entry.identity)
            }
            Some(entry) if entry.revision == revision => Remembered::Stale,
            _ => Remembered::Unknown,
        }
    }

    /// Remembers that credentials were right at `now`, when the account was at `revision`.
    pub(super) fn insert(
        &self,
        key: Digest,
        identity: Arc<Identity>,
        revision: u64,
        now: Timestamp,
    ) {
        self.verified.insert(key, Verified { identity, revision, at: now });
    }

    /// Forgets credentials that turned out to be wrong now.
    pub(super) fn forget(&self, key: &Digest) {
        self.verified.invalidate(key);
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("believed", &self.believed).finish_non_exhaustive()
    }
}
