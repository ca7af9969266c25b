//! A directory that is not to be changed, whatever it could do
//! (`OCIS_LDAP_SERVER_WRITE_ENABLED=false`).

use async_trait::async_trait;
use ocis_core::id::{GroupId, UserId};
use ocis_core::port::{ChangeMembers, ChangeUser, NewGroup, NewUser, Provisioning, RenameGroup};
use ocis_core::user::{Group, User};
use ocis_core::{Caller, Cx, Error, Result};

/// Refuses every change.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReadOnly;

fn refused<T>(cx: &Cx) -> Result<T> {
    match cx.caller {
        Caller::Anonymous => Err(Error::unauthenticated("you are not signed in")),
        _ => Err(Error::denied("the user directory can be read only")),
    }
}

#[async_trait]
impl Provisioning for ReadOnly {
    async fn create_user(&self, cx: &Cx, _: NewUser) -> Result<User> {
        refused(cx)
    }

    async fn change_user(&self, cx: &Cx, _: ChangeUser) -> Result<User> {
        refused(cx)
    }

    async fn delete_user(&self, cx: &Cx, _: UserId) -> Result<()> {
        refused(cx)
    }

    async fn create_group(&self, cx: &Cx, _: NewGroup) -> Result<Group> {
        refused(cx)
    }

    async fn rename_group(&self, cx: &Cx, _: RenameGroup) -> Result<Group> {
        refused(cx)
    }

    async fn delete_group(&self, cx: &Cx, _: GroupId) -> Result<()> {
        refused(cx)
    }

    async fn add_members(&self, cx: &Cx, _: ChangeMembers) -> Result<Group> {
        refused(cx)
    }

    async fn remove_members(&self, cx: &Cx, _: ChangeMembers) -> Result<Group> {
        refused(cx)
    }
}
