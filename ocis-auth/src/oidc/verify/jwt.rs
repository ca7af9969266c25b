//! One signed token (RFC 7519), with the cautions of RFC 8725.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, Validation};
use ocis_core::Result;
use ocis_core::time::Timestamp;
use serde::Deserialize;

use super::claims::Claims;
use super::jwks::Key;
use super::{SKEW, refused};

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Access,
    Logout,
}

/// The member of `events` that makes a logout token.
pub(super) const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// What a token says about its signature, before anything of it is believed.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<String>,
}

#[derive(Deserialize)]
struct Sent {
    alg: String,
    kid: Option<String>,
    crit: Option<serde_json::Value>,
    typ: Option<String>,
}

impl Header {
    /// Reads the header. Refused are algorithms without keys of two halves, `none` among them, and
    /// extensions that would have to be understood.
    pub(super) fn read(token: &str) -> Result<Self> {
        let mut parts = token.split('.');
        let (Some(head), Some(_), Some(_), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(refused("not a signed JWT"));
        };
        let head = URL_SAFE_NO_PAD.decode(head).map_err(|_| refused("not a JWT"))?;
        let sent: Sent = serde_json::from_slice(&head).map_err(|_| refused("not a JWT"))?;
        if sent.crit.is_some() {
            return Err(refused("the token needs an extension that is not known"));
        }
        let algorithm = sent.alg.parse().ok().filter(|named| is_asymmetric(*named));
        let algorithm = algorithm.ok_or_else(|| refused("the algorithm is not accepted"))?;
        if sent.typ.as_deref().is_some_and(is_encrypted) {
            return Err(refused("encrypted tokens are not understood"));
        }
        Ok(Self { algorithm, kid: sent.kid })
    }
}

fn is_encrypted(typ: &str) -> bool {
    typ.eq_ignore_ascii_case("JWE")
}

/// Whether nobody but the provider can sign so.
pub(super) fn is_asymmetric(algorithm: Algorithm) -> bool {
    !matches!(algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512)
}

/// The claims of a token that one of `keys` signed.
pub(super) fn verify(token: &str, header: &Header, keys: &[Arc<Key>]) -> Result<Claims> {
    // The times are checked against the time of the request, not the machine's.
    let mut validation = Validation::new(header.algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    for key in keys {
        if let Ok(token) = jsonwebtoken::decode(token, &key.key, &validation) {
            return Ok(Claims::new(token.claims));
        }
    }
    Err(refused("the signature is wrong"))
}

/// Whether the claims are those of a token of this kind, for us, at this time.
pub(super) fn check(
    claims: &Claims,
    kind: Kind,
    issuer: &str,
    audiences: &[String],
    now: Timestamp,
) -> Result<()> {
    if claims.text("iss") != Some(issuer) {
        return Err(refused("it is the token of another issuer"));
    }
    let meant = || claims.texts("aud").any(|audience| audiences.iter().any(|us| us == audience));
    if !audiences.is_empty() && !meant() {
        return Err(refused("the token is meant for somebody else"));
    }
    for name in ["exp", "nbf", "iat"] {
        if claims.has(name) && claims.time(name).is_none() {
            return Err(refused("a time in the token is no time"));
        }
    }
    if claims.time("exp").is_some_and(|end| end <= now) {
        return Err(refused("the token has expired"));
    }
    let later = now.plus(SKEW);
    let early = |name| claims.time(name).is_some_and(|time| time > later);
    if early("nbf") || early("iat") {
        return Err(refused("the token is not valid yet"));
    }
    let is_logout = claims.at(&["events", LOGOUT_EVENT]).is_some();
    match kind {
        Kind::Access if is_logout || claims.is_other_kind() => {
            Err(refused("it is not an access token"))
        }
        Kind::Logout if !is_logout => Err(refused("it is not a logout token")),
        _ => Ok(()),
    }
}
