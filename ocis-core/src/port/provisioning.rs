//! Changing accounts and groups.
//!
//! Apart from [`super::Users`] and [`super::Groups`], because many a directory can be read only.

use serde::{Deserialize, Serialize};

use crate::config::Secret;
use crate::id::{GroupId, UserId};
use crate::port::declare::port;
use crate::user::{ExternalIdentity, Group, User, UserType};

/// An account to be.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct NewUser {
    /// The id; none for a new one.
    pub id: Option<UserId>,
    /// The name to sign in with; unique without regard to case.
    pub username: String,
    /// The name to show.
    pub display_name: String,
    /// The given name; may be empty.
    pub given_name: String,
    /// The family name; may be empty.
    pub surname: String,
    /// The mail address; may be empty.
    pub mail: String,
    /// What kind of account it is.
    pub user_type: UserType,
    /// Whether the account may sign in.
    pub enabled: bool,
    /// The password; none for an account that signs in elsewhere.
    pub password: Option<Secret>,
    /// The account as other issuers know it.
    pub identities: Vec<ExternalIdentity>,
}

/// What becomes of an account. What is none stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserChange {
    /// The name to sign in with.
    pub username: Option<String>,
    /// The name to show.
    pub display_name: Option<String>,
    /// The given name.
    pub given_name: Option<String>,
    /// The family name.
    pub surname: Option<String>,
    /// The mail address.
    pub mail: Option<String>,
    /// What kind of account it is.
    pub user_type: Option<UserType>,
    /// Whether the account may sign in.
    pub enabled: Option<bool>,
    /// The password.
    pub password: Option<Secret>,
    /// The account as other issuers know it, all of it.
    pub identities: Option<Vec<ExternalIdentity>>,
}

impl UserChange {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Which account to change, and how.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChangeUser {
    /// The account.
    pub user: UserId,
    /// What becomes of it.
    pub change: UserChange,
}

/// A group to be.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct NewGroup {
    /// The id; none for a new one.
    pub id: Option<GroupId>,
    /// The name; unique without regard to case.
    pub name: String,
    /// Who is in it.
    pub members: Vec<UserId>,
}

/// A new name for a group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RenameGroup {
    /// The group.
    pub group: GroupId,
    /// The new name; unique without regard to case.
    pub name: String,
}

/// Who comes into a group, or leaves it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChangeMembers {
    /// The group.
    pub group: GroupId,
    /// The accounts.
    pub members: Vec<UserId>,
}

port! {
    /// Changes of accounts and groups, each done as a whole or not at all, and durable when it is
    /// answered.
    ///
    /// [`crate::ErrorKind::PermissionDenied`] when the caller's role does not allow it
    /// (`Accounts.ReadWrite`, `Groups.ReadWrite`), or the directory can be read only;
    /// [`crate::ErrorKind::NotFound`] when there is no such account or group;
    /// [`crate::ErrorKind::AlreadyExists`] when a name or id is taken;
    /// [`crate::ErrorKind::InvalidArgument`] for a name or address that none can have.
    pub trait Provisioning = "provisioning" {
        /// Makes an account.
        async fn create_user(NewUser) -> User;
        /// Changes an account. Callers may change the password of their own with
        /// `Self.ReadWrite`; that they know the old one has been checked by who asks.
        async fn change_user(ChangeUser) -> User;
        /// Removes an account, also from all groups. Nobody removes the own account.
        async fn delete_user(UserId) -> ();
        /// Makes a group.
        async fn create_group(NewGroup) -> Group;
        /// Renames a group.
        async fn rename_group(RenameGroup) -> Group;
        /// Removes a group.
        async fn delete_group(GroupId) -> ();
        /// Puts accounts into a group; who is in it already stays.
        async fn add_members(ChangeMembers) -> Group;
        /// Takes accounts out of a group; [`crate::ErrorKind::NotFound`] for who is not in it.
        async fn remove_members(ChangeMembers) -> Group;
    }
}
