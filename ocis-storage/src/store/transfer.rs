//! Moving and copying.

use std::collections::HashMap;

use ocis_core::event::EventKind;
use ocis_core::id::{BlobId, NodeId, SpaceId};
use ocis_core::node::NodeKind;
use ocis_core::permissions::Permissions;
use ocis_core::port::{Changed, Copy, Move};
use ocis_core::reference::Reference;
use ocis_core::{Error, Result, access};

use super::access::Place;
use super::change::Change;
use crate::journal::Action;
use crate::layout::attributes as key;
use crate::layout::paths;

/// The content of a file, and the id of the copy that is made of it.
#[derive(Debug, Clone)]
pub(crate) struct BlobCopy {
    pub(crate) from: BlobId,
    pub(crate) to: BlobId,
}

/// The contents that a copy needs, by the file that they are copied from.
pub(crate) type BlobCopies = HashMap<NodeId, BlobCopy>;

impl Change<'_> {
    /// Moves a node.
    pub(crate) fn rename(&mut self, request: &Move) -> Result<Changed> {
        let from = self.place(&request.from)?;
        if from.is_root() {
            return Err(Error::denied("the root of a space cannot be moved"));
        }
        let (folder, name) = self.spot(&request.to)?;
        self.not_over_itself(&from, &folder, &name)?;
        if from.space != folder.space {
            return Err(Error::unimplemented("moving between spaces is not possible"));
        }
        access::require(from.permissions, Permissions::MOVE)?;
        self.met(Some(&**from.entry()?), &request.conditions)?;
        let id = from.id()?;
        not_into_itself(&folder, &id)?;
        let old = from.entry()?.info.name.clone();
        let parent =
            from.entry()?.info.parent.clone().ok_or_else(|| Error::internal("no parent"))?;
        if parent == folder.id()? && old == name {
            return Ok(Changed { node: self.view(&from)?, created: false });
        }
        let tokens = &request.conditions.lock_tokens;
        self.all_unlocked(&from, tokens)?;
        let created = self.make_room(&folder, &name, request.overwrite, tokens)?;
        let entry = std::sync::Arc::clone(from.entry()?);
        let mut attributes = entry.attributes.clone();
        attributes.set(key::NAME, &name);
        attributes.set(key::PARENT, folder.id()?);
        self.put(&from.space, &id, attributes, Vec::new())?;
        // Locks do not travel (RFC 4918 section 7.5).
        self.act(Action::Remove(paths::lock(&from.space, &id)));
        self.unlist(&from.space, &parent, &old);
        self.list(&from.space, &folder.id()?, &name, &id);
        let size = i64::try_from(entry.info.size).unwrap_or(i64::MAX);
        self.propagate(&from.space, &parent, -size)?;
        self.propagate(&from.space, &folder.id()?, size)?;
        let node = self.visible(&Reference::node(entry.info.id.clone()))?;
        self.tell(EventKind::ItemMoved {
            node: (&node).into(),
            from: from.path()?,
            from_parent: parent,
        });
        Ok(Changed { node, created })
    }

    /// Refuses when the destination is a folder that the node lies in: it would go to the trash with
    /// the node in it.
    fn not_over_itself(&mut self, from: &Place, folder: &Place, name: &str) -> Result<()> {
        let Some(there) = self.child(&folder.space, &folder.id()?, name)? else { return Ok(()) };
        let mut above = from.line.iter().rev().skip(1);
        if from.space == folder.space && above.any(|entry| entry.info.id.node == there) {
            return Err(Error::conflict("it cannot take the place of a folder that it lies in"));
        }
        Ok(())
    }

    /// Sees to it that nothing is in the way at the destination; says whether nothing was.
    pub(crate) fn make_room(
        &mut self,
        folder: &Place,
        name: &str,
        overwrite: bool,
        tokens: &[String],
    ) -> Result<bool> {
        let Some(there) = self.below(folder, name)? else {
            access::require(folder.permissions, Permissions::CREATE_CONTAINER)?;
            self.unlocked(folder, tokens)?;
            return Ok(true);
        };
        if !overwrite {
            return Err(Error::precondition("there is something at the destination"));
        }
        access::require(self.permissions(&there), Permissions::DELETE)?;
        self.all_unlocked(&there, tokens)?;
        self.discard(&there)?;
        Ok(false)
    }

    /// What a copy will do: the blobs to be copied first, and whether all of them are written yet.
    pub(crate) fn plan_copy(&mut self, request: &Copy) -> Result<(Place, BlobCopies, bool)> {
        let from = self.place(&request.from)?;
        let (folder, name) = self.spot(&request.to)?;
        not_into_itself(&folder, &from.id()?)?;
        self.not_over_itself(&from, &folder, &name)?;
        self.met(Some(&**from.entry()?), &request.conditions)?;
        if !request.overwrite && self.below(&folder, &name)?.is_some() {
            return Err(Error::precondition("there is something at the destination"));
        }
        let size = if request.deep || from.entry()?.info.kind == NodeKind::File {
            from.entry()?.info.size
        } else {
            0
        };
        self.has_room(&folder, size)?;
        let mut blobs = BlobCopies::new();
        self.blobs_below(&from.space, &from.id()?, request.deep, &mut blobs)?;
        let are_written = blobs.keys().all(|node| !self.is_pinned(&from.space, node));
        Ok((from, blobs, are_written))
    }

    fn blobs_below(
        &mut self,
        space: &SpaceId,
        id: &NodeId,
        deep: bool,
        blobs: &mut BlobCopies,
    ) -> Result<()> {
        let Some(entry) = self.node(space, id)? else { return Ok(()) };
        if let Some(blob) = &entry.blob {
            blobs.insert(id.clone(), BlobCopy { from: blob.clone(), to: BlobId::random() });
        }
        if deep && entry.info.kind == NodeKind::Folder {
            for (_, child) in self.children(space, id, None, usize::MAX)? {
                self.blobs_below(space, &child, deep, blobs)?;
            }
        }
        Ok(())
    }
}

