//! What an account chose for a setting.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::bundle::Resource;

/// The value of a setting for an account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SettingValue {
    /// The id of the value, a UUID; empty for one that was not saved yet.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The bundle that the setting is in.
    #[serde(alias = "bundle_id", skip_serializing_if = "String::is_empty")]
    pub bundle_id: String,
    /// The setting.
    #[serde(alias = "setting_id", skip_serializing_if = "String::is_empty")]
    pub setting_id: String,
    /// The account; empty for a value that holds for all.
    #[serde(alias = "account_uuid", skip_serializing_if = "String::is_empty")]
    pub account_uuid: String,
    /// What the setting is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<Resource>,
    /// The value of a setting that is on or off.
    #[serde(alias = "bool_value", skip_serializing_if = "Option::is_none")]
    pub bool_value: Option<bool>,
    /// The value of a setting that is a number.
    #[serde(alias = "int_value", skip_serializing_if = "Option::is_none")]
    pub int_value: Option<Int>,
    /// The value of a setting that is a text.
    #[serde(alias = "string_value", skip_serializing_if = "Option::is_none")]
    pub string_value: Option<String>,
    /// What was chosen of a list.
    #[serde(alias = "list_value", skip_serializing_if = "Option::is_none")]
    pub list_value: Option<Choices>,
    /// The values of a setting that has several under keys.
    #[serde(alias = "collection_value", skip_serializing_if = "Option::is_none")]
    pub collection_value: Option<Choices>,
}

impl SettingValue {
    /// The one text that was chosen, such as the language `de`.
    pub fn text(&self) -> Option<&str> {
        let chosen = self.list_value.as_ref().and_then(|list| list.values.first());
        self.string_value.as_deref().or_else(|| chosen?.string_value.as_deref())
    }

    /// How many kinds of values are set; a value is of one kind.
    pub fn kinds(&self) -> usize {
        [
            self.bool_value.is_some(),
            self.int_value.is_some(),
            self.string_value.is_some(),
            self.list_value.is_some(),
            self.collection_value.is_some(),
        ]
        .into_iter()
        .filter(|is_set| *is_set)
        .count()
    }
}

/// What was chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Choices {
    /// In the order in which it was sent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Choice>,
}

/// One of what was chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Choice {
    /// Which of several values of a setting it is, such as `mail`; empty in a list.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// A number.
    #[serde(alias = "int_value", skip_serializing_if = "Option::is_none")]
    pub int_value: Option<Int>,
    /// A text.
    #[serde(alias = "string_value", skip_serializing_if = "Option::is_none")]
    pub string_value: Option<String>,
    /// On or off.
    #[serde(alias = "bool_value", skip_serializing_if = "Option::is_none")]
    pub bool_value: Option<bool>,
}

impl Choice {
    /// A text of a list.
    pub fn text(text: impl Into<String>) -> Self {
        Self { string_value: Some(text.into()), ..Self::default() }
    }
}

/// A number of 64 bits, which the JSON of protocol buffers writes as a string and reads as both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Int(pub i64);

impl Serialize for Int {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Int {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Number(i64),
            Text(String),
        }
        match Form::deserialize(deserializer)? {
            Form::Number(number) => Ok(Self(number)),
            Form::Text(text) => text.parse().map(Self).map_err(serde::de::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_spellings_and_writes_one() {
        let sent = r#"{"account_uuid":"me","bundleId":"b","setting_id":"s","intValue":"7",
            "listValue":{"values":[{"stringValue":"de"}]},"unknown":1}"#;
        let value: SettingValue = serde_json::from_str(sent).unwrap();
        assert_eq!((value.int_value, value.text(), value.kinds()), (Some(Int(7)), Some("de"), 2));
        let written = r#"{"bundleId":"b","settingId":"s","accountUuid":"me","intValue":"7","listValue":{"values":[{"stringValue":"de"}]}}"#;
        assert_eq!(serde_json::to_string(&value).unwrap(), written);
        let off: SettingValue = serde_json::from_str(r#"{"boolValue":false}"#).unwrap();
        assert_eq!(serde_json::to_string(&off).unwrap(), r#"{"boolValue":false}"#);
    }
}
