//! Ports: the questions that one service may ask another.
//!
//! A port is an object-safe trait whose methods all have the shape
//! `(&self, &Cx, Request) -> Result<Reply>`, with requests and replies that can cross a wire. Long
//! lists come as pages with a cursor. A caller holds an `Arc<dyn Port>`, in truth a [`Late`]
//! handle that is bound after all services were built, and cannot tell whether the answer comes
//! from this process or from another one.

mod app_tokens;
mod authenticate;
mod declare;
mod events;
mod grants;
mod groups;
mod key_value;
mod late;
mod maintenance;
mod nodes;
mod page;
mod provisioning;
mod remote;
mod roles;
mod sessions;
mod settings;
mod signing_keys;
mod spaces;
mod trash;
mod uploads;
mod users;
mod versions;

pub use app_tokens::{
    AppToken, AppTokens, CreateAppToken, ListAppTokens, NewAppToken, RevokeAppToken,
};
pub use authenticate::{Authenticate, Credentials};
pub use events::{Acknowledge, Delivery, EventBus, Fetch, Leave, Reject, Start};
pub use grants::{Grants, ListGrants, RemoveGrant, SetGrant};
pub use groups::{GetGroup, Groups, ListGroups};
pub use key_value::{Document, DocumentCondition, DocumentKey, KeyValue, PutDocument};
pub use late::Late;
pub use maintenance::{
    Check, CheckSizes, Checked, CheckedSizes, EmptyFolders, ListRawVersions, Maintenance, RawNode,
    RawVersion, SetRawMetadata, WrongSize,
};
pub use nodes::{
    Changed, Conditions, Copy, CreateFolder, Delete, List, LockNode, Locked, Move, Nodes, OpenRead,
    Read, RefreshLock, SetMetadata, Stat, Tag, Touch, Unlock,
};
pub use page::{Cursor, Page, PageRequest};
pub use provisioning::{
    ChangeMembers, ChangeUser, NewGroup, NewUser, Provisioning, RenameGroup, UserChange,
};
pub use remote::{Remote, Wire};
pub use roles::{AssignRole, RoleAssignment, Roles, UnassignRole};
pub use sessions::{
    ActOnSession, CreateSession, GetSession, ListSessions, OpenSession, SessionAction, SetLength,
    UploadSessions,
};
pub use settings::{FindValue, ListValues, Settings};
pub use signing_keys::{OwnSigningKey, SigningKey, SigningKeys};
pub use spaces::{
    CreateSpace, DisableSpace, GetSpace, ListSpaces, PurgeSpace, RestoreSpace, Spaces, UpdateSpace,
};
pub use trash::{ListTrash, PurgeTrash, RestoreTrash, Trash};
pub use uploads::{OpenUpload, UploadTicket, Uploads};
pub use users::{FindUser, ListUsers, Users};
pub use versions::{
    ListVersions, OpenVersion, PurgeRule, PurgeVersions, RestoreVersion, VersionRead, Versions,
};
