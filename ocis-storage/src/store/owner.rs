//! Who owns a store: one process at a time, because what it keeps in memory is right only so.
//!
//! The owner holds a lock of the operating system on a file, which ends with the process however it
//! ends. So a process that waits takes over when the owner was killed, and replays its journal.
//!
//! A command that works on a store and ends is no server that somebody started twice: whoever finds
//! the store owned by one waits for its end. It holds a second lock, from before it takes the first,
//! by which it is known.

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

/// After how many looks it is told again that a command is waited for.
const LOOKS_UNTOLD: usize = 30;

/// The file that is locked by whoever owns a store.
const LOCK: &str = "lock";
/// The file that is locked by a command that works on a store.
const COMMAND: &str = "command";

/// What opening a store does while another process owns it. While a command does
/// ([`Options::is_command`]), it waits in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenOwned {
    /// It fails with `Unavailable`.
    #[default]
    Refuse,
    /// It waits until the other process ends, and looks once a second.
    Wait,
}

/// The locks of an owner.
#[derive(Debug)]
pub(super) struct Owned {
    _store: Box<dyn Held>,
    // Given back last: whoever finds the store owned must know by whom.
    _command: Option<Box<dyn Held>>,
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
        is_locked(fs, root, LOCK)
    }

    /// Whether a command, which will end, works on the store at `root`. Blocking.
    pub fn is_worked_on(fs: &dyn Fs, root: &Path) -> Result<bool> {
        is_locked(fs, root, COMMAND)
    }
}

fn is_locked(fs: &dyn Fs, root: &Path, file: &str) -> Result<bool> {
    let held = fs.lock(&root.join(OURS).join(file));
    if is_missing(&held) {
        return Ok(false);
    }
    Ok(held.map_err(|error| unusable(root, error))?.is_none())
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
        let waiting = options.waiting.clone();
        let mut opening = spawn_blocking(move || Self::open(fs, blobs, &root, options));
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
pub(super) fn own(fs: &dyn Fs, root: &Path, options: &Options) -> Result<Owned> {
    let command = match options.is_command {
        true => Some(take(fs, root, COMMAND, WhenOwned::Wait, &options.waiting)?),
        false => None,
    };
    let store = take(fs, root, LOCK, options.when_owned, &options.waiting)?;
    Ok(Owned { _store: store, _command: command })
}

fn take(
    fs: &dyn Fs,
    root: &Path,
    file: &str,
    when: WhenOwned,
    waiting: &Waiting,
) -> Result<Box<dyn Held>> {
    let path = root.join(OURS).join(file);
    let (mut refusals, mut waits) = (0, 0);
    loop {
        if let Some(held) = fs.lock(&path).map_err(|error| unusable(root, error))? {
            return Ok(held);
        }
        let for_command = file == COMMAND || Store::is_worked_on(fs, root)?;
        if when == WhenOwned::Refuse && !for_command {
            refusals += 1;
            if refusals < LOOKS.0 {
                std::thread::sleep(LOOKS.1);
                continue;
            }
            return Err(Error::unavailable(format!(
                "the storage at {} is owned by another process: stop it first, or use another folder",
                root.display()
            )));
        }
        let storage = root.display();
        match for_command {
            true if waits % LOOKS_UNTOLD == 0 => {
                tracing::info!(%storage, "waits for a command, which works on the storage, to end");
            }
            false if waits == 0 => {
                tracing::info!(%storage, "waits for another process, which owns the storage, to end");
            }
            _ => {}
        }
        waits += 1;
        if !waiting.goes_on() {
            return Err(Error::unavailable("the wait for the storage was given up"));
        }
    }
}

/// The folder of a store cannot be used.
pub(super) fn unusable(root: &Path, error: io::Error) -> Error {
    let text = format!("the storage at {} cannot be written: {error}", root.display());
    Error::unavailable(text).because(error)
}
