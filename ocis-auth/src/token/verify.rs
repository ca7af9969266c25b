//! Reading the caller's token.

use std::fmt;
use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use ocis_core::config::Secret;
use ocis_core::id::{GroupId, UserId};
use ocis_core::time::Timestamp;
use ocis_core::user::UserRole;
use ocis_core::{Error, Identity, Result};

use super::claims::Claims;
use super::{AUDIENCE, scope};

/// By how much the clocks of two machines may differ.
const SKEW: Duration = Duration::from_secs(30);

/// The longest token that is looked at, in bytes: somebody in a thousand groups.
const MAX_TOKEN: usize = 64 * 1024;

/// Verifies tokens.
pub struct TokenVerifier {
    key: DecodingKey,
    validation: Validation,
}

impl TokenVerifier {
    /// Takes what was signed with `jwt_secret`. [`ocis_core::ErrorKind::InvalidArgument`] when that
    /// is empty, which anybody could guess.
    pub fn new(secret: &Secret) -> Result<Self> {
        if secret.is_empty() {
            return Err(Error::invalid("tokens cannot be verified without jwt_secret"));
        }
        // The times are checked against the time of the call, not the machine's.
        let mut validation = Validation::new(Algorithm::HS256);
        validation.validate_exp = false;
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "aud", "iss"]);
        Ok(Self { key: DecodingKey::from_secret(secret.expose().as_bytes()), validation })
    }

    /// Who calls. [`ocis_core::ErrorKind::Unauthenticated`] when the token does not prove it.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Identity> {
        if token.len() > MAX_TOKEN {
            return Err(refused("it is too long"));
        }
        let claims = jsonwebtoken::decode::<Claims>(token, &self.key, &self.validation)
            .map_err(|error| refused("it was not signed here").because(error))?
            .claims;
        let time = |seconds| Timestamp::from_unix(seconds, 0).map_err(|_| refused("no time"));
        if time(claims.exp)?.plus(SKEW) <= now {
            return Err(refused("it has expired"));
        }
        if time(claims.iat)? > now.plus(SKEW) {
            return Err(refused("it is not valid yet"));
        }
        if claims.iss != claims.user.id.idp {
            return Err(refused("it speaks for the account of another issuer"));
        }
        let scope = scope::read(&claims.scope).ok_or_else(|| refused("its scope is not known"))?;
        let roles: Vec<String> =
            claims.user.opaque.map.get("roles").and_then(|roles| roles.read()).unwrap_or_default();
        let role = match roles.as_slice() {
            [role] => UserRole::of_id(role),
            _ => None,
        };
        let groups = claims.user.groups.iter().map(|group| GroupId::parse(group));
        Ok(Identity {
            id: UserId::parse(&claims.user.id.opaque_id)?,
            idp: claims.iss.into(),
            groups: groups.collect::<Result<_>>()?,
            username: claims.user.username,
            display_name: claims.user.display_name,
            mail: claims.user.mail,
            // Whoever's role is not known gets the one that may least.
            role: role.unwrap_or(UserRole::UserLight),
            scope,
        })
    }
}

impl fmt::Debug for TokenVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenVerifier").finish_non_exhaustive()
    }
}

fn refused(why: &'static str) -> Error {
    Error::unauthenticated("the token is not valid").with("because", why)
}
