//! The file system of the machine. The only module of the storage that names `std::fs`.

use std::fs;
use std::io;
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ocis_core::time::Timestamp;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, getxattr, listxattr, openat2};
use rustix::io::{ReadWriteFlags, preadv2};

use super::{Entry, File, Fs, Held, Kind, Open, Stat};

/// The file system of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealFs;

#[derive(Debug)]
struct RealFile(fs::File);

#[derive(Debug)]
struct Lock(#[expect(dead_code, reason = "held open, because closing it unlocks")] fs::File);

impl Held for Lock {}

fn kind(kind: fs::FileType) -> Kind {
    if kind.is_dir() {
        Kind::Folder
    } else if kind.is_symlink() {
        Kind::Symlink
    } else {
        Kind::File
    }
}

fn options(how: Open) -> fs::OpenOptions {
    let mut options = fs::OpenOptions::new();
    options.read(true).mode(0o600);
    match how {
        Open::Read => &mut options,
        Open::Write => options.write(true),
        Open::Create => options.write(true).create(true).truncate(true),
        Open::CreateNew => options.write(true).create_new(true),
    };
    options
}

impl File for RealFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        loop {
            match self.0.read_at(buffer, offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn set_size(&self, size: u64) -> io::Result<()> {
        self.0.set_len(size)
    }
}

impl Fs for RealFs {
    fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn File>> {
        Ok(Arc::new(RealFile(options(how).open(path)?)))
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        let meta = fs::symlink_metadata(path)?;
        let nanos = u32::try_from(meta.mtime_nsec()).unwrap_or(0);
        let modified = Timestamp::from_unix(meta.mtime(), nanos)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        Ok(Stat { kind: kind(meta.file_type()), size: meta.len(), modified })
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            match entry.file_name().into_string() {
                Ok(name) => entries.push(Entry { name, kind: kind(entry.file_type()?) }),
                Err(name) => tracing::warn!(?name, ?path, "left out: its name is not UTF-8"),
            }
        }
        Ok(entries)
    }

    fn mkdir(&self, path: &Path) -> io::Result<()> {
        fs::DirBuilder::new().mode(0o700).create(path)
    }

    fn rmdir(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }

    fn unlink(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(from, to)
    }

    fn symlink(&self, target: &Path, path: &Path) -> io::Result<()> {
        std::os::unix::fs::symlink(target, path)
    }

    fn readlink(&self, path: &Path) -> io::Result<PathBuf> {
        fs::read_link(path)
    }

    fn copy(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut source = fs::File::open(from)?;
        let mut target = options(Open::CreateNew).open(to)?;
        // Uses copy_file_range, hence shared blocks, where the file system can.
        io::copy(&mut source, &mut target).map(drop)
    }

    fn set_modified(&self, path: &Path, time: Timestamp) -> io::Result<()> {
        let nanos = Duration::from_nanos(time.subsec_nanos().into());
        let seconds = Duration::from_secs(time.unix_seconds().unsigned_abs());
        let base = if time.unix_seconds() < 0 {
            SystemTime::UNIX_EPOCH.checked_sub(seconds)
        } else {
            SystemTime::UNIX_EPOCH.checked_add(seconds)
        };
        let time = base
            .and_then(|base| base.checked_add(nanos))
            .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        // For reading, because a folder cannot be opened for writing.
        fs::File::open(path)?.set_modified(time)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        fs::File::open(path)?.sync_all()
    }

    fn sync_all(&self, path: &Path) -> io::Result<()> {
        Ok(rustix::fs::syncfs(fs::File::open(path)?)?)
    }

    fn free_space(&self, path: &Path) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(path)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Held>>> {
        let file = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Box::new(Lock(file)))),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }

    fn remove_all(&self, folder: &Path) -> io::Result<()> {
        // Also what `read_dir` leaves out.
        fs::remove_dir_all(folder)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    fn extended(&self, path: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
        use rustix::io::Errno;
        // More than Linux allows for all names, and for a value.
        let mut buffer = vec![0; 64 * 1024];
        let length = match listxattr(path, buffer.as_mut_slice()) {
            Err(Errno::NOTSUP) => 0,
            length => length?,
        };
        let names = buffer.get(..length).unwrap_or_default().to_vec();
        let mut found = Vec::new();
        for name in names.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
            let Ok(name) = std::str::from_utf8(name) else { continue };
            match getxattr(path, name, buffer.as_mut_slice()) {
                // Removed meanwhile, or not for us.
                Err(Errno::NODATA | Errno::PERM) => {}
                length => {
                    let value = buffer.get(..length?).unwrap_or_default();
                    found.push((name.to_owned(), value.to_vec()));
                }
            }
        }
        Ok(found)
    }

    fn read_cached(&self, path: &Path, range: Range<u64>) -> Option<Vec<u8>> {
        let length = usize::try_from(range.end.checked_sub(range.start)?).ok()?;
        let (flags, mode) = (OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
        let file = openat2(CWD, path, flags, mode, ResolveFlags::CACHED).ok()?;
        let mut bytes = vec![0; length];
        let buffer = &mut [io::IoSliceMut::new(&mut bytes)];
        let count = preadv2(&file, buffer, range.start, ReadWriteFlags::NOWAIT).ok()?;
        (count == length).then_some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::contract;
    use super::*;

    #[test]
    fn keeps_the_contract() {
        let dir = tempfile::tempdir().unwrap();
        contract(&RealFs, dir.path());
    }

    #[test]
    fn what_is_read_without_waiting_is_what_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        RealFs.write(&path, b"content").unwrap();
        // Whether a file system can tell is its own affair.
        let read = |range| RealFs.read_cached(&path, range);
        assert!(read(1..4).is_none_or(|bytes| bytes == b"ont"));
        assert!(read(0..7).is_none_or(|bytes| bytes == b"content"));
        assert_eq!(read(0..8), None);
        assert_eq!(RealFs.read_cached(&dir.path().join("none"), 0..1), None);
    }
}
