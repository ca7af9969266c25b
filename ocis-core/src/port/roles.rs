//! Which role does an account have?

use serde::{Deserialize, Serialize};

use crate::id::UserId;
use crate::port::declare::port;
use crate::user::UserRole;

/// That an account has a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleAssignment {
    /// The id of the assignment, a UUID.
    pub id: String,
    /// The account.
    pub user: UserId,
    /// Its role.
    pub role: UserRole,
}

/// A role for an account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AssignRole {
    /// The account.
    pub user: UserId,
    /// The role it gets instead of the one it had.
    pub role: UserRole,
}

/// Which assignment to take back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UnassignRole {
    /// The account.
    pub user: UserId,
    /// The id of the assignment.
    pub assignment: String,
}

port! {
    /// The roles of accounts; each has one at most. Changes are durable when they are answered.
    pub trait Roles = "roles" {
        /// The assignment of an account; none when it has no role yet. Everybody may ask for
        /// themselves; for others [`crate::ErrorKind::PermissionDenied`] without
        /// `Roles.ReadWrite`.
        async fn assigned(UserId) -> Option<RoleAssignment>;
        /// The accounts with this role. Needs `Roles.ReadWrite`.
        async fn holders(UserRole) -> Vec<RoleAssignment>;
        /// Gives a role. Needs `Roles.ReadWrite`; nobody changes the own role
        /// ([`crate::ErrorKind::PermissionDenied`]).
        async fn assign(AssignRole) -> RoleAssignment;
        /// The assignment of an account; one that has none gets this role. Needs `Roles.ReadWrite`.
        async fn ensure(AssignRole) -> RoleAssignment;
        /// Takes a role back. Needs `Roles.ReadWrite`; [`crate::ErrorKind::NotFound`] when there is
        /// no such assignment.
        async fn unassign(UnassignRole) -> ();
    }
}
