//! Staged files: large contents on their way in, in the store's `uploads` folder.
//!
//! A staged file is named `<space>$<blob>` after the blob that it is to become; `$` stands in no
//! id, so it is never taken for an upload session. It is there from the first byte until the
//! journal record of its content is applied, and so marks what a crash left half done. The bytes of
//! a session are received in the same way, into a file that stays when the client breaks off; there
//! the description of the session is the mark (see `crate::session`).

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ocis_core::checksum::Checksums;
use ocis_core::id::{BlobId, SpaceId};
use ocis_core::{Error, Result};
use tokio::runtime::Handle;
use tokio::task::{JoinHandle, spawn_blocking};

use super::arriving::Arrivals;
use super::posix::{failed, stopped};
use super::{BlobStore, copies};
use crate::digest::{ChunkSum, Digester};
use crate::fs::{File, Fs, Open, is_missing};

/// Bytes that are collected before a thread is asked to write them.
const BATCH: usize = 256 * 1024;
/// The same once a content has shown to be [`LARGE`]: between two batches a core lies idle until the
/// one thread has woken the other.
const LARGE_BATCH: usize = 1024 * 1024;
/// Bytes after which a content is large.
const LARGE: u64 = 4 * 1024 * 1024;
/// What the name of such a file ends with; no id holds it.
const PARTS: &str = "$parts";

/// Whether `blob` is marked as half done, so that nobody has to refer to it yet.
pub(crate) fn is_marked(fs: &dyn Fs, uploads: &Path, space: &SpaceId, blob: &BlobId) -> bool {
    let session = uploads.join(format!("{blob}.info"));
    !is_missing(&fs.stat(&path(uploads, space, blob)))
        || !is_missing(&fs.stat(&session))
        // Where that cannot be told, nobody may take it away.
        || !copies::under_way(fs, uploads, space).is_ok_and(|blobs| !blobs.contains(blob))
}

/// Where the content that is to become `blob` is staged.
pub fn path(uploads: &Path, space: &SpaceId, blob: &BlobId) -> PathBuf {
    uploads.join(format!("{space}${blob}"))
}

/// The file beside the staged file at `staged` in which a blob store of another machine keeps what
/// it must know to give an upload in parts up.
pub(crate) fn parts(staged: &Path) -> PathBuf {
    let mut name = staged.as_os_str().to_owned();
    name.push(PARTS);
    name.into()
}

/// The blob in the name of such a file; none when it is not one.
pub(crate) fn blob_of_parts(name: &str) -> Option<&str> {
    name.strip_suffix(PARTS)
}

/// Removes what uploads left behind that a crash interrupted: each staged file, and the blob that
/// may have been made of it. Blocking. To be called when a store is opened, after the journal was
/// replayed and before the first upload.
pub fn sweep(fs: &dyn Fs, uploads: &Path, blobs: &dyn BlobStore) -> Result<()> {
    let entries = match fs.read_dir(uploads) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        result => result.map_err(failed)?,
    };
    let mut staged = Vec::new();
    for entry in entries {
        let Some((space, blob)) = entry.name.split_once('$') else { continue };
        let (Ok(space), Ok(blob)) = (SpaceId::parse(space), BlobId::parse(blob)) else { continue };
        for blob in copies::of(fs, uploads, &space, &blob).map_err(failed)? {
            blobs.delete(&space, &blob)?;
        }
        staged.push(uploads.join(entry.name));
    }
    if staged.is_empty() {
        return Ok(());
    }
    forget(fs, uploads, &staged).map_err(failed)
}

/// Removes the blobs that the staged file at `staged` stands for and that are not to be, and the
/// file. Blocking.
pub(crate) fn discard<'a>(
    fs: &dyn Fs,
    staged: PathBuf,
    blobs: &dyn BlobStore,
    unwanted: impl IntoIterator<Item = (&'a SpaceId, &'a BlobId)>,
) -> Result<()> {
    for (space, blob) in unwanted {
        blobs.delete(space, blob)?;
    }
    let folder = staged.parent().unwrap_or(&staged).to_owned();
    forget(fs, &folder, &[staged]).map_err(failed)
}

/// Removes staged files whose blobs were deleted; those deletions must last first, or a power cut
/// could bring back a blob that nothing points at any more.
pub(super) fn forget(fs: &dyn Fs, folder: &Path, staged: &[PathBuf]) -> io::Result<()> {
    fs.sync_all(folder)?;
    staged.iter().try_for_each(|path| fs.unlink(path))
}

