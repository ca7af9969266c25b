//! How others on this machine find the process that owns a store: it leaves a note in the store, which
//! only its own user and the administrator can read.

use std::path::Path;

use ocis_core::Result;

use super::{OURS, Store};
use crate::fs::{Fs, is_missing};
use crate::journal::broken;

/// The name of the note.
const NOTE: &str = "control";

impl Store {
    /// Leaves a note for those who find the store owned; blocking. It replaces the one that is there,
    /// in one step. Nothing has to be flushed: it is of no use when this process has ended.
    pub fn announce(&self, note: &[u8]) -> Result<()> {
        let path = self.root().join(OURS).join(NOTE);
        let temporary = path.with_added_extension("tmp");
        self.fs.write(&temporary, note).map_err(broken)?;
        self.fs.rename(&temporary, &path).map_err(broken)
    }
}

/// The note of the process that owns the store at `root`, or that owned it last; blocking.
pub fn announcement(fs: &dyn Fs, root: &Path) -> Result<Option<Vec<u8>>> {
    let note = fs.read(&root.join(OURS).join(NOTE));
    if is_missing(&note) { Ok(None) } else { note.map(Some).map_err(broken) }
}
