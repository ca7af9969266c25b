//! Uploads that come in pieces, and those that are being processed.

use serde::{Deserialize, Serialize};

use crate::port::declare::port;
use crate::port::{OpenUpload, Page, PageRequest};
use crate::time::Timestamp;
use crate::upload::{SessionId, UploadSession};

/// An upload to be begun.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreateSession {
    /// The file, and what must hold; without a length, it is told later ([`SetLength`]).
    pub upload: OpenUpload,
    /// What the client said of it beside that, to be told again (tus `Upload-Metadata`).
    pub metadata: Vec<(String, String)>,
}

/// A session, and the right to send its bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OpenSession {
    /// The session.
    pub session: UploadSession,
    /// For the header [`crate::data::TICKET`] of a `PATCH` to the storage's data plane.
    pub ticket: String,
}

/// Which session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GetSession {
    /// Its id.
    pub id: SessionId,
}

/// The length of an upload that was begun without one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SetLength {
    /// The session.
    pub id: SessionId,
    /// Bytes.
    pub length: u64,
}

/// Which sessions to list; a filter that is not set lets all pass.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ListSessions {
    /// The one with this id.
    pub id: Option<SessionId>,
    /// Whether all bytes are there and the content is being processed.
    pub processing: Option<bool>,
    /// Whether its time is over.
    pub expired: Option<bool>,
    /// Whether a virus was found in it.
    pub has_virus: Option<bool>,
    /// Which page.
    pub page: PageRequest,
}

/// What to do with a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionAction {
    /// Begin with the first processing step again.
    Restart,
    /// Go on with the step that was not finished.
    Resume,
    /// Give the upload up: the file is as it was before, the bytes are gone.
    Clean,
}

/// A session to be moved out of the state that it is in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ActOnSession {
    /// The session.
    pub id: SessionId,
    /// What to do.
    pub action: SessionAction,
}

port! {
    /// Uploads that come in pieces. A session survives a restart of the server with every byte that
    /// was acknowledged.
    pub trait UploadSessions = "upload-sessions" {
        /// Begins an upload. The errors are those of [`crate::port::Uploads::open`].
        async fn create(CreateSession) -> OpenSession;
        /// A session of the caller's; `NotFound` for anybody else.
        async fn get(GetSession) -> UploadSession;
        /// Tells the length; `Conflict` when another one is known, `InsufficientStorage` when it does
        /// not fit.
        async fn set_length(SetLength) -> UploadSession;
        /// Gives an upload up and removes its bytes.
        async fn abort(GetSession) -> ();
        /// A page of the sessions of everybody; only for the server itself.
        async fn list(ListSessions) -> Page<UploadSession>;
        /// Moves a session on; only for the server itself. The time is that of the call.
        async fn act(ActOnSession) -> UploadSession;
        /// Removes sessions whose time was over at this time, except those being processed, and
        /// tells how many; only for the server itself.
        async fn expire(Timestamp) -> u64;
    }
}
