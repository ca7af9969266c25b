//! A new password for somebody who lost theirs: what `ocis idm resetpassword` does.

use std::path::Path;

use ocis_core::{Error, Result};

use super::store::Store;
use crate::hash::Hasher;
use crate::rules::check_password;

/// Gives the account `username` of the directory in the folder `dir` a new password. Nothing else
/// may own the directory meanwhile. Blocks. On an error nothing is changed:
///
/// - [`ocis_core::ErrorKind::NotFound`] when there is no directory or no such account,
/// - [`ocis_core::ErrorKind::Unavailable`] while a server owns the directory,
/// - [`ocis_core::ErrorKind::InvalidArgument`] for an empty password.
pub fn reset_password(dir: &Path, username: &str, password: &str) -> Result<()> {
    check_password(password)?;
    let store = Store::existing(dir)?;
    let mut document =
        store.load()?.ok_or_else(|| Error::not_found("the user directory does not exist"))?;
    let hash = Hasher::for_this_machine()?.hash_blocking(password)?;
    document.user(username)?.set_password(hash);
    store.save(&document)
}
