//! Copying, and moving between spaces, which is copying and deleting in one step.
//!
//! Contents are copied first (`driver/nodes.rs`): what they become is planned before, under a mark
//! that stays until the record of the copy is applied.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::vec;

use ocis_core::event::EventKind;
use ocis_core::id::{BlobId, NodeId, ResourceId, SpaceId};
use ocis_core::node::NodeKind;
use ocis_core::permissions::Permissions;
use ocis_core::port::{Changed, Copy, Move};
use ocis_core::reference::Reference;
use ocis_core::{Cx, Error, Result, access};

use super::Store;
use super::access::Place;
use super::change::Change;
use super::state::Entry;
use super::transfer::not_into_itself;
use crate::blob::copies;
use crate::journal::Action;
use crate::layout::attributes::{self as key, Attributes};
use crate::layout::paths;

/// The most nodes that are copied in one step: the record of the copy holds the metadata of all of
/// them, some 700 bytes each.
const MAX_NODES: usize = 100_000;
/// How many nodes are read from the disk while others wait.
const AT_ONCE: usize = 64;

/// What is to be copied where.
#[derive(Debug, Clone)]
pub(crate) struct CopyPlan {
    pub(crate) from: SpaceId,
    pub(crate) to: SpaceId,
    /// What marks the copies until the record of the copy is applied.
    pub(crate) mark: BlobId,
    /// Contents, and what their copies are called, by the file that they are copied from.
    pub(crate) blobs: HashMap<NodeId, (BlobId, BlobId)>,
    nodes: usize,
    /// Whether what is copied goes away from where it is.
    is_move: bool,
}

/// A copy that is being made.
struct Copying<'p> {
    plan: &'p CopyPlan,
    deep: bool,
    /// The files whose copied contents the copy refers to.
    used: HashSet<NodeId>,
}

/// The copy of a folder that is not whole yet.
struct Twin {
    id: NodeId,
    parent: NodeId,
    name: String,
    attributes: Attributes,
    children: vec::IntoIter<Place>,
    size: i64,
}

