//! Making the caller's token.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use ocis_core::config::Secret;
use ocis_core::time::Timestamp;
use ocis_core::{Error, Identity, Result};

use super::claims::{Claims, Entry, Opaque, User, UserId};
use super::{AUDIENCE, scope};

/// How long a token is good: long enough for one call and what that calls.
pub const LIFETIME: Duration = Duration::from_secs(300);

/// Makes tokens.
pub struct Minter {
    key: EncodingKey,
}

impl Minter {
    /// Signs with `jwt_secret`. [`ocis_core::ErrorKind::InvalidArgument`] when that is empty, which
    /// anybody could guess.
    pub fn new(secret: &Secret) -> Result<Self> {
        if secret.is_empty() {
            return Err(Error::invalid("tokens cannot be signed without jwt_secret"));
        }
        Ok(Self { key: EncodingKey::from_secret(secret.expose().as_bytes()) })
    }

    /// A token that says that `identity` calls, good from `now` on for [`LIFETIME`].
    pub fn mint(&self, identity: &Identity, now: Timestamp) -> Result<Secret> {
        let roles = Entry::json(&[identity.role.id()]);
        let claims = Claims {
            aud: AUDIENCE.into(),
            exp: now.plus(LIFETIME).unix_seconds(),
            iat: now.unix_seconds(),
            iss: identity.idp.to_string(),
            user: User {
                id: UserId {
                    idp: identity.idp.to_string(),
                    opaque_id: identity.id.to_string(),
                    kind: 1,
                },
                username: identity.username.clone(),
                mail: identity.mail.clone(),
                display_name: identity.display_name.clone(),
                groups: identity.groups.iter().map(ToString::to_string).collect(),
                opaque: Opaque { map: BTreeMap::from([("roles".into(), roles)]) },
            },
            scope: scope::written(&identity.scope),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.key)
            .map(Secret::new)
            .map_err(|error| Error::internal("a token cannot be signed").because(error))
    }
}

impl fmt::Debug for Minter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Minter").finish_non_exhaustive()
    }
}
