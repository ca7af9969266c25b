//! What every [`BlobStore`] must do, as code: run by the tests of each implementation.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a suite speaks by panicking, as a test does"
)]

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use bytes::Bytes;
use futures::TryStreamExt as _;
use ocis_core::id::{BlobId, SpaceId};
use ocis_core::{ErrorKind, Result};
use tokio::task::block_in_place;

use super::{BlobStore, staged};
use crate::fs::{Fs, Open};

/// Panics at the first promise that `store` does not keep. `uploads` is an existing folder on `fs`
/// from which the store takes staged files; the runtime must have several threads.
pub async fn blob_store(store: &dyn BlobStore, fs: &dyn Fs, uploads: &Path) {
    let suite = Suite { store, fs, uploads, space: SpaceId::random() };
    suite.contents().await;
    suite.repeats().await;
    suite.copies().await;
    suite.readers().await;
    suite.lists().await;
    suite.sweeps().await;
}

struct Suite<'a> {
    store: &'a dyn BlobStore,
    fs: &'a dyn Fs,
    uploads: &'a Path,
    space: SpaceId,
}

/// Bytes in which every stretch is different.
fn content(size: usize) -> Vec<u8> {
    (0..size as u64).map(|n| (n.wrapping_mul(0x9e37_79b9) >> 16) as u8).collect()
}

impl Suite<'_> {
    async fn put(&self, blob: &BlobId, bytes: &[u8]) {
        let path = staged::path(self.uploads, &self.space, blob);
        self.fs.open(&path, Open::CreateNew).unwrap().write_at(bytes, 0).unwrap();
        self.store.put(&self.space, blob, &path).await.unwrap();
        assert_eq!(self.fs.read(&path).unwrap(), bytes, "the staged file stays");
        self.fs.unlink(&path).unwrap();
    }

    fn inline(&self, blob: &BlobId, bytes: &[u8]) {
        block_in_place(|| self.store.put_inline(&self.space, blob, bytes)).unwrap();
    }

    fn len(&self, blob: &BlobId) -> Option<u64> {
        block_in_place(|| self.store.len(&self.space, blob)).unwrap()
    }

    fn delete(&self, blob: &BlobId) {
        block_in_place(|| self.store.delete(&self.space, blob)).unwrap();
    }

    async fn read(&self, blob: &BlobId, range: Range<u64>) -> Result<Vec<u8>> {
        let pieces: Vec<Bytes> =
            self.store.read(&self.space, blob, range).await?.try_collect().await?;
        Ok(pieces.concat())
    }

    async fn contents(&self) {
        let sizes = [0, 1, 65_535, 65_536, 65_537, 262_144, 1_000_000];
        for (staged, size) in
            [false, true].into_iter().flat_map(|how| sizes.map(|size| (how, size)))
        {
            let (blob, bytes) = (BlobId::random(), content(size));
            match staged {
                true => self.put(&blob, &bytes).await,
                false => self.inline(&blob, &bytes),
            }
            let size = size as u64;
            assert_eq!(self.len(&blob), Some(size));
            let ends = [0, size.min(1), size / 2, size.saturating_sub(1), size];
            for first in ends {
                for last in ends.into_iter().filter(|last| *last >= first) {
                    let part = &bytes[first as usize..last as usize];
                    let read = self.read(&blob, first..last).await.unwrap();
                    assert!(read == part, "{first}..{last} of {size}");
                }
            }
        }
    }

    async fn repeats(&self) {
        let blob = BlobId::random();
        assert_eq!(self.len(&blob), None);
        assert_eq!(self.read(&blob, 0..1).await.unwrap_err().kind(), ErrorKind::NotFound);
        let other = SpaceId::random();
        // A replay may find a blob that the crash cut off.
        for bytes in [&b"cut"[..], b"whole again", b"less"] {
            self.inline(&blob, bytes);
            assert_eq!(self.read(&blob, 0..bytes.len() as u64).await.unwrap(), bytes);
        }
        assert_eq!(block_in_place(|| self.store.len(&other, &blob)).unwrap(), None);
        self.delete(&blob);
        self.delete(&blob);
        assert_eq!(self.len(&blob), None);
        self.put(&blob, b"staged").await;
        assert_eq!(self.read(&blob, 0..6).await.unwrap(), b"staged");
    }

    async fn copies(&self) {
        let (from, to, bytes) = (BlobId::random(), BlobId::random(), content(100_000));
        let there = SpaceId::random();
        let copied = self.store.copy((&self.space, &from), (&there, &to)).await;
        assert_eq!(copied.unwrap_err().kind(), ErrorKind::NotFound);
        self.inline(&from, &bytes);
        for _ in 0..2 {
            self.store.copy((&self.space, &from), (&there, &to)).await.unwrap();
            let copy = self.store.read(&there, &to, 0..100_000).await.unwrap();
            assert_eq!(copy.try_collect::<Vec<_>>().await.unwrap().concat(), bytes);
        }
        self.delete(&from);
        assert_eq!(block_in_place(|| self.store.len(&there, &to)).unwrap(), Some(100_000));
    }

    async fn readers(&self) {
        let (blob, bytes) = (BlobId::random(), content(3_000_000));
        self.inline(&blob, &bytes);
        let mut reader = self.store.read(&self.space, &blob, 0..3_000_000).await.unwrap();
        let mut read = reader.try_next().await.unwrap().unwrap().to_vec();
        self.delete(&blob);
        while let Some(piece) = reader.try_next().await.unwrap() {
            read.extend_from_slice(&piece);
        }
        assert!(read == bytes, "who has begun to read reads on");
    }

    async fn lists(&self) {
        let space = SpaceId::random();
        let suite = Suite { space: space.clone(), ..*self };
        let mut made = BTreeMap::new();
        for size in 0..50_u64 {
            let blob = BlobId::random();
            suite.inline(&blob, &content(size as usize));
            made.insert(blob, size);
        }
        let mut listed = BTreeMap::new();
        block_in_place(|| {
            self.store.list(&space, &mut |blob, size| {
                assert_eq!(listed.insert(blob, size), None, "listed twice");
            })
        })
        .unwrap();
        assert_eq!(listed, made);
        let none = |blob, _| panic!("{blob} in an empty space");
        block_in_place(|| self.store.list(&SpaceId::random(), &mut { none })).unwrap();
    }

    async fn sweeps(&self) {
        let (lost, kept) = (BlobId::random(), BlobId::random());
        self.put(&kept, b"kept").await;
        self.put(&lost, b"lost").await;
        for name in [format!("{}${lost}", self.space), "session".into(), "session.info".into()] {
            self.fs.write(&self.uploads.join(name), b"lost").unwrap();
        }
        block_in_place(|| staged::sweep(self.fs, self.uploads, self.store)).unwrap();
        assert_eq!((self.len(&lost), self.len(&kept)), (None, Some(4)));
        let mut left = self.fs.read_dir(self.uploads).unwrap();
        left.sort_by(|a, b| a.name.cmp(&b.name));
        assert_eq!(
            left.iter().map(|entry| &*entry.name).collect::<Vec<_>>(),
            ["session", "session.info"]
        );
    }
}
