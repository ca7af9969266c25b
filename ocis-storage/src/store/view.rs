//! Nodes as one caller sees them.

use std::sync::Arc;

use ocis_core::Result;
use ocis_core::access;
use ocis_core::event::NodeRef;
use ocis_core::id::ResourceId;
use ocis_core::node::{Node, NodeKind};
use ocis_core::permissions::Permissions;
use ocis_core::port::{Cursor, Page, PageRequest};
use ocis_core::reference::Reference;
use ocis_core::{Caller, Error};

use super::access::Place;
use super::change::Change;
use super::state::Entry;
use super::upload::ContentRef;
use crate::layout::attributes::FAVORITE;

impl Change<'_> {
    /// A node that the caller may see.
    pub(crate) fn visible(&mut self, target: &Reference) -> Result<Node> {
        let place = self.place(target)?;
        self.view(&place)
    }

    /// What the caller sees of a node.
    pub(crate) fn view(&self, place: &Place) -> Result<Node> {
        let entry = place.entry()?;
        Ok(Node {
            info: Arc::clone(&entry.info),
            path: self.seen_path(place)?,
            permissions: place.permissions,
            favorite: self.is_favorite(entry),
            locks: place.locks(self)?,
        })
    }

    /// What a change made of a node: as the caller sees it, and as events name it.
    pub(crate) fn outcome(&mut self, id: &ResourceId) -> Result<(Node, NodeRef)> {
        let place = self.place(&Reference::node(id.clone()))?;
        Ok((self.view(&place)?, place.named()?))
    }

    fn is_favorite(&self, entry: &Entry) -> bool {
        entry.is_favored
            && favorite_key(&self.cx.caller)
                .is_some_and(|key| entry.attributes.text(&key) == Some("1"))
    }

    /// A page of a folder's children.
    pub(crate) fn page(&mut self, target: &Reference, page: &PageRequest) -> Result<Page<Node>> {
        let folder = self.place(target)?;
        if folder.entry()?.info.kind != NodeKind::Folder {
            return Err(Error::conflict("it is not a folder"));
        }
        access::require(folder.permissions, Permissions::LIST_CONTAINER)?;
        let after = page.cursor.as_ref().map(|cursor| cursor.0.as_str());
        let limit = page.limit.clamp(1, 10_000) as usize;
        let names = self.children(&folder.space, &folder.id()?, after, limit)?;
        let next = match names.last() {
            Some((name, _)) if names.len() == limit => Some(Cursor(name.to_string())),
            _ => None,
        };
        let (path, above) = (self.seen_path(&folder)?, folder.locks(self)?);
        let above: Vec<_> = above.into_iter().filter(|held| held.lock.deep).collect();
        let mut items = Vec::with_capacity(names.len());
        for (at, (name, id)) in names.iter().enumerate() {
            let entry = match self.sound(&folder.space, id) {
                Ok(Some(entry)) => entry,
                Ok(None) => continue,
                Err(error) => {
                    if self.is_cold() {
                        let rest = names.get(at..).unwrap_or_default().iter();
                        self.need_all(&folder.space, rest.map(|(_, id)| id.clone()));
                    }
                    return Err(error);
                }
            };
            let mut locks = above.clone();
            let permissions = if entry.grants.is_empty() && entry.locks.is_empty() {
                folder.permissions
            } else {
                let Some(place) = self.below(&folder, name)? else { continue };
                locks = place.locks(self)?;
                self.permissions(&place)
            };
            if !access::is_allowed(permissions, Permissions::STAT) {
                continue;
            }
            let Ok(path) = path.join(name) else {
                tracing::error!(%name, node = %id, "left out of a listing: no such name is possible");
                continue;
            };
            let favorite = self.is_favorite(&entry);
            let info = Arc::clone(&entry.info);
            items.push(Node { info, path, permissions, favorite, locks });
        }
        Ok(Page { items, next })
    }

    /// A node and, for a file, where its content is, and whether it is there yet; the caller may
    /// read it.
    pub(crate) fn content(
        &mut self,
        target: &Reference,
    ) -> Result<(Node, Option<ContentRef>, bool)> {
        let place = self.place(target)?;
        let entry = Arc::clone(place.entry()?);
        if entry.info.kind == NodeKind::File {
            access::require(place.permissions, Permissions::DOWNLOAD)?;
        }
        self.readable(&entry)?;
        let is_file = entry.info.kind == NodeKind::File;
        let content = is_file.then(|| ContentRef {
            space: place.space.clone(),
            blob: entry.blob.clone(),
            size: entry.info.size,
        });
        let is_written = !self.is_pinned(&place.space, &entry.info.id.node);
        Ok((self.view(&place)?, content, is_written))
    }
}

/// The attribute that holds whether the caller marked a node as a favorite.
pub(super) fn favorite_key(caller: &Caller) -> Option<String> {
    let identity = caller.identity().ok()?;
    Some(format!("{FAVORITE}:primary:{}@{}", identity.id, identity.idp))
}
