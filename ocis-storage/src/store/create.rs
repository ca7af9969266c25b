//! What was not there before: spaces, folders, empty files; and properties.

use std::collections::BTreeSet;

use ocis_core::access;
use ocis_core::event::EventKind;
use ocis_core::id::{NodeId, ResourceId, SpaceId, UserId};
use ocis_core::node::{Node, NodeKind};
use ocis_core::permissions::Permissions;
use ocis_core::port::{Conditions, CreateSpace, SetMetadata};
use ocis_core::reference::Reference;
use ocis_core::space::SpaceKind;
use ocis_core::{Caller, Error, Result};

use super::access::Place;
use super::change::Change;
use super::view::favorite_key;
use crate::journal::Action;
use crate::layout::attributes::{self as key, Attributes};
use crate::layout::paths;

impl Change<'_> {
    /// Makes a space; gives its root.
    pub(crate) fn create_space(&mut self, request: &CreateSpace) -> Result<ResourceId> {
        let owner = self.may_create(request)?;
        let space = match (request.kind, &owner) {
            (SpaceKind::Personal, Some(owner)) => SpaceId::personal(owner),
            _ => SpaceId::random(),
        };
        let root = space.root();
        if self.node(&space, &root)?.is_some() {
            return Err(Error::exists("the space is there already"));
        }
        let stamp = self.stamp();
        let kind = request.kind.as_str();
        let handle = match (request.kind, self.cx.caller.identity()) {
            (SpaceKind::Personal, Ok(identity)) => identity.username.to_lowercase(),
            _ => request.name.to_lowercase().replace(' ', "-"),
        };
        let alias = request.alias.clone().unwrap_or_else(|| format!("{kind}/{handle}"));
        let mut attributes = container(stamp);
        attributes.set(key::ID, &root);
        attributes.set(key::NAME, &request.name);
        attributes.set(key::PARENT, "");
        attributes.set("space.id", &space);
        attributes.set("space.name", &request.name);
        attributes.set("space.type", kind);
        attributes.set("space.alias", alias);
        let (id, who) = match &owner {
            Some(owner) => (owner.to_string(), "primary"),
            None => (space.to_string(), "spaceowner"),
        };
        let idp = self.cx.caller.identity().map(|identity| identity.idp.to_string());
        attributes.set("owner.id", id);
        attributes.set("owner.idp", idp.unwrap_or_default());
        attributes.set("owner.type", who);
        if let Some(quota) = request.quota {
            attributes.set(key::QUOTA, quota);
        }
        self.act(Action::Folder(paths::node(&space, &root)));
        self.put(&space, &root, attributes, Vec::new())?;
        let value = paths::index_value(&space);
        self.act(Action::Index(paths::index_by_type(kind), space.clone(), value.clone()));
        if let Some(owner) = &owner {
            self.act(Action::Index(paths::index_by_user(owner.as_str()), space.clone(), value));
        }
        let root = ResourceId::root(self.store.options.storage.clone(), space);
        self.tell(EventKind::SpaceCreated {
            space: root.clone(),
            owner,
            name: request.name.clone(),
            kind: request.kind,
            quota: request.quota,
        });
        Ok(root)
    }

    fn may_create(&self, request: &CreateSpace) -> Result<Option<UserId>> {
        let owner = match request.kind {
            SpaceKind::Personal => Some(
                request
                    .owner
                    .clone()
                    .ok_or_else(|| Error::invalid("a personal space needs an owner"))?,
            ),
            _ => None,
        };
        match &self.cx.caller {
            Caller::Service(_) => Ok(owner),
            Caller::User(identity) if owner.as_ref() == Some(&identity.id) => Ok(owner),
            _ => Err(Error::denied("you may not make this space")),
        }
    }

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
        let node = self.settle(folder, &name, &id, attributes, 0)?;
        self.tell(EventKind::ContainerCreated { node: (&node).into() });
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
        let node = self.settle(folder, &name, &id, attributes, 0)?;
        self.tell(EventKind::FileTouched { node: (&node).into() });
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
    ) -> Result<Node> {
        let space = &folder.space.clone();
        let parent = folder.id()?;
        self.put(space, id, attributes, Vec::new())?;
        self.list(space, &parent, name, id);
        self.propagate(space, &parent, size)?;
        let target = Reference::node(ResourceId {
            storage: self.store.options.storage.clone(),
            space: space.clone(),
            node: id.clone(),
        });
        self.visible(&target)
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
        self.tell_tags(&place, request)?;
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

    /// Tells which tags a change of properties adds and takes. Tags are a property of their own,
    /// separated by commas.
    fn tell_tags(&mut self, place: &Place, request: &SetMetadata) -> Result<()> {
        const TAGS: &str = "tags";
        let new = match request.set.iter().rfind(|(name, _)| name == TAGS) {
            Some((_, new)) => new.as_str(),
            None if request.unset.iter().any(|name| name == TAGS) => "",
            None => return Ok(()),
        };
        let set = |tags: &str| -> BTreeSet<String> {
            tags.split(',').filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
        };
        let info = &place.entry()?.info;
        let (old, new) = (set(info.metadata.get(TAGS).map_or("", String::as_str)), set(new));
        let added: Vec<_> = new.difference(&old).cloned().collect();
        let removed: Vec<_> = old.difference(&new).cloned().collect();
        if !added.is_empty() {
            self.tell(EventKind::TagsAdded { node: place.named()?, tags: added });
        }
        if !removed.is_empty() {
            self.tell(EventKind::TagsRemoved { node: place.named()?, tags: removed });
        }
        Ok(())
    }
}

/// The metadata of a new folder.
fn container(stamp: ocis_core::time::Timestamp) -> Attributes {
    let mut attributes = Attributes::default();
    attributes.set(key::TYPE, 2);
    attributes.set(key::PROPAGATION, 1);
    attributes.set(key::TREE_SIZE, 0);
    attributes.set(key::TREE_MTIME, stamp);
    attributes
}
