//! The metadata of a node: the `.mpk` file, a MessagePack map from text to bytes.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::result::Result as StdResult;
use std::str::FromStr;

use ocis_core::checksum::Checksums;
use ocis_core::{Error, Result};
use serde::de::Visitor;
use serde::{Deserialize, Deserializer};

/// What all keys begin with on disk. In memory keys are without it.
pub(crate) const PREFIX: &str = "user.ocis.";

pub(crate) const TYPE: &str = "type";
pub(crate) const ID: &str = "id";
pub(crate) const PARENT: &str = "parentid";
pub(crate) const NAME: &str = "name";
pub(crate) const BLOB: &str = "blobid";
pub(crate) const BLOB_SIZE: &str = "blobsize";
pub(crate) const MTIME: &str = "mtime";
pub(crate) const TREE_MTIME: &str = "tmtime";
pub(crate) const TREE_SIZE: &str = "treesize";
pub(crate) const PROPAGATION: &str = "propagation";
pub(crate) const TMP_ETAG: &str = "tmp.etag";
pub(crate) const SHA1: &str = "cs.sha1";
pub(crate) const MD5: &str = "cs.md5";
pub(crate) const ADLER32: &str = "cs.adler32";
pub(crate) const STATUS: &str = "nodestatus";
/// Ours: the version that holds the former content while a new one is processed; empty when there is
/// none. oCIS passes over it.
pub(crate) const FORMER: &str = "upload.former";
pub(crate) const SCAN_STATUS: &str = "scanstatus";
pub(crate) const SCAN_DATE: &str = "scandate";
pub(crate) const TRASH_ORIGIN: &str = "trash.origin";
/// When a space was disabled; on its root.
pub(crate) const DISABLED: &str = "dtime";
pub(crate) const QUOTA: &str = "quota";
pub(crate) const GRANT: &str = "grant.";
pub(crate) const FAVORITE: &str = "fav.";
pub(crate) const METADATA: &str = "md.";

/// The metadata of a node, keys without [`PREFIX`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Attributes(BTreeMap<String, Vec<u8>>);

impl Attributes {
    /// Reads the bytes of an `.mpk` file.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        let map: BTreeMap<String, Value> = rmp_serde::from_slice(bytes)
            .map_err(|error| Error::internal("the metadata of a node is damaged").because(error))?;
        let bare = |key: String| key.strip_prefix(PREFIX).map(str::to_owned).unwrap_or(key);
        Ok(Self(map.into_iter().map(|(key, Value(value))| (bare(key), value)).collect()))
    }

    /// The bytes of an `.mpk` file.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let map: BTreeMap<String, &serde_bytes::Bytes> = self
            .0
            .iter()
            .map(|(key, value)| (format!("{PREFIX}{key}"), serde_bytes::Bytes::new(value)))
            .collect();
        // A map of text to bytes is always MessagePack.
        rmp_serde::to_vec(&map).unwrap_or_default()
    }

    pub(crate) fn bytes(&self, key: &str) -> Option<&[u8]> {
        self.0.get(key).map(Vec::as_slice)
    }

    /// The text under `key`; bytes that are no UTF-8 count as missing.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        std::str::from_utf8(self.bytes(key)?).ok()
    }

    /// The value under `key`, when it reads as one.
    pub(crate) fn get<T: FromStr>(&self, key: &str) -> Option<T> {
        self.text(key)?.parse().ok()
    }

    pub(crate) fn set(&mut self, key: impl Into<String>, value: impl Display) {
        self.0.insert(key.into(), value.to_string().into_bytes());
    }

    pub(crate) fn set_bytes(&mut self, key: impl Into<String>, value: impl Into<Vec<u8>>) {
        self.0.insert(key.into(), value.into());
    }

    pub(crate) fn remove(&mut self, key: &str) {
        self.0.remove(key);
    }

    /// The entries whose key begins with `prefix`, keys without it.
    pub(crate) fn under<'a>(
        &'a self,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        self.0
            .range(prefix.to_owned()..)
            .map_while(move |(key, value)| Some((key.strip_prefix(prefix)?, value.as_slice())))
    }

    /// The digests of the content, when all three are there.
    pub(crate) fn checksums(&self) -> Option<Checksums> {
        Some(Checksums {
            sha1: self.bytes(SHA1)?.try_into().ok()?,
            md5: self.bytes(MD5)?.try_into().ok()?,
            adler32: self.bytes(ADLER32)?.try_into().ok()?,
        })
    }

    pub(crate) fn set_checksums(&mut self, sums: &Checksums) {
        self.set_bytes(SHA1, sums.sha1);
        self.set_bytes(MD5, sums.md5);
        self.set_bytes(ADLER32, sums.adler32);
    }
}

/// A value in the file: bytes, but Go's `nil` slices are nil, and whoever wrote the file by other
/// means may have used texts and numbers.
struct Value(Vec<u8>);

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(from: D) -> StdResult<Self, D::Error> {
        from.deserialize_any(ValueVisitor).map(Self)
    }
}

struct ValueVisitor;

impl Visitor<'_> for ValueVisitor {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes, a text, a number or nil")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> StdResult<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }

    fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> StdResult<Vec<u8>, E> {
        Ok(bytes)
    }

    fn visit_str<E>(self, text: &str) -> StdResult<Vec<u8>, E> {
        Ok(text.into())
    }

    fn visit_i64<E>(self, number: i64) -> StdResult<Vec<u8>, E> {
        Ok(number.to_string().into())
    }

    fn visit_u64<E>(self, number: u64) -> StdResult<Vec<u8>, E> {
        Ok(number.to_string().into())
    }

    fn visit_unit<E>(self) -> StdResult<Vec<u8>, E> {
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_those_of_ocis() {
        let mut attributes = Attributes::default();
        attributes.set("name", "é");
        assert_eq!(attributes.encode(), b"\x81\xaeuser.ocis.name\xc4\x02\xc3\xa9");
        assert_eq!(Attributes::decode(&attributes.encode()).unwrap(), attributes);
        assert!(Attributes::decode(b"\x81\xae").is_err());
    }

    #[test]
    fn every_form_of_a_map_and_of_its_values_is_read() {
        let entries: [(&[u8], &[u8]); 7] = [
            (b"\xc4\x02\xff\x00", b"\xff\x00"),
            (b"\xc5\x00\x01x", b"x"),
            (b"\xa1x", b"x"),
            (b"\xc0", b""),
            (b"\x07", b"7"),
            (b"\xcd\x01\x00", b"256"),
            (b"\xd0\xfe", b"-2"),
        ];
        for (value, read) in entries {
            for head in [&b"\x81"[..], b"\xde\x00\x01", b"\xdf\x00\x00\x00\x01"] {
                let bytes = [head, b"\xaeuser.ocis.name", value].concat();
                assert_eq!(
                    Attributes::decode(&bytes).unwrap().bytes(NAME),
                    Some(read),
                    "{value:?}"
                );
            }
        }
        assert!(Attributes::decode(b"\x81\xaeuser.ocis.name\x90").is_err());
    }
}
