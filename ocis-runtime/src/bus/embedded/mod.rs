//! The embedded bus: a durable log of events in a folder, for a server of one process.
//!
//! Publishers that come together share one flush. Opening it reads the names of the segments and
//! the last one of them, and of the groups only those that ask; so it does not matter how much is
//! queued. It survives being killed at any moment: what was answered is there, what was cut off is
//! not believed. Why a log of our own and no database: what is needed of one (append, read on, drop
//! the oldest) is this folder, and a database checks or rebuilds its pages after a crash.
//!
//! Every access to the disk goes through [`Fs`], so that tests can cut and fail all of them.

mod frame;
mod log;
mod member;
mod segment;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ocis_core::event::Event;
use ocis_core::id::ConsumerId;
use ocis_core::port::{Acknowledge, Delivery, EventBus, Fetch, Leave, Reject, Start};
use ocis_core::time::Clock;
use ocis_core::{Cx, Error, Result};
use ocis_storage::fs::{Fs, Held};
use parking_lot::{Mutex, RwLock};
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use super::group::Group;
use super::{Found, closed, no_group, until_found};
pub use log::Limits;
use log::Log;
use member::Member;

/// The folder of ours in that of the event bus; what else lies there is oCIS's.
const OURS: &str = "ocis-rs";
/// Events that are handed out at once at most.
const MOST_AT_ONCE: u32 = 1000;

/// An open bus. Clones share it.
#[derive(Debug, Clone)]
pub struct EmbeddedBus(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    fs: Arc<dyn Fs>,
    groups_dir: PathBuf,
    clock: Arc<dyn Clock>,
    log: Mutex<Log>,
    queue: Mutex<Vec<Waiting>>,
    groups: Mutex<HashMap<ConsumerId, Arc<Mutex<Member>>>>,
    news: watch::Sender<()>,
    /// The lock of the folder while the bus is open. Whoever works on files holds this for reading.
    open: RwLock<Option<Box<dyn Held>>>,
}

/// Entries that somebody waits for.
#[derive(Debug)]
struct Waiting {
    frames: Vec<u8>,
    lengths: Vec<usize>,
    answer: oneshot::Sender<io::Result<()>>,
}

impl EmbeddedBus {
    /// Opens the bus in a folder of its own below `folder`, and makes it when there is none;
    /// blocking. `Unavailable` when another process owns it or the folder cannot be written.
    pub fn open(
        fs: Arc<dyn Fs>,
        folder: &Path,
        limits: Limits,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let unusable = |error: io::Error| {
            let text = format!("the event log at {} cannot be used: {error}", folder.display());
            Error::unavailable(text).because(error)
        };
        let ours = folder.join(OURS);
        let groups_dir = ours.join("groups");
        fs.mkdir_all(&groups_dir).map_err(unusable)?;
        let held = fs.lock(&ours.join("lock")).map_err(unusable)?.ok_or_else(|| {
            Error::unavailable(format!(
                "the event log at {} is owned by another process: stop it first, or use another folder",
                folder.display()
            ))
        })?;
        let mut log = Log::open(Arc::clone(&fs), &ours.join("log"), limits).map_err(unusable)?;
        // The folders may be new: what is in them must not be lost with them.
        fs.sync_all(&ours).map_err(unusable)?;
        log.trim(clock.now());
        Ok(Self(Arc::new(Inner {
            fs,
            groups_dir,
            clock,
            log: Mutex::new(log),
            queue: Mutex::default(),
            groups: Mutex::default(),
            news: watch::Sender::new(()),
            open: RwLock::new(Some(held)),
        })))
    }

    /// Ends cleanly: nothing touches the files any more, and every call, also of those who wait, is
    /// answered with `Unavailable`. Blocking.
    pub fn close(&self) {
        drop(self.0.open.write().take());
        self.0.news.send_modify(|()| ());
    }

    /// Removes what is beyond the bounds; blocking. Publishing does so too.
    pub fn trim(&self) {
        let _ = self.0.at_work(|inner| {
            let now = inner.clock.now();
            inner.log.lock().trim(now);
            Ok(())
        });
    }

    /// Does `work` on a thread that may block.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let inner = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || inner.at_work(work))
            .await
            .map_err(|error| Error::internal("the event log broke off").because(error))?
    }
}

impl Inner {
    /// Does something with the files, unless the bus is closed; it is not closed meanwhile.
    fn at_work<T>(&self, work: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        let open = self.open.read();
        if open.is_none() {
            return Err(closed());
        }
        work(self)
    }

    /// Appends everything that waits, with one flush. Whoever comes while another one flushes waits
    /// here, and then maybe finds that its entries went with those of somebody else.
    fn flush(&self) {
        let mut log = self.log.lock();
        let batch = std::mem::take(&mut *self.queue.lock());
        if batch.is_empty() {
            return;
        }
        let frames: Vec<u8> = batch.iter().flat_map(|waiting| &waiting.frames).copied().collect();
        let lengths: Vec<_> = batch.iter().flat_map(|waiting| &waiting.lengths).copied().collect();
        let done = log.append(&frames, &lengths, self.clock.now());
        drop(log);
        for waiting in batch {
            // Nobody listens when the publisher gave up meanwhile.
            let _ = waiting.answer.send(match &done {
                Ok(()) => Ok(()),
                Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
            });
        }
        self.news.send_modify(|()| ());
    }

