//! Making, changing and removing the entries of groups, in the form that oCIS gives them.

use ocis_core::id::{GroupId, UserId};
use ocis_core::port::{ChangeMembers, FindUser, GetGroup, NewGroup};
use ocis_core::{Error, ErrorKind, Result};

use super::attributes::{Attributes, add, delete, replace};
use super::client::Change;
use super::entry::Entry;
use super::{Ldap, dn, filter};

/// What new groups are called by and what they are; as in oCIS.
const NAMED_BY: &str = "cn";
const CLASS: &str = "groupOfNames";

impl Ldap {
    pub(super) async fn add_group(&self, new: NewGroup) -> Result<()> {
        let groups = &self.options.groups;
        if !groups.place.object_class.eq_ignore_ascii_case(CLASS) {
            return Err(Error::unimplemented(
                "groups can be made only in directories whose groups are of the class groupOfNames",
            ));
        }
        self.group_name_is_free(&new.name, None).await?;
        if let Some(id) = &new.id {
            match self.group_entry(&GetGroup::Id(id.clone())).await {
                Ok(_) => return Err(Error::exists("there is a group with this id")),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        let mut entry = Attributes::default();
        entry.put("objectClass", CLASS);
        entry.put("objectClass", "top");
        entry.put(NAMED_BY, &*new.name);
        entry.put(&groups.name, &*new.name);
        let id = new.id.as_ref().map(GroupId::as_str);
        self.put_id(&mut entry, &groups.id, id, || GroupId::random().to_string())?;
        if !self.options.changes.server_uuid {
            entry.put("objectClass", "owncloud");
        }
        let members = self.called(&new.members).await?;
        if members.is_empty() {
            // The class wants a member, and an empty name is one that nobody has.
            entry.put_even_empty(&groups.member, Vec::new());
        }
        for member in members {
            entry.put(&groups.member, member);
        }
        let base = match self.options.changes.group_base_dn.as_str() {
            "" => &groups.place.base_dn,
            base => base,
        };
        let dn = dn::below(base, NAMED_BY, &new.name);
        self.client.change(Change::Add(dn, entry.into_list())).await
    }

    pub(super) async fn call_group(&self, group: &GroupId, name: &str) -> Result<()> {
        let entry = self.group_entry(&GetGroup::Id(group.clone())).await?;
        let attribute = &self.options.groups.name;
        if entry.text(attribute) == name {
            return Ok(());
        }
        self.group_name_is_free(name, Some(group)).await?;
        let change = match dn::is_named_by(&entry.dn, attribute) {
            true => Change::Rename(entry.dn, dn::relative(attribute, name)),
            false => Change::Modify(entry.dn, vec![replace(attribute, [name.to_owned()])]),
        };
        self.client.change(change).await
    }

    pub(super) async fn remove_group(&self, group: GroupId) -> Result<()> {
        let entry = self.group_entry(&GetGroup::Id(group)).await?;
        self.client.change(Change::Remove(entry.dn)).await
    }

    pub(super) async fn put_into_group(&self, request: &ChangeMembers) -> Result<()> {
        let entry = self.group_entry(&GetGroup::Id(request.group.clone())).await?;
        let member = &self.options.groups.member;
        let mut new = self.called(&request.members).await?;
        new.retain(|value| !self.holds(&entry, value));
        new.sort_unstable();
        new.dedup_by(|one, other| self.key(one) == self.key(other));
        if new.is_empty() {
            return Ok(());
        }
        let mut changes = vec![add(member, new)];
        if entry.texts(member).any(str::is_empty) {
            changes.push(delete(member, [String::new()]));
        }
        self.client.change(Change::Modify(entry.dn, changes)).await
    }

    pub(super) async fn take_out_of_group(&self, request: &ChangeMembers) -> Result<()> {
        let entry = self.group_entry(&GetGroup::Id(request.group.clone())).await?;
        let missing = || Error::not_found("a user is no member of the group");
        let mut gone = Vec::new();
        for value in self.called(&request.members).await? {
            let key = self.key(&value);
            let written = entry.texts(&self.options.groups.member).find(|old| self.key(old) == key);
            gone.push(written.ok_or_else(missing)?.to_owned());
        }
        match gone.is_empty() {
            true => Ok(()),
            false => self.leave(&entry.dn, gone).await,
        }
    }

    /// Takes an account out of every group that it is in.
    pub(super) async fn leave_all_groups(&self, member: &str) -> Result<()> {
        for group in self.groups_with(member).await? {
            match self.leave(&group, vec![member.to_owned()]).await {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Tells the groups of an account what it is called now.
    pub(super) async fn call_member(&self, old: &str, new: &str) -> Result<()> {
        if self.options.changes.refint || self.key(old) == self.key(new) {
            return Ok(());
        }
        let member = &self.options.groups.member;
        for group in self.groups_with(old).await? {
            let changes = vec![add(member, [new.to_owned()]), delete(member, [old.to_owned()])];
            match self.client.change(Change::Modify(group, changes)).await {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    async fn groups_with(&self, member: &str) -> Result<Vec<String>> {
        let groups = &self.options.groups;
        let query = self.groups_where(&filter::equals(&groups.member, member), &[&groups.id.name]);
        let mut found = Vec::new();
        self.client.search(&query, |entry| found.push(entry.dn)).await?;
        Ok(found)
    }

    /// What groups call these accounts; [`ocis_core::ErrorKind::NotFound`] when one is not there.
    async fn called(&self, users: &[UserId]) -> Result<Vec<String>> {
        let mut values = Vec::new();
        for id in users {
            let found = self.found(&FindUser::Id(id.clone())).await?;
            values.push(self.member_value(&found.dn, &found.user));
        }
        Ok(values)
    }

    fn holds(&self, group: &Entry, member: &str) -> bool {
        let key = self.key(member);
        group.texts(&self.options.groups.member).any(|value| self.key(value) == key)
    }

    async fn group_name_is_free(&self, name: &str, but: Option<&GroupId>) -> Result<()> {
        match self.group_entry(&GetGroup::Name(name.to_owned())).await {
            Ok(entry) if entry.group_id(&self.options).as_ref() != but => {
                Err(Error::exists("there is a group with this name"))
            }
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}
