//! Out of the trash, for good.
//!
//! What is removed may be a million files. So it goes in batches of a bounded record each, what lies
//! deepest first: whatever happens in between, what is left fits together. The lock of the memory is
//! held for a batch that is worked out already, never while files are read.
//!
//! A file is one record, and everything else that was deleted an order (`order.rs`), so that it is
//! purged in one step. Only what lies in a deleted folder, and is purged by itself, is not: what is
//! left of it after a crash is still listed.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use ocis_core::event::EventKind;
use ocis_core::id::{BlobId, NodeId, ResourceId, SpaceId};
use ocis_core::node::NodeKind;
use ocis_core::permissions::Permissions;
use ocis_core::port::PurgeTrash;
use ocis_core::time::Timestamp;
use ocis_core::version::Purged;
use ocis_core::{Cx, Error, ErrorKind, Result};

use super::{Found, Item, Store, nothing, top_of};
use crate::fs::is_missing;
use crate::journal::{Action, broken};
use crate::layout::attributes::{self as key, Attributes};
use crate::layout::paths;
use crate::store::change::Change;
use crate::store::versions::revisions;

/// Deleted nodes that are looked up at once.
pub(super) const PAGE: usize = 1000;

/// How far the removal of one item has come: the folders that it is in, by name, from the item down,
/// with the names in each that are still to be done.
#[derive(Debug, Default)]
pub(super) struct Walk(Vec<Level>);

#[derive(Debug)]
struct Level {
    name: String,
    rest: Vec<String>,
    /// Something in it is damaged and stays, so it stays as well.
    is_stuck: bool,
}

/// The names in the folder of a node that was looked at last: nodes that were made together lie in
/// one, and it is long. Of what is being removed, nobody changes anything there but the removal.
#[derive(Debug, Default)]
pub(super) struct Beside {
    folder: String,
    names: BTreeSet<String>,
}

impl Beside {
    /// Those that belong to the node whose own name is `base`.
    fn of<'a>(&'a self, base: &'a str) -> impl Iterator<Item = &'a str> {
        let names = self.names.range::<str, _>((Bound::Included(base), Bound::Unbounded));
        names.map(String::as_str).take_while(move |name| name.starts_with(base))
    }
}

/// What one record removes.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Steps after which it is long enough.
    limit: usize,
    pub(super) steps: Vec<Action>,
    gone: Vec<NodeId>,
    pub(super) purged: Purged,
    /// Folders that stay in the trash, and the bytes that they lose; the first is what was deleted.
    line: Vec<(Item, u64)>,
    pub(super) is_last: bool,
}

impl Batch {
    fn is_full(&self) -> bool {
        self.steps.len() >= self.limit
    }

    fn remove(&mut self, path: String) {
        self.steps.push(Action::Remove(path));
    }

    /// A content that the removed metadata names.
    fn drop_blob(&mut self, space: &SpaceId, attributes: &Attributes) {
        let Some(blob) = attributes.text(key::BLOB).and_then(|id| BlobId::parse(id).ok()) else {
            return;
        };
        self.purged.blobs += 1;
        self.purged.bytes += attributes.get::<u64>(key::BLOB_SIZE).unwrap_or(0);
        self.steps.push(Action::DropBlob(space.clone(), blob));
    }

    fn lose(&mut self, bytes: u64) {
        self.line.iter_mut().for_each(|(_, lost)| *lost += bytes);
    }
}

impl Store {
    /// Removes one item, or all of them, for good.
    pub(crate) async fn purge_trash(
        self: &Arc<Self>,
        cx: &Cx,
        request: PurgeTrash,
    ) -> Result<Purged> {
        let PurgeTrash { space: root, key, before } = request;
        if root.storage != self.options.storage {
            return Err(nothing());
        }
        if let Some(key) = key {
            return self.purge_item(cx, &root.space, &key, before).await;
        }
        // On a thread of its own: it goes on when the caller goes away.
        let cx = cx.clone();
        let purged = self.reading(move |store| store.empty_trash(&cx, &root, before)).await;
        self.drops.tried().await;
        purged
    }

