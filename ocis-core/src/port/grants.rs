//! Who else may use a node.

use serde::{Deserialize, Serialize};

use crate::access::{Grant, Grantee};
use crate::port::declare::port;
use crate::reference::Reference;

/// Whose grants to list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListGrants {
    /// The node.
    pub target: Reference,
}

/// A grant to be given.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SetGrant {
    /// The node; with the root of a space, its member.
    pub target: Reference,
    /// The grant; it replaces one to the same grantee.
    pub grant: Grant,
    /// The lock tokens that the caller submits.
    pub lock_tokens: Vec<String>,
}

/// A grant to be taken back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RemoveGrant {
    /// The node.
    pub target: Reference,
    /// To whom it was given.
    pub grantee: Grantee,
    /// The lock tokens that the caller submits.
    pub lock_tokens: Vec<String>,
}

port! {
    /// Grants on nodes. They alone decide access; see [`crate::access`].
    pub trait Grants = "grants" {
        /// The grants on exactly this node, expired ones included.
        async fn list(ListGrants) -> Vec<Grant>;
        /// Gives a grant, or changes it. Nobody gives more than they have; a denial needs the
        /// permission to deny. On the root of a space it also makes the grantee a member.
        async fn set(SetGrant) -> ();
        /// Takes a grant back; `NotFound` when there is none. The last manager of a project space
        /// stays (`PermissionDenied`).
        async fn remove(RemoveGrant) -> ();
    }
}
