//! The attributes of an entry to be, and the changes of one that is.

use std::collections::HashSet;

use ldap3::Mod;

/// Attributes with their values, in bytes: a value need not be text.
#[derive(Debug, Default)]
pub(super) struct Attributes(Vec<(Vec<u8>, HashSet<Vec<u8>>)>);

impl Attributes {
    /// Adds a value. Nothing happens where attribute or value are empty: an attribute of the
    /// settings may have no name, and LDAP knows no empty texts.
    pub(super) fn put(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        let value = value.into();
        if !name.is_empty() && !value.is_empty() {
            self.put_even_empty(name, value);
        }
    }

    /// Adds a value that may be empty, as the member of a group without members is.
    pub(super) fn put_even_empty(&mut self, name: &str, value: Vec<u8>) {
        let known =
            self.0.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes()));
        match known {
            Some((_, values)) => _ = values.insert(value),
            None => self.0.push((name.as_bytes().to_vec(), HashSet::from([value]))),
        }
    }

    /// Adds a value where the attribute has none yet.
    pub(super) fn put_if_none(&mut self, name: &str, value: &str) {
        if !self.0.iter().any(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes())) {
            self.put(name, value);
        }
    }

    pub(super) fn into_list(self) -> Vec<(Vec<u8>, HashSet<Vec<u8>>)> {
        self.0
    }
}

/// The attribute gets these values instead of those it has; without any it goes.
pub(super) fn replace(name: &str, values: impl IntoIterator<Item = String>) -> Mod<Vec<u8>> {
    let values = values.into_iter().filter(|value| !value.is_empty()).map(String::into_bytes);
    Mod::Replace(name.as_bytes().to_vec(), values.collect())
}

/// The attribute gets these values besides those it has.
pub(super) fn add(name: &str, values: impl IntoIterator<Item = String>) -> Mod<Vec<u8>> {
    Mod::Add(name.as_bytes().to_vec(), values.into_iter().map(String::into_bytes).collect())
}

/// The attribute loses these values.
pub(super) fn delete(name: &str, values: impl IntoIterator<Item = String>) -> Mod<Vec<u8>> {
    Mod::Delete(name.as_bytes().to_vec(), values.into_iter().map(String::into_bytes).collect())
}