fn not_into_itself(folder: &Place, id: &NodeId) -> Result<()> {
    if folder.line.iter().any(|entry| entry.info.id.node == *id) {
        return Err(Error::conflict("it cannot go into itself"));
    }
    Ok(())
}

impl Change<'_> {
    /// Copies a node whose blobs were copied already; every file whose content changed meanwhile
    /// makes it a conflict.
    pub(crate) fn copy(&mut self, request: &Copy, blobs: &BlobCopies) -> Result<Changed> {
        let from = self.place(&request.from)?;
        let (folder, name) = self.spot(&request.to)?;
        not_into_itself(&folder, &from.id()?)?;
        self.not_over_itself(&from, &folder, &name)?;
        let entry = std::sync::Arc::clone(from.entry()?);
        access::require(from.permissions, Permissions::DOWNLOAD)?;
        let created =
            self.make_room(&folder, &name, request.overwrite, &request.conditions.lock_tokens)?;
        let (id, size) = self.twin(
            &from.space,
            &entry.info.id.node,
            (&folder.space, &folder.id()?),
            &name,
            request.deep,
            blobs,
        )?;
        self.propagate(&folder.space, &folder.id()?, size)?;
        let id = ocis_core::id::ResourceId {
            node: id,
            space: folder.space.clone(),
            storage: entry.info.id.storage.clone(),
        };
        Ok(Changed { node: self.visible(&Reference::node(id))?, created })
    }

    fn twin(
        &mut self,
        space: &SpaceId,
        id: &NodeId,
        (to_space, to): (&SpaceId, &NodeId),
        name: &str,
        deep: bool,
        blobs: &BlobCopies,
    ) -> Result<(NodeId, i64)> {
        let entry = self.node(space, id)?.ok_or_else(|| Error::not_found("it is gone"))?;
        let (twin, stamp) = (NodeId::random(), self.stamp());
        let mut attributes = entry.attributes.clone();
        let personal: Vec<String> = [key::GRANT, key::FAVORITE]
            .into_iter()
            .flat_map(|prefix| {
                attributes
                    .under(prefix)
                    .map(move |(name, _)| format!("{prefix}{name}"))
                    .collect::<Vec<_>>()
            })
            .collect();
        personal.iter().for_each(|name| attributes.remove(name));
        attributes.set(key::NAME, name);
        attributes.set(key::PARENT, to);
        if entry.info.kind == NodeKind::File {
            if let Some(blob) = &entry.blob {
                let copied = blobs.get(id).filter(|copied| copied.from == *blob);
                let copied =
                    copied.ok_or_else(|| Error::conflict("it changed while it was copied"))?;
                attributes.set(key::BLOB, &copied.to);
                self.act(Action::Unstage(to_space.clone(), copied.to.clone()));
            }
            attributes.set(key::ID, &twin);
            self.act(Action::Put(paths::node(to_space, &twin), Vec::new()));
            let copied = self.put(to_space, &twin, attributes, Vec::new())?;
            self.list(to_space, to, name, &twin);
            let node = self.place(&Reference::node(copied.info.id.clone()))?.named()?;
            self.tell(match copied.blob.clone() {
                Some(upload) => {
                    EventKind::UploadReady { upload, node, failed: false, is_version: false }
                }
                None => EventKind::FileTouched { node },
            });
            return Ok((twin, i64::try_from(entry.info.size).unwrap_or(i64::MAX)));
        }
        let mut size = 0;
        attributes.set(key::TREE_MTIME, stamp);
        self.act(Action::Folder(paths::node(to_space, &twin)));
        let made = self.put(to_space, &twin, attributes.clone(), Vec::new())?;
        let node = self.place(&Reference::node(made.info.id.clone()))?.named()?;
        self.tell(EventKind::ContainerCreated { node });
        if deep {
            for (name, child) in self.children(space, id, None, usize::MAX)? {
                size += self.twin(space, &child, (to_space, &twin), &name, deep, blobs)?.1;
            }
        }
        attributes.set(key::TREE_SIZE, size);
        self.put(to_space, &twin, attributes, Vec::new())?;
        self.list(to_space, to, name, &twin);
        Ok((twin, size))
    }
}
