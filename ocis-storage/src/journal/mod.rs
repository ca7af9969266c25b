//! The commit point: a change is one redo record in an append-only journal, flushed together with
//! those of whoever else is writing, and then applied to the tree without flushing.
//!
//! Three threads work one after the other on the stream of records. The *writer* appends what is
//! queued and flushes it once; the *applier* makes the files what the records say, in order but for
//! those that have nothing to do with each other, and answers; the *checkpointer* flushes the file system when a segment of the journal is full, and
//! removes it. While one batch is applied, the next is being flushed.
//!
//! When a record cannot be written or flushed, it and all after it are refused, the segment is cut
//! back to what is known to be durable and abandoned (after a failed flush nothing is known of what
//! was written since), and whoever keeps state in memory is told to forget it
//! ([`Events::refused`]). When a durable record cannot be applied, the journal refuses all further
//! changes: opening the store again replays it.

mod apply;
mod applying;
pub(crate) mod record;
mod replay;
mod segment;
mod wave;

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use ocis_core::id::{NodeId, SpaceId};
use ocis_core::time::Timestamp;
use ocis_core::{Error, Result};
use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

pub(crate) use apply::{Applier, Notes, Tree, broken};
use applying::Applying;
pub(crate) use record::{Action, Ancestor, Record};
pub(crate) use replay::finish;
use replay::replay;
use segment::{Segment, begin, checkpoint};

use crate::fs::Fs;

/// Bytes that are written and flushed at once at most.
const BATCH: usize = 8 * 1024 * 1024;
/// How long change times and sizes of folders wait to be written into their files.
const WRITE_BACK: Duration = Duration::from_secs(1);

/// Change times and sizes by folder.
pub(crate) type Unwritten = HashMap<(SpaceId, NodeId), (Timestamp, u64)>;

/// Who is told what became of records.
pub(crate) trait Events: Send + Sync + 'static {
    /// All records up to this number are applied.
    fn applied(&self, lsn: u64);
    /// These folders' files hold what the journal held.
    fn written_back(&self, folders: &Unwritten);
    /// Records were refused: what memory holds beyond the files and `unwritten` never happened.
    /// Nothing is under way and no change is accepted while this runs.
    fn refused(&self, unwritten: &Unwritten);
    /// What is durable cannot be applied: nothing that is waited for will come.
    fn failed(&self);
}

type Answer = oneshot::Sender<Result<()>>;

/// The journal of an open store.
pub(crate) struct Journal {
    queue: Arc<Queue>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

struct Queue {
    state: Mutex<Waiting>,
    wake: Condvar,
    /// Set when a durable record could not be applied, or nothing can be written any more.
    failed: AtomicBool,
}

#[derive(Default)]
struct Waiting {
    records: VecDeque<(Record, Answer)>,
    next: u64,
    /// Who waits for a checkpoint.
    checkpoints: Vec<Waiter>,
    refusing: bool,
    closing: bool,
}

/// Who waits until a segment is removed.
type Waiter = mpsc::Sender<()>;

enum Work {
    Apply(VecDeque<(Record, Answer)>),
    /// The segments are full: flush, then remove them, and tell those who wait.
    Full(PathBuf, Vec<Waiter>),
    /// Answer with what is not written back, when everything before is done.
    Barrier(mpsc::Sender<Unwritten>),
}

impl Queue {
    /// Takes no more changes, and lets go of everybody who waits for one that is queued.
    fn give_up(&self) {
        self.failed.store(true, Ordering::Release);
        self.state.lock().records.clear();
    }
}

/// Gives up when its thread panics: whoever waits must not wait for ever.
struct OnPanic(Arc<Queue>);

impl Drop for OnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.give_up();
        }
    }
}

