//! Sessions that the provider ended before their tokens expired.
//!
//! They are asked for at every request, so all of them are in memory; each is an empty document too,
//! whose name says everything, so that a restart forgets none. The documents are listed once, before
//! the first token is accepted.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ocis_core::port::{DocumentCondition, DocumentKey, KeyValue, PutDocument};
use ocis_core::time::Timestamp;
use ocis_core::{Caller, Cx, Result};
use parking_lot::RwLock;
use tokio::sync::OnceCell;

use crate::oidc::verify::{LogoutToken, Verified};

/// How many sessions and people are remembered, the latest.
const MOST: usize = 100_000;

/// For how long. A token that is good for longer than that after the session ended is good again.
const AGE: Duration = Duration::from_secs(30 * 24 * 3600);

/// How many documents that are of no use any more one logout removes, so that it takes no longer
/// when there are many.
const REMOVED_AT_ONCE: usize = 16;

/// The namespace of the documents.
const SPACE: &str = "ocis-rs-ended-sessions";
/// Their folder.
const FOLDER: &str = "ended";

/// What ended: `s` or `p` for a session or a person, and the hash of its id at the provider.
type Key = String;

fn key(kind: char, id: &str) -> Key {
    let hash = digest::digest(&digest::SHA256, id.as_bytes());
    format!("{kind}{}", URL_SAFE_NO_PAD.encode(hash))
}

/// The session that a token belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Session {
    session: Option<Key>,
    person: Option<Key>,
    /// When the token was issued; for one that does not say, and one that only the provider can
    /// judge, when it was looked at.
    since: Timestamp,
}

impl Session {
    pub(super) fn of(verified: &Verified, now: Timestamp) -> Self {
        let issued = verified.claims.time("iat").filter(|_| verified.is_signed);
        Self {
            session: verified.claims.text("sid").map(|id| key('s', id)),
            person: verified.claims.text("sub").map(|id| key('p', id)),
            since: issued.unwrap_or(now),
        }
    }
}

/// What has ended.
#[derive(Default)]
pub(super) struct Ended {
    any: AtomicBool,
    known: RwLock<Known>,
    documents: Option<Arc<dyn KeyValue>>,
    is_loaded: OnceCell<()>,
}

/// What ended when, and the same in that order.
#[derive(Debug, Default)]
struct Known {
    when: HashMap<Key, Timestamp>,
    order: BTreeSet<(Timestamp, Key)>,
}

impl Known {
    /// Adds an end; of two of the same, the later one counts. Returns the earlier one.
    fn add(&mut self, key: Key, at: Timestamp) -> Option<(Timestamp, Key)> {
        match self.when.get(&key) {
            Some(&before) if before == at => return None,
            Some(&before) if before > at => return Some((at, key)),
            _ => {}
        }
        self.order.insert((at, key.clone()));
        let before = (self.when.insert(key.clone(), at)?, key);
        self.order.remove(&before);
        Some(before)
    }

    /// Takes what there is no room for, and what is too old; only so many at once.
    fn outdated(&mut self, now: Timestamp) -> Vec<(Timestamp, Key)> {
        let mut gone = Vec::new();
        while gone.len() < REMOVED_AT_ONCE
            && let Some((at, _)) = self.order.first()
            && (self.order.len() > MOST || at.plus(AGE) < now)
            && let Some((at, key)) = self.order.pop_first()
        {
            self.when.remove(&key);
            gone.push((at, key));
        }
        gone
    }
}

impl Ended {
    /// Remembers in `documents` as well.
    pub(super) fn kept_in(documents: Arc<dyn KeyValue>) -> Self {
        Self { documents: Some(documents), ..Self::default() }
    }

    /// Reads what ended before this process began, once.
    pub(super) async fn load(&self, cx: &Cx) -> Result<()> {
        self.is_loaded.get_or_try_init(|| self.read(cx)).await.copied()
    }

    async fn read(&self, cx: &Cx) -> Result<()> {
        let Some(documents) = &self.documents else { return Ok(()) };
        let names = documents.names(&own(cx), document(FOLDER.to_owned())).await?;
        let mut known = self.known.write();
        for (at, key) in names.iter().filter_map(|name| parsed(name)) {
            known.add(key, at);
        }
        self.any.store(!known.when.is_empty(), Ordering::Release);
        Ok(())
    }

