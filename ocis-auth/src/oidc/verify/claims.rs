//! What a token says about somebody, and how to find one thing in it.

use std::fmt;

use ocis_core::time::Timestamp;
use serde_json::{Map, Value};

/// The claims of a token, of userinfo, or of both.
#[derive(Clone, Default, PartialEq)]
pub struct Claims(Map<String, Value>);

impl Claims {
    /// Claims as they stand in a JSON object.
    pub fn new(claims: Map<String, Value>) -> Self {
        Self(claims)
    }

    /// Reads a JSON object.
    pub(super) fn parse(json: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(json).map(Self)
    }

    /// A claim that is a text; none when there is none, or it is empty or something else.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// A claim that is a text or a list of texts.
    pub fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        texts(self.0.get(name))
    }

    /// A text at `path`: a name, or names with dots between them where one claim lies within
    /// another; a dot in a name is written `\.`, as in oCIS.
    pub fn text_at(&self, path: &str) -> Option<&str> {
        let direct = self.text(path);
        let nested = || self.find(path)?.as_str().filter(|text| !text.is_empty());
        direct.or_else(nested)
    }

    /// A text or a list of texts at `path`; none when there is neither.
    pub fn texts_at(&self, path: &str) -> Option<Vec<&str>> {
        let value = self.0.get(path).or_else(|| self.find(path))?;
        match value {
            Value::String(text) => Some(vec![text]),
            Value::Array(items) => items.iter().map(Value::as_str).collect(),
            _ => None,
        }
    }

    /// A claim that is a time, in seconds since 1970, with or without a fraction.
    pub fn time(&self, name: &str) -> Option<Timestamp> {
        let value = self.0.get(name)?;
        let seconds = value.as_i64().or_else(|| {
            // Whatever is no 64-bit number is cut to the nearest one, which is out of range.
            value.as_f64().map(|seconds| seconds as i64)
        })?;
        Timestamp::from_unix(seconds, 0).ok()
    }

    /// Whether there is such a claim, whatever it is.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// What lies at exactly these names.
    pub(super) fn at(&self, names: &[&str]) -> Option<&Value> {
        let (first, rest) = names.split_first()?;
        rest.iter().try_fold(self.0.get(*first)?, |value, name| value.get(name))
    }

    /// Whether the provider says that the token is no access token: in Keycloak's way (`typ`), in
    /// that of oCIS's provider (`lg.t`), or by a claim that only ID tokens have (OpenID Connect Core
    /// 3.1.3.6). They are all signed with the same keys.
    pub(super) fn is_other_kind(&self) -> bool {
        let keycloak = ["ID", "Refresh", "Offline", "Logout"];
        self.text("typ").is_some_and(|kind| keycloak.contains(&kind))
            || self.has("at_hash")
            || self.at(&["lg.t"]).and_then(Value::as_str).is_some_and(|kind| kind != "1")
    }

    /// Takes over all claims of `other`.
    pub(super) fn overlay(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(super) fn set_if_absent(&mut self, name: &str, text: &str) {
        if self.text(name).is_none() {
            self.0.insert(name.to_owned(), text.into());
        }
    }

    fn find(&self, path: &str) -> Option<&Value> {
        let names = split(path);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        self.at(&names)
    }
}

/// Only the names: what they say about somebody is nobody's business.
impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    let one = value.and_then(Value::as_str);
    let many = value.and_then(Value::as_array).into_iter().flatten();
    one.into_iter().chain(many.filter_map(Value::as_str))
}

/// The names between the dots; a backslash takes its meaning from the character behind it.
fn split(path: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let mut letters = path.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '.' => names.push(String::new()),
            '\\' => add(&mut names, letters.next().unwrap_or('\\')),
            _ => add(&mut names, letter),
        }
    }
    names
}

fn add(names: &mut [String], letter: char) {
    if let Some(name) = names.last_mut() {
        name.push(letter);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_found_by_name_and_by_path() {
        let claims = Claims::parse(
            br#"{"a": "x", "b.c": "y", "b": {"c": "z", "d.e": ["1", "2"], "n": 1}, "f": ["g"],
                 "empty": "", "mixed": ["a", 1]}"#,
        )
        .unwrap();
        assert_eq!(claims.text_at("a"), Some("x"));
        assert_eq!(claims.text_at("b.c"), Some("y"));
        assert_eq!(claims.texts_at(r"b.d\.e"), Some(vec!["1", "2"]));
        assert_eq!(claims.texts_at("f"), Some(vec!["g"]));
        assert_eq!(claims.texts_at("a"), Some(vec!["x"]));
        for path in ["b", "b.n", "empty", "c", "a.b", "", ".", r"b\.d"] {
            assert_eq!(claims.text_at(path), None, "{path}");
        }
        assert_eq!(claims.texts_at("mixed"), None);
        assert_eq!(claims.texts("mixed").collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn times_that_are_none() {
        let claims =
            Claims::parse(br#"{"a": 1, "b": 1.9, "c": 1e300, "d": "1", "e": -1}"#).unwrap();
        let seconds = |name| claims.time(name).map(Timestamp::unix_seconds);
        assert_eq!([seconds("a"), seconds("b"), seconds("e")], [Some(1), Some(1), Some(-1)]);
        assert_eq!([seconds("c"), seconds("d"), seconds("f")], [None; 3]);
    }
}
