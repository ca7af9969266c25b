//! The directory's files: who owns them, and how they are read and replaced.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use ocis_core::{Error, Result};

use super::record::{Document, FORMAT};

const FILE: &str = "directory.json";
const NEW_FILE: &str = "directory.json.new";
const LOCK_FILE: &str = "directory.lock";

/// The folder with the directory's files, owned by this process as long as the value lives.
#[derive(Debug)]
pub(super) struct Store {
    dir: PathBuf,
    /// Held for its lock, which the system releases with the file, however the process ends. It is
    /// not the directory file itself because that one is replaced with every change.
    _lock: File,
}

impl Store {
    /// Owns the folder `dir`, and makes it (mode 0700) when there is none.
    /// [`ocis_core::ErrorKind::Unavailable`] while another process owns it.
    pub(super) fn create(dir: &Path) -> Result<Self> {
        let failed = |error| {
            let message = format!("the folder {} cannot be made or written", dir.display());
            Error::internal(message).because(error)
        };
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed)?;
        if let Some(parent) = dir.parent() {
            sync_dir(parent).map_err(failed)?;
        }
        Self::own(dir)
    }

    /// Owns the folder `dir` when there is a directory in it;
    /// [`ocis_core::ErrorKind::NotFound`] else.
    pub(super) fn existing(dir: &Path) -> Result<Self> {
        if !dir.join(FILE).exists() {
            return Err(Error::not_found(format!(
                "the user directory {} does not exist",
                dir.join(FILE).display()
            )));
        }
        Self::own(dir)
    }

    fn own(dir: &Path) -> Result<Self> {
        let path = dir.join(LOCK_FILE);
        let failed = |error: std::io::Error| {
            Error::internal(format!("{} cannot be opened and locked", path.display()))
                .because(error)
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let lock = options.open(&path).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { dir: dir.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(Error::unavailable(format!(
                "the user directory in {} is owned by another process; \
                 stop the running ocis or its idm service first",
                dir.display()
            ))),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Reads the directory; none when there is none yet.
    pub(super) fn load(&self) -> Result<Option<Document>> {
        let path = self.dir.join(FILE);
        let broken = |message| Error::internal(format!("{}: {message}", path.display()));
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(broken("cannot be read").because(error)),
        };
        let document: Document = serde_json::from_slice(&bytes)
            .map_err(|error| broken("is not a directory of this version").because(error))?;
        if document.format != FORMAT {
            return Err(broken("was written by another version").with("format", document.format));
        }
        Ok(Some(document))
    }

    /// Replaces the directory. It is on disk when this returns, and else as it was.
    pub(super) fn save(&self, document: &Document) -> Result<()> {
        let bytes = serde_json::to_vec_pretty(document)
            .map_err(|error| Error::internal("the directory cannot be written").because(error))?;
        self.replace(&bytes).map_err(|error| {
            let path = self.dir.join(FILE);
            Error::internal(format!("{} cannot be written", path.display())).because(error)
        })
    }

    fn replace(&self, bytes: &[u8]) -> std::io::Result<()> {
        let (new, file) = (self.dir.join(NEW_FILE), self.dir.join(FILE));
        // One that a crash left behind could have other rights.
        if let Err(error) = std::fs::remove_file(&new)
            && error.kind() != ErrorKind::NotFound
        {
            return Err(error);
        }
        let mut writer = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        writer.write_all(bytes)?;
        writer.sync_all()?;
        std::fs::rename(&new, &file)?;
        sync_dir(&self.dir)
    }
}

/// Makes the names in a folder durable.
fn sync_dir(dir: &Path) -> std::io::Result<()> {
    // The parent of a relative name of one component is the empty path.
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    File::open(dir)?.sync_all()
}
