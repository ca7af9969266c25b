//! How content becomes a file.

use bytes::Bytes;
use ocis_core::access;
use ocis_core::checksum::Checksums;
use ocis_core::data::Written;
use ocis_core::event::EventKind;
use ocis_core::id::{BlobId, NodeId, SpaceId};
use ocis_core::node::NodeKind;
use ocis_core::permissions::Permissions;
use ocis_core::port::{Conditions, OpenUpload};
use ocis_core::time::Timestamp;
use ocis_core::{Error, Result};
use serde::{Deserialize, Serialize};

use super::access::Place;
use super::change::Change;
use super::state::Entry;
use crate::journal::{Action, broken};
use crate::layout::attributes::{self as key, Attributes};
use crate::layout::paths;
use crate::session::saved::{Saved, Stage};

/// Where a content is to go, as it was found when its upload was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepared {
    /// The space.
    pub space: SpaceId,
    /// The folder.
    pub parent: NodeId,
    /// The name in it.
    pub name: String,
    /// The file that is there, or the id for a new one.
    pub node: NodeId,
    /// Whether there is a file.
    pub exists: bool,
    /// The id for the content.
    pub blob: BlobId,
    /// Whether the file was meant by its id: then it is, wherever it lies by now.
    #[serde(default)]
    pub by_id: bool,
}

/// A content that is to become visible.
#[derive(Debug, Clone)]
pub struct CommitUpload {
    /// Where.
    pub prepared: Prepared,
    /// What must hold.
    pub conditions: Conditions,
    /// The time of the content; none means now.
    pub mtime: Option<Timestamp>,
    /// Its length in bytes.
    pub size: u64,
    /// Its digests.
    pub checksums: Checksums,
    /// The content itself.
    pub content: Content,
}

/// Where a content is until it becomes visible.
#[derive(Debug, Clone)]
pub enum Content {
    /// In memory; it goes into the journal.
    Inline(Bytes),
    /// In the blob store, durable, with its staged file, or its session, still there.
    Staged,
}

/// Where the content of a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentRef {
    /// The space.
    pub space: SpaceId,
    /// The content; none for a file that was made empty.
    pub blob: Option<BlobId>,
    /// Its length in bytes.
    pub size: u64,
}

