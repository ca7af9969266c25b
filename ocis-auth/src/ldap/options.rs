//! How to reach a directory, and what its entries look like: oCIS's `OCIS_LDAP_*` as types.

use std::path::PathBuf;
use std::time::Duration;

use ocis_core::config::Secret;
use ocis_core::{Error, Result};

/// How the URL of a server begins that is asked for StartTLS.
pub(super) const STARTTLS: &str = "ldap+starttls://";
const SCHEMES: [&str; 3] = ["ldaps://", "ldap://", STARTTLS];

/// Everything that an [`super::Ldap`] has to know. The defaults are those of oCIS, for the
/// directory that its own idm serves.
#[derive(Debug, Clone)]
pub struct LdapOptions {
    /// The servers as URLs, asked in this order until one answers: `ldaps://`, `ldap://`, or
    /// `ldap+starttls://` for the latter made secure before anything is asked (RFC 4511 section
    /// 4.14).
    pub servers: Vec<String>,
    /// A file with certificates (PEM) that are trusted besides the system's; it is read for every
    /// new connection, so that it may come into being later.
    pub ca_cert: Option<PathBuf>,
    /// Whether any certificate will do.
    pub insecure: bool,
    /// The account that searches and changes; empty to do so without signing in.
    pub bind_dn: String,
    /// Its password.
    pub bind_password: Secret,
    /// The accounts.
    pub users: UserEntries,
    /// The groups.
    pub groups: GroupEntries,
    /// What makes an account a disabled one.
    pub disable: DisableUsers,
    /// The attributes whose value somebody may sign in with.
    pub login_attributes: Vec<String>,
    /// Changes.
    pub changes: Changes,
    /// Bounds.
    pub limits: Limits,
}

/// Below what entries lie, and which of them count.
#[derive(Debug, Clone)]
pub struct Place {
    /// The entry below which they lie.
    pub base_dn: String,
    /// How far below.
    pub scope: Scope,
    /// A filter (RFC 4515, with its parentheses) that they have to meet besides; may be empty.
    pub filter: String,
    /// The object class that they have to have.
    pub object_class: String,
    /// Where in a value a searched text has to stand.
    pub substring: Substring,
}

/// How far below its base a search reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// The base itself.
    Base,
    /// What is directly below it.
    One,
    /// Everything below it.
    #[default]
    Sub,
}

/// Where in a value a searched text has to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Substring {
    /// At its beginning, which is what most servers have an index for.
    Initial,
    /// Anywhere.
    #[default]
    Any,
    /// At its end.
    Final,
}

/// The attribute that holds an id.
#[derive(Debug, Clone)]
pub struct IdAttribute {
    /// Its name.
    pub name: String,
    /// Whether it holds the 16 bytes of a UUID instead of text, as Active Directory's `objectGUID`.
    /// As in oCIS the bytes are taken in the order in which they come: the id is not the text that
    /// Microsoft's tools show, which swap the first eight.
    pub octets: bool,
}

/// The accounts in a directory.
#[derive(Debug, Clone)]
pub struct UserEntries {
    /// Where they are.
    pub place: Place,
    /// The id.
    pub id: IdAttribute,
    /// The attribute with the name to sign in with.
    pub username: String,
    /// The attribute with the name to show.
    pub display_name: String,
    /// The attribute with the mail address.
    pub mail: String,
    /// The attribute with the kind of account; may be empty.
    pub user_type: String,
    /// The attribute that says whether the account may sign in; may be empty.
    pub enabled: String,
}

/// The groups in a directory.
#[derive(Debug, Clone)]
pub struct GroupEntries {
    /// Where they are.
    pub place: Place,
    /// The id.
    pub id: IdAttribute,
    /// The attribute with the name.
    pub name: String,
    /// The attribute with the name to show, in which searches look too.
    pub display_name: String,
    /// The attribute with a mail address, in which searches look too.
    pub mail: String,
    /// The attribute with the members: their DNs, or their user names where groups are of the class
    /// `posixGroup`.
    pub member: String,
}

/// What makes an account a disabled one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DisableUsers {
    /// Nothing: all accounts are enabled.
    None,
    /// The attribute [`UserEntries::enabled`] with the value `FALSE`.
    Attribute,
    /// Membership in the group with this DN, which works with directories that can be read only but
    /// for that one entry.
    Group(String),
}

/// What may be changed, and how.
#[derive(Debug, Clone)]
pub struct Changes {
    /// Whether anything may be changed.
    pub enabled: bool,
    /// Whether the server gives new entries their id; else they get one of ours.
    pub server_uuid: bool,
    /// Whether passwords are set with the password modify operation (RFC 3062), so that the server
    /// hashes them, instead of the attribute `userPassword`.
    pub password_exop: bool,
    /// Whether the server keeps memberships right when an account is renamed or removed.
    pub refint: bool,
    /// The entry below which new groups come; empty for [`GroupEntries::place`].
    pub group_base_dn: String,
}

/// Bounds of what is asked and waited for.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The most connections that search and change, and as many again that check passwords.
    pub connections: usize,
    /// How long to wait for a connection, with its TLS and sign-in.
    pub connect: Duration,
    /// How long to wait for an answer; of a long list, for each page of it.
    pub operation: Duration,
    /// How long an unused connection is kept.
    pub idle: Duration,
    /// How long any connection is kept.
    pub lifetime: Duration,
    /// How long it is remembered which account a member of a group is.
    pub members: Duration,
}

