//! The seam between what a client presents and the directory that knows the passwords.

use std::fmt;

use async_trait::async_trait;
use ocis_core::Result;
use ocis_core::user::User;

/// A directory that can tell whether a password is that of an account.
#[async_trait]
pub trait Passwords: Send + Sync + fmt::Debug + 'static {
    /// The enabled account that has this user name (compared without case) and this password; none
    /// when there is no such account, it is disabled or the password is another one. Takes the same
    /// time in each of these cases. May be slow by design; [`crate::basic::Basic`] remembers the
    /// answer.
    async fn check(&self, username: &str, password: &str) -> Result<Option<User>>;

    /// A number that changes whenever the answer of [`Self::check`] for `username` may have changed
    /// for a reason other than the password presented. Called on every request, so it must be
    /// cheap. A directory that cannot know answers 0; what was remembered then ends with its time.
    fn revision(&self, username: &str) -> u64;
}