impl Change<'_> {
    /// What is copied and where to; the caller may, and it is as the request wants it.
    fn ends(&mut self, request: &Copy) -> Result<(Place, Place, String)> {
        let from = self.place(&request.from)?;
        let (folder, name) = self.spot(&request.to)?;
        not_into_itself(&folder, &from.id()?)?;
        self.not_over_itself(&from, &folder, &name)?;
        if self.child(&folder.space, &folder.id()?, &name)? == Some(from.id()?)
            && folder.space == from.space
        {
            return Err(Error::conflict("it cannot be copied onto itself"));
        }
        access::require(from.permissions, Permissions::DOWNLOAD)?;
        self.met(Some(&**from.entry()?), &request.conditions)?;
        Ok((from, folder, name))
    }

    /// Refuses unless the caller may take the node away.
    fn leaves(&mut self, from: &Place, tokens: &[String]) -> Result<()> {
        if from.is_root() {
            return Err(Error::denied("the root of a space cannot be moved"));
        }
        access::require(from.permissions, Permissions::DELETE)?;
        self.all_unlocked(from, tokens)
    }

    /// What a copy will do, and whether every content that it needs is written yet. With `is_move`
    /// the node is to leave its place.
    pub(crate) fn plan_copy(&mut self, request: &Copy, is_move: bool) -> Result<(CopyPlan, bool)> {
        let (from, folder, name) = self.ends(request)?;
        let tokens = &request.conditions.lock_tokens;
        if is_move {
            self.leaves(&from, tokens)?;
        }
        let there = self.in_the_way(&folder, &name, request.overwrite, tokens)?;
        let size = if request.deep || from.entry()?.info.kind == NodeKind::File {
            from.entry()?.info.size
        } else {
            0
        };
        let old = there.map_or(Ok(0), |there| Ok::<_, Error>(there.entry()?.info.size))?;
        self.has_room_instead(&folder, size, old)?;
        if request.deep {
            self.not_too_deep(&from, &folder)?;
        }
        let mut plan = CopyPlan {
            from: from.space.clone(),
            to: folder.space.clone(),
            mark: copies::mark(),
            blobs: HashMap::new(),
            nodes: 0,
            is_move,
        };
        self.contents_below(&from, request.deep, &mut plan)?;
        if let (1, Some((_, copy))) = (plan.blobs.len(), plan.blobs.values().next()) {
            plan.mark = copy.clone();
        }
        let are_written = plan.blobs.keys().all(|node| !self.is_pinned(&from.space, node));
        Ok((plan, are_written))
    }

    fn contents_below(&mut self, place: &Place, deep: bool, plan: &mut CopyPlan) -> Result<()> {
        // Not by calling itself: a tree may be deeper than the stack.
        let mut rest = vec![place.clone()];
        while let Some(place) = rest.pop() {
            let entry = place.entry()?;
            plan.nodes += 1;
            if plan.nodes > MAX_NODES {
                return Err(Error::invalid(format!(
                    "at most {MAX_NODES} files and folders can be copied at once: copy less"
                )));
            }
            self.readable(entry)?;
            if let Some(blob) = &entry.blob {
                plan.blobs.insert(entry.info.id.node.clone(), (blob.clone(), BlobId::random()));
            }
            if deep && entry.info.kind == NodeKind::Folder {
                rest.extend(self.copied_children(&place, plan.is_move)?);
            }
        }
        Ok(())
    }

    /// The children that are copied with a folder: all that the caller may see. Others would go to the
    /// trash when the folder is moved, so it is not.
    fn copied_children(&mut self, folder: &Place, is_move: bool) -> Result<Vec<Place>> {
        let mut copied = Vec::new();
        for (name, _) in self.children(&folder.space, &folder.id()?, None, usize::MAX)? {
            let Some(mut child) = self.below(folder, &name)? else { continue };
            if !child.entry()?.grants.is_empty() {
                child.permissions = self.permissions(&child);
                if !access::is_allowed(child.permissions, Permissions::STAT) {
                    if is_move {
                        let text = "something in it is kept from you: it cannot leave its space";
                        return Err(Error::denied(text));
                    }
                    continue;
                }
            }
            copied.push(child);
        }
        Ok(copied)
    }

    /// Copies a node whose contents were copied already; a file whose content changed meanwhile
    /// makes it a conflict.
    pub(crate) fn copy(&mut self, request: &Copy, plan: &CopyPlan) -> Result<Changed> {
        let (from, folder, name) = self.ends(request)?;
        let entry = Arc::clone(from.entry()?);
        let there = self.below(&folder, &name)?;
        let old = there.map_or(Ok(0), |there| there.entry().map(|entry| entry.info.size))?;
        let created =
            self.make_room(&folder, &name, request.overwrite, &request.conditions.lock_tokens)?;
        let mut copying = Copying { plan, deep: request.deep, used: HashSet::new() };
        let (id, size) = self.twin(&from, &folder.id()?, &name, &mut copying)?;
        // Files that went away after the copy was planned.
        for (node, (_, copy)) in &plan.blobs {
            if !copying.used.contains(node) {
                self.drop_blob(&plan.to, Some(copy));
            }
        }
        self.has_room_instead(&folder, u64::try_from(size).unwrap_or(0), old)?;
        if !plan.blobs.is_empty() {
            self.act(Action::Unstage(folder.space.clone(), plan.mark.clone()));
        }
        self.propagate(&folder.space, &folder.id()?, size)?;
        let storage = entry.info.id.storage.clone();
        let id = ResourceId { node: id, space: folder.space.clone(), storage };
        Ok(Changed { node: self.visible(&Reference::node(id))?, created })
    }

    /// Moves a node, whose contents were copied already, to another space: what is there now goes to
    /// the trash.
    pub(crate) fn move_away(&mut self, request: &Move, plan: &CopyPlan) -> Result<Changed> {
        let from = self.place(&request.from)?;
        self.leaves(&from, &request.conditions.lock_tokens)?;
        let changed = self.copy(&as_copy(request), plan)?;
        self.tell(EventKind::ItemTrashed { node: from.named()? });
        self.discard(&from)?;
        Ok(changed)
    }

    /// Copies a node with all below it; its id and size. Not by calling itself, as above.
    fn twin(
        &mut self,
        from: &Place,
        to: &NodeId,
        name: &str,
        copying: &mut Copying<'_>,
    ) -> Result<(NodeId, i64)> {
        let mut open: Vec<Twin> = Vec::new();
        let mut done = self.begin_twin(from, to, name, copying, &mut open)?;
        while let Some(mut folder) = open.pop() {
            folder.size += done.take().map_or(0, |(_, size)| size);
            let Some(child) = folder.children.next() else {
                done = Some(self.end_twin(folder, &copying.plan.to)?);
                continue;
            };
            let (twin, name) = (folder.id.clone(), child.entry()?.info.name.clone());
            open.push(folder);
            done = self.begin_twin(&child, &twin, &name, copying, &mut open)?;
        }
        done.ok_or_else(|| Error::internal("a copy without an end"))
    }

    /// Copies a file, and is done with it, or begins with a folder.
    fn begin_twin(
        &mut self,
        from: &Place,
        to: &NodeId,
        name: &str,
        copying: &mut Copying<'_>,
        open: &mut Vec<Twin>,
    ) -> Result<Option<(NodeId, i64)>> {
        let to_space = &copying.plan.to;
        let entry = Arc::clone(from.entry()?);
        let (twin, stamp) = (NodeId::random(), self.stamp());
        let mut attributes = entry.attributes.clone();
        let own: Vec<String> = [key::GRANT, key::FAVORITE, "space.", "owner.", key::QUOTA]
            .into_iter()
            .flat_map(|prefix| attributes.under(prefix).map(move |it| format!("{prefix}{}", it.0)))
            .collect();
        own.iter().for_each(|name| attributes.remove(name));
        attributes.set(key::NAME, name);
        attributes.set(key::PARENT, to);
        if entry.info.kind == NodeKind::File {
            if let Some(blob) = &entry.blob {
                let node = &entry.info.id.node;
                let copied = copying.plan.blobs.get(node).filter(|copied| copied.0 == *blob);
                let (_, copy) =
                    copied.ok_or_else(|| Error::conflict("it changed while it was copied"))?;
                attributes.set(key::BLOB, copy);
                copying.used.insert(node.clone());
            }
            attributes.set(key::ID, &twin);
            self.act(Action::Put(paths::node(to_space, &twin), Vec::new()));
            let copied = self.put(to_space, &twin, attributes, Vec::new())?;
            self.list(to_space, to, name, &twin);
            self.tell_copied(&copied)?;
            return Ok(Some((twin, i64::try_from(entry.info.size).unwrap_or(i64::MAX))));
        }
        // The root of a space has an id and no type.
        attributes.remove(key::ID);
        attributes.set(key::TYPE, 2);
        attributes.set(key::TREE_MTIME, stamp);
        self.act(Action::Folder(paths::node(to_space, &twin)));
        let made = self.put_in_memory(to_space, &twin, attributes.clone(), Vec::new())?;
        self.tell_copied(&made)?;
        let children = match copying.deep {
            true => self.copied_children(from, copying.plan.is_move)?,
            false => Vec::new(),
        };
        let (parent, name, children) = (to.clone(), name.to_owned(), children.into_iter());
        open.push(Twin { id: twin, parent, name, attributes, children, size: 0 });
        Ok(None)
    }

    /// A folder gets its size, and is listed, when all in it is there.
    fn end_twin(&mut self, folder: Twin, space: &SpaceId) -> Result<(NodeId, i64)> {
        let Twin { id, parent, name, mut attributes, children: _, size } = folder;
        attributes.set(key::TREE_SIZE, size);
        self.put(space, &id, attributes, Vec::new())?;
        self.list(space, &parent, &name, &id);
        Ok((id, size))
    }

    fn tell_copied(&mut self, copied: &Entry) -> Result<()> {
        if self.store.options.events.is_none() {
            return Ok(());
        }
        let node = self.place(&Reference::node(copied.info.id.clone()))?.named()?;
        self.tell(match (copied.info.kind, copied.blob.clone()) {
            (NodeKind::Folder, _) => EventKind::ContainerCreated { node },
            (NodeKind::File, None) => EventKind::FileTouched { node },
            (NodeKind::File, Some(upload)) => {
                EventKind::UploadReady { upload, node, failed: false, is_version: false }
            }
        });
        Ok(())
    }
}

