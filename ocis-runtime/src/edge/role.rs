//! Which role the caller has: asked of the port `Roles` at every request, so that a change counts
//! from the next one on. The port remembers what it read.
//!
//! Who is seen for the first time gets the role `user` (`PROXY_ROLE_ASSIGNMENT_DRIVER=default`), or,
//! with the driver `oidc`, none: then the OpenID provider gives roles, when its token is verified,
//! and other credentials of the account have the one that it gave last. When roles cannot be read,
//! nobody is let in: the request is answered 503.

use std::sync::Arc;

use ocis_core::id::UserId;
use ocis_core::port::{AssignRole, Roles as RolesPort};
use ocis_core::user::UserRole;
use ocis_core::{Caller, Cx, Error, Identity, Result};

/// Finds out the roles of callers.
pub(super) struct Roles {
    port: Arc<dyn RolesPort>,
    given_by_provider: bool,
    proxy: Caller,
}

impl Roles {
    pub(super) fn new(port: Arc<dyn RolesPort>, given_by_provider: bool) -> Self {
        Self { port, given_by_provider, proxy: Caller::Service("proxy".into()) }
    }

    /// `identity` with the role of the account. Credentials that are good for one node only use
    /// nothing of a role, and may be those of nobody who has one.
    pub(super) async fn fill(&self, cx: &Cx, identity: Arc<Identity>) -> Result<Arc<Identity>> {
        if !identity.scope.is_everything() {
            return Ok(identity);
        }
        let asking = Cx { caller: self.proxy.clone(), ..cx.clone() };
        let role = self.role(&asking, identity.id.clone()).await.map_err(|error| {
            tracing::error!("request-id" = &*cx.trace, ?error, "the role of a caller is not known");
            Error::unavailable("the role of the caller cannot be found out").because(error)
        })?;
        if role == identity.role {
            return Ok(identity);
        }
        Ok(Arc::new(Identity { role, ..Arc::unwrap_or_clone(identity) }))
    }

    async fn role(&self, cx: &Cx, user: UserId) -> Result<UserRole> {
        if self.given_by_provider {
            let assigned = self.port.assigned(cx, user).await?;
            // Whoever has no role yet may do what the least of them may.
            return Ok(assigned.map_or(UserRole::UserLight, |assigned| assigned.role));
        }
        let request = AssignRole { user, role: UserRole::User };
        Ok(self.port.ensure(cx, request).await?.role)
    }
}
