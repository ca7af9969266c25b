//! What was not there before: folders, empty files; and properties.

use ocis_core::access;
use ocis_core::event::{EventKind, NodeRef};
use ocis_core::id::{NodeId, ResourceId};
use ocis_core::node::{Node, NodeKind, TAGS};
use ocis_core::permissions::Permissions;
use ocis_core::port::{Conditions, SetMetadata};
use ocis_core::reference::Reference;
use ocis_core::{Error, Result};

use super::access::Place;
use super::change::Change;
use super::view::favorite_key;
use crate::journal::Action;
use crate::layout::attributes::{self as key, Attributes};
use crate::layout::paths;

impl Change<'_> {
    /// Makes a folder.
    pub(crate) fn create_folder(
        &mut self,
        target: &Reference,
        conditions: &Conditions,
    ) -> Result<Node> {
        let (folder, name) = self.spot(target)?;
        access::require(folder.permissions, Permissions::CREATE_CONTAINER)?;
        self.free(&folder, &name, conditions)?;
        let (id, stamp) = (NodeId::random(), self.stamp());
        let mut attributes = container(stamp);
        attributes.set(key::NAME, &name);
        attributes.set(key::PARENT, folder.id()?);
        self.act(Action::Folder(paths::node(&folder.space, &id)));
        let (node, about) = self.settle(folder, &name, &id, attributes, 0)?;
        self.tell(EventKind::ContainerCreated { node: about });
        Ok(node)
    }

    /// Makes an empty file.
    pub(crate) fn touch(&mut self, target: &Reference, conditions: &Conditions) -> Result<Node> {
        let (folder, name) = self.spot(target)?;
        access::require(folder.permissions, Permissions::UPLOAD)?;
        self.free(&folder, &name, conditions)?;
        let (id, stamp) = (NodeId::random(), self.stamp());
        let mut attributes = Attributes::default();
        attributes.set(key::TYPE, 1);
        attributes.set(key::NAME, &name);
        attributes.set(key::PARENT, folder.id()?);
        attributes.set(key::BLOB, "");
        attributes.set(key::BLOB_SIZE, 0);
        attributes.set(key::MTIME, stamp);
        self.act(Action::Put(paths::node(&folder.space, &id), Vec::new()));
        let (node, about) = self.settle(folder, &name, &id, attributes, 0)?;
        self.tell(EventKind::FileTouched { node: about });
        Ok(node)
    }

    /// Refuses unless nothing of this name is in the folder, and it may come there.
    fn free(&mut self, folder: &Place, name: &str, conditions: &Conditions) -> Result<()> {
        if self.below(folder, name)?.is_some() {
            return Err(Error::exists("there is something of this name already"));
        }
        self.met(None, conditions)?;
        self.unlocked(folder, &conditions.lock_tokens)
    }

    /// Puts a new node into a folder.
    pub(crate) fn settle(
        &mut self,
        folder: Place,
        name: &str,
        id: &NodeId,
        attributes: Attributes,
        size: i64,
    ) -> Result<(Node, NodeRef)> {
        let space = &folder.space.clone();
        let parent = folder.id()?;
        self.put(space, id, attributes, Vec::new())?;
        self.list(space, &parent, name, id);
        self.propagate(space, &parent, size)?;
        let storage = self.store.options.storage.clone();
        self.outcome(&ResourceId { storage, space: space.clone(), node: id.clone() })
    }

    /// Changes properties.
    pub(crate) fn set_metadata(&mut self, request: &SetMetadata) -> Result<Node> {
        let place = self.place(&request.target)?;
        let entry = std::sync::Arc::clone(place.entry()?);
        // Marking for oneself needs no more than seeing it.
        let is_change =
            !request.set.is_empty() || !request.unset.is_empty() || request.mtime.is_some();
        if is_change {
            access::require(place.permissions, Permissions::UPLOAD)?;
            self.unlocked(&place, &request.conditions.lock_tokens)?;
        }
        self.met(Some(&entry), &request.conditions)?;
        let tags = request.set.iter().rfind(|(name, _)| name == TAGS).map(|(_, new)| new.as_str());
        if tags.is_some() || request.unset.iter().any(|name| name == TAGS) {
            self.tell_tags(&place, tags.unwrap_or_default())?;
        }
        let mut attributes = entry.attributes.clone();
        for name in &request.unset {
            attributes.remove(&format!("{}{name}", key::METADATA));
        }
        for (name, value) in &request.set {
            attributes.set(format!("{}{name}", key::METADATA), value);
        }
        if let Some(mtime) = request.mtime {
            attributes.set(key::MTIME, mtime);
        }
        if let (Some(favorite), Some(name)) = (request.favorite, favorite_key(&self.cx.caller)) {
            attributes.set(name, u8::from(favorite));
        }
        self.put(&place.space, &place.id()?, attributes, entry.locks.clone())?;
        if is_change {
            let from = if entry.info.kind == NodeKind::Folder {
                Some(place.id()?)
            } else {
                entry.info.parent.clone()
            };
            if let Some(from) = from {
                self.propagate(&place.space, &from, 0)?;
            }
        }
        self.visible(&Reference::node(entry.info.id.clone()))
    }
}

/// The metadata of a new folder.
pub(super) fn container(stamp: ocis_core::time::Timestamp) -> Attributes {
    let mut attributes = Attributes::default();
    attributes.set(key::TYPE, 2);
    attributes.set(key::PROPAGATION, 1);
    attributes.set(key::TREE_SIZE, 0);
    attributes.set(key::TREE_MTIME, stamp);
    attributes
}
