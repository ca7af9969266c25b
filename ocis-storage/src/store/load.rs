//! Nodes and listings from their files.

use std::sync::Arc;

use ocis_core::checksum::hex;
use ocis_core::etag::Etag;
use ocis_core::id::{BlobId, ResourceId, StorageId, UserId};
use ocis_core::lock::Lock;
use ocis_core::node::{NodeInfo, NodeKind};
use ocis_core::time::Timestamp;
use ocis_core::{Error, Result};

use super::state::{Children, Entry, Key};
use crate::fs::{Fs, Kind, is_missing};
use crate::journal::broken;
use crate::layout::attributes::{self as key, Attributes};
use crate::layout::{etag, grant, lockfile, paths};

const FILE: &str = "1";

/// What is known of a node from its metadata.
pub(super) fn entry(
    storage: &StorageId,
    at: &Key,
    owner: Option<UserId>,
    attributes: Attributes,
    locks: Vec<Lock>,
) -> Result<Entry> {
    let (space, node) = at;
    let damaged = |what: &str| {
        Error::internal("the metadata of a node is damaged")
            .with("node", node)
            .with("missing", what)
    };
    let kind = match attributes.text(key::TYPE) {
        Some(FILE) => NodeKind::File,
        Some(_) => NodeKind::Folder,
        // oCIS writes none on the root of a space.
        None if node.as_str() == space.as_str() => NodeKind::Folder,
        None => return Err(damaged("type")),
    };
    let time = |name: &str| attributes.get::<Timestamp>(name);
    let mtime = match kind {
        NodeKind::File => time(key::MTIME),
        NodeKind::Folder => time(key::TREE_MTIME).or_else(|| time(key::MTIME)),
    };
    let mtime = mtime.map_or_else(|| Timestamp::from_unix(0, 0), Ok)?;
    let size = match kind {
        NodeKind::File => attributes.get(key::BLOB_SIZE),
        NodeKind::Folder => attributes.get(key::TREE_SIZE),
    };
    let tag = match attributes.bytes(key::TMP_ETAG) {
        Some(bytes) if !bytes.is_empty() => Etag::new(&hex(bytes)),
        _ => etag::etag(node, mtime),
    };
    let is_root = node.as_str() == space.as_str();
    let metadata = attributes
        .under(key::METADATA)
        .filter_map(|(name, value)| {
            Some((name.to_owned(), String::from_utf8(value.to_vec()).ok()?))
        })
        .collect();
    let processing = attributes.text(key::STATUS).and_then(|text| text.strip_prefix("processing:"));
    let info = NodeInfo {
        id: ResourceId { storage: storage.clone(), space: space.clone(), node: node.clone() },
        parent: if is_root {
            None
        } else {
            Some(attributes.get(key::PARENT).ok_or_else(|| damaged("parentid"))?)
        },
        name: attributes.text(key::NAME).unwrap_or_default().to_owned(),
        kind,
        size: size.unwrap_or(0),
        mtime,
        etag: tag,
        checksums: attributes.checksums(),
        metadata,
        owner,
        processing: processing.map(str::to_owned),
    };
    let grants =
        attributes.under(key::GRANT).filter_map(|(name, value)| grant::read(name, value)).collect();
    let blob = attributes.text(key::BLOB).and_then(|id| BlobId::parse(id).ok());
    let is_favored = attributes.under(key::FAVORITE).next().is_some();
    Ok(Entry { info: Arc::new(info), attributes, grants, locks, blob, is_favored })
}

/// The metadata and locks in a node's files; none when there is no such node.
pub(super) fn files(
    fs: &dyn Fs,
    root: &std::path::Path,
    at: &Key,
) -> Result<Option<(Attributes, Vec<Lock>)>> {
    let (space, node) = at;
    let bytes = fs.read(&root.join(paths::metadata(space, node)));
    if is_missing(&bytes) {
        return Ok(None);
    }
    let mut attributes = Attributes::decode(&bytes.map_err(broken)?)?;
    let timed = |name| attributes.get::<Timestamp>(name).is_some();
    let timed = timed(key::MTIME) || timed(key::TREE_MTIME);
    let typed = attributes.bytes(key::TYPE).is_some();
    if !timed || !typed && node.as_str() != space.as_str() {
        // oCIS leaves some times to the file system, and old data the type.
        let there = fs.stat(&root.join(paths::node(space, node)));
        if !is_missing(&there) {
            let there = there.map_err(broken)?;
            if !timed {
                attributes.set(key::MTIME, there.modified);
            }
            if !typed {
                attributes.set(key::TYPE, if there.kind == Kind::Folder { "2" } else { FILE });
            }
        }
    }
    let lock = fs.read(&root.join(paths::lock(space, node)));
    let locks = if is_missing(&lock) { Vec::new() } else { lockfile::read(&lock.map_err(broken)?) };
    Ok(Some((attributes, locks)))
}

/// The children that a folder lists.
pub(super) fn children(fs: &dyn Fs, folder: &std::path::Path) -> Result<Children> {
    let entries = fs.read_dir(folder);
    if is_missing(&entries) {
        return Ok(Children::new());
    }
    let mut children = Children::new();
    for entry in entries.map_err(broken)? {
        if entry.kind != Kind::Symlink {
            continue;
        }
        let target = fs.readlink(&folder.join(&entry.name)).map_err(broken)?;
        match target.to_str().and_then(paths::child_of_target) {
            Some(child) => drop(children.insert(entry.name.into(), child)),
            None => tracing::warn!(name = entry.name, ?target, "a link that names no node"),
        }
    }
    Ok(children)
}

/// The owner of the space whose root has these attributes, where it is a person.
pub(super) fn owner(attributes: &Attributes) -> Option<UserId> {
    let kind = attributes.text("owner.type").unwrap_or_default();
    if kind == "spaceowner" {
        return None;
    }
    attributes.get("owner.id")
}
