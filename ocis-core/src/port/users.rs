//! Which accounts are there?

use serde::{Deserialize, Serialize};

use crate::id::UserId;
use crate::port::declare::port;
use crate::port::{Page, PageRequest};
use crate::user::User;

/// How to find one account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum FindUser {
    /// By id.
    Id(UserId),
    /// By the name to sign in with, without regard to case.
    Username(String),
    /// By mail address, without regard to case.
    Mail(String),
}

/// Which accounts to list.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ListUsers {
    /// Part of a user name, display name or mail address, without regard to case; none means all.
    pub search: Option<String>,
    /// Which page; the order is that of user names.
    pub page: PageRequest,
}

port! {
    /// The accounts.
    pub trait Users = "users" {
        /// One account; [`crate::ErrorKind::NotFound`] when there is none.
        async fn find(FindUser) -> User;
        /// A page of accounts.
        async fn list(ListUsers) -> Page<User>;
    }
}
