//! The upkeep of a storage: for the people who run it, not for those who store files in it.

use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::id::{BlobId, NodeId, ResourceId, SpaceId};
use crate::port::Cursor;
use crate::port::declare::port;

/// One step of a check.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Check {
    /// Where to go on; none begins.
    pub cursor: Option<Cursor>,
    /// Only this space, and nothing that concerns all of them.
    pub space: Option<SpaceId>,
    /// Whether what can be mended is mended.
    pub repair: bool,
    /// Whether contents are left alone: they lie elsewhere, or nobody wants to wait for them.
    pub without_blobs: bool,
}

/// What a step of a check found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Checked {
    /// What does not fit.
    pub findings: Vec<Finding>,
    /// Spaces that are done.
    pub done: u64,
    /// All spaces.
    pub total: u64,
    /// Where to go on; none means that this was the last step.
    pub next: Option<Cursor>,
}

/// The sizes of a space's folders to be checked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CheckSizes {
    /// The space.
    pub space: SpaceId,
    /// Whether what is wrong is mended.
    pub repair: bool,
}

/// What was found of the sizes of a space's folders.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CheckedSizes {
    /// The name of the space.
    pub name: String,
    /// The folders whose size is wrong, the innermost first.
    pub wrong: Vec<WrongSize>,
}

/// A folder whose size is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrongSize {
    /// The folder.
    pub node: NodeId,
    /// Its path in the space.
    pub path: String,
    /// Its place on the disk, relative to the root of the store.
    pub internal: String,
    /// Bytes of all below it.
    pub calculated: u64,
    /// What its metadata says; none when it says nothing.
    pub said: Option<u64>,
}

/// Whose metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RawNode {
    /// A node of a space.
    Id(SpaceId, NodeId),
    /// A file or folder by its path relative to the root of the store, with or without `.mpk`.
    Path(String),
}

/// A key of a node's metadata to be set.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SetRawMetadata {
    /// The node.
    pub node: RawNode,
    /// The key with its prefix `user.ocis.`.
    pub key: String,
    /// Its value.
    pub value: Vec<u8>,
}

/// A page of the empty folders in the trash.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EmptyFolders {
    /// Where to go on; none begins.
    pub cursor: Option<Cursor>,
    /// Whether they are removed.
    pub remove: bool,
}

/// A page of the versions of files, as they lie on the disk.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListRawVersions {
    /// A file, or a folder for all files below it.
    pub target: ResourceId,
    /// Where to go on; none begins.
    pub cursor: Option<Cursor>,
}

/// A former content as it lies on the disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawVersion {
    /// Its file.
    pub node: ResourceId,
    /// Its place, relative to the root of the store; its metadata lies beside it with `.mpk` behind.
    pub path: String,
    /// Its content; none when it is empty.
    pub blob: Option<BlobId>,
}

port! {
    /// The upkeep of a storage; only for the server itself. Every call is short; what takes long is
    /// done in steps, space by space.
    pub trait Maintenance = "maintenance" {
        /// Checks the next space, or what concerns all of them, while others go on working. With
        /// `repair`, what can be mended without losing anything is mended.
        async fn check(Check) -> Checked;
        /// Compares the sizes of a space's folders with what is below them. `NotFound` when there is
        /// no such space.
        async fn check_sizes(CheckSizes) -> CheckedSizes;
        /// The metadata of a node as it is on the disk: keys with their prefix, in their order.
        async fn raw_metadata(RawNode) -> Vec<(String, Vec<u8>)>;
        /// Changes the metadata of a node. Nothing but its form is checked.
        async fn set_raw_metadata(SetRawMetadata) -> ();
        /// The empty folders in the trash of one space after the other, relative to the root of the store.
        async fn empty_folders(EmptyFolders) -> crate::port::Page<String>;
        /// The versions of a file, or of all files below a folder; a page may be empty although there
        /// are more. `NotFound` when there is no such node.
        async fn raw_versions(ListRawVersions) -> crate::port::Page<RawVersion>;
    }
}
