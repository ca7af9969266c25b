//! Which spaces are there, and what becomes of them?

use serde::{Deserialize, Serialize};

use crate::access::Grantee;
use crate::id::{ResourceId, SpaceId, UserId};
use crate::port::declare::port;
use crate::port::{Page, PageRequest};
use crate::space::{Space, SpaceKind};

/// Which spaces to list: those that the caller may see, narrowed down.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ListSpaces {
    /// Only of this kind; none means personal and project spaces.
    pub kind: Option<SpaceKind>,
    /// Only those of this owner.
    pub owner: Option<UserId>,
    /// Only those that this user owns or that this user or group is a member of.
    pub member: Option<Grantee>,
    /// Also those that the caller sees by role alone ([`crate::access::SpaceRight::List`]), and
    /// not only as owner or member.
    pub all: bool,
    /// Which page; the order is that of the ids.
    pub page: PageRequest,
}

/// Which space.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GetSpace {
    /// Any node in it.
    pub space: ResourceId,
}

/// A space to be made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreateSpace {
    /// Personal (the id is the owner's, the alias `personal/<user name>`), project, or metadata.
    pub kind: SpaceKind,
    /// The name to show.
    pub name: String,
    /// The owner, which personal and metadata spaces need. A project space has none: who makes it
    /// manages it, and the server itself may name somebody else here.
    pub owner: Option<UserId>,
    /// The alias; made from kind and name when not given.
    pub alias: Option<String>,
    /// The limit in bytes; none means unlimited, as far as the storage allows that.
    pub quota: Option<u64>,
    /// A sentence about it; may be empty.
    pub description: String,
    /// The id, which only the server itself may choose, and not for personal spaces.
    pub id: Option<SpaceId>,
}

impl CreateSpace {
    /// A space with nothing but a name.
    pub fn new(kind: SpaceKind, name: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.into(),
            owner: None,
            alias: None,
            quota: None,
            description: String::new(),
            id: None,
        }
    }

    /// The personal space of `owner`.
    pub fn personal(owner: UserId, name: impl Into<String>) -> Self {
        Self { owner: Some(owner), ..Self::new(SpaceKind::Personal, name) }
    }
}

/// What to change of a space; what is none stays.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UpdateSpace {
    /// Any node in it.
    pub space: ResourceId,
    /// The name to show.
    pub name: Option<String>,
    /// The alias.
    pub alias: Option<String>,
    /// A sentence about it; empty removes it.
    pub description: Option<String>,
    /// The limit in bytes; 0 means unlimited, as far as the storage allows that.
    pub quota: Option<u64>,
    /// The file in it that is shown as its picture.
    pub image: Option<ResourceId>,
    /// The file in it that is shown as its description.
    pub readme: Option<ResourceId>,
}

impl UpdateSpace {
    /// No change yet.
    pub fn of(space: ResourceId) -> Self {
        Self {
            space,
            name: None,
            alias: None,
            description: None,
            quota: None,
            image: None,
            readme: None,
        }
    }
}

/// A space to be put out of use.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DisableSpace {
    /// Any node in it.
    pub space: ResourceId,
}

/// A disabled space to be taken into use again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RestoreSpace {
    /// Any node in it.
    pub space: ResourceId,
}

/// A disabled space to be removed for ever.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PurgeSpace {
    /// Any node in it.
    pub space: ResourceId,
}

port! {
    /// The spaces. Who manages one ([`crate::permissions::Permissions::REMOVE_GRANT`] at its root)
    /// may do everything with it but set its quota; for everything there is also a right that
    /// comes with the role of an account, [`crate::access::SpaceRight`].
    pub trait Spaces = "spaces" {
        /// A page of the spaces that the caller may see. Disabled ones are seen by those who
        /// manage them, and by role.
        async fn list(ListSpaces) -> Page<Space>;
        /// One space; [`crate::ErrorKind::NotFound`] when there is none or the caller may not see it.
        async fn get(GetSpace) -> Space;
        /// Makes a space, whole or not at all. A caller may make their own personal space;
        /// [`crate::ErrorKind::AlreadyExists`] when it is there. Project spaces need a role, and
        /// metadata spaces are made by the server itself.
        async fn create(CreateSpace) -> Space;
        /// Changes a space. [`crate::ErrorKind::InvalidArgument`] for a quota that is larger than
        /// the storage allows.
        async fn update(UpdateSpace) -> Space;
        /// Puts a space out of use: all that can be done with it is list, restore and purge it.
        /// The owner of a personal space may not.
        async fn disable(DisableSpace) -> ();
        /// Takes a disabled space into use again.
        async fn restore(RestoreSpace) -> Space;
        /// Removes a disabled space with everything in it, whole or not at all;
        /// [`crate::ErrorKind::InvalidArgument`] when it is in use.
        async fn purge(PurgeSpace) -> ();
    }
}
