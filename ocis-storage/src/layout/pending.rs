//! What oCIS's propagator `async` has yet to tell the folders above a change.
//!
//! A folder `changes/<first two characters of the space>/<space>:<node>` with a file for each change
//! below the node that its size and time, and those of all above it, do not know of; with
//! `.processing` behind its name while that is being worked in.

use ocis_core::id::{NodeId, SpaceId};
use ocis_core::time::Timestamp;
use serde::Deserialize;

/// Where they lie, relative to the root of the store.
pub(crate) const FOLDER: &str = "changes";

/// The node that a folder of changes is of.
pub(crate) fn node(folder: &str) -> Option<(SpaceId, NodeId)> {
    let (space, node) = folder.strip_suffix(".processing").unwrap_or(folder).split_once(':')?;
    Some((SpaceId::parse(space).ok()?, NodeId::parse(node).ok()?))
}

/// A MessagePack map; its `SizeDiff` is not needed, see [`crate::store`].
#[derive(Deserialize)]
struct Change {
    #[serde(rename = "SyncTime")]
    time: Extension,
}

#[derive(Deserialize)]
#[serde(rename = "_ExtStruct")]
struct Extension((i8, serde_bytes::ByteBuf));

/// When the change of a file was; none where that cannot be read.
pub(crate) fn time(bytes: &[u8]) -> Option<Timestamp> {
    const TIMESTAMP: i8 = -1;
    let Change { time: Extension((kind, bytes)) } = rmp_serde::from_slice(bytes).ok()?;
    if kind != TIMESTAMP {
        return None;
    }
    // MessagePack's three forms of a time.
    let (seconds, nanos) = match *bytes.as_slice() {
        [a, b, c, d] => (i64::from(u32::from_be_bytes([a, b, c, d])), 0),
        [a, b, c, d, e, f, g, h] => {
            let both = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
            (i64::try_from(both & 0x3_ffff_ffff).ok()?, u32::try_from(both >> 34).ok()?)
        }
        [a, b, c, d, ref seconds @ ..] => {
            let seconds = i64::from_be_bytes(seconds.try_into().ok()?);
            (seconds, u32::from_be_bytes([a, b, c, d]))
        }
        _ => return None,
    };
    Timestamp::from_unix(seconds, nanos).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_read_as_ocis_writes_them() {
        // With the time 2025-01-10T12:00:00.123456789Z, and with a full second.
        let mut bytes = b"\x82\xa8SyncTime\xd7\xff".to_vec();
        bytes.extend((123_456_789_u64 << 34 | 1_736_510_400).to_be_bytes());
        bytes.extend(b"\xa8SizeDiff\xcd\x01\x00");
        let expected = Timestamp::from_unix(1_736_510_400, 123_456_789).unwrap();
        assert_eq!(time(&bytes), Some(expected));
        let mut bytes = b"\x82\xa8SyncTime\xd6\xff".to_vec();
        bytes.extend(1_736_510_400_u32.to_be_bytes());
        bytes.extend(b"\xa8SizeDiff\xd0\xf6");
        assert_eq!(time(&bytes), Timestamp::from_unix(1_736_510_400, 0).ok());
        assert_eq!(time(b"\x81\xa8SyncTime\x01"), None);
        assert_eq!(time(b""), None);
    }

    #[test]
    fn folders_name_their_node() {
        let of = |name: &str| node(name).map(|(space, node)| format!("{space} {node}"));
        assert_eq!(of("space:node").as_deref(), Some("space node"));
        assert_eq!(of("space:node.processing").as_deref(), Some("space node"));
        assert_eq!(of("other"), None);
    }
}
