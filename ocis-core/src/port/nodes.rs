//! Files and folders: everything but their bytes.

use serde::{Deserialize, Serialize};

use crate::etag::EtagMatch;
use crate::lock::{ActiveLock, LockScope};
use crate::node::Node;
use crate::port::declare::port;
use crate::port::{Page, PageRequest};
use crate::reference::Reference;
use crate::time::Timestamp;

/// What must hold for a change to be made. All of it is checked in the same step as the change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conditions {
    /// `If-Match`: the target exists and has one of these tags; else `PreconditionFailed`.
    pub if_match: Option<EtagMatch>,
    /// `If-None-Match`: the target does not exist, or has none of these tags.
    pub if_none_match: Option<EtagMatch>,
    /// `If-Unmodified-Since`: the target has not changed after this time.
    pub if_unmodified_since: Option<Timestamp>,
    /// The lock tokens that the caller submits. A change to a locked node needs the token of its
    /// lock (one of them, where the locks are shared); else `Locked`.
    pub lock_tokens: Vec<String>,
}

/// Which node to describe.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Stat {
    /// The node.
    pub target: Reference,
}

/// Which folder to list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct List {
    /// The folder.
    pub target: Reference,
    /// Which page; the order is that of the names' bytes.
    pub page: PageRequest,
}

/// A folder to be made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreateFolder {
    /// Where; the parent must exist (`Conflict`) and the folder not (`AlreadyExists`).
    pub target: Reference,
    /// What must hold.
    pub conditions: Conditions,
}

/// An empty file to be made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Touch {
    /// Where; the parent must exist (`Conflict`) and the file not (`AlreadyExists`).
    pub target: Reference,
    /// What must hold.
    pub conditions: Conditions,
}

/// What to put into the trash.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Delete {
    /// The node, with all that lies below it. The root of a space cannot be deleted.
    pub target: Reference,
    /// What must hold.
    pub conditions: Conditions,
}

/// What to move where.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Move {
    /// The node, with all that lies below it.
    pub from: Reference,
    /// Where to; the parent must exist (`Conflict`). Never into itself (`Conflict`).
    pub to: Reference,
    /// Whether a node there goes to the trash; if not and there is one, `PreconditionFailed`.
    pub overwrite: bool,
    /// What must hold for the node; the lock tokens count for both sides.
    pub conditions: Conditions,
}

/// What to copy where.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Copy {
    /// The node.
    pub from: Reference,
    /// Where to; the parent must exist (`Conflict`). Never into itself (`Conflict`).
    pub to: Reference,
    /// Whether a node there goes to the trash; if not and there is one, `PreconditionFailed`.
    pub overwrite: bool,
    /// Whether what lies below a folder is copied with it.
    pub deep: bool,
    /// What must hold for the node; the lock tokens count for the destination.
    pub conditions: Conditions,
}

/// The result of a move or copy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Changed {
    /// The node at its destination.
    pub node: Node,
    /// Whether there was nothing at the destination before.
    pub created: bool,
}

/// Properties to change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SetMetadata {
    /// The node.
    pub target: Reference,
    /// Keys and values to set (see [`crate::node::NodeInfo::metadata`]).
    pub set: Vec<(String, String)>,
    /// Keys to remove; those that are not there are no error.
    pub unset: Vec<String>,
    /// A new time of the content.
    pub mtime: Option<Timestamp>,
    /// Whether the caller marks the node as a favorite; none leaves it as it is.
    pub favorite: Option<bool>,
    /// What must hold.
    pub conditions: Conditions,
}

/// Tags to change: short texts by which people find files again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tag {
    /// The node.
    pub target: Reference,
    /// Tags that it gets; those that it has are no error.
    pub add: Vec<String>,
    /// Tags that it loses; those that it has not are no error.
    pub remove: Vec<String>,
    /// What must hold.
    pub conditions: Conditions,
}

/// A lock to be taken.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LockNode {
    /// The node.
    pub target: Reference,
    /// Exclusive or shared.
    pub scope: LockScope,
    /// Whether it covers everything below a folder.
    pub deep: bool,
    /// The XML inside `owner`, as sent; at most 4,096 bytes.
    pub owner: Option<String>,
    /// The application that takes it; empty for WebDAV clients.
    pub app_name: String,
    /// When it ends by itself.
    pub expires: Option<Timestamp>,
    /// Makes an empty file when there is nothing at the target (RFC 4918 section 7.3).
    pub create: bool,
    /// What must hold.
    pub conditions: Conditions,
}

/// A lock that was taken.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Locked {
    /// The lock with its token.
    pub lock: ActiveLock,
    /// The node.
    pub node: Node,
    /// Whether an empty file was made for it.
    pub created: bool,
}

/// A lock whose end is moved.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RefreshLock {
    /// The node that the lock covers.
    pub target: Reference,
    /// The token.
    pub token: String,
    /// The new end.
    pub expires: Option<Timestamp>,
}

/// A lock to be given back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Unlock {
    /// The node that the lock covers.
    pub target: Reference,
    /// The token.
    pub token: String,
}

/// Whose content to read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OpenRead {
    /// The file. A folder is described too, but its ticket is empty.
    pub target: Reference,
}

/// The right to read the content.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Read {
    /// The file.
    pub node: Node,
    /// For the header [`crate::data::TICKET`] of a `GET` to the storage's data plane. It stands for
    /// exactly this content: when the file is overwritten meanwhile, the old content or none comes.
    pub ticket: String,
}

port! {
    /// Files and folders. Every change is all or nothing, and durable when the call returns. Who
    /// may not see a node gets `NotFound`, who may not change it `PermissionDenied`.
    pub trait Nodes = "nodes" {
        /// One node.
        async fn stat(Stat) -> Node;
        /// A page of a folder's children; `Conflict` when it is a file.
        async fn list(List) -> Page<Node>;
        /// Makes a folder.
        async fn create_folder(CreateFolder) -> Node;
        /// Makes an empty file.
        async fn touch(Touch) -> Node;
        /// Puts a node into the trash.
        async fn delete(Delete) -> ();
        /// Moves or renames a node; its id stays. In another space it gets another one: there it is
        /// a copy without versions and grants, and the original goes to the trash in the same step.
        async fn rename(Move) -> Changed;
        /// Copies a node without its bytes passing through the caller.
        async fn copy(Copy) -> Changed;
        /// Changes properties.
        async fn set_metadata(SetMetadata) -> Node;
        /// Changes tags, which stand in [`crate::node::NodeInfo::tags`] in the order in which they
        /// were added. `InvalidArgument` for an empty one, one with a comma, one longer than 255
        /// bytes, and when there would be more than 100.
        async fn tag(Tag) -> Node;
        /// Takes a lock; `Locked` when another one is in the way.
        async fn lock(LockNode) -> Locked;
        /// Moves the end of a lock; `PreconditionFailed` when the node has no such lock.
        async fn refresh_lock(RefreshLock) -> ActiveLock;
        /// Gives a lock back; `Conflict` when the node has no such lock, `PermissionDenied` when it
        /// is somebody else's.
        async fn unlock(Unlock) -> ();
        /// Describes a node and hands out a ticket for its content; `TooEarly` while it is being
        /// processed.
        async fn open_read(OpenRead) -> Read;
    }
}
