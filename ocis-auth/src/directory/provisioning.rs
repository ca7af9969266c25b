//! Changing the embedded directory through the port.

use std::sync::Arc;

use async_trait::async_trait;
use ocis_core::id::{GroupId, UserId};
use ocis_core::port::{
    ChangeMembers, ChangeUser, FindUser, GetGroup, Groups as _, NewGroup, NewUser, Provisioning,
    RenameGroup, UserChange, Users as _,
};
use ocis_core::role::RolePermission;
use ocis_core::user::{Group, User};
use ocis_core::{Cx, Error, Result};

use super::Directory;
use super::record::{self, Document};
use crate::rules::{
    check_group_name, check_new_user, check_password, check_user_change, may_change,
};

/// The directory, shared: its changes run on the blocking pool.
#[derive(Debug, Clone)]
pub struct Editor(Arc<Directory>);

impl Editor {
    /// Changes `directory`.
    pub fn new(directory: Arc<Directory>) -> Self {
        Self(directory)
    }

    async fn change(
        &self,
        change: impl FnOnce(&mut Document) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        self.0.change(change).await
    }

    async fn hash(&self, password: Option<&ocis_core::config::Secret>) -> Result<Option<String>> {
        let Some(password) = password else { return Ok(None) };
        check_password(password.expose())?;
        self.0.hasher.hash(password.expose()).await.map(Some)
    }
}

#[async_trait]
impl Provisioning for Editor {
    async fn create_user(&self, cx: &Cx, new: NewUser) -> Result<User> {
        cx.caller.require(&RolePermission::ACCOUNTS_READ_WRITE)?;
        check_new_user(&new)?;
        let password = self.hash(new.password.as_ref()).await?.unwrap_or_default();
        let id = new.id.unwrap_or_else(UserId::random);
        let record = record::User {
            id: id.clone(),
            display_name: match new.display_name.as_str() {
                "" => new.username.clone(),
                name => name.to_owned(),
            },
            username: new.username,
            given_name: new.given_name,
            surname: new.surname,
            mail: new.mail,
            enabled: new.enabled,
            created: cx.now,
            password,
            password_changes: 0,
            user_type: new.user_type,
            identities: new.identities,
        };
        self.change(move |document| {
            free_name(document, &record.username, &record.id)?;
            if document.users.iter().any(|user| user.id == record.id) {
                return Err(Error::exists("there is a user with this id"));
            }
            document.users.push(record);
            Ok(())
        })
        .await?;
        self.0.find(cx, FindUser::Id(id)).await
    }

    async fn change_user(&self, cx: &Cx, request: ChangeUser) -> Result<User> {
        let ChangeUser { user, change } = request;
        may_change(&cx.caller, &user, &change)?;
        check_user_change(&change)?;
        let password = self.hash(change.password.as_ref()).await?;
        let id = user.clone();
        self.change(move |document| {
            if let Some(name) = &change.username {
                free_name(document, name, &user)?;
            }
            let found = document.users.iter_mut().find(|found| found.id == user);
            let record = found.ok_or_else(|| Error::not_found("there is no such user"))?;
            apply(record, change, password);
            Ok(())
        })
        .await?;
        self.0.find(cx, FindUser::Id(id)).await
    }

    async fn delete_user(&self, cx: &Cx, user: UserId) -> Result<()> {
        cx.caller.require(&RolePermission::ACCOUNTS_READ_WRITE)?;
        if cx.caller.identity().is_ok_and(|identity| identity.id == user) {
            return Err(Error::denied("nobody can remove the own account"));
        }
        self.change(move |document| {
            let before = document.users.len();
            document.users.retain(|found| found.id != user);
            if document.users.len() == before {
                return Err(Error::not_found("there is no such user"));
            }
            for group in &mut document.groups {
                group.members.retain(|member| *member != user);
            }
            Ok(())
        })
        .await
    }

