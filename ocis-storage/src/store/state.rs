//! What is known in memory: nodes and listings, bounded, and what the files do not hold yet.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use ocis_core::access::Grant;
use ocis_core::id::{BlobId, NodeId, SpaceId};
use ocis_core::lock::Lock;
use ocis_core::node::NodeInfo;
use ocis_core::time::Timestamp;

use crate::journal::Unwritten;
use crate::layout::attributes::Attributes;

pub(super) type Key = (SpaceId, NodeId);

/// A node in memory.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) info: Arc<NodeInfo>,
    pub(crate) attributes: Attributes,
    pub(crate) grants: Vec<Grant>,
    pub(crate) locks: Vec<Lock>,
    /// The content of a file; none for folders and for files that were never written.
    pub(crate) blob: Option<BlobId>,
}

/// The children of a folder by name.
pub(super) type Children = BTreeMap<Arc<str>, NodeId>;

#[derive(Debug)]
pub(super) struct State {
    nodes: HashMap<Key, Arc<Entry>>,
    folders: HashMap<Key, Children>,
    /// Listed names in all of `folders`.
    names: usize,
    /// Nodes that records under way touch, with the youngest: their files are behind.
    pinned: HashMap<Key, u64>,
    /// Pins in the order of their records.
    order: std::collections::VecDeque<(u64, Vec<Key>)>,
    unwritten: Unwritten,
    limit: usize,
    /// The latest time that was given to a change: no two changes have the same.
    pub(super) stamp: Option<Timestamp>,
}

impl State {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            nodes: HashMap::new(),
            folders: HashMap::new(),
            names: 0,
            pinned: HashMap::new(),
            order: std::collections::VecDeque::new(),
            unwritten: Unwritten::new(),
            limit,
            stamp: None,
        }
    }

    pub(super) fn node(&self, key: &Key) -> Option<Arc<Entry>> {
        self.nodes.get(key).cloned()
    }

    pub(super) fn children(&self, key: &Key) -> Option<&Children> {
        self.folders.get(key)
    }

    /// The change time and size that the folder's file does not hold yet.
    pub(super) fn ahead(&self, key: &Key) -> Option<(Timestamp, u64)> {
        self.unwritten.get(key).copied()
    }

    pub(super) fn keep_node(&mut self, key: Key, entry: Arc<Entry>) {
        self.nodes.insert(key, entry);
    }

    pub(super) fn keep_children(&mut self, key: Key, children: Children) {
        self.names += children.len();
        if let Some(old) = self.folders.insert(key, children) {
            self.names -= old.len();
        }
    }

    pub(super) fn drop_node(&mut self, key: &Key) {
        self.nodes.remove(key);
        if let Some(old) = self.folders.remove(key) {
            self.names -= old.len();
        }
    }

    pub(super) fn drop_space(&mut self, space: &SpaceId) {
        self.nodes.retain(|(of, _), _| of != space);
        self.unwritten.retain(|(of, _), _| of != space);
        let names = &mut self.names;
        self.folders.retain(|(of, _), children| {
            let stays = of != space;
            *names -= if stays { 0 } else { children.len() };
            stays
        });
    }

    /// Lists a name, or ceases to, in a listing that is in memory.
    pub(super) fn set_child(&mut self, folder: &Key, name: &str, child: Option<NodeId>) {
        let Some(children) = self.folders.get_mut(folder) else { return };
        let before = children.len();
        match child {
            Some(child) => drop(children.insert(name.into(), child)),
            None => drop(children.remove(name)),
        }
        self.names = self.names + children.len() - before;
    }

    pub(super) fn set_ahead(&mut self, key: Key, mtime: Timestamp, size: u64) {
        self.unwritten.insert(key, (mtime, size));
    }

    /// The files of these nodes are behind until the record is applied.
    pub(super) fn pin(&mut self, lsn: u64, keys: Vec<Key>) {
        for key in &keys {
            self.pinned.insert(key.clone(), lsn);
        }
        self.order.push_back((lsn, keys));
    }

    /// The youngest record under way, if there is any.
    pub(super) fn youngest(&self) -> Option<u64> {
        self.order.back().map(|(lsn, _)| *lsn)
    }

    /// Whether the files hold what this record and all before it say.
    pub(super) fn has_applied(&self, lsn: u64) -> bool {
        self.order.front().is_none_or(|(first, _)| *first > lsn)
    }

    pub(super) fn is_pinned(&self, key: &Key) -> bool {
        self.pinned.contains_key(key)
    }

    pub(super) fn applied(&mut self, lsn: u64) {
        while self.order.front().is_some_and(|(first, _)| *first <= lsn) {
            let Some((_, keys)) = self.order.pop_front() else { break };
            for key in keys {
                if self.pinned.get(&key).is_some_and(|youngest| *youngest <= lsn) {
                    self.pinned.remove(&key);
                }
            }
        }
        self.shrink();
    }

    /// Whether the files hold everything.
    pub(super) fn is_settled(&self) -> bool {
        self.order.is_empty() && self.unwritten.is_empty()
    }

    pub(super) fn written_back(&mut self, folders: &Unwritten) {
        for (key, value) in folders {
            if self.unwritten.get(key) == Some(value) {
                self.unwritten.remove(key);
            }
        }
    }

    pub(super) fn forget(&mut self, unwritten: Unwritten) {
        let (limit, stamp) = (self.limit, self.stamp);
        *self = Self { unwritten, stamp, ..Self::new(limit) };
    }

    /// Drops what is not pinned, in no particular order, until a tenth of the room is free.
    fn shrink(&mut self) {
        if self.nodes.len() + self.names <= self.limit {
            return;
        }
        let (goal, pinned) = (self.limit / 10 * 9, &self.pinned);
        let mut excess = (self.nodes.len() + self.names).saturating_sub(goal);
        let names = &mut self.names;
        self.folders.retain(|key, children| {
            let keep = excess == 0 || pinned.contains_key(key);
            if !keep {
                excess = excess.saturating_sub(children.len());
                *names -= children.len();
            }
            keep
        });
        self.nodes.retain(|key, _| {
            let keep = excess == 0 || pinned.contains_key(key);
            if !keep {
                excess -= 1;
            }
            keep
        });
    }
}
