//! From the journal to the files when a store is opened, and to an empty journal when it is closed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ocis_core::Result;

use super::apply::{Applier, broken};
use super::record::{self, Action};
use super::segment::{remove, segments};

/// Applies everything that the journal holds, flushes, and empties it. Gives the number of the next
/// record.
pub(super) fn replay(folder: &Path, applier: &mut Applier) -> Result<u64> {
    let fs = Arc::clone(&applier.tree.fs);
    fs.mkdir_all(folder).map_err(broken)?;
    let found = segments(&*fs, folder).map_err(broken)?;
    undo_renames(&found, applier)?;
    applier.tree.replaying = true;
    let mut known = known_events(&found, applier)?;
    let mut next = 1;
    for (_, path) in &found {
        let content = fs.read(path).map_err(broken)?;
        let mut rest = content.as_slice();
        while let Some(mut record) = record::next(&mut rest) {
            let again = known.min(record.events.len());
            record.events.drain(..again);
            known -= again;
            applier.tree.apply(&record)?;
            applier.notes.take(&record);
            next = record.lsn + 1;
        }
    }
    applier.tree.replaying = false;
    if found.is_empty() {
        // The folders down to the journal may be new: what is in it must not be lost with them.
        fs.sync_all(&applier.tree.root).map_err(broken)?;
    } else {
        finish(applier, folder)?;
    }
    Ok(next)
}

/// How many of the events in the journal, from its beginning, the outbox knows already.
fn known_events(found: &[(u64, PathBuf)], applier: &Applier) -> Result<usize> {
    if applier.notes.outbox.knows_nothing().map_err(broken)? {
        return Ok(0);
    }
    let mut ids = Vec::new();
    for (_, path) in found {
        let content = applier.tree.fs.read(path).map_err(broken)?;
        let mut rest = content.as_slice();
        while let Some(record) = record::next(&mut rest) {
            ids.extend(record.events.into_iter().map(|event| event.id));
        }
    }
    applier.notes.outbox.known_of(&ids).map_err(broken)
}

/// Gives everything that the journal renames its first name back, the last rename first: a record
/// names files as they were called when it was written, so what stands before a rename could not be
/// applied again behind it.
fn undo_renames(found: &[(u64, PathBuf)], applier: &Applier) -> Result<()> {
    for (_, path) in found.iter().rev() {
        let content = applier.tree.fs.read(path).map_err(broken)?;
        let mut rest = content.as_slice();
        let mut renames = Vec::new();
        while let Some(record) = record::next(&mut rest) {
            renames.extend(record.actions.into_iter().filter_map(|action| match action {
                Action::Rename(from, to) => Some((from, to)),
                _ => None,
            }));
        }
        for (from, to) in renames.iter().rev() {
            applier.tree.undo_rename(from, to)?;
        }
    }
    Ok(())
}

/// Brings everything applied to the disk and removes all segments. No writer may be at work.
pub(crate) fn finish(applier: &mut Applier, folder: &Path) -> Result<()> {
    let fs = Arc::clone(&applier.tree.fs);
    applier.notes.write_back(&applier.tree)?;
    fs.sync_all(&applier.tree.root).map_err(broken)?;
    applier.notes.outbox.keep().map_err(broken)?;
    for (_, path) in segments(&*fs, folder).map_err(broken)? {
        remove(&*fs, &path).map_err(broken)?;
    }
    Ok(())
}
