//! The file of a group of consumers: its state after every step, appended; the last whole entry
//! counts.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ocis_storage::fs::{File, Fs, Open};
use tokio::time::Instant;

use super::frame;
use crate::bus::group::{Group, Kept};

/// Bytes after which the file is written anew.
const FULL: u64 = 256 * 1024;

/// A group and its file.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) group: Group,
    path: PathBuf,
    /// The file and where its next entry begins; none when it has to be written anew.
    file: Option<(Arc<dyn File>, u64)>,
}

impl Member {
    /// A group that was not there before.
    pub(super) fn new(path: PathBuf, beginning: u64) -> Self {
        Self { group: Group::beginning(beginning), path, file: None }
    }

    /// A group that has a file; none when it has not. Everything under way is due.
    pub(super) fn load(fs: &dyn Fs, path: &Path) -> io::Result<Option<Self>> {
        let content = match fs.read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            content => content?,
        };
        let (mut rest, mut last) = (content.as_slice(), None);
        while let Some(payload) = frame::payload(rest) {
            rest = rest.get(frame::HEADER + payload.len()..).unwrap_or_default();
            last = Some(payload);
        }
        let kept = last.and_then(|payload| serde_json::from_slice::<Kept>(payload).ok());
        let Some(kept) = kept else {
            tracing::error!(path = %path.display(), "it is not known how far consumers were");
            return Ok(None);
        };
        let group = Group::restore(kept, Instant::now());
        Ok(Some(Self { group, path: path.to_owned(), file: None }))
    }

    /// Keeps `group` as the state of the group; when it fails, the state is what it was before.
    /// Without `durable` it survives the end of the process, but maybe not a power cut.
    pub(super) fn keep(&mut self, fs: &dyn Fs, group: Group, durable: bool) -> io::Result<()> {
        let payload = serde_json::to_vec(&group.keep()).map_err(io::Error::other)?;
        let mut entry = Vec::new();
        frame::append(&payload, &mut entry);
        let written = match self.file.take() {
            Some((file, end)) if end < FULL => append(file, end, &entry, durable),
            _ => self.rewrite(fs, &entry),
        };
        self.file = Some(written?);
        self.group = group;
        Ok(())
    }

    fn rewrite(&self, fs: &dyn Fs, entry: &[u8]) -> io::Result<(Arc<dyn File>, u64)> {
        let new = self.path.with_added_extension("new");
        let file = fs.open(&new, Open::Create)?;
        file.write_at(entry, 0)?;
        file.sync()?;
        fs.rename(&new, &self.path)?;
        if let Some(folder) = self.path.parent() {
            fs.sync_dir(folder)?;
        }
        Ok((file, entry.len() as u64))
    }
}

fn append(
    file: Arc<dyn File>,
    end: u64,
    entry: &[u8],
    durable: bool,
) -> io::Result<(Arc<dyn File>, u64)> {
    file.write_at(entry, end)?;
    if durable {
        file.sync()?;
    }
    Ok((file, end + entry.len() as u64))
}
