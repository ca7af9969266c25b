//! A change that is being worked out: what it reads and what it will do, kept apart from the memory
//! until the journal has taken it.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use ocis_core::event::{Event, EventKind};
use ocis_core::id::{BlobId, NodeId, SpaceId};
use ocis_core::lock::Lock;
use ocis_core::node::{NodeInfo, NodeKind};
use ocis_core::time::Timestamp;
use ocis_core::{Cx, Error, Result};
use tokio::sync::oneshot;

use super::fetch::Missing;
use super::state::{ByNode, Children, Entry, Key, State};
use super::{Store, load};
use crate::journal::{Action, Ancestor, Journal, Record};
use crate::layout::attributes::{self as key, Attributes};
use crate::layout::{lockfile, paths};

/// The memory, as the lock that is held allows.
pub(super) enum Access<'a> {
    /// For looking at what is there.
    Shared(&'a State),
    /// For changes, and for reading files into it.
    Exclusive(&'a mut State),
    /// For changes that need no file that is not in memory.
    Warm(&'a mut State),
}

impl Deref for Access<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        match self {
            Access::Shared(state) => state,
            Access::Exclusive(state) | Access::Warm(state) => state,
        }
    }
}

/// A change that is on its way to the files.
pub(super) struct Submitted {
    /// When it is there.
    pub(super) answered: oneshot::Receiver<Result<()>>,
    /// Whether it drops contents.
    pub(super) drops: bool,
}

/// A change that is being worked out, or something that is looked up, under the lock of the memory.
pub(crate) struct Change<'a> {
    pub(crate) store: &'a Store,
    pub(crate) cx: &'a Cx,
    state: Access<'a>,
    /// What was needed and is not in memory, where it must not be read into it.
    missing: Option<Missing>,
    stamp: Option<Timestamp>,
    nodes: ByNode<Option<Arc<Entry>>>,
    listed: ByNode<BTreeMap<String, Option<NodeId>>>,
    ancestors: ByNode<(Timestamp, u64)>,
    actions: Vec<Action>,
    events: Vec<Event>,
    /// A space that is gone, with everything that is known of it.
    gone: Option<SpaceId>,
}

impl<'a> Change<'a> {
    pub(super) fn begin(store: &'a Store, state: Access<'a>, cx: &'a Cx) -> Self {
        Self {
            store,
            cx,
            state,
            missing: None,
            stamp: None,
            nodes: ByNode::default(),
            listed: ByNode::default(),
            ancestors: ByNode::default(),
            actions: Vec::new(),
            events: Vec::new(),
            gone: None,
        }
    }

    /// Whether something had to be read that must not be; the result then means nothing.
    pub(super) fn is_cold(&self) -> bool {
        self.missing.is_some()
    }

    /// What was missing.
    pub(super) fn missing(self) -> Option<Missing> {
        self.missing
    }

    /// The memory, to read what is missing into.
    fn warm(&mut self, missing: impl FnOnce() -> Missing) -> Result<&mut State> {
        match &mut self.state {
            Access::Exclusive(state) => Ok(state),
            Access::Shared(_) | Access::Warm(_) => {
                self.missing = Some(missing());
                Err(Error::internal("not in memory"))
            }
        }
    }

    /// One of these was not in memory: all are needed, so that all are read at once.
    pub(crate) fn need_all(&mut self, space: &SpaceId, nodes: impl Iterator<Item = NodeId>) {
        let keys = nodes.map(|node| (space.clone(), node));
        let cold = keys.filter(|at| self.state.node(at).is_none() && !self.state.is_pinned(at));
        self.missing = Some(Missing::Nodes(cold.collect()));
    }

    /// The time of this change: that of the request, but later than that of every change before,
    /// because etags are made of it.
    pub(crate) fn stamp(&mut self) -> Timestamp {
        if let Some(stamp) = self.stamp {
            return stamp;
        }
        let after = self.state.stamp.map(|last| last.plus(Duration::from_nanos(1)));
        let stamp = after.map_or(self.cx.now, |after| after.max(self.cx.now));
        self.stamp = Some(stamp);
        stamp
    }

