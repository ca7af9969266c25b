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
use crate::blob::BlobStore;
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
        self.act(Action::Rename(paths::space(space), remains(space)));
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
        let removed = tokio::task::spawn_blocking(move || {
            self.journal.checkpoint()?;
            remove_remains(&*self.fs, &*self.blobs, self.root(), &id)
        });
        // The space is gone whatever becomes of its remains.
        match removed.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(?error, "a purged space takes up room until the store is opened");
            }
            Err(error) => tracing::error!(%error, "the removal of a purged space broke off"),
        }
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
pub(super) fn sweep(fs: &dyn Fs, blobs: &dyn BlobStore, root: &Path) -> Result<()> {
    let entries = fs.read_dir(&root.join(waiting()));
    if is_missing(&entries) {
        return Ok(());
    }
    for entry in entries.map_err(broken)? {
        if let Ok(space) = SpaceId::parse(&entry.name) {
            remove_remains(fs, blobs, root, &space)?;
        }
    }
    Ok(())
}

fn remove_remains(fs: &dyn Fs, blobs: &dyn BlobStore, root: &Path, space: &SpaceId) -> Result<()> {
    remove(fs, blobs, space, &root.join(remains(space)))
}

/// Removes a folder with all that is in it, and the contents that the metadata in it refers to:
/// each content before the last that is known of it.
fn remove(fs: &dyn Fs, blobs: &dyn BlobStore, space: &SpaceId, folder: &Path) -> Result<()> {
    let entries = fs.read_dir(folder);
    if is_missing(&entries) {
        return Ok(());
    }
    for entry in entries.map_err(broken)? {
        let path = folder.join(&entry.name);
        if entry.kind == Kind::Folder {
            remove(fs, blobs, space, &path)?;
            continue;
        }
        if entry.kind == Kind::File && entry.name.ends_with(".mpk") {
            let metadata = Attributes::decode(&fs.read(&path).map_err(broken)?).unwrap_or_default();
            if let Some(blob) = metadata.text(BLOB).and_then(|id| BlobId::parse(id).ok()) {
                blobs.delete(space, &blob)?;
            }
        }
        fs.unlink(&path).map_err(broken)?;
    }
    fs.rmdir(folder).map_err(broken)
}
