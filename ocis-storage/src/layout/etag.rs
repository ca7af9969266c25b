//! Etags as oCIS computes them, so that clients keep what they have synchronised.

use md5::{Digest as _, Md5};
use ocis_core::checksum::hex;
use ocis_core::etag::Etag;
use ocis_core::id::NodeId;
use ocis_core::time::Timestamp;

/// Seconds from the first day of year 1, where Go's time begins, to 1970.
const GO_EPOCH: i64 = 62_135_596_800;

/// The etag of a node that last changed at `time`.
pub(crate) fn etag(node: &NodeId, time: Timestamp) -> Etag {
    Etag::new(&hex(&digest(node, time)))
}

/// The MD5 of a node's id and of a time in Go's binary form (version 1, seconds, nanoseconds, offset
/// "UTC"): what an etag is the hex of.
pub(crate) fn digest(node: &NodeId, time: Timestamp) -> [u8; 16] {
    let mut digest = Md5::new();
    digest.update(node.as_str());
    digest.update([1]);
    digest.update(time.unix_seconds().saturating_add(GO_EPOCH).to_be_bytes());
    digest.update(time.subsec_nanos().to_be_bytes());
    digest.update([0xff, 0xff]);
    digest.finalize().into()
}