    async fn purge_item(
        self: &Arc<Self>,
        cx: &Cx,
        space: &SpaceId,
        key: &str,
        before: Option<Timestamp>,
    ) -> Result<Purged> {
        let top = top_of(key)?;
        let (mut walk, mut has_begun, mut total) = (Walk::default(), false, Purged::default());
        loop {
            let trash = self.trash.lock().await;
            self.unpinned(space, &top).await?;
            let (within, key) = (space.clone(), key.to_owned());
            let planned = self
                .reading(move |store| {
                    let found = store.find_trashed(&within, &key)?;
                    if before.is_some_and(|before| found.deleted >= before) {
                        return Ok(None);
                    }
                    let (limit, mut beside) = (store.options.purge_steps.max(1), Beside::default());
                    let batch = store.batch(&found, &mut walk, &mut beside, limit)?;
                    Ok(Some((found, batch, walk)))
                })
                .await;
            let (found, batch, rest) = match planned {
                Ok(Some(planned)) => planned,
                Ok(None) => return Ok(total),
                // Taken out of the trash between two batches.
                Err(error) if has_begun && error.kind() == ErrorKind::NotFound => return Ok(total),
                Err(error) => return Err(error),
            };
            if found.below.is_empty() && !batch.is_last {
                drop(trash);
                let cx = cx.clone();
                let purged = self.reading(move |store| store.order_one(&cx, found)).await;
                self.drops.tried().await;
                return purged;
            }
            (walk, has_begun) = (rest, true);
            let (purged, is_last) = (batch.purged, batch.is_last);
            self.change(cx, move |change| change.purge(&found, batch)).await?;
            total.items += purged.items;
            total.blobs += purged.blobs;
            total.bytes += purged.bytes;
            if is_last {
                return Ok(total);
            }
        }
    }

    /// Works out the next record of a removal; blocking.
    pub(super) fn batch(
        &self,
        found: &Found,
        walk: &mut Walk,
        beside: &mut Beside,
        limit: usize,
    ) -> Result<Batch> {
        let mut batch = Batch { limit, ..Batch::default() };
        batch
            .line
            .extend(std::iter::once(&found.top).chain(&found.below).map(|item| (item.clone(), 0)));
        if walk.0.is_empty() {
            walk.0.push(self.level(found.item().name.clone(), found.item())?);
        }
        // The folders that the walk is in may have been taken out of the trash meanwhile.
        let mut depth = 1;
        while let Some(level) = walk.0.get(depth) {
            let Some((folder, _)) = batch.line.last() else { break };
            let Some(item) = self.inside(&found.space, folder, &level.name)? else { break };
            batch.line.push((item, 0));
            depth += 1;
        }
        walk.0.truncate(depth);
        while !batch.is_full() && !batch.is_last {
            self.step(&found.space, walk, beside, &mut batch)?;
        }
        Ok(batch)
    }

    fn step(
        &self,
        space: &SpaceId,
        walk: &mut Walk,
        beside: &mut Beside,
        batch: &mut Batch,
    ) -> Result<()> {
        let (Some(level), Some((item, lost))) = (walk.0.last_mut(), batch.line.last()) else {
            batch.is_last = true;
            return Ok(());
        };
        if let Some(name) = level.rest.pop() {
            match self.inside(space, item, &name) {
                Ok(Some(child)) => {
                    walk.0.push(self.level(name, &child)?);
                    batch.line.push((child, 0));
                }
                Ok(None) => {}
                Err(error) if error.kind() == ErrorKind::Internal => {
                    tracing::error!(?error, name, "left behind by a purge");
                    level.is_stuck = true;
                }
                Err(error) => return Err(error),
            }
            return Ok(());
        }
        if level.is_stuck {
            // What it lost already has to be written first.
            if *lost > 0 {
                batch.limit = 0;
                return Ok(());
            }
            batch.line.pop();
            walk.0.pop();
            match walk.0.last_mut() {
                Some(above) => above.is_stuck = true,
                None => return Err(Error::internal("something in it is damaged and stays")),
            }
        } else if self.clear(space, item.clone(), beside, batch)? {
            walk.0.pop();
            batch.is_last = walk.0.is_empty();
        }
        Ok(())
    }

