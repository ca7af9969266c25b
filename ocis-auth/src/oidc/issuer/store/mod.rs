//! Who is signed in, and what was granted to which client: in memory for reading, and durably on
//! disk before anybody is told.
//!
//! A code that was not used yet lives in memory only: after a restart the client gets a new one.
//! One that was used became a [`Grant`], which outlives it, so that its second use is noticed, also
//! after a restart. A grant is a family of refresh tokens, of which only the one with the latest
//! generation counts; an earlier one ends the family (RFC 9700 section 4.14.2).

mod disk;
mod kept;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ocis_core::id::UserId;
use ocis_core::time::Timestamp;
use ocis_core::{Error, Result};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use disk::{Change, Disk, Kind, Written};
use kept::{Entry, Kept, Most};

/// How many sessions there can be.
const MOST_SESSIONS: Most = Most { of_one: 200, of_all: 200_000 };

/// How many grants there can be. A page that is open gets a new one every few minutes, which is
/// over soon.
const MOST_GRANTS: Most = Most { of_one: 500, of_all: 200_000 };

/// How many codes can wait for being used.
const MOST_CODES: usize = 200_000;

/// How many clients a session remembers; people are asked again about those beyond.
const MOST_CLIENTS: usize = 100;

/// A browser in which somebody is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Session {
    /// The id, also the claim `sid`.
    pub(super) id: String,
    pub(super) user: UserId,
    /// When the password was given.
    pub(super) since: Timestamp,
    /// Which password it was ([`ocis_core::user::User::password_version`]).
    #[serde(default)]
    pub(super) password: String,
    /// When it ends if it is not used.
    pub(super) until: Timestamp,
    /// The clients that got tokens in it, with the scopes that the person agreed to.
    pub(super) clients: BTreeMap<String, Vec<String>>,
}

impl Session {
    /// Notes that a client got tokens; with `agreed`, what the person agreed to.
    pub(super) fn note(&mut self, client: &str, agreed: Option<&[String]>) {
        let is_new = !self.clients.contains_key(client);
        if is_new && self.clients.len() >= MOST_CLIENTS {
            return;
        }
        let scopes = self.clients.entry(client.to_owned()).or_default();
        if let Some(agreed) = agreed {
            *scopes = agreed.to_vec();
        }
    }
}

/// What a person granted a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Grant {
    pub(super) id: String,
    pub(super) client: String,
    pub(super) user: UserId,
    pub(super) session: String,
    pub(super) scopes: Vec<String>,
    /// When the password was given.
    pub(super) since: Timestamp,
    /// Which password it was ([`ocis_core::user::User::password_version`]).
    #[serde(default)]
    pub(super) password: String,
    /// When nothing that came from it is of use any more.
    pub(super) until: Timestamp,
    /// Which refresh token counts.
    pub(super) generation: u64,
}

impl Entry for Session {
    fn user(&self) -> &UserId {
        &self.user
    }

    fn until(&self) -> Timestamp {
        self.until
    }
}

impl Entry for Grant {
    fn user(&self) -> &UserId {
        &self.user
    }

    fn until(&self) -> Timestamp {
        self.until
    }
}

/// A code that was given out, and what it must be redeemed with.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    pub(super) grant: Grant,
    pub(super) redirect_uri: String,
    /// The PKCE challenge (S256).
    pub(super) challenge: Option<String>,
    pub(super) nonce: Option<String>,
    /// When the code ends.
    pub(super) until: Timestamp,
}

/// What became of a refresh token that was presented.
#[derive(Debug)]
pub(super) enum Turn {
    /// It counted; the grant has its next generation.
    Next(Grant),
    /// It had been used already; the family has ended.
    Reused(Grant),
    /// There is no such family.
    Unknown,
}

/// The sessions and grants.
pub(super) struct Store {
    memory: Mutex<Memory>,
    disk: Disk,
    broken: Arc<AtomicBool>,
}

struct Memory {
    sessions: Kept<Session>,
    grants: Kept<Grant>,
    pending: HashMap<String, Pending>,
}

