//! Segments: the files that the journal is made of.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};

use crate::fs::{File, Fs, Open};
use crate::outbox::Outbox;

/// The segment that is being written.
pub(super) struct Segment {
    pub(super) path: PathBuf,
    pub(super) file: Arc<dyn File>,
    /// Where the next record begins; everything before is durable.
    pub(super) end: u64,
    /// The length of the file: zeros behind `end`.
    pub(super) length: u64,
}

/// Bytes by which a segment grows at once: the first time, and at most.
const GROWTH: (u64, u64) = (64 * 1024, 1024 * 1024);

impl Segment {
    /// Appends frames, not flushed; gives where the next record begins as soon as they are. A file that must grow grows by more, filled with zeros, which are
    /// the end of the journal to whoever reads it: flushing bytes that only replace others needs no
    /// change of the file system's own journal, and takes half of the time.
    pub(super) fn append(&mut self, frames: &mut Vec<u8>) -> std::io::Result<u64> {
        let end = self.end + frames.len() as u64;
        if end > self.length {
            self.length = end + end.clamp(GROWTH.0, GROWTH.1);
            frames.resize(usize::try_from(self.length - self.end).unwrap_or(frames.len()), 0);
        }
        self.file.write_at(frames, self.end)?;
        Ok(end)
    }
}

/// Begins a segment; its name is its place in the order.
pub(super) fn begin(fs: &dyn Fs, folder: &Path) -> std::io::Result<Segment> {
    let last = segments(fs, folder)?.last().map_or(0, |(number, _)| *number);
    let path = folder.join(format!("{:016x}.log", last + 1));
    let file = fs.open(&path, Open::CreateNew)?;
    fs.sync_dir(folder)?;
    Ok(Segment { path, file, end: 0, length: 0 })
}

/// The segments that are there, in order.
pub(super) fn segments(fs: &dyn Fs, folder: &Path) -> std::io::Result<Vec<(u64, PathBuf)>> {
    let mut found: Vec<_> = fs
        .read_dir(folder)?
        .into_iter()
        .filter_map(|entry| {
            let number = u64::from_str_radix(entry.name.strip_suffix(".log")?, 16).ok()?;
            Some((number, folder.join(entry.name)))
        })
        .collect();
    found.sort();
    Ok(found)
}

/// Removes a segment for good. One after the other, the oldest first: an older one that came back
/// after a power cut while a younger one is gone would undo changes when it is replayed.
pub(super) fn remove(fs: &dyn Fs, path: &Path) -> std::io::Result<()> {
    fs.unlink(path)?;
    fs.sync_dir(path.parent().unwrap_or(path))
}

/// Flushes the file system for full segments, and removes them, the oldest first. Tells who waits
/// for one when it and all before it are gone, and drops who waits in vain.
/// Events of a segment are kept elsewhere then, as far as they were not handed over yet.
pub(super) fn checkpoint(
    fs: &dyn Fs,
    root: &Path,
    outbox: &Outbox,
    full: &mpsc::Receiver<(PathBuf, Vec<mpsc::Sender<()>>)>,
) {
    let mut oldest = VecDeque::new();
    while let Ok((path, waiters)) = full.recv() {
        oldest.push_back(path);
        let flushed = fs.sync_all(root).and_then(|()| outbox.keep());
        if let Err(error) = flushed {
            tracing::error!(%error, "a checkpoint failed; the journal grows");
            continue;
        }
        while let Some(path) = oldest.front() {
            if let Err(error) = remove(fs, path) {
                tracing::error!(%error, "a checkpoint failed; the journal grows");
                break;
            }
            oldest.pop_front();
        }
        if oldest.is_empty() {
            for waiter in waiters {
                // Whoever does not wait any more need not know.
                let _ = waiter.send(());
            }
        }
    }
}

#[cfg(test)]
mod tests;