    /// Ends the session of a logout token; without one, everything of the person that began before
    /// the logout token was issued. It counts at once, and is durable when this returns without an
    /// error.
    pub(super) async fn end(&self, cx: &Cx, token: &LogoutToken) -> Result<()> {
        let key = match (&token.session, &token.subject) {
            (Some(session), _) => key('s', session),
            (None, Some(subject)) => key('p', subject),
            (None, None) => return Ok(()),
        };
        let at = token.issued.min(cx.now);
        let outdated = {
            let mut known = self.known.write();
            let superseded = known.add(key.clone(), at);
            let mut outdated = known.outdated(cx.now);
            outdated.extend(superseded);
            outdated
        };
        self.any.store(true, Ordering::Release);
        let Some(documents) = &self.documents else { return Ok(()) };
        let cx = &own(cx);
        let end = (at, key);
        let put = PutDocument {
            key: document(path(&end)),
            content: Vec::new(),
            condition: DocumentCondition::None,
        };
        // Also when it is known: the document of a first try may not have been written.
        documents.put(cx, put).await?;
        for gone in outdated {
            documents.remove(cx, document(path(&gone))).await?;
        }
        Ok(())
    }

    /// Whether the session has ended.
    pub(super) fn covers(&self, session: &Session) -> bool {
        if !self.any.load(Ordering::Acquire) {
            return false;
        }
        let known = self.known.read();
        session.session.as_ref().is_some_and(|key| known.when.contains_key(key))
            || session
                .person
                .as_ref()
                .and_then(|key| known.when.get(key))
                .is_some_and(|at| session.since <= *at)
    }
}

impl fmt::Debug for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ended")
            .field("known", &self.known.read().when.len())
            .finish_non_exhaustive()
    }
}

/// The documents belong to this part of the server, whoever asks.
fn own(cx: &Cx) -> Cx {
    Cx { caller: Caller::Service("proxy".into()), ..cx.clone() }
}

fn document(path: String) -> DocumentKey {
    DocumentKey { space: SPACE.to_owned(), path }
}

fn path((at, key): &(Timestamp, Key)) -> String {
    format!("{FOLDER}/{}-{key}", at.unix_seconds())
}

/// What the name of a document says.
fn parsed(name: &str) -> Option<(Timestamp, Key)> {
    let (seconds, key) = name.split_once('-')?;
    let at = Timestamp::from_unix(seconds.parse().ok()?, 0).ok()?;
    key.starts_with(['s', 'p']).then(|| (at, key.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(seconds, 0).unwrap()
    }

    #[test]
    fn the_oldest_are_forgotten_when_there_are_too_many_and_in_time() {
        let mut known = Known::default();
        for second in 0..=MOST {
            known.add(key('s', &second.to_string()), at(i64::try_from(second).unwrap()));
        }
        assert_eq!(known.outdated(at(1)), [(at(0), key('s', "0"))]);
        assert!(known.outdated(at(1)).is_empty());
        let month = i64::try_from(AGE.as_secs()).unwrap();
        assert_eq!(
            known.outdated(at(month + 3)),
            [1, 2].map(|n| (at(n), key('s', &n.to_string())))
        );
        assert_eq!(known.outdated(at(month * 2)).len(), REMOVED_AT_ONCE);
        assert_eq!(known.when.len(), known.order.len());
    }

    #[test]
    fn of_two_ends_of_a_person_the_later_counts() {
        let mut known = Known::default();
        assert_eq!(known.add("pa".into(), at(5)), None);
        assert_eq!(known.add("pa".into(), at(5)), None);
        assert_eq!(known.add("pa".into(), at(3)), Some((at(3), "pa".into())));
        assert_eq!(known.add("pa".into(), at(7)), Some((at(5), "pa".into())));
        assert_eq!(known.order.len(), 1);
        let name = path(&(at(7), "pa".into()));
        assert_eq!(parsed(name.strip_prefix("ended/").unwrap()), Some((at(7), "pa".into())));
        assert!(parsed("x-pa").is_none() && parsed("7-qa").is_none());
    }
}
