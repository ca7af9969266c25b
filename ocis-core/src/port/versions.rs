//! Former contents of files.

use serde::{Deserialize, Serialize};

use crate::node::Node;
use crate::port::declare::port;
use crate::port::{Conditions, Page, PageRequest};
use crate::reference::Reference;
use crate::time::Timestamp;
use crate::version::{Purged, Version};

/// Whose versions to list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListVersions {
    /// The file.
    pub target: Reference,
    /// Which page; the version that was replaced last comes first.
    pub page: PageRequest,
}

/// Which version of a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OpenVersion {
    /// The file.
    pub target: Reference,
    /// [`Version::key`].
    pub key: String,
}

/// The right to read a version.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct VersionRead {
    /// The file as it is now.
    pub node: Node,
    /// The version.
    pub version: Version,
    /// For the header [`crate::data::TICKET`], as in [`crate::port::Read::ticket`].
    pub ticket: String,
}

/// Which version is to be the content of its file again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RestoreVersion {
    /// The file.
    pub target: Reference,
    /// [`Version::key`].
    pub key: String,
    /// What must hold for the file.
    pub conditions: Conditions,
}

/// Which versions to remove for good.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum PurgeRule {
    /// All of them.
    #[default]
    All,
    /// The one with this key.
    Key(String),
    /// Those whose content was replaced before this time.
    Before(Timestamp),
    /// All but the newest so many.
    KeepNewest(u32),
}

/// Versions to be removed for good.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PurgeVersions {
    /// A file, or a folder for all files below it.
    pub target: Reference,
    /// Which.
    pub rule: PurgeRule,
    /// Only tells what would be removed.
    pub dry_run: bool,
}

port! {
    /// Former contents of files.
    pub trait Versions = "versions" {
        /// A page of a file's versions; `Conflict` when it is a folder. Needs the permission to list
        /// versions.
        async fn list(ListVersions) -> Page<Version>;
        /// Describes a version and hands out a ticket for its content. Needs the permissions to list
        /// versions and to download the file.
        async fn open_read(OpenVersion) -> VersionRead;
        /// Makes a version the content of its file, as of now. What was there becomes a version, where
        /// versions are kept, and the version that was restored ceases to be one. Needs the
        /// permission to restore versions.
        async fn restore(RestoreVersion) -> Node;
        /// Removes versions and their contents for good, each in one step. Files below a folder that
        /// the caller may not see keep theirs. Needs the permission to delete the target;
        /// `NotFound` when [`PurgeRule::Key`] names none.
        async fn purge(PurgeVersions) -> Purged;
    }
}
