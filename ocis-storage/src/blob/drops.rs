//! Blobs that nothing refers to any more, on their way out.
//!
//! A blob of this machine is removed at once. One of another machine ([`BlobStore::is_remote`])
//! is marked by an empty staged file ([`staged`]), which is only a local step, and removed by a
//! thread in the background, many at a time; the mark goes after the blob. So nobody waits for a
//! machine that is away, and a crash forgets nothing: the marks that are there when the store is
//! opened say what is left to do. A record that drops a blob makes its mark again when it is
//! replayed, which does no harm.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ocis_core::Result;
use ocis_core::id::{BlobId, SpaceId};
use parking_lot::{Condvar, Mutex};
use tokio::sync::watch;

use super::posix::failed;
use super::{BlobStore, copies, staged};
use crate::fs::{Fs, Open, is_missing};

/// Blobs that are removed in one go at most: a request of S3 names so many.
const BATCH: usize = 1000;
/// How long to wait before what failed is tried again, at first and at most.
const WAITS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];
/// How long a change waits until the blobs that it dropped are gone.
const PATIENCE: Duration = Duration::from_secs(10);

/// The way out for the blobs of one store. Clones are the same one.
#[derive(Debug, Clone)]
pub(crate) struct Drops(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    fs: Arc<dyn Fs>,
    uploads: PathBuf,
    blobs: Arc<dyn BlobStore>,
    state: Mutex<State>,
    wake: Condvar,
    /// How many of those that were ever pushed were tried.
    tried: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    fresh: VecDeque<Drop>,
    failed: VecDeque<Drop>,
    pushed: u64,
    /// How many are not gone yet.
    waiting: usize,
    is_running: bool,
    is_closed: bool,
}

/// What is to go.
#[derive(Debug, Clone)]
struct Drop {
    space: SpaceId,
    blob: BlobId,
    /// Whether the blob itself, and not only what is left of the way that it came.
    whole: bool,
}

impl Drops {
    /// The way out for blobs of `blobs`, marked in the folder `uploads` on `fs`.
    pub(crate) fn new(fs: Arc<dyn Fs>, uploads: PathBuf, blobs: Arc<dyn BlobStore>) -> Self {
        let (state, wake, tried) = (Mutex::default(), Condvar::new(), watch::Sender::new(0));
        Self(Arc::new(Inner { fs, uploads, blobs, state, wake, tried }))
    }

    /// Removes a blob that nothing refers to, now or soon; blocking. Not durable before the file
    /// system is flushed.
    pub(crate) fn drop_blob(&self, space: &SpaceId, blob: &BlobId) -> Result<()> {
        if !self.0.blobs.is_remote() {
            return self.0.blobs.delete(space, blob);
        }
        self.0.fs.write(&staged::path(&self.0.uploads, space, blob), b"").map_err(failed)?;
        self.push([Drop { space: space.clone(), blob: blob.clone(), whole: true }]);
        Ok(())
    }

    /// Removes the blobs that the staged file at `staged` stands for and that are not to be;
    /// blocking.
    pub(crate) fn discard<'a>(
        &self,
        staged: PathBuf,
        unwanted: impl IntoIterator<Item = (&'a SpaceId, &'a BlobId)>,
    ) -> Result<()> {
        let inner = &self.0;
        if !inner.blobs.is_remote() {
            return staged::discard(&*inner.fs, staged, &*inner.blobs, unwanted);
        }
        let mut has_own_mark = false;
        let drops: Vec<_> = unwanted
            .into_iter()
            .map(|(space, blob)| {
                let path = staged::path(&inner.uploads, space, blob);
                has_own_mark |= path == staged;
                inner.mark(&path)?;
                Ok(Drop { space: space.clone(), blob: blob.clone(), whole: true })
            })
            .collect::<io::Result<_>>()
            .map_err(failed)?;
        if !has_own_mark {
            let folder = inner.uploads.clone();
            staged::forget(&*inner.fs, &folder, &[staged]).map_err(failed)?;
        }
        self.push(drops);
        Ok(())
    }

    /// Removes what a put that failed may have left behind of a blob that is not there; see
    /// [`BlobStore::abandon`].
    pub(crate) fn abandon(&self, space: &SpaceId, blob: &BlobId) {
        self.push([Drop { space: space.clone(), blob: blob.clone(), whole: false }]);
    }

    /// Removes what uploads left behind that a crash interrupted; blocking. To be called when a
    /// store is opened, after the journal was replayed and before the first upload.
    pub(crate) fn sweep(&self) -> Result<()> {
        let inner = &self.0;
        if !inner.blobs.is_remote() {
            return staged::sweep(&*inner.fs, &inner.uploads, &*inner.blobs);
        }
        let mut found = Vec::new();
        for entry in inner.fs.read_dir(&inner.uploads).map_err(failed)? {
            let Some((space, blob)) = entry.name.split_once('$') else { continue };
            let (blob, whole) = match staged::blob_of_parts(blob) {
                Some(blob) => (blob, false),
                None => (blob, true),
            };
            let (Ok(space), Ok(blob)) = (SpaceId::parse(space), BlobId::parse(blob)) else {
                continue;
            };
            if copies::is_mark(&blob) {
                let listed = copies::of(&*inner.fs, &inner.uploads, &space, &blob);
                let listed = listed.map_err(failed)?;
                let listed = listed.iter().map(|blob| (&space, blob));
                self.discard(inner.uploads.join(&entry.name), listed)?;
                continue;
            }
            if whole {
                inner.empty(&inner.uploads.join(&entry.name)).map_err(failed)?;
            }
            found.push(Drop { space, blob, whole });
        }
        self.push(found);
        Ok(())
    }

    fn push(&self, drops: impl IntoIterator<Item = Drop>) {
        let mut state = self.0.state.lock();
        let before = state.fresh.len();
        state.fresh.extend(drops);
        let pushed = state.fresh.len() - before;
        if pushed == 0 || state.is_closed {
            return;
        }
        state.pushed += pushed as u64;
        state.waiting += pushed;
        if state.is_running {
            self.0.wake.notify_one();
            return;
        }
        let inner = Arc::clone(&self.0);
        let thread = std::thread::Builder::new().name("blob-drops".into());
        match thread.spawn(move || inner.run()) {
            Ok(_) => state.is_running = true,
            Err(error) => tracing::warn!(%error, "contents wait for the next one to be removed"),
        }
    }

    /// Waits until everything that is dropped by now was tried once, but not for ever: what could
    /// not be removed is tried again.
    pub(crate) async fn tried(&self) {
        let pushed = self.0.state.lock().pushed;
        let mut tried = self.0.tried.subscribe();
        if *tried.borrow() >= pushed {
            return;
        }
        let done = tried.wait_for(|tried| *tried >= pushed);
        let _ = tokio::time::timeout(PATIENCE, done).await;
    }

    /// How many blobs wait to be removed.
    pub(crate) fn waiting(&self) -> usize {
        self.0.state.lock().waiting
    }

    /// Removes nothing more, and touches no file from now on. What is left is found by the next one
    /// who opens the store.
    pub(crate) fn close(&self) {
        self.0.state.lock().is_closed = true;
        self.0.wake.notify_one();
    }
}