impl Journal {
    /// Replays what the journal in `folder` holds and starts a new one, with segments of so many
    /// bytes.
    pub(crate) fn open(
        folder: &Path,
        mut applier: Applier,
        events: Arc<dyn Events>,
        segment_bytes: u64,
    ) -> Result<Self> {
        let fs = Arc::clone(&applier.tree.fs);
        let next = replay(folder, &mut applier)?;
        let queue = Arc::new(Queue {
            state: Mutex::new(Waiting { next, ..Waiting::default() }),
            wake: Condvar::new(),
            failed: AtomicBool::new(false),
        });
        let (to_applier, work) = mpsc::channel();
        let (to_checkpointer, full) = mpsc::channel();
        let mut threads = Vec::new();
        let mut start = |name: &str, run: Box<dyn FnOnce() + Send>| {
            let thread = std::thread::Builder::new().name(name.into()).spawn(run);
            threads.push(thread.map_err(broken)?);
            Ok::<_, Error>(())
        };
        let (root, outbox) = (applier.tree.root.clone(), Arc::clone(&applier.notes.outbox));
        start(
            "checkpointer",
            Box::new({
                let fs = Arc::clone(&fs);
                move || checkpoint(&*fs, &root, &outbox, &full)
            }),
        )?;
        start(
            "journal-applier",
            Box::new({
                let (queue, events) = (Arc::clone(&queue), Arc::clone(&events));
                move || {
                    let _guard = OnPanic(Arc::clone(&queue));
                    Applying { queue: &queue, events: &*events }.run(
                        applier,
                        &work,
                        &to_checkpointer,
                    );
                }
            }),
        )?;
        let writer = Writer {
            fs,
            folder: folder.to_owned(),
            segment: None,
            segment_bytes,
            queue: Arc::clone(&queue),
            applier: to_applier,
            events,
            checkpoints: Vec::new(),
        };
        let guard = OnPanic(Arc::clone(&queue));
        start(
            "journal-writer",
            Box::new(move || {
                let _guard = guard;
                writer.run();
            }),
        )?;
        Ok(Self { queue, threads: Mutex::new(threads) })
    }

    /// Queues a change; the answer comes when it is durable and applied. Changes are made in the
    /// order of the calls.
    pub(crate) fn submit(
        &self,
        mut record: Record,
    ) -> Result<(u64, oneshot::Receiver<Result<()>>)> {
        if record.is_too_long() {
            return Err(Error::invalid("this is too much for one step: do it in parts"));
        }
        let mut state = self.queue.state.lock();
        if state.refusing || state.closing || self.queue.failed.load(Ordering::Acquire) {
            return Err(unavailable());
        }
        let lsn = state.next;
        state.next += 1;
        record.lsn = lsn;
        let (answer, answered) = oneshot::channel();
        state.records.push_back((record, answer));
        drop(state);
        self.queue.wake.notify_one();
        Ok((lsn, answered))
    }

    /// Whether a durable change could not be applied, so that the store must be opened again.
    pub(crate) fn has_failed(&self) -> bool {
        self.queue.failed.load(Ordering::Acquire)
    }

    /// Waits until everything queued so far is in the files, sizes of folders as well; blocking.
    pub(crate) fn settle(&self) -> Result<()> {
        let (_, answered) = self.submit(Record::default())?;
        futures::executor::block_on(answered).map_err(|_| unavailable())?
    }

    /// Waits until everything queued so far is in the files and flushed, and the journal holds
    /// nothing of it any more; blocking.
    pub(crate) fn checkpoint(&self) -> Result<()> {
        let (done, is_done) = mpsc::channel();
        self.queue.state.lock().checkpoints.push(done);
        self.settle()?;
        is_done.recv().map_err(|_| unavailable())
    }

    /// Waits for everything queued, and stops. Nothing is flushed but the journal.
    pub(crate) fn stop(&self) {
        self.queue.state.lock().closing = true;
        self.queue.wake.notify_one();
        for thread in self.threads.lock().drain(..) {
            // A thread that panicked has been reported by the panic.
            let _ = thread.join();
        }
    }
}

fn unavailable() -> Error {
    Error::unavailable("the storage takes no changes at the moment")
}

impl Drop for Journal {
    fn drop(&mut self) {
        // No thread may touch the files when somebody else opens them.
        self.stop();
    }
}

