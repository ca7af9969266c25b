//! What stands in `directory.json`.

use std::fmt;

use ocis_core::id::{GroupId, UserId};
use ocis_core::time::Timestamp;
use ocis_core::user::{ExternalIdentity, UserType};
use ocis_core::{Error, Result};
use serde::{Deserialize, Serialize};

/// The form of the file that this version writes and reads.
pub(super) const FORMAT: u32 = 1;

/// The whole file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Document {
    /// [`FORMAT`].
    pub(super) format: u32,
    /// The accounts.
    pub(super) users: Vec<User>,
    /// The groups, in the order in which memberships are told.
    pub(super) groups: Vec<Group>,
}

impl Document {
    /// The account with this name; [`ocis_core::ErrorKind::NotFound`] when there is none.
    pub(super) fn user(&mut self, username: &str) -> Result<&mut User> {
        let name = username.to_lowercase();
        self.users
            .iter_mut()
            .find(|user| user.username.to_lowercase() == name)
            .ok_or_else(|| Error::not_found(format!("there is no user '{username}'")))
    }
}

/// An account. Earlier versions wrote a role, which is passed over.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct User {
    pub(super) id: UserId,
    pub(super) username: String,
    pub(super) display_name: String,
    pub(super) given_name: String,
    pub(super) surname: String,
    pub(super) mail: String,
    pub(super) enabled: bool,
    pub(super) created: Timestamp,
    /// The hash, as [`crate::hash`] makes it; empty for an account that signs in elsewhere.
    pub(super) password: String,
    /// How often the account got a new one.
    #[serde(default)]
    pub(super) password_changes: u64,
    #[serde(default)]
    pub(super) user_type: UserType,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) identities: Vec<ExternalIdentity>,
}

impl User {
    /// Gives the account a new password, by its hash.
    pub(super) fn set_password(&mut self, hash: String) {
        self.password = hash;
        self.password_changes += 1;
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("id", &self.id)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Group {
    pub(super) id: GroupId,
    pub(super) name: String,
    pub(super) members: Vec<UserId>,
}
