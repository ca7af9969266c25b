//! The way of a content into the bucket: whole or in parts, and shown to be there.

use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};
use md5::{Digest as _, Md5};
use object_store::{ObjectStoreExt as _, PutMultipartOptions, PutPayload};
use ocis_core::id::{BlobId, SpaceId};
use ocis_core::{Error, ErrorKind, Result};
use tokio::sync::SemaphorePermit;
use tokio::task::spawn_blocking;

use super::{Bucket, IN_MEMORY, Key, UNIT, key};
use crate::blob::posix::{failed, read, stopped};
use crate::blob::{Arriving, staged};
use crate::fs::{File, Open};

/// A content has no more parts (S3).
const PARTS: u64 = 10_000;

/// Where a content comes from.
#[derive(Clone)]
pub(super) enum Source {
    /// A staged file.
    Staged(Arc<dyn File>),
    /// A staged file that is still growing.
    Arriving(Arc<dyn File>, Arriving),
    /// Another object.
    Object(Key),
    /// Memory.
    Memory(Bytes),
}

/// Runs `work` on a thread that may block.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T> {
    spawn_blocking(work).await.map_err(stopped)?.map_err(failed)
}

impl Bucket {
    /// Makes an object of a content of `size` bytes. When it returns, all of it is there; after an
    /// error a part of it may be, and the mark of an upload in parts tells which.
    pub(super) async fn send(
        &self,
        source: Source,
        size: u64,
        (space, blob): (&SpaceId, &BlobId),
    ) -> Result<()> {
        let key = key(space, blob)?;
        if size <= self.cut.whole {
            return self.send_whole(source, size, &key).await;
        }
        let mark = self.mark(space, blob);
        self.end_former(mark.clone(), &key).await?;
        let id = self.parts.create_multipart_opts(&key, PutMultipartOptions::default());
        let id = id.await.map_err(|error| self.broken(error))?;
        let sent = match self.remember(mark.clone(), id.clone()).await {
            Ok(()) => self.send_parts(source, size, &key, &id).await,
            Err(error) => Err(error),
        };
        let ended = match &sent {
            Ok(()) => Ok(()),
            Err(_) => self.abort(&key, &id).await,
        };
        if let Err(error) = ended {
            tracing::warn!(?error, "parts of an upload stay in the bucket until it answers");
        } else if let Err(error) = self.forget(mark).await {
            tracing::warn!(%error, "the mark of an upload stays until the store is opened again");
        }
        sent
    }

    async fn send_whole(&self, source: Source, size: u64, key: &Key) -> Result<()> {
        let _room = self.room(size).await?;
        let bytes = self.piece(source, 0..size).await?;
        let digested = bytes.clone();
        let digest = blocking(move || Ok(hex(&Md5::digest(&digested)))).await?;
        let put = self.objects.put(key, PutPayload::from_bytes(bytes)).await;
        let put = put.map_err(|error| self.broken(error))?;
        // Where the tag of an object is its digest, no second question is needed.
        if put.e_tag.is_some_and(|tag| tag.trim_matches('"') == digest) {
            return Ok(());
        }
        self.arrived(key, size).await
    }

    async fn send_parts(&self, source: Source, size: u64, key: &Key, id: &String) -> Result<()> {
        let part = self.cut.part.max(size.div_ceil(PARTS)).max(1);
        let sent = (0..size.div_ceil(part)).map(|number| {
            let (source, start) = (source.clone(), number * part);
            async move {
                let range = start..size.min(start + part);
                if let Source::Arriving(_, arriving) = &source {
                    arriving.bytes(range.end).await?;
                }
                let _room = self.room(range.end - range.start).await?;
                let bytes = PutPayload::from_bytes(self.piece(source, range).await?);
                let sent = self.parts.put_part(key, id, number as usize, bytes).await;
                sent.map_err(|error| self.broken(error))
            }
        });
        let sent = futures::stream::iter(sent).buffered(self.cut.at_once.max(1));
        let sent = sent.try_collect().await?;
        if let Source::Arriving(_, arriving) = &source {
            arriving.wanted().await?;
        }
        let completed = self.parts.complete_multipart(key, id, sent).await;
        completed.map_err(|error| self.broken(error))?;
        self.arrived(key, size).await
    }

