//! Blobs as objects in a bucket: `<space>/<blob cut into folders>`, as oCIS's `s3ng` lays them out.
//!
//! The bucket is another machine: it may be slow, refuse, or be away. So an upload is a success
//! only after the bucket has shown that all of it arrived, every wait has an end, and what cannot
//! be done is `Unavailable` and names the reason. What a crash leaves behind in the bucket is marked
//! beforehand in the store's `uploads` folder: a blob by its staged file, an upload in parts by a
//! file beside it that holds the upload's id.

mod client;
mod failure;
mod s3;
mod transfer;

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::multipart::MultipartStore;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt as _};
use ocis_core::id::{BlobId, SpaceId};
use ocis_core::{Error, ErrorKind, Result};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

pub use s3::{Patience, S3Settings};
use transfer::Source;

use super::{Arriving, BlobStore, Content};
use crate::fs::{File, Fs};
use crate::layout::paths::pathify;

type Key = object_store::path::Path;

/// Bytes of contents that are in memory at most on their way into the bucket.
const IN_MEMORY: u64 = 128 * 1024 * 1024;
/// What one unit of that room stands for.
const UNIT: u64 = 4096;
/// How contents are cut into requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// A content up to this length in bytes goes in one request, which holds it in memory.
    pub whole: u64,
    /// The length of the parts of a longer one; more where it would have over 10,000 of them.
    pub part: u64,
    /// Parts of one content that are under way at once.
    pub at_once: usize,
    /// The longest content in bytes that the bucket copies in one request. A longer one comes back
    /// and goes again in parts.
    pub copy: u64,
}

/// Blobs in a bucket.
#[derive(Clone)]
pub struct ObjectBlobs(Arc<Bucket>);

struct Bucket {
    /// What it is called in messages.
    name: String,
    objects: Arc<dyn ObjectStore>,
    parts: Arc<dyn MultipartStore>,
    cut: Cut,
    fs: Arc<dyn Fs>,
    uploads: PathBuf,
    room: Semaphore,
    runtime: Handle,
}

impl fmt::Debug for ObjectBlobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ObjectBlobs").field(&self.0.name).finish()
    }
}

impl ObjectBlobs {
    /// The blobs in `objects`, called `name` in messages, for the store at `root` on `fs`. Blocking
    /// calls wait for `runtime`, which must be running as long as there are any.
    pub fn new<S: ObjectStore + MultipartStore>(
        name: impl Into<String>,
        objects: Arc<S>,
        cut: Cut,
        (fs, root): (Arc<dyn Fs>, &Path),
        runtime: Handle,
    ) -> Self {
        let parts = Arc::clone(&objects) as Arc<dyn MultipartStore>;
        Self(Arc::new(Bucket {
            name: name.into(),
            objects,
            parts,
            cut,
            fs,
            uploads: root.join("uploads"),
            room: Semaphore::new((IN_MEMORY / UNIT) as usize),
            runtime,
        }))
    }

    /// The blobs in an S3 bucket. `InvalidArgument` when the settings are not usable; the bucket
    /// is not asked, see [`Self::probe`].
    pub fn s3(settings: &S3Settings, fs: (Arc<dyn Fs>, &Path), runtime: Handle) -> Result<Self> {
        let name = format!("the bucket {} at {}", settings.bucket, settings.endpoint);
        Ok(Self::new(name, Arc::new(settings.build()?), settings.cut(), fs, runtime))
    }

    /// Asks the bucket for a list, which shows that it is there and lets this server in;
    /// `Unavailable` when not.
    pub async fn probe(&self) -> Result<()> {
        match self.0.objects.list(None).next().await {
            Some(Err(error)) => Err(self.0.broken(error)),
            _ => Ok(()),
        }
    }

    /// Opens a staged file with its size. From then on a crash leaves a mark of the blob; its bytes
    /// need not be flushed.
    async fn marked(&self, staged: &Path) -> Result<(Arc<dyn File>, u64)> {
        let (bucket, staged) = (Arc::clone(&self.0), staged.to_owned());
        let opened = transfer::blocking(move || {
            let file = bucket.fs.open(&staged, crate::fs::Open::Read)?;
            bucket.fs.sync_dir(staged.parent().unwrap_or(&staged))?;
            let size = file.size()?;
            Ok((file, size))
        });
        opened.await
    }

    /// Waits for `work` on the runtime of this store.
    fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        self.0.runtime.spawn(async move { sender.send(work.await) });
        receiver.recv().map_err(|_| Error::unavailable("the server is shutting down"))?
    }
}

fn key(space: &SpaceId, blob: &BlobId) -> Result<Key> {
    let text = format!("{space}/{}", pathify(blob.as_str(), 4, 2));
    Key::parse(text).map_err(|error| Error::internal("a blob has no key").because(error))
}

/// The blob that a key names; none when it is the key of something else.
fn blob_of(space: &SpaceId, key: &Key) -> Option<BlobId> {
    let text: String = key.as_ref().strip_prefix(space.as_str())?.split('/').collect();
    BlobId::parse(&text).ok()
}

