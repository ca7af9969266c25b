//! Who is asking: the accounts of services, and people with their passwords.

use std::net::IpAddr;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use ldap3_proto::proto::{LdapBindCred, LdapBindRequest, LdapResultCode};
use ocis_core::port::Credentials;
use ocis_core::{Caller, Cx};

use super::LdapServer;
use super::entry::{Place, user_dn};
use super::result::Refusal;
use crate::directory::dn::Dn;

/// Who a connection is bound as.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Bound {
    #[default]
    Nobody,
    Service {
        name: &'static str,
        writes: bool,
    },
    User {
        username: String,
    },
}

impl Bound {
    /// What `whoami` answers (RFC 4532).
    pub(super) fn authorization_id(&self) -> String {
        match self {
            Self::Nobody => String::new(),
            Self::Service { name, .. } => {
                format!("dn:uid={name},ou=sysusers,{}", super::entry::BASE)
            }
            Self::User { username } => format!("dn:{}", user_dn(username)),
        }
    }

    /// Whether this entry may be read.
    pub(super) fn may_read(&self, place: &Place) -> bool {
        match (self, place) {
            (Self::Nobody, _) => false,
            (Self::Service { .. }, _) => true,
            (Self::User { username }, Place::User(name)) => {
                username.to_lowercase() == name.to_lowercase()
            }
            (Self::User { .. }, _) => false,
        }
    }

    /// [`LdapResultCode::InsufficentAccessRights`] unless accounts and groups may be changed.
    pub(super) fn may_write(&self) -> Result<(), Refusal> {
        match self {
            Self::Service { writes: true, .. } => Ok(()),
            _ => Err(Refusal::new(
                LdapResultCode::InsufficentAccessRights,
                "this account may not change the directory",
            )),
        }
    }
}

impl LdapServer {
    /// Whom the credentials prove. The answer is the same, and takes the same time, for a wrong
    /// password and an account that is not there.
    pub(super) async fn bind(
        &self,
        request: LdapBindRequest,
        peer: Option<IpAddr>,
    ) -> Result<Bound, Refusal> {
        let wrong =
            || Refusal::new(LdapResultCode::InvalidCredentials, "name or password is wrong");
        if request.version != 3 {
            let text = "only version 3 of LDAP is spoken here";
            return Err(Refusal::new(LdapResultCode::ProtocolError, text));
        }
        let LdapBindCred::Simple(password) = request.cred else {
            let text = "only simple binds are understood";
            return Err(Refusal::new(LdapResultCode::AuthMethodNotSupported, text));
        };
        let dn = Dn::parse(&request.dn)
            .map_err(|error| Refusal::new(LdapResultCode::InvalidDNSyntax, error.message()))?;
        // Neither anonymously nor as somebody without a password (RFC 4513, 5.1.2).
        if password.is_empty() {
            return Err(wrong());
        }
        match Place::of(&dn) {
            Place::Service(name) => self.service(&name, &password).ok_or_else(wrong),
            Place::User(username) => {
                let credentials = Credentials::Basic { username, password, peer };
                let cx = Cx::new(Caller::Anonymous, self.clock.now());
                let identity = self.authenticate.authenticate(&cx, credentials).await?;
                Ok(Bound::User { username: identity.username.clone() })
            }
            _ => Err(wrong()),
        }
    }

    fn service(&self, name: &str, password: &str) -> Option<Bound> {
        let found = self.services.iter().find(|found| found.name.eq_ignore_ascii_case(name))?;
        // Digests have one length, so that the comparison does not tell that of the password.
        let hash = |text: &str| digest(&SHA256, text.as_bytes());
        let (given, right) = (hash(password), hash(found.password.expose()));
        let same = verify_slices_are_equal(given.as_ref(), right.as_ref()).is_ok();
        (same && !found.password.expose().is_empty())
            .then_some(Bound::Service { name: found.name, writes: found.writes })
    }
}
