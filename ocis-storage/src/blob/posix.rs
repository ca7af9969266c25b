//! Blobs as files in the store's own folder: `spaces/<space>/blobs/<blob>`, as oCIS lays them out.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, StreamExt as _};
use ocis_core::id::{BlobId, SpaceId};
use ocis_core::{Error, Result};
use tokio::task::{JoinHandle, spawn_blocking};

use super::{BlobStore, COPIES, Content};
use crate::fs::{File, Fs, Kind, Open, is_missing, is_out_of_files, out_of_files, stays};
use crate::layout::paths;

/// A content is read in pieces of this length, one ahead of the one that is being taken: a slow
/// client holds half a megabyte, and a fast one does not wait.
const PIECE: u64 = 256 * 1024;
/// A content up to this length is read in one step where it was asked for, if no disk is needed.
const AT_ONCE: u64 = 64 * 1024;
/// How often a folder is made for a blob before giving up: each time, somebody must have removed a
/// blob beside it in between.
const ATTEMPTS: usize = 64;

/// Blobs below the root of a store.
#[derive(Debug, Clone)]
pub struct PosixBlobs {
    fs: Arc<dyn Fs>,
    root: PathBuf,
}

impl PosixBlobs {
    /// The blobs of the store at `root`, an absolute path on `fs`.
    pub fn new(fs: Arc<dyn Fs>, root: impl Into<PathBuf>) -> Self {
        Self { fs, root: root.into() }
    }

    fn path(&self, space: &SpaceId, blob: &BlobId) -> PathBuf {
        self.root.join(paths::blob(space, blob))
    }

    /// Runs `work` with a clone of this store on a thread that may block.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> io::Result<T> + Send + 'static,
    ) -> Result<T> {
        let store = self.clone();
        spawn_blocking(move || work(&store)).await.map_err(stopped)?.map_err(failed)
    }

    /// Makes the names of `path` and of every folder down to it durable: the folders may be as new
    /// as the file, but for those in the root, which [`crate::Store::open`] made.
    fn sync_names(&self, path: &Path) -> io::Result<()> {
        let folders = path.ancestors().skip(1).take_while(|folder| *folder != self.root);
        for folder in folders {
            self.fs.sync_dir(folder)?;
        }
        Ok(())
    }

    /// Gives a new file at `path` its content with `fill`, replacing what is there.
    fn replace(&self, path: &Path, fill: impl Fn() -> io::Result<()>) -> io::Result<()> {
        let mut filled = fill();
        // More than once: the folder that was just made may have been removed again as an empty one.
        for _ in 0..ATTEMPTS {
            if !is_missing(&filled) {
                break;
            }
            match self.fs.mkdir_all(path.parent().unwrap_or(&self.root)) {
                made if is_missing(&made) => continue,
                made => made?,
            }
            filled = fill();
        }
        match filled {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.remove(path)?;
                fill()
            }
            result => result,
        }
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        match self.fs.unlink(path) {
            gone if is_missing(&gone) => Ok(()),
            result => result,
        }
    }

    /// Removes the folders that a blob leaves empty, up to that of its space: a space that was purged
    /// while the blob was on its way leaves none. The usual cost is one call, which finds that there
    /// are others.
    fn prune(&self, path: &Path) -> io::Result<()> {
        let spaces = self.root.join("spaces");
        for folder in path.ancestors().skip(1).take_while(|folder| *folder != spaces) {
            match self.fs.rmdir(folder) {
                Ok(()) => {}
                gone if is_missing(&gone) => {}
                Err(error) if stays(&error) => break,
                failed => return failed,
            }
        }
        Ok(())
    }

    /// Opens a blob and reads the first piece.
    fn open(&self, path: &Path, range: Range<u64>) -> io::Result<(Bytes, Reader)> {
        let mut reader = Reader { file: self.fs.open(path, Open::Read)?, rest: range, ahead: None };
        let piece = reader.cut();
        let first = read(&*reader.file, piece)?;
        // A blob that is too short is found before the first byte is sent.
        if !reader.rest.is_empty() && reader.file.size()? < reader.rest.end {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok((first, reader))
    }
}

