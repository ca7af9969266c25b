//! How content gets in.

use serde::{Deserialize, Serialize};

use crate::checksum::ExpectedChecksum;
use crate::port::Conditions;
use crate::port::declare::port;
use crate::reference::Reference;
use crate::time::Timestamp;

/// Content to be written to a new or an existing file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OpenUpload {
    /// The file; its parent must exist.
    pub target: Reference,
    /// Bytes to come, when known: quota is then checked before the first of them.
    pub length: Option<u64>,
    /// The time of the content as the client knows it; none means when it arrived.
    pub mtime: Option<Timestamp>,
    /// What the digest must be.
    pub checksum: Option<ExpectedChecksum>,
    /// What must hold, checked now and again, atomically, when the content becomes visible.
    pub conditions: Conditions,
}

impl OpenUpload {
    /// Content of unknown length to be written to `target`, without any condition.
    pub fn new(target: Reference) -> Self {
        let conditions = Conditions::default();
        Self { target, length: None, mtime: None, checksum: None, conditions }
    }
}

/// The right to send the content.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UploadTicket {
    /// For the header [`crate::data::TICKET`] of a `PUT` to the storage's data plane.
    pub ticket: String,
}

port! {
    /// Uploads.
    pub trait Uploads = "uploads" {
        /// Checks that the caller may write there and that the content fits, and hands out a ticket.
        ///
        /// Errors: `Conflict` (parent missing, or the target is a folder), `PermissionDenied`,
        /// `PreconditionFailed`, `Locked`, `InsufficientStorage`, `InvalidArgument` (name).
        async fn open(OpenUpload) -> UploadTicket;
    }
}
