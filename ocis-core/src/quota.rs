//! How much a space may hold.

use serde::{Deserialize, Serialize};

/// The bytes of a space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// The limit in bytes; none means unlimited.
    pub total: Option<u64>,
    /// The bytes in use.
    pub used: u64,
    /// The bytes that can still be stored: the smaller of what the limit and the disk leave; none
    /// where the disk's free space is unknown and there is no limit.
    pub remaining: Option<u64>,
}
