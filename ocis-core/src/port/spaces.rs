//! Which spaces are there?

use serde::{Deserialize, Serialize};

use crate::id::{ResourceId, UserId};
use crate::port::declare::port;
use crate::port::{Page, PageRequest};
use crate::space::{Space, SpaceKind};

/// Which spaces to list: those that the caller may see, narrowed down.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ListSpaces {
    /// Only of this kind.
    pub kind: Option<SpaceKind>,
    /// Only those of this owner.
    pub owner: Option<UserId>,
    /// Which page.
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
    /// Personal (the id is the owner's, the alias `personal/<user name>`) or project.
    pub kind: SpaceKind,
    /// The name to show.
    pub name: String,
    /// The owner; needed for a personal space.
    pub owner: Option<UserId>,
    /// The alias; made from kind and name when not given.
    pub alias: Option<String>,
    /// The limit in bytes; none means unlimited.
    pub quota: Option<u64>,
}

port! {
    /// The spaces.
    pub trait Spaces = "spaces" {
        /// A page of the spaces that the caller may see.
        async fn list(ListSpaces) -> Page<Space>;
        /// One space; [`crate::ErrorKind::NotFound`] when there is none or the caller may not see it.
        async fn get(GetSpace) -> Space;
        /// Makes a space, whole or not at all. A caller may make their own personal space;
        /// [`crate::ErrorKind::AlreadyExists`] when it is there.
        async fn create(CreateSpace) -> Space;
    }
}
