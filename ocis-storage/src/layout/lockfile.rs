//! The `.lock` file of a node: oCIS's JSON of one lock, and ours beside it.
//!
//! oCIS knows one lock a node and reads the fields `opaque`, `lock_id`, `type`, `user`, `app_name`
//! and `expiration`; in `opaque` stand the name to show and the time. What WebDAV needs beyond that
//! stands in `ocis_rs`, which oCIS ignores: depth and owner of the first lock, and all further
//! shared locks whole.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ocis_core::id::UserId;
use ocis_core::lock::{Lock, LockScope};
use ocis_core::time::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct File {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    opaque: Option<Opaque>,
    #[serde(default)]
    lock_id: String,
    #[serde(rename = "type", default)]
    kind: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<User>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    app_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expiration: Option<Expiration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ocis_rs: Option<Ours>,
}

/// Texts under names, in base64.
#[derive(Default, Serialize, Deserialize)]
struct Opaque {
    #[serde(default)]
    map: BTreeMap<String, Value>,
}

#[derive(Serialize, Deserialize)]
struct Value {
    #[serde(default)]
    decoder: String,
    #[serde(default)]
    value: String,
}

impl Opaque {
    fn set(&mut self, name: &str, text: &str) {
        let value = Value { decoder: "plain".into(), value: STANDARD.encode(text) };
        self.map.insert(name.into(), value);
    }

    fn get(&self, name: &str) -> Option<String> {
        let value = self.map.get(name)?;
        String::from_utf8(STANDARD.decode(&value.value).ok()?).ok()
    }
}

#[derive(Serialize, Deserialize)]
struct User {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    idp: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    opaque_id: String,
    #[serde(rename = "type", default)]
    kind: u8,
}

#[derive(Serialize, Deserialize)]
struct Expiration {
    #[serde(default)]
    seconds: i64,
    #[serde(default)]
    nanos: u32,
}

#[derive(Serialize, Deserialize)]
struct Ours {
    first: Lock,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    others: Vec<Lock>,
}

const SHARED: u8 = 1;
const EXCLUSIVE: u8 = 3;
/// The names in the opaque map: who holds it, and since when.
const OWNER_NAME: &str = "lockownername";
const TAKEN: &str = "locktime";

/// The content of the file for these locks; none when there is no lock.
pub(crate) fn write(locks: &[Lock], idp: &str) -> Option<Vec<u8>> {
    let (first, others) = locks.split_first()?;
    let mut opaque = Opaque::default();
    if let Some(name) = &first.owner_name {
        opaque.set(OWNER_NAME, name);
    }
    if let Some(taken) = first.taken {
        opaque.set(TAKEN, &taken.whole_seconds().to_string());
    }
    let file = File {
        opaque: Some(opaque).filter(|opaque| !opaque.map.is_empty()),
        lock_id: first.token.clone(),
        kind: if first.scope == LockScope::Shared { SHARED } else { EXCLUSIVE },
        user: first.user.as_ref().map(|user| User {
            idp: idp.into(),
            opaque_id: user.to_string(),
            kind: 1,
        }),
        app_name: first.app_name.clone(),
        expiration: first
            .expires
            .map(|end| Expiration { seconds: end.unix_seconds(), nanos: end.subsec_nanos() }),
        ocis_rs: Some(Ours { first: first.clone(), others: others.to_vec() }),
    };
    // A struct of strings and numbers is always JSON.
    serde_json::to_vec(&file).ok()
}

/// The locks in a file; none when it cannot be read (as oCIS, which then takes the node as free).
pub(crate) fn read(content: &[u8]) -> Vec<Lock> {
    let Ok(file) = serde_json::from_slice::<File>(content) else { return Vec::new() };
    // oCIS may have changed its part since we wrote ours.
    if let Some(ours) = file.ocis_rs.filter(|ours| ours.first.token == file.lock_id) {
        return std::iter::once(ours.first).chain(ours.others).collect();
    }
    if file.lock_id.is_empty() {
        return Vec::new();
    }
    // Go leaves out what is empty.
    let user = file.user.filter(|user| !user.opaque_id.is_empty());
    let said = |name| file.opaque.as_ref().and_then(|opaque| opaque.get(name));
    vec![Lock {
        token: file.lock_id,
        scope: if file.kind == SHARED { LockScope::Shared } else { LockScope::Exclusive },
        // oCIS keeps no depth; it tells clients that every lock is deep.
        deep: true,
        // What it tells as the owner.
        owner: user.as_ref().map(|user| format!("{}@{}", user.opaque_id, user.idp)),
        owner_name: said(OWNER_NAME),
        taken: said(TAKEN).and_then(|text| text.parse().ok()),
        app_name: file.app_name,
        user: user.and_then(|user| UserId::parse(&user.opaque_id).ok()),
        expires: file.expiration.and_then(|end| Timestamp::from_unix(end.seconds, end.nanos).ok()),
    }]
}
