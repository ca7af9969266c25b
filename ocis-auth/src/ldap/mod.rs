//! A directory that an LDAP server holds: OpenLDAP, Active Directory, or the idm of an oCIS.
//!
//! [`Ldap`] is the ports [`ocis_core::port::Users`], [`ocis_core::port::Groups`] and
//! [`ocis_core::port::Provisioning`], and [`crate::passwords::Passwords`], over a bounded number of
//! connections that are opened when they are needed. What entries look like is a matter of
//! [`LdapOptions`], whose names and defaults are those of oCIS.
//!
//! The directory is asked every time, but for who is behind the name of a group's member: others
//! change it too, and do not say so. Roles are nothing that it knows.

mod attributes;
mod client;
mod dn;
mod edit_groups;
mod edit_users;
mod entry;
mod fault;
mod filter;
mod groups;
mod memberships;
mod options;
mod page;
mod passwords;
mod pool;
mod provisioning;
mod tls;
mod users;

use std::fmt;
use std::sync::Arc;

use ocis_core::Result;
use ocis_core::id::UserId;

use client::Client;

pub use options::{
    Changes, DisableUsers, GroupEntries, IdAttribute, LdapOptions, Limits, Place, Scope, Substring,
    UserEntries,
};

/// How many members' names are remembered.
const MEMBERS: u64 = 50_000;

/// A directory behind LDAP.
pub struct Ldap {
    options: Arc<LdapOptions>,
    client: Client,
    /// Which account a member of a group is, by its name in normal form; none for what is none.
    members: moka::sync::Cache<String, Option<UserId>>,
}

impl Ldap {
    /// A directory of these options; nothing is asked yet.
    /// [`ocis_core::ErrorKind::InvalidArgument`] when they cannot be acted on.
    pub fn new(options: LdapOptions) -> Result<Self> {
        options.check()?;
        let options = Arc::new(options);
        let members = moka::sync::Cache::builder()
            .max_capacity(MEMBERS)
            .time_to_live(options.limits.members)
            .build();
        Ok(Self { client: Client::new(Arc::clone(&options)), options, members })
    }
}

impl fmt::Debug for Ldap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ldap").field("servers", &self.options.servers).finish_non_exhaustive()
    }
}
