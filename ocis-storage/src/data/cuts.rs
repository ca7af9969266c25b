//! Concurrent uploads that are cut at every single call to the file system.
//!
//! What was answered with success must be there when the store is opened again, what was not is
//! there whole or not at all, and nothing else is left: no staged file, no blob without a file.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;

use ocis_core::id::BlobId;
use ocis_core::{ErrorKind, Result};

use super::tests::{Bench, content};
use crate::fs::fault::Fault;
use crate::fs::{FaultyFs, Fs, MemoryFs};

/// One content goes into the journal, the other beside it in several pieces.
const SIZES: [usize; 2] = [1000, 300_000];

/// What happened before the crash.
struct Attempt {
    size: usize,
    made: Result<()>,
    replaced: Result<()>,
}

fn old() -> Vec<u8> {
    content(70_000)
}

fn new(size: usize) -> Vec<u8> {
    content(size + 1)
}

fn root() -> &'static Path {
    Path::new("/store")
}

async fn disk() -> MemoryFs {
    let disk = MemoryFs::default();
    let bench = Bench::over(Arc::new(disk.clone()), root()).await;
    bench.put("old", &old()).await.unwrap();
    bench.store.close().unwrap();
    disk
}

impl Attempt {
    /// Uploads a new file and, at the same time, a new content for an old one.
    async fn make(bench: &Bench, size: usize) -> Self {
        let (made, replaced) = (content(size), new(size));
        let (made, replaced) = tokio::join!(bench.put("new", &made), bench.put("old", &replaced));
        Self { size, made: made.map(drop), replaced: replaced.map(drop) }
    }

    /// Fails unless the store that was opened again is as this attempt may have left it.
    async fn check(&self, bench: &Bench, text: &str) {
        let found = match bench.get("new").await {
            Ok(bytes) => {
                assert!(bytes == content(self.size), "the new file is not whole, {text}");
                true
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::NotFound, "{text}");
                false
            }
        };
        assert!(found || self.made.is_err(), "an acknowledged file is lost, {text}");
        let bytes = bench.get("old").await.unwrap();
        let replaced = bytes == new(self.size);
        assert!(replaced || bytes == old(), "the old file is torn, {text}");
        assert!(replaced || self.replaced.is_err(), "an acknowledged content is lost, {text}");
        let staged = bench.fs.read_dir(&bench.uploads).unwrap();
        assert_eq!(staged, [], "{text}");
        self.check_blobs(bench, found, replaced, text).await;
    }

    async fn check_blobs(&self, bench: &Bench, found: bool, replaced: bool, text: &str) {
        let mut blobs = BTreeSet::<BlobId>::new();
        bench
            .blobs
            .list(&bench.home.space, &mut |blob, _| {
                blobs.insert(blob);
            })
            .unwrap();
        for name in ["new", "old"].into_iter().filter(|name| found || *name == "old") {
            let (_, content) = bench.store.content(&bench.cx, &bench.at(name)).await.unwrap();
            assert!(blobs.remove(&content.unwrap().blob.unwrap()), "a blob is missing, {text}");
        }
        // The content that was replaced is kept as a version.
        assert_eq!(blobs.len(), usize::from(replaced), "blobs without a file, {text}");
    }
}

/// Uploads with `fault` at each call in turn. `crash` is what becomes of the disk afterwards.
async fn at_every_call(fault: Fault, crash: impl Fn(&MemoryFs)) {
    at_every_call_of(fault, crash, None).await;
}

async fn at_every_call_of(fault: Fault, crash: impl Fn(&MemoryFs), left_out: Option<&str>) {
    for size in SIZES {
        for offset in 0.. {
            let disk = disk().await;
            let bench = Bench::over(Arc::new(disk.clone()), root()).await;
            bench.fs.leave_out(left_out);
            let number = bench.fs.calls() + offset;
            bench.fs.start_trace();
            bench.fs.plan(number, fault);
            let attempt = Attempt::make(&bench, size).await;
            let trace = bench.fs.trace();
            let call = trace.iter().find(|call| call.starts_with(&format!("{number} ")));
            let Some(call) = call else {
                attempt.made.unwrap();
                attempt.replaced.unwrap();
                break;
            };
            let text = format!("{fault:?} at {call}, {size} bytes");
            bench.fs.cut();
            // Ends its threads; the disk is out of its reach.
            let _ = bench.store.close();
            drop(bench);
            crash(&disk);
            let bench = Bench::over(Arc::new(disk.clone()), root()).await;
            attempt.check(&bench, &text).await;
            bench.store.close().unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_loses_nothing_that_was_answered() {
    at_every_call(Fault::Cut, MemoryFs::cut).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_and_a_power_cut_lose_nothing_that_was_answered() {
    at_every_call(Fault::Fail(io::ErrorKind::StorageFull), MemoryFs::cut).await;
}

/// A test is trusted after it was seen to fail.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_that_is_not_flushed_is_noticed() {
    let run = tokio::spawn(at_every_call_of(
        Fault::Cut,
        MemoryFs::cut,
        Some("sync */.ocis-rs/journal/*.log"),
    ));
    assert!(run.await.unwrap_err().is_panic());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_staged_file_that_a_crash_left_is_removed_with_its_blob() {
    let disk = disk().await;
    let (space, blob) = ("home".parse().unwrap(), BlobId::random());
    let staged = crate::blob::staged::path(&root().join("uploads"), &space, &blob);
    disk.write(&staged, b"left").unwrap();
    let fs = FaultyFs::new(Arc::new(disk.clone()));
    let blobs = crate::blob::PosixBlobs::new(Arc::new(fs), root());
    crate::blob::BlobStore::put(&blobs, &space, &blob, &staged).await.unwrap();
    let bench = Bench::over(Arc::new(disk.clone()), root()).await;
    assert_eq!(bench.blobs.len(&space, &blob).unwrap(), None);
    assert_eq!(bench.fs.read_dir(&bench.uploads).unwrap(), []);
    bench.store.close().unwrap();
}
