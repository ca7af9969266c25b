//! Locks on files and folders (RFC 4918 section 6).

use serde::{Deserialize, Serialize};

use crate::id::UserId;
use crate::path::SpacePath;
use crate::time::Timestamp;

/// A lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// The token in its URI form, `opaquelocktoken:<uuid>` for those that we make.
    pub token: String,
    /// Whether others may hold a lock at the same time.
    pub scope: LockScope,
    /// Whether it covers everything below a folder (`Depth: infinity`).
    pub deep: bool,
    /// What the client said of itself: the XML inside `owner`, as sent.
    pub owner: Option<String>,
    /// The application that holds it (office servers); empty for WebDAV clients.
    pub app_name: String,
    /// Who took it.
    pub user: Option<UserId>,
    /// The name to show of who took it, where it is known.
    #[serde(default)]
    pub owner_name: Option<String>,
    /// When it was taken, where that is known.
    #[serde(default)]
    pub taken: Option<Timestamp>,
    /// When it ends by itself; none means never.
    pub expires: Option<Timestamp>,
}

impl Lock {
    /// Whether the lock still holds at `now`.
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|end| end > now)
    }
}

/// Whether a lock can be held beside others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LockScope {
    /// Only one.
    Exclusive,
    /// Any number of shared ones.
    Shared,
}

/// A lock that covers a node, and where it was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveLock {
    /// The lock.
    pub lock: Lock,
    /// The path, from the root of the space, of the node that was locked; an ancestor of the node
    /// in question, or the node itself.
    pub root: SpacePath,
}
