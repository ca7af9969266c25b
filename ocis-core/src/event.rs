//! Everything that can be told of what happened: one enum, with the names of oCIS's events.
//!
//! An event is written down together with the change that it tells of, so none is lost; after a
//! crash some come twice, with the same [`Event::id`].

use serde::{Deserialize, Serialize};

use crate::access::{Grant, Grantee};
use crate::id::{EventId, GroupId, NodeId, ResourceId, UserId};
use crate::node::Node;
use crate::path::SpacePath;
use crate::quota::Quota;
use crate::space::SpaceKind;
use crate::time::Timestamp;
use crate::upload::SessionId;
use crate::{Caller, Cx};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// What tells it from every other one; the same when it comes again.
    pub id: EventId,
    /// When it happened.
    pub time: Timestamp,
    /// Who did it; none for the server itself and for people who did not sign in.
    pub executant: Option<UserId>,
    /// The id of the request that did it; may be empty.
    pub trace: String,
    /// What happened.
    pub kind: EventKind,
}

impl Event {
    /// An event that happens in the call `cx`.
    pub fn new(cx: &Cx, kind: EventKind) -> Self {
        let executant = match &cx.caller {
            Caller::User(identity) => Some(identity.id.clone()),
            Caller::Anonymous | Caller::Service(_) => None,
        };
        Self { id: EventId::random(), time: cx.now, executant, trace: cx.trace.to_string(), kind }
    }
}

/// The file or folder that an event is about, as it was when the event happened (oCIS's `Ref`,
/// `ID`, `Owner` and `SpaceOwner`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRef {
    /// The node.
    pub id: ResourceId,
    /// The folder that it lies in; none for the root of a space.
    pub parent: Option<NodeId>,
    /// The path from the root of the space.
    pub path: SpacePath,
    /// Whose space it is, where a person owns it.
    pub space_owner: Option<UserId>,
}

impl From<&Node> for NodeRef {
    fn from(node: &Node) -> Self {
        Self {
            id: node.info.id.clone(),
            parent: node.info.parent.clone(),
            path: node.path.clone(),
            space_owner: node.info.owner.clone(),
        }
    }
}

/// How a processing step, or all of them, ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Go on with the next step; after the last, the content becomes visible.
    Continue,
    /// The content is thrown away.
    Delete,
    /// Nothing further happens; the content is kept aside.
    Abort,
    /// The step is to be tried again.
    Retry,
}

/// Something of an account that became something else. Passwords are not told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feature {
    /// What, under oCIS's name, such as `email` or `accountEnabled`.
    pub name: String,
    /// What it is now.
    pub value: String,
    /// What it was, where that can be told.
    pub old: Option<String>,
}

