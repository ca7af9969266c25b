//! Spaces: the trees in which files live, each with its own owner, quota and trash.

use serde::{Deserialize, Serialize};

use crate::etag::Etag;
use crate::id::{ResourceId, UserId};
use crate::permissions::Permissions;
use crate::quota::Quota;
use crate::time::Timestamp;

/// What a space is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SpaceKind {
    /// The files of one person.
    Personal,
    /// The files of a project, with members.
    Project,
    /// The server's own records.
    Metadata,
}

impl SpaceKind {
    /// The name on disk and in Graph's `driveType`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Personal => "personal",
            Self::Project => "project",
            Self::Metadata => "metadata",
        }
    }
}

/// A space as callers see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Space {
    /// The root folder, which names the space.
    pub root: ResourceId,
    /// What it is for.
    pub kind: SpaceKind,
    /// The name to show.
    pub name: String,
    /// `personal/<user name>` or `project/<name>`.
    pub alias: String,
    /// A sentence about it; may be empty.
    pub description: String,
    /// The owner of a personal space.
    pub owner: Option<UserId>,
    /// How much it may hold and holds.
    pub quota: Quota,
    /// The root's etag.
    pub etag: Etag,
    /// The latest change of anything in it.
    pub mtime: Timestamp,
    /// What the caller may do at the root.
    pub permissions: Permissions,
    /// The file in it that is shown as its picture.
    pub image: Option<ResourceId>,
    /// The file in it that is shown as its description.
    pub readme: Option<ResourceId>,
    /// Whether the space is disabled, and since when.
    pub disabled: Option<Timestamp>,
}
