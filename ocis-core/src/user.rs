//! Accounts and groups as the domain needs them.

use serde::{Deserialize, Serialize};

use crate::id::{GroupId, UserId};

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The id, which is also the id of the personal space.
    pub id: UserId,
    /// The name to sign in with; unique, compared without case.
    pub username: String,
    /// The name to show.
    pub display_name: String,
    /// The given name; empty where the directory does not know it.
    #[serde(default)]
    pub given_name: String,
    /// The family name; empty where the directory does not know it.
    #[serde(default)]
    pub surname: String,
    /// The mail address; may be empty.
    pub mail: String,
    /// The groups that the account is a member of.
    pub groups: Vec<GroupId>,
    /// Whether the account may sign in.
    pub enabled: bool,
    /// What kind of account it is.
    #[serde(default)]
    pub user_type: UserType,
    /// The account as other issuers know it.
    #[serde(default)]
    pub identities: Vec<ExternalIdentity>,
    /// Another one whenever the account gets a new password; empty where the directory does not
    /// tell. Whoever signed in with an earlier one is signed in no longer.
    #[serde(default)]
    pub password_version: String,
}

/// The kinds of accounts (`userType` of libre.graph).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum UserType {
    /// Belongs to the organisation.
    #[default]
    Member,
    /// Was invited.
    Guest,
    /// Is an account of another server.
    Federated,
}

/// An account as another issuer knows it (`identities` of libre.graph).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalIdentity {
    /// The issuer, as a URL.
    pub issuer: String,
    /// The account's id there.
    pub id: String,
}

/// The roles of accounts, as in oCIS (extension `ocis-roles`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UserRole {
    /// May do everything.
    Admin,
    /// Manages project spaces.
    SpaceAdmin,
    /// The default.
    User,
    /// Without a personal space.
    UserLight,
}

impl UserRole {
    /// All of them, the mightiest first.
    pub const ALL: [Self; 4] = [Self::Admin, Self::SpaceAdmin, Self::User, Self::UserLight];

    /// The role of this id.
    pub fn of_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.id() == id)
    }

    /// The name in configuration and on the wire of oCIS.
    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::SpaceAdmin => "spaceadmin",
            Self::User => "user",
            Self::UserLight => "user-light",
        }
    }

    /// The name to show.
    pub fn display_name(self) -> &'static str {
        match self {
            Self::Admin => "Admin",
            Self::SpaceAdmin => "Space Admin",
            Self::User => "User",
            Self::UserLight => "User Light",
        }
    }

    /// The id of the role's bundle in oCIS's settings service.
    pub fn id(self) -> &'static str {
        match self {
            Self::Admin => "71881883-1768-46bd-a24d-a356a2afdf7f",
            Self::SpaceAdmin => "2aadd357-682c-406b-8874-293091995fdd",
            Self::User => "d7beeea8-8ff4-406b-8fb6-ab2dd81e6b11",
            Self::UserLight => "38071a68-456a-4553-846a-fa67bf5596cc",
        }
    }
}

/// A group of accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The id.
    pub id: GroupId,
    /// The unique name.
    pub name: String,
    /// Who is in it.
    pub members: Vec<UserId>,
}
