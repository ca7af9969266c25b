//! The properties that the server itself knows.

use std::sync::Arc;

use ocis_core::Cx;
use ocis_core::id::ResourceId;
use ocis_core::media_type;
use ocis_core::node::{Node, NodeKind};
use ocis_core::permissions::Permissions;

use crate::headers::date;
use crate::props::lock;
use crate::tree::Links;
use crate::xml::{DAV, Name, OC, write};

macro_rules! properties {
    ($($name:ident $ns:ident $local:literal)*) => {
        /// A property that the server itself knows.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs, reason = "each is the property of its name")]
        pub(crate) enum Live {
            $($name,)*
        }

        impl Live {
            /// All of them, in the order in which `allprop` answers.
            pub(crate) const EVERY: &[Self] = &[$(Self::$name,)*];

            /// The property of this name.
            pub(crate) fn find(name: &Name) -> Option<Self> {
                match (name.ns.as_str(), name.local.as_str()) {
                    $(($ns, $local) => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// The name.
            pub(crate) fn name(self) -> Name {
                let (ns, local) = match self {
                    $(Self::$name => ($ns, $local),)*
                };
                Name { ns: ns.into(), local: local.into() }
            }
        }
    };
}

properties! {
    Id OC "id"
    FileId OC "fileid"
    SpaceId OC "spaceid"
    FileParent OC "file-parent"
    OcName OC "name"
    DisplayName DAV "displayname"
    Etag DAV "getetag"
    Permissions OC "permissions"
    ResourceType DAV "resourcetype"
    Size OC "size"
    ContentLength DAV "getcontentlength"
    ContentType DAV "getcontenttype"
    LastModified DAV "getlastmodified"
    Checksums OC "checksums"
    Tags OC "tags"
    Favorite OC "favorite"
    LockDiscovery DAV "lockdiscovery"
    SupportedLock DAV "supportedlock"
    QuotaUsed DAV "quota-used-bytes"
    QuotaAvailable DAV "quota-available-bytes"
    OwnerId OC "owner-id"
    OwnerDisplayName OC "owner-display-name"
    PrivateLink OC "privatelink"
}

/// What is the same for all nodes of an answer.
#[derive(Debug)]
pub(crate) struct Facts {
    /// Who asks, and when: whose a lock is, and what is left of its time.
    pub(crate) cx: Cx,
    /// Makes URLs of where locks were taken.
    pub(crate) links: Links,
    /// `<url>/f/`, the beginning of private links.
    pub(crate) private: String,
    /// The bytes that can still be stored, when they were asked for and are known.
    pub(crate) available: Option<u64>,
    /// User name and display name of the owner, when they were asked for and are known.
    pub(crate) owner: Option<(String, String)>,
}

impl Live {
    /// Whether `allprop` answers with it: quota (RFC 4331 section 2), locks that could be, names of
    /// owners and links are only for those who ask for them (oCIS).
    pub(crate) fn is_common(self) -> bool {
        !matches!(
            self,
            Self::SupportedLock
                | Self::QuotaUsed
                | Self::QuotaAvailable
                | Self::OwnerId
                | Self::OwnerDisplayName
                | Self::PrivateLink
        )
    }

    /// Appends the value; false, perhaps after having appended a part of it, when the node has no
    /// such property.
    pub(crate) fn write(self, out: &mut Vec<u8>, node: &Node, facts: &Facts) -> bool {
        let info = &*node.info;
        let is_folder = info.kind == NodeKind::Folder;
        match self {
            Self::Id | Self::FileId => id(out, &info.id),
            Self::SpaceId => space(out, &info.id),
            Self::FileParent => {
                space(out, &info.id);
                if let Some(parent) = &info.parent {
                    write::raw(out, "!");
                    write::text(out, parent.as_str());
                }
            }
            Self::OcName | Self::DisplayName => write::text(out, &info.name),
            Self::Etag => write::text(out, info.etag.as_str()),
            Self::Permissions => letters(out, node),
            Self::ResourceType => write::raw(out, if is_folder { "<d:collection/>" } else { "" }),
            Self::Size => write::number(out, info.size),
            Self::ContentLength if !is_folder => write::number(out, info.size),
            Self::ContentType if !is_folder => write::raw(out, media_type::of(&info.name)),
            Self::LastModified => date::write(out, info.mtime),
            Self::Checksums => return checksums(out, node),
            Self::Tags => {
                write::text(out, info.metadata.get("tags").map_or("", String::as_str));
            }
            Self::Favorite => write::raw(out, if node.favorite { "1" } else { "0" }),
            Self::LockDiscovery if !node.locks.is_empty() => {
                lock::discovery(out, &node.locks, &facts.links, &facts.cx);
            }
            Self::SupportedLock => write::raw(out, lock::SUPPORTED),
            Self::QuotaUsed if is_folder => write::number(out, info.size),
            Self::QuotaAvailable if is_folder => match facts.available {
                Some(bytes) => write::number(out, bytes),
                // "Unknown" in the language of ownCloud's clients.
                None => write::raw(out, "-2"),
            },
            Self::OwnerId => return owner(out, facts.owner.as_ref().map(|(name, _)| name)),
            Self::OwnerDisplayName => {
                return owner(out, facts.owner.as_ref().map(|(_, name)| name));
            }
            Self::PrivateLink => private_link(out, &info.id, &facts.private),
            _ => return false,
        }
        true
    }
}

fn owner(out: &mut Vec<u8>, name: Option<&String>) -> bool {
    name.map(|name| write::text(out, name)).is_some()
}

fn space(out: &mut Vec<u8>, id: &ResourceId) {
    write::text(out, id.storage.as_str());
    write::raw(out, "$");
    write::text(out, id.space.as_str());
}

fn id(out: &mut Vec<u8>, id: &ResourceId) {
    space(out, id);
    write::raw(out, "!");
    write::text(out, id.node.as_str());
}

fn private_link(out: &mut Vec<u8>, id: &ResourceId, private: &str) {
    write::text(out, private);
    write::href(out, id.storage.as_str());
    write::raw(out, "$");
    write::href(out, id.space.as_str());
    write::raw(out, "%21");
    write::href(out, id.node.as_str());
}

fn checksums(out: &mut Vec<u8>, node: &Node) -> bool {
    let Some(sums) = &node.info.checksums else { return false };
    // One element for all three: a mistake of ownCloud 10 that clients rely on.
    write::raw(out, "<oc:checksum>SHA1:");
    write::hex(out, &sums.sha1);
    write::raw(out, " MD5:");
    write::hex(out, &sums.md5);
    write::raw(out, " ADLER32:");
    write::hex(out, &sums.adler32);
    write::raw(out, "</oc:checksum>");
    true
}

/// Appends what the caller may do, in the letters of ownCloud: R share, D delete, NV rename and
/// move, W write (files), CK create (folders), Z deny access to others, P purge from the trash.
pub(crate) fn letters(out: &mut Vec<u8>, node: &Node) {
    let have = node.permissions;
    let is_folder = node.is_folder();
    let can_write = have.allows(Permissions::UPLOAD | Permissions::RESTORE_TRASH);
    let can_create =
        have.allows(Permissions::STAT | Permissions::CREATE_CONTAINER | Permissions::UPLOAD);
    for (letters, allowed) in [
        ("R", have.allows(Permissions::ADD_GRANT)),
        ("D", have.allows(Permissions::DELETE)),
        ("NV", can_write),
        ("W", can_write && !is_folder),
        ("CK", can_create && is_folder),
        ("Z", have.allows(Permissions::DENY_GRANT)),
        ("P", have.allows(Permissions::PURGE_TRASH)),
    ] {
        if allowed {
            write::raw(out, letters);
        }
    }
}

/// The identity of whoever owns what, as the caller may learn it.
pub(crate) type Owner = Option<(String, String)>;

/// What a caller who is the owner, or manages a space without one, is told about the owner:
/// themselves (oCIS).
pub(crate) fn own(identity: &Arc<ocis_core::Identity>, node: &Node) -> Owner {
    let owns = match &node.info.owner {
        Some(owner) => *owner == identity.id,
        None => node.permissions.allows(Permissions::REMOVE_GRANT),
    };
    owns.then(|| (identity.username.clone(), identity.display_name.clone()))
}
