//! The data plane: file bytes never pass through a port.
//!
//! A port hands out a signed ticket; the bytes go as an HTTP request to the tower service of the
//! storage that signed it, called directly in the same process or through an HTTP client.
//!
//! | request | header | answer |
//! |---|---|---|
//! | `GET` | [`TICKET`]; optionally `Range: bytes=<first>-<last>`, both given and inside the content | 200 or 206 with the bytes |
//! | `PUT` | [`TICKET`]; `Content-Length` if known | 200 with [`Written`] as JSON |
//! | `PATCH` | [`TICKET`] of a session, [`UPLOAD_OFFSET`]; optionally [`UPLOAD_CHECKSUM`] | 204 with [`UPLOAD_OFFSET`] and [`UPLOAD_EXPIRES`], after the last byte 200 with the offset and [`Written`] as JSON; [`CHECKSUM_MISMATCH`] |
//! | `HEAD` | [`TICKET`] of a session | 200 with [`UPLOAD_OFFSET`] and, if known, [`UPLOAD_LENGTH`], [`UPLOAD_EXPIRES`], [`UPLOAD_METADATA`] |
//! | `DELETE` | [`TICKET`] of a session | 204: the upload is given up |
//!
//! A failure is the status that fits its kind, with [`crate::Error`] as JSON.

use bytes::Bytes;
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::node::Node;

/// The header that carries a ticket, as in oCIS.
pub const TICKET: http::HeaderName = http::HeaderName::from_static("x-reva-transfer");

/// How many bytes of an upload session are there, as in tus.
pub const UPLOAD_OFFSET: http::HeaderName = http::HeaderName::from_static("upload-offset");
/// How many there will be.
pub const UPLOAD_LENGTH: http::HeaderName = http::HeaderName::from_static("upload-length");
/// Until when it can be gone on with, as a date of HTTP.
pub const UPLOAD_EXPIRES: http::HeaderName = http::HeaderName::from_static("upload-expires");
/// What the client said of it: keys, each with a blank and base64, separated by commas.
pub const UPLOAD_METADATA: http::HeaderName = http::HeaderName::from_static("upload-metadata");
/// The checksum of the bytes of one request: `sha1`, `md5` or `crc32`, a blank, base64.
pub const UPLOAD_CHECKSUM: http::HeaderName = http::HeaderName::from_static("upload-checksum");
/// The status that says that they had another one and were forgotten, as in tus.
pub const CHECKSUM_MISMATCH: u16 = 460;

/// A body of bytes: of known or unknown length, produced as it is read.
pub type Body = UnsyncBoxBody<Bytes, Error>;

/// Anything that answers HTTP requests: the data plane of a storage, a protocol, a whole server.
/// It never fails but by its answer.
pub type HttpService = tower::util::BoxCloneSyncService<
    http::Request<Body>,
    http::Response<Body>,
    std::convert::Infallible,
>;

/// A body that holds `bytes`.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    http_body_util::Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// A body without bytes.
pub fn empty() -> Body {
    full(Bytes::new())
}

/// What a finished upload made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Written {
    /// The file as it is now.
    pub node: Node,
    /// Whether it is new (else an existing file got new content).
    pub created: bool,
}
