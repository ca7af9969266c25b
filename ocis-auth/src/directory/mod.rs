//! The embedded directory: accounts and groups in a file of ours, for servers without LDAP.
//!
//! The file is `directory.json` in the folder `idm` below the base data path. One process owns it,
//! by a lock on `directory.lock` beside it that ends with the process. A change writes a new file
//! beside the old one, flushes it and renames it over the old one: after a crash either is there,
//! whole. Reads come from memory.

mod accounts;
mod demo;
mod dn;
mod identity;
pub mod ldap;
mod ports;
mod provisioning;
mod record;
mod reset;
mod store;
mod takeover;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ocis_core::id::UserId;
use ocis_core::time::Timestamp;
use ocis_core::{Error, Result};
use parking_lot::{Mutex, RwLock};

use crate::hash::Hasher;
use crate::rules::check_password;
use accounts::Accounts;
use record::Document;
use store::Store;

pub(crate) use demo::DEMO_ROLES;
pub use provisioning::Editor;
pub use reset::reset_password;

/// What the directory begins with when there is none yet. Once there is one, nothing of this is
/// looked at any more, the password in particular.
#[derive(Clone)]
pub struct Bootstrap {
    /// The id of the account `admin` (`admin_user_id` of oCIS's configuration).
    pub admin_id: UserId,
    /// The password of the account `admin`.
    pub admin_password: String,
    /// Whether to make oCIS's demo users and groups too.
    pub create_demo_users: bool,
    /// The directory of an oCIS (`ocis.boltdb`). Where there is one, its accounts are taken over
    /// instead of making new ones.
    pub takes_over: Option<PathBuf>,
    /// The present time.
    pub now: Timestamp,
}

impl fmt::Debug for Bootstrap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bootstrap")
            .field("admin_id", &self.admin_id)
            .field("create_demo_users", &self.create_demo_users)
            .finish_non_exhaustive()
    }
}

/// The accounts and groups. Its owner is the one process that has it open.
pub struct Directory {
    hasher: Hasher,
    /// What passwords of unknown accounts are verified against.
    decoy: String,
    state: Arc<State>,
}

/// What the threads that change the directory share with those that read it.
struct State {
    accounts: RwLock<Arc<Accounts>>,
    store: Mutex<Store>,
}

impl Directory {
    /// Opens the directory in the folder `dir`, and makes folder and directory when there are none.
    /// Blocks: it reads, writes and hashes. The directory is owned until it is dropped.
    ///
    /// [`ocis_core::ErrorKind::Unavailable`] while another process owns it,
    /// [`ocis_core::ErrorKind::InvalidArgument`] for an empty admin password at the first start.
    pub fn open(dir: &Path, bootstrap: Bootstrap) -> Result<Arc<Self>> {
        Self::open_with(dir, Hasher::for_this_machine()?, bootstrap)
    }

    /// As [`Self::open`], with another cost or parallelism of hashing.
    pub fn open_with(dir: &Path, hasher: Hasher, bootstrap: Bootstrap) -> Result<Arc<Self>> {
        let store = Store::create(dir)?;
        let document = match store.load()? {
            Some(document) => document,
            None => {
                let document = match taken_over(&bootstrap)? {
                    Some(document) => document,
                    None => demo::first_document(&hasher, &bootstrap)?,
                };
                // What cannot be opened later must not be written.
                Accounts::index(&document, None)?;
                store.save(&document)?;
                document
            }
        };
        Self::new(store, hasher, document).map(Arc::new)
    }

    fn new(store: Store, hasher: Hasher, document: Document) -> Result<Self> {
        Ok(Self {
            decoy: hasher.decoy()?,
            hasher,
            state: Arc::new(State {
                accounts: RwLock::new(Arc::new(Accounts::index(&document, None)?)),
                store: Mutex::new(store),
            }),
        })
    }

    /// Gives the account `username` a new password. When it returns, the change is on disk and what
    /// was remembered of the old password is forgotten. [`ocis_core::ErrorKind::NotFound`] when
    /// there is no such account, [`ocis_core::ErrorKind::InvalidArgument`] for an empty password.
    pub async fn set_password(&self, username: &str, password: &str) -> Result<()> {
        check_password(password)?;
        let hash = self.hasher.hash(password).await?;
        let username = username.to_owned();
        self.change(move |document| {
            document.user(&username)?.set_password(hash);
            Ok(())
        })
        .await
    }

    /// Lets the account `username` sign in, or no longer. [`ocis_core::ErrorKind::NotFound`] when
    /// there is no such account.
    pub async fn set_enabled(&self, username: &str, enabled: bool) -> Result<()> {
        let username = username.to_owned();
        self.change(move |document| {
            document.user(&username)?.enabled = enabled;
            Ok(())
        })
        .await
    }

    /// Applies `change` to the directory on disk, then in memory; on an error, to neither.
    async fn change(
        &self,
        change: impl FnOnce(&mut Document) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        let state = Arc::clone(&self.state);
        tokio::task::spawn_blocking(move || state.change(change))
            .await
            .map_err(|error| Error::internal("changing the directory failed").because(error))?
    }

    /// Hashes a password that was just found right again, because its stored hash is cheaper to
    /// guess than those of today.
    async fn strengthen(&self, id: UserId, password: &str, stored: String) -> Result<()> {
        let hash = self.hasher.hash(password).await?;
        self.change(move |document| {
            // Unless it was changed meanwhile.
            let same = |user: &&mut record::User| user.id == id && user.password == stored;
            if let Some(user) = document.users.iter_mut().find(same) {
                user.password = hash;
            }
            Ok(())
        })
        .await
    }

    fn accounts(&self) -> Arc<Accounts> {
        Arc::clone(&self.state.accounts.read())
    }
}

impl State {
    /// As [`Directory::change`], on this thread, which it blocks.
    fn change(&self, change: impl FnOnce(&mut Document) -> Result<()>) -> Result<()> {
        let store = self.store.lock();
        let before = Arc::clone(&self.accounts.read());
        let mut document = before.document();
        change(&mut document)?;
        let after = Accounts::index(&document, Some(&before))?;
        store.save(&document)?;
        *self.accounts.write() = Arc::new(after);
        Ok(())
    }
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directory").field("store", &self.state.store).finish_non_exhaustive()
    }
}

fn taken_over(bootstrap: &Bootstrap) -> Result<Option<Document>> {
    let Some(path) = &bootstrap.takes_over else { return Ok(None) };
    takeover::read(path, bootstrap.now)
}

#[cfg(test)]
mod tests;
