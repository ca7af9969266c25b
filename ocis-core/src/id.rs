//! Ids of spaces, nodes, users, groups and storages, and their text forms.
//!
//! oCIS makes all of them as UUIDs, but external directories may bring others. So an id is any
//! short printable ASCII text that is safe as a file name on disk and unambiguous in the resource
//! id form `<storage>$<space>!<node>`.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::error::{Error, Result};

/// The longest id in bytes; with the longest suffix that the on-disk layout appends, a file name
/// made of it stays within 255 bytes.
pub const MAX_ID_BYTES: usize = 200;

fn check(kind: &str, text: &str) -> Result<()> {
    let legal = |c: u8| c.is_ascii_graphic() && !matches!(c, b'/' | b'\\' | b'$' | b'!');
    if text.is_empty() || text.len() > MAX_ID_BYTES || text.starts_with('.') {
        return Err(Error::invalid(format!(
            "not a {kind} id: it must have 1 to {MAX_ID_BYTES} characters and not start with a dot"
        )));
    }
    if !text.bytes().all(legal) {
        return Err(Error::invalid(format!(
            "not a {kind} id: only printable ASCII without / \\ $ ! and blanks"
        )));
    }
    Ok(())
}

/// A random UUID (version 4).
fn scattered() -> uuid::Uuid {
    uuid::Uuid::new_v4()
}

/// Ids that share their first eight digits.
const NEIGHBOURS: u64 = 256;

/// A random UUID (version 4) but for its first eight digits: they are the same for 256 ids of this
/// process, and then the next ones. oCIS makes its folders of these digits, so that files which
/// come into being together lie together, instead of each in up to four new folders of its own.
fn neighbouring() -> uuid::Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    static START: OnceLock<u32> = OnceLock::new();
    let folder = (NEXT.fetch_add(1, Ordering::Relaxed) / NEIGHBOURS) as u32;
    let start = *START.get_or_init(|| uuid::Uuid::new_v4().as_fields().0);
    let random = scattered();
    let (_, middle, high, rest) = random.as_fields();
    uuid::Uuid::from_fields(start.wrapping_add(folder), middle, high, rest)
}

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident, $kind:literal, $new:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            #[doc = concat!("Reads a ", $kind, " id; [`crate::ErrorKind::InvalidArgument`] when the text is not one.")]
            pub fn parse(text: &str) -> Result<Self> {
                check($kind, text)?;
                Ok(Self(text.into()))
            }

            #[doc = concat!("A new ", $kind, " id, as ", stringify!($new), "() makes them.")]
            pub fn random() -> Self {
                Self($new().to_string().into())
            }

            /// The text form.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self> {
                Self::parse(text)
            }
        }

        // By hand, because they stand in every ticket and record, and what serde derives makes a
        // text of its own each time.
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
                to.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
                struct Text;
                impl de::Visitor<'_> for Text {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str(concat!("a ", $kind, " id"))
                    }

                    fn visit_str<E: de::Error>(self, text: &str) -> std::result::Result<$name, E> {
                        $name::parse(text).map_err(E::custom)
                    }
                }
                from.deserialize_str(Text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().into()
            }
        }
    )*};
}

id! {
    /// A storage: one metadata root with its blobs (`STORAGE_USERS_MOUNT_ID`).
    StorageId, "storage", scattered;
    /// A space within a storage. A personal space's id is its owner's user id.
    SpaceId, "space", scattered;
    /// A file or folder within a space. The root folder's id is the space id.
    NodeId, "node", neighbouring;
    /// One content of a file, which never changes; known to the storage and its blob store only.
    BlobId, "blob", neighbouring;
    /// An account.
    UserId, "user", scattered;
    /// A group of accounts.
    GroupId, "group", scattered;
    /// Something that happened.
    EventId, "event", scattered;
    /// A group of consumers of events.
    ConsumerId, "consumer group", scattered;
}

impl SpaceId {
    /// The id of this space's root folder, which is the same text.
    pub fn root(&self) -> NodeId {
        NodeId(self.0.clone())
    }

    /// The id of the personal space of `user`, which is the same text.
    pub fn personal(user: &UserId) -> Self {
        Self(user.0.clone())
    }
}

/// A node, wherever it is: `<storage>$<space>!<node>`, what clients know as file id.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ResourceId {
    /// The storage that holds the space.
    pub storage: StorageId,
    /// The space that holds the node.
    pub space: SpaceId,
    /// The node.
    pub node: NodeId,
}

impl ResourceId {
    /// The root folder of `space`.
    pub fn root(storage: StorageId, space: SpaceId) -> Self {
        let node = space.root();
        Self { storage, space, node }
    }

    /// Whether this is the root folder of its space.
    pub fn is_root(&self) -> bool {
        self.node.as_str() == self.space.as_str()
    }

    /// The short form `<storage>$<space>`, which names the space.
    pub fn space_id(&self) -> String {
        format!("{}${}", self.storage, self.space)
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}${}!{}", self.storage, self.space, self.node)
    }
}

impl fmt::Debug for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ResourceId {
    type Err = Error;

    /// Reads `<storage>$<space>!<node>` or the short form of a space's root, `<storage>$<space>`.
    fn from_str(text: &str) -> Result<Self> {
        let (storage, rest) = text
            .split_once('$')
            .ok_or_else(|| Error::invalid("not a resource id: expected <storage>$<space>"))?;
        let (space, node) = rest.split_once('!').unwrap_or((rest, rest));
        Ok(Self { storage: storage.parse()?, space: space.parse()?, node: node.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resource_ids_read_back_what_they_print() {
        for text in ["s$p!n", "s$p"] {
            let id: ResourceId = text.parse().unwrap();
            assert_eq!(id.to_string().parse::<ResourceId>().unwrap(), id);
        }
        assert!("s$p".parse::<ResourceId>().unwrap().is_root());
    }

    #[test]
    fn nodes_made_together_share_a_folder() {
        let ids: Vec<_> = (0..1000).map(|_| NodeId::random().to_string()).collect();
        let mut folders: Vec<_> = ids.iter().map(|id| &id[..8]).collect();
        folders.sort_unstable();
        folders.dedup();
        // Other tests may take some between these.
        assert!(folders.len() < 100, "{folders:?}");
        assert!(ids.iter().all(|id| id.len() == 36 && id[14..].starts_with('4')), "{ids:?}");
        let mut rests: Vec<_> = ids.iter().map(|id| &id[8..]).collect();
        rests.sort_unstable();
        rests.dedup();
        assert_eq!(rests.len(), ids.len());
    }

    #[test]
    fn ids_that_could_leave_their_folder_are_refused() {
        for text in ["", ".", "..", "a/b", "a$b", "a!b", "a b", "a\0b", "é", &"x".repeat(201)] {
            assert!(NodeId::parse(text).is_err(), "{text:?}");
        }
    }
}