struct Writer {
    fs: Arc<dyn Fs>,
    folder: PathBuf,
    segment: Option<Segment>,
    /// Bytes after which a segment is full.
    segment_bytes: u64,
    queue: Arc<Queue>,
    applier: mpsc::Sender<Work>,
    events: Arc<dyn Events>,
    /// Who waits for a checkpoint behind what is being written.
    checkpoints: Vec<Waiter>,
}

/// The answer to a change that may still come about when the store is opened again.
fn uncertain() -> Error {
    Error::unavailable("the storage failed; it must be opened again")
}

impl Writer {
    fn run(mut self) {
        let mut frames = Vec::new();
        while let Some(batch) = self.take(&mut frames) {
            match self.write(&mut frames) {
                Ok(()) => {
                    if self.applier.send(Work::Apply(batch)).is_err() {
                        self.queue.give_up();
                        return;
                    }
                }
                Err(error) => self.refuse(batch, &error),
            }
        }
    }

    /// Waits for records and frames as many as fit into one batch; none at the end.
    fn take(&mut self, frames: &mut Vec<u8>) -> Option<VecDeque<(Record, Answer)>> {
        frames.clear();
        let mut state = self.queue.state.lock();
        while state.records.is_empty() {
            if state.closing {
                return None;
            }
            self.queue.wake.wait(&mut state);
        }
        self.checkpoints.append(&mut state.checkpoints);
        let mut batch = VecDeque::new();
        while frames.len() < BATCH {
            let Some((record, answer)) = state.records.pop_front() else { break };
            match record::frame(&record, frames) {
                Ok(()) => batch.push_back((record, answer)),
                // Cannot happen: a record is numbers, texts and bytes.
                Err(error) => drop(answer.send(Err(Error::internal("unwritable").because(error)))),
            }
        }
        Some(batch)
    }

    fn write(&mut self, frames: &mut Vec<u8>) -> std::io::Result<()> {
        if self.segment.is_none() {
            self.segment = Some(begin(&*self.fs, &self.folder)?);
        }
        let Some(segment) = &mut self.segment else { return Ok(()) };
        let end = segment.append(frames)?;
        segment.file.sync()?;
        segment.end = end;
        if (segment.end >= self.segment_bytes || !self.checkpoints.is_empty())
            && let Some(full) = self.segment.take()
        {
            // The applier gets it after the batch that is yet to be sent; see `Work::Full`.
            let waiters = std::mem::take(&mut self.checkpoints);
            let _ = self.applier.send(Work::Full(full.path, waiters));
        }
        Ok(())
    }

    /// Refuses a batch that could not be written, and everything queued behind it.
    fn refuse(&mut self, batch: VecDeque<(Record, Answer)>, error: &std::io::Error) {
        tracing::error!(%error, "the journal cannot be written");
        self.checkpoints.clear();
        let queued: Vec<_> = {
            let mut state = self.queue.state.lock();
            state.refusing = true;
            state.records.drain(..).collect()
        };
        let mut is_cut = true;
        if let Some(segment) = self.segment.take() {
            let cut = segment.file.set_size(segment.end).and_then(|()| segment.file.sync());
            if let Err(error) = cut {
                // A later opening could replay what is refused now.
                tracing::error!(%error, "the journal cannot be cut back");
                is_cut = false;
                self.queue.failed.store(true, Ordering::Release);
            }
            let _ = self.applier.send(Work::Full(segment.path, Vec::new()));
        }
        let (sender, receiver) = mpsc::channel();
        if self.applier.send(Work::Barrier(sender)).is_ok()
            && let Ok(unwritten) = receiver.recv()
        {
            self.events.refused(&unwritten);
        }
        // Before the answers: whoever tries again at once must not be refused for this.
        self.queue.state.lock().refusing = false;
        for (_, answer) in batch.into_iter().chain(queued) {
            let copy = std::io::Error::new(error.kind(), error.to_string());
            let _ = answer.send(Err(if is_cut { broken(copy) } else { uncertain().because(copy) }));
        }
    }
}
