//! Small documents of services: role assignments, settings, app tokens, shares.

use serde::{Deserialize, Serialize};

use crate::etag::Etag;
use crate::port::declare::port;

/// Where a document is kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DocumentKey {
    /// The namespace: the id of one of oCIS's metadata spaces, such as
    /// `f1bdd61a-da7c-49fc-8203-0558109d1b4f` for the settings service.
    pub space: String,
    /// The names of folders and document, with a slash between them and none at the ends.
    pub path: String,
}

/// What a document must be for it to be written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum DocumentCondition {
    /// Whatever is there is replaced.
    #[default]
    None,
    /// There must be none.
    Absent,
    /// It must be this state.
    Is(Etag),
}

/// A document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Its bytes.
    pub content: Vec<u8>,
    /// Its state.
    pub etag: Etag,
}

/// A document to write.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PutDocument {
    /// Where it is kept.
    pub key: DocumentKey,
    /// Its bytes.
    pub content: Vec<u8>,
    /// What must be there.
    pub condition: DocumentCondition,
}

port! {
    /// Documents that are read and written whole, durable when a call is answered. Only parts of
    /// this server may ask ([`crate::ErrorKind::PermissionDenied`] for everybody else).
    pub trait KeyValue = "key-value" {
        /// A document; none when there is none.
        async fn get(DocumentKey) -> Option<Document>;
        /// Writes a document, and the folders above it, and tells its new state.
        /// [`crate::ErrorKind::PreconditionFailed`] when the condition does not hold.
        async fn put(PutDocument) -> Etag;
        /// Removes a document, or a folder with everything in it; nothing happens when there is
        /// none.
        async fn remove(DocumentKey) -> ();
        /// The names in a folder, sorted; none when there is no such folder.
        async fn names(DocumentKey) -> Vec<String>;
    }
}