impl Default for Limits {
    /// 8 connections, 5 seconds to connect, 10 for an answer; connections are kept for a minute
    /// unused and ten in all; members are remembered for a minute.
    fn default() -> Self {
        let second = Duration::from_secs(1);
        Self {
            connections: 8,
            connect: 5 * second,
            operation: 10 * second,
            idle: 60 * second,
            lifetime: 600 * second,
            members: 60 * second,
        }
    }
}

impl Default for LdapOptions {
    fn default() -> Self {
        let place = |base_dn: &str, object_class: &str| Place {
            base_dn: base_dn.to_owned(),
            scope: Scope::default(),
            filter: String::new(),
            object_class: object_class.to_owned(),
            substring: Substring::default(),
        };
        let id = || IdAttribute { name: "ownclouduuid".to_owned(), octets: false };
        Self {
            servers: vec!["ldaps://localhost:9235".to_owned()],
            ca_cert: None,
            insecure: false,
            bind_dn: "uid=libregraph,ou=sysusers,o=libregraph-idm".to_owned(),
            bind_password: Secret::default(),
            users: UserEntries {
                place: place("ou=users,o=libregraph-idm", "inetOrgPerson"),
                id: id(),
                username: "uid".to_owned(),
                display_name: "displayname".to_owned(),
                mail: "mail".to_owned(),
                user_type: "ownCloudUserType".to_owned(),
                enabled: "ownCloudUserEnabled".to_owned(),
            },
            groups: GroupEntries {
                place: place("ou=groups,o=libregraph-idm", "groupOfNames"),
                id: id(),
                name: "cn".to_owned(),
                display_name: "cn".to_owned(),
                mail: "mail".to_owned(),
                member: "member".to_owned(),
            },
            disable: DisableUsers::Attribute,
            login_attributes: vec!["uid".to_owned()],
            changes: Changes {
                enabled: true,
                server_uuid: false,
                password_exop: true,
                refint: false,
                group_base_dn: String::new(),
            },
            limits: Limits::default(),
        }
    }
}

impl LdapOptions {
    /// Whether they can be acted on; [`ocis_core::ErrorKind::InvalidArgument`] with a sentence for
    /// the administrator when not.
    pub(super) fn check(&self) -> Result<()> {
        if self.servers.is_empty() {
            return Err(Error::invalid("LDAP: there is no URI of a server"));
        }
        for server in &self.servers {
            check_server(server)?;
        }
        for (what, filter) in
            [("user", &self.users.place.filter), ("group", &self.groups.place.filter)]
        {
            if !filter.is_empty() && ldap3::parse_filter(filter).is_err() {
                return Err(Error::invalid(format!(
                    "LDAP: the {what} filter \"{filter}\" is none; right would be one with its \
                     parentheses, such as (department=physics)"
                )));
            }
        }
        let (users, groups) = (&self.users, &self.groups);
        let needed = [&users.id.name, &users.username, &users.display_name, &users.mail]
            .into_iter()
            .chain([&groups.id.name, &groups.name, &groups.member])
            .chain(&self.login_attributes);
        let optional = [&users.user_type, &users.enabled, &groups.display_name, &groups.mail];
        for (needed, name) in
            needed.map(|name| (true, name)).chain(optional.map(|name| (false, name)))
        {
            check_attribute(name, needed)?;
        }
        for class in [&users.place.object_class, &groups.place.object_class] {
            check_attribute(class, true)?;
        }
        match &self.disable {
            DisableUsers::Attribute if users.enabled.is_empty() => {
                Err(Error::invalid("LDAP: users are disabled by an attribute, but none is named"))
            }
            DisableUsers::Group(dn) if dn.is_empty() => {
                Err(Error::invalid("LDAP: users are disabled by a group, but its DN is missing"))
            }
            _ => Ok(()),
        }
    }
}

fn check_server(server: &str) -> Result<()> {
    let host = SCHEMES.iter().find_map(|scheme| server.strip_prefix(scheme));
    match host.map(|host| host.trim_end_matches('/')) {
        Some(host) if !host.is_empty() && !host.contains(['/', '@', '?', ' ']) => Ok(()),
        _ => Err(Error::invalid(format!(
            "LDAP: \"{server}\" is no URI of a server; right would be one such as \
             ldaps://ldap.example.org:636"
        ))),
    }
}

/// Names go into filters as they are, so they have to be names (RFC 4512 section 1.4).
fn check_attribute(name: &str, needed: bool) -> Result<()> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ';' | '_');
    if (needed && name.is_empty()) || !name.chars().all(legal) {
        return Err(Error::invalid(format!(
            "LDAP: \"{name}\" is no name of an attribute or object class"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_can_be_acted_on() {
        LdapOptions::default().check().unwrap();
    }

    #[test]
    fn what_cannot_be_acted_on_is_named() {
        type Break = fn(&mut LdapOptions);
        let broken: [(&str, Break); 7] = [
            ("no URI", |options| options.servers.clear()),
            ("http://x", |options| options.servers = vec!["http://x".into()]),
            ("ldap://", |options| options.servers = vec!["ldap://".into()]),
            ("(uid=x", |options| options.users.place.filter = "(uid=x".into()),
            ("uid)(x=", |options| options.login_attributes = vec!["uid)(x=".into()]),
            ("none is named", |options| options.users.enabled.clear()),
            ("DN is missing", |options| options.disable = DisableUsers::Group(String::new())),
        ];
        for (part, change) in broken {
            let mut options = LdapOptions::default();
            change(&mut options);
            let message = options.check().unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
    }
}
