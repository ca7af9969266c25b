//! Passwords, which only the server knows: it is asked to sign in with them.

use async_trait::async_trait;
use ocis_core::Result;
use ocis_core::user::User;
use uuid::Uuid;

use super::{Ldap, dn, filter};
use crate::passwords::Passwords;

#[async_trait]
impl Passwords for Ldap {
    /// The server decides how long it takes. Who is not there or disabled is asked about as often
    /// as who is, under a name that nobody has, so that no round trip tells them apart.
    async fn check(&self, username: &str, password: &str) -> Result<Option<User>> {
        if username.is_empty() || password.is_empty() {
            return Ok(None);
        }
        let logins = self.options.login_attributes.iter();
        let filter = filter::any(logins.map(|attribute| filter::equals(attribute, username)));
        let found = match self.account_where(&filter).await? {
            Some(found) if found.user.enabled && !self.is_disabled(&found.dn).await? => Some(found),
            _ => None,
        };
        let Some(found) = found else {
            let base = &self.options.users.place.base_dn;
            let somebody = dn::below(base, "uid", &Uuid::new_v4().to_string());
            self.client.is_password(&somebody, password).await?;
            return Ok(None);
        };
        if !self.client.is_password(&found.dn, password).await? {
            return Ok(None);
        }
        Ok(self.complete(vec![found]).await?.pop())
    }

    /// Changes in the directory are not told to anybody.
    fn revision(&self, _username: &str) -> u64 {
        0
    }
}