#[async_trait]
impl BlobStore for PosixBlobs {
    async fn put(&self, space: &SpaceId, blob: &BlobId, staged: &Path) -> Result<()> {
        let (path, staged) = (self.path(space, blob), staged.to_owned());
        self.blocking(move |store| {
            store.fs.open(&staged, Open::Write)?.sync()?;
            if let Some(folder) = staged.parent() {
                store.fs.sync_dir(folder)?;
            }
            store.replace(&path, || store.fs.link(&staged, &path))?;
            store.sync_names(&path)
        })
        .await
    }

    fn put_inline(&self, space: &SpaceId, blob: &BlobId, bytes: &[u8]) -> Result<()> {
        let path = self.path(space, blob);
        let fill = || match self.fs.open(&path, Open::CreateNew) {
            // Its record is applied a second time.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if self.fs.read(&path)? == bytes { Ok(()) } else { Err(error) }
            }
            opened => opened?.write_at(bytes, 0),
        };
        self.replace(&path, fill).map_err(failed)
    }

    async fn read(&self, space: &SpaceId, blob: &BlobId, range: Range<u64>) -> Result<Content> {
        let path = self.path(space, blob);
        // What is in memory already is read right here: changing threads costs several times more.
        if range.end - range.start <= AT_ONCE
            && let Some(bytes) = self.fs.read_cached(&path, range.clone())
        {
            return Ok(stream::iter((!bytes.is_empty()).then(|| Ok(bytes.into()))).boxed());
        }
        let (first, mut reader) = self.blocking(move |store| store.open(&path, range)).await?;
        let first = stream::iter((!first.is_empty()).then_some(Ok(first)));
        if reader.rest.is_empty() {
            return Ok(first.boxed());
        }
        reader.begin();
        Ok(first.chain(stream::try_unfold(reader, Reader::next)).boxed())
    }

    async fn copy(&self, from: (&SpaceId, &BlobId), to: (&SpaceId, &BlobId)) -> Result<()> {
        let (from, to) = (self.path(from.0, from.1), self.path(to.0, to.1));
        self.blocking(move |store| {
            store.fs.stat(&from)?;
            store.replace(&to, || store.fs.copy(&from, &to))?;
            store.fs.open(&to, Open::Write)?.sync()?;
            store.sync_names(&to)
        })
        .await
    }

    async fn copy_all(
        &self,
        from: &SpaceId,
        to: &SpaceId,
        blobs: &[(BlobId, BlobId)],
    ) -> Result<()> {
        if let [(blob, copy)] = blobs {
            return self.copy((from, blob), (to, copy)).await;
        }
        // Each thread makes its part without flushing, and one flush makes all of them durable.
        let share = blobs.len().div_ceil(COPIES).max(1);
        let parts: Vec<_> = blobs
            .chunks(share)
            .map(|part| {
                let paths = part.iter();
                let paths = paths.map(|it| (self.path(from, &it.0), self.path(to, &it.1)));
                let paths: Vec<_> = paths.collect();
                let store = self.clone();
                spawn_blocking(move || {
                    paths.iter().try_for_each(|(blob, copy)| {
                        store.fs.stat(blob)?;
                        store.replace(copy, || store.fs.copy(blob, copy))
                    })
                })
            })
            .collect();
        let mut result = Ok(());
        for part in parts {
            let copied = part.await.map_err(stopped).and_then(|copied| copied.map_err(failed));
            result = result.and(copied);
        }
        result?;
        self.blocking(|store| store.fs.sync_all(&store.root)).await
    }

    fn delete(&self, space: &SpaceId, blob: &BlobId) -> Result<()> {
        let path = self.path(space, blob);
        self.remove(&path).and_then(|()| self.prune(&path)).map_err(failed)
    }

    fn len(&self, space: &SpaceId, blob: &BlobId) -> Result<Option<u64>> {
        match self.fs.stat(&self.path(space, blob)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            result => result.map(|stat| Some(stat.size)).map_err(failed),
        }
    }

    fn list(&self, space: &SpaceId, visit: &mut dyn FnMut(BlobId, u64)) -> Result<()> {
        let mut folders = vec![(self.root.join(paths::space(space)).join("blobs"), String::new())];
        while let Some((folder, prefix)) = folders.pop() {
            let entries = match self.fs.read_dir(&folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                result => result.map_err(failed)?,
            };
            for entry in entries {
                let (path, name) = (folder.join(&entry.name), format!("{prefix}{}", entry.name));
                match (entry.kind, BlobId::parse(&name)) {
                    (Kind::Folder, _) => folders.push((path, name)),
                    (Kind::File, Ok(blob)) => {
                        visit(blob, self.fs.stat(&path).map_err(failed)?.size);
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

/// A content on its way out.
struct Reader {
    file: Arc<dyn File>,
    /// What is not being read yet.
    rest: Range<u64>,
    ahead: Option<JoinHandle<io::Result<Bytes>>>,
}

impl Reader {
    /// Cuts the next piece off the rest.
    fn cut(&mut self) -> Range<u64> {
        let end = self.rest.end.min(self.rest.start + PIECE);
        std::mem::replace(&mut self.rest.start, end)..end
    }

    /// Begins to read the next piece, if there is one.
    fn begin(&mut self) {
        let (piece, file) = (self.cut(), Arc::clone(&self.file));
        // The buffer is made here, where it is also freed: given out by a thread that then sleeps, its
        // memory would lie idle in that thread's heap.
        let room = room(&piece);
        self.ahead =
            (!piece.is_empty()).then(|| spawn_blocking(move || fill(&*file, room?, piece.start)));
    }

    async fn next(mut self) -> Result<Option<(Bytes, Self)>> {
        let Some(piece) = self.ahead.take() else { return Ok(None) };
        let bytes = piece.await.map_err(stopped)?.map_err(failed)?;
        self.begin();
        Ok(Some((bytes, self)))
    }
}

/// All bytes of `file` in `range`.
pub(super) fn read(file: &dyn File, range: Range<u64>) -> io::Result<Bytes> {
    fill(file, room(&range)?, range.start)
}

/// Room for the bytes of `range`.
fn room(range: &Range<u64>) -> io::Result<Vec<u8>> {
    Ok(vec![0; usize::try_from(range.end - range.start).map_err(io::Error::other)?])
}

/// Fills `bytes` from `start` on.
fn fill(file: &dyn File, mut bytes: Vec<u8>, start: u64) -> io::Result<Bytes> {
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, start + filled as u64)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => filled += count,
        }
    }
    Ok(bytes.into())
}

/// The error of a file-system call.
pub(super) fn failed(error: io::Error) -> Error {
    use io::ErrorKind::{FileTooLarge, NotFound, QuotaExceeded, StorageFull};
    match error.kind() {
        _ if is_out_of_files(&error) => out_of_files(error),
        NotFound => Error::not_found("the content is not there").because(error),
        StorageFull | QuotaExceeded | FileTooLarge => {
            Error::full("there is no room left on the storage").because(error)
        }
        _ => Error::internal("the storage cannot be read or written").because(error),
    }
}

/// The error of a step that the runtime gave up because it is shutting down.
pub(crate) fn stopped(error: tokio::task::JoinError) -> Error {
    Error::unavailable("the server is shutting down").because(error)
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;
    use crate::blob::staged;
    use crate::fs::fault::Fault;
    use crate::fs::{FaultyFs, MemoryFs};

    struct Bench {
        disk: MemoryFs,
        faulty: FaultyFs,
        store: PosixBlobs,
        staged: PathBuf,
        space: SpaceId,
        blob: BlobId,
    }

    fn bench() -> Bench {
        let (root, disk) = (Path::new("/store"), MemoryFs::default());
        let faulty = FaultyFs::new(Arc::new(disk.clone()));
        let (space, blob) = (SpaceId::random(), BlobId::random());
        for folder in ["uploads", "spaces"] {
            disk.mkdir_all(&root.join(folder)).unwrap();
        }
        disk.sync_all(root).unwrap();
        let staged = staged::path(&root.join("uploads"), &space, &blob);
        disk.write(&staged, &[7; 100_000]).unwrap();
        let store = PosixBlobs::new(Arc::new(faulty.clone()), root);
        Bench { disk, faulty, store, staged, space, blob }
    }

    #[tokio::test]
    async fn a_blob_that_was_put_survives_a_power_cut_and_so_does_its_mark() {
        for number in 0.. {
            let bench = bench();
            bench.faulty.plan(number, Fault::Cut);
            let result = bench.store.put(&bench.space, &bench.blob, &bench.staged).await;
            bench.disk.cut();
            let store = PosixBlobs::new(Arc::new(bench.disk.clone()), "/store");
            let size = store.len(&bench.space, &bench.blob).unwrap();
            if size.is_some() || result.is_ok() {
                assert_eq!(size, Some(100_000), "whole or not there, at call {number}");
                assert!(bench.disk.stat(&bench.staged).is_ok(), "marked, at call {number}");
            }
            if !bench.faulty.is_cut() {
                return result.unwrap();
            }
            assert!(result.is_err());
        }
    }

    #[tokio::test]
    async fn a_copy_survives_a_power_cut() {
        let Bench { disk, store, staged, space, blob, .. } = bench();
        store.put(&space, &blob, &staged).await.unwrap();
        let copy = BlobId::random();
        store.copy((&space, &blob), (&space, &copy)).await.unwrap();
        disk.cut();
        assert_eq!(store.len(&space, &copy).unwrap(), Some(100_000));
        assert_eq!(disk.read(&store.path(&space, &copy)).unwrap(), [7; 100_000]);
    }

    #[tokio::test]
    async fn a_full_disk_is_told() {
        let Bench { faulty, store, staged, space, blob, .. } = bench();
        faulty.plan(0, Fault::FailFrom(ErrorKind::StorageFull));
        let error = store.put(&space, &blob, &staged).await.unwrap_err();
        assert_eq!(error.kind(), ocis_core::ErrorKind::InsufficientStorage);
        let error = store.put_inline(&space, &blob, b"x").unwrap_err();
        assert_eq!(error.kind(), ocis_core::ErrorKind::InsufficientStorage);
    }

    #[tokio::test]
    async fn a_blob_that_was_cut_off_is_found_before_it_is_sent() {
        let Bench { disk, store, space, blob, .. } = bench();
        store.put_inline(&space, &blob, &[1; 200_000]).unwrap();
        let path = store.path(&space, &blob);
        disk.open(&path, Open::Write).unwrap().set_size(199_999).unwrap();
        assert!(store.read(&space, &blob, 0..200_000).await.is_err());
        assert!(store.read(&space, &blob, 199_990..200_000).await.is_err());
        assert!(store.read(&space, &blob, 0..199_999).await.is_ok());
    }

    #[tokio::test]
    async fn a_blob_that_goes_takes_its_empty_folders_along() {
        let Bench { disk, store, space, .. } = bench();
        let blobs = Path::new("/store").join(paths::space(&space)).join("blobs");
        let [one, other] = ["aabbccdd-1", "aabbccee-2"].map(|id| BlobId::parse(id).unwrap());
        store.put_inline(&space, &one, b"1").unwrap();
        store.put_inline(&space, &other, b"2").unwrap();
        store.delete(&space, &one).unwrap();
        assert_eq!(disk.read_dir(&blobs.join("aa/bb/cc")).unwrap().len(), 1);
        assert_eq!(store.len(&space, &other).unwrap(), Some(1));
        store.delete(&space, &other).unwrap();
        // Nothing else is in the space: it was purged meanwhile.
        assert_eq!(disk.read_dir(Path::new("/store/spaces")).unwrap(), []);
        store.delete(&space, &other).unwrap();
        store.put_inline(&space, &one, b"1").unwrap();
    }

    #[test]
    fn a_folder_that_goes_while_a_blob_comes_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = PosixBlobs::new(Arc::new(crate::fs::RealFs), folder.path());
        let space = SpaceId::parse("space").unwrap();
        std::thread::scope(|threads| {
            for thread in 0..2 {
                let (store, space) = (&store, &space);
                threads.spawn(move || {
                    let blob = BlobId::parse(&format!("aabbccdd-{thread}")).unwrap();
                    for _ in 0..5000 {
                        store.put_inline(space, &blob, b"1").unwrap();
                        store.delete(space, &blob).unwrap();
                    }
                });
            }
        });
    }
}
