//! What was deleted, as the files say it: nothing of the trash is kept in memory.
//!
//! What is in the trash changes in two ways only. A deletion adds to it, with a record that pins
//! what was deleted until it is applied. Everything else takes something out, under the store's lock
//! of the trash, and pins the deleted node that it takes it from. So who holds that lock and finds a
//! node not pinned can read its files at leisure, without the lock of the memory, and then change
//! what was read.

mod damaged;
mod list;
mod order;
mod purge;
mod restore;

use std::io;
use std::sync::Arc;

use ocis_core::access;
use ocis_core::id::{NodeId, ResourceId, SpaceId};
use ocis_core::node::NodeKind;
use ocis_core::path::SpacePath;
use ocis_core::permissions::Permissions;
use ocis_core::reference::Reference;
use ocis_core::time::Timestamp;
use ocis_core::{Error, Result};

use super::Store;
use super::access::Place;
use super::change::Change;
use super::load;
use super::state::Entry;
use crate::fs::is_missing;
use crate::journal::{Action, broken};
use crate::layout::attributes::{self as key, Attributes};
use crate::layout::paths;
pub(super) use order::Orders;

/// A file or folder in the trash.
#[derive(Debug, Clone)]
struct Item {
    id: NodeId,
    /// Under which it is listed by its folder; of what was deleted, the one that it had.
    name: String,
    /// Its file or folder, relative to the root of the store, without the suffix of its metadata.
    place: String,
    kind: NodeKind,
    size: u64,
    attributes: Attributes,
}

/// The way to something in the trash.
#[derive(Debug, Clone)]
struct Found {
    space: SpaceId,
    deleted: Timestamp,
    /// What was deleted.
    top: Item,
    /// From there down to what is meant; empty for what was deleted itself.
    below: Vec<Item>,
}

impl Found {
    /// What is meant.
    fn item(&self) -> &Item {
        self.below.last().unwrap_or(&self.top)
    }

    /// Where it lay, from the root of the space; the root where that cannot be said.
    fn origin(&self) -> SpacePath {
        let origin = self.top.attributes.text(key::TRASH_ORIGIN).unwrap_or(&self.top.name);
        let names = self.below.iter().map(|item| item.name.as_str());
        let path: Vec<&str> = std::iter::once(origin).chain(names).collect();
        SpacePath::parse(&path.join("/")).unwrap_or_default()
    }

    /// What names it in the trash.
    fn key(&self) -> String {
        let names = self.below.iter().map(|item| item.name.as_str());
        std::iter::once(self.top.id.as_str()).chain(names).collect::<Vec<_>>().join("/")
    }

    /// The folder in the trash that it lies in, if any.
    fn folder(&self) -> Option<&Item> {
        match self.below.as_slice() {
            [] => None,
            [_] => Some(&self.top),
            [.., folder, _] => Some(folder),
        }
    }

    /// The folders in the trash that it lies in, from the outside in.
    fn above(&self) -> impl Iterator<Item = &Item> {
        std::iter::once(&self.top).chain(&self.below).take(self.below.len())
    }
}

fn nothing() -> Error {
    Error::not_found("there is no such thing in the trash")
}

/// The id of the deleted node that a key begins with.
fn top_of(key: &str) -> Result<NodeId> {
    let top = key.split('/').find(|part| !part.is_empty()).unwrap_or_default();
    NodeId::parse(top).map_err(|_| nothing())
}

impl Store {
    /// Finds what a key names; blocking.
    fn find_trashed(&self, space: &SpaceId, key: &str) -> Result<Found> {
        let mut names = key.split('/').filter(|part| !part.is_empty()).skip(1);
        let (top, deleted) = self.deleted(space, &top_of(key)?)?.ok_or_else(nothing)?;
        let mut found = Found { space: space.clone(), deleted, top, below: Vec::new() };
        for name in &mut names {
            let item = self.inside(space, found.item(), name)?.ok_or_else(nothing)?;
            found.below.push(item);
        }
        Ok(found)
    }

    /// What was deleted, and when.
    fn deleted(&self, space: &SpaceId, id: &NodeId) -> Result<Option<(Item, Timestamp)>> {
        let found = self.deleted_on_disk(space, id)?;
        Ok(found.filter(|(item, _)| !self.orders.names(&item.place)))
    }

    /// The same, also while it is being purged.
    fn deleted_on_disk(&self, space: &SpaceId, id: &NodeId) -> Result<Option<(Item, Timestamp)>> {
        let link = self.root.join(paths::trash(space, id));
        let Some(target) = self.target(&link)? else { return Ok(None) };
        let Some((named, when)) = paths::trashed_of_target(&target) else { return Ok(None) };
        if named != *id {
            return Ok(None);
        }
        let place = paths::trashed(space, id, &when);
        let Some(item) = self.item(space, id.clone(), place)? else { return Ok(None) };
        let deleted = match when.parse() {
            Ok(deleted) => deleted,
            Err(_) => self.fs.stat(&link).map_err(broken)?.modified,
        };
        Ok(Some((item, deleted)))
    }

