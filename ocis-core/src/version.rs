//! Versions: former contents of a file.

use serde::{Deserialize, Serialize};

use crate::checksum::Checksums;
use crate::etag::Etag;
use crate::time::Timestamp;

/// A former content of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// What names it among those of its file: `<node id>.REV.<time>`, as in oCIS.
    pub key: String,
    /// Bytes of the content.
    pub size: u64,
    /// The time of the content as it was when the content was the file's.
    pub mtime: Timestamp,
    /// When it ceased to be the file's content; for versions that oCIS made, the time in `key`.
    pub replaced: Timestamp,
    /// The tag of the content.
    pub etag: Etag,
    /// Digests of the content, where they are known.
    pub checksums: Option<Checksums>,
}

/// What was removed for good.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purged {
    /// Versions, or deleted files and folders.
    pub items: u64,
    /// Contents that nobody refers to any more and that are gone with them.
    pub blobs: u64,
    /// Bytes of those contents.
    pub bytes: u64,
}
