//! Changes that oCIS had not told the folders above them when it was stopped
//! (`STORAGE_USERS_OCIS_PROPAGATOR=async`, [`crate::layout::pending`]).
//!
//! Their sizes are counted anew from what lies in them, the innermost first, and not by the
//! differences in the files: of a folder that oCIS was at work on, nobody knows whether the
//! difference is in it already. So it does no harm either when this breaks off and is done again.

use std::collections::{BTreeMap, BTreeSet};

use ocis_core::id::{NodeId, SpaceId};
use ocis_core::node::NodeKind;
use ocis_core::time::Timestamp;
use ocis_core::{Caller, Cx, Result};

use super::Store;
use super::change::Change;
use crate::fs::{Kind, is_missing};
use crate::journal::{Action, broken};
use crate::layout::attributes as key;
use crate::layout::pending;

/// The changes that a node does not know of.
#[derive(Debug, Default)]
struct Pending {
    /// The time of the newest, where it can be read.
    newest: Option<Timestamp>,
    /// Their folders, relative to the root of the store.
    folders: Vec<String>,
}

impl Store {
    /// Works in what oCIS left pending. Blocking; when a store is opened.
    pub(super) fn work_in_pending(&self) -> Result<()> {
        let mut spaces: BTreeMap<SpaceId, BTreeMap<NodeId, Pending>> = BTreeMap::new();
        let mut above = BTreeSet::new();
        for first in self.entries_of(pending::FOLDER)? {
            let group = format!("{}/{}", pending::FOLDER, first.name);
            for entry in self.entries_of(&group)? {
                let Some((space, node)) = pending::node(&entry.name) else { continue };
                let folder = format!("{group}/{}", entry.name);
                let of = spaces.entry(space).or_default().entry(node).or_default();
                for file in self.entries_of(&folder)? {
                    if file.kind == Kind::Folder {
                        continue;
                    }
                    let bytes = self.fs.read(&self.root.join(&folder).join(&file.name));
                    of.newest = of.newest.max(pending::time(&bytes.map_err(broken)?));
                }
                of.folders.push(folder);
                above.insert(group.clone());
            }
        }
        if spaces.is_empty() {
            return Ok(());
        }
        // The changes were told when they were made, and bear the times that they were given then.
        let cx = Cx::new(Caller::Service("storage".into()), Timestamp::from_unix(0, 0)?);
        for (space, of) in spaces {
            tracing::info!(%space, nodes = of.len(), "oCIS left changes pending");
            self.begin(&cx, |change| change.work_in(&space, of))?;
        }
        let above = above.into_iter().chain([pending::FOLDER.to_owned()]);
        self.begin(&cx, |change| {
            above.for_each(|path| change.act(Action::RemoveEmpty(path)));
            Ok(())
        })?;
        self.journal.settle()
    }

    /// What is in a folder; nothing where there is none.
    fn entries_of(&self, path: &str) -> Result<Vec<crate::fs::Entry>> {
        let entries = self.fs.read_dir(&self.root.join(path));
        if is_missing(&entries) {
            return Ok(Vec::new());
        }
        entries.map_err(broken)
    }
}

impl Change<'_> {
    fn work_in(&mut self, space: &SpaceId, of: BTreeMap<NodeId, Pending>) -> Result<()> {
        // All that they are in, by depth, with the newest time below.
        let mut folders: BTreeMap<(usize, NodeId), Option<Timestamp>> = BTreeMap::new();
        for (node, Pending { newest: time, folders: done }) in of {
            let line = match self.whole_line(space, &node) {
                Ok(line) => line,
                Err(error) => {
                    // It is worked in when that is mended.
                    tracing::error!(?error, %space, %node, "a change stays pending");
                    continue;
                }
            };
            for (depth, id) in line.into_iter().rev().enumerate() {
                let newest = folders.entry((depth, id)).or_default();
                *newest = time.max(*newest);
            }
            done.into_iter().for_each(|path| self.act(Action::RemoveFolder(path)));
        }
        for ((_, id), time) in folders.into_iter().rev() {
            let Some(entry) = self.node(space, &id)? else { continue };
            if entry.info.kind != NodeKind::Folder {
                continue;
            }
            let mut size = 0_u64;
            for (_, child) in self.children(space, &id, None, usize::MAX)? {
                let child = self.sound(space, &child)?;
                size = size.saturating_add(child.map_or(0, |child| child.info.size));
            }
            let mtime = time.map_or(entry.info.mtime, |time| time.max(entry.info.mtime));
            let mut attributes = entry.attributes.clone();
            attributes.set(key::TREE_MTIME, mtime);
            attributes.set(key::TREE_SIZE, size);
            attributes.set(key::TMP_ETAG, "");
            self.put_in_memory(space, &id, attributes, entry.locks.clone())?;
            self.measure(space, &id, mtime, size);
        }
        Ok(())
    }

    /// A node and all that it is in, up to the root; nothing where any of that was deleted meanwhile,
    /// which told those above it of its size as it was.
    fn whole_line(&mut self, space: &SpaceId, node: &NodeId) -> Result<Vec<NodeId>> {
        let (mut line, mut next) = (Vec::new(), Some(node.clone()));
        while let Some(id) = next.filter(|_| line.len() <= ocis_core::path::MAX_DEPTH) {
            let Some(entry) = self.node(space, &id)? else { return Ok(Vec::new()) };
            line.push(id);
            next = entry.info.parent.clone();
        }
        Ok(line)
    }
}
