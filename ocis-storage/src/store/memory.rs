//! What is known in memory.
//!
//! There are two versions of everything. *Committed* is what is durable and in its files: readers
//! see only that, and never wait for a flush. *Planned* is what changes under way will make of it
//! ([`Overlay`]): the next change builds on that, and if the journal fails it is forgotten.
//!
//! Committed nodes and listings are caches, bounded, and right because one process owns the store:
//! they are filled under a shared lock of the space's files and changed under the exclusive one.
//! Folders whose size and time the files do not hold yet are kept apart until they do.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use moka::sync::Cache;
use ocis_core::Result;
use ocis_core::access::Grant;
use ocis_core::id::{BlobId, NodeId, SpaceId, UserId};
use ocis_core::lock::Lock;
use ocis_core::node::{NodeInfo, NodeKind};
use ocis_core::time::Timestamp;
use parking_lot::{Condvar, Mutex, RwLock};

use super::commit::Pending;
use crate::apply::Fold;
use crate::layout::attributes::Attributes;

pub(super) type Key = (SpaceId, NodeId);

/// A node in memory. Never changed: a change makes a new one.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) info: Arc<NodeInfo>,
    /// The metadata as in its file.
    pub(crate) bytes: Bytes,
    pub(crate) grants: Vec<Grant>,
    /// Who marked it as a favorite.
    pub(crate) favorites: Vec<UserId>,
    /// Expired ones included.
    pub(crate) locks: Vec<Lock>,
    /// The content of a file; none for folders and for files that were never written.
    pub(crate) blob: Option<BlobId>,
}

impl Entry {
    pub(crate) fn attributes(&self) -> Result<Attributes> {
        Attributes::decode(&self.bytes)
    }

    pub(crate) fn is_folder(&self) -> bool {
        self.info.kind == NodeKind::Folder
    }

    /// About how many bytes of memory it takes.
    fn weight(&self) -> u32 {
        let metadata: usize =
            self.info.metadata.iter().map(|(key, value)| key.len() + value.len() + 64).sum();
        let sum = 800 + self.bytes.len() + self.info.name.len() + metadata + 64 * self.grants.len();
        u32::try_from(sum).unwrap_or(u32::MAX)
    }
}

/// The committed children of a folder by name: all of them, or those that were asked for.
#[derive(Debug, Default)]
pub(super) struct Listing(RwLock<Children>);

#[derive(Debug, Default)]
struct Children {
    complete: bool,
    map: BTreeMap<Box<str>, NodeId>,
}

impl Listing {
    pub(super) fn complete(map: BTreeMap<Box<str>, NodeId>) -> Self {
        Self(RwLock::new(Children { complete: true, map }))
    }

    /// The child of this name: unknown, none, or one.
    pub(super) fn get(&self, name: &str) -> Option<Option<NodeId>> {
        let children = self.0.read();
        match children.map.get(name) {
            Some(child) => Some(Some(child.clone())),
            None => children.complete.then_some(None),
        }
    }

    /// Sets a child, and tells how many there are.
    pub(super) fn set(&self, name: &str, child: Option<NodeId>) -> usize {
        let mut children = self.0.write();
        match child {
            Some(child) => drop(children.map.insert(name.into(), child)),
            None => drop(children.map.remove(name)),
        }
        children.map.len()
    }

    /// Up to `limit` children after a name, if all are known.
    pub(super) fn page(&self, after: Option<&str>, limit: usize) -> Option<Vec<(Box<str>, NodeId)>> {
        let children = self.0.read();
        if !children.complete {
            return None;
        }
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let range = children.map.range::<str, _>((from, Bound::Unbounded)).take(limit);
        Some(range.map(|(name, id)| (name.clone(), id.clone())).collect())
    }

    fn weight(&self) -> u32 {
        let children = self.0.read();
        u32::try_from(200 + children.map.len() * 100).unwrap_or(u32::MAX)
    }
}

/// All spaces that were asked for, and the caches.
#[derive(Debug)]
pub(super) struct Memory {
    spaces: RwLock<HashMap<SpaceId, Arc<Space>>>,
    nodes: Cache<Key, Arc<Entry>>,
    listings: Cache<Key, Arc<Listing>>,
}

impl Memory {
    /// Caches that take about `bytes` of memory.
    pub(super) fn new(bytes: u64) -> Self {
        Self {
            spaces: RwLock::default(),
            nodes: Cache::builder()
                .max_capacity(bytes / 4 * 3)
                .weigher(|_, entry: &Arc<Entry>| entry.weight())
                .build(),
            listings: Cache::builder()
                .max_capacity(bytes / 4)
                .weigher(|_, listing: &Arc<Listing>| listing.weight())
                .build(),
        }
    }

