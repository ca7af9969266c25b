//! Long lists come in pages.

use serde::{Deserialize, Serialize};

/// Where the next page begins; opaque to all but the port that made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor(pub String);

/// Which page, and how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageRequest {
    /// Where to begin; none means at the start.
    pub cursor: Option<Cursor>,
    /// The most items that the caller wants; the port may give fewer.
    pub limit: u32,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { cursor: None, limit: 1000 }
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins; none means that this was the last.
    pub next: Option<Cursor>,
}
