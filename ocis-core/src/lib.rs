//! Vocabulary, ports and configuration of Infinite Scale.
//!
//! Everything that two parts of the system must agree on stands here: what a space, a node, a lock
//! or an etag is; which questions one service may ask another (the traits in [`port`]); who may do
//! what ([`access`]); and where settings come from ([`config`]). The crate does no I/O of its own:
//! it reads no file, opens no socket and knows no clock but the one it is handed. That is what lets
//! a port be in this process or behind a network without its caller knowing.

pub mod access;
pub mod checksum;
pub mod config;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod cx;
pub mod data;
pub mod error;
pub mod etag;
pub mod event;
pub mod finding;
pub mod id;
pub mod language;
pub mod lock;
pub mod media_type;
pub mod name;
pub mod node;
pub mod path;
pub mod permissions;
pub mod port;
pub mod quota;
pub mod reference;
pub mod role;
pub mod scope;
pub mod setting;
pub mod space;
pub mod time;
pub mod trash;
pub mod upload;
pub mod user;
pub mod version;

pub use cx::{Caller, Cx, Identity};
pub use error::{Error, ErrorKind, Result};
