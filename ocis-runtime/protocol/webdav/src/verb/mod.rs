//! One file a method. Each decodes, asks a port, and encodes; refusals are [`crate::error`]'s.

pub(crate) mod body;
pub(crate) mod copy_move;
pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod guard;
pub(crate) mod lock;
pub(crate) mod mkcol;
pub(crate) mod multipart;
pub(crate) mod options;
pub(crate) mod propfind;
pub(crate) mod proppatch;
pub(crate) mod put;
pub(crate) mod status;
pub(crate) mod trash;
pub(crate) mod unlock;
pub(crate) mod versions;