    fn level(&self, name: String, item: &Item) -> Result<Level> {
        // The first name is the last to be taken.
        let rest = if item.kind == NodeKind::File { Vec::new() } else { self.names(item)? };
        Ok(Level { name, rest, is_stuck: false })
    }

    /// Removes the innermost item of the line with everything that belongs to it; false when its
    /// versions alone filled the record.
    fn clear(
        &self,
        space: &SpaceId,
        item: Item,
        beside: &mut Beside,
        batch: &mut Batch,
    ) -> Result<bool> {
        let node = paths::node(space, &item.id);
        let (folder, base) = node.rsplit_once('/').unwrap_or(("", &node));
        if beside.folder != folder {
            let names = self.fs.read_dir(&self.root.join(folder));
            let names = if is_missing(&names) { Vec::new() } else { names.map_err(broken)? };
            let names = names.into_iter().map(|entry| entry.name).collect();
            *beside = Beside { folder: folder.to_owned(), names };
        }
        let is_there =
            |path: &str| path.rsplit_once('/').is_some_and(|(_, name)| beside.names.contains(name));
        for name in revisions(beside.of(base), base) {
            if batch.is_full() {
                return Ok(false);
            }
            let place = format!("{folder}/{name}");
            match self.fs.read(&self.root.join(format!("{place}.mpk"))) {
                Ok(bytes) => {
                    batch.drop_blob(space, &Attributes::decode(&bytes).unwrap_or_default())
                }
                result if is_missing(&result) => {}
                Err(error) => return Err(broken(error)),
            }
            for path in [place.clone(), format!("{place}.mpk"), format!("{place}.mlock")] {
                if is_there(&path) {
                    batch.remove(path);
                }
            }
        }
        let lost = batch.line.pop().map_or(0, |(_, lost)| lost);
        batch.lose(item.size.saturating_sub(lost));
        match batch.line.last() {
            Some((parent, _)) => batch.remove(format!("{}/{}", parent.place, item.name)),
            None => {
                let link = paths::trash(space, &item.id);
                batch.remove(link.clone());
                batch.steps.push(Action::Prune(link));
            }
        }
        if item.kind == NodeKind::Folder {
            batch.steps.push(Action::RemoveFolder(item.place.clone()));
        } else {
            batch.drop_blob(space, &item.attributes);
            batch.remove(item.place.clone());
        }
        let mut leftovers = vec![format!("{}.mpk", item.place), format!("{}.mlock", item.place)];
        for ending in ["mlock", "lock", "flock"] {
            leftovers.push(format!("{node}.{ending}"));
        }
        leftovers.dedup();
        leftovers.into_iter().filter(|path| is_there(path)).for_each(|path| batch.remove(path));
        batch.steps.push(Action::Prune(node));
        batch.purged.items += 1;
        batch.gone.push(item.id);
        Ok(true)
    }
}

impl Change<'_> {
    fn purge(&mut self, found: &Found, batch: Batch) -> Result<()> {
        self.may(found, Permissions::PURGE_TRASH)?;
        if batch.is_last {
            let space = ResourceId::root(self.store.options.storage.clone(), found.space.clone());
            self.tell(EventKind::ItemPurged { space, key: found.key(), from: found.origin() });
        }
        self.purge_part(found, batch);
        Ok(())
    }

    /// Removes what was worked out, whoever asks for it.
    pub(super) fn purge_part(&mut self, found: &Found, batch: Batch) {
        for (depth, (folder, lost)) in
            batch.line.iter().enumerate().filter(|(_, (_, lost))| *lost > 0)
        {
            self.shrink(&found.space, depth == 0, folder, *lost);
        }
        batch.steps.into_iter().for_each(|step| self.act(step));
        batch.gone.iter().for_each(|id| self.forget(&found.space, id));
        // Whoever reads of this item next waits for this record.
        self.forget(&found.space, &found.top.id);
    }
}
