//! The file-system calls under everything that the storage does.
//!
//! Every access to a disk goes through [`Fs`], from the first line on, so that a test can count the
//! calls, fail or cut at any one of them, and forget what was not flushed ([`fault`], [`memory`]).
//! [`real`] is the only module that names `std::fs`.
//!
//! Calls are synchronous: they are made from threads that may block, or directly where one short
//! call is cheaper than changing threads. Paths are absolute.
//!
//! What survives a power cut is what POSIX promises and no more: the content of a file after
//! [`File::sync`], the names in a folder after [`Fs::sync_dir`], everything after
//! [`Fs::sync_all`].

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ocis_core::Error;
use ocis_core::time::Timestamp;

pub mod fault;
pub mod memory;
pub mod real;

pub use fault::FaultyFs;
pub use memory::MemoryFs;
pub use real::RealFs;

/// How to open a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// For reading; it must exist.
    Read,
    /// For reading and writing; it must exist.
    Write,
    /// For reading and writing; made when it is missing, emptied when it is there.
    Create,
    /// For reading and writing; made, and `AlreadyExists` when it is there.
    CreateNew,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Symlink,
}

/// What is known of a name, without following a symbolic link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// What it is.
    pub kind: Kind,
    /// Bytes of a file.
    pub size: u64,
    /// When the content was last written.
    pub modified: Timestamp,
}

/// A name in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name, as bytes of UTF-8; names that are not UTF-8 are left out of listings.
    pub name: String,
    /// What it stands for.
    pub kind: Kind,
}

/// A lock on a file; given back when it is dropped or the process ends.
pub trait Held: Send + Sync + fmt::Debug {}

/// An open file. Reads and writes name their offset, so one file can be shared by threads.
pub trait File: Send + Sync + fmt::Debug {
    /// Reads up to `buffer.len()` bytes at `offset`; 0 means the end.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes all of `bytes` at `offset`. After an error any part of them may have been written.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Flushes the content, and as much of the metadata as reading it back needs (`fdatasync`).
    /// After an error nothing may be assumed of what was written since the last success, even if
    /// a later call succeeds.
    fn sync(&self) -> io::Result<()>;

    /// The length in bytes.
    fn size(&self) -> io::Result<u64>;

    /// Cuts the file to `size` bytes or fills it up with zeros.
    fn set_size(&self, size: u64) -> io::Result<()>;
}

/// A file system. See the module documentation for what is durable when.
pub trait Fs: Send + Sync + fmt::Debug + 'static {
    /// Opens a file. New files are readable by their owner only (0600).
    fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn File>>;

    /// Describes a name; a symbolic link itself, not its target.
    fn stat(&self, path: &Path) -> io::Result<Stat>;

    /// The names in a folder, in no particular order.
    fn read_dir(&self, path: &Path) -> io::Result<Vec<Entry>>;

    /// Makes a folder that only its owner can enter (0700); `AlreadyExists` when there is anything.
    fn mkdir(&self, path: &Path) -> io::Result<()>;

    /// Removes an empty folder.
    fn rmdir(&self, path: &Path) -> io::Result<()>;

    /// Removes a file or symbolic link.
    fn unlink(&self, path: &Path) -> io::Result<()>;

    /// Renames within the file system, atomically; a file or symbolic link at `to` is replaced.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Gives a file a second name; `AlreadyExists` when there is anything at `to`.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Makes a symbolic link at `path`; `AlreadyExists` when there is anything.
    fn symlink(&self, target: &Path, path: &Path) -> io::Result<()>;

    /// The target of a symbolic link.
    fn readlink(&self, path: &Path) -> io::Result<PathBuf>;

    /// Copies the content of a file to a new file (shared blocks where the file system can);
    /// `AlreadyExists` when there is anything at `to`. Not flushed.
    fn copy(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Sets the time of the content.
    fn set_modified(&self, path: &Path, time: Timestamp) -> io::Result<()>;

    /// Flushes the names in a folder.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// Flushes everything of the file system that holds `path` (`syncfs`).
    fn sync_all(&self, path: &Path) -> io::Result<()>;

    /// The bytes that can still be written below `path`.
    fn free_space(&self, path: &Path) -> io::Result<u64>;

    /// Takes the lock of the file at `path`, which is made when missing; none when somebody else
    /// holds it.
    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Held>>>;

    /// The bytes of a file in `range`, if neither finding nor reading them has to wait for a disk.
    /// None when it may have to, when nothing is known about it, and when anything is wrong: then
    /// they are to be read the usual way, on a thread that may block.
    fn read_cached(&self, path: &Path, range: Range<u64>) -> Option<Vec<u8>> {
        let _ = (path, range);
        None
    }

    /// The extended attributes of a file or folder, names with their namespace; none where the file
    /// system has no such thing.
    fn extended(&self, path: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
        let _ = path;
        Ok(Vec::new())
    }

    /// The whole content of a file.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let file = self.open(path, Open::Read)?;
        let mut content = vec![0; usize::try_from(file.size()?).unwrap_or(usize::MAX)];
        let mut filled = 0;
        while let Some(rest) = content.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match file.read_at(rest, filled as u64)? {
                0 => break,
                count => filled += count,
            }
        }
        content.truncate(filled);
        Ok(content)
    }

    /// Makes or replaces a file with this content. Not atomic, not flushed.
    fn write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        self.open(path, Open::Create)?.write_at(content, 0)
    }

    /// Removes a folder with all that is in it, of whatever name. Neither atomic nor flushed: what an
    /// error leaves can be removed by the next call.
    fn remove_all(&self, folder: &Path) -> io::Result<()> {
        for entry in self.read_dir(folder)? {
            let path = folder.join(&entry.name);
            let removed = match entry.kind {
                Kind::Folder => self.remove_all(&path),
                Kind::File | Kind::Symlink => self.unlink(&path),
            };
            if !is_missing(&removed) {
                removed?;
            }
        }
        self.rmdir(folder)
    }

    /// Makes a folder and those above it that are missing.
    fn mkdir_all(&self, path: &Path) -> io::Result<()> {
        match self.mkdir(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let parent = path.parent().ok_or(error)?;
                self.mkdir_all(parent)?;
                match self.mkdir(path) {
                    // Somebody else was faster.
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                    result => result,
                }
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            result => result,
        }
    }
}

/// Whether `result` says that nothing is there.
pub(crate) fn is_missing<T>(result: &io::Result<T>) -> bool {
    result.as_ref().is_err_and(|error| {
        matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
    })
}

/// Whether a folder could not be removed because something is in it, or because it is not ours.
pub(crate) fn stays(error: &io::Error) -> bool {
    use io::ErrorKind::{DirectoryNotEmpty, PermissionDenied, ResourceBusy};
    matches!(error.kind(), DirectoryNotEmpty | PermissionDenied | ResourceBusy)
}

/// Whether a call failed because the process or the machine has no file descriptor left.
pub(crate) fn is_out_of_files(error: &io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::MFILE, Errno::NFILE].map(Errno::raw_os_error).map(Some).contains(&error.raw_os_error())
}

/// The error of a call that found no file descriptor left, for who runs the server.
pub(crate) fn out_of_files(error: io::Error) -> Error {
    let text = "the server has too many files open; raise its limit (ulimit -n, LimitNOFILE)";
    Error::unavailable(text).because(error)
}

#[cfg(test)]
mod tests;
