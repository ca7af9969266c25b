//! Whether the files of a store fit together: every rule about them that no single file can show.
//!
//! A space is read while others go on working. What does not seem to fit may only be under way, so
//! it is looked at once more, and what is left then is looked at under the lock of the memory, when
//! all changes are in the files. A space where all is well is never locked. Memory holds one
//! space's nodes, and the findings.

mod contents;
mod indexes;
mod rules;
pub(super) mod scan;

use std::collections::BTreeSet;

use ocis_core::finding::{Finding, Remedy};
use ocis_core::id::{BlobId, NodeId, SpaceId};
use ocis_core::{Error, Result};
use parking_lot::RwLockWriteGuard;

use self::rules::Rules;
use self::scan::Scan;
use super::Store;
use super::state::State;

/// How often to wait for others' changes before giving up.
const PATIENCE: usize = 100;

/// How something is mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mend {
    /// The file or folder of a node is made again.
    Make { place: String, folder: bool },
    /// A node is listed by its parent, or in lost+found.
    List { node: NodeId },
    /// A folder ceases to list a name.
    Unlist { place: String, name: String },
    /// A node is told where it lies.
    Adopt { node: NodeId, place: String, name: String },
    /// The trash lists a deleted node.
    ListTrash { place: String },
    /// A file or link goes away.
    Remove { path: String },
    /// A folder's size is corrected.
    Size { place: String, size: u64 },
    /// What was purged can be removed, although it is damaged.
    Purge { place: String },
    /// A content that nothing refers to is removed or kept.
    Orphan { blob: BlobId, length: u64 },
    /// A key of a node's metadata goes away.
    Unset { place: String, name: &'static str },
    /// An index lists a space.
    Index { path: String, space: SpaceId },
    /// An index does not list a space.
    Unindex { path: String, space: SpaceId },
    /// An index is made anew.
    Reindex { path: String, spaces: BTreeSet<SpaceId> },
}

/// A finding, and how it is mended if it can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Suspicion {
    pub(super) finding: Finding,
    pub(super) mend: Option<Mend>,
}

impl Suspicion {
    /// Without its root nothing in a space can be changed.
    fn wait_for_the_root(&mut self) {
        if self.mend.take().is_some() {
            let what = "bring the root of the space back first";
            self.finding.remedy = Remedy::Decide(what.to_owned());
        }
    }
}

/// A part of a store that is checked in one go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A space.
    Space(SpaceId),
    /// What concerns all spaces: indexes and uploads.
    Whole,
}

impl Store {
    /// Checks everything and tells what does not fit together, one sentence each; empty when all is
    /// well. Blocking. The errors are those of [`Self::check_part`].
    pub fn check(&self) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for space in self.spaces_on_disk()? {
            found.extend(self.check_part(&Part::Space(space), true)?);
        }
        found.extend(self.check_part(&Part::Whole, true)?);
        Ok(found.iter().map(ToString::to_string).collect())
    }

    /// The ids of the folders in which spaces lie. Blocking.
    pub fn spaces_on_disk(&self) -> Result<BTreeSet<SpaceId>> {
        Ok(indexes::spaces(self)?.0)
    }

    /// Checks a part, with or without the contents in it, while others go on working. Blocking.
    /// `Unavailable` when the store has failed or is closed, or when changes do not cease.
    pub fn check_part(&self, part: &Part, with_blobs: bool) -> Result<Vec<Finding>> {
        // What the files do not hold yet could hide something.
        self.journal.settle()?;
        let first = self.suspicions(part, with_blobs)?;
        if first.is_empty() {
            return Ok(Vec::new());
        }
        self.journal.settle()?;
        let mut again = self.suspicions(part, with_blobs)?;
        again.retain(|suspicion| first.contains(suspicion));
        if again.is_empty() {
            return Ok(Vec::new());
        }
        let state = self.settled()?;
        let found = self.suspicions(part, with_blobs)?;
        drop(state);
        Ok(found.into_iter().map(|suspicion| suspicion.finding).collect())
    }

    /// The memory, when all changes are in the files; holds up new ones until it is dropped.
    pub(super) fn settled(&self) -> Result<RwLockWriteGuard<'_, State>> {
        for _ in 0..PATIENCE {
            self.journal.settle()?;
            let state = self.memory.state.write();
            if state.is_settled() {
                return Ok(state);
            }
        }
        Err(Error::unavailable("the storage is too busy to be checked"))
    }

    /// What does not seem to fit, as the files are at the moment.
    pub(super) fn suspicions(&self, part: &Part, with_blobs: bool) -> Result<Vec<Suspicion>> {
        match part {
            Part::Space(space) => {
                let scan = Scan::read(self, space, with_blobs)?;
                self.suspicions_of(&scan)
            }
            Part::Whole => indexes::whole(self),
        }
    }

    /// What does not fit in a space that was read.
    pub(super) fn suspicions_of(&self, scan: &Scan) -> Result<Vec<Suspicion>> {
        let mut rules = Rules::new(scan, self.orders.damaged(&scan.space));
        rules.tree();
        rules.purged();
        rules.blobs(self)?;
        rules.beside();
        rules.processing(self);
        let mut found = rules.found;
        let root = scan.places.get(scan.space.as_str());
        if root.and_then(scan::Found::attributes).is_none() {
            for suspicion in &mut found {
                suspicion.wait_for_the_root();
            }
        }
        found.sort_by(|a, b| {
            let order = |of: &Suspicion| {
                let problem = of.finding.problem;
                (problem.category(), problem, of.finding.path.clone())
            };
            order(a).cmp(&order(b))
        });
        Ok(found)
    }
}