impl Store {
    /// Opens the file at `path`, and makes it when there is none. Blocks.
    /// [`ocis_core::ErrorKind::Unavailable`] when another process has it open.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let broken = Arc::new(AtomicBool::new(false));
        let mut memory = Memory {
            sessions: Kept::new(MOST_SESSIONS),
            grants: Kept::new(MOST_GRANTS),
            pending: HashMap::new(),
        };
        let mut too_many = Vec::new();
        let disk = Disk::open(path, Arc::clone(&broken), |kind, key, value| {
            let told = || Error::internal("an entry of the sessions is damaged").with("key", key);
            match kind {
                Kind::Session => {
                    let session = serde_json::from_slice(value).map_err(|e| told().because(e))?;
                    let gone = memory.sessions.insert(key, session);
                    too_many.extend(gone.map(|gone| (Kind::Session, gone)));
                }
                Kind::Grant => {
                    let grant = serde_json::from_slice(value).map_err(|e| told().because(e))?;
                    let gone = memory.grants.insert(key, grant);
                    too_many.extend(gone.map(|gone| (Kind::Grant, gone)));
                }
            }
            Ok(())
        })?;
        for (kind, gone) in too_many {
            disk.send(Change::remove(kind, &gone))?;
        }
        Ok(Self { memory: Mutex::new(memory), disk, broken })
    }

    /// Fails once something could not be written: then memory and disk differ, and only opening
    /// the store again helps.
    pub(super) fn check(&self) -> Result<()> {
        match self.broken.load(Ordering::Acquire) {
            true => Err(Error::unavailable("the sessions of the provider cannot be written")),
            false => Ok(()),
        }
    }

    /// The session, if it has not ended.
    pub(super) fn session(&self, id: &str, now: Timestamp) -> Option<Session> {
        let memory = self.memory.lock();
        memory.sessions.get(id).filter(|session| session.until > now).cloned()
    }

    /// Adds or replaces a session; returns when it is on disk.
    pub(super) async fn put_session(&self, session: Session) -> Result<()> {
        let written = {
            let mut memory = self.memory.lock();
            let change = Change::put(Kind::Session, &session.id, &session)?;
            let id = session.id.clone();
            if let Some(gone) = memory.sessions.insert(&id, session) {
                self.disk.send(Change::remove(Kind::Session, &gone))?;
            }
            self.disk.write(change)?
        };
        written.done().await
    }

    /// Changes a session that is there; it is on disk a moment later.
    pub(super) fn touch_session(&self, id: &str, change: impl FnOnce(&mut Session)) -> Result<()> {
        let mut memory = self.memory.lock();
        let Some(session) = memory.sessions.get_mut(id) else { return Ok(()) };
        let before = session.clone();
        change(session);
        if *session == before {
            return Ok(());
        }
        self.disk.send(Change::put(Kind::Session, id, session)?)
    }

    /// Ends a session; returns what it was when that is on disk.
    pub(super) async fn end_session(&self, id: &str) -> Result<Option<Session>> {
        let (session, written) = {
            let mut memory = self.memory.lock();
            let Some(session) = memory.sessions.remove(id) else { return Ok(None) };
            (session, self.disk.write(Change::remove(Kind::Session, id))?)
        };
        written.done().await?;
        Ok(Some(session))
    }

    /// Remembers a code that is given out.
    pub(super) fn put_pending(&self, pending: Pending, now: Timestamp) {
        let mut memory = self.memory.lock();
        if memory.pending.len() >= MOST_CODES {
            memory.pending.retain(|_, pending| pending.until > now);
        }
        if memory.pending.len() < MOST_CODES {
            memory.pending.insert(pending.grant.id.clone(), pending);
        }
    }

    /// The code, which nobody else gets from now on.
    pub(super) fn take_pending(&self, id: &str, now: Timestamp) -> Option<Pending> {
        let pending = self.memory.lock().pending.remove(id);
        pending.filter(|pending| pending.until > now)
    }

    /// The grant, if it has not ended.
    pub(super) fn grant(&self, id: &str, now: Timestamp) -> Option<Grant> {
        let memory = self.memory.lock();
        memory.grants.get(id).filter(|grant| grant.until > now).cloned()
    }

    /// Adds or replaces a grant; returns when it is on disk.
    pub(super) async fn put_grant(&self, grant: Grant) -> Result<()> {
        let written = {
            let mut memory = self.memory.lock();
            self.insert_grant(&mut memory, grant)?
        };
        written.done().await
    }

    fn insert_grant(&self, memory: &mut Memory, grant: Grant) -> Result<Written> {
        let change = Change::put(Kind::Grant, &grant.id, &grant)?;
        let id = grant.id.clone();
        if let Some(gone) = memory.grants.insert(&id, grant) {
            self.disk.send(Change::remove(Kind::Grant, &gone))?;
        }
        self.disk.write(change)
    }

    /// Adds a grant unless there is one of its id, which is then returned.
    pub(super) async fn add_grant(&self, grant: Grant) -> Result<Option<Grant>> {
        let written = {
            let mut memory = self.memory.lock();
            if let Some(known) = memory.grants.get(&grant.id) {
                return Ok(Some(known.clone()));
            }
            self.insert_grant(&mut memory, grant)?
        };
        written.done().await?;
        Ok(None)
    }

    /// Takes the refresh token of `generation`: turns the family to its next one, which then lasts
    /// until `until`, or ends it. Returns when that is on disk.
    pub(super) async fn turn(
        &self,
        id: &str,
        generation: u64,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Turn> {
        let (turn, written) = {
            let mut memory = self.memory.lock();
            let Some(grant) = memory.grants.get_mut(id).filter(|grant| grant.until > now) else {
                return Ok(Turn::Unknown);
            };
            if grant.generation == generation {
                grant.generation += 1;
                grant.until = until;
                let change = Change::put(Kind::Grant, id, grant)?;
                (Turn::Next(grant.clone()), self.disk.write(change)?)
            } else {
                let grant = grant.clone();
                memory.grants.remove(id);
                (Turn::Reused(grant), self.disk.write(Change::remove(Kind::Grant, id))?)
            }
        };
        written.done().await?;
        Ok(turn)
    }

    /// Ends a grant and all its tokens; returns whether there was one, when that is on disk.
    pub(super) async fn revoke(&self, id: &str) -> Result<bool> {
        let written = {
            let mut memory = self.memory.lock();
            if memory.grants.remove(id).is_none() {
                return Ok(false);
            }
            self.disk.write(Change::remove(Kind::Grant, id))?
        };
        written.done().await?;
        Ok(true)
    }

    /// Forgets what has ended.
    pub(super) fn sweep(&self, now: Timestamp) -> Result<()> {
        let mut memory = self.memory.lock();
        memory.pending.retain(|_, pending| pending.until > now);
        for id in memory.sessions.sweep(now) {
            self.disk.send(Change::remove(Kind::Session, &id))?;
        }
        for id in memory.grants.sweep(now) {
            self.disk.send(Change::remove(Kind::Grant, &id))?;
        }
        Ok(())
    }
}

/// How often [`Store::sweep`] is worth its while.
pub(super) const SWEEP_EVERY: Duration = Duration::from_secs(60);

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
