//! One file of the log: consecutive events, the number of the first of which is its name.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ocis_core::time::Timestamp;
use ocis_storage::fs::{File, Fs, Open};

use super::frame;

/// A file of the log.
#[derive(Debug)]
pub(super) struct Segment {
    /// The number of its first event.
    pub(super) first: u64,
    pub(super) path: PathBuf,
    /// Bytes of whole entries.
    pub(super) size: u64,
    /// When something was last appended.
    pub(super) modified: Timestamp,
    /// Where the entries lie, once somebody asked.
    warm: Option<Warm>,
}

#[derive(Debug)]
struct Warm {
    file: Arc<dyn File>,
    /// Where each entry begins.
    offsets: Vec<u64>,
}

/// The files of the log, in order.
pub(super) fn list(fs: &dyn Fs, folder: &Path) -> io::Result<Vec<Segment>> {
    let mut found = Vec::new();
    for entry in fs.read_dir(folder)? {
        let number = entry.name.strip_suffix(".log").map(|name| u64::from_str_radix(name, 16));
        let Some(Ok(first)) = number else { continue };
        let path = folder.join(&entry.name);
        let stat = fs.stat(&path)?;
        found.push(Segment { first, path, size: stat.size, modified: stat.modified, warm: None });
    }
    found.sort_by_key(|segment| segment.first);
    Ok(found)
}

impl Segment {
    /// Begins a file in which the event with this number is the first. A file of that name holds
    /// nothing that was ever acknowledged.
    pub(super) fn begin(
        fs: &dyn Fs,
        folder: &Path,
        first: u64,
        now: Timestamp,
    ) -> io::Result<(Self, Arc<dyn File>)> {
        let path = folder.join(format!("{first:016x}.log"));
        let file = fs.open(&path, Open::Create)?;
        fs.sync_dir(folder)?;
        let warm = Some(Warm { file: Arc::clone(&file), offsets: Vec::new() });
        Ok((Self { first, path, size: 0, modified: now, warm }, file))
    }

    /// Counts the whole entries of a file that a crash may have cut off, and forgets the rest.
    pub(super) fn measure(&mut self, fs: &dyn Fs) -> io::Result<u64> {
        let content = fs.read(&self.path)?;
        let mut rest = content.as_slice();
        let mut count = 0;
        while let Some(payload) = frame::payload(rest) {
            rest = rest.get(frame::HEADER + payload.len()..).unwrap_or_default();
            count += 1;
        }
        self.size = (content.len() - rest.len()) as u64;
        Ok(count)
    }

    /// Notes that entries of these lengths were appended.
    pub(super) fn grow(&mut self, lengths: &[usize], now: Timestamp) {
        self.modified = now;
        for length in lengths {
            if let Some(warm) = &mut self.warm {
                warm.offsets.push(self.size);
            }
            self.size += *length as u64;
        }
    }

    /// Whether it is known where the entries lie.
    pub(super) fn is_warm(&self) -> bool {
        self.warm.is_some()
    }

    /// Forgets where the entries lie.
    pub(super) fn cool(&mut self) {
        self.warm = None;
    }

    /// Finds out where the entries lie. Only lengths are read here: an entry that is damaged is
    /// noticed when it is wanted, and those behind it are not lost with it.
    pub(super) fn heat(&mut self, fs: &dyn Fs) -> io::Result<()> {
        if self.warm.is_some() {
            return Ok(());
        }
        let file = fs.open(&self.path, Open::Read)?;
        let content = fs.read(&self.path)?;
        let (mut offsets, mut at) = (Vec::new(), 0);
        while (at as u64) < self.size
            && let Some(length) = content.get(at..).and_then(frame::length)
        {
            offsets.push(at as u64);
            at += length;
        }
        self.warm = Some(Warm { file, offsets });
        Ok(())
    }

    /// The payload of the event with this number; none when it is damaged.
    pub(super) fn read(&self, number: u64) -> io::Result<Option<Vec<u8>>> {
        let place = usize::try_from(number - self.first).unwrap_or(usize::MAX);
        let Some(warm) = &self.warm else { return Ok(None) };
        let Some(begin) = warm.offsets.get(place) else { return Ok(None) };
        let end = warm.offsets.get(place + 1).copied().unwrap_or(self.size);
        let mut bytes = vec![0; usize::try_from(end - begin).unwrap_or(0)];
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match warm.file.read_at(rest, begin + filled as u64)? {
                0 => break,
                count => filled += count,
            }
        }
        Ok(frame::payload(&bytes).map(<[u8]>::to_vec))
    }
}
