//! Parts of this server that act for a user, proven by a key that all parts share.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use ocis_core::config::Secret;
use ocis_core::port::{Authenticate, Credentials, Users};
use ocis_core::{Caller, Cx, Error, Identity, Result};

use crate::identity;

/// Authenticates with the machine key (`OCIS_MACHINE_AUTH_API_KEY`).
pub struct Machine {
    key: Secret,
    users: Arc<dyn Users>,
    idp: Arc<str>,
}

impl Machine {
    /// Lets who knows `key` act for any account in `users`, which are those of the issuer `idp`.
    /// [`ocis_core::ErrorKind::InvalidArgument`] for an empty key.
    pub fn new(key: Secret, users: Arc<dyn Users>, idp: impl Into<Arc<str>>) -> Result<Self> {
        if key.is_empty() {
            return Err(Error::invalid("the machine key must not be empty"));
        }
        Ok(Self { key, users, idp: idp.into() })
    }
}

#[async_trait]
impl Authenticate for Machine {
    /// [`ocis_core::ErrorKind::NotFound`] for an account that there is not or that is disabled:
    /// who has the key may know.
    async fn authenticate(&self, cx: &Cx, request: Credentials) -> Result<Arc<Identity>> {
        let Credentials::Machine { user, key } = request else {
            return Err(Error::unimplemented("only the machine key is understood here"));
        };
        verify_slices_are_equal(key.expose().as_bytes(), self.key.expose().as_bytes())
            .map_err(|_| Error::unauthenticated("the machine key is wrong"))?;
        let own = Cx { caller: Caller::Service("auth-machine".into()), ..cx.clone() };
        let user = self.users.find(&own, user).await?;
        match user.enabled {
            true => Ok(Arc::new(identity::of(user, &self.idp))),
            false => Err(Error::not_found("there is no such user")),
        }
    }
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machine").field("idp", &self.idp).finish_non_exhaustive()
    }
}
