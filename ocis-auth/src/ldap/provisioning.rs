//! Changes of accounts and groups as the port [`Provisioning`]: who may, what is legal, and then
//! the entries (`edit_users`, `edit_groups`).

use async_trait::async_trait;
use ocis_core::id::{GroupId, UserId};
use ocis_core::port::{
    ChangeMembers, ChangeUser, FindUser, GetGroup, Groups as _, NewGroup, NewUser, Provisioning,
    RenameGroup, UserChange, Users as _,
};
use ocis_core::role::RolePermission;
use ocis_core::user::{Group, User};
use ocis_core::{Cx, Error, Result};

use super::Ldap;
use super::options::DisableUsers;
use crate::rules::{check_group_name, check_new_user, check_user_change, may_change};

/// LDAP changes one entry at a time. What can be found out before the first change is, and what
/// was begun and fails is taken back where that is possible; a rename or removal that is cut off
/// half way is completed by asking for it again.
#[async_trait]
impl Provisioning for Ldap {
    async fn create_user(&self, cx: &Cx, new: NewUser) -> Result<User> {
        cx.caller.require(&RolePermission::ACCOUNTS_READ_WRITE)?;
        self.writable()?;
        check_new_user(&new)?;
        let username = new.username.clone();
        self.add_user(new).await?;
        self.find(cx, FindUser::Username(username)).await
    }

    async fn change_user(&self, cx: &Cx, request: ChangeUser) -> Result<User> {
        let ChangeUser { user, change } = request;
        may_change(&cx.caller, &user, &change)?;
        let only_enabled = UserChange { enabled: None, ..change.clone() }.is_empty();
        if !(only_enabled && matches!(self.options.disable, DisableUsers::Group(_))) {
            self.writable()?;
        }
        check_user_change(&change)?;
        self.edit_user(&user, change).await?;
        self.find(cx, FindUser::Id(user)).await
    }

    async fn delete_user(&self, cx: &Cx, user: UserId) -> Result<()> {
        cx.caller.require(&RolePermission::ACCOUNTS_READ_WRITE)?;
        if cx.caller.identity().is_ok_and(|identity| identity.id == user) {
            return Err(Error::denied("nobody can remove the own account"));
        }
        self.writable()?;
        self.remove_user(user).await
    }

    async fn create_group(&self, cx: &Cx, new: NewGroup) -> Result<Group> {
        cx.caller.require(&RolePermission::GROUPS_READ_WRITE)?;
        self.writable()?;
        check_group_name(&new.name)?;
        let name = new.name.clone();
        self.add_group(new).await?;
        self.get(cx, GetGroup::Name(name)).await
    }

    async fn rename_group(&self, cx: &Cx, request: RenameGroup) -> Result<Group> {
        cx.caller.require(&RolePermission::GROUPS_READ_WRITE)?;
        self.writable()?;
        check_group_name(&request.name)?;
        self.call_group(&request.group, &request.name).await?;
        self.get(cx, GetGroup::Id(request.group)).await
    }

    async fn delete_group(&self, cx: &Cx, group: GroupId) -> Result<()> {
        cx.caller.require(&RolePermission::GROUPS_READ_WRITE)?;
        self.writable()?;
        self.remove_group(group).await
    }

    async fn add_members(&self, cx: &Cx, request: ChangeMembers) -> Result<Group> {
        cx.caller.require(&RolePermission::GROUPS_READ_WRITE)?;
        self.writable()?;
        self.put_into_group(&request).await?;
        self.get(cx, GetGroup::Id(request.group)).await
    }

    async fn remove_members(&self, cx: &Cx, request: ChangeMembers) -> Result<Group> {
        cx.caller.require(&RolePermission::GROUPS_READ_WRITE)?;
        self.writable()?;
        self.take_out_of_group(&request).await?;
        self.get(cx, GetGroup::Id(request.group)).await
    }
}

impl Ldap {
    fn writable(&self) -> Result<()> {
        match self.options.changes.enabled {
            true => Ok(()),
            false => Err(Error::denied("the user directory can be read only")),
        }
    }
}