    async fn create_group(&self, cx: &Cx, new: NewGroup) -> Result<Group> {
        cx.caller.require(&RolePermission::GROUPS_READ_WRITE)?;
        check_group_name(&new.name)?;
        let id = new.id.unwrap_or_else(GroupId::random);
        let group = record::Group { id: id.clone(), name: new.name, members: Vec::new() };
        let members = new.members;
        self.change(move |document| {
            free_group(document, &group.name, &group.id)?;
            if document.groups.iter().any(|found| found.id == group.id) {
                return Err(Error::exists("there is a group with this id"));
            }
            let id = group.id.clone();
            document.groups.push(group);
            add(document, &id, members)
        })
        .await?;
        self.0.get(cx, GetGroup::Id(id)).await
    }

    async fn rename_group(&self, cx: &Cx, request: RenameGroup) -> Result<Group> {
        cx.caller.require(&RolePermission::GROUPS_READ_WRITE)?;
        check_group_name(&request.name)?;
        let id = request.group.clone();
        self.change(move |document| {
            free_group(document, &request.name, &request.group)?;
            group(document, &request.group)?.name = request.name;
            Ok(())
        })
        .await?;
        self.0.get(cx, GetGroup::Id(id)).await
    }

    async fn delete_group(&self, cx: &Cx, id: GroupId) -> Result<()> {
        cx.caller.require(&RolePermission::GROUPS_READ_WRITE)?;
        self.change(move |document| {
            group(document, &id)?;
            document.groups.retain(|found| found.id != id);
            Ok(())
        })
        .await
    }

    async fn add_members(&self, cx: &Cx, request: ChangeMembers) -> Result<Group> {
        cx.caller.require(&RolePermission::GROUPS_READ_WRITE)?;
        let id = request.group.clone();
        self.change(move |document| add(document, &request.group, request.members)).await?;
        self.0.get(cx, GetGroup::Id(id)).await
    }

    async fn remove_members(&self, cx: &Cx, request: ChangeMembers) -> Result<Group> {
        cx.caller.require(&RolePermission::GROUPS_READ_WRITE)?;
        let id = request.group.clone();
        self.change(move |document| {
            let group = group(document, &request.group)?;
            for gone in &request.members {
                let place = group.members.iter().position(|member| member == gone);
                let missing = || Error::not_found("a user is no member of the group");
                group.members.remove(place.ok_or_else(missing)?);
            }
            Ok(())
        })
        .await?;
        self.0.get(cx, GetGroup::Id(id)).await
    }
}

fn apply(record: &mut record::User, change: UserChange, password: Option<String>) {
    fn set<T>(place: &mut T, value: Option<T>) {
        if let Some(value) = value {
            *place = value;
        }
    }
    set(&mut record.username, change.username);
    set(&mut record.display_name, change.display_name);
    set(&mut record.given_name, change.given_name);
    set(&mut record.surname, change.surname);
    set(&mut record.mail, change.mail);
    set(&mut record.user_type, change.user_type);
    set(&mut record.enabled, change.enabled);
    set(&mut record.identities, change.identities);
    if let Some(hash) = password {
        record.set_password(hash);
    }
}

fn group<'a>(document: &'a mut Document, id: &GroupId) -> Result<&'a mut record::Group> {
    let found = document.groups.iter_mut().find(|group| group.id == *id);
    found.ok_or_else(|| Error::not_found("there is no such group"))
}

fn add(document: &mut Document, id: &GroupId, members: Vec<UserId>) -> Result<()> {
    for member in members {
        if !document.users.iter().any(|user| user.id == member) {
            return Err(Error::not_found(format!("there is no user {member}")));
        }
        let group = group(document, id)?;
        if !group.members.contains(&member) {
            group.members.push(member);
        }
    }
    Ok(())
}

fn free_name(document: &Document, name: &str, but: &UserId) -> Result<()> {
    let name = name.to_lowercase();
    match document.users.iter().any(|u| u.id != *but && u.username.to_lowercase() == name) {
        true => Err(Error::exists("there is a user with this name")),
        false => Ok(()),
    }
}

fn free_group(document: &Document, name: &str, but: &GroupId) -> Result<()> {
    let name = name.to_lowercase();
    match document.groups.iter().any(|g| g.id != *but && g.name.to_lowercase() == name) {
        true => Err(Error::exists("there is a group with this name")),
        false => Ok(()),
    }
}
