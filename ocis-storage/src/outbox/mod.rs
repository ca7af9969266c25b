//! The outbox: events of changes on their way to the bus, off the way of the changes themselves.
//!
//! A change is durable with its events in the journal. Once it is applied, its events wait here and
//! a thread of its own hands them over in order, again and again until the bus took them: a dead,
//! slow or failing bus costs a change nothing. A segment of the journal goes only when its events
//! were handed over or are in a file of the outbox ([`spill`]), so none is lost by a crash. Beside
//! it lies a mark, the id of the last event that was handed over, so that few come twice. The mark
//! is not flushed: one that is lost or old costs repetitions and nothing else.
//!
//! What waits is what the file holds, and behind it what is in memory. Nothing depends on numbers
//! of records, which begin anew with an empty journal: events are recognised by their ids.

mod handover;
mod spill;

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ocis_core::event::Event;
use ocis_core::id::EventId;
use ocis_core::port::EventBus;
use parking_lot::{Condvar, Mutex};

pub(crate) use handover::Handover;
use spill::Spill;

use crate::fs::{Fs, is_missing};

/// Events that wait in memory; further ones go to the file.
const IN_MEMORY: usize = 10_000;

/// Where the events of a store go.
#[derive(Clone)]
pub struct Outlet {
    /// The bus. It may be unavailable at any time, also from the start on.
    pub bus: Arc<dyn EventBus>,
    /// Bytes of the file in which events wait for a bus that does not take them. What comes beyond
    /// is dropped, which is logged as an error; what waits already is kept.
    pub limit: u64,
}

impl Outlet {
    /// 256 MiB, room for some half a million events.
    pub(crate) const LIMIT: u64 = 256 << 20;

    /// An outlet with room for 256 MiB of events, some half a million.
    pub fn new(bus: Arc<dyn EventBus>) -> Self {
        Self { bus, limit: Self::LIMIT }
    }
}

impl std::fmt::Debug for Outlet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outlet").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// The events of a store that wait for the bus.
#[derive(Debug)]
pub(crate) struct Outbox {
    fs: Arc<dyn Fs>,
    folder: PathBuf,
    limit: u64,
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The file, when something in it waits.
    spill: Option<Spill>,
    queue: VecDeque<Event>,
    /// A flush of the file failed.
    unsure: bool,
    dropped: u64,
    ending: bool,
}

/// Some of what waits, from the front.
struct Batch {
    events: Vec<Event>,
    /// Where the file goes on behind them, if they come from it.
    behind: Option<u64>,
}

impl Outbox {
    /// Reads what waits in `folder`.
    pub(crate) fn open(fs: Arc<dyn Fs>, folder: &Path, limit: u64) -> io::Result<Self> {
        let mut spill = Spill::open(&*fs, &folder.join("outbox.log"))?;
        let mark = read_mark(&*fs, folder)?;
        if let (Some(file), Some(mark)) = (&mut spill, &mark) {
            file.go_behind(mark)?;
        }
        if spill.as_ref().is_some_and(Spill::is_empty) {
            spill.take().map_or(Ok(()), |file| file.remove(&*fs))?;
        }
        let state = Mutex::new(State { spill, ..State::default() });
        Ok(Self { fs, folder: folder.to_owned(), limit, state, wake: Condvar::new() })
    }

    /// Whether no event waits here and none was ever handed over.
    pub(crate) fn knows_nothing(&self) -> io::Result<bool> {
        let is_empty = self.state.lock().spill.is_none();
        Ok(is_empty && read_mark(&*self.fs, &self.folder)?.is_none())
    }

    /// How many of the events that the journal holds, in its order, were handed over or wait here
    /// already. To be asked before any event is added.
    pub(crate) fn known_of(&self, journal: &[EventId]) -> io::Result<usize> {
        let mut state = self.state.lock();
        let place = |id: Option<&EventId>| {
            id.and_then(|id| journal.iter().position(|other| other == id)).map_or(0, |at| at + 1)
        };
        let mark = read_mark(&*self.fs, &self.folder)?;
        let waiting = place(state.spill.as_ref().and_then(Spill::last));
        let handed_over = place(mark.as_ref());
        // The mark is beyond everything in the file: only its removal is missing.
        if handed_over > waiting {
            state.spill.take().map_or(Ok(()), |file| file.remove(&*self.fs))?;
        }
        Ok(waiting.max(handed_over))
    }

    /// Adds the events of an applied change.
    pub(crate) fn push(&self, events: &[Event]) {
        if events.is_empty() {
            return;
        }
        let mut state = self.state.lock();
        state.queue.extend(events.iter().cloned());
        if state.queue.len() > IN_MEMORY
            && let Err(error) = self.spill(&mut state)
        {
            // The journal has them; without room for this, there soon are no more changes.
            tracing::error!(%error, "events that wait for the bus cannot be written to a file");
        }
        drop(state);
        self.wake.notify_all();
    }