    pub(super) fn space(&self, id: &SpaceId) -> Option<Arc<Space>> {
        self.spaces.read().get(id).cloned()
    }

    pub(super) fn space_or_new(&self, id: &SpaceId) -> Arc<Space> {
        let mut spaces = self.spaces.write();
        Arc::clone(spaces.entry(id.clone()).or_insert_with(|| Arc::new(Space::new(id.clone()))))
    }

    pub(super) fn spaces(&self) -> Vec<Arc<Space>> {
        self.spaces.read().values().cloned().collect()
    }

    /// The committed node, if it is in memory.
    pub(super) fn node(&self, space: &Space, key: &Key) -> Option<Arc<Entry>> {
        if let Some(entry) = space.ahead.read().get(&key.1) {
            return Some(Arc::clone(entry));
        }
        self.nodes.get(key)
    }

    /// Keeps what was read; under the shared lock of the space's files.
    pub(super) fn keep(&self, key: Key, entry: Arc<Entry>) {
        self.nodes.insert(key, entry);
    }

    pub(super) fn listing(&self, key: &Key) -> Option<Arc<Listing>> {
        self.listings.get(key)
    }

    pub(super) fn keep_listing(&self, key: Key, listing: Arc<Listing>) {
        self.listings.insert(key, listing);
    }

    /// Makes planned values the committed ones; under the exclusive lock of the space's files.
    pub(super) fn publish(&self, space: &Space, values: &Values) {
        for (id, value) in &values.nodes {
            let key = (space.id.clone(), id.clone());
            match value {
                Value::Gone => {
                    space.ahead.write().remove(id);
                    self.nodes.invalidate(&key);
                    self.listings.invalidate(&key);
                }
                Value::Ahead(entry) => drop(space.ahead.write().insert(id.clone(), entry.clone())),
                Value::Written(entry) => {
                    space.ahead.write().remove(id);
                    self.nodes.insert(key, Arc::clone(entry));
                }
                Value::Locks(entry) => match space.ahead.write().get_mut(id) {
                    Some(ahead) => *ahead = Arc::clone(entry),
                    None => self.nodes.insert(key, Arc::clone(entry)),
                },
                Value::Made(entry) => {
                    if entry.is_folder() {
                        let listing = Listing::complete(BTreeMap::new());
                        self.listings.insert(key.clone(), Arc::new(listing));
                    }
                    self.nodes.insert(key, Arc::clone(entry));
                }
            }
        }
        for (folder, names) in &values.names {
            let key = (space.id.clone(), folder.clone());
            let Some(listing) = self.listings.get(&key) else { continue };
            for (name, child) in names {
                let length = listing.set(name, child.clone());
                // The cache weighs it when it is put in: again each time it has doubled.
                if length.is_power_of_two() {
                    self.listings.insert(key.clone(), Arc::clone(&listing));
                }
            }
        }
    }
}

/// What a change makes of nodes and names in memory.
#[derive(Debug, Default)]
pub(super) struct Values {
    pub(super) nodes: HashMap<NodeId, Value>,
    pub(super) names: HashMap<NodeId, BTreeMap<String, Option<NodeId>>>,
    pub(super) versions: Vec<(NodeId, Timestamp)>,
}

/// What becomes of a node.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// It is in the trash.
    Gone,
    /// It is new.
    Made(Arc<Entry>),
    /// It is in its file as it is here.
    Written(Arc<Entry>),
    /// Its size and time are not in its file yet.
    Ahead(Arc<Entry>),
    /// It has other locks; all else is as it was.
    Locks(Arc<Entry>),
}

impl Value {
    pub(super) fn entry(&self) -> Option<&Arc<Entry>> {
        match self {
            Self::Gone => None,
            Self::Made(entry) | Self::Written(entry) | Self::Ahead(entry) | Self::Locks(entry) => {
                Some(entry)
            }
        }
    }

    /// This value after `earlier` of the same change.
    pub(super) fn after(self, earlier: Option<&Self>) -> Self {
        match (earlier, self) {
            (Some(Self::Made(_)), Self::Written(e) | Self::Ahead(e) | Self::Locks(e)) => Self::Made(e),
            (Some(Self::Written(_)), Self::Locks(e)) => Self::Written(e),
            (Some(Self::Ahead(_)), Self::Locks(e)) => Self::Ahead(e),
            (_, value) => value,
        }
    }
}

