//! Accounts that come into being when somebody first signs in, and follow what the provider says
//! (`PROXY_AUTOPROVISION_ACCOUNTS`).
//!
//! Several requests may find out at once that somebody is new. Whoever comes second is told by the
//! directory that the name is taken, and takes what is there.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use ocis_core::id::GroupId;
use ocis_core::port::{
    ChangeMembers, ChangeUser, FindUser, GetGroup, Groups, NewGroup, NewUser, Provisioning,
    UserChange, Users,
};
use ocis_core::user::{ExternalIdentity, Group, User};
use ocis_core::{Cx, Error, ErrorKind, Result};

use crate::oidc::verify::claims::Claims;

/// Which claims say what (`PROXY_AUTOPROVISION_CLAIM_*`); each a name, or the path to it.
#[derive(Debug, Clone)]
pub struct ProvisionClaims {
    /// The name to sign in with.
    pub username: String,
    /// The mail address.
    pub mail: String,
    /// The name to show.
    pub display_name: String,
    /// The names of the groups.
    pub groups: String,
}

impl Default for ProvisionClaims {
    fn default() -> Self {
        Self {
            username: "preferred_username".into(),
            mail: "email".into(),
            display_name: "name".into(),
            groups: "groups".into(),
        }
    }
}

/// Makes accounts from claims.
pub struct AutoProvision {
    provisioning: Arc<dyn Provisioning>,
    groups: Arc<dyn Groups>,
    claims: ProvisionClaims,
}

impl AutoProvision {
    /// Makes and changes accounts through `provisioning`, and finds groups in `groups`.
    pub fn new(
        provisioning: Arc<dyn Provisioning>,
        groups: Arc<dyn Groups>,
        claims: ProvisionClaims,
    ) -> Self {
        Self { provisioning, groups, claims }
    }

    /// The new account of somebody who is not known yet.
    pub(super) async fn create(&self, cx: &Cx, users: &dyn Users, claims: &Claims) -> Result<User> {
        let needed = |path: &str| {
            let value = claims.text_at(path).map(str::to_owned);
            value.ok_or_else(|| {
                tracing::error!(claim = path, ?claims, "no account is made without this claim");
                Error::unauthenticated("the token does not say enough for a new account")
            })
        };
        let username = needed(&self.claims.username)?;
        let identity = claims.text("iss").zip(claims.text("sub"));
        let new = NewUser {
            username: username.clone(),
            display_name: needed(&self.claims.display_name)?,
            mail: claims.text_at(&self.claims.mail).unwrap_or_default().to_owned(),
            enabled: true,
            identities: identity
                .map(|(issuer, id)| ExternalIdentity { issuer: issuer.into(), id: id.into() })
                .into_iter()
                .collect(),
            ..NewUser::default()
        };
        match self.provisioning.create_user(cx, new).await {
            Ok(user) => {
                tracing::info!(user = %user.id, name = username, "account made at first sign-in");
                Ok(user)
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                users.find(cx, FindUser::Username(username)).await
            }
            Err(error) => Err(error),
        }
    }

    /// The account after it became what the claims say: display name, mail address and groups.
    pub(super) async fn update(
        &self,
        cx: &Cx,
        users: &dyn Users,
        user: User,
        claims: &Claims,
    ) -> Result<User> {
        let other = |path: &str, is: &str| {
            claims.text_at(path).filter(|text| *text != is).map(str::to_owned)
        };
        let change = UserChange {
            display_name: other(&self.claims.display_name, &user.display_name),
            mail: other(&self.claims.mail, &user.mail),
            ..UserChange::default()
        };
        let id = user.id.clone();
        let mut changed = !change.is_empty();
        if changed {
            let change = ChangeUser { user: id.clone(), change };
            self.provisioning.change_user(cx, change).await?;
        }
        changed |= self.sync_groups(cx, &user, claims).await?;
        match changed {
            true => users.find(cx, FindUser::Id(id)).await,
            false => Ok(user),
        }
    }

    /// Puts the account into the groups of the claim, and out of all others, as oCIS does; whether
    /// that changed anything. Groups that are not there are made. Names are compared without case,
    /// as the directory does.
    async fn sync_groups(&self, cx: &Cx, user: &User, claims: &Claims) -> Result<bool> {
        let wanted = claims.texts_at(&self.claims.groups).unwrap_or_default();
        let named = wanted.into_iter().filter(|name| !name.is_empty());
        let mut missing: BTreeMap<String, &str> =
            named.map(|name| (name.to_lowercase(), name)).collect();
        let mut changed = false;
        for id in &user.groups {
            let group = match self.groups.get(cx, GetGroup::Id(id.clone())).await {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                group => group?,
            };
            if missing.remove(&group.name.to_lowercase()).is_none() {
                let leave = self.provisioning.remove_members(cx, members(group.id, user)).await;
                ignore(ErrorKind::NotFound, leave)?;
                changed = true;
            }
        }
        for name in missing.into_values() {
            let group = self.group(cx, name).await?;
            self.provisioning.add_members(cx, members(group, user)).await?;
            changed = true;
        }
        Ok(changed)
    }

    async fn group(&self, cx: &Cx, name: &str) -> Result<GroupId> {
        let find = || self.groups.get(cx, GetGroup::Name(name.to_owned()));
        match find().await {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            group => return Ok(group?.id),
        }
        let new = NewGroup { name: name.to_owned(), ..NewGroup::default() };
        match self.provisioning.create_group(cx, new).await {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(find().await?.id),
            group => Ok(group?.id),
        }
    }
}

impl fmt::Debug for AutoProvision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AutoProvision").field("claims", &self.claims).finish_non_exhaustive()
    }
}

fn members(group: GroupId, user: &User) -> ChangeMembers {
    ChangeMembers { group, members: vec![user.id.clone()] }
}

/// Somebody else did it meanwhile.
fn ignore(kind: ErrorKind, done: Result<Group>) -> Result<()> {
    match done {
        Err(error) if error.kind() != kind => Err(error),
        _ => Ok(()),
    }
}
