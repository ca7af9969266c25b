//! Contents that are being processed, as parts of changes.

use std::sync::Arc;

use ocis_core::event::EventKind;
use ocis_core::id::{BlobId, NodeId, ResourceId, SpaceId};
use ocis_core::reference::Reference;
use ocis_core::{Error, ErrorKind, Result};

use super::change::Change;
use super::state::Entry;
use crate::fs::is_missing;
use crate::journal::{Action, broken};
use crate::layout::attributes::{self as key, Attributes};
use crate::layout::paths;
use crate::session::saved::Saved;

/// What a version keeps of a content, and what comes back from it.
pub(super) const CONTENT: [&str; 8] = [
    key::TYPE,
    key::BLOB,
    key::BLOB_SIZE,
    key::MTIME,
    key::TMP_ETAG,
    "cs.sha1",
    "cs.md5",
    "cs.adler32",
];

/// How the processing of a content ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Not yet: it goes on as the session says.
    Later,
    /// It can be read.
    Ready,
    /// The file is as it was before.
    Reverted {
        /// Whether the bytes are kept.
        keep: bool,
    },
}

/// A file, and where its own files lie.
struct Holder {
    attributes: Attributes,
    /// Relative to the root of the store, without the suffix of the metadata.
    at: String,
    /// Its entry, unless it is in the trash.
    entry: Option<Arc<Entry>>,
}

/// The upload whose content a file shows while it is processed.
pub(super) fn upload_of(attributes: &Attributes) -> Option<BlobId> {
    attributes.text(key::STATUS)?.strip_prefix("processing:")?.parse().ok()
}

fn bytes_of(attributes: &Attributes) -> i64 {
    attributes.get(key::BLOB_SIZE).unwrap_or(0)
}