    /// Whether the files hold everything that is in memory.
    pub(crate) fn is_settled(&self) -> bool {
        self.state.is_settled()
    }

    /// Whether the files of a node are behind what is in memory.
    pub(crate) fn is_pinned(&self, space: &SpaceId, node: &NodeId) -> bool {
        self.state.is_pinned(&(space.clone(), node.clone()))
    }

    /// A node, none when there is none.
    pub(crate) fn node(&mut self, space: &SpaceId, node: &NodeId) -> Result<Option<Arc<Entry>>> {
        let at = (space.clone(), node.clone());
        if let Some(entry) = self.nodes.get(&at) {
            return Ok(entry.clone());
        }
        if let Some(entry) = self.state.node(&at) {
            return Ok(Some(entry));
        }
        // Not in memory although a record under way touches it: that record removes it, and its
        // files are still there.
        if self.state.is_pinned(&at) {
            return Ok(None);
        }
        self.warm(|| Missing::Nodes(vec![at.clone()]))?;
        let Some((mut attributes, locks)) = load::files(&*self.store.fs, self.store.root(), &at)?
        else {
            return Ok(None);
        };
        if let Some((mtime, size)) = self.state.ahead(&at) {
            attributes.set(key::TREE_MTIME, mtime);
            attributes.set(key::TREE_SIZE, size);
            attributes.set(key::TMP_ETAG, "");
        }
        let entry = Arc::new(self.entry(&at, attributes, locks)?);
        self.warm(|| Missing::Nodes(Vec::new()))?.keep_node(at, Arc::clone(&entry));
        Ok(Some(entry))
    }

    fn entry(&mut self, at: &Key, attributes: Attributes, locks: Vec<Lock>) -> Result<Entry> {
        let owner = if at.1.as_str() == at.0.as_str() {
            load::owner(&attributes)
        } else {
            self.root(&at.0)?.info.owner.clone()
        };
        load::entry(&self.store.options.storage, at, owner, attributes, locks)
    }

    /// The root of a space; `NotFound` when there is no such space.
    pub(crate) fn root(&mut self, space: &SpaceId) -> Result<Arc<Entry>> {
        self.node(space, &space.root())?.ok_or_else(|| Error::not_found("no such space"))
    }

    fn load_children(&mut self, at: &Key) -> Result<()> {
        // A new folder has no listing on the disk yet.
        let is_new = matches!(self.nodes.get(at), Some(Some(_))) && self.state.node(at).is_none();
        if is_new || self.state.children(at).is_some() {
            return Ok(());
        }
        self.warm(|| Missing::Children(at.clone()))?;
        let folder = self.store.root().join(paths::node(&at.0, &at.1));
        let children = load::children(&*self.store.fs, &folder)?;
        self.warm(|| Missing::Children(at.clone()))?.keep_children(at.clone(), children);
        Ok(())
    }

    /// The child of a folder with this name.
    pub(crate) fn child(
        &mut self,
        space: &SpaceId,
        folder: &NodeId,
        name: &str,
    ) -> Result<Option<NodeId>> {
        let at = (space.clone(), folder.clone());
        if let Some(child) = self.listed.get(&at).and_then(|names| names.get(name)) {
            return Ok(child.clone());
        }
        if let Some(children) = self.state.children(&at) {
            return Ok(children.get(name).cloned());
        }
        self.load_children(&at)?;
        Ok(self.state.children(&at).and_then(|children| children.get(name).cloned()))
    }