/// Receives a content into a staged file. Bytes are collected, and written and digested in batches
/// on threads that may block, one batch while the next one is collected: it holds half a megabyte at
/// most, two for a large content, and no thread while it waits for a client. Dropping it removes the
/// file.
#[derive(Debug)]
pub(crate) struct Stager {
    writer: JoinHandle<io::Result<Writer>>,
    batch: Vec<u8>,
    /// Bytes of the batches before.
    taken: u64,
}

/// A content that was received whole. Dropping it removes the file.
#[derive(Debug)]
pub(crate) struct Staged {
    guard: Guard,
    pub(crate) size: u64,
    pub(crate) checksums: Checksums,
    arrivals: Option<Arrivals>,
}

/// A file that bytes are added to, and what is known of them.
#[derive(Debug)]
pub(crate) struct Writer {
    // Dropped before the guard, which removes the file.
    pub(crate) file: Arc<dyn File>,
    guard: Option<Guard>,
    /// Over all bytes; none where those before were not digested.
    pub(crate) digester: Option<Digester>,
    /// Over the bytes that were added.
    pub(crate) chunk: Option<ChunkSum>,
    /// The length of the file.
    pub(crate) size: u64,
    /// Who is told of it.
    arrivals: Option<Arrivals>,
    /// What is being written; its memory is then used for the batch after the next one.
    batch: Vec<u8>,
}

/// Removes the file when it is dropped.
#[derive(Debug)]
struct Guard {
    fs: Arc<dyn Fs>,
    path: Option<PathBuf>,
}

impl Stager {
    /// Begins a staged file at `path`.
    pub(crate) fn begin(fs: Arc<dyn Fs>, path: PathBuf, arrivals: Option<Arrivals>) -> Self {
        let writer = spawn_blocking(move || {
            let file = fs.open(&path, Open::CreateNew)?;
            let guard = Guard { fs, path: Some(path) };
            let writer = Writer::new(file, 0, Some(Digester::new()), None);
            Ok(Writer { guard: Some(guard), arrivals, ..writer })
        });
        Self { writer, batch: Vec::with_capacity(BATCH), taken: 0 }
    }

    /// Goes on with a file, which stays whatever happens.
    pub(crate) fn onto(writer: Writer) -> Self {
        Self { writer: spawn_blocking(|| Ok(writer)), batch: Vec::with_capacity(BATCH), taken: 0 }
    }

    /// Makes what was added durable.
    pub(crate) async fn settle(self) -> Result<Writer> {
        let writer = settled(self.flush().await?.writer).await?;
        let sync = move || writer.file.sync().map(|()| writer);
        spawn_blocking(sync).await.map_err(stopped)?.map_err(failed)
    }

    /// Takes the next bytes; waits while the batch before is still being written.
    pub(crate) async fn push(mut self, mut bytes: &[u8]) -> Result<Self> {
        while let Some((head, tail)) = bytes.split_at_checked(self.room()) {
            self.batch.extend_from_slice(head);
            self = self.flush().await?;
            bytes = tail;
        }
        self.batch.extend_from_slice(bytes);
        Ok(self)
    }

    /// Bytes that the batch still takes.
    fn room(&self) -> usize {
        let whole = if self.taken < LARGE { BATCH } else { LARGE_BATCH };
        whole.saturating_sub(self.batch.len())
    }

    /// Ends the content. It is not durable yet: [`BlobStore::put`] makes it so.
    pub(crate) async fn finish(self) -> Result<Staged> {
        let writer = self.flush().await?.writer;
        let Writer { guard, digester, size, arrivals, .. } = settled(writer).await?;
        let (Some(guard), Some(digester)) = (guard, digester) else {
            return Err(Error::internal("what was received is no staged file"));
        };
        Ok(Staged { guard, size, checksums: digester.finish(), arrivals })
    }

    async fn flush(self) -> Result<Self> {
        let mut writer = settled(self.writer).await?;
        let taken = self.taken + self.batch.len() as u64;
        let mut batch = std::mem::replace(&mut writer.batch, self.batch);
        batch.clear();
        let writer = spawn_blocking(move || writer.write().map(|()| writer));
        Ok(Self { writer, batch, taken })
    }
}

async fn settled(writer: JoinHandle<io::Result<Writer>>) -> Result<Writer> {
    writer.await.map_err(stopped)?.map_err(failed)
}