    /// Fails unless the object is there with this length.
    async fn arrived(&self, key: &Key, size: u64) -> Result<()> {
        let found = self.objects.head(key).await.map_err(|error| self.broken(error))?;
        if found.size == size {
            return Ok(());
        }
        let text = format!("{} holds {} bytes of {size} that were sent", self.name, found.size);
        Err(Error::unavailable(text))
    }

    /// Bytes of a content.
    async fn piece(&self, source: Source, range: Range<u64>) -> Result<Bytes> {
        match source {
            Source::Staged(file) | Source::Arriving(file, _) => {
                blocking(move || read(&*file, range)).await
            }
            Source::Object(key) => {
                let length = range.end - range.start;
                let got = self.objects.get_range(&key, range).await;
                let got = got.map_err(|error| self.failed(error))?;
                if got.len() as u64 == length {
                    return Ok(got);
                }
                Err(Error::internal("a content in the bucket is too short"))
            }
            Source::Memory(bytes) => {
                let range = range.start as usize..range.end as usize;
                let piece = (range.end <= bytes.len()).then(|| bytes.slice(range));
                piece.ok_or_else(|| Error::internal("a content is too short"))
            }
        }
    }

    /// Waits until there is room in memory for so many bytes.
    async fn room(&self, bytes: u64) -> Result<SemaphorePermit<'_>> {
        let units = u32::try_from(bytes.min(IN_MEMORY).div_ceil(UNIT)).unwrap_or(u32::MAX);
        let room = self.room.acquire_many(units).await;
        room.map_err(|error| Error::internal("no room for contents").because(error))
    }

    /// The file that holds the id of an upload in parts.
    pub(super) fn mark(&self, space: &SpaceId, blob: &BlobId) -> PathBuf {
        staged::parts(&staged::path(&self.uploads, space, blob))
    }

    /// Keeps the id of an upload in parts over a crash. From here on the parts are not lost sight
    /// of; before, there are none.
    async fn remember(&self, mark: PathBuf, id: String) -> Result<()> {
        let fs = Arc::clone(&self.fs);
        let remembered = blocking(move || {
            let file = fs.open(&mark, Open::Create)?;
            file.write_at(id.as_bytes(), 0)?;
            file.sync()?;
            fs.sync_dir(mark.parent().unwrap_or(&mark))
        });
        remembered.await
    }

    /// Gives up an earlier attempt at the same content that the bucket would not let go of, before its
    /// mark is written over.
    async fn end_former(&self, mark: PathBuf, key: &Key) -> Result<()> {
        let fs = Arc::clone(&self.fs);
        let id = match blocking(move || fs.read(&mark)).await {
            Err(error) if is_gone(&error) => return Ok(()),
            id => String::from_utf8_lossy(&id?).into_owned(),
        };
        if id.is_empty() { Ok(()) } else { self.abort(key, &id).await }
    }

    async fn forget(&self, mark: PathBuf) -> Result<()> {
        let fs = Arc::clone(&self.fs);
        let gone = blocking(move || fs.unlink(&mark)).await;
        gone.or_else(|error| if is_gone(&error) { Ok(()) } else { Err(error) })
    }

    /// Gives an upload in parts up. One that has ended is no error.
    pub(super) async fn abort(&self, key: &Key, id: &String) -> Result<()> {
        let aborted = self.parts.abort_multipart(key, id).await;
        let aborted = aborted.map_err(|error| self.failed(error));
        aborted.or_else(|error| if is_gone(&error) { Ok(()) } else { Err(error) })
    }
}

fn is_gone(error: &Error) -> bool {
    error.kind() == ErrorKind::NotFound
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
