//! What tokens say, in the words of oCIS's provider.

use ocis_core::Result;
use ocis_core::time::Timestamp;
use ocis_core::user::User;
use serde::{Deserialize, Serialize};

use super::Inner;
use super::client::Client;
use super::seal::random;
use super::store::Grant;

/// An access token. oCIS's claims, and three that spare its reader a question: `preferred_username`
/// and `lg.uuid`, by either of which oCIS's proxy finds the account, and `sid`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct AccessToken {
    pub(super) iss: String,
    pub(super) sub: String,
    pub(super) aud: String,
    pub(super) exp: i64,
    pub(super) iat: i64,
    pub(super) jti: String,
    /// `1`: an access token.
    #[serde(rename = "lg.t")]
    pub(super) kind: String,
    #[serde(rename = "scp")]
    pub(super) scopes: String,
    #[serde(rename = "lg.i")]
    pub(super) identity: IdentityClaims,
    /// Who checked the password.
    #[serde(rename = "lg.p")]
    pub(super) provider: String,
    /// The grant that it comes from.
    #[serde(rename = "lg.r")]
    pub(super) grant: String,
    #[serde(rename = "lg.uuid")]
    pub(super) uuid: String,
    pub(super) preferred_username: String,
    pub(super) sid: String,
}

/// Who it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct IdentityClaims {
    /// The display name.
    dn: String,
    /// The entry in the directory.
    id: String,
    /// The user name.
    un: String,
}

/// An ID token (OpenID Connect Core 1.0 section 2).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct IdToken {
    pub(super) iss: String,
    pub(super) sub: String,
    pub(super) aud: String,
    pub(super) exp: i64,
    pub(super) iat: i64,
    pub(super) auth_time: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at_hash: Option<String>,
    pub(super) sid: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    preferred_username: Option<String>,
}

/// The tokens that a grant gives at one time.
pub(super) struct Tokens {
    pub(super) access: String,
    pub(super) id: String,
}

impl Inner {
    /// Makes tokens.
    pub(super) fn tokens(
        &self,
        grant: &Grant,
        user: &User,
        nonce: Option<String>,
        now: Timestamp,
    ) -> Result<Tokens> {
        let iat = now.unix_seconds();
        let access = AccessToken {
            iss: self.url.clone(),
            sub: user.id.as_str().to_owned(),
            aud: grant.client.clone(),
            exp: now.plus(self.options.access_token).unix_seconds(),
            iat,
            jti: random()?,
            kind: "1".to_owned(),
            scopes: grant.scopes.join(" "),
            identity: IdentityClaims {
                dn: user.display_name.clone(),
                id: format!("ownCloudUUID={}", user.id),
                un: user.username.clone(),
            },
            provider: "identifier-ldap".to_owned(),
            grant: grant.id.clone(),
            uuid: user.id.as_str().to_owned(),
            preferred_username: user.username.clone(),
            sid: grant.session.clone(),
        };
        let access = self.keys.sign(&access)?;
        let wants_profile = grant.scopes.iter().any(|scope| scope == "profile");
        let id = IdToken {
            iss: self.url.clone(),
            sub: user.id.as_str().to_owned(),
            aud: grant.client.clone(),
            exp: now.plus(self.options.id_token).unix_seconds(),
            iat,
            auth_time: grant.since.unix_seconds(),
            nonce,
            at_hash: self.keys.half_hash(&access),
            sid: grant.session.clone(),
            preferred_username: wants_profile.then(|| user.username.clone()),
        };
        Ok(Tokens { id: self.keys.sign(&id)?, access })
    }

    /// The claims of an ID token of ours, whether it has expired or not. For hints: they name a
    /// person, and prove nothing.
    pub(super) fn read_hint(&self, token: &str) -> Option<IdToken> {
        let claims: IdToken = self.keys.verify(token)?;
        (claims.iss == self.url).then_some(claims)
    }

    /// The claims of a valid access token of ours, of a grant that was not revoked.
    pub(super) fn read_access(&self, token: &str, now: Timestamp) -> Option<AccessToken> {
        let claims: AccessToken = self.keys.verify(token)?;
        let fits = claims.iss == self.url
            && claims.kind == "1"
            && claims.exp > now.unix_seconds()
            && self.store.grant(&claims.grant, now).is_some();
        fits.then_some(claims)
    }

    /// The scopes among `asked` that this client can have.
    pub(super) fn scopes(&self, client: &Client, asked: &[String]) -> Vec<String> {
        let mut scopes: Vec<String> = Vec::new();
        for scope in asked.iter().chain(&client.implicit_scopes) {
            let known = super::discovery::SCOPES.contains(&scope.as_str())
                || client.implicit_scopes.contains(scope);
            if known && !scopes.contains(scope) {
                scopes.push(scope.clone());
            }
        }
        scopes
    }
}
