//! Out of the trash, back into the tree.

use std::sync::Arc;

use ocis_core::access;
use ocis_core::event::EventKind;
use ocis_core::id::ResourceId;
use ocis_core::node::NodeKind;
use ocis_core::permissions::Permissions;
use ocis_core::port::{Changed, RestoreTrash};
use ocis_core::reference::Reference;
use ocis_core::trash::Collision;
use ocis_core::{Cx, Error, Result};

use super::{Found, Store, children_of, nothing, top_of};
use crate::journal::Action;
use crate::layout::attributes as key;
use crate::layout::paths;
use crate::store::access::Place;
use crate::store::change::Change;
use crate::store::state::Children;
use crate::store::upload::within_quota;

/// Names that are tried for what comes back beside something of its name.
const MAX_TRIES: u32 = 10_000;

impl Store {
    /// Brings back what was deleted, or something that lies in it.
    pub(crate) async fn restore_trash(
        self: &Arc<Self>,
        cx: &Cx,
        request: RestoreTrash,
    ) -> Result<Changed> {
        if request.space.storage != self.options.storage {
            return Err(nothing());
        }
        let _trash = self.trash.lock().await;
        self.unpinned(&request.space.space, &top_of(&request.key)?).await?;
        let (space, key, store) =
            (request.space.space.clone(), request.key.clone(), Arc::clone(self));
        let (found, children) = self
            .reading(move |_| {
                let found = store.find_trashed(&space, &key)?;
                let children = children_of(&store, found.item())?;
                Ok((found, children))
            })
            .await?;
        self.change(cx, move |change| change.restore(&request, &found, children)).await
    }
}

impl Change<'_> {
    fn restore(
        &mut self,
        request: &RestoreTrash,
        found: &Found,
        children: Children,
    ) -> Result<Changed> {
        self.may(found, Permissions::RESTORE_TRASH)?;
        let (space, item) = (&found.space, found.item());
        let to = self.destination(request, found)?;
        let (folder, mut name) = self.spot(&to)?;
        access::require(folder.permissions, Permissions::UPLOAD)?;
        let there = self.below(&folder, &name)?;
        if there.is_some() && request.collision == Collision::KeepBoth {
            name = self.free_name(&folder, &name, item.kind)?;
        }
        let overwrite = request.collision == Collision::Replace;
        let created = self.make_room(&folder, &name, overwrite, &request.lock_tokens)?;
        let replaced = match &there {
            Some(there) if !created => there.entry()?.info.size,
            _ => 0,
        };
        within_quota(&folder, item.size, replaced)?;
        match found.folder() {
            None => {
                let node = paths::node(space, &item.id);
                self.act(Action::Rename(format!("{}.mpk", item.place), format!("{node}.mpk")));
                self.act(Action::Rename(item.place.clone(), node));
                self.act(Action::Remove(format!("{}.mlock", item.place)));
            }
            Some(folder) => {
                self.act(Action::Remove(format!("{}/{}", folder.place, item.name)));
                for (depth, folder) in found.above().enumerate() {
                    self.shrink(space, depth == 0, folder, item.size);
                }
            }
        }
        let mut attributes = item.attributes.clone();
        attributes.remove(key::TRASH_ORIGIN);
        attributes.set(key::NAME, &name);
        attributes.set(key::PARENT, folder.id()?);
        if item.kind == NodeKind::Folder {
            attributes.set(key::TREE_SIZE, item.size);
        }
        let entry = self.put(space, &item.id, attributes, Vec::new())?;
        self.act(Action::Remove(paths::lock(space, &item.id)));
        if item.kind == NodeKind::Folder {
            self.measure(space, &item.id, entry.info.mtime, item.size);
            self.take_back(space, &item.id, children);
        }
        self.list(space, &folder.id()?, &name, &item.id);
        if found.folder().is_none() {
            let link = paths::trash(space, &item.id);
            self.act(Action::Remove(link.clone()));
            self.act(Action::Prune(link));
        }
        let size = i64::try_from(item.size).unwrap_or(i64::MAX);
        self.propagate(space, &folder.id()?, size)?;
        let (node, about) = self.outcome(&entry.info.id)?;
        let (key, from) = (request.key.clone(), found.origin());
        self.tell(EventKind::ItemRestored { node: about, key, from });
        Ok(Changed { node, created })
    }

    /// Where something comes back to.
    fn destination(&self, request: &RestoreTrash, found: &Found) -> Result<Reference> {
        let storage = self.store.options.storage.clone();
        let root = ResourceId::root(storage, found.space.clone());
        let Some(to) = &request.to else {
            return Ok(Reference::below(root, found.origin()));
        };
        if (&to.base.storage, &to.base.space) != (&root.storage, &root.space) {
            return Err(Error::invalid("what was deleted comes back to its own space only"));
        }
        Ok(to.clone())
    }

    /// A name that is free in the folder: `name (1).ext`, then `name (2).ext`.
    fn free_name(&mut self, folder: &Place, name: &str, kind: NodeKind) -> Result<String> {
        let dot = ending(name).unwrap_or(name.len());
        let (stem, ending) = match kind {
            NodeKind::File if dot > 0 => name.split_at(dot),
            _ => (name, ""),
        };
        for number in 1..MAX_TRIES {
            let name = format!("{stem} ({number}){ending}");
            ocis_core::name::check(&name)?;
            if self.child(&folder.space, &folder.id()?, &name)?.is_none() {
                return Ok(name);
            }
        }
        Err(Error::conflict("there are too many of this name"))
    }
}

/// Where the ending of a name begins: its last dot, or, as in oCIS, that of a packed archive.
fn ending(name: &str) -> Option<usize> {
    const ARCHIVES: [&str; 3] = [".tar.gz", ".tar.bz", ".tar.bz2"];
    let ends = |archive: &&&str| {
        name.len()
            .checked_sub(archive.len())
            .and_then(|at| name.get(at..))
            .is_some_and(|ending| ending.eq_ignore_ascii_case(archive))
    };
    let archive = ARCHIVES.iter().find(ends);
    archive.map(|archive| name.len() - archive.len()).or_else(|| name.rfind('.'))
}

#[cfg(test)]
mod tests {
    use super::ending;

    #[test]
    fn endings_of_archives_are_kept_whole() {
        assert_eq!(ending("a.b.txt"), Some(3));
        assert_eq!(ending("a.TAR.gz"), Some(1));
        assert_eq!(ending("a.tar.bz2"), Some(1));
        assert_eq!(ending("\u{e9}tar.gz"), Some(5));
        assert_eq!(ending("none"), None);
    }
}
