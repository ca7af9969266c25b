//! A path below some folder of a space: never absolute, never with `..`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::name;

/// The deepest path that is taken, in components.
pub const MAX_DEPTH: usize = 512;

/// A relative path: names (see [`name::readable`]) joined by `/`; empty means the folder itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SpacePath(String);

impl SpacePath {
    /// The empty path.
    pub const fn root() -> Self {
        Self(String::new())
    }

    /// Reads a path; leading, trailing and doubled slashes are dropped as oCIS does.
    /// [`crate::ErrorKind::InvalidArgument`] for illegal names or more than [`MAX_DEPTH`] of them.
    pub fn parse(text: &str) -> Result<Self> {
        let mut path = String::with_capacity(text.len());
        let mut depth = 0;
        for part in text.split('/').filter(|part| !part.is_empty()) {
            name::readable(part)?;
            depth += 1;
            if depth > MAX_DEPTH {
                return Err(Error::invalid(format!("the path is deeper than {MAX_DEPTH} folders")));
            }
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(part);
        }
        Ok(Self(path))
    }

    /// The text form, without a leading slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the empty path.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The names from the outside in.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/').filter(|part| !part.is_empty())
    }

    /// The last name; none for the empty path.
    pub fn name(&self) -> Option<&str> {
        self.components().next_back()
    }

    /// Everything but the last name; none for the empty path.
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        Some(Self(self.0.rsplit_once('/').map_or_else(String::new, |(parent, _)| parent.into())))
    }

    /// This path with one more name.
    pub fn join(&self, name: &str) -> Result<Self> {
        name::readable(name)?;
        let mut path = self.0.clone();
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(name);
        Ok(Self(path))
    }

    /// Whether `self` is `other` or lies below it.
    pub fn starts_with(&self, other: &Self) -> bool {
        other.is_root()
            || self
                .0
                .strip_prefix(&other.0)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl fmt::Display for SpacePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for SpacePath {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text)
    }
}

impl From<SpacePath> for String {
    fn from(path: SpacePath) -> Self {
        path.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_text_leaves_the_space(text in "[./\\\\a\u{0}é]{0,40}") {
            if let Ok(path) = SpacePath::parse(&text) {
                prop_assert!(path.components().all(|part| part != ".." && part != "." && !part.is_empty()));
                prop_assert_eq!(SpacePath::parse(path.as_str()).unwrap(), path);
            }
        }
    }

    #[test]
    fn a_sibling_with_the_same_beginning_is_not_below() {
        let path = |text| SpacePath::parse(text).unwrap();
        assert!(path("a/b").starts_with(&path("a")));
        assert!(path("a").starts_with(&path("")));
        assert!(!path("ab").starts_with(&path("a")));
    }
}