impl Change<'_> {
    /// Finds the place of an upload and checks everything that can be checked beforehand.
    pub(crate) fn prepare(&mut self, request: &OpenUpload) -> Result<Prepared> {
        let (folder, name) = self.file_spot(&request.target)?;
        let there = self.writable(&folder, &name, &request.conditions)?;
        let old = there.as_ref().map_or(Ok(0), |place| Ok::<_, Error>(place.entry()?.info.size))?;
        self.has_room_instead(&folder, request.length.unwrap_or(0), old)?;
        let node = there.as_ref().map(Place::id).transpose()?;
        Ok(Prepared {
            space: folder.space.clone(),
            parent: folder.id()?,
            name,
            exists: node.is_some(),
            node: node.unwrap_or_else(NodeId::random),
            blob: BlobId::random(),
            by_id: request.target.path.is_root(),
        })
    }

    /// The file that is there, if any; refuses unless content may be written to it.
    fn writable(
        &mut self,
        folder: &Place,
        name: &str,
        conditions: &Conditions,
    ) -> Result<Option<Place>> {
        let there = self.below(folder, name)?;
        match &there {
            Some(place) => {
                if place.entry()?.info.kind == NodeKind::Folder {
                    return Err(Error::conflict("there is a folder of this name"));
                }
                access::require(self.permissions(place), Permissions::UPLOAD)?;
                self.met(Some(&**place.entry()?), conditions)?;
                self.unlocked(place, &conditions.lock_tokens)?;
            }
            None => {
                access::require(folder.permissions, Permissions::UPLOAD)?;
                self.met(None, conditions)?;
                self.unlocked(folder, &conditions.lock_tokens)?;
            }
        }
        Ok(there)
    }

    /// Refuses with `InsufficientStorage` unless so many bytes more fit into the space and the disk.
    pub(crate) fn has_room(&self, folder: &Place, more: u64) -> Result<()> {
        self.has_room_instead(folder, more, 0)
    }

    /// The same where `old` bytes of the space go for them; on the disk they stay for the time being.
    pub(crate) fn has_room_instead(&self, folder: &Place, more: u64, old: u64) -> Result<()> {
        within_quota(folder, more, old)?;
        let free = self.store.fs.free_space(self.store.root()).map_err(broken)?;
        if free.saturating_sub(self.store.options.reserve) < more {
            return Err(Error::full("the disk of the server is full"));
        }
        Ok(())
    }

    /// The most bytes that a content can have there: what the quota of the space leaves, and the disk.
    pub(crate) fn room(&mut self, prepared: &Prepared) -> Result<u64> {
        let root = self.root(&prepared.space)?;
        let old = self.node(&prepared.space, &prepared.node)?.map_or(0, |entry| entry.info.size);
        let within = match quota(&root) {
            0 => u64::MAX,
            total => total.max(root.info.size).saturating_sub(root.info.size.saturating_sub(old)),
        };
        let free = self.store.fs.free_space(self.store.root()).map_err(broken)?;
        Ok(within.min(free.saturating_sub(self.store.options.reserve)))
    }

    /// Makes a content visible, and ends the session that it came through, if any.
    pub(crate) fn commit(
        &mut self,
        upload: CommitUpload,
        session: Option<&Saved>,
    ) -> Result<Written> {
        let Prepared { space, parent, name, blob, node, exists, by_id } = upload.prepared;
        let (folder, name) = if by_id {
            let file = self.place(&self.reference(&space, &node))?;
            self.around(&file)?.ok_or_else(|| Error::internal("a file that is a space"))?
        } else {
            let gone = |_| Error::conflict("the folder that it is to lie in is gone");
            (self.at(&self.reference(&space, &parent)).map_err(gone)?, name)
        };
        let parent = folder.id()?;
        let there = self.writable(&folder, &name, &upload.conditions)?;
        let old = there.as_ref().map_or(Ok(0), |place| Ok::<_, Error>(place.entry()?.info.size))?;
        self.has_room_instead(&folder, upload.size, old)?;
        let stamp = self.stamp();
        match upload.content {
            Content::Inline(bytes) => {
                self.act(Action::Blob(space.clone(), blob.clone(), bytes.to_vec()))
            }
            Content::Staged if session.is_some() => {}
            Content::Staged => self.act(Action::Unstage(space.clone(), blob.clone())),
        }
        let (id, mut attributes, locks) = match &there {
            Some(place) => {
                let entry = place.entry()?;
                (place.id()?, entry.attributes.clone(), entry.locks.clone())
            }
            // What was there is in the trash, and comes back from there under its id.
            None if exists => (NodeId::random(), Attributes::default(), Vec::new()),
            None => (node, Attributes::default(), Vec::new()),
        };
        let is_processed =
            session.is_some_and(|session| matches!(session.ours.stage, Stage::Processing(_)));
        let version = match &there {
            Some(place) => match self.supersede(&space, &attributes) {
                Some(former) => Some(former).filter(|path| !path.is_empty()),
                None => self.keep_version(place, is_processed)?,
            },
            None => {
                self.act(Action::Put(paths::node(&space, &id), Vec::new()));
                None
            }
        };
        let difference =
            i64::try_from(upload.size).unwrap_or(i64::MAX) - i64::try_from(old).unwrap_or(0);
        attributes.remove(key::STATUS);
        attributes.remove(key::FORMER);
        match session {
            Some(session) if is_processed => {
                self.mark(&mut attributes, (session, &id), version.as_deref(), difference);
            }
            Some(session) => self.drop_session(session, false),
            None => {}
        }
        attributes.set(key::TYPE, 1);
        attributes.set(key::ID, &id);
        attributes.set(key::NAME, &name);
        attributes.set(key::PARENT, &parent);
        attributes.set(key::BLOB, &blob);
        attributes.set(key::BLOB_SIZE, upload.size);
        attributes.set(key::MTIME, upload.mtime.unwrap_or(stamp));
        attributes.set_checksums(&upload.checksums);
        attributes.remove(key::TMP_ETAG);
        let mut entry = self.put(&space, &id, attributes.clone(), locks.clone())?;
        let former = there.as_ref().map(Place::entry).transpose()?;
        if former.is_some_and(|former| former.info.mtime == entry.info.mtime) {
            // The client gave both contents one time; they must not have one tag, nor the tag of a
            // content before them.
            attributes.set_bytes(key::TMP_ETAG, crate::layout::etag::digest(&id, stamp));
            entry = self.put(&space, &id, attributes, locks)?;
        }
        if there.is_none() {
            self.list(&space, &parent, &name, &id);
        }
        self.propagate(&space, &parent, difference)?;
        let (node, about) = self.outcome(&entry.info.id)?;
        let is_version = there.is_some();
        self.tell(if is_processed {
            let (size, url) = (upload.size, String::new());
            EventKind::BytesReceived { upload: blob, node: about, filename: name, size, url }
        } else {
            EventKind::UploadReady { upload: blob, node: about, failed: false, is_version }
        });
        Ok(Written { node, created: there.is_none() })
    }
}

/// The quota of a space in bytes; 0 for no limit.
fn quota(root: &Entry) -> u64 {
    root.attributes.get::<i64>(key::QUOTA).and_then(|n| u64::try_from(n).ok()).unwrap_or(0)
}

/// Refuses with `InsufficientStorage` unless the quota of the space allows so many bytes more, where
/// `old` bytes go for them.
pub(super) fn within_quota(folder: &Place, more: u64, old: u64) -> Result<()> {
    let root = folder.line.first().ok_or_else(|| Error::internal("no root"))?;
    let total = quota(root);
    let after = root.info.size.saturating_sub(old).saturating_add(more);
    // Who is over the quota already may still make less of it.
    if total > 0 && after > total && after > root.info.size {
        return Err(Error::full("the quota of the space is used up"));
    }
    Ok(())
}
