//! A file or folder as callers see it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::checksum::Checksums;
use crate::etag::Etag;
use crate::id::{NodeId, ResourceId, UserId};
use crate::lock::ActiveLock;
use crate::path::SpacePath;
use crate::permissions::Permissions;
use crate::time::Timestamp;

/// Whether a node has content or children.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeKind {
    /// Has content.
    File,
    /// Has children.
    Folder,
}

/// What is the same for every caller. Shared with the storage's cache, so cloning it is cheap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeInfo {
    /// The node.
    pub id: ResourceId,
    /// The folder that it lies in; none for the root of a space.
    pub parent: Option<NodeId>,
    /// The name; for the root of a space, the name of the space.
    pub name: String,
    /// File or folder.
    pub kind: NodeKind,
    /// Bytes of the content; for a folder, of everything below it.
    pub size: u64,
    /// The time of the content as the client gave it; for a folder, of the latest change below it.
    pub mtime: Timestamp,
    /// Changes with every change of the node or of anything below it.
    pub etag: Etag,
    /// Digests of the content; none for folders.
    pub checksums: Option<Checksums>,
    /// Arbitrary properties. WebDAV's keys are `<namespace>/<local name>`, the values the XML
    /// inside the property element.
    pub metadata: BTreeMap<String, String>,
    /// The owner of the space, where it has one.
    pub owner: Option<UserId>,
    /// The upload that is still being processed, if any.
    pub processing: Option<String>,
}

/// Under which key of [`NodeInfo::metadata`] the tags stand, separated by commas.
pub const TAGS: &str = "tags";

impl NodeInfo {
    /// The tags, in the order in which they were added.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        let text = self.metadata.get(TAGS).map(String::as_str).unwrap_or_default();
        text.split(',').map(str::trim).filter(|tag| !tag.is_empty())
    }
}

/// A node as one caller sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// What is the same for every caller.
    pub info: Arc<NodeInfo>,
    /// The path from the root of the space.
    pub path: SpacePath,
    /// What the caller may do with it.
    pub permissions: Permissions,
    /// Whether the caller marked it as a favorite.
    pub favorite: bool,
    /// The locks that cover it, those on ancestors included.
    pub locks: Vec<ActiveLock>,
}

impl Node {
    /// Whether it has children.
    pub fn is_folder(&self) -> bool {
        self.info.kind == NodeKind::Folder
    }
}
