//! Files with secrets: readable by their owner only, whole or not there, on disk when written.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use ocis_core::time::Timestamp;
use ocis_core::{Error, Result};
use rustix::fs::{CWD, RenameFlags, renameat_with};

/// Makes a directory and those above it, for their owner only.
pub(super) fn directory(path: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| failed("cannot make the directory", path, error))
}

/// The text of a file.
pub(super) fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|error| failed("cannot read", path, error))
}

/// Copies `path` to `<path>.<yyyy-MM-dd-HH-mm-ss>.backup`, in UTC.
pub(super) fn backup(path: &Path, now: Timestamp) -> Result<PathBuf> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.backup", now.date_time().format("%Y-%m-%d-%H-%M-%S")));
    let target = PathBuf::from(name);
    atomically(&target, &read(path)?, false)?;
    Ok(target)
}

/// Writes `text` to `path` by way of a file beside it. Unless `replace`, a file that is there stays,
/// with [`ocis_core::ErrorKind::AlreadyExists`], also if another process wrote it just now.
pub(super) fn atomically(path: &Path, text: &str, replace: bool) -> Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.tmp", uuid::Uuid::new_v4().simple()));
    let temporary = PathBuf::from(name);
    let written = write_new(&temporary, text).and_then(|()| put(&temporary, path, replace));
    if written.is_err() {
        // What is left of it would be in the way of nobody; the error to report is the first one.
        let _ = fs::remove_file(&temporary);
    }
    written.map_err(|error| failed("cannot write", path, error))
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn put(temporary: &Path, path: &Path, replace: bool) -> io::Result<()> {
    if replace {
        fs::rename(temporary, path)?;
    } else {
        renameat_with(CWD, temporary, CWD, path, RenameFlags::NOREPLACE)?;
    }
    path.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}

fn failed(what: &str, path: &Path, error: io::Error) -> Error {
    let sentence = format!("{what} {}: {error}", path.display());
    match error.kind() {
        ErrorKind::NotFound => Error::not_found(sentence),
        ErrorKind::AlreadyExists => Error::exists(sentence),
        ErrorKind::PermissionDenied => Error::denied(sentence),
        ErrorKind::StorageFull => Error::full(sentence),
        _ => Error::internal(sentence),
    }
}
