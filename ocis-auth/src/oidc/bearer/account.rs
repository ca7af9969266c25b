//! From what a token says to an account.

use std::fmt;
use std::sync::Arc;

use ocis_core::id::UserId;
use ocis_core::port::{FindUser, Users};
use ocis_core::scope::Scope;
use ocis_core::user::{User, UserRole};
use ocis_core::{Caller, Cx, Error, ErrorKind, Identity, Result};

use super::provision::AutoProvision;
use super::role::RoleFromClaims;
use crate::oidc::verify::claims::Claims;

/// By what an account is found (`PROXY_USER_CS3_CLAIM`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AccountKey {
    /// By the name to sign in with.
    #[default]
    Username,
    /// By the mail address.
    Mail,
    /// By the id.
    UserId,
}

/// Which claim names the account.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// The claim, or the path to it (`PROXY_USER_OIDC_CLAIM`).
    pub claim: String,
    /// What of an account it is.
    pub key: AccountKey,
    /// The issuer named in identities.
    pub idp: Arc<str>,
}

/// Finds the accounts of tokens, and makes them where that is wanted.
pub struct Accounts {
    users: Arc<dyn Users>,
    mapping: Mapping,
    provision: Option<AutoProvision>,
    roles: Option<RoleFromClaims>,
}

impl Accounts {
    /// Accounts of `users`, found by `mapping`.
    pub fn new(users: Arc<dyn Users>, mapping: Mapping) -> Self {
        Self { users, mapping, provision: None, roles: None }
    }

    /// Makes accounts that are not there, and keeps them as the claims say.
    #[must_use]
    pub fn provisioned_by(mut self, provision: AutoProvision) -> Self {
        self.provision = Some(provision);
        self
    }

    /// Gives accounts the role that the claims say.
    #[must_use]
    pub fn with_roles_from(mut self, roles: RoleFromClaims) -> Self {
        self.roles = Some(roles);
        self
    }

    /// Who a new token is of. [`ErrorKind::Unauthenticated`] when there is no such account or it
    /// is disabled, [`ErrorKind::PermissionDenied`] when the claims give no role.
    pub(super) async fn signed_in(&self, cx: &Cx, claims: &Claims) -> Result<Arc<Identity>> {
        let service = Cx { caller: Caller::Service("proxy".into()), ..cx.clone() };
        let mut user = match (self.user(&service, claims).await, &self.provision) {
            (Err(error), Some(provision)) if error.kind() == ErrorKind::NotFound => {
                provision.create(&service, &*self.users, claims).await?
            }
            (found, _) => found.map_err(unknown)?,
        };
        check(&user)?;
        if let Some(provision) = &self.provision {
            user = provision.update(&service, &*self.users, user, claims).await?;
        }
        let role = match &self.roles {
            Some(roles) => roles.assign(&service, &user, claims).await?,
            None => UserRole::User,
        };
        Ok(self.identity(user, role))
    }

    /// Who a token is of that was seen before; errors as those of [`Self::signed_in`].
    pub(super) async fn find(&self, cx: &Cx, claims: &Claims) -> Result<Arc<Identity>> {
        let service = Cx { caller: Caller::Service("proxy".into()), ..cx.clone() };
        let user = self.user(&service, claims).await.map_err(unknown)?;
        check(&user)?;
        let role = match &self.roles {
            Some(roles) => roles.named(claims)?,
            None => UserRole::User,
        };
        Ok(self.identity(user, role))
    }

    async fn user(&self, cx: &Cx, claims: &Claims) -> Result<User> {
        let path = &self.mapping.claim;
        let Some(value) = claims.text_at(path) else {
            tracing::error!(claim = %path, ?claims, "the OpenID provider sends no such claim");
            return Err(Error::unauthenticated("the token does not name an account"));
        };
        let find = match self.mapping.key {
            AccountKey::Username => FindUser::Username(value.to_owned()),
            AccountKey::Mail => FindUser::Mail(value.to_owned()),
            // What cannot be an id is that of no account.
            AccountKey::UserId => FindUser::Id(
                UserId::parse(value).map_err(|_| Error::not_found("there is no such account"))?,
            ),
        };
        self.users.find(cx, find).await
    }

    fn identity(&self, user: User, role: UserRole) -> Arc<Identity> {
        Arc::new(Identity {
            id: user.id,
            idp: Arc::clone(&self.mapping.idp),
            username: user.username,
            display_name: user.display_name,
            mail: user.mail,
            groups: user.groups,
            role,
            scope: Scope::Everything,
        })
    }
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts").field("mapping", &self.mapping).finish_non_exhaustive()
    }
}

fn check(user: &User) -> Result<()> {
    match user.enabled {
        true => Ok(()),
        false => {
            tracing::info!(user = %user.id, "sign-in refused: the account is disabled");
            Err(Error::unauthenticated("the account is disabled"))
        }
    }
}

fn unknown(error: Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound => Error::unauthenticated("the token's account is not known here"),
        _ => error,
    }
}
