//! Who owns a store: one process at a time, because what it keeps in memory is right only so.
//!
//! The owner holds a lock of the operating system on a file, which ends with the process however it
//! ends. So a process that waits takes over when the owner was killed, and replays its journal.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ocis_core::{Error, Result};
use parking_lot::{Condvar, Mutex};
use tokio::task::spawn_blocking;

use super::{OURS, Options, Store};
use crate::blob::BlobStore;
use crate::fs::{Fs, Held, is_missing};

/// How often a process that waits looks whether the store is free.
const LOOK: Duration = Duration::from_secs(1);

/// How often, and how long apart, a process that does not wait looks before it is refused: whoever
/// only asks whether the store is owned ([`Store::is_owned`]) holds the lock for a moment.
const LOOKS: (usize, Duration) = (5, Duration::from_millis(20));

/// What opening a store does while another process owns it.
#[derive(Debug, Clone, Default)]
pub enum WhenOwned {
    /// It fails with `Unavailable`.
    #[default]
    Refuse,
    /// It waits until the other process ends, and looks once a second.
    Wait(Waiting),
}

/// A wait for a store, which can be given up from another thread.
#[derive(Debug, Clone, Default)]
pub struct Waiting(Arc<(Mutex<bool>, Condvar)>);

impl Waiting {
    /// Ends the wait: [`Store::open`] fails with `Unavailable`, unless it succeeded before.
    pub fn give_up(&self) {
        *self.0.0.lock() = true;
        self.0.1.notify_all();
    }

    /// Waits a little; says whether to go on.
    fn goes_on(&self) -> bool {
        let mut given_up = self.0.0.lock();
        if !*given_up {
            self.0.1.wait_for(&mut given_up, LOOK);
        }
        !*given_up
    }
}

impl Store {
    /// Whether a process, perhaps this one, owns the store at `root`. Blocking.
    pub fn is_owned(fs: &dyn Fs, root: &Path) -> Result<bool> {
        let held = fs.lock(&root.join(OURS).join("lock"));
        if is_missing(&held) {
            return Ok(false);
        }
        Ok(held.map_err(|error| unusable(root, error))?.is_none())
    }
}

impl Store {
    /// [`Store::open`] for a task: none when it waited for another process and `given_up` was done
    /// before that one ended.
    pub async fn open_unless(
        fs: Arc<dyn Fs>,
        blobs: Arc<dyn BlobStore>,
        root: PathBuf,
        options: Options,
        given_up: impl Future<Output = ()>,
    ) -> Result<Option<Arc<Self>>> {
        let when = options.when_owned.clone();
        let mut opening = spawn_blocking(move || Self::open(fs, blobs, &root, options));
        let WhenOwned::Wait(waiting) = when else {
            return opening.await.map_err(broke_off)?.map(Some);
        };
        tokio::select! {
            opened = &mut opening => return opened.map_err(broke_off)?.map(Some),
            () = given_up => waiting.give_up(),
        }
        // It may have been opened in the same moment.
        if let Ok(store) = opening.await.map_err(broke_off)? {
            spawn_blocking(move || store.close()).await.map_err(broke_off)??;
        }
        Ok(None)
    }
}

fn broke_off(error: tokio::task::JoinError) -> Error {
    Error::internal("opening the storage broke off").because(error)
}

/// Makes this process the owner of the store at `root`.
pub(super) fn own(fs: &dyn Fs, root: &Path, when: &WhenOwned) -> Result<Box<dyn Held>> {
    let path = root.join(OURS).join("lock");
    let mut is_told = false;
    for look in 1.. {
        if let Some(held) = fs.lock(&path).map_err(|error| unusable(root, error))? {
            return Ok(held);
        }
        let WhenOwned::Wait(waiting) = when else {
            if look < LOOKS.0 {
                std::thread::sleep(LOOKS.1);
                continue;
            }
            return Err(Error::unavailable(format!(
                "the storage at {} is owned by another process: stop it first, or use another folder",
                root.display()
            )));
        };
        if !is_told {
            is_told = true;
            tracing::info!(storage = %root.display(), "waits for another process, which owns the storage, to end");
        }
        if !waiting.goes_on() {
            break;
        }
    }
    Err(Error::unavailable("the wait for the storage was given up"))
}

/// The folder of a store cannot be used.
pub(super) fn unusable(root: &Path, error: io::Error) -> Error {
    let text = format!("the storage at {} cannot be written: {error}", root.display());
    Error::unavailable(text).because(error)
}
