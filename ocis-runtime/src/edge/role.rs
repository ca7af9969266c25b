//! Which role the caller has: asked of the port `Roles` at every request, so that a change counts
//! from the next one on. The port remembers what it read.
//!
//! Who is seen for the first time gets the role `user` (`PROXY_ROLE_ASSIGNMENT_DRIVER=default`). When
//! roles cannot be read, nobody is let in: the request is answered 503.

use std::sync::Arc;

use ocis_core::port::{AssignRole, Roles as RolesPort};
use ocis_core::user::UserRole;
use ocis_core::{Caller, Cx, Error, Identity, Result};

/// Finds out the roles of callers.
pub(super) struct Roles {
    port: Arc<dyn RolesPort>,
    proxy: Caller,
}

impl Roles {
    pub(super) fn new(port: Arc<dyn RolesPort>) -> Self {
        Self { port, proxy: Caller::Service("proxy".into()) }
    }

    /// `identity` with the role of the account. Credentials that are good for one node only use
    /// nothing of a role, and may be those of nobody who has one.
    pub(super) async fn fill(&self, cx: &Cx, identity: Arc<Identity>) -> Result<Arc<Identity>> {
        if !identity.scope.is_everything() {
            return Ok(identity);
        }
        let asking = Cx { caller: self.proxy.clone(), ..cx.clone() };
        let request = AssignRole { user: identity.id.clone(), role: UserRole::User };
        let assigned = self.port.ensure(&asking, request).await.map_err(|error| {
            tracing::error!("request-id" = &*cx.trace, ?error, "the role of a caller is not known");
            Error::unavailable("the role of the caller cannot be found out").because(error)
        })?;
        if assigned.role == identity.role {
            return Ok(identity);
        }
        Ok(Arc::new(Identity { role: assigned.role, ..Arc::unwrap_or_clone(identity) }))
    }
}
