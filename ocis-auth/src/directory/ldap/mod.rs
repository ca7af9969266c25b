//! The embedded directory as an LDAP server (RFC 4511), with the names, classes and attributes that
//! oCIS's own idm writes, so that what asks that one can ask this one.
//!
//! Nobody reads anonymously but the root's own entry. Service accounts read everything, one of them
//! changes it; people read their own entry. No password is ever given out.

mod bind;
mod entry;
mod filter;
mod modify;
mod result;
mod search;
mod session;

use std::fmt;
use std::sync::Arc;

use ocis_core::config::Secret;
use ocis_core::port::Authenticate;
use ocis_core::time::Clock;
use ocis_core::{Caller, Cx};

use super::{Directory, Editor};

/// An account with which a part of oCIS asks the directory:
/// `uid=<name>,ou=sysusers,o=libregraph-idm`.
#[derive(Debug, Clone)]
pub struct ServiceAccount {
    /// The name.
    pub name: &'static str,
    /// The password; an empty one lets nobody in.
    pub password: Secret,
    /// Whether it may change accounts and groups.
    pub writes: bool,
}

/// Answers LDAP requests about one directory.
pub struct LdapServer {
    directory: Arc<Directory>,
    editor: Editor,
    /// Who knows the passwords of people, remembers them and slows down who guesses.
    authenticate: Arc<dyn Authenticate>,
    services: Vec<ServiceAccount>,
    clock: Arc<dyn Clock>,
}

impl LdapServer {
    /// A server of `directory`, in which `authenticate` checks the passwords of people.
    pub fn new(
        directory: Arc<Directory>,
        authenticate: Arc<dyn Authenticate>,
        mut services: Vec<ServiceAccount>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        // The order of searches, which pages rely on.
        services.sort_by_key(|account| account.name);
        let editor = Editor::new(Arc::clone(&directory));
        Self { directory, editor, authenticate, services, clock }
    }

    /// Who asks the directory on behalf of the service account that is bound.
    fn cx(&self) -> Cx {
        Cx::new(Caller::Service("idm".into()), self.clock.now())
    }
}

impl fmt::Debug for LdapServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LdapServer").field("directory", &self.directory).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
