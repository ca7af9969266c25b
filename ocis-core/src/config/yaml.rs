//! The one file that knows the YAML crate.
//!
//! A [`Document`] is a parsed file that still knows its text: the position of a key and the exact
//! text of a scalar (`0x1F`, `1e5`) are found by reading the text again down to that key, which
//! costs nothing until somebody asks.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_yaml::Value;

use super::expand::expand;
use super::source::File;

/// What stands at a path of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A scalar, as text.
    Text(String),
    /// A sequence of scalars, as texts.
    List(Vec<String>),
    /// A mapping to scalars, as texts.
    Map(Vec<(String, String)>),
    /// Anything deeper.
    Tree(serde_json::Value),
}

/// A configuration file.
#[derive(Debug, Clone)]
pub struct Document {
    path: String,
    text: String,
    root: Value,
}

impl Document {
    /// Parses `file`, resolves merge keys and expands variables. The error names file, line and
    /// column. Names of variables that are not set and have no default are added to `unset`.
    pub fn parse(
        file: File,
        lookup: impl Fn(&str) -> Option<String> + Copy,
        unset: &mut Vec<String>,
    ) -> Result<Self, String> {
        let File { path, text } = file;
        let mut root: Value = serde_yaml::from_str(&text)
            .and_then(|mut root: Value| root.apply_merge().map(|()| root))
            .map_err(|error| format!("{path}{}", sentence(&text, error)))?;
        if !matches!(root, Value::Mapping(_) | Value::Null) {
            return Err(format!(
                "{path}:1: the file must be a mapping, such as `log:` with `  level: info` below it"
            ));
        }
        expand_all(&mut root, lookup, unset);
        Ok(Self { path, text, root })
    }

    /// The path to show to a person.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What stands at `path`; none if nothing or `null` does. The error is a sentence: something
    /// on the way is no mapping.
    pub fn find(&self, path: &[&str]) -> Result<Option<Found>, String> {
        let mut value = &self.root;
        for (depth, key) in path.iter().enumerate() {
            value = match untagged(value) {
                Value::Mapping(mapping) => match mapping.get(*key) {
                    Some(value) => value,
                    None => return Ok(None),
                },
                Value::Null => return Ok(None),
                _ => {
                    let above = path.get(..depth).unwrap_or_default();
                    return Err(format!(
                        "{} must be a mapping: keys below it, each with its value",
                        self.place(above)
                    ));
                }
            };
        }
        Ok(match untagged(value) {
            Value::Null => None,
            Value::Mapping(mapping) => Some(
                mapping
                    .iter()
                    .map(|(key, value)| Some((scalar(key)?, scalar(value)?)))
                    .collect::<Option<_>>()
                    .map_or_else(|| tree(value), Found::Map),
            ),
            Value::Sequence(items) => Some(
                items
                    .iter()
                    .map(scalar)
                    .collect::<Option<_>>()
                    .map_or_else(|| tree(value), Found::List),
            ),
            Value::String(text) => Some(Found::Text(text.clone())),
            other => self.raw(path).or_else(|| scalar(other)).map(Found::Text),
        })
    }

    /// All keys that hold a value, as paths, in the order of the file. A sequence is a value.
    pub fn leaves(&self) -> Vec<Vec<String>> {
        fn walk(value: &Value, path: &mut Vec<String>, leaves: &mut Vec<Vec<String>>) {
            let Value::Mapping(mapping) = untagged(value) else {
                if !path.is_empty() {
                    leaves.push(path.clone());
                }
                return;
            };
            for (key, value) in mapping {
                path.push(scalar(key).unwrap_or_default());
                walk(value, path, leaves);
                path.pop();
            }
        }
        let mut leaves = Vec::new();
        walk(&self.root, &mut Vec::new(), &mut leaves);
        leaves
    }

    /// `file:line:column: a.b.c` for a key, without line if it is not written as such.
    pub fn place(&self, path: &[&str]) -> String {
        let name = path.join(".");
        match self.position(path) {
            Some((line, column)) => format!("{}:{line}:{column}: {name}", self.path),
            None => format!("{}: {name}", self.path),
        }
    }

