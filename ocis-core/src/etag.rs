//! The tag that changes whenever a node's content (or, for a folder, anything below it) changes.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A strong entity tag in its quoted form, as it stands in headers: `"6f0c…"`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Etag(Arc<str>);

impl Etag {
    /// Takes a quoted tag; missing quotes are added, and the `W/` of a weak tag and the `-gzip`
    /// that proxies add are dropped, because clients send back what they got.
    pub fn new(text: &str) -> Self {
        let bare = text.trim().trim_start_matches("W/").trim_matches('"');
        Self(format!("\"{}\"", bare.strip_suffix("-gzip").unwrap_or(bare)).into())
    }

    /// The quoted form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Etag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The value of `If-Match` or `If-None-Match` (RFC 9110 section 13.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum EtagMatch {
    /// `*`: any existing representation.
    Any,
    /// One of these.
    OneOf(Vec<Etag>),
}

impl EtagMatch {
    /// Whether the existing representation with `etag` (none: there is none) is matched.
    pub fn matches(&self, etag: Option<&Etag>) -> bool {
        match (self, etag) {
            (_, None) => false,
            (Self::Any, Some(_)) => true,
            (Self::OneOf(list), Some(etag)) => list.contains(etag),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_send_back_is_the_same_tag() {
        for text in ["\"a\"", "a", "W/\"a\"", "\"a-gzip\"", " \"a\" "] {
            assert_eq!(Etag::new(text), Etag::new("\"a\""), "{text}");
        }
    }
}