impl Inner {
    /// Marks what is to go, and gives the room of a staged file back.
    fn mark(&self, path: &Path) -> io::Result<()> {
        if is_missing(&self.fs.stat(path)) { self.fs.write(path, b"") } else { self.empty(path) }
    }

    /// Gives the room of a staged file back; its name stays as a mark. One that is gone was the mark
    /// of a blob that the thread in the background has removed meanwhile.
    fn empty(&self, staged: &Path) -> io::Result<()> {
        let emptied = match self.fs.stat(staged) {
            Ok(stat) if stat.size > 0 => {
                self.fs.open(staged, Open::Write).and_then(|file| file.set_size(0))
            }
            looked => looked.map(drop),
        };
        if is_missing(&emptied) { Ok(()) } else { emptied }
    }

    /// Removes blobs until none is left.
    fn run(&self) {
        let mut wait = WAITS[0];
        while let Some((batch, is_fresh)) = self.next(&mut wait) {
            let removed = self.remove(&batch);
            let mut state = self.state.lock();
            if state.is_closed {
                return;
            }
            let count = batch.len();
            match removed.and_then(|()| self.forget(&batch)) {
                Ok(()) => {
                    wait = WAITS[0];
                    state.waiting -= count;
                }
                Err(error) => {
                    state.failed.extend(batch);
                    let waiting = state.waiting;
                    tracing::warn!(?error, waiting, "contents cannot be removed; trying again");
                }
            }
            drop(state);
            if is_fresh {
                self.tried.send_modify(|tried| *tried += count as u64);
            }
        }
    }

    /// What is to be removed next, and whether it was not tried before; none when all is done.
    /// What failed waits for its time.
    fn next(&self, wait: &mut Duration) -> Option<(Vec<Drop>, bool)> {
        let mut state = self.state.lock();
        loop {
            if state.is_closed {
                return None;
            }
            let fresh = state.fresh.len().min(BATCH);
            if fresh > 0 {
                return Some((state.fresh.drain(..fresh).collect(), true));
            }
            if state.failed.is_empty() {
                state.is_running = false;
                return None;
            }
            if self.wake.wait_for(&mut state, *wait).timed_out() {
                *wait = (*wait * 2).min(WAITS[1]);
                let again = state.failed.len().min(BATCH);
                return Some((state.failed.drain(..again).collect(), false));
            }
        }
    }

    fn remove(&self, batch: &[Drop]) -> Result<()> {
        let (whole, left): (Vec<_>, Vec<_>) = batch.iter().partition(|drop| drop.whole);
        let whole: Vec<_> =
            whole.into_iter().map(|drop| (drop.space.clone(), drop.blob.clone())).collect();
        self.blobs.delete_all(&whole)?;
        left.into_iter().try_for_each(|drop| self.blobs.abandon(&drop.space, &drop.blob))
    }

    /// Removes the marks of blobs that are gone.
    fn forget(&self, batch: &[Drop]) -> Result<()> {
        for drop in batch.iter().filter(|drop| drop.whole) {
            match self.fs.unlink(&staged::path(&self.uploads, &drop.space, &drop.blob)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                result => result.map_err(failed)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blob::PosixBlobs;
    use crate::fs::MemoryFs;

    /// When a store is opened, a blob whose drop was replayed may be gone, and its mark with it,
    /// between the moment when the marks are listed and the one when each is looked at.
    #[test]
    fn a_mark_that_goes_meanwhile_is_no_error() {
        let (fs, root) = (Arc::new(MemoryFs::default()), Path::new("/store"));
        let blobs = Arc::new(PosixBlobs::new(Arc::clone(&fs) as Arc<dyn Fs>, root));
        let drops = Drops::new(fs.clone(), root.join("uploads"), blobs);
        let mark = root.join("uploads/mark");
        drops.0.empty(&mark).unwrap();
        fs.mkdir_all(&root.join("uploads")).unwrap();
        drops.0.empty(&mark).unwrap();
        fs.write(&mark, b"content").unwrap();
        drops.0.empty(&mark).unwrap();
        assert_eq!(fs.stat(&mark).unwrap().size, 0);
    }
}