#[async_trait]
impl BlobStore for ObjectBlobs {
    fn is_remote(&self) -> bool {
        true
    }

    async fn put(&self, space: &SpaceId, blob: &BlobId, staged: &Path) -> Result<()> {
        let (file, size) = self.marked(staged).await?;
        self.0.send(Source::Staged(file), size, (space, blob)).await
    }

    async fn put_arriving(
        &self,
        space: &SpaceId,
        blob: &BlobId,
        staged: &Path,
        arriving: Arriving,
    ) -> Result<()> {
        let size = arriving.length();
        if size <= self.0.cut.whole {
            arriving.wanted().await?;
            return self.put(space, blob, staged).await;
        }
        arriving.bytes(1).await?;
        let (file, _) = self.marked(staged).await?;
        self.0.send(Source::Arriving(file, arriving), size, (space, blob)).await
    }

    fn put_inline(&self, space: &SpaceId, blob: &BlobId, bytes: &[u8]) -> Result<()> {
        let (bucket, space, blob) = (Arc::clone(&self.0), space.clone(), blob.clone());
        let (bytes, size) = (bytes.to_vec().into(), bytes.len() as u64);
        self.wait(async move { bucket.send(Source::Memory(bytes), size, (&space, &blob)).await })
    }

    async fn read(&self, space: &SpaceId, blob: &BlobId, range: Range<u64>) -> Result<Content> {
        let (bucket, key) = (Arc::clone(&self.0), key(space, blob)?);
        if range.is_empty() {
            bucket.objects.head(&key).await.map_err(|error| bucket.failed(error))?;
            return Ok(futures::stream::empty().boxed());
        }
        let options = GetOptions::new().with_range(Some(GetRange::Bounded(range.clone())));
        let got = bucket.objects.get_opts(&key, options).await;
        let got = got.map_err(|error| bucket.failed(error))?;
        if got.range != range {
            return Err(Error::internal("a content in the bucket is too short"));
        }
        Ok(got.into_stream().map_err(move |error| bucket.broken(error)).boxed())
    }

    async fn copy(&self, from: (&SpaceId, &BlobId), to: (&SpaceId, &BlobId)) -> Result<()> {
        let bucket = &self.0;
        let (source, copy) = (key(from.0, from.1)?, key(to.0, to.1)?);
        let size = bucket.objects.head(&source).await.map_err(|error| bucket.failed(error))?.size;
        if size > bucket.cut.copy {
            return bucket.send(Source::Object(source), size, to).await;
        }
        bucket.objects.copy(&source, &copy).await.map_err(|error| bucket.failed(error))
    }

    fn delete(&self, space: &SpaceId, blob: &BlobId) -> Result<()> {
        self.delete_all(&[(space.clone(), blob.clone())])
    }

    fn delete_all(&self, blobs: &[(SpaceId, BlobId)]) -> Result<()> {
        for (space, blob) in blobs {
            self.abandon(space, blob)?;
        }
        let bucket = Arc::clone(&self.0);
        let keys: Result<Vec<_>> = blobs.iter().map(|(space, blob)| key(space, blob)).collect();
        let keys = futures::stream::iter(keys?.into_iter().map(Ok)).boxed();
        self.wait(async move {
            let mut answers = bucket.objects.delete_stream(keys);
            let mut result = Ok(());
            while let Some(answer) = answers.next().await {
                match answer.map_err(|error| bucket.failed(error)) {
                    Err(error) if error.kind() != ErrorKind::NotFound => result = Err(error),
                    _ => {}
                }
            }
            result
        })
    }

    fn abandon(&self, space: &SpaceId, blob: &BlobId) -> Result<()> {
        let mark = self.0.mark(space, blob);
        let id = match self.0.fs.read(&mark) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            id => String::from_utf8_lossy(&id.map_err(super::posix::failed)?).into_owned(),
        };
        let (bucket, key) = (Arc::clone(&self.0), key(space, blob)?);
        // A mark without an id: the power went before anything was sent.
        if !id.is_empty() {
            self.wait(async move { bucket.abort(&key, &id).await })?;
        }
        match self.0.fs.unlink(&mark) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            result => result.map_err(super::posix::failed),
        }
    }

    fn len(&self, space: &SpaceId, blob: &BlobId) -> Result<Option<u64>> {
        let (bucket, key) = (Arc::clone(&self.0), key(space, blob)?);
        self.wait(async move {
            match bucket.objects.head(&key).await.map_err(|error| bucket.failed(error)) {
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                found => found.map(|found| Some(found.size)),
            }
        })
    }

    fn list(&self, space: &SpaceId, visit: &mut dyn FnMut(BlobId, u64)) -> Result<()> {
        let bucket = Arc::clone(&self.0);
        let prefix = Key::parse(space.as_str())
            .map_err(|error| Error::internal("a space has no key").because(error))?;
        let found: Vec<_> = self.wait(async move {
            let found = bucket.objects.list(Some(&prefix)).try_collect().await;
            found.map_err(|error| bucket.broken(error))
        })?;
        for object in found {
            if let Some(blob) = blob_of(space, &object.location) {
                visit(blob, object.size);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
