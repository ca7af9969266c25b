//! What credentials may be used for, whatever their owner may do.
//!
//! Somebody who signs in may do everything that the account may. A public link or a token for one
//! application is narrower: it names a node, and what may be done with that and what lies below it.
//! [`crate::access`] applies the scope of the caller on every operation.

use serde::{Deserialize, Serialize};

use crate::id::ResourceId;
use crate::permissions::Permissions;

/// How far the credentials of a caller reach.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// As far as the account.
    #[default]
    Everything,
    /// To a node and what lies below it, and there no further than `permissions`. Nothing that a
    /// role allows is in it.
    Below {
        /// The node.
        node: ResourceId,
        /// The most that may be done there.
        permissions: Permissions,
    },
}

impl Scope {
    /// Whether nothing is held back.
    pub fn is_everything(&self) -> bool {
        *self == Self::Everything
    }

    /// The most that may be done with a node, given the ids of its ancestors and its own.
    pub fn most<'a>(&self, line: impl IntoIterator<Item = &'a ResourceId>) -> Permissions {
        match self {
            Self::Everything => Permissions::MANAGER,
            Self::Below { node, permissions } => match line.into_iter().any(|id| id == node) {
                true => *permissions,
                false => Permissions::NONE,
            },
        }
    }
}
