//! Refresh tokens that a real oCIS gave out before its data directory came to this server.
//!
//! They are signed by the key that this server took over, last up to 30 days, and sit in sync
//! clients; whose token counts once more does not have to sign in again. oCIS lets them be used any
//! number of times. Here one counts once, for a refresh token of ours, and is remembered as used
//! until it has expired.

use ocis_core::Result;
use ocis_core::port::FindUser;
use ocis_core::time::Timestamp;
use ocis_core::user::User;
use serde::Deserialize;

use super::client::Client;
use super::params::Params;
use super::seal::random;
use super::store::Grant;
use super::{Asked, Inner};

/// What oCIS's token says.
#[derive(Clone, Deserialize)]
struct RefreshToken {
    iss: String,
    aud: Words,
    exp: i64,
    iat: i64,
    jti: String,
    /// `2`: a refresh token.
    #[serde(rename = "lg.t")]
    kind: String,
    scp: Words,
    #[serde(rename = "lg.i")]
    identity: Identity,
}

#[derive(Clone, Deserialize)]
struct Identity {
    /// The entry in the directory, such as `ownCloudUUID=…`.
    #[serde(default)]
    id: String,
    /// The user name.
    #[serde(default)]
    un: String,
}

/// A list, or words in one text: versions of the provider differ.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Words {
    Text(String),
    List(Vec<String>),
}

impl Words {
    fn list(&self) -> Vec<String> {
        match self {
            Self::Text(text) => text.split_whitespace().map(str::to_owned).collect(),
            Self::List(list) => list.clone(),
        }
    }
}

impl Inner {
    /// The grant that a refresh token of oCIS stands for, the first time that it is presented; none
    /// when it is no such token, or was used before, which ends the grant that came of it.
    pub(super) async fn take_over(
        &self,
        asked: &Asked,
        token: &str,
        client: &Client,
    ) -> Result<Option<Grant>> {
        let now = asked.now();
        let Some(claims) = self.keys.verify::<RefreshToken>(token) else { return Ok(None) };
        let counts = claims.iss.trim_end_matches('/') == self.url
            && claims.kind == "2"
            && claims.exp > now.unix_seconds()
            && !claims.jti.is_empty()
            && claims.aud.list() == [client.id.as_str()];
        if !counts {
            return Ok(None);
        }
        let Some(user) = self.person_of(asked, &claims.identity).await? else { return Ok(None) };
        let mut scopes = self.scopes(client, &claims.scp.list());
        if !scopes.iter().any(|scope| scope == "offline_access") {
            scopes.push("offline_access".to_owned());
        }
        let grant = Grant {
            id: random()?,
            client: client.id.clone(),
            user: user.id,
            session: random()?,
            scopes,
            since: Timestamp::from_unix(claims.iat, 0)?,
            password: user.password_version,
            until: now.plus(self.options.refresh_token),
            generation: 0,
        };
        // Names the grant that came of it, and counts for nothing itself.
        let used = Grant {
            id: format!("ocis.{}", claims.jti),
            session: grant.id.clone(),
            until: Timestamp::from_unix(claims.exp, 0)?,
            generation: u64::MAX,
            ..grant.clone()
        };
        if let Some(used) = self.store.add_grant(used).await? {
            tracing::warn!(service = "idp", client = client.id, "a refresh token was used twice");
            self.store.revoke(&used.session).await?;
            return Ok(None);
        }
        self.store.put_grant(grant.clone()).await?;
        Ok(Some(grant))
    }

    async fn person_of(&self, asked: &Asked, identity: &Identity) -> Result<Option<User>> {
        let entry = Params::parse(identity.id.as_bytes()).unwrap_or_default();
        let id = entry.get("ownCloudUUID").and_then(|id| id.parse().ok());
        if let Some(id) = id {
            return self.enabled(&asked.cx, FindUser::Id(id)).await;
        }
        self.enabled(&asked.cx, FindUser::Username(identity.un.clone())).await
    }
}
