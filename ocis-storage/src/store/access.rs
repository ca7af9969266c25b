//! Who may do what here, and what stands in the way: permissions, locks and conditions.

use std::collections::HashSet;
use std::sync::Arc;

use ocis_core::access;
use ocis_core::etag::Etag;
use ocis_core::event::NodeRef;
use ocis_core::id::{NodeId, SpaceId};
use ocis_core::lock::{ActiveLock, Lock};
use ocis_core::node::NodeKind;
use ocis_core::path::SpacePath;
use ocis_core::permissions::Permissions;
use ocis_core::port::Conditions;
use ocis_core::reference::Reference;
use ocis_core::{Error, ErrorKind, Result};

use super::change::Change;
use super::state::Entry;
use crate::fs::is_missing;
use crate::layout::attributes::DISABLED;
use crate::layout::paths;

/// A node with everything above it.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) space: SpaceId,
    /// From the root of the space down to the node; never empty.
    pub(crate) line: Vec<Arc<Entry>>,
    pub(crate) permissions: Permissions,
}

impl Place {
    /// The node.
    pub(crate) fn entry(&self) -> Result<&Arc<Entry>> {
        self.line.last().ok_or_else(|| Error::internal("a place without a node"))
    }

    pub(crate) fn id(&self) -> Result<NodeId> {
        Ok(self.entry()?.info.id.node.clone())
    }

    pub(crate) fn is_root(&self) -> bool {
        self.line.len() == 1
    }

    /// The path from the root of the space, also of what the caller may not see.
    pub(crate) fn path(&self) -> Result<SpacePath> {
        path(self.line.get(1..).unwrap_or_default())
    }

    /// The folder that it lies in; none for the root.
    fn above(&self) -> Option<&[Arc<Entry>]> {
        self.line.split_last().map(|(_, above)| above).filter(|above| !above.is_empty())
    }

    /// The node as events name it.
    pub(crate) fn named(&self) -> Result<NodeRef> {
        let info = &self.entry()?.info;
        Ok(NodeRef {
            id: info.id.clone(),
            parent: info.parent.clone(),
            path: self.path()?,
            space_owner: info.owner.clone(),
        })
    }

    /// The locks that cover the node at the time of the change. One that was taken above what the
    /// caller may see has the empty path.
    pub(crate) fn locks(&self, change: &Change<'_>) -> Result<Vec<ActiveLock>> {
        let mut covering = Vec::new();
        for (depth, entry) in self.line.iter().enumerate() {
            let is_node = depth + 1 == self.line.len();
            for lock in alive(entry, change) {
                if is_node || lock.deep {
                    let seen = self.line.get(change.unseen(self)..=depth).unwrap_or_default();
                    covering.push(ActiveLock { lock: lock.clone(), root: path(seen)? });
                }
            }
        }
        Ok(covering)
    }
}

fn path(line: &[Arc<Entry>]) -> Result<SpacePath> {
    let mut path = String::new();
    for entry in line {
        path.push('/');
        path.push_str(&entry.info.name);
    }
    SpacePath::parse(&path)
}

fn alive<'e>(entry: &'e Entry, change: &Change<'_>) -> impl Iterator<Item = &'e Lock> {
    let now = change.cx.now;
    entry.locks.iter().filter(move |lock| lock.is_alive(now))
}

fn nothing() -> Error {
    Error::not_found("no such file or folder")
}

