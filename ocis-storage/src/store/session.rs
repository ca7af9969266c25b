//! Upload sessions as parts of changes.

use ocis_core::Result;
use ocis_core::id::BlobId;
use ocis_core::port::{Conditions, CreateSession};

use super::change::Change;
use super::upload::Prepared;
use crate::journal::Action;
use crate::layout::paths;
use crate::session::saved::{Ours, Saved, Stage};

impl Change<'_> {
    /// Checks everything that can be checked before an upload is begun.
    pub(crate) fn prepare_session(&mut self, request: &CreateSession) -> Result<Saved> {
        let upload = &request.upload;
        let prepared = self.prepare(upload)?;
        let mut saved = self.session_at(prepared, &upload.conditions)?;
        saved.length = upload.length;
        saved.mtime = upload.mtime;
        saved.checksum = upload.checksum.clone();
        saved.ours.metadata.clone_from(&request.metadata);
        Ok(saved)
    }

    /// The session of an upload whose place was found.
    pub(crate) fn session_at(
        &mut self,
        prepared: Prepared,
        conditions: &Conditions,
    ) -> Result<Saved> {
        let storage = self.store.options.storage.clone();
        let folder = self.at(&self.reference(&prepared.space, &prepared.parent))?;
        let path = folder.path()?.to_string();
        let owner = folder.line.first().and_then(|root| root.info.owner.clone());
        let ours = Ours {
            caller: self.cx.caller.clone(),
            conditions: conditions.clone(),
            metadata: Vec::new(),
            by_id: prepared.by_id,
            tentative: None,
            stage: Stage::Receiving,
        };
        let mut saved = Saved::new(prepared.blob.clone(), storage, prepared, ours);
        saved.folder = format!("/{}", path.trim_matches('/'));
        saved.owner = owner;
        saved.expires = Some(self.cx.now.plus(self.store.options.upload_expiration));
        Ok(saved)
    }

    /// Refuses with `InsufficientStorage` unless a content of this length fits at the place.
    pub(crate) fn fits(&mut self, at: &Prepared, length: u64) -> Result<()> {
        let folder = self.at(&self.reference(&at.space, &at.parent))?;
        self.has_room(&folder, length)
    }

    /// A session has this description.
    pub(crate) fn put_session(&mut self, saved: &Saved) {
        self.act(Action::Put(paths::session_info(&saved.id), saved.encode()));
    }

    /// A session is over; and so is the blob that may have been made of it, if nobody refers to it.
    pub(crate) fn drop_session(&mut self, saved: &Saved, with_blob: bool) {
        let blob: &BlobId = &saved.prepared.blob;
        if with_blob {
            self.drop_blob(&saved.prepared.space, Some(blob));
        }
        self.act(Action::Remove(paths::session_info(&saved.id)));
        self.act(Action::Remove(paths::session(&saved.id)));
    }
}
