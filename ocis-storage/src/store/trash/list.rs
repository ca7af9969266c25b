//! Pages of the trash, and of folders in it.

use std::path::Path;
use std::sync::Arc;

use ocis_core::id::{NodeId, SpaceId};
use ocis_core::node::NodeKind;
use ocis_core::path::SpacePath;
use ocis_core::permissions::Permissions;
use ocis_core::port::{Cursor, ListTrash, Page};
use ocis_core::time::Timestamp;
use ocis_core::trash::TrashItem;
use ocis_core::{Cx, Result};

use super::{Found, Item, Store, top_of};
use crate::fs::{Kind, is_missing};
use crate::journal::broken;
use crate::layout::attributes as key;
use crate::layout::paths;

impl Store {
    /// A page of the trash, in the order of the ids, or of a folder in it, in the order of names. A
    /// file in the trash is listed as itself. What is damaged is left out.
    pub(crate) async fn list_trash(
        self: &Arc<Self>,
        cx: &Cx,
        request: ListTrash,
    ) -> Result<Page<TrashItem>> {
        self.look(cx, |change| change.trash_root(&request.space, Permissions::LIST_TRASH))?;
        self.catch_up().await?;
        if let Some(key) = &request.key {
            self.unpinned(&request.space.space, &top_of(key)?).await?;
        }
        self.reading(move |store| {
            let after = request.page.cursor.as_ref().map(|cursor| cursor.0.as_str());
            let limit = request.page.limit.clamp(1, 10_000) as usize;
            let space = &request.space.space;
            match &request.key {
                None => store.trash_page(space, after, limit),
                Some(key) => store.folder_page(&store.find_trashed(space, key)?, after, limit),
            }
        })
        .await
    }

    fn trash_page(
        &self,
        space: &SpaceId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<TrashItem>> {
        let (ids, next) = self.trash_ids(space, after, limit)?;
        let mut items = Vec::with_capacity(ids.len());
        for id in ids {
            match self.deleted(space, &id) {
                Ok(Some((item, deleted))) => {
                    let origin = item.attributes.text(key::TRASH_ORIGIN).unwrap_or(&item.name);
                    let origin = SpacePath::parse(origin).unwrap_or_default();
                    items.push(told(&item, id.to_string(), origin, deleted));
                }
                Ok(None) => {}
                Err(error) => tracing::error!(?error, node = %id, "left out of the trash"),
            }
        }
        Ok(Page { items, next: next.map(Cursor) })
    }

    /// A page of the ids of what was deleted, and after which to go on; blocking.
    pub(super) fn trash_ids(
        &self,
        space: &SpaceId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<NodeId>, Option<String>)> {
        let mut ids = Vec::new();
        let folder = self.root.join(paths::space(space)).join("trash");
        self.links(&folder, "", after, limit, &mut ids)?;
        let next = ids.last().filter(|_| ids.len() == limit).map(NodeId::to_string);
        Ok((ids, next))
    }

    /// Collects the ids that the links below a folder stand for.
    fn links(
        &self,
        at: &Path,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        ids: &mut Vec<NodeId>,
    ) -> Result<()> {
        let entries = self.fs.read_dir(at);
        if is_missing(&entries) {
            return Ok(());
        }
        let mut entries = entries.map_err(broken)?;
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        for entry in entries {
            let id = format!("{prefix}{}", entry.name);
            let is_past = |after: &str| id.as_str() <= after;
            match entry.kind {
                _ if ids.len() >= limit => break,
                Kind::Folder
                    if after.is_some_and(|after| is_past(after) && !after.starts_with(&id)) => {}
                Kind::Folder => self.links(&at.join(&entry.name), &id, after, limit, ids)?,
                Kind::Symlink if after.is_some_and(is_past) => {}
                Kind::Symlink => ids.extend(NodeId::parse(&id)),
                Kind::File => {}
            }
        }
        Ok(())
    }

    fn folder_page(
        &self,
        found: &Found,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<TrashItem>> {
        let folder = found.item();
        let (origin, key) = (found.origin(), found.key());
        if folder.kind == NodeKind::File {
            return Ok(Page { items: vec![told(folder, key, origin, found.deleted)], next: None });
        }
        let mut names = self.names(folder)?;
        names.retain(|name| after.is_none_or(|after| name.as_str() > after));
        names.truncate(limit);
        let next = names.last().filter(|_| names.len() == limit).map(|name| Cursor(name.clone()));
        let mut items = Vec::with_capacity(names.len());
        for name in names {
            match self.inside(&found.space, folder, &name) {
                Ok(Some(item)) => {
                    let origin = origin.join(&name).unwrap_or_default();
                    items.push(told(&item, format!("{key}/{name}"), origin, found.deleted));
                }
                Ok(None) => {}
                Err(error) => tracing::error!(?error, name, "left out of the trash"),
            }
        }
        Ok(Page { items, next })
    }

    /// The names in a folder of the trash, sorted; none in a file.
    pub(super) fn names(&self, folder: &Item) -> Result<Vec<String>> {
        let entries = self.fs.read_dir(&self.root.join(&folder.place));
        if is_missing(&entries) {
            return Ok(Vec::new());
        }
        let entries = entries.map_err(broken)?.into_iter();
        let mut names: Vec<_> =
            entries.filter(|entry| entry.kind == Kind::Symlink).map(|entry| entry.name).collect();
        names.sort();
        Ok(names)
    }
}

fn told(item: &Item, key: String, origin: SpacePath, deleted: Timestamp) -> TrashItem {
    let (name, kind, size) = (item.name.clone(), item.kind, item.size);
    TrashItem { key, name, kind, origin, size, deleted }
}
