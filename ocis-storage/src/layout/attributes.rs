//! The metadata of a node: the `.mpk` file, a MessagePack map from text to bytes.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::ops::Range;
use std::result::Result as StdResult;
use std::str::{self, FromStr};

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
///
/// There is one for each node in memory, so it is one piece there: the entries in the order of their
/// keys, each as the lengths of key and value, key and value. They are a dozen; going through them
/// takes no longer than a tree.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Attributes(Vec<u8>);

/// The bytes of the two lengths, each a number of 32 bits.
const LENGTHS: usize = 8;

/// The entries of such a piece.
struct Entries<'a>(&'a [u8]);

impl<'a> Iterator for Entries<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (key, rest) = self.0.split_first_chunk()?;
        let (value, rest) = rest.split_first_chunk()?;
        let (key, rest) = rest.split_at_checked(u32::from_ne_bytes(*key) as usize)?;
        let (value, rest) = rest.split_at_checked(u32::from_ne_bytes(*value) as usize)?;
        self.0 = rest;
        Some((key, value))
    }
}

/// The bytes of one entry.
fn entry<'a>(key: &'a str, value: &'a [u8]) -> impl Iterator<Item = u8> + use<'a> {
    // A file of metadata is far shorter.
    let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX).to_ne_bytes();
    let lengths = [length(key.len()), length(value.len())];
    lengths.into_iter().flatten().chain(key.bytes()).chain(value.iter().copied())
}

impl Attributes {
    /// Reads the bytes of an `.mpk` file.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        let map: BTreeMap<&str, Value<'_>> = rmp_serde::from_slice(bytes)
            .map_err(|error| Error::internal("the metadata of a node is damaged").because(error))?;
        let mut entries: Vec<(&str, &[u8])> = map
            .iter()
            .map(|(key, Value(value))| (key.strip_prefix(PREFIX).unwrap_or(key), &**value))
            .collect();
        // They are in order already unless one is without the prefix.
        entries.sort_by_key(|(key, _)| *key);
        entries.dedup_by_key(|(key, _)| *key);
        let length = |(key, value): &(&str, &[u8])| LENGTHS + key.len() + value.len();
        let mut piece = Vec::with_capacity(entries.iter().map(length).sum());
        for (key, value) in entries {
            piece.extend(entry(key, value));
        }
        Ok(Self(piece))
    }

    /// The bytes of an `.mpk` file.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let map: BTreeMap<String, &serde_bytes::Bytes> = self
            .iter()
            .map(|(key, value)| (format!("{PREFIX}{key}"), serde_bytes::Bytes::new(value)))
            .collect();
        // A map of text to bytes is always MessagePack.
        rmp_serde::to_vec(&map).unwrap_or_default()
    }

    fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        // Keys were text.
        Entries(&self.0).map(|(key, value)| (str::from_utf8(key).unwrap_or_default(), value))
    }

    pub(crate) fn bytes(&self, key: &str) -> Option<&[u8]> {
        let mut entries = Entries(&self.0);
        entries.find(|(name, _)| *name == key.as_bytes()).map(|(_, value)| value)
    }

    /// The text under `key`; bytes that are no UTF-8 count as missing.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        str::from_utf8(self.bytes(key)?).ok()
    }

    /// The value under `key`, when it reads as one.
    pub(crate) fn get<T: FromStr>(&self, key: &str) -> Option<T> {
        self.text(key)?.parse().ok()
    }

    pub(crate) fn set(&mut self, key: impl AsRef<str>, value: impl Display) {
        self.set_bytes(key, value.to_string());
    }

    pub(crate) fn set_bytes(&mut self, key: impl AsRef<str>, value: impl AsRef<[u8]>) {
        let key = key.as_ref();
        let place = self.place(key);
        self.0.splice(place, entry(key, value.as_ref()));
    }

    pub(crate) fn remove(&mut self, key: &str) {
        let place = self.place(key);
        self.0.drain(place);
    }

    /// Where the entry of `key` is in the piece; empty where it would be, if there is none.
    fn place(&self, key: &str) -> Range<usize> {
        let mut entries = Entries(&self.0);
        loop {
            let start = self.0.len() - entries.0.len();
            match entries.next().map(|(name, _)| name.cmp(key.as_bytes())) {
                Some(Ordering::Less) => {}
                Some(Ordering::Equal) => return start..self.0.len() - entries.0.len(),
                Some(Ordering::Greater) | None => return start..start,
            }
        }
    }

    /// The entries whose key begins with `prefix`, keys without it.
    pub(crate) fn under<'a>(
        &'a self,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        let below =
            move |(key, value)| Some((<[u8]>::strip_prefix(key, prefix.as_bytes())?, value));
        let text = |(key, value)| Some((str::from_utf8(key).ok()?, value));
        Entries(&self.0).filter_map(below).filter_map(text)
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
struct Value<'a>(Cow<'a, [u8]>);

impl<'de> Deserialize<'de> for Value<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> StdResult<Self, D::Error> {
        from.deserialize_any(ValueVisitor).map(Self)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Cow<'de, [u8]>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes, a text, a number or nil")
    }

    fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> StdResult<Self::Value, E> {
        Ok(bytes.into())
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> StdResult<Self::Value, E> {
        Ok(text.as_bytes().into())
    }

    fn visit_i64<E>(self, number: i64) -> StdResult<Self::Value, E> {
        Ok(number.to_string().into_bytes().into())
    }

    fn visit_u64<E>(self, number: u64) -> StdResult<Self::Value, E> {
        Ok(number.to_string().into_bytes().into())
    }

    fn visit_unit<E>(self) -> StdResult<Self::Value, E> {
        Ok(Cow::Borrowed(&[]))
    }
}

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn they_are_a_map(
            changes in prop::collection::vec(("[ab.]{0,3}", prop::option::of("[a-c]{0,3}")), 0..30),
            prefix in "[ab.]{0,2}",
        ) {
            let (mut attributes, mut model) = (Attributes::default(), BTreeMap::new());
            for (key, value) in changes {
                match value {
                    Some(value) => {
                        attributes.set(&key, &value);
                        model.insert(key, value);
                    }
                    None => {
                        attributes.remove(&key);
                        model.remove(&key);
                    }
                }
            }
            let all: Vec<_> = attributes.iter().collect();
            let expected: Vec<_> =
                model.iter().map(|(key, value)| (key.as_str(), value.as_bytes())).collect();
            prop_assert_eq!(all, expected);
            for (key, value) in &model {
                prop_assert_eq!(attributes.text(key), Some(value.as_str()));
            }
            prop_assert_eq!(attributes.bytes("c"), None);
            let under: Vec<_> = attributes.under(&prefix).map(|(key, _)| key).collect();
            let expected: Vec<_> =
                model.keys().filter_map(|key| key.strip_prefix(&prefix)).collect();
            prop_assert_eq!(under, expected);
            prop_assert_eq!(&Attributes::decode(&attributes.encode()).unwrap(), &attributes);
        }
    }

    #[test]
    fn keys_of_others_stay_in_order() {
        let map = BTreeMap::from([("zz", "1"), ("user.ocis.b", "2"), ("a", "3")]);
        let attributes = Attributes::decode(&rmp_serde::to_vec(&map).unwrap()).unwrap();
        let keys: Vec<_> = attributes.iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["a", "b", "zz"]);
        assert_eq!(attributes.text("zz"), Some("1"));
    }

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