impl Change<'_> {
    /// Whether the file is being processed: the upload that it names is there, and not only named.
    pub(crate) fn is_processed(&self, entry: &Entry) -> bool {
        if entry.info.processing.is_none() {
            return false;
        }
        let Some(id) = upload_of(&entry.attributes) else { return false };
        let info = self.store.root().join(paths::session_info(&id));
        !is_missing(&self.store.fs.stat(&info))
    }

    /// Marks a file as being processed; `former` is the version that holds its former content.
    pub(super) fn mark(
        &mut self,
        attributes: &mut Attributes,
        (session, node): (&Saved, &NodeId),
        former: Option<&str>,
        difference: i64,
    ) {
        attributes.set(key::STATUS, format!("processing:{}", session.id));
        attributes.set(key::FORMER, former.unwrap_or_default());
        let mut session = session.clone();
        // Somebody else may have made the file meanwhile.
        session.prepared.node = node.clone();
        session.prepared.exists = former.is_some();
        session.versions_path =
            former.map(|path| self.store.root().join(path).to_string_lossy().into_owned());
        session.size_difference = Some(difference);
        self.put_session(&session);
    }

    /// Ends the processing of a session.
    pub(crate) fn settle_session(&mut self, saved: &Saved, ending: Ending) -> Result<()> {
        let Some(holder) = self.shown(saved)? else {
            // Deleted for good, or replaced by a later upload, which dropped the blob.
            self.drop_session(saved, false);
            return Ok(());
        };
        let before = holder.entry.as_ref().map(|entry| entry.info.id.clone());
        let node = before.and_then(|id| self.at(&Reference::node(id)).ok()?.named().ok());
        let is_version = holder.attributes.text(key::FORMER).is_some_and(|path| !path.is_empty());
        match ending {
            Ending::Later => {
                self.put_session(saved);
                return Ok(());
            }
            Ending::Ready => {
                self.unmark(saved, holder)?;
                self.drop_session(saved, false);
            }
            Ending::Reverted { keep } => {
                self.revert(saved, holder)?;
                if keep {
                    let mut saved = saved.clone();
                    saved.ours.stage = saved.ours.stage.given_up();
                    self.put_session(&saved);
                } else {
                    self.drop_session(saved, true);
                }
            }
        }
        if let Some(node) = node {
            let (upload, failed) = (saved.id.clone(), ending != Ending::Ready);
            self.tell(EventKind::UploadReady { upload, node, failed, is_version });
        }
        Ok(())
    }

    /// Whether the file of a session is in the trash, or gone for good.
    pub(super) fn is_deleted(&mut self, saved: &Saved) -> Result<bool> {
        match self.line(&saved.prepared.space, &saved.prepared.node) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
            line => line.map(|_| false),
        }
    }

    /// The file that shows the content of this session, wherever it lies by now.
    fn shown(&mut self, saved: &Saved) -> Result<Option<Holder>> {
        let (space, id) = (&saved.prepared.space, &saved.prepared.node);
        let holder = match self.node(space, id)? {
            Some(entry) => Some(Holder {
                attributes: entry.attributes.clone(),
                at: paths::node(space, id),
                entry: Some(entry),
            }),
            None => {
                self.settled()?;
                let at = self.in_trash(space, id)?;
                at.map(|at| self.on_disk(&at).map(|attributes| (at, attributes)))
                    .transpose()?
                    .and_then(|(at, found)| Some((at, found?)))
                    .map(|(at, attributes)| Holder { attributes, at, entry: None })
            }
        };
        let shows = |holder: &Holder| upload_of(&holder.attributes).as_ref() == Some(&saved.id);
        Ok(holder.filter(shows))
    }

    /// Refuses with `Unavailable` while files are behind what is in memory.
    fn settled(&self) -> Result<()> {
        if self.is_settled() { Ok(()) } else { Err(Error::unavailable("files are being written")) }
    }

    /// Where the files of something in the trash lie, if it is the thing that was deleted and not
    /// something below it.
    fn in_trash(&self, space: &SpaceId, id: &NodeId) -> Result<Option<String>> {
        let link = self.store.fs.readlink(&self.store.root().join(paths::trash(space, id)));
        if is_missing(&link) {
            return Ok(None);
        }
        let link = link.map_err(broken)?;
        let target = link.to_str().and_then(|link| link.strip_prefix("../../../../../"));
        Ok(target.map(|target| format!("{}/{target}", paths::space(space))))
    }

    fn on_disk(&self, at: &str) -> Result<Option<Attributes>> {
        let bytes = self.store.fs.read(&self.store.root().join(format!("{at}.mpk")));
        if is_missing(&bytes) {
            return Ok(None);
        }
        Attributes::decode(&bytes.map_err(broken)?).map(Some)
    }

    /// Gives the file of a holder this metadata.
    fn put_holder(&mut self, saved: &Saved, holder: &Holder, attributes: Attributes) -> Result<()> {
        match &holder.entry {
            Some(entry) => {
                let (space, id) = (&saved.prepared.space, &saved.prepared.node);
                self.put(space, id, attributes, entry.locks.clone())?;
            }
            None => self.act(Action::Put(format!("{}.mpk", holder.at), attributes.encode())),
        }
        Ok(())
    }

    /// The content of a file can be read.
    fn unmark(&mut self, saved: &Saved, holder: Holder) -> Result<()> {
        let mut attributes = holder.attributes.clone();
        let former = self.former(saved, &attributes);
        attributes.remove(key::STATUS);
        attributes.remove(key::FORMER);
        if let Some(scan) = &saved.scan {
            attributes.set(key::SCAN_STATUS, &scan.found);
            attributes.set(key::SCAN_DATE, scan.time);
        }
        self.put_holder(saved, &holder, attributes)?;
        if let Some(former) = former.filter(|_| !self.store.options.versioning) {
            let kept = self.on_disk(&former)?;
            let blob = kept.and_then(|kept| kept.get::<BlobId>(key::BLOB));
            self.drop_blob(&saved.prepared.space, blob.as_ref());
            self.remove_version(&former);
        }
        match holder.entry.as_ref().and_then(|entry| entry.info.parent.clone()) {
            Some(parent) => self.propagate(&saved.prepared.space, &parent, 0),
            None => Ok(()),
        }
    }

    /// The version that holds the former content of a file, relative to the root of the store.
    fn former(&self, saved: &Saved, attributes: &Attributes) -> Option<String> {
        // oCIS writes it down in the session only.
        let path = match attributes.text(key::FORMER) {
            Some(path) => path.to_owned(),
            None => {
                let path = std::path::Path::new(saved.versions_path.as_deref()?);
                path.strip_prefix(self.store.root()).ok()?.to_str()?.to_owned()
            }
        };
        (!path.is_empty()).then_some(path)
    }

    fn remove_version(&mut self, at: &str) {
        self.act(Action::Remove(format!("{at}.mpk")));
        self.act(Action::Remove(at.to_owned()));
    }

    /// A file has its former content again, or is gone where there was none.
    fn revert(&mut self, saved: &Saved, holder: Holder) -> Result<()> {
        self.settled()?;
        let (space, id) = (&saved.prepared.space, &saved.prepared.node);
        let mut attributes = holder.attributes.clone();
        let former = self.former(saved, &attributes);
        let kept = former.as_deref().map(|former| self.on_disk(former)).transpose()?.flatten();
        let parent: Option<NodeId> = attributes.get(key::PARENT);
        let difference = kept.as_ref().map_or(0, bytes_of) - bytes_of(&attributes);
        match (kept, former) {
            (Some(kept), Some(former)) => {
                for name in CONTENT {
                    match kept.bytes(name) {
                        Some(value) => attributes.set_bytes(name, value),
                        None => attributes.remove(name),
                    }
                }
                attributes.set(key::TYPE, 1);
                attributes.remove(key::STATUS);
                attributes.remove(key::FORMER);
                self.put_holder(saved, &holder, attributes)?;
                self.remove_version(&former);
            }
            _ => {
                self.act(Action::Remove(format!("{}.mpk", holder.at)));
                self.act(Action::Remove(holder.at.clone()));
                match (&holder.entry, &parent) {
                    (Some(entry), Some(parent)) => {
                        self.act(Action::Remove(paths::lock(space, id)));
                        let name = entry.info.name.clone();
                        let folder = self.in_trash(space, parent)?;
                        if let Some(folder) = folder {
                            self.act(Action::Remove(format!("{folder}/{name}")));
                        }
                        self.unlist(space, parent, &name);
                        self.forget(space, id);
                    }
                    _ => self.act(Action::Remove(paths::trash(space, id))),
                }
            }
        }
        match (holder.entry, parent) {
            (Some(_), Some(parent)) => {
                self.propagate(space, &parent, difference)?;
                self.resize_trashed(space, parent, difference)
            }
            _ => Ok(()),
        }
    }

    /// Changes the size of the deleted folder that a folder lies in, if it does.
    fn resize_trashed(
        &mut self,
        space: &SpaceId,
        mut folder: NodeId,
        difference: i64,
    ) -> Result<()> {
        while let Some(entry) = self.node(space, &folder)? {
            match &entry.info.parent {
                Some(parent) => folder = parent.clone(),
                None => return Ok(()),
            }
        }
        let Some(at) = self.in_trash(space, &folder)? else { return Ok(()) };
        let Some(mut attributes) = self.on_disk(&at)? else { return Ok(()) };
        let size: u64 = attributes.get(key::TREE_SIZE).unwrap_or(0);
        attributes.set(key::TREE_SIZE, size.saturating_add_signed(difference));
        self.act(Action::Put(format!("{at}.mpk"), attributes.encode()));
        Ok(())
    }

    /// The error for a content that is being processed, if it is.
    pub(crate) fn readable(&self, entry: &Entry) -> Result<()> {
        if self.is_processed(entry) {
            return Err(Error::new(ErrorKind::TooEarly, "the file is being processed"));
        }
        Ok(())
    }

    /// A later upload takes the place of one that is being processed, which ends.
    pub(super) fn supersede(&mut self, space: &SpaceId, attributes: &Attributes) -> Option<String> {
        let id = upload_of(attributes)?;
        self.drop_blob(space, Some(&id));
        self.act(Action::Remove(paths::session_info(&id)));
        self.act(Action::Remove(paths::session(&id)));
        Some(attributes.text(key::FORMER).unwrap_or_default().to_owned())
    }

    /// Whether the file shows the content of a session.
    pub(crate) fn shows(&mut self, saved: &Saved) -> Result<bool> {
        let entry = self.node(&saved.prepared.space, &saved.prepared.node)?;
        Ok(entry.is_some_and(|entry| upload_of(&entry.attributes).as_ref() == Some(&saved.id)))
    }
}

impl Change<'_> {
    /// A reference to a node of this storage.
    pub(super) fn reference(&self, space: &SpaceId, node: &NodeId) -> Reference {
        let storage = self.store.options.storage.clone();
        Reference::node(ResourceId { storage, space: space.clone(), node: node.clone() })
    }
}