/// What happened. A space is named by its root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "fields are named like those of oCIS's events")]
pub enum EventKind {
    /// All bytes of an upload are there and wait to be processed; `url` is where to read them.
    BytesReceived { upload: SessionId, node: NodeRef, filename: String, size: u64, url: String },
    /// A processing step is to be done.
    StartPostprocessingStep {
        upload: SessionId,
        node: NodeRef,
        filename: String,
        size: u64,
        url: String,
        step: String,
    },
    /// A processing step was done; `error` is empty unless it failed, `result` is the step's own.
    PostprocessingStepFinished {
        upload: SessionId,
        filename: String,
        step: String,
        outcome: Outcome,
        result: String,
        error: String,
    },
    /// All processing steps were done.
    PostprocessingFinished { upload: SessionId, filename: String, outcome: Outcome },
    /// The processing of an upload is to begin again.
    RestartPostprocessing { upload: SessionId },
    /// The processing of an upload is to go on with this step.
    ResumePostprocessing { upload: SessionId, step: String },
    /// The content of an upload became visible, or, when `failed`, never will.
    UploadReady { upload: SessionId, node: NodeRef, failed: bool, is_version: bool },
    /// A content became visible, where uploads are not processed (`OCIS_ASYNC_UPLOADS` off).
    FileUploaded { node: NodeRef },
    /// A content was read.
    FileDownloaded { node: NodeRef },
    /// An empty file was made.
    FileTouched { node: NodeRef },
    /// A folder was made.
    ContainerCreated { node: NodeRef },
    /// A lock was taken.
    FileLocked { node: NodeRef },
    /// A lock was given back.
    FileUnlocked { node: NodeRef },
    /// A node has another name or lies in another folder; `from` is its former path, and
    /// `from_parent` its former folder.
    ItemMoved { node: NodeRef, from: SpacePath, from_parent: NodeId },
    /// A node is in the trash; `node` is where it lay.
    ItemTrashed { node: NodeRef },
    /// A node was brought back from the trash, where it was known as `key`; `from` is where it lay
    /// when it was deleted.
    ItemRestored { node: NodeRef, key: String, from: SpacePath },
    /// A node is gone from the trash for good; `from` is where it lay when it was deleted.
    ItemPurged { space: ResourceId, key: String, from: SpacePath },
    /// A file has the content of its version `key` again.
    FileVersionRestored { node: NodeRef, key: String },
    /// Everything that was deleted before a time is to be purged.
    PurgeTrashBin { before: Timestamp },
    /// A node carries further tags.
    TagsAdded { node: NodeRef, tags: Vec<String> },
    /// A node lost tags.
    TagsRemoved { node: NodeRef, tags: Vec<String> },
    /// A space was made.
    SpaceCreated {
        space: ResourceId,
        owner: Option<UserId>,
        name: String,
        kind: SpaceKind,
        /// Bytes that it may hold; none for unlimited.
        quota: Option<u64>,
    },
    /// A space has another name.
    SpaceRenamed { space: ResourceId, owner: Option<UserId>, name: String },
    /// Something else of a space was changed; these are its properties now.
    SpaceUpdated { space: ResourceId, name: String, description: String, quota: Quota },
    /// A space was disabled.
    SpaceDisabled { space: ResourceId },
    /// A disabled space was enabled.
    SpaceEnabled { space: ResourceId, owner: Option<UserId> },
    /// A space is gone for good; its members were told of by `members`.
    SpaceDeleted { space: ResourceId, name: String, members: Vec<Grant> },
    /// Somebody became a member of a space.
    SpaceShared { space: ResourceId, grantee: Grantee },
    /// A member of a space may do something else than before.
    SpaceShareUpdated { space: ResourceId, grantee: Grantee },
    /// Somebody is not a member of a space any more.
    SpaceUnshared { space: ResourceId, grantee: Grantee },
    /// There is a new account.
    UserCreated { user: UserId },
    /// An account is gone.
    UserDeleted { user: UserId },
    /// An account was changed.
    UserFeatureChanged { user: UserId, features: Vec<Feature> },
    /// There is a new group.
    GroupCreated { group: GroupId },
    /// A group is gone.
    GroupDeleted { group: GroupId },
    /// An account came into a group.
    GroupMemberAdded { group: GroupId, user: UserId },
    /// An account left a group.
    GroupMemberRemoved { group: GroupId, user: UserId },
}

impl EventKind {
    /// The name that oCIS gives the event.
    pub fn name(&self) -> &'static str {
        match self {
            Self::BytesReceived { .. } => "BytesReceived",
            Self::StartPostprocessingStep { .. } => "StartPostprocessingStep",
            Self::PostprocessingStepFinished { .. } => "PostprocessingStepFinished",
            Self::PostprocessingFinished { .. } => "PostprocessingFinished",
            Self::RestartPostprocessing { .. } => "RestartPostprocessing",
            Self::ResumePostprocessing { .. } => "ResumePostprocessing",
            Self::UploadReady { .. } => "UploadReady",
            Self::FileUploaded { .. } => "FileUploaded",
            Self::FileDownloaded { .. } => "FileDownloaded",
            Self::FileTouched { .. } => "FileTouched",
            Self::ContainerCreated { .. } => "ContainerCreated",
            Self::FileLocked { .. } => "FileLocked",
            Self::FileUnlocked { .. } => "FileUnlocked",
            Self::ItemMoved { .. } => "ItemMoved",
            Self::ItemTrashed { .. } => "ItemTrashed",
            Self::ItemRestored { .. } => "ItemRestored",
            Self::ItemPurged { .. } => "ItemPurged",
            Self::FileVersionRestored { .. } => "FileVersionRestored",
            Self::PurgeTrashBin { .. } => "PurgeTrashBin",
            Self::TagsAdded { .. } => "TagsAdded",
            Self::TagsRemoved { .. } => "TagsRemoved",
            Self::SpaceCreated { .. } => "SpaceCreated",
            Self::SpaceRenamed { .. } => "SpaceRenamed",
            Self::SpaceUpdated { .. } => "SpaceUpdated",
            Self::SpaceDisabled { .. } => "SpaceDisabled",
            Self::SpaceEnabled { .. } => "SpaceEnabled",
            Self::SpaceDeleted { .. } => "SpaceDeleted",
            Self::SpaceShared { .. } => "SpaceShared",
            Self::SpaceShareUpdated { .. } => "SpaceShareUpdated",
            Self::SpaceUnshared { .. } => "SpaceUnshared",
            Self::UserCreated { .. } => "UserCreated",
            Self::UserDeleted { .. } => "UserDeleted",
            Self::UserFeatureChanged { .. } => "UserFeatureChanged",
            Self::GroupCreated { .. } => "GroupCreated",
            Self::GroupDeleted { .. } => "GroupDeleted",
            Self::GroupMemberAdded { .. } => "GroupMemberAdded",
            Self::GroupMemberRemoved { .. } => "GroupMemberRemoved",
        }
    }
}
