//! The baseline: the files, folders, links and flushes of oCIS's format, with plain system calls and
//! nothing else.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{FileExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use ocis_core::id::NodeId;
use ocis_storage::digest::Digester;

use crate::engine::TASKS;

/// Bytes of the metadata of a small file.
const METADATA: usize = 420;
/// Bytes that a change adds to a journal beside content and metadata: names of files, for the most.
const NAMES: usize = 1200;

/// A folder that gets files in oCIS's format, each durable by a record in a journal whose flushes are
/// shared, as ours are.
pub(crate) struct Bare {
    root: PathBuf,
    journal: File,
    queue: Mutex<Queue>,
    done: Condvar,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<u8>,
    end: u64,
    asked: u64,
    flushed: u64,
    busy: bool,
}

impl Bare {
    pub(crate) fn new(root: &Path) -> Result<Self> {
        fs::create_dir_all(root.join("folder"))?;
        let journal = File::create_new(root.join("journal"))?;
        let (queue, done) = (Mutex::default(), Condvar::new());
        Ok(Self { root: root.to_owned(), journal, queue, done })
    }

    /// Makes a file with this content, durably.
    pub(crate) fn put(&self, name: &str, content: &[u8]) -> Result<()> {
        self.commit(content.len() + METADATA + NAMES)?;
        let (blob, _) = self.place("blobs")?;
        write(&blob, content)?;
        let (node, target) = self.place("nodes")?;
        write(&node, b"")?;
        write(&node.with_added_extension("mpk"), &[7; METADATA])?;
        Ok(symlink(target, self.root.join("folder").join(name))?)
    }

    /// Replaces the metadata of a file, durably.
    pub(crate) fn replace(&self, number: usize, task: usize) -> Result<()> {
        self.commit(METADATA + NAMES)?;
        let path = self.root.join("folder").join(format!("{number}.mpk"));
        // Two may replace one file at a time.
        let temporary = path.with_added_extension(format!("{task}.tmp"));
        fs::write(&temporary, [7; METADATA])?;
        Ok(fs::rename(temporary, path)?)
    }

    /// Where a new file lies, its folder made, and what a link to it says.
    fn place(&self, kind: &str) -> Result<(PathBuf, String)> {
        let path = pathify(NodeId::random().as_str())?;
        let file = self.root.join(kind).join(&path);
        fs::create_dir_all(file.parent().context("no folder")?)?;
        Ok((file, format!("../../../../../{path}")))
    }

    /// Appends a record and flushes; who comes while a flush is under way shares the next one.
    pub(crate) fn commit(&self, length: usize) -> Result<()> {
        let poisoned = |_| anyhow::anyhow!("another task broke off");
        let mut queue = self.queue.lock().map_err(poisoned)?;
        let filled = queue.waiting.len() + length;
        queue.waiting.resize(filled, 7);
        queue.asked += 1;
        let mine = queue.asked;
        while queue.flushed < mine {
            if queue.busy {
                queue = self.done.wait(queue).map_err(poisoned)?;
                continue;
            }
            queue.busy = true;
            let (batch, upto) = (std::mem::take(&mut queue.waiting), queue.asked);
            let at = queue.end;
            queue.end += batch.len() as u64;
            drop(queue);
            self.journal.write_all_at(&batch, at)?;
            self.journal.sync_data()?;
            queue = self.queue.lock().map_err(poisoned)?;
            (queue.busy, queue.flushed) = (false, upto);
            self.done.notify_all();
        }
        Ok(())
    }
}

/// A new folder below `dir`, which stays until everything was measured: ext4 is slow at making files
/// for minutes after many were removed.
pub(crate) fn folder(dir: &Path) -> Result<PathBuf> {
    Ok(tempfile::tempdir_in(dir)?.keep())
}

/// Cuts an id into folders, as oCIS does.
pub(crate) fn pathify(id: &str) -> Result<String> {
    let part = |range: std::ops::Range<usize>| id.get(range).context("a short id");
    let rest = id.get(8..).context("a short id")?;
    Ok(format!("{}/{}/{}/{}/{rest}", part(0..2)?, part(2..4)?, part(4..6)?, part(6..8)?))
}

pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    Ok(File::create_new(path)?.write_all(bytes)?)
}

/// Does `work` for each of `count` numbers, [`TASKS`] threads at once.
pub(crate) fn all(count: usize, work: impl Fn(usize) -> Result<()> + Sync) -> Result<()> {
    std::thread::scope(|scope| {
        let work = &work;
        let run = move |task| (task..count).step_by(TASKS).try_for_each(work);
        let threads: Vec<_> = (0..TASKS).map(|task| scope.spawn(move || run(task))).collect();
        for thread in threads {
            thread.join().map_err(|_| anyhow::anyhow!("a thread broke off"))??;
        }
        Ok(())
    })
}

/// How long `count` files take that are written, flushed and renamed: what the disk itself can do.
pub(crate) fn flush_and_rename(dir: &Path, count: usize) -> Result<Duration> {
    let start = Instant::now();
    all(count, |number| {
        let (temporary, path) = (dir.join(format!("{number}.tmp")), dir.join(number.to_string()));
        let mut file = File::create_new(&temporary)?;
        file.write_all(&[7; 1024])?;
        file.sync_data()?;
        Ok(fs::rename(temporary, path)?)
    })?;
    Ok(start.elapsed())
}

/// Reads a file with open, read and close.
pub(crate) fn read(path: &Path, buffer: &mut [u8]) -> Result<usize> {
    Ok(File::open(path)?.read(buffer)?)
}

/// Computes the digests of a file.
pub(crate) fn digests(path: &Path) -> Result<()> {
    let (mut file, mut digester) = (File::open(path)?, Digester::new());
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            count => digester.update(buffer.get(..count).unwrap_or_default()),
        }
    }
    std::hint::black_box(digester.finish());
    Ok(())
}

/// Files below a folder whose name ends so, in the order of the file system.
pub(crate) fn files(folder: &Path, suffix: &str, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            files(&entry.path(), suffix, found)?;
        } else if kind.is_file() && entry.file_name().to_string_lossy().ends_with(suffix) {
            found.push(entry.path());
        }
    }
    Ok(())
}
