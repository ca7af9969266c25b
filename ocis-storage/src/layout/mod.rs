//! oCIS's on-disk format: which file lies where, and what stands in it.
//!
//! Pure functions between our types and oCIS's paths and bytes; nothing here touches a disk.

pub(crate) mod attributes;
pub(crate) mod etag;
pub(crate) mod grant;
pub(crate) mod index;
pub(crate) mod lockfile;
pub(crate) mod paths;
pub(crate) mod pending;
pub(crate) mod session;
