//! Making, changing and removing the entries of accounts, in the form that oCIS gives them.

use ldap3::Mod;
use ocis_core::config::Secret;
use ocis_core::id::UserId;
use ocis_core::port::{FindUser, NewUser, UserChange};
use ocis_core::{Error, ErrorKind, Result};

use super::attributes::{Attributes, add, delete, replace};
use super::client::Change;
use super::entry::{GIVEN_NAME, IDENTITIES, SURNAME, identity_value, octets, user_type_value};
use super::memberships::Found;
use super::options::{DisableUsers, IdAttribute};
use super::{Ldap, dn, filter};

/// What new accounts are called by and what they are, whatever the settings; as in oCIS.
const NAMED_BY: &str = "uid";
const CLASSES: [&str; 5] =
    ["inetOrgPerson", "organizationalPerson", "person", "top", "ownCloudUser"];

impl Ldap {
    pub(super) async fn add_user(&self, new: NewUser) -> Result<()> {
        let users = &self.options.users;
        self.name_is_free(&new.username, None).await?;
        if let Some(id) = &new.id
            && self.account_where(&filter::id(&users.id, id.as_str())?).await?.is_some()
        {
            return Err(Error::exists("there is a user with this id"));
        }
        if !new.enabled && self.options.disable == DisableUsers::None {
            return Err(cannot_disable());
        }
        let dn = dn::below(&users.place.base_dn, NAMED_BY, &new.username);
        let attributes = self.attributes(&new)?;
        self.client.change(Change::Add(dn.clone(), attributes.into_list())).await?;
        self.members.invalidate(&self.key(&dn));
        let finished = self.finish_user(&dn, &new).await;
        if finished.is_err()
            && let Err(error) = self.client.change(Change::Remove(dn.clone())).await
        {
            tracing::warn!(dn, %error, "an account that was made half remains in the directory");
        }
        finished
    }

    fn attributes(&self, new: &NewUser) -> Result<Attributes> {
        let users = &self.options.users;
        let mut entry = Attributes::default();
        for class in CLASSES {
            entry.put("objectClass", class);
        }
        entry.put(NAMED_BY, &*new.username);
        entry.put(&users.username, &*new.username);
        entry.put_if_none("cn", &new.username);
        entry.put_if_none(&users.display_name, or(&new.display_name, &new.username));
        entry.put_if_none(&users.mail, &new.mail);
        entry.put_if_none(GIVEN_NAME, &new.given_name);
        // The class needs one.
        entry.put_if_none(SURNAME, or(&new.surname, &new.username));
        entry.put(&users.user_type, user_type_value(new.user_type));
        for identity in &new.identities {
            entry.put(IDENTITIES, identity_value(identity));
        }
        if self.options.disable == DisableUsers::Attribute {
            entry.put(&users.enabled, boolean(new.enabled));
        }
        let id = new.id.as_ref().map(UserId::as_str);
        self.put_id(&mut entry, &users.id, id, || UserId::random().to_string())?;
        if let (Some(password), false) = (&new.password, self.options.changes.password_exop) {
            entry.put("userPassword", password.expose());
        }
        Ok(entry)
    }

    /// The id that an entry is made with, unless the server gives it one.
    pub(super) fn put_id(
        &self,
        entry: &mut Attributes,
        attribute: &IdAttribute,
        wanted: Option<&str>,
        random: impl FnOnce() -> String,
    ) -> Result<()> {
        if self.options.changes.server_uuid {
            return match wanted {
                Some(_) => Err(Error::invalid("the user directory chooses the ids itself")),
                None => Ok(()),
            };
        }
        let id = wanted.map_or_else(random, str::to_owned);
        match attribute.octets {
            true => entry.put(&attribute.name, octets(&id)?),
            false => entry.put(&attribute.name, id),
        }
        Ok(())
    }

    async fn finish_user(&self, dn: &str, new: &NewUser) -> Result<()> {
        if let (Some(password), true) = (&new.password, self.options.changes.password_exop) {
            self.set_password(dn, password).await?;
        }
        if let (DisableUsers::Group(group), false) = (&self.options.disable, new.enabled) {
            self.disable_in(group, dn).await?;
        }
        Ok(())
    }

    async fn set_password(&self, dn: &str, password: &Secret) -> Result<()> {
        self.client.change(Change::Password(dn.to_owned(), password.clone())).await
    }

    pub(super) async fn edit_user(&self, user: &UserId, change: UserChange) -> Result<()> {
        let Found { dn: old, user: before } = self.found(&FindUser::Id(user.clone())).await?;
        let name = change.username.as_ref().filter(|name| **name != before.username);
        if let Some(name) = name {
            self.name_is_free(name, Some(user)).await?;
        }
        if change.enabled.is_some() && self.options.disable == DisableUsers::None {
            return Err(cannot_disable());
        }
        let schema = &self.options.users;
        let by_name = dn::is_named_by(&old, &schema.username);
        let mut changes = self.changes(&change, name.unwrap_or(&before.username));
        if let (Some(name), false) = (name, by_name) {
            changes.push(replace(&schema.username, [name.clone()]));
        }
        if !changes.is_empty() {
            self.client.change(Change::Modify(old.clone(), changes)).await?;
        }
        let new = match (name, by_name) {
            (Some(name), true) => self.rename_user(&old, name).await?,
            _ => old.clone(),
        };
        if let Some(name) = name {
            let after = ocis_core::user::User { username: name.clone(), ..before.clone() };
            let from = self.member_value(&old, &before);
            self.call_member(&from, &self.member_value(&new, &after)).await?;
        }
        if let (Some(password), true) = (&change.password, self.options.changes.password_exop) {
            self.set_password(&new, password).await?;
        }
        match (&self.options.disable, change.enabled) {
            (DisableUsers::Group(group), Some(true)) => self.enable_in(group, &new).await,
            (DisableUsers::Group(group), Some(false)) => self.disable_in(group, &new).await,
            _ => Ok(()),
        }
    }

