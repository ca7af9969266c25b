//! The claims as they stand in a token: reva's `user.User` and `auth.Scope` in JSON, as Go writes
//! the messages of CS3.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) aud: String,
    pub(super) exp: i64,
    pub(super) iat: i64,
    /// The issuer that knows the account.
    pub(super) iss: String,
    pub(super) user: User,
    pub(super) scope: BTreeMap<String, Scope>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct User {
    pub(super) id: UserId,
    #[serde(default)]
    pub(super) username: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) mail: String,
    #[serde(default)]
    pub(super) display_name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) groups: Vec<String>,
    #[serde(default)]
    pub(super) opaque: Opaque,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct UserId {
    pub(super) idp: String,
    pub(super) opaque_id: String,
    /// 1 is `USER_TYPE_PRIMARY`.
    #[serde(rename = "type", default)]
    pub(super) kind: u8,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Opaque {
    #[serde(default)]
    pub(super) map: BTreeMap<String, Entry>,
}

/// A value that says how it is written.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    decoder: String,
    /// In base64, as Go writes bytes.
    value: String,
}

impl Entry {
    pub(super) fn json(value: &impl Serialize) -> Self {
        // Maps with text keys, texts and lists can always be written.
        let json = serde_json::to_vec(value).unwrap_or_default();
        Self { decoder: "json".into(), value: STANDARD.encode(json) }
    }

    pub(super) fn read<T: for<'de> Deserialize<'de>>(&self) -> Option<T> {
        if self.decoder != "json" {
            return None;
        }
        serde_json::from_slice(&STANDARD.decode(&self.value).ok()?).ok()
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Scope {
    pub(super) resource: Entry,
    /// 1 is `ROLE_OWNER`, 3 `ROLE_VIEWER`.
    pub(super) role: u8,
}