/// What changes under way will make of a space, with the number of the change that does.
#[derive(Debug, Default)]
pub(super) struct Overlay {
    nodes: HashMap<NodeId, (u64, Option<Arc<Entry>>)>,
    names: HashMap<NodeId, BTreeMap<String, (u64, Option<NodeId>)>>,
    versions: HashSet<(NodeId, Timestamp)>,
}

impl Overlay {
    pub(super) fn node(&self, id: &NodeId) -> Option<Option<Arc<Entry>>> {
        self.nodes.get(id).map(|(_, entry)| entry.clone())
    }

    pub(super) fn child(&self, folder: &NodeId, name: &str) -> Option<Option<NodeId>> {
        self.names.get(folder)?.get(name).map(|(_, child)| child.clone())
    }

    pub(super) fn names(&self, folder: &NodeId) -> Vec<(String, Option<NodeId>)> {
        let names = self.names.get(folder).into_iter().flatten();
        names.map(|(name, (_, child))| (name.clone(), child.clone())).collect()
    }

    /// Whether a version of this time is being written.
    pub(super) fn has_version(&self, node: &NodeId, time: Timestamp) -> bool {
        self.versions.contains(&(node.clone(), time))
    }

    pub(super) fn add(&mut self, number: u64, values: &Values) {
        for (id, value) in &values.nodes {
            self.nodes.insert(id.clone(), (number, value.entry().cloned()));
        }
        for (folder, names) in &values.names {
            let known = self.names.entry(folder.clone()).or_default();
            for (name, child) in names {
                known.insert(name.clone(), (number, child.clone()));
            }
        }
        self.versions.extend(values.versions.iter().cloned());
    }

    /// Forgets what this change set, unless a later one set it again.
    pub(super) fn remove(&mut self, number: u64, values: &Values) {
        for id in values.nodes.keys() {
            if self.nodes.get(id).is_some_and(|(setter, _)| *setter == number) {
                self.nodes.remove(id);
            }
        }
        for (folder, names) in &values.names {
            let Some(known) = self.names.get_mut(folder) else { continue };
            known.retain(|name, (setter, _)| *setter != number || !names.contains_key(name));
            if known.is_empty() {
                self.names.remove(folder);
            }
        }
        for version in &values.versions {
            self.versions.remove(version);
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// A space that was asked for. Locks are taken in the order of the fields.
#[derive(Debug)]
pub(super) struct Space {
    pub(super) id: SpaceId,
    /// Held while a change is worked out and handed to the journal.
    pub(super) plan: Mutex<Plan>,
    /// Changes that are durable, in order, on their way into the files.
    pub(super) ready: Mutex<Ready>,
    pub(super) idle: Condvar,
    /// The files: shared to read them, exclusive to change them. Holds what could not be written.
    pub(super) disk: RwLock<Fold>,
    pub(super) overlay: Mutex<Overlay>,
    /// Folders whose size and time are ahead of their files.
    pub(super) ahead: RwLock<HashMap<NodeId, Arc<Entry>>>,
    /// Counts how often planned changes were forgotten.
    epoch: AtomicU64,
}

/// See [`Space::plan`].
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The number of the last change.
    pub(super) number: u64,
    /// The time of the last change: no two have the same, because etags are made of it.
    pub(super) stamp: Option<Timestamp>,
}

/// See [`Space::ready`].
#[derive(Debug, Default)]
pub(super) struct Ready {
    pub(super) queue: VecDeque<Pending>,
    pub(super) busy: bool,
    /// Durable changes that could not be written into the files.
    pub(super) stuck: Vec<Pending>,
}

impl Space {
    fn new(id: SpaceId) -> Self {
        Self {
            id,
            plan: Mutex::default(),
            ready: Mutex::default(),
            idle: Condvar::new(),
            disk: RwLock::default(),
            overlay: Mutex::default(),
            ahead: RwLock::default(),
            epoch: AtomicU64::new(0),
        }
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Forgets all planned changes that were made in `epoch`. What is durable already is waited
    /// for. Called on the journal's thread when it failed.
    pub(super) fn forget_planned(&self, epoch: u64) {
        let _nobody_plans = self.plan.lock();
        if self.epoch() != epoch {
            return;
        }
        self.epoch.store(epoch + 1, Ordering::Release);
        self.wait_idle();
        self.overlay.lock().clear();
    }

    /// Waits until everything that is durable was written into the files, or is stuck.
    pub(super) fn wait_idle(&self) {
        let mut ready = self.ready.lock();
        while ready.busy {
            self.idle.wait(&mut ready);
        }
    }
}
