//! Service accounts: parts of this server, and programs that maintain it, that act on their own
//! account.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use ocis_core::config::Secret;
use ocis_core::id::UserId;
use ocis_core::port::{Authenticate, Credentials};
use ocis_core::scope::Scope;
use ocis_core::user::UserRole;
use ocis_core::{Cx, Error, Identity, Result};

/// Authenticates the service account (`OCIS_SERVICE_ACCOUNT_ID`, `OCIS_SERVICE_ACCOUNT_SECRET`).
pub struct ServiceAccounts {
    secret: Secret,
    identity: Arc<Identity>,
}

impl ServiceAccounts {
    /// One account. It is no person's: the directory does not know it, and it may what an
    /// administrator may. [`ocis_core::ErrorKind::InvalidArgument`] for an id that is none, and for
    /// an empty secret.
    pub fn new(id: &str, secret: Secret, idp: impl Into<Arc<str>>) -> Result<Self> {
        if secret.is_empty() {
            return Err(Error::invalid("the secret of a service account must not be empty"));
        }
        let identity = Arc::new(Identity {
            id: UserId::parse(id)?,
            idp: idp.into(),
            username: id.to_owned(),
            display_name: "Service Account".to_owned(),
            mail: String::new(),
            groups: Vec::new(),
            role: UserRole::Admin,
            scope: Scope::Everything,
        });
        Ok(Self { secret, identity })
    }
}

#[async_trait]
impl Authenticate for ServiceAccounts {
    async fn authenticate(&self, _: &Cx, request: Credentials) -> Result<Arc<Identity>> {
        let Credentials::ServiceAccount { id, secret } = request else {
            return Err(Error::unimplemented("only service accounts are understood here"));
        };
        let given = secret.expose().as_bytes();
        let right = verify_slices_are_equal(given, self.secret.expose().as_bytes()).is_ok();
        match right && id == self.identity.id.as_str() {
            true => Ok(Arc::clone(&self.identity)),
            false => Err(Error::unauthenticated("the service account or its secret is wrong")),
        }
    }
}

impl fmt::Debug for ServiceAccounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccounts").field("id", &self.identity.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ocis_core::time::Timestamp;
    use ocis_core::{Caller, ErrorKind};

    #[tokio::test]
    async fn id_and_secret_must_be_right() {
        let accounts = ServiceAccounts::new("service", Secret::new("radium"), "idp").unwrap();
        let cx = Cx::new(Caller::Anonymous, Timestamp::from_unix(0, 0).unwrap());
        let ask = |id: &str, secret: &str| {
            let (id, secret) = (id.to_owned(), Secret::new(secret));
            accounts.authenticate(&cx, Credentials::ServiceAccount { id, secret })
        };
        assert_eq!(ask("service", "radium").await.unwrap().id.as_str(), "service");
        for (id, secret) in [("service", "radiun"), ("service", ""), ("servicf", "radium")] {
            let error = ask(id, secret).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{id} {secret}");
        }
        assert!(ServiceAccounts::new("service", Secret::default(), "idp").is_err());
    }
}