impl Change<'_> {
    /// The node that `target` points at, with everything above it; `NotFound` when there is none
    /// or the caller may not see it, or the space is disabled.
    pub(crate) fn place(&mut self, target: &Reference) -> Result<Place> {
        let place = self.at(target)?;
        access::require(place.permissions, Permissions::STAT)?;
        Ok(place)
    }

    /// The same for whoever may not see it, and must not be told of it.
    pub(crate) fn at(&mut self, target: &Reference) -> Result<Place> {
        if target.base.storage != self.store.options.storage {
            return Err(nothing());
        }
        let space = target.base.space.clone();
        // First, because nothing of a space that is gone or out of use is there.
        let root = self.root(&space)?;
        if root.attributes.bytes(DISABLED).is_some() {
            return Err(nothing());
        }
        let mut line = match target.base.is_root() {
            true => vec![root],
            false => self.line(&space, &target.base.node)?,
        };
        for name in target.path.components() {
            let folder = line.last().ok_or_else(nothing)?.info.id.node.clone();
            let child = self.child(&space, &folder, name)?.ok_or_else(nothing)?;
            line.push(self.node(&space, &child)?.ok_or_else(nothing)?);
        }
        let permissions = self.permissions_at(&line);
        Ok(Place { space, line, permissions })
    }

    fn permissions_at(&self, line: &[Arc<Entry>]) -> Permissions {
        let owner = line.first().and_then(|root| root.info.owner.as_ref());
        let levels = line.iter().map(|entry| entry.level());
        access::permissions(&self.cx.caller, owner, levels, self.cx.now)
    }

    pub(crate) fn permissions(&self, place: &Place) -> Permissions {
        self.permissions_at(&place.line)
    }

    /// How many nodes at the beginning of the line have no name in paths that are shown to the
    /// caller: the root, and all above the topmost one that they may see (as in oCIS).
    fn unseen(&self, place: &Place) -> usize {
        let is_seen = |depth: &usize| {
            let line = place.line.get(..=*depth).unwrap_or_default();
            access::is_allowed(self.permissions_at(line), Permissions::STAT)
        };
        (0..place.line.len()).find(is_seen).unwrap_or(place.line.len()).max(1)
    }

    /// The path as the caller may see it.
    pub(crate) fn seen_path(&self, place: &Place) -> Result<SpacePath> {
        path(place.line.get(self.unseen(place)..).unwrap_or_default())
    }

    /// Refuses unless the caller may take a node out of its folder: who has no more than the node
    /// leaves it where it is.
    pub(crate) fn may_take_out(&self, place: &Place, need: Permissions) -> Result<()> {
        let above = place.above().map_or(Permissions::NONE, |above| self.permissions_at(above));
        match access::is_allowed(above, need) {
            true => Ok(()),
            false => Err(Error::denied("it cannot be taken out of its folder")),
        }
    }

    /// From the root of the space down to the node.
    pub(crate) fn line(&mut self, space: &SpaceId, node: &NodeId) -> Result<Vec<Arc<Entry>>> {
        let mut line = Vec::new();
        let mut next = Some(node.clone());
        while let Some(id) = next {
            // More than the deepest path: the parents must go in a circle.
            if line.len() > ocis_core::path::MAX_DEPTH + 1 {
                return Err(Error::internal("a folder lies within itself").with("node", node));
            }
            let entry = self.node(space, &id)?.ok_or_else(nothing)?;
            next = entry.info.parent.clone();
            line.push(entry);
        }
        line.reverse();
        let is_whole = line.first().is_some_and(|root| root.info.id.is_root());
        if is_whole { Ok(line) } else { Err(nothing()) }
    }

    /// The folder that `target` is to lie in, and its name there. `Conflict` when there is no such
    /// folder.
    pub(crate) fn spot(&mut self, target: &Reference) -> Result<(Place, String)> {
        let name = target.path.name().ok_or_else(|| Error::conflict("this is there already"))?;
        let path = target.path.parent().unwrap_or_default();
        let folder = match self.place(&Reference::below(target.base.clone(), path)) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // Whoever may not see the space learns nothing of it, not even by a conflict.
                self.place(&Reference::node(ocis_core::id::ResourceId::root(
                    target.base.storage.clone(),
                    target.base.space.clone(),
                )))?;
                return Err(Error::conflict("the folder that it is to lie in does not exist"));
            }
            result => result?,
        };
        if folder.entry()?.info.kind != NodeKind::Folder {
            return Err(Error::conflict("what it is to lie in is a file"));
        }
        // What oCIS once took stays within reach, but nothing new is called so.
        if self.child(&folder.space, &folder.id()?, name)?.is_none() {
            ocis_core::name::check(name)?;
        }
        Ok((folder, name.to_owned()))
    }

    /// The same for the content of a file. The file that is there may be meant by its id, and who may
    /// see it need not see its folder.
    pub(crate) fn file_spot(&mut self, target: &Reference) -> Result<(Place, String)> {
        if target.path.is_root() {
            let file = self.place(target)?;
            return self.around(&file)?.ok_or_else(|| Error::conflict("this is a space"));
        }
        let refused = match self.spot(target) {
            Err(error) if matches!(error.kind(), ErrorKind::Conflict | ErrorKind::NotFound) => {
                error
            }
            spot => return spot,
        };
        match self.place(target) {
            Ok(file) => self.around(&file)?.ok_or(refused),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(refused),
            Err(error) => Err(error),
        }
    }

    /// The folder that a node lies in, whether the caller may see it or not, and its name there; none
    /// for the root of a space.
    pub(crate) fn around(&self, place: &Place) -> Result<Option<(Place, String)>> {
        let Some(above) = place.above() else { return Ok(None) };
        let (space, line) = (place.space.clone(), above.to_vec());
        let folder = Place { space, permissions: self.permissions_at(above), line };
        Ok(Some((folder, place.entry()?.info.name.clone())))
    }

    /// The child of `folder` with this name, with everything above it. A link to a node that does not
    /// exist, as a crash of oCIS leaves it, is none.
    pub(crate) fn below(&mut self, folder: &Place, name: &str) -> Result<Option<Place>> {
        let Some(id) = self.child(&folder.space, &folder.id()?, name)? else { return Ok(None) };
        let Some(entry) = self.node(&folder.space, &id)? else {
            let files = self.store.root().join(paths::node(&folder.space, &id));
            // What lost its metadata may be mended.
            return if is_missing(&self.store.fs.stat(&files)) { Ok(None) } else { Err(nothing()) };
        };
        let mut line = folder.line.clone();
        line.push(entry);
        Ok(Some(Place { space: folder.space.clone(), line, permissions: folder.permissions }))
    }

    /// Refuses with `Locked` unless the tokens open every lock that covers the node.
    pub(crate) fn unlocked(&self, place: &Place, tokens: &[String]) -> Result<()> {
        open(&place.locks(self)?, tokens)
    }

    /// The same for everything below a folder as well.
    pub(crate) fn all_unlocked(&mut self, place: &Place, tokens: &[String]) -> Result<()> {
        self.unlocked(place, tokens)?;
        for entry in self.all_below(place)? {
            let held: Vec<_> = alive(&entry, self)
                .map(|lock| ActiveLock { lock: lock.clone(), root: SpacePath::root() })
                .collect();
            open(&held, tokens)?;
        }
        Ok(())
    }

    /// Everything below a folder, each node once even where damaged data goes in circles.
    pub(crate) fn all_below(&mut self, place: &Place) -> Result<Vec<Arc<Entry>>> {
        if place.entry()?.info.kind == NodeKind::File {
            return Ok(Vec::new());
        }
        let (space, folder) = (&place.space, place.id()?);
        let (mut found, mut seen) = (Vec::new(), HashSet::from([folder.clone()]));
        let mut rest = vec![folder];
        while let Some(folder) = rest.pop() {
            for (_, id) in self.children(space, &folder, None, usize::MAX)? {
                if !seen.insert(id.clone()) {
                    continue;
                }
                let Some(entry) = self.sound(space, &id)? else { continue };
                if entry.info.kind == NodeKind::Folder {
                    rest.push(id);
                }
                found.push(entry);
            }
        }
        Ok(found)
    }

    /// A node; none when there is none, or its files are damaged, which must not hide the others.
    pub(crate) fn sound(&mut self, space: &SpaceId, id: &NodeId) -> Result<Option<Arc<Entry>>> {
        match self.node(space, id) {
            Err(error) if !self.is_cold() => {
                tracing::error!(?error, %space, node = %id, "left out: its files are damaged");
                Ok(None)
            }
            result => result,
        }
    }

    /// Refuses with `PreconditionFailed` unless the conditions hold for what is there, if anything.
    pub(crate) fn met(&self, there: Option<&Entry>, conditions: &Conditions) -> Result<()> {
        let etag: Option<&Etag> = there.map(|entry| &entry.info.etag);
        let wrong = conditions.if_match.as_ref().is_some_and(|wanted| !wanted.matches(etag))
            || conditions.if_none_match.as_ref().is_some_and(|banned| banned.matches(etag))
            || conditions.if_unmodified_since.is_some_and(|time| {
                there.is_some_and(|entry| entry.info.mtime.unix_seconds() > time.unix_seconds())
            });
        if wrong { Err(Error::precondition("it was changed meanwhile")) } else { Ok(()) }
    }
}

/// Refuses unless one token of each group of shared locks and that of the exclusive one is there.
fn open(locks: &[ActiveLock], tokens: &[String]) -> Result<()> {
    let is_open = locks.is_empty() || locks.iter().any(|held| tokens.contains(&held.lock.token));
    if is_open { Ok(()) } else { Err(Error::locked("it is locked")) }
}