    fn changes(&self, change: &UserChange, name: &str) -> Vec<Mod<Vec<u8>>> {
        let users = &self.options.users;
        let mut changes = Vec::new();
        let mut set = |attribute: &str, value: Option<&str>| {
            if let (Some(value), false) = (value, attribute.is_empty()) {
                changes.push(replace(attribute, [value.to_owned()]));
            }
        };
        set(&users.display_name, change.display_name.as_deref().map(|text| or(text, name)));
        set(GIVEN_NAME, change.given_name.as_deref());
        set(SURNAME, change.surname.as_deref().map(|text| or(text, name)));
        set(&users.mail, change.mail.as_deref());
        set(&users.user_type, change.user_type.map(user_type_value));
        if self.options.disable == DisableUsers::Attribute {
            set(&users.enabled, change.enabled.map(boolean));
        }
        if !self.options.changes.password_exop {
            set("userPassword", change.password.as_ref().map(Secret::expose));
        }
        if let Some(identities) = &change.identities {
            changes.push(replace(IDENTITIES, identities.iter().map(identity_value)));
        }
        changes
    }

    async fn rename_user(&self, old: &str, name: &str) -> Result<String> {
        let relative = dn::relative(&self.options.users.username, name);
        let new = format!("{relative},{}", dn::parent(old));
        self.client.change(Change::Rename(old.to_owned(), relative)).await?;
        for dn in [old, &new] {
            self.members.invalidate(&self.key(dn));
        }
        if let DisableUsers::Group(group) = &self.options.disable
            && !self.options.changes.refint
            && self.is_disabled(old).await?
        {
            self.disable_in(group, &new).await?;
            self.enable_in(group, old).await?;
        }
        Ok(new)
    }

    /// Removes memberships before the entry: whoever gets the same name later must not find
    /// themselves in groups.
    pub(super) async fn remove_user(&self, user: UserId) -> Result<()> {
        let Found { dn, user } = self.found(&FindUser::Id(user)).await?;
        if !self.options.changes.refint {
            self.leave_all_groups(&self.member_value(&dn, &user)).await?;
            if let DisableUsers::Group(group) = &self.options.disable {
                self.enable_in(group, &dn).await?;
            }
        }
        self.client.change(Change::Remove(dn.clone())).await?;
        self.members.invalidate(&self.key(&self.member_value(&dn, &user)));
        Ok(())
    }

    async fn disable_in(&self, group: &str, dn: &str) -> Result<()> {
        let member = &self.options.groups.member;
        let join = Change::Modify(group.to_owned(), vec![add(member, [dn.to_owned()])]);
        match self.client.change(join).await {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            // As oCIS does when it starts.
            Err(error) if error.kind() == ErrorKind::NotFound && self.options.changes.enabled => {
                let mut entry = Attributes::default();
                entry.put("objectClass", "groupOfNames");
                entry.put("objectClass", "top");
                entry.put(member, dn);
                self.client.change(Change::Add(group.to_owned(), entry.into_list())).await
            }
            done => done,
        }
    }

    async fn enable_in(&self, group: &str, dn: &str) -> Result<()> {
        match self.leave(group, vec![dn.to_owned()]).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }

    /// Takes members out of a group. A `groupOfNames` has to have one, so the last leaves an empty
    /// name behind, as in oCIS.
    pub(super) async fn leave(&self, group: &str, members: Vec<String>) -> Result<()> {
        let member = &self.options.groups.member;
        let leave = delete(member, members);
        let last = vec![add(member, [String::new()]), leave.clone()];
        match self.client.change(Change::Modify(group.to_owned(), vec![leave])).await {
            Err(error) if error.kind() == ErrorKind::Conflict => {
                self.client.change(Change::Modify(group.to_owned(), last)).await
            }
            done => done,
        }
    }

    async fn name_is_free(&self, name: &str, but: Option<&UserId>) -> Result<()> {
        let taken = self.account_where(&filter::equals(&self.options.users.username, name)).await?;
        match taken {
            Some(found) if Some(&found.user.id) != but => {
                Err(Error::exists("there is a user with this name"))
            }
            _ => Ok(()),
        }
    }
}

fn or<'a>(text: &'a str, other: &'a str) -> &'a str {
    if text.is_empty() { other } else { text }
}

/// RFC 4517 section 3.3.3.
fn boolean(value: bool) -> &'static str {
    if value { "TRUE" } else { "FALSE" }
}

fn cannot_disable() -> Error {
    Error::invalid("the settings of the user directory know no disabled accounts")
}
