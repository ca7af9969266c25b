//! The way of a change from the journal into the files and into what readers see.

use std::sync::Arc;

use ocis_core::{Error, ErrorKind, Result};
use tokio::sync::oneshot;

use super::Store;
use super::memory::{Space, Values};
use crate::apply::Target;
use crate::edit::Edit;
use crate::journal::Entry;

/// Who waits for a change.
pub(super) type Answer = oneshot::Sender<Result<()>>;

/// A change under way.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) store: Arc<Store>,
    pub(super) space: Arc<Space>,
    pub(super) epoch: u64,
    /// The number of the change in its space.
    pub(super) number: u64,
    pub(super) edits: Vec<Edit>,
    pub(super) values: Values,
    /// Indexes that list the space anew.
    pub(super) indexes: Vec<String>,
    pub(super) answer: Option<Answer>,
}

impl Pending {
    /// Nobody waits any more when sending fails.
    fn answer(&mut self, result: Result<()>) {
        if let Some(answer) = self.answer.take() {
            let _ = answer.send(result);
        }
    }
}

impl Entry for Pending {
    fn is_stale(&self) -> bool {
        self.space.epoch() != self.epoch
    }

    fn failed(mut self, error: Error) {
        self.space.forget_planned(self.epoch);
        self.answer(Err(error));
    }
}

/// What the journal calls with changes that became durable. They are written into the files right
/// here when nothing else is waiting, because that saves changing threads; else by the applier.
pub(super) fn flushed(
    applier: std::sync::mpsc::Sender<(Arc<Store>, Arc<Space>)>,
) -> impl FnMut(Vec<Pending>, bool) + Send {
    move |batch, more| {
        let mut spaces: Vec<(Arc<Store>, Arc<Space>)> = Vec::new();
        for pending in batch {
            let (store, space) = (Arc::clone(&pending.store), Arc::clone(&pending.space));
            let mut ready = space.ready.lock();
            ready.queue.push_back(pending);
            // Whoever is busy with the space goes on until the queue is empty.
            let is_busy = std::mem::replace(&mut ready.busy, true);
            drop(ready);
            if !is_busy {
                spaces.push((store, space));
            }
        }
        for (store, space) in spaces {
            if !more {
                store.apply(&space);
            } else if let Err(unsent) = applier.send((store, space)) {
                unsent.0.0.apply(&unsent.0.1);
            }
        }
    }
}

impl Store {
    /// Writes everything that is ready into the files of a space, and shows it to readers.
    pub(super) fn apply(&self, space: &Space) {
        loop {
            let mut batch: Vec<_> = {
                let mut ready = space.ready.lock();
                if ready.queue.is_empty() {
                    ready.busy = false;
                    space.idle.notify_all();
                    return;
                }
                ready.queue.drain(..).collect()
            };
            let mut edits: Vec<_> =
                batch.iter_mut().flat_map(|pending| std::mem::take(&mut pending.edits)).collect();
            let mut stuck = std::mem::take(&mut space.ready.lock().stuck);
            stuck.append(&mut batch);
            if let Err(error) = self.write_and_publish(space, &mut edits, &mut stuck) {
                tracing::error!(?error, space = %space.id, "durable changes wait to be written");
                for pending in &mut stuck {
                    pending.answer(Err(waiting()));
                }
                space.ready.lock().stuck = stuck;
            }
        }
    }

    /// Writes edits, and what could not be written before; then shows `changes` to readers.
    fn write_and_publish(
        &self,
        space: &Space,
        edits: &mut Vec<Edit>,
        changes: &mut Vec<Pending>,
    ) -> Result<()> {
        let target =
            Target { fs: &*self.fs, root: &self.root, blobs: &*self.blobs, space: &space.id };
        {
            let mut fold = space.disk.write();
            for edit in edits.drain(..) {
                fold.add(edit, false);
            }
            // What failed once for a passing reason is done at once.
            fold.write(target).or_else(|_| fold.write(target))?;
            for change in changes.iter() {
                self.memory.publish(space, &change.values);
                self.forget_indexes(&change.indexes);
            }
        }
        let mut overlay = space.overlay.lock();
        for change in changes.iter() {
            overlay.remove(change.number, &change.values);
        }
        drop(overlay);
        changes.drain(..).for_each(|mut change| change.answer(Ok(())));
        Ok(())
    }

    /// Tries again to write what could not be written; refuses changes as long as it cannot.
    pub(super) fn unstick(&self, space: &Space) -> Result<()> {
        let mut stuck = {
            let mut ready = space.ready.lock();
            while ready.busy {
                space.idle.wait(&mut ready);
            }
            if ready.stuck.is_empty() {
                return Ok(());
            }
            ready.busy = true;
            std::mem::take(&mut ready.stuck)
        };
        let result = self.write_and_publish(space, &mut Vec::new(), &mut stuck);
        space.ready.lock().stuck = stuck;
        // What became ready meanwhile, and the end of being busy.
        self.apply(space);
        result.map_err(|error| match error.kind() {
            ErrorKind::InsufficientStorage => error,
            _ => waiting().because(error),
        })
    }
}

/// A change is durable but not visible: it will be, but this cannot be waited for. Never a kind
/// that says that the change was refused.
fn waiting() -> Error {
    Error::unavailable("the storage cannot be written at the moment; the change may appear later")
}
