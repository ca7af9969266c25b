//! How the tokens of an account are kept: one document for each account, in the form and at the
//! place of reva's `jsoncs3` manager of app tokens (`<account>.json`, an object of the records of
//! `cs3.auth.applications.v1beta1.AppPassword`).

use std::collections::BTreeMap;

use ocis_core::id::UserId;
use ocis_core::port::{AppToken, DocumentKey};
use ocis_core::time::Timestamp;
use ocis_core::{Error, Result};
use serde::{Deserialize, Serialize};

/// The namespace of all these documents.
const SPACE: &str = "jsoncs3-appauth-data";

/// Where the tokens of `user` are kept.
pub(super) fn key(user: &UserId) -> DocumentKey {
    DocumentKey { space: SPACE.into(), path: format!("{user}.json") }
}

/// Stands where the tokens of oCIS were taken over, so that it is done once: one that was revoked
/// since then must not come back.
pub(super) fn taken_over() -> DocumentKey {
    DocumentKey { space: SPACE.into(), path: "ocis-rs/taken-over".into() }
}

/// The tokens of an account, by name.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Tokens(pub(super) BTreeMap<String, Record>);

/// One token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Record {
    /// The hash.
    password: String,
    #[serde(default)]
    label: String,
    #[serde(default)]
    expiration: Seconds,
    #[serde(default)]
    ctime: Seconds,
    #[serde(default)]
    utime: Seconds,
    /// What else stands there: the owner, and the scope if reva wrote it.
    #[serde(flatten)]
    rest: serde_json::Map<String, serde_json::Value>,
}

/// `cs3.types.v1beta1.Timestamp`; what is zero is left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Seconds {
    #[serde(default, skip_serializing_if = "is_zero")]
    seconds: i64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

impl From<Timestamp> for Seconds {
    fn from(time: Timestamp) -> Self {
        Self { seconds: time.unix_seconds() }
    }
}

impl Record {
    /// A token of `user` at `idp` that was made at `now`.
    pub(super) fn new(
        hash: String,
        label: String,
        [now, expires]: [Timestamp; 2],
        (user, idp): (&UserId, &str),
    ) -> Self {
        // 1 is the ordinary type of account.
        let owner = serde_json::json!({ "idp": idp, "opaque_id": user.as_str(), "type": 1 });
        Self {
            password: hash,
            label,
            expiration: expires.into(),
            ctime: now.into(),
            utime: now.into(),
            rest: serde_json::Map::from_iter([("user".to_owned(), owner)]),
        }
    }

    /// The hash.
    pub(super) fn hash(&self) -> &str {
        &self.password
    }

    /// Whose token it is, if that is said.
    pub(super) fn owner(&self) -> Option<UserId> {
        let id = self.rest.get("user")?.get("opaque_id")?.as_str()?;
        UserId::parse(id).ok()
    }

    /// Whether the token is good no longer. One without a time is good for ever, as in reva.
    pub(super) fn is_expired(&self, now: Timestamp) -> bool {
        self.expiration.seconds != 0 && now.unix_seconds() >= self.expiration.seconds
    }

    /// When the token ends, in seconds since 1970; 0 for never.
    pub(super) fn ends(&self) -> i64 {
        self.expiration.seconds
    }

    /// The record as callers see it.
    pub(super) fn shown(&self) -> Result<AppToken> {
        let time = |seconds: Seconds| Timestamp::from_unix(seconds.seconds, 0);
        Ok(AppToken {
            hash: self.password.clone(),
            label: self.label.clone(),
            created: time(self.ctime)?,
            expires: time(self.expiration)?,
        })
    }
}

impl Tokens {
    /// Reads a document.
    pub(super) fn read(content: &[u8]) -> Result<Self> {
        serde_json::from_slice(content)
            .map_err(|error| Error::internal("a document of app tokens is broken").because(error))
    }

    /// The document.
    pub(super) fn written(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self)
            .map_err(|error| Error::internal("app tokens cannot be written").because(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As reva's `jsoncs3` manager writes it.
    const OF_REVA: &str = r#"{"0b1f5a1e-8f43-4d43-a2c2-0b1f5a1e8f43":{
        "password":"$argon2id$v=19$m=65536,t=1,p=16$c2FsdHNhbHRzYWx0c2FsdA$aGFzaA",
        "token_scope":{"user":{"resource":{"decoder":"json","value":"e30="},"role":1}},
        "label":"Generated via API","expiration":{"seconds":1700003600},
        "ctime":{"seconds":1700000000},"utime":{"seconds":1700000000},
        "user":{"idp":"https://localhost:9200","opaque_id":"u","type":1}}}"#;

    #[test]
    fn documents_of_reva_are_read_and_kept_whole() {
        let tokens = Tokens::read(OF_REVA.as_bytes()).unwrap();
        let record = tokens.0.values().next().unwrap();
        let shown = record.shown().unwrap();
        assert_eq!(shown.label, "Generated via API");
        assert_eq!(shown.expires.to_string(), "2023-11-14T23:13:20Z");
        let at = |seconds| Timestamp::from_unix(seconds, 0).unwrap();
        assert!(!record.is_expired(at(1_700_003_599)));
        assert!(record.is_expired(at(1_700_003_600)));
        let again: serde_json::Value = serde_json::from_slice(&tokens.written().unwrap()).unwrap();
        assert_eq!(again, serde_json::from_str::<serde_json::Value>(OF_REVA).unwrap());
    }
}