    /// The group of this name. One that is not there is begun where `start` says.
    fn group(&self, name: &ConsumerId, start: Option<Start>) -> Result<Arc<Mutex<Member>>> {
        let mut groups = self.groups.lock();
        if let Some(member) = groups.get(name) {
            return Ok(Arc::clone(member));
        }
        let path = self.groups_dir.join(format!("{name}.log"));
        let member = match (Member::load(&*self.fs, &path).map_err(unusable)?, start) {
            (Some(member), _) => member,
            (None, None) => return Err(no_group()),
            (None, Some(start)) => {
                let (oldest, new) = self.log.lock().range();
                let beginning = if start == Start::New { new } else { oldest };
                let mut member = Member::new(path, beginning);
                let group = member.group.clone();
                member.keep(&*self.fs, group, true).map_err(unusable)?;
                member
            }
        };
        let member = Arc::new(Mutex::new(member));
        groups.insert(name.clone(), Arc::clone(&member));
        Ok(member)
    }

    fn take(&self, request: &Fetch) -> Result<Found> {
        let member = self.group(&request.group, Some(request.start))?;
        let mut member = member.lock();
        let range = self.log.lock().range();
        let limit = request.limit.clamp(1, MOST_AT_ONCE) as usize;
        let mut group = member.group.clone();
        let given = group.take(limit, range, Instant::now(), request.redeliver);
        if given.missed > 0 {
            tracing::error!(
                group = %request.group,
                missed = given.missed,
                "events went beyond the bounds of the event log before they were taken"
            );
        }
        let found = self.read(&mut group, &request.group, given.events)?;
        if !found.is_empty() || given.missed > 0 {
            member.keep(&*self.fs, group, false).map_err(unusable)?;
        }
        Ok((found, member.group.next_due()))
    }

    fn read(
        &self,
        group: &mut Group,
        name: &ConsumerId,
        given: Vec<(u64, u32)>,
    ) -> Result<Vec<Delivery>> {
        let mut found = Vec::with_capacity(given.len());
        for (sequence, attempt) in given {
            let text = self.log.lock().read(sequence).map_err(unusable)?;
            let event = text.and_then(|text| serde_json::from_slice::<Event>(&text).ok());
            match event {
                Some(event) => found.push(Delivery { sequence, attempt, event }),
                None => {
                    tracing::error!(group = %name, sequence, "an event is damaged and left out");
                    group.acknowledge(&[sequence]);
                }
            }
        }
        Ok(found)
    }
}

fn unusable(error: io::Error) -> Error {
    Error::unavailable("the event log cannot be used").because(error)
}

#[async_trait::async_trait]
impl EventBus for EmbeddedBus {
    async fn publish(&self, _: &Cx, events: Vec<Event>) -> Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        let (mut frames, mut lengths) = (Vec::new(), Vec::with_capacity(events.len()));
        for event in &events {
            let text = serde_json::to_vec(event)
                .map_err(|error| Error::internal("an event cannot be written").because(error))?;
            if text.len() > frame::MOST {
                return Err(Error::invalid("an event is too long"));
            }
            let before = frames.len();
            frame::append(&text, &mut frames);
            lengths.push(frames.len() - before);
        }
        let (answer, answered) = oneshot::channel();
        self.blocking(move |inner| {
            inner.queue.lock().push(Waiting { frames, lengths, answer });
            inner.flush();
            Ok(())
        })
        .await?;
        answered.await.map_err(|_| closed())?.map_err(unusable)
    }

    async fn fetch(&self, _: &Cx, request: Fetch) -> Result<Vec<Delivery>> {
        let look = || {
            let request = request.clone();
            self.blocking(move |inner| inner.take(&request))
        };
        until_found(&request, self.0.news.subscribe(), look).await
    }

    async fn acknowledge(&self, _: &Cx, request: Acknowledge) -> Result<()> {
        self.blocking(move |inner| {
            let member = inner.group(&request.group, None)?;
            let mut member = member.lock();
            let mut group = member.group.clone();
            if group.acknowledge(&request.sequences) {
                member.keep(&*inner.fs, group, true).map_err(unusable)?;
                inner.news.send_modify(|()| ());
            }
            Ok(())
        })
        .await
    }

    async fn reject(&self, _: &Cx, request: Reject) -> Result<()> {
        self.blocking(move |inner| {
            let member = inner.group(&request.group, None)?;
            // Not kept: when the bus is opened again, everything under way is due anyway.
            member.lock().group.reject(&request.sequences, Instant::now() + request.delay);
            inner.news.send_modify(|()| ());
            Ok(())
        })
        .await
    }

    async fn leave(&self, _: &Cx, request: Leave) -> Result<()> {
        self.blocking(move |inner| {
            let mut groups = inner.groups.lock();
            groups.remove(&request.group);
            let path = inner.groups_dir.join(format!("{}.log", request.group));
            match inner.fs.unlink(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unusable(error)),
                _ => Ok(()),
            }
        })
        .await
    }
}