    /// Makes everything that waits durable, so that the journal can forget it.
    pub(crate) fn keep(&self) -> io::Result<()> {
        let file = {
            let mut state = self.state.lock();
            self.spill(&mut state)?;
            state.spill.as_ref().map(Spill::file)
        };
        let flushed = file.map_or(Ok(()), |file| file.sync());
        let mut state = self.state.lock();
        // After a failed flush nothing is known of what the file holds on the disk, whatever a later
        // one says: the journal keeps the events until all that waits was handed over.
        state.unsure = state.spill.is_some() && (state.unsure || flushed.is_err());
        match flushed {
            Ok(()) if state.unsure => Err(io::Error::other("a flush failed before")),
            flushed => flushed,
        }
    }

    /// Moves what waits in memory to the end of the file.
    fn spill(&self, state: &mut State) -> io::Result<()> {
        if state.queue.is_empty() {
            return Ok(());
        }
        if state.spill.is_none() {
            state.spill = Some(Spill::create(&*self.fs, &self.folder.join("outbox.log"))?);
            state.unsure = false;
        }
        let Some(file) = &mut state.spill else { return Ok(()) };
        let kept = file.append(state.queue.make_contiguous(), self.limit)?;
        let dropped = (state.queue.len() - kept) as u64;
        state.queue.clear();
        state.dropped += dropped;
        if file.is_empty() {
            self.remove(state.spill.take());
        }
        if dropped > 0 {
            tracing::error!(
                dropped,
                in_all = state.dropped,
                limit = self.limit,
                "events are lost: the event bus did not take any for so long that no more of them \
                 are kept. Files are not affected; what listens to events (search, notifications, \
                 activities) misses these changes"
            );
        }
        Ok(())
    }

    /// Removes the file, in which nothing waits. One that stays is written over the next time.
    fn remove(&self, spill: Option<Spill>) {
        if let Some(Err(error)) = spill.map(|file| file.remove(&*self.fs)) {
            tracing::warn!(%error, "the file of the outbox cannot be removed");
        }
    }

    /// What is to be handed over next; waits for it. None when the outbox ends.
    fn next(&self, limit: usize) -> Option<io::Result<Batch>> {
        let mut state = self.state.lock();
        loop {
            if let Some(file) = &state.spill {
                return Some(
                    file.read(limit).map(|(events, behind)| Batch { events, behind: Some(behind) }),
                );
            }
            if !state.queue.is_empty() {
                let events = state.queue.iter().take(limit).cloned().collect();
                return Some(Ok(Batch { events, behind: None }));
            }
            if state.ending {
                return None;
            }
            self.wake.wait(&mut state);
        }
    }

    /// The bus took these. Says whether nothing else waits.
    fn handed_over(&self, batch: &Batch) -> io::Result<bool> {
        let mut state = self.state.lock();
        if let Some(file) = &mut state.spill {
            match batch.behind {
                Some(behind) => file.go_to(behind),
                // They were moved to the file while they were handed over.
                None => batch.events.last().map_or(Ok(()), |last| file.go_behind(&last.id))?,
            }
            if file.is_empty() {
                self.remove(state.spill.take());
            }
        }
        for event in &batch.events {
            if state.queue.front().is_some_and(|first| first.id == event.id) {
                state.queue.pop_front();
            }
        }
        Ok(state.spill.is_none() && state.queue.is_empty())
    }

    /// Notes which event was handed over last.
    fn mark(&self, last: &EventId) -> io::Result<()> {
        let (path, new) = (self.folder.join("handed-over"), self.folder.join("handed-over.tmp"));
        self.fs.write(&new, last.as_str().as_bytes())?;
        self.fs.rename(&new, &path)
    }

    /// Waits before the next attempt, unless the outbox ends.
    fn pause(&self, time: Duration) {
        let mut state = self.state.lock();
        let end = std::time::Instant::now() + time;
        while !state.ending && !self.wake.wait_until(&mut state, end).timed_out() {}
    }

    fn is_ending(&self) -> bool {
        self.state.lock().ending
    }

    fn end(&self) {
        self.state.lock().ending = true;
        self.wake.notify_all();
    }
}

fn read_mark(fs: &dyn Fs, folder: &Path) -> io::Result<Option<EventId>> {
    let content = fs.read(&folder.join("handed-over"));
    if is_missing(&content) {
        return Ok(None);
    }
    // After a power cut it may be anything.
    Ok(std::str::from_utf8(&content?).ok().and_then(|text| EventId::parse(text).ok()))
}