    /// Line and column of a key, counted from 1.
    pub fn position(&self, path: &[&str]) -> Option<(usize, usize)> {
        let error = self.descend(path, Goal::Position).err()?;
        error.location().map(|at| (at.line(), at.column()))
    }

    /// The text of a scalar exactly as it is written.
    fn raw(&self, path: &[&str]) -> Option<String> {
        self.descend(path, Goal::Text).ok().flatten()
    }

    fn descend(&self, path: &[&str], goal: Goal) -> Result<Option<String>, serde_yaml::Error> {
        let (key, rest) = path.split_first().ok_or_else(|| serde_yaml::Error::custom("no key"))?;
        Descend { key, rest, goal }.deserialize(serde_yaml::Deserializer::from_str(&self.text))
    }
}

/// `:line:column: what is wrong; what would be right`. Of a key that is there twice the crate knows
/// where its mapping begins; where the second one stands is found by reading the text again.
fn sentence(text: &str, error: serde_yaml::Error) -> String {
    let twice = serde_yaml::from_str::<Unique>(text).err().filter(is_twice);
    let right = match twice {
        Some(_) => "each key once",
        None => {
            "YAML: `key: value` one a line, what belongs to a key below it and indented by blanks, \
             values with special characters in single quotes"
        }
    };
    let error = twice.unwrap_or(error);
    let Some(at) = error.location() else { return format!(": {error}; right would be {right}") };
    let (line, column) = (at.line(), at.column());
    let what = error.to_string().replacen(&format!(" at line {line} column {column}"), "", 1);
    format!(":{line}:{column}: {what}; right would be {right}")
}

const TWICE: &str = "this key is there twice";

fn is_twice(error: &serde_yaml::Error) -> bool {
    error.to_string().contains(TWICE)
}

fn untagged(value: &Value) -> &Value {
    match value {
        Value::Tagged(tagged) => untagged(&tagged.value),
        other => other,
    }
}

fn scalar(value: &Value) -> Option<String> {
    match untagged(value) {
        Value::String(text) => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn expand_all(
    value: &mut Value,
    lookup: impl Fn(&str) -> Option<String> + Copy,
    unset: &mut Vec<String>,
) {
    match value {
        Value::String(text) if text.contains("${") => {
            *text = expand(text, lookup, unset).into_owned();
        }
        Value::Sequence(items) => {
            items.iter_mut().for_each(|item| expand_all(item, lookup, unset));
        }
        Value::Mapping(mapping) => {
            mapping.values_mut().for_each(|item| expand_all(item, lookup, unset));
        }
        Value::Tagged(tagged) => expand_all(&mut tagged.value, lookup, unset),
        _ => {}
    }
}

/// What is deeper than a list or a mapping of scalars. What JSON cannot say (a key that is no text)
/// becomes `null`, which no setting takes.
fn tree(value: &Value) -> Found {
    Found::Tree(serde_json::to_value(value).unwrap_or_default())
}

/// What the second reading is after. A position is reported as an error at the key, because only
/// errors of the YAML crate carry positions.
#[derive(Clone, Copy)]
enum Goal {
    Position,
    Text,
}

struct Descend<'a> {
    key: &'a str,
    rest: &'a [&'a str],
    goal: Goal,
}

impl<'de> DeserializeSeed<'de> for Descend<'_> {
    type Value = Option<String>;
    fn deserialize<D: serde::Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Descend<'_> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let stop = self.rest.is_empty() && matches!(self.goal, Goal::Position);
        let mut found = None;
        while let Some(is_key) = map.next_key_seed(Key { key: self.key, stop })? {
            match (is_key, self.rest.split_first()) {
                (false, _) => {
                    map.next_value::<IgnoredAny>()?;
                }
                (true, None) => found = Some(map.next_value::<String>()?),
                (true, Some((key, rest))) => {
                    found = map.next_value_seed(Descend { key, rest, goal: self.goal })?;
                }
            }
        }
        Ok(found)
    }
}

