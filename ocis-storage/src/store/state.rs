//! What is known in memory: nodes and listings, bounded, and what the files do not hold yet.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ocis_core::access::{Grant, Level};
use ocis_core::id::{BlobId, NodeId, SpaceId};
use ocis_core::lock::Lock;
use ocis_core::node::NodeInfo;
use ocis_core::time::Timestamp;

use crate::journal::Unwritten;
use crate::layout::attributes::Attributes;

pub(super) type Key = (SpaceId, NodeId);

/// A map by node. Each request looks into several, and ids are ours to give: nobody can choose many
/// that collide.
pub(super) type ByNode<T> = HashMap<Key, T, foldhash::fast::RandomState>;

/// A node in memory.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) info: Arc<NodeInfo>,
    pub(crate) attributes: Attributes,
    pub(crate) grants: Vec<Grant>,
    pub(crate) locks: Vec<Lock>,
    /// The content of a file; none for folders and for files that were never written.
    pub(crate) blob: Option<BlobId>,
    /// Whether it is a favorite of anybody.
    pub(crate) is_favored: bool,
}

impl Entry {
    /// The node as permissions are worked out from it.
    pub(crate) fn level(&self) -> Level<'_> {
        Level { id: &self.info.id, grants: &self.grants }
    }
}

/// The children of a folder by name.
pub(super) type Children = BTreeMap<Arc<str>, NodeId>;

/// Something in memory, and whether it was asked for since room was made the last time.
#[derive(Debug)]
struct Kept<T> {
    value: T,
    used: AtomicBool,
}

impl<T> Kept<T> {
    fn new(value: T) -> Self {
        Self { value, used: AtomicBool::new(true) }
    }

    fn get(&self) -> &T {
        self.used.store(true, Ordering::Relaxed);
        &self.value
    }
}

#[derive(Debug)]
pub(super) struct State {
    nodes: ByNode<Kept<Arc<Entry>>>,
    folders: ByNode<Kept<Children>>,
    /// Listed names in all of `folders`.
    names: usize,
    /// Nodes that records under way touch, with the youngest: their files are behind.
    pinned: ByNode<u64>,
    /// Pins in the order of their records.
    order: std::collections::VecDeque<(u64, Vec<Key>)>,
    unwritten: Unwritten,
    /// What changed since each of those began who read files without holding the lock.
    readers: HashMap<u64, HashSet<Key>>,
    next_reader: u64,
    limit: usize,
    /// The latest time that was given to a change: no two changes have the same.
    pub(super) stamp: Option<Timestamp>,
}

impl State {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            nodes: HashMap::default(),
            folders: HashMap::default(),
            names: 0,
            pinned: HashMap::default(),
            order: std::collections::VecDeque::new(),
            unwritten: Unwritten::new(),
            readers: HashMap::new(),
            next_reader: 0,
            limit,
            stamp: None,
        }
    }

    pub(super) fn node(&self, key: &Key) -> Option<Arc<Entry>> {
        self.nodes.get(key).map(|kept| Arc::clone(kept.get()))
    }

    pub(super) fn children(&self, key: &Key) -> Option<&Children> {
        self.folders.get(key).map(Kept::get)
    }

    /// The change time and size that the folder's file does not hold yet.
    pub(super) fn ahead(&self, key: &Key) -> Option<(Timestamp, u64)> {
        self.unwritten.get(key).copied()
    }

    pub(super) fn keep_node(&mut self, key: Key, entry: Arc<Entry>) {
        self.nodes.insert(key, Kept::new(entry));
    }

    pub(super) fn keep_children(&mut self, key: Key, children: Children) {
        self.names += children.len();
        if let Some(old) = self.folders.insert(key, Kept::new(children)) {
            self.names -= old.value.len();
        }
    }

    pub(super) fn drop_node(&mut self, key: &Key) {
        self.nodes.remove(key);
        if let Some(old) = self.folders.remove(key) {
            self.names -= old.value.len();
        }
    }

    pub(super) fn drop_space(&mut self, space: &SpaceId) {
        // What they read may have been of this space.
        self.readers.clear();
        self.nodes.retain(|(of, _), _| of != space);
        self.unwritten.retain(|(of, _), _| of != space);
        let names = &mut self.names;
        self.folders.retain(|(of, _), children| {
            let stays = of != space;
            *names -= if stays { 0 } else { children.value.len() };
            stays
        });
    }

    /// Lists a name, or ceases to, in a listing that is in memory.
    pub(super) fn set_child(&mut self, folder: &Key, name: &str, child: Option<NodeId>) {
        let Some(kept) = self.folders.get_mut(folder) else { return };
        let children = &mut kept.value;
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
        self.tell_readers(keys.iter());
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

    /// Somebody begins to read files without holding the lock.
    pub(super) fn begin_reading(&mut self) -> u64 {
        self.next_reader += 1;
        self.readers.insert(self.next_reader, HashSet::new());
        self.next_reader
    }

    /// Ends that; gives the nodes whose files may have been read before a change. None when all
    /// may have been.
    pub(super) fn end_reading(&mut self, reader: u64) -> Option<HashSet<Key>> {
        self.readers.remove(&reader)
    }

    fn tell_readers<'k>(&mut self, keys: impl Iterator<Item = &'k Key> + Clone) {
        for changed in self.readers.values_mut() {
            changed.extend(keys.clone().cloned());
        }
    }

    /// Whether the files hold everything.
    pub(super) fn is_settled(&self) -> bool {
        self.order.is_empty() && self.unwritten.is_empty()
    }

    pub(super) fn written_back(&mut self, folders: &Unwritten) {
        self.tell_readers(folders.keys());
        for (key, value) in folders {
            if self.unwritten.get(key) == Some(value) {
                self.unwritten.remove(key);
            }
        }
    }

    pub(super) fn forget(&mut self, unwritten: Unwritten) {
        let (limit, stamp, next_reader) = (self.limit, self.stamp, self.next_reader);
        *self = Self { unwritten, stamp, next_reader, ..Self::new(limit) };
    }

    /// Drops what is not pinned until a tenth of the room is free: first what nobody asked for since
    /// the last time, in no particular order. May drop what was just read, so it is called between
    /// operations only.
    pub(super) fn shrink(&mut self) {
        if self.nodes.len() + self.names <= self.limit {
            return;
        }
        let (goal, pinned) = (self.limit / 10 * 9, &self.pinned);
        // Twice around: the first time takes from everything what it was used.
        for _ in 0..2 {
            let mut excess = (self.nodes.len() + self.names).saturating_sub(goal);
            let names = &mut self.names;
            self.folders.retain(|key, kept| {
                let keep = excess == 0
                    || pinned.contains_key(key)
                    || kept.used.swap(false, Ordering::Relaxed);
                if !keep {
                    excess = excess.saturating_sub(kept.value.len());
                    *names -= kept.value.len();
                }
                keep
            });
            self.nodes.retain(|key, kept| {
                let keep = excess == 0
                    || pinned.contains_key(key)
                    || kept.used.swap(false, Ordering::Relaxed);
                excess -= usize::from(!keep);
                keep
            });
        }
    }
}
