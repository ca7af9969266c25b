//! How callers point at things: a node they know, and a path below it.

use serde::{Deserialize, Serialize};

use crate::id::ResourceId;
use crate::path::SpacePath;

/// The node at `path` below `base`; with the empty path, `base` itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reference {
    /// A node that is known by id, most often the root of a space.
    pub base: ResourceId,
    /// The way down from it.
    pub path: SpacePath,
}

impl Reference {
    /// A node known by id.
    pub fn node(base: ResourceId) -> Self {
        Self { base, path: SpacePath::root() }
    }

    /// The node at `path` below `base`.
    pub fn below(base: ResourceId, path: SpacePath) -> Self {
        Self { base, path }
    }
}
