//! Where contents lie: a [`BlobStore`] keeps them by space and blob id, apart from the tree.
//!
//! A blob never changes: a file with new content gets a new blob. So a blob can be read without a
//! lock, and an id is never written a second time with other bytes.
//!
//! What ties blobs to the journal:
//!
//! 1. A **small** content stands in its journal record. [`BlobStore::put_inline`] is called when
//!    the record is applied, and again when the journal is replayed; it need not flush.
//! 2. A **large** content is received into a staged file ([`staged`]), and [`BlobStore::put`] makes
//!    a durable blob of it *before* its record is written. The staged file stays until the record
//!    is applied, which removes it. So after a crash each staged file that the replay leaves behind
//!    names a blob that nothing refers to, and [`staged::sweep`] removes both: no blob is lost
//!    sight of, and none has to be searched for.
//!
//! 3. A blob that nothing refers to any more is deleted when the record that says so is applied.
//!
//! A store on **another machine** ([`BlobStore::is_remote`]) would hold up every change. There, all
//! contents are staged, so nothing is put while a record is applied. And a record that says that a
//! blob is gone only marks it, as a staged file does; a thread in the background deletes many at a
//! time, and their marks after them. Who dropped something waits some seconds for that; when the
//! machine is away, it is tried again until it is back, also after a crash.
//!
//! A store of one's own implements the methods without a body and passes
//! `conformance::blob_store` (feature `conformance`).

use std::fmt;
use std::ops::Range;
use std::path::Path;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{BoxStream, FuturesUnordered, StreamExt as _};
use ocis_core::Result;
use ocis_core::id::{BlobId, SpaceId};

pub(crate) mod arriving;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub(crate) mod copies;
pub(crate) mod drops;
pub mod faulty;
mod object;
mod posix;
pub mod staged;

pub use arriving::Arriving;
pub use object::{Cut, ObjectBlobs, Patience, S3Settings};
pub use posix::PosixBlobs;
pub(crate) use posix::stopped;

/// How many contents are copied at a time.
const COPIES: usize = 8;

/// The bytes of a content in order, read only as fast as they are taken.
pub type Content = BoxStream<'static, Result<Bytes>>;

/// Keeps contents. See the module documentation for how it is used.
///
/// `NotFound` means that the blob is not there, `InsufficientStorage` that there is no room;
/// everything else is `Unavailable` or `Internal`. The async methods are called on the runtime and
/// must not block it; the others are called on threads that may block.
#[async_trait]
pub trait BlobStore: fmt::Debug + Send + Sync + 'static {
    /// Whether contents lie on another machine, which may be slow or away. Then no step of a change
    /// that others wait for calls this store; see the module documentation.
    fn is_remote(&self) -> bool {
        false
    }

    /// Makes a blob of a staged file, which is complete but not yet flushed and stays where it is.
    ///
    /// When it returns, the blob is whole and survives a power cut, and so does the name of the
    /// staged file, which became durable before the blob did. After an error, a part of the blob
    /// may be there until [`Self::delete`] is called.
    async fn put(&self, space: &SpaceId, blob: &BlobId, staged: &Path) -> Result<()>;

    /// As [`Self::put`], of a staged file that is still growing: a store on another machine sends
    /// what is there meanwhile. It shows nothing before the content is [wanted](Arriving::wanted),
    /// and when it is given up, it takes back what it sent and fails.
    async fn put_arriving(
        &self,
        space: &SpaceId,
        blob: &BlobId,
        staged: &Path,
        arriving: Arriving,
    ) -> Result<()> {
        arriving.wanted().await?;
        self.put(space, blob, staged).await
    }

    /// Makes a blob of `bytes`; blocking. Not durable when it returns: the journal holds the bytes
    /// until it has flushed the store. A blob that is there, whole or cut off, is replaced.
    fn put_inline(&self, space: &SpaceId, blob: &BlobId, bytes: &[u8]) -> Result<()>;

    /// The bytes of a blob in `range`, which lies within it. `NotFound` comes from the call, other
    /// errors may come while the content is read. Who has begun to read reads on, even when the
    /// blob is deleted meanwhile.
    async fn read(&self, space: &SpaceId, blob: &BlobId, range: Range<u64>) -> Result<Content>;

    /// Makes a blob with the bytes of another one, whole and durable when it returns. A blob that
    /// is there, whole or cut off, is replaced.
    async fn copy(&self, from: (&SpaceId, &BlobId), to: (&SpaceId, &BlobId)) -> Result<()>;

    /// Makes blobs of `to` with the bytes of others of `from`, as [`Self::copy`] does with one. A
    /// store in which many cost less together than one by one has a method of its own; this one makes
    /// some at a time. When it returns, with or without an error, nothing is being copied any more.
    async fn copy_all(
        &self,
        from: &SpaceId,
        to: &SpaceId,
        blobs: &[(BlobId, BlobId)],
    ) -> Result<()> {
        let (mut rest, mut under_way) = (blobs.iter(), FuturesUnordered::new());
        let mut result = Ok(());
        loop {
            while under_way.len() < COPIES
                && result.is_ok()
                && let Some((blob, copy)) = rest.next()
            {
                under_way.push(self.copy((from, blob), (to, copy)));
            }
            match under_way.next().await {
                Some(copied) => result = result.and(copied),
                None => return result,
            }
        }
    }

    /// Removes a blob; blocking. One that is not there is no error. May come back after a power cut
    /// until the journal has flushed the store.
    fn delete(&self, space: &SpaceId, blob: &BlobId) -> Result<()>;

    /// Removes many blobs; blocking. After an error, any of them may be there still.
    fn delete_all(&self, blobs: &[(SpaceId, BlobId)]) -> Result<()> {
        blobs.iter().try_for_each(|(space, blob)| self.delete(space, blob))
    }

    /// Removes what an unfinished [`Self::put`] or [`Self::copy`] may have left behind of a blob
    /// that is not there yet; blocking. A blob that is there stays. [`Self::delete`] does it too.
    fn abandon(&self, space: &SpaceId, blob: &BlobId) -> Result<()> {
        let _ = (space, blob);
        Ok(())
    }

    /// The length of a blob in bytes, none when it is not there; blocking.
    fn len(&self, space: &SpaceId, blob: &BlobId) -> Result<Option<u64>>;

    /// Calls `visit` with each blob of a space and its length, in no particular order; blocking.
    fn list(&self, space: &SpaceId, visit: &mut dyn FnMut(BlobId, u64)) -> Result<()>;
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::fs::{Fs, MemoryFs, RealFs};

    async fn run(fs: Arc<dyn Fs>, root: &Path) {
        let uploads = root.join("uploads");
        fs.mkdir_all(&uploads).unwrap();
        conformance::blob_store(&PosixBlobs::new(Arc::clone(&fs), root), &*fs, &uploads).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn blobs_in_memory_keep_the_contract() {
        run(Arc::new(MemoryFs::default()), Path::new("/store")).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn blobs_on_disk_keep_the_contract() {
        let dir = tempfile::tempdir().unwrap();
        run(Arc::new(RealFs), dir.path()).await;
    }
}
