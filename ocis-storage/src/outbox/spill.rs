//! The file in which events wait when the journal is to forget them, or when too many are in
//! memory: appended at one end, read at the other, removed when all of it was handed over.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ocis_core::event::Event;
use ocis_core::id::EventId;

use crate::fs::{File, Fs, Open};
use crate::journal::{Record, record};

/// Bytes that are read at once, unless one event is longer.
const CHUNK: usize = 128 * 1024;

/// Events in a file. Each is an entry as the journal has them, a record that only tells.
#[derive(Debug)]
pub(super) struct Spill {
    path: PathBuf,
    file: Arc<dyn File>,
    /// Where the first event begins that waits.
    begin: u64,
    /// Where the last one ends.
    end: u64,
    last: Option<EventId>,
}

impl Spill {
    /// Makes an empty file.
    pub(super) fn create(fs: &dyn Fs, path: &Path) -> io::Result<Self> {
        let file = fs.open(path, Open::Create)?;
        fs.sync_dir(path.parent().unwrap_or(path))?;
        Ok(Self { path: path.to_owned(), file, begin: 0, end: 0, last: None })
    }

    /// Opens the file that is there; none when there is none, or nothing whole in it.
    pub(super) fn open(fs: &dyn Fs, path: &Path) -> io::Result<Option<Self>> {
        let file = match fs.open(path, Open::Write) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let mut found = Self { path: path.to_owned(), file, begin: 0, end: 0, last: None };
        let size = found.file.size()?;
        loop {
            let (events, behind) = found.read_up_to(found.end, size, usize::MAX)?;
            let Some(last) = events.last() else { break };
            (found.last, found.end) = (Some(last.id.clone()), behind);
        }
        Ok(found.last.is_some().then_some(found))
    }

    /// The last event in it.
    pub(super) fn last(&self) -> Option<&EventId> {
        self.last.as_ref()
    }

    /// Whether all of it was handed over.
    pub(super) fn is_empty(&self) -> bool {
        self.begin >= self.end
    }

    pub(super) fn file(&self) -> Arc<dyn File> {
        Arc::clone(&self.file)
    }

    /// Appends events until the file has `limit` bytes, and tells how many. All or none of those
    /// are there when it fails.
    pub(super) fn append(&mut self, events: &[Event], limit: u64) -> io::Result<usize> {
        let (mut frames, mut kept, mut last) = (Vec::new(), 0, None);
        for event in events {
            let told = Record { events: vec![event.clone()], ..Record::default() };
            let before = frames.len();
            record::frame(&told, &mut frames).map_err(io::Error::other)?;
            if self.end + frames.len() as u64 > limit {
                frames.truncate(before);
                break;
            }
            (kept, last) = (kept + 1, Some(&event.id));
        }
        self.file.write_at(&frames, self.end)?;
        self.end += frames.len() as u64;
        if let Some(last) = last {
            self.last = Some(last.clone());
        }
        Ok(kept)
    }

    /// The first events that wait, at least one, and where the file goes on behind them.
    pub(super) fn read(&self, limit: usize) -> io::Result<(Vec<Event>, u64)> {
        let (events, behind) = self.read_up_to(self.begin, self.end, limit)?;
        if events.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the outbox is damaged"));
        }
        Ok((events, behind))
    }

    fn read_up_to(&self, begin: u64, end: u64, limit: usize) -> io::Result<(Vec<Event>, u64)> {
        let left = usize::try_from(end - begin).unwrap_or(usize::MAX);
        let mut chunk = CHUNK;
        loop {
            let bytes = self.bytes(begin, chunk.min(left))?;
            let (mut rest, mut events) = (bytes.as_slice(), Vec::new());
            while events.len() < limit
                && let Some(told) = record::next(&mut rest)
            {
                events.extend(told.events);
            }
            if !events.is_empty() || chunk >= left {
                return Ok((events, begin + (bytes.len() - rest.len()) as u64));
            }
            chunk *= 8;
        }
    }

    fn bytes(&self, begin: u64, length: usize) -> io::Result<Vec<u8>> {
        let (mut bytes, mut filled) = (vec![0; length], 0);
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, begin + filled as u64)? {
                0 => break,
                count => filled += count,
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    /// Everything before this place was handed over.
    pub(super) fn go_to(&mut self, place: u64) {
        self.begin = place;
    }

    /// Everything up to this event was handed over, if it is in the file.
    pub(super) fn go_behind(&mut self, event: &EventId) -> io::Result<()> {
        let mut place = self.begin;
        while place < self.end {
            let (events, behind) = self.read_up_to(place, self.end, 1)?;
            if events.is_empty() {
                break;
            }
            place = behind;
            if events.iter().any(|other| other.id == *event) {
                self.begin = place;
                break;
            }
        }
        Ok(())
    }

    /// Removes the file; that a power cut may bring it back is no harm.
    pub(super) fn remove(&self, fs: &dyn Fs) -> io::Result<()> {
        fs.unlink(&self.path)
    }
}
