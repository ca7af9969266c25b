//! The `.info` file of an upload session: tusd's description of an upload, as oCIS writes it, with
//! one value of ours in it that oCIS passes over.

use std::collections::BTreeMap;

use ocis_core::etag::{Etag, EtagMatch};
use ocis_core::id::UserId;
use ocis_core::port::Conditions;
use ocis_core::time::Timestamp;
use ocis_core::user::UserRole;
use ocis_core::{Caller, Error, Identity, Result};
use serde::{Deserialize, Deserializer, Serialize};

type Map = BTreeMap<String, String>;

/// The file as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct InfoFile {
    #[serde(rename = "ID")]
    pub(crate) id: String,
    pub(crate) size: u64,
    pub(crate) size_is_deferred: bool,
    pub(crate) offset: u64,
    #[serde(deserialize_with = "map")]
    pub(crate) meta_data: Map,
    pub(crate) is_partial: bool,
    pub(crate) is_final: bool,
    pub(crate) partial_uploads: Option<Vec<String>>,
    #[serde(deserialize_with = "map")]
    pub(crate) storage: Map,
}

/// Go writes an empty map as `null`.
fn map<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl InfoFile {
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        serde_json::from_slice(bytes).map_err(|error| {
            Error::internal("the description of an upload is damaged").because(error)
        })
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        // Texts, numbers and maps of texts are always JSON.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// A value of `MetaData`, none when it is empty.
    pub(crate) fn told(&self, key: &str) -> Option<&str> {
        self.meta_data.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A value of `Storage`, none when it is empty.
    pub(crate) fn stored(&self, key: &str) -> Option<&str> {
        self.storage.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub(crate) fn tell(&mut self, key: &str, value: Option<String>) {
        match value {
            Some(value) => drop(self.meta_data.insert(key.into(), value)),
            None => drop(self.meta_data.remove(key)),
        }
    }

    pub(crate) fn store(&mut self, key: &str, value: impl Into<String>) {
        self.storage.insert(key.into(), value.into());
    }

    /// The person who uploads.
    pub(crate) fn caller(&self) -> Result<Caller> {
        let Some(id) = self.stored("UserId") else { return Ok(Caller::Anonymous) };
        let text = |key| self.stored(key).unwrap_or_default();
        Ok(Caller::User(
            Identity {
                id: UserId::parse(id)?,
                idp: text("Idp").into(),
                username: text("UserName").into(),
                display_name: text("UserDisplayName").into(),
                mail: String::new(),
                groups: Vec::new(),
                role: UserRole::User,
                scope: ocis_core::scope::Scope::Everything,
            }
            .into(),
        ))
    }

    pub(crate) fn set_caller(&mut self, caller: &Caller) {
        let person = caller.identity().ok();
        let text = |read: fn(&Identity) -> String| person.map(|p| read(p)).unwrap_or_default();
        self.store("Idp", text(|person| person.idp.to_string()));
        self.store("UserId", text(|person| person.id.to_string()));
        self.store("UserType", text(|_| "primary".into()));
        self.store("UserName", text(|person| person.username.clone()));
        self.store("UserDisplayName", text(|person| person.display_name.clone()));
        self.store("UserOpaque", "null");
    }

    /// What must hold, as far as oCIS writes it down.
    pub(crate) fn conditions(&self) -> Conditions {
        let tags = |key| {
            self.told(key).map(|text| match text {
                "*" => EtagMatch::Any,
                text => EtagMatch::OneOf(text.split(',').map(Etag::new).collect()),
            })
        };
        Conditions {
            if_match: tags("if-match"),
            if_none_match: tags("if-none-match"),
            if_unmodified_since: self
                .told("if-unmodified-since")
                .and_then(|time| time.parse().ok()),
            lock_tokens: self.told("lockid").map(str::to_owned).into_iter().collect(),
        }
    }

    pub(crate) fn set_conditions(&mut self, conditions: &Conditions) {
        let tags = |tags: &Option<EtagMatch>| {
            tags.as_ref().map(|tags| match tags {
                EtagMatch::Any => "*".to_owned(),
                EtagMatch::OneOf(tags) => {
                    tags.iter().map(Etag::as_str).collect::<Vec<_>>().join(",")
                }
            })
        };
        self.tell("if-match", tags(&conditions.if_match));
        self.tell("if-none-match", tags(&conditions.if_none_match));
        let since = conditions.if_unmodified_since.as_ref();
        self.tell("if-unmodified-since", since.map(ToString::to_string));
        self.tell("lockid", conditions.lock_tokens.first().cloned());
    }
}

/// Reads `<seconds>.<nanoseconds>`, the latter without leading zeros and perhaps left out.
pub(crate) fn time(text: &str) -> Option<Timestamp> {
    let (seconds, nanos) = text.split_once('.').unwrap_or((text, "0"));
    Timestamp::from_unix(seconds.parse().ok()?, nanos.parse().ok()?).ok()
}

/// The form that [`time`] reads.
pub(crate) fn time_text(time: Timestamp) -> String {
    format!("{}.{}", time.unix_seconds(), time.subsec_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ocis_wrote_is_read_and_written_back() {
        let text = r#"{"ID":"4c510ada-c86b-4815-8820-42cdf82c3d51","Size":5,"SizeIsDeferred":false,"Offset":0,"MetaData":{"dir":"/","expires":"1767312000.7","filename":"a.txt","if-match":"\"a\",\"b\"","lockid":"t","mtime":"1767225600.50"},"IsPartial":false,"IsFinal":false,"PartialUploads":null,"Storage":{"Idp":"https://localhost:9200","NodeExists":"true","Type":"OCISStore","UserId":"einstein"}}"#;
        let file = InfoFile::decode(text.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(file.encode()).unwrap(), text);
        let conditions = file.conditions();
        let tags = vec![Etag::new("a"), Etag::new("b")];
        assert_eq!(conditions.if_match, Some(EtagMatch::OneOf(tags)));
        assert_eq!(conditions.lock_tokens, ["t"]);
        let mut again = file.clone();
        again.set_conditions(&conditions);
        assert_eq!(again, file);
        let caller = file.caller().unwrap();
        assert_eq!(caller.identity().unwrap().id.as_str(), "einstein");
        assert_eq!(time("1767225600.50").unwrap().subsec_nanos(), 50);
        assert_eq!(time_text(time("1767225600.50").unwrap()), "1767225600.50");
        let empty = InfoFile::decode(br#"{"ID":"x","MetaData":null,"Storage":null}"#).unwrap();
        assert_eq!(empty.meta_data, Map::new());
        for text in ["", "x", "1.2.3", "1.-2"] {
            assert_eq!(time(text), None, "{text}");
        }
    }
}