/// The copy that is the first half of a move to another space.
pub(crate) fn as_copy(request: &Move) -> Copy {
    Copy {
        from: request.from.clone(),
        to: request.to.clone(),
        overwrite: request.overwrite,
        deep: true,
        conditions: request.conditions.clone(),
    }
}

impl Store {
    /// What a copy will do, as soon as every content that it needs is written.
    pub(crate) async fn plan_copy(
        self: &Arc<Self>,
        cx: &Cx,
        request: &Copy,
        is_move: bool,
    ) -> Result<CopyPlan> {
        if request.deep {
            self.warm(cx, &request.from)?;
        }
        let (plan, _) = self
            .when_written(
                || self.look(cx, |change| change.plan_copy(request, is_move)),
                |(_, are_written)| *are_written,
            )
            .await?;
        Ok(plan)
    }

    /// Reads what lies below a node into memory, a little at a time, so that nobody else has to wait
    /// for all of it.
    fn warm(&self, cx: &Cx, from: &Reference) -> Result<()> {
        let top = self.look(cx, |change| change.place(from))?;
        let (space, mut rest, mut seen) = (top.space.clone(), vec![top.id()?], 0);
        while let Some(folder) = rest.pop() {
            let children =
                self.look(cx, |change| change.children(&space, &folder, None, usize::MAX))?;
            for some in children.chunks(AT_ONCE) {
                rest.extend(self.look(cx, |change| {
                    let mut folders = Vec::new();
                    for (_, id) in some {
                        let entry = change.node(&space, id)?;
                        if entry.is_some_and(|entry| entry.info.kind == NodeKind::Folder) {
                            folders.push(id.clone());
                        }
                    }
                    Ok(folders)
                })?);
            }
            seen += children.len();
            if seen > MAX_NODES {
                return Ok(());
            }
        }
        Ok(())
    }
}
