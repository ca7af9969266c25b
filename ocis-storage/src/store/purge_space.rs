//! Removing a disabled space for ever.
//!
//! One record takes the space out of the indexes and moves its folder below ours, so that it is
//! there whole or not at all. What was moved is removed file by file when the journal has no record
//! of the space any more, which a replay would give its files back for; what a crash leaves of it is
//! removed when the store is opened. Until then no space of the same id can be made.

use std::path::Path;
use std::sync::Arc;

use ocis_core::access::{Grantee, SpaceRight, has_right};
use ocis_core::event::EventKind;
use ocis_core::id::{BlobId, ResourceId, SpaceId};
use ocis_core::space::SpaceKind;
use ocis_core::{Caller, Cx, Error, Result};

use super::change::Change;
use super::{OURS, Store};
use crate::blob::drops::Drops;
use crate::fs::{Fs, Kind, is_missing};
use crate::journal::{Action, broken};
use crate::layout::attributes::{Attributes, BLOB};
use crate::layout::{index, paths};

/// Where the folders of purged spaces wait for their removal, relative to the root of the store.
fn waiting() -> String {
    format!("{OURS}/purged")
}

fn remains(space: &SpaceId) -> String {
    format!("{}/{space}", waiting())
}

impl Change<'_> {
    fn purge_space(&mut self, space: &ResourceId) -> Result<()> {
        let root = self.space_root(space)?;
        let caller = &self.cx.caller;
        let may = match root.kind() {
            SpaceKind::Personal => has_right(caller, SpaceRight::DeletePersonal),
            SpaceKind::Project => root.is_managed() || has_right(caller, SpaceRight::PurgeProject),
            SpaceKind::Metadata => matches!(caller, Caller::Service(_)),
        };
        if !may {
            return Err(root.refuse(caller));
        }
        if !root.is_disabled() {
            return Err(Error::invalid(
                "a space that is in use cannot be purged: disable it first",
            ));
        }
        let space = &space.space;
        self.act(Action::Folder(waiting()));
        let (from, to) = (paths::space(space), remains(space));
        if space.as_str().len() > 2 {
            self.act(Action::Rename(from, to));
        } else {
            // The folder of such a space also holds those whose ids begin like its own.
            self.act(Action::Folder(to.clone()));
            for part in ["nodes", "trash", "blobs"] {
                self.act(Action::Rename(format!("{from}/{part}"), format!("{to}/{part}")));
            }
        }
        let types = [root.kind().as_str(), "share"].map(paths::index_by_type);
        // oCIS also lists project spaces under nobody.
        let nobody = paths::index_by_user("");
        let owner = root.entry.info.owner.iter().cloned().map(Grantee::User);
        let members = root.entry.grants.iter().map(|grant| grant.grantee.clone()).chain(owner);
        let indexes = members.map(|member| index::of(&member)).chain(types).chain([nobody]);
        for path in indexes.collect::<Vec<_>>() {
            self.act(Action::Unindex(path, space.clone()));
        }
        self.forget_space(space);
        self.tell(EventKind::SpaceDeleted {
            space: root.entry.info.id.clone(),
            name: root.entry.info.name.clone(),
            members: root.entry.grants.clone(),
        });
        Ok(())
    }
}

impl Store {
    /// Removes a disabled space with everything in it.
    pub(crate) async fn purge_space(self: Arc<Self>, cx: &Cx, space: ResourceId) -> Result<()> {
        let id = space.space.clone();
        self.change(cx, move |change| change.purge_space(&space)).await?;
        let store = Arc::clone(&self);
        let removed = tokio::task::spawn_blocking(move || {
            store.journal.checkpoint()?;
            remove_remains(&*store.fs, &store.drops, store.root(), &id)
        });
        // The space is gone whatever becomes of its remains.
        match removed.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(?error, "a purged space takes up room until the store is opened");
            }
            Err(error) => tracing::error!(%error, "the removal of a purged space broke off"),
        }
        self.drops.tried().await;
        Ok(())
    }

    /// Refuses while there is something left of a purged space of this id.
    pub(super) fn not_being_purged(&self, space: &SpaceId) -> Result<()> {
        if is_missing(&self.fs.stat(&self.root().join(remains(space)))) {
            return Ok(());
        }
        Err(Error::unavailable("a space of this id is being removed: try again later"))
    }
}

/// Removes what is left of purged spaces. Blocking; when a store is opened, after the replay.
pub(super) fn sweep(fs: &dyn Fs, drops: &Drops, root: &Path) -> Result<()> {
    let entries = fs.read_dir(&root.join(waiting()));
    if is_missing(&entries) {
        return Ok(());
    }
    for entry in entries.map_err(broken)? {
        if let Ok(space) = SpaceId::parse(&entry.name)
            && let Err(error) = remove_remains(fs, drops, root, &space)
        {
            tracing::error!(?error, %space, "a purged space takes up room until the next opening");
        }
    }
    Ok(())
}

/// Removes the contents first, and then the files that know of them.
fn remove_remains(fs: &dyn Fs, drops: &Drops, root: &Path, space: &SpaceId) -> Result<()> {
    let folder = root.join(remains(space));
    drop_contents(fs, drops, space, &folder)?;
    fs.sync_all(root).map_err(broken)?;
    let removed = fs.remove_all(&folder);
    if is_missing(&removed) { Ok(()) } else { removed.map_err(broken) }
}

/// Drops the contents that the metadata below a folder refers to.
fn drop_contents(fs: &dyn Fs, drops: &Drops, space: &SpaceId, folder: &Path) -> Result<()> {
    let entries = fs.read_dir(folder);
    if is_missing(&entries) {
        return Ok(());
    }
    for entry in entries.map_err(broken)? {
        let path = folder.join(&entry.name);
        if entry.kind == Kind::Folder {
            drop_contents(fs, drops, space, &path)?;
        } else if entry.kind == Kind::File && entry.name.ends_with(".mpk") {
            let metadata = Attributes::decode(&fs.read(&path).map_err(broken)?).unwrap_or_default();
            if let Some(blob) = metadata.text(BLOB).and_then(|id| BlobId::parse(id).ok()) {
                drops.drop_blob(space, &blob)?;
            }
        }
    }
    Ok(())
}