    /// What a folder in the trash holds under this name.
    fn inside(&self, space: &SpaceId, folder: &Item, name: &str) -> Result<Option<Item>> {
        if folder.kind != NodeKind::Folder || matches!(name, "." | "..") || name.contains('\0') {
            return Ok(None);
        }
        let target = self.target(&self.root.join(&folder.place).join(name))?;
        let Some(id) = target.and_then(|target| paths::child_of_target(&target)) else {
            return Ok(None);
        };
        let place = paths::node(space, &id);
        let item = self.item(space, id, place)?.map(|item| Item { name: name.to_owned(), ..item });
        // Never what lies elsewhere, whatever a damaged link points at.
        Ok(item.filter(|item| item.attributes.text(key::PARENT) == Some(folder.id.as_str())))
    }

    fn item(&self, space: &SpaceId, id: NodeId, place: String) -> Result<Option<Item>> {
        let bytes = self.fs.read(&self.root.join(format!("{place}.mpk")));
        if is_missing(&bytes) {
            return Ok(None);
        }
        let attributes = Attributes::decode(&bytes.map_err(broken)?)?;
        let (kind, size) = match attributes.text(key::TYPE) {
            Some("1") => (NodeKind::File, attributes.get(key::BLOB_SIZE).unwrap_or(0)),
            Some(_) => (NodeKind::Folder, attributes.get(key::TREE_SIZE).unwrap_or(0)),
            None => {
                return Err(Error::internal("the metadata of a node is damaged").with("node", &id));
            }
        };
        // What was deleted itself got its size written with the deletion.
        let ahead = if place == paths::node(space, &id) {
            self.memory.state.read().ahead(&(space.clone(), id.clone()))
        } else {
            None
        };
        let size = ahead.map_or(size, |(_, size)| size);
        let name = attributes.text(key::NAME).unwrap_or_default().to_owned();
        Ok(Some(Item { id, name, place, kind, size, attributes }))
    }

    /// The target of a symbolic link; none when it is not there, or none.
    fn target(&self, link: &std::path::Path) -> Result<Option<String>> {
        match self.fs.readlink(link) {
            Ok(target) => Ok(target.into_os_string().into_string().ok()),
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(None),
            result if is_missing(&result) => Ok(None),
            Err(error) => Err(broken(error)),
        }
    }

    /// Waits until the files hold the last change of a deleted node.
    async fn unpinned(&self, space: &SpaceId, top: &NodeId) -> Result<()> {
        let at = (space.clone(), top.clone());
        let look = || Ok(!self.memory.state.read().is_pinned(&at));
        self.when_written(look, |is_written| *is_written).await.map(drop)
    }
}

impl Change<'_> {
    /// The root of a space whose trash the caller may see.
    fn trash_root(&mut self, space: &ResourceId, need: Permissions) -> Result<Place> {
        let ResourceId { storage, space, .. } = space.clone();
        let root = self.place(&Reference::node(ResourceId::root(storage, space)))?;
        access::require(root.permissions, need)?;
        Ok(root)
    }

    /// Refuses unless the caller has a permission on something in the trash: as it would be where it
    /// lay, as far as that is still there.
    fn may(&mut self, found: &Found, need: Permissions) -> Result<()> {
        let space = &found.space;
        let parent = found.top.attributes.get::<NodeId>(key::PARENT);
        let line = match parent.map(|parent| self.line(space, &parent)) {
            Some(Ok(line)) => line,
            _ => vec![self.root(space)?],
        };
        let storage = &self.store.options.storage;
        let own = std::iter::once(&found.top).chain(&found.below).map(|item| {
            let at = (space.clone(), item.id.clone());
            load::entry(storage, &at, None, item.attributes.clone(), Vec::new())
        });
        let own: Vec<Entry> = own.collect::<Result<_>>()?;
        let owner = line.first().and_then(|root| root.info.owner.clone());
        let levels = line.iter().map(|entry| entry.level());
        let levels = levels.chain(own.iter().map(Entry::level));
        let have = access::permissions(&self.cx.caller, owner.as_ref(), levels, self.cx.now);
        access::require(have, need)
    }

    /// Something with so many bytes leaves a folder in the trash, which stays there.
    fn shrink(&mut self, space: &SpaceId, is_top: bool, folder: &Item, bytes: u64) {
        let size = folder.size.saturating_sub(bytes);
        if is_top {
            let mut attributes = folder.attributes.clone();
            attributes.set(key::TREE_SIZE, size);
            self.act(Action::Put(format!("{}.mpk", folder.place), attributes.encode()));
        } else {
            let time = |name| folder.attributes.get::<Timestamp>(name);
            let mtime = time(key::TREE_MTIME).or_else(|| time(key::MTIME));
            if let Some(mtime) = mtime.or_else(|| Timestamp::from_unix(0, 0).ok()) {
                self.measure(space, &folder.id, mtime, size);
            }
        }
        self.forget(space, &folder.id);
    }
}

/// The children of a folder that comes back.
fn children_of(store: &Arc<Store>, item: &Item) -> Result<super::state::Children> {
    load::children(&*store.fs, &store.root.join(&item.place))
}
