//! Stores for those who maintain them: asked through the server that owns one, opened where nobody
//! does. Who holds a [`Reached`] cannot tell which.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ocis_core::id::StorageId;
use ocis_core::port::{Maintenance, Remote, Spaces, Trash, UploadSessions, Versions};
use ocis_core::{Error, ErrorKind, Result};
use ocis_storage::blob::{BlobStore, PosixBlobs};
use ocis_storage::fs::{Fs, RealFs};
use ocis_storage::session::StoreSessions;
use ocis_storage::store::announcement;
use ocis_storage::ticket::Tickets;
use ocis_storage::{Driver, Options, Store};

use crate::control::Note;
use crate::services::Place;
use crate::settings::StorageUsers;

/// Where the contents of a store lie.
#[derive(Debug)]
pub enum Blobs {
    /// In the store's own directory.
    Beside,
    /// Where the driver of these settings keeps them.
    Configured(Box<StorageUsers>),
}

/// A store that can be maintained.
pub struct Reached {
    /// Its id: what the server calls it, or any where there is none.
    pub storage: StorageId,
    /// Its upkeep.
    pub maintenance: Arc<dyn Maintenance>,
    /// Its spaces.
    pub spaces: Arc<dyn Spaces>,
    /// What was deleted.
    pub trash: Arc<dyn Trash>,
    /// Former contents of files.
    pub versions: Arc<dyn Versions>,
    /// Uploads under way.
    pub sessions: Arc<dyn UploadSessions>,
    opened: Option<Arc<Store>>,
}

impl std::fmt::Debug for Reached {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reached").field("storage", &self.storage).finish_non_exhaustive()
    }
}

impl Reached {
    /// Closes the store if it was opened.
    pub async fn close(self) -> Result<()> {
        let Some(store) = self.opened else { return Ok(()) };
        tokio::task::spawn_blocking(move || store.close()).await.map_err(lost)?
    }
}

fn lost(error: tokio::task::JoinError) -> Error {
    Error::internal("the storage broke off").because(error)
}

/// Reaches the store at `root`. `NotFound` when there is none, `Unavailable` when a process owns it
/// that cannot be asked.
pub async fn reach(root: &Path, blobs: Blobs) -> Result<Reached> {
    let root = std::path::absolute(root)
        .map_err(|error| Error::invalid("the path of the storage is none").because(error))?;
    let asked = root.clone();
    let owner = tokio::task::spawn_blocking(move || owner(&asked)).await.map_err(lost)??;
    let storage = match owner {
        Owner::Server(note) => return Ok(through(note)),
        Owner::Nobody(storage) => storage,
    };
    let fs: Arc<dyn Fs> = Arc::new(RealFs);
    let blobs: Arc<dyn BlobStore> = match blobs {
        Blobs::Beside => Arc::new(PosixBlobs::new(Arc::clone(&fs), &root)),
        Blobs::Configured(settings) => {
            let mut place = Place::of(&settings)?;
            place.root.clone_from(&root);
            place.open(&fs).await?
        }
    };
    let options = Options { is_command: true, ..Options::new(storage.clone()) };
    let at = root.clone();
    let open = move || Store::open(fs, blobs, &root, options);
    let store = match tokio::task::spawn_blocking(open).await.map_err(lost)? {
        // A server was started in the same moment.
        Err(error) if error.kind() == ErrorKind::Unavailable => {
            let now = tokio::task::spawn_blocking(move || self::owner(&at)).await.map_err(lost)?;
            return match now {
                Ok(Owner::Server(note)) => Ok(through(note)),
                _ => Err(error),
            };
        }
        opened => opened?,
    };
    // Nobody reads contents here, so nobody can use a ticket.
    let secret = StorageId::random();
    let tickets = Tickets::new(secret.as_str().as_bytes(), &storage, Duration::from_secs(60))?;
    let driver = Arc::new(Driver::new(Arc::clone(&store), tickets.clone()));
    Ok(Reached {
        storage,
        maintenance: Arc::clone(&driver) as Arc<dyn Maintenance>,
        trash: Arc::clone(&driver) as Arc<dyn Trash>,
        versions: Arc::clone(&driver) as Arc<dyn Versions>,
        spaces: driver,
        sessions: Arc::new(StoreSessions::new(Arc::clone(&store), tickets)),
        opened: Some(store),
    })
}

/// The ports of the server that owns the store at `root`. `Unavailable` when none runs that can be
/// asked.
pub async fn server(root: &Path) -> Result<Remote> {
    let root = std::path::absolute(root)
        .map_err(|error| Error::invalid("the path of the storage is none").because(error))?;
    let shown = root.display().to_string();
    match tokio::task::spawn_blocking(move || owner(&root)).await.map_err(lost)?? {
        Owner::Server(note) => Ok(Remote::new(Arc::new(note))),
        Owner::Nobody(_) => Err(Error::unavailable(format!(
            "no server runs on the storage at {shown}: start it first"
        ))),
    }
}

/// Who owns a store.
enum Owner {
    /// A server that can be asked.
    Server(Note),
    /// Nobody; the store is known under this id.
    Nobody(StorageId),
}

fn owner(root: &Path) -> Result<Owner> {
    let shown = root.display();
    if !root.join("spaces").is_dir() {
        return Err(Error::not_found(format!("there is no storage at {shown}")));
    }
    let note = announcement(&RealFs, root).ok().flatten();
    let note = note.and_then(|bytes| serde_json::from_slice::<Note>(&bytes).ok());
    // A command that works on it is waited for.
    if !Store::is_owned(&RealFs, root)? || Store::is_worked_on(&RealFs, root)? {
        return Ok(Owner::Nobody(note.map_or_else(StorageId::random, |note| note.storage)));
    }
    note.map(Owner::Server).ok_or_else(|| {
        Error::unavailable(format!(
            "the storage at {shown} is owned by a process that cannot be asked: stop it first, or \
             run this as the user that it runs as (only `ocis server` can be asked, and not \
             `ocis storage-users server`)"
        ))
    })
}

/// The store of a server that runs.
fn through(note: Note) -> Reached {
    let storage = note.storage.clone();
    let wire = Remote::new(Arc::new(note));
    Reached {
        storage,
        maintenance: Arc::new(wire.clone()),
        spaces: Arc::new(wire.clone()),
        trash: Arc::new(wire.clone()),
        versions: Arc::new(wire.clone()),
        sessions: Arc::new(wire),
        opened: None,
    }
}
