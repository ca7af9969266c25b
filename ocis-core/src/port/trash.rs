//! What was deleted.

use serde::{Deserialize, Serialize};

use crate::id::ResourceId;
use crate::port::declare::port;
use crate::port::{Changed, Page, PageRequest};
use crate::reference::Reference;
use crate::time::Timestamp;
use crate::trash::{Collision, TrashItem};
use crate::version::Purged;

/// What of the trash to list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListTrash {
    /// The space.
    pub space: ResourceId,
    /// A deleted folder whose children to list ([`TrashItem::key`]); none lists what was deleted. A
    /// deleted file is listed as itself.
    pub key: Option<String>,
    /// Which page.
    pub page: PageRequest,
}

/// What to bring back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RestoreTrash {
    /// The space.
    pub space: ResourceId,
    /// [`TrashItem::key`].
    pub key: String,
    /// Where to; none means where it lay. The folder must exist (`Conflict`) and be in this space
    /// (`InvalidArgument`).
    pub to: Option<Reference>,
    /// What to do with something that is there.
    pub collision: Collision,
    /// The lock tokens that the caller submits for the destination.
    pub lock_tokens: Vec<String>,
}

/// What to remove for good.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PurgeTrash {
    /// The space.
    pub space: ResourceId,
    /// One item ([`TrashItem::key`]); none means all of them.
    pub key: Option<String>,
    /// Only what was deleted before this time.
    pub before: Option<Timestamp>,
}

port! {
    /// What was deleted. Who may see the space but not do this gets `PermissionDenied`.
    pub trait Trash = "trash" {
        /// A page of what is in the trash, or in a deleted folder. Needs the permission to list the
        /// trash of the space. What is damaged is left out.
        async fn list(ListTrash) -> Page<TrashItem>;
        /// Brings a deleted node back in one step, with all that lies below it. Needs the permission
        /// to restore where it lay, and to upload where it comes to.
        async fn restore(RestoreTrash) -> Changed;
        /// Removes deleted nodes with all that lies below them, their versions and contents. The
        /// room is free when the call returns. `NotFound` when `key` names nothing. What is removed
        /// in part, because the call broke off, is still listed with the rest.
        async fn purge(PurgeTrash) -> Purged;
    }
}
