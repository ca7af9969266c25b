//! The events themselves: an append-only log in segments, the oldest of which go when a bound is
//! reached.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ocis_core::time::Timestamp;
use ocis_storage::fs::{File, Fs};

use super::segment::{self, Segment};

/// Segments of which it is known where their events lie.
const MOST_WARM: usize = 8;

/// How much the bus keeps of what was published, whether somebody took it or not. What is beyond
/// goes in whole segments, the oldest first.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How long an event is kept; it may be a tenth longer.
    pub age: Duration,
    /// Bytes of all events.
    pub bytes: u64,
    /// Number of events.
    pub events: u64,
    /// Bytes after which a segment is full.
    pub segment: u64,
}

impl Default for Limits {
    /// A week, 1 GiB, ten million events; segments of 8 MiB.
    fn default() -> Self {
        Self {
            age: Duration::from_secs(7 * 24 * 3600),
            bytes: 1 << 30,
            events: 10_000_000,
            segment: 8 << 20,
        }
    }
}

/// The log of an open bus.
#[derive(Debug)]
pub(super) struct Log {
    fs: Arc<dyn Fs>,
    folder: PathBuf,
    limits: Limits,
    segments: VecDeque<Segment>,
    /// The segment that is being written is the last of them.
    active: Option<Active>,
    /// The number of the next event.
    next: u64,
}

#[derive(Debug)]
struct Active {
    file: Arc<dyn File>,
    begun: Timestamp,
}

impl Log {
    /// Opens the log in `folder`. Reads the names of the segments and the last one of them, however
    /// many events there are.
    pub(super) fn open(fs: Arc<dyn Fs>, folder: &Path, limits: Limits) -> io::Result<Self> {
        fs.mkdir_all(folder)?;
        let mut segments: VecDeque<_> = segment::list(&*fs, folder)?.into();
        let mut next = 1;
        if let Some(last) = segments.back_mut() {
            let count = last.measure(&*fs)?;
            next = last.first + count;
        }
        Ok(Self { fs, folder: folder.to_owned(), limits, segments, active: None, next })
    }

    /// The numbers of the events that are there: from the first up to, and without, the second.
    pub(super) fn range(&self) -> (u64, u64) {
        (self.segments.front().map_or(self.next, |segment| segment.first), self.next)
    }

    /// Appends entries of these lengths and flushes them: all or none. After an error what was
    /// written of them may still be there when the log is opened again.
    pub(super) fn append(
        &mut self,
        frames: &[u8],
        lengths: &[usize],
        now: Timestamp,
    ) -> io::Result<()> {
        if self.active.is_none() {
            self.begin(now)?;
        }
        let (Some(active), Some(segment)) = (&self.active, self.segments.back_mut()) else {
            return Ok(());
        };
        let written = active.file.write_at(frames, segment.size).and_then(|()| active.file.sync());
        if let Err(error) = written {
            // Nothing is known of what was written since the last flush: the segment ends there. Not
            // flushed: what was refused may come about after a crash.
            if let Err(error) = active.file.set_size(segment.size) {
                tracing::warn!(%error, "the log of events cannot be cut back");
            }
            self.active = None;
            return Err(error);
        }
        segment.grow(lengths, now);
        self.next += lengths.len() as u64;
        self.trim(now);
        Ok(())
    }

    fn begin(&mut self, now: Timestamp) -> io::Result<()> {
        // One in which nothing was written has the same name.
        while self.segments.back().is_some_and(|last| last.first >= self.next) {
            self.segments.pop_back();
        }
        let (segment, file) = Segment::begin(&*self.fs, &self.folder, self.next, now)?;
        self.segments.push_back(segment);
        self.active = Some(Active { file, begun: now });
        Ok(())
    }

    /// Ends the segment that is being written when it is full or old, and removes what is beyond
    /// the bounds.
    pub(super) fn trim(&mut self, now: Timestamp) {
        let is_full = self.segments.back().is_some_and(|last| last.size >= self.limits.segment);
        let is_old = |active: &Active| active.begun.plus(self.limits.age / 10) <= now;
        if is_full || self.active.as_ref().is_some_and(is_old) {
            self.active = None;
        }
        let mut bytes: u64 = self.segments.iter().map(|segment| segment.size).sum();
        while let Some(oldest) = self.segments.front() {
            let is_beyond = bytes > self.limits.bytes
                || self.next - oldest.first > self.limits.events
                || oldest.modified.plus(self.limits.age) < now;
            // The last one tells the number of the next event.
            if !is_beyond || self.segments.len() == 1 {
                return;
            }
            let removed =
                self.fs.unlink(&oldest.path).and_then(|()| self.fs.sync_dir(&self.folder));
            if let Err(error) = removed {
                tracing::warn!(%error, "old events cannot be removed");
                return;
            }
            bytes -= oldest.size;
            self.segments.pop_front();
        }
    }

    /// The event with this number, as it was appended; none when it is damaged or not there.
    pub(super) fn read(&mut self, number: u64) -> io::Result<Option<Vec<u8>>> {
        let place = self.segments.partition_point(|segment| segment.first <= number);
        let Some(place) = place.checked_sub(1) else { return Ok(None) };
        if self.segments.get(place).is_some_and(|segment| !segment.is_warm()) {
            self.make_room();
        }
        let Some(segment) = self.segments.get_mut(place) else { return Ok(None) };
        segment.heat(&*self.fs)?;
        segment.read(number)
    }

    /// Forgets where the events of some segment lie, if that is known of too many.
    fn make_room(&mut self) {
        let last = self.segments.len().saturating_sub(1);
        if self.segments.iter().filter(|segment| segment.is_warm()).count() >= MOST_WARM {
            let others = self.segments.iter_mut().take(last);
            others.filter(|segment| segment.is_warm()).take(1).for_each(Segment::cool);
        }
    }
}
