//! Which groups are there?

use serde::{Deserialize, Serialize};

use crate::id::GroupId;
use crate::port::declare::port;
use crate::port::{Page, PageRequest};
use crate::user::Group;

/// How to find one group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum GetGroup {
    /// By id.
    Id(GroupId),
    /// By name.
    Name(String),
}

/// Which groups to list.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ListGroups {
    /// Part of a name, without regard to case; none means all.
    pub search: Option<String>,
    /// Which page; the order is that of names.
    pub page: PageRequest,
}

port! {
    /// The groups of accounts.
    pub trait Groups = "groups" {
        /// One group; [`crate::ErrorKind::NotFound`] when there is none.
        async fn get(GetGroup) -> Group;
        /// A page of groups.
        async fn list(ListGroups) -> Page<Group>;
    }
}