/// Compares one key; with `stop` the wanted key is an error, which then has its position.
struct Key<'a> {
    key: &'a str,
    stop: bool,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = bool;
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<bool, E> {
        match text == self.key {
            true if self.stop => Err(E::custom("here")),
            is_key => Ok(is_key),
        }
    }
}

/// Any YAML in which no mapping has a key twice.
struct Unique;

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Unique {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        let mut seen = BTreeSet::new();
        while map.next_key_seed(NewKey(&mut seen))?.is_some() {
            map.next_value::<Self>()?;
        }
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self, A::Error> {
        while seq.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }
}

/// A key that was not seen before.
struct NewKey<'a>(&'a mut BTreeSet<String>);

impl<'de> DeserializeSeed<'de> for NewKey<'_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NewKey<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        if self.0.insert(text.to_owned()) { Ok(()) } else { Err(E::custom(TWICE)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Document, String> {
        let file = File { path: "ocis.yaml".to_owned(), text: text.to_owned() };
        let lookup = |name: &str| (name == "SOME_HTTP_ADDR").then(|| "0.0.0.0:1".to_owned());
        Document::parse(file, lookup, &mut Vec::new())
    }

    #[test]
    fn scalars_keep_their_text() {
        let document = parse("a: 0x1F\nb: 1e5\nc: true\nd: '007'\ne:\n  f: 1_0 # six\n").unwrap();
        for (path, text) in
            [("a", "0x1F"), ("b", "1e5"), ("c", "true"), ("d", "007"), ("e.f", "1_0")]
        {
            let path: Vec<_> = path.split('.').collect();
            assert_eq!(document.find(&path).unwrap(), Some(Found::Text(text.to_owned())));
        }
        assert_eq!(document.find(&["x"]).unwrap(), None);
    }

    #[test]
    fn places_have_line_and_column() {
        let document =
            parse("# head\nproxy:\n  tls: {cert: x,  key: y}\n  http:\n    addr: z\n").unwrap();
        assert_eq!(document.place(&["proxy"]), "ocis.yaml:2:1: proxy");
        assert_eq!(document.place(&["proxy", "http", "addr"]), "ocis.yaml:5:5: proxy.http.addr");
        assert_eq!(document.position(&["proxy", "tls", "key"]), Some((3, 19)));
        assert_eq!(document.position(&["proxy", "none"]), None);
        let error = document.find(&["proxy", "http", "addr", "host"]).unwrap_err();
        assert!(error.starts_with("ocis.yaml:5:5: proxy.http.addr must be a mapping"), "{error}");
    }

    #[test]
    fn mistakes_name_their_place() {
        for (text, place) in [
            ("a: 1\nb: [\n", "ocis.yaml:3:1: "),
            ("a: 1\n\tb: 2\n", "ocis.yaml:2:1: "),
            ("a: 1\nb: 2\na: 3\n", "ocis.yaml:3:1: "),
            ("a:\n  b: {x: [1.5, true, ~, -2]}\n  c: 1\n  b: 2\n", "ocis.yaml:4:3: a: "),
            ("- a\n", "ocis.yaml:1: "),
            ("a\n", "ocis.yaml:1: "),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.starts_with(place), "{error}");
        }
        assert!(parse("a: 1\na: 3\n").unwrap_err().contains("twice"));
        assert!(parse("").unwrap().leaves().is_empty());
    }

    #[test]
    fn variables_merge_keys_and_lists() {
        let document = parse(
            "base: &base {tls: false}\nproxy:\n  <<: *base\n  http:\n    addr: ${SOME_HTTP_ADDR}\n    root: ${X|/}\n  l: [a, '${X|b}', 1]\n",
        )
        .unwrap();
        let text = |path: &[&str]| document.find(path).unwrap().unwrap();
        assert_eq!(text(&["proxy", "http", "addr"]), Found::Text("0.0.0.0:1".to_owned()));
        assert_eq!(text(&["proxy", "tls"]), Found::Text("false".to_owned()));
        assert_eq!(text(&["proxy", "l"]), Found::List(["a", "b", "1"].map(str::to_owned).to_vec()));
        assert_eq!(document.leaves().len(), 5);
    }
}
