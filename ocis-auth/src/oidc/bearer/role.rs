//! Roles that the provider gives (`PROXY_ROLE_ASSIGNMENT_DRIVER=oidc`).

use std::fmt;
use std::sync::Arc;

use ocis_core::port::{AssignRole, Roles};
use ocis_core::user::{User, UserRole};
use ocis_core::{Cx, Error, Result};

use crate::oidc::verify::claims::Claims;

/// Which value of the claim gives which role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleMapping {
    /// The role.
    pub role: UserRole,
    /// The value.
    pub claim_value: String,
}

/// Gives accounts the role that a claim says.
pub struct RoleFromClaims {
    roles: Arc<dyn Roles>,
    claim: String,
    mapping: Vec<RoleMapping>,
}

impl RoleFromClaims {
    /// The first of `mapping` whose value is in `claim` (a name, or the path to it) counts.
    pub fn new(roles: Arc<dyn Roles>, claim: impl Into<String>, mapping: Vec<RoleMapping>) -> Self {
        Self { roles, claim: claim.into(), mapping }
    }

    /// The role that the claims give. [`ocis_core::ErrorKind::PermissionDenied`] when they give
    /// none: whoever has no role must not get in, least of all with the one of yesterday.
    pub(super) fn named(&self, claims: &Claims) -> Result<UserRole> {
        let values = claims.texts_at(&self.claim).unwrap_or_default();
        let given = |mapping: &&RoleMapping| values.contains(&mapping.claim_value.as_str());
        match self.mapping.iter().find(given) {
            Some(mapping) => Ok(mapping.role),
            None => {
                tracing::error!(claim = %self.claim, ?values, "the claim gives no role");
                Err(Error::denied("you have no role on this server"))
            }
        }
    }

    /// The role that the claims give, after the account has it.
    pub(super) async fn assign(&self, cx: &Cx, user: &User, claims: &Claims) -> Result<UserRole> {
        let role = self.named(claims)?;
        let has = self.roles.assigned(cx, user.id.clone()).await?;
        if has.is_none_or(|has| has.role != role) {
            let assign = AssignRole { user: user.id.clone(), role };
            self.roles.assign(cx, assign).await?;
            tracing::info!(user = %user.id, role = role.name(), "role given by the provider");
        }
        Ok(role)
    }
}

impl fmt::Debug for RoleFromClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoleFromClaims")
            .field("claim", &self.claim)
            .field("mapping", &self.mapping)
            .finish_non_exhaustive()
    }
}