    /// Names and ids of children from `after` on, `limit` at most, in the order of the names' bytes.
    pub(crate) fn children(
        &mut self,
        space: &SpaceId,
        folder: &NodeId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(Arc<str>, NodeId)>> {
        use std::ops::Bound::{Excluded, Unbounded};
        let at = (space.clone(), folder.clone());
        self.load_children(&at)?;
        let Some(children) = self.state.children(&at) else { return Ok(Vec::new()) };
        let bounds = (after.map_or(Unbounded, Excluded), Unbounded);
        let range = children.range::<str, _>(bounds).take(limit);
        Ok(range.map(|(name, id)| (Arc::clone(name), id.clone())).collect())
    }

    /// A node gets this metadata.
    pub(crate) fn put(
        &mut self,
        space: &SpaceId,
        node: &NodeId,
        attributes: Attributes,
        locks: Vec<Lock>,
    ) -> Result<Arc<Entry>> {
        self.actions.push(Action::Put(paths::metadata(space, node), attributes.encode()));
        self.put_in_memory(space, node, attributes, locks)
    }

    /// The same in memory only: the files follow in a later step of the change.
    pub(super) fn put_in_memory(
        &mut self,
        space: &SpaceId,
        node: &NodeId,
        attributes: Attributes,
        locks: Vec<Lock>,
    ) -> Result<Arc<Entry>> {
        let at = (space.clone(), node.clone());
        let entry = Arc::new(self.entry(&at, attributes, locks)?);
        self.nodes.insert(at, Some(Arc::clone(&entry)));
        Ok(entry)
    }

    /// A node gets these locks instead of those that it has.
    pub(crate) fn put_locks(
        &mut self,
        space: &SpaceId,
        node: &NodeId,
        entry: &Entry,
        locks: Vec<Lock>,
    ) -> Result<Arc<Entry>> {
        let path = paths::lock(space, node);
        let idp =
            self.cx.caller.identity().map(|identity| identity.idp.to_string()).unwrap_or_default();
        self.actions.push(match lockfile::write(&locks, &idp) {
            Some(content) => Action::Put(path, content),
            None => Action::Remove(path),
        });
        self.put_in_memory(space, node, entry.attributes.clone(), locks)
    }

    /// A node is gone from memory: it is in the trash.
    pub(crate) fn forget(&mut self, space: &SpaceId, node: &NodeId) {
        self.nodes.insert((space.clone(), node.clone()), None);
    }

    /// A space is gone from memory.
    pub(crate) fn forget_space(&mut self, space: &SpaceId) {
        self.forget(space, &space.root());
        self.gone = Some(space.clone());
    }

    /// A folder lists a child.
    pub(crate) fn list(&mut self, space: &SpaceId, folder: &NodeId, name: &str, child: &NodeId) {
        let target = paths::child_target(child).to_string_lossy().into_owned();
        self.actions.push(Action::Link(paths::child(space, folder, name), target));
        let at = (space.clone(), folder.clone());
        self.listed.entry(at).or_default().insert(name.into(), Some(child.clone()));
    }

    /// A folder does not list a name any more.
    pub(crate) fn unlist(&mut self, space: &SpaceId, folder: &NodeId, name: &str) {
        self.actions.push(Action::Remove(paths::child(space, folder, name)));
        let at = (space.clone(), folder.clone());
        self.listed.entry(at).or_default().insert(name.into(), None);
    }

    /// A folder does not list a node any more, under whatever names it does: those of oCIS's links and
    /// of its metadata differ where it was killed while it renamed, and another node may have the name
    /// by now.
    pub(crate) fn unlist_node(
        &mut self,
        space: &SpaceId,
        folder: &NodeId,
        node: &NodeInfo,
    ) -> Result<()> {
        let id = &node.id.node;
        if self.child(space, folder, &node.name)?.as_ref() == Some(id) {
            self.unlist(space, folder, &node.name);
            return Ok(());
        }
        for (name, child) in self.children(space, folder, None, usize::MAX)? {
            if child == *id {
                self.unlist(space, folder, &name);
            }
        }
        Ok(())
    }

    /// A folder comes back with the children that its files list.
    pub(crate) fn take_back(&mut self, space: &SpaceId, folder: &NodeId, children: Children) {
        let listed = self.listed.entry((space.clone(), folder.clone())).or_default();
        listed.extend(children.into_iter().map(|(name, child)| (name.to_string(), Some(child))));
    }

    /// A folder has this change time and size, whatever waits to be written into its file.
    pub(crate) fn measure(&mut self, space: &SpaceId, node: &NodeId, mtime: Timestamp, size: u64) {
        self.ancestors.insert((space.clone(), node.clone()), (mtime, size));
    }

    /// A node stays as it is, but what lies beside it changes: it is pinned.
    pub(crate) fn keep(&mut self, space: &SpaceId, node: &NodeId, entry: Arc<Entry>) {
        self.nodes.insert((space.clone(), node.clone()), Some(entry));
    }

    /// A step that concerns files only.
    pub(crate) fn act(&mut self, action: Action) {
        self.actions.push(action);
    }

    /// Tells of the change, once it is durable, to whoever listens; a change may tell any number of
    /// things. The event is part of the change's record: it is told if and only if the change comes
    /// about. Call it where the operation knows what it did, with the node as it is afterwards (for
    /// what is deleted, as it was before):
    ///
    /// ```text
    /// self.tell(EventKind::ContainerCreated { node: (&node).into() }); // a `Node`
    /// self.tell(EventKind::ItemTrashed { node: place.named()? });      // a `Place`
    /// ```
    pub(crate) fn tell(&mut self, kind: EventKind) {
        if self.store.options.events.is_some() {
            self.events.push(Event::new(self.cx, kind));
        }
    }

    /// A content is gone, unless it is none.
    pub(crate) fn drop_blob(&mut self, space: &SpaceId, blob: Option<&BlobId>) {
        if let Some(blob) = blob {
            self.actions.push(Action::DropBlob(space.clone(), blob.clone()));
        }
    }

    /// The folder and all above it changed at the time of this change, and hold so many bytes more.
    pub(crate) fn propagate(
        &mut self,
        space: &SpaceId,
        folder: &NodeId,
        difference: i64,
    ) -> Result<()> {
        let stamp = self.stamp();
        let mut next = Some(folder.clone());
        while let Some(id) = next {
            let Some(entry) = self.node(space, &id)? else { break };
            if entry.info.kind != NodeKind::Folder {
                break;
            }
            next = entry.info.parent.clone();
            // Later than before, even where the clock went back: the etag is made of it.
            let mtime = stamp.max(entry.info.mtime.plus(Duration::from_nanos(1)));
            let size = entry.info.size.saturating_add_signed(difference);
            let mut attributes = entry.attributes.clone();
            attributes.set(key::TREE_MTIME, mtime);
            attributes.set(key::TREE_SIZE, size);
            attributes.set(key::TMP_ETAG, "");
            self.put_in_memory(space, &id, attributes, entry.locks.clone())?;
            self.ancestors.insert((space.clone(), id), (mtime, size));
        }
        Ok(())
    }

    /// Queues the change and makes it visible; none when there is nothing to be done.
    pub(super) fn submit(self, journal: &Journal) -> Result<Option<Submitted>> {
        if self.actions.is_empty() && self.ancestors.is_empty() && self.events.is_empty() {
            return Ok(None);
        }
        let ancestors = self.ancestors.iter().map(|((space, node), (mtime, size))| Ancestor {
            space: space.clone(),
            node: node.clone(),
            mtime: *mtime,
            size: *size,
        });
        let drops = self.actions.iter().any(|action| matches!(action, Action::DropBlob(..)));
        let record = Record {
            lsn: 0,
            actions: self.actions,
            ancestors: ancestors.collect(),
            events: self.events,
        };
        let (Access::Exclusive(state) | Access::Warm(state)) = self.state else {
            return Err(Error::internal("a change under a shared lock"));
        };
        let (lsn, answered) = journal.submit(record)?;
        if let Some(space) = &self.gone {
            state.drop_space(space);
        }
        let mut touched: Vec<Key> = self.listed.keys().cloned().collect();
        for (at, entry) in self.nodes {
            match entry {
                Some(entry) => {
                    if entry.info.kind == NodeKind::Folder && state.node(&at).is_none() {
                        state.keep_children(at.clone(), Default::default());
                    }
                    state.keep_node(at.clone(), entry);
                }
                None => state.drop_node(&at),
            }
            touched.push(at);
        }
        for (at, names) in self.listed {
            for (name, child) in names {
                state.set_child(&at, &name, child);
            }
        }
        for (at, (mtime, size)) in self.ancestors {
            state.set_ahead(at, mtime, size);
        }
        state.pin(lsn, touched);
        if self.stamp.is_some() {
            state.stamp = self.stamp;
        }
        Ok(Some(Submitted { answered, drops }))
    }
}
