//! Upload sessions as callers see them.

use serde::{Deserialize, Serialize};

pub use crate::id::BlobId as SessionId;
use crate::id::{NodeId, SpaceId, UserId};
use crate::time::Timestamp;

/// An upload that is under way. Its id is that of the content that it becomes, as in oCIS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadSession {
    /// What names it.
    pub id: SessionId,
    /// The space.
    pub space: SpaceId,
    /// The file; it exists once all bytes are there.
    pub node: NodeId,
    /// The name of the file.
    pub name: String,
    /// Bytes that are there, durably.
    pub offset: u64,
    /// Bytes in all; none while the client has not told.
    pub length: Option<u64>,
    /// Who uploads; none for the server itself.
    pub executant: Option<UserId>,
    /// Whose space it is, where a person owns it.
    pub space_owner: Option<UserId>,
    /// When it is given up.
    pub expires: Option<Timestamp>,
    /// The processing step that it is in; none while bytes are still to come.
    pub processing: Option<String>,
    /// What the virus scan said.
    pub scan: Option<Scan>,
    /// What the client said of it (tus `Upload-Metadata`).
    pub metadata: Vec<(String, String)>,
}

/// The result of a virus scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scan {
    /// When.
    pub time: Timestamp,
    /// The name of what was found; empty when it is clean.
    pub found: String,
}
