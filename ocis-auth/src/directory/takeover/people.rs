//! Which of oCIS's LDAP entries are people and groups, and what becomes of them.
//!
//! The attributes are those that oCIS's graph service writes: `ownCloudUUID` is the id, `uid` the
//! user name; an account without `ownCloudUserEnabled` is enabled.

use std::collections::{HashMap, HashSet};

use ocis_core::Result;
use ocis_core::id::{GroupId, UserId};
use ocis_core::time::Timestamp;
use ocis_core::user::UserType;

use super::Entry;
use crate::directory::dn::Dn;
use crate::directory::identity::external_identity;
use crate::directory::record::{Document, FORMAT, Group, User};

/// Where oCIS keeps the accounts of its own services, which are no people.
const SERVICES: &str = "ou=sysusers,o=libregraph-idm";
/// Whose members may not sign in where oCIS disables accounts by group
/// (`OCIS_LDAP_DISABLED_USERS_GROUP_DN`).
const DISABLED: &str = "cn=DisabledUsersGroup,ou=groups,o=libregraph-idm";

/// The directory that the entries make.
pub(super) fn document(entries: &[Entry], now: Timestamp) -> Result<Document> {
    let (services, disabled_group) = (Dn::parse(SERVICES)?, Dn::parse(DISABLED)?);
    let mut named = Vec::new();
    for entry in entries {
        let dn = Dn::parse(&entry.dn)?;
        if !dn.is_within(&services) {
            named.push((dn, entry));
        }
    }
    let groups = || named.iter().filter(|(_, entry)| entry.is_a("groupOfNames"));
    let disabled: HashSet<Dn> = groups()
        .filter(|(dn, _)| *dn == disabled_group)
        .flat_map(|(_, entry)| members(entry))
        .collect();

    let (mut users, mut ids) = (Vec::new(), HashMap::new());
    for (dn, entry) in named.iter().filter(|(_, entry)| entry.is_a("inetOrgPerson")) {
        let Some(mut user) = user(entry, now)? else { continue };
        user.enabled &= !disabled.contains(dn);
        ids.insert(dn, user.id.clone());
        users.push(user);
    }
    let groups = groups().filter(|(dn, _)| *dn != disabled_group);
    let groups = groups.map(|(_, entry)| group(entry, &ids));
    let groups = groups.filter_map(Result::transpose).collect::<Result<_>>()?;
    Ok(Document { format: FORMAT, users, groups })
}

fn members(entry: &Entry) -> impl Iterator<Item = Dn> {
    // A group without members has the empty name as one.
    entry.all("member").filter(|member| !member.is_empty()).filter_map(|dn| Dn::parse(dn).ok())
}

fn user(entry: &Entry, now: Timestamp) -> Result<Option<User>> {
    let (id, username) = (entry.first("ownclouduuid"), entry.first("uid"));
    if id.is_empty() || username.is_empty() {
        tracing::warn!(dn = entry.dn, "an account without id or name is not taken over");
        return Ok(None);
    }
    let id = UserId::parse(id)?;
    let password = entry.first("userpassword");
    if !password.is_empty() && !password.starts_with("{ARGON2}") {
        tracing::warn!(user = username, "has a password of a kind that is not understood");
    }
    let display_name = match entry.first("displayname") {
        "" => username,
        name => name,
    };
    Ok(Some(User {
        display_name: display_name.to_owned(),
        username: username.to_owned(),
        given_name: entry.first("givenname").to_owned(),
        surname: entry.first("sn").to_owned(),
        mail: entry.first("mail").to_owned(),
        enabled: !entry.first("ownclouduserenabled").eq_ignore_ascii_case("false"),
        created: now,
        password: password.to_owned(),
        password_changes: 0,
        user_type: user_type(entry.first("owncloudusertype")),
        identities: entry.all("ocexternalidentity").filter_map(external_identity).collect(),
        id,
    }))
}

fn user_type(text: &str) -> UserType {
    match text.to_lowercase().as_str() {
        "guest" => UserType::Guest,
        "federated" => UserType::Federated,
        _ => UserType::Member,
    }
}

fn group(entry: &Entry, ids: &HashMap<&Dn, UserId>) -> Result<Option<Group>> {
    let (id, name) = (entry.first("ownclouduuid"), entry.first("cn"));
    if id.is_empty() || name.is_empty() {
        tracing::warn!(dn = entry.dn, "a group without id or name is not taken over");
        return Ok(None);
    }
    let mut found = Vec::new();
    for member in members(entry) {
        if let Some(id) = ids.get(&member).filter(|id| !found.contains(*id)) {
            found.push(id.clone());
        }
    }
    Ok(Some(Group { id: GroupId::parse(id)?, name: name.to_owned(), members: found }))
}