impl Writer {
    /// Adds to `file`, which has `size` bytes.
    pub(crate) fn new(
        file: Arc<dyn File>,
        size: u64,
        digester: Option<Digester>,
        chunk: Option<ChunkSum>,
    ) -> Self {
        Self { file, guard: None, digester, chunk, size, arrivals: None, batch: Vec::new() }
    }

    fn write(&mut self) -> io::Result<()> {
        self.file.write_at(&self.batch, self.size)?;
        if let Some(digester) = &mut self.digester {
            digester.update(&self.batch);
        }
        if let Some(chunk) = &mut self.chunk {
            chunk.update(&self.batch);
        }
        self.size += self.batch.len() as u64;
        if let Some(arrivals) = &self.arrivals {
            arrivals.have(self.size);
        }
        Ok(())
    }
}

impl Staged {
    /// The file, which is the caller's to remove from now on. Who sends it already may end that.
    pub(crate) fn keep(mut self) -> Result<PathBuf> {
        if let Some(arrivals) = self.arrivals.take() {
            arrivals.wanted();
        }
        self.guard.path.take().ok_or_else(|| Error::internal("a staged file was taken twice"))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let Some(path) = self.path.take() else { return };
        let fs = Arc::clone(&self.fs);
        let remove = move || {
            if let Err(error) = fs.unlink(&path) {
                tracing::warn!(%error, "a staged file stays until the store is opened again");
            }
        };
        // Freeing the blocks of a large file takes its time.
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(remove)),
            Err(_) => remove(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blob::PosixBlobs;
    use crate::fs::fault::Fault;
    use crate::fs::{FaultyFs, MemoryFs};

    #[tokio::test]
    async fn a_large_content_is_written_in_larger_batches() {
        let faulty = FaultyFs::new(Arc::new(MemoryFs::default()));
        faulty.mkdir_all(Path::new("/store")).unwrap();
        faulty.start_trace();
        let mut stager = Stager::begin(Arc::new(faulty.clone()), "/store/staged".into(), None);
        let piece = [7; 300_000];
        for _ in 0..20 {
            stager = stager.push(&piece).await.unwrap();
        }
        let staged = stager.finish().await.unwrap();
        assert_eq!(staged.size, 6_000_000);
        assert_eq!(staged.checksums, crate::digest::digest(&[7; 6_000_000]));
        let writes = faulty.trace().iter().filter(|call| call.contains(" write ")).count();
        assert_eq!(writes, 16 + 2);
    }

    /// Puts a blob that is to be discarded.
    async fn unwanted(faulty: &FaultyFs, blob: (&SpaceId, &BlobId)) -> (PosixBlobs, PathBuf) {
        let (root, uploads) = (Path::new("/store"), Path::new("/store/uploads"));
        let staged = path(uploads, blob.0, blob.1);
        faulty.mkdir_all(uploads).unwrap();
        faulty.sync_all(root).unwrap();
        faulty.write(&staged, b"content").unwrap();
        let blobs = PosixBlobs::new(Arc::new(faulty.clone()), root);
        blobs.put(blob.0, blob.1, &staged).await.unwrap();
        (blobs, staged)
    }

    #[tokio::test]
    async fn a_power_cut_never_leaves_a_discarded_blob_without_its_mark() {
        let (space, blob) = (SpaceId::random(), BlobId::random());
        for swept in [false, true] {
            for number in 0.. {
                let disk = MemoryFs::default();
                let faulty = FaultyFs::new(Arc::new(disk.clone()));
                let (blobs, staged) = unwanted(&faulty, (&space, &blob)).await;
                let uploads = staged.parent().unwrap().to_owned();
                faulty.plan(faulty.calls() + number, Fault::Cut);
                let result = if swept {
                    sweep(&faulty, &uploads, &blobs)
                } else {
                    discard(&faulty, staged.clone(), &blobs, [(&space, &blob)])
                };
                // The next upload flushes the folder of staged files.
                disk.sync_dir(&uploads).unwrap();
                disk.cut();
                let blobs = PosixBlobs::new(Arc::new(disk.clone()), "/store");
                let (there, marked) = (blobs.len(&space, &blob).unwrap(), disk.stat(&staged));
                assert!(there.is_none() || marked.is_ok(), "at call {number}");
                if !faulty.is_cut() {
                    result.unwrap();
                    assert!(there.is_none() && marked.is_err());
                    break;
                }
            }
        }
    }
}
