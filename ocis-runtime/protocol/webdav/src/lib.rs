//! WebDAV classes 1 and 2 (RFC 4918) and resumable uploads (tus 1.0.0) as oCIS speaks them, over the
//! ports of ocis-core.
//!
//! [`Dav::new`] makes an HTTP service of a few ports and the data plane of a storage. A request
//! passes through [`route`](crate) (which URL), [`tree`](crate) (which node), one file of `verb`
//! (decode, ask a port, encode) and, when refused, `error`. The caller comes as [`ocis_core::Cx`] in
//! the request's extensions, put there by whoever authenticates; without it the answer is 401.
//!
//! Nothing here knows how files are stored or who may do what: permissions, locks and conditions are
//! checked by the storage in the same step as the change.

mod error;
mod headers;
mod props;
mod route;
mod service;
mod tree;
mod tus;
mod verb;
mod xml;

pub use service::{Dav, DavOptions, DavParts};
pub use tus::gateway::DataGateway;
