//! XML on the wire: a bounded reader for what strangers send, and a writer that appends to a buffer.
//!
//! There is no document tree in either direction. Requests are read token by token, because their
//! depth, names and namespaces need limits; answers are written as text, because a listing of a
//! thousand files is the hottest thing that this crate does.

pub(crate) mod lockinfo;
pub(crate) mod propfind;
pub(crate) mod proppatch;
pub(crate) mod read;
pub(crate) mod value;
pub(crate) mod write;

/// The namespace of RFC 4918.
pub(crate) const DAV: &str = "DAV:";
/// The namespace of ownCloud's own properties.
pub(crate) const OC: &str = "http://owncloud.org/ns";
/// What every multistatus answer begins with, in the order in which oCIS declares them.
pub(crate) const MULTISTATUS: &str = "<d:multistatus xmlns:s=\"http://sabredav.org/ns\" \
    xmlns:d=\"DAV:\" xmlns:oc=\"http://owncloud.org/ns\">";

/// The name of a property: a namespace (may be empty) and a local name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    /// The namespace URI.
    pub(crate) ns: String,
    /// The local name.
    pub(crate) local: String,
}

impl Name {
    /// The key under which a property without special meaning is stored, as in oCIS.
    pub(crate) fn key(&self) -> String {
        format!("{}/{}", self.ns, self.local)
    }

    /// Reads a key back; none for keys that are no property, such as `tags`.
    pub(crate) fn from_key(key: &str) -> Option<Self> {
        let (ns, local) = key.rsplit_once('/')?;
        read::is_name(local).then(|| Self { ns: ns.into(), local: local.into() })
    }
}
