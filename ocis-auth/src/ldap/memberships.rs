//! Who is in which group, read from either side.
//!
//! Groups name their members by DN (or, in groups of the class `posixGroup`, by user name), and the
//! domain by id. Who is behind a name is remembered for a short time. Groups in groups count for
//! nothing, as in oCIS.

use std::collections::{HashMap, HashSet};

use ocis_core::Result;
use ocis_core::id::{GroupId, UserId};
use ocis_core::user::User;

use super::client::Query;
use super::entry::Entry;
use super::options::{DisableUsers, Scope};
use super::{Ldap, dn, filter};

/// Up to so many accounts are asked about one by one; for more, all groups are read once.
const FEW_USERS: usize = 8;

/// Up to so many members are looked up one by one; for more, all accounts are read once.
const FEW_MEMBERS: usize = 32;

/// An account, and what its entry is called.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) dn: String,
    pub(super) user: User,
}

impl Ldap {
    /// Adds to accounts what other entries say of them: their groups, in the order of ids, and
    /// whether they are disabled.
    pub(super) async fn complete(&self, mut found: Vec<Found>) -> Result<Vec<User>> {
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let disabled = self.disabled().await?;
        let all = if found.len() > FEW_USERS { Some(self.all_memberships().await?) } else { None };
        for Found { dn, user } in &mut found {
            if disabled.contains(&dn::normal(dn)) {
                user.enabled = false;
            }
            user.groups = match &all {
                Some(all) => all.get(&self.member_key(dn, user)).cloned().unwrap_or_default(),
                None => self.groups_of(dn, user).await?,
            };
            user.groups.sort_unstable();
            user.groups.dedup();
        }
        Ok(found.into_iter().map(|found| found.user).collect())
    }

    /// Whether the entry called `dn` is in the group of disabled accounts.
    pub(super) async fn is_disabled(&self, dn: &str) -> Result<bool> {
        Ok(self.disabled().await?.contains(&dn::normal(dn)))
    }

    /// The DNs of accounts that a group says are disabled, in their normal form.
    async fn disabled(&self) -> Result<HashSet<String>> {
        let DisableUsers::Group(group) = &self.options.disable else {
            return Ok(HashSet::new());
        };
        let member = &self.options.groups.member;
        let entry = self.client.first(&self.group_at(group, &[member])).await?;
        let Some(entry) = entry else {
            tracing::warn!(dn = group, "the group of disabled accounts is not in the directory");
            return Ok(HashSet::new());
        };
        Ok(entry.texts(member).map(dn::normal).collect())
    }

    /// The group called `dn`, whatever its class.
    pub(super) fn group_at(&self, dn: &str, attributes: &[&str]) -> Query {
        Query {
            base: dn.to_owned(),
            scope: Scope::Base,
            filter: "(objectClass=*)".to_owned(),
            attributes: attributes.iter().map(|name| (*name).to_owned()).collect(),
            enough: Some(1),
        }
    }

    async fn groups_of(&self, dn: &str, user: &User) -> Result<Vec<GroupId>> {
        let member = filter::equals(&self.options.groups.member, &self.member_value(dn, user));
        let query = self.groups_where(&member, &[&self.options.groups.id.name]);
        let mut groups = Vec::new();
        self.client.search(&query, |entry| groups.extend(entry.group_id(&self.options))).await?;
        Ok(groups)
    }

    async fn all_memberships(&self) -> Result<HashMap<String, Vec<GroupId>>> {
        let groups = &self.options.groups;
        let query = self.groups_where("", &[&groups.id.name, &groups.member]);
        let mut all: HashMap<String, Vec<GroupId>> = HashMap::new();
        self.client
            .search(&query, |entry| {
                let Some(id) = entry.group_id(&self.options) else { return };
                for member in entry.texts(&groups.member) {
                    all.entry(self.key(member)).or_default().push(id.clone());
                }
            })
            .await?;
        Ok(all)
    }

    /// The accounts behind the members of groups, by [`Self::key`].
    pub(super) async fn accounts_behind(
        &self,
        members: impl Iterator<Item = &str>,
    ) -> Result<HashMap<String, UserId>> {
        let (mut known, mut open) = (HashMap::new(), HashMap::new());
        for member in members.filter(|member| !member.is_empty()) {
            let key = self.key(member);
            match self.members.get(&key) {
                Some(Some(id)) => _ = known.insert(key, id),
                Some(None) => {}
                None => _ = open.insert(key, member),
            }
        }
        if open.len() > FEW_MEMBERS {
            self.look_at_all(&open, &mut known).await?;
            return Ok(known);
        }
        for (key, member) in open {
            let entry = self.client.first(&self.account_behind(member)).await?;
            let id = entry.and_then(|entry| entry.user_id(&self.options));
            self.members.insert(key.clone(), id.clone());
            known.extend(id.map(|id| (key, id)));
        }
        Ok(known)
    }

    async fn look_at_all(
        &self,
        open: &HashMap<String, &str>,
        known: &mut HashMap<String, UserId>,
    ) -> Result<()> {
        let users = &self.options.users;
        let query = self.users_where("", vec![users.id.name.clone(), users.username.clone()]);
        let mut look = |entry: Entry| {
            let key = match self.by_username() {
                true => entry.text(&users.username).to_lowercase(),
                false => dn::normal(&entry.dn),
            };
            if open.contains_key(&key) {
                known.extend(entry.user_id(&self.options).map(|id| (key, id)));
            }
        };
        self.client.search(&query, &mut look).await?;
        for key in open.keys() {
            self.members.insert(key.clone(), known.get(key).cloned());
        }
        Ok(())
    }

    fn account_behind(&self, member: &str) -> Query {
        let users = &self.options.users;
        let attributes = vec![users.id.name.clone()];
        if self.by_username() {
            return self.users_where(&filter::equals(&users.username, member), attributes);
        }
        let query = self.users_where("", attributes);
        Query { base: member.to_owned(), scope: Scope::Base, enough: Some(1), ..query }
    }

    /// What groups call an account.
    pub(super) fn member_value(&self, dn: &str, user: &User) -> String {
        if self.by_username() { user.username.clone() } else { dn.to_owned() }
    }

    /// [`Self::key`] of what groups call an account.
    fn member_key(&self, dn: &str, user: &User) -> String {
        self.key(&self.member_value(dn, user))
    }

    /// A value of the member attribute in the form in which such values are compared.
    pub(super) fn key(&self, member: &str) -> String {
        if self.by_username() { member.to_lowercase() } else { dn::normal(member) }
    }

    fn by_username(&self) -> bool {
        self.options.groups.place.object_class.eq_ignore_ascii_case("posixGroup")
    }
}
