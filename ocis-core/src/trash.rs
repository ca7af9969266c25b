//! The trash of a space.

use serde::{Deserialize, Serialize};

use crate::node::NodeKind;
use crate::path::SpacePath;
use crate::time::Timestamp;

/// Something in the trash, or inside a folder that is in the trash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrashItem {
    /// What names it in the trash of its space: `<node id>`, or `<node id>/<path below it>` for
    /// what lies in a deleted folder.
    pub key: String,
    /// The name that it had.
    pub name: String,
    /// File or folder.
    pub kind: NodeKind,
    /// Where it lay, from the root of the space.
    pub origin: SpacePath,
    /// Bytes of the content; for a folder, of everything below it.
    pub size: u64,
    /// When it was deleted; what lies in a deleted folder was deleted with it.
    pub deleted: Timestamp,
}

/// What to do when there is something at the place to which a deleted node is brought back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Collision {
    /// Refuse with `PreconditionFailed`.
    #[default]
    Refuse,
    /// What is there goes to the trash.
    Replace,
    /// What comes back gets another name: `name (1).ext`, then `name (2).ext`.
    KeepBoth,
}
