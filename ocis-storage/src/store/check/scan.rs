//! What lies in a space: every file of it by the node that it belongs to. Nothing that is read here
//! has to be whole.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;

use ocis_core::Result;
use ocis_core::id::{BlobId, NodeId, SpaceId};

use crate::fs::{Entry, Fs, Kind, is_missing};
use crate::journal::broken;
use crate::layout::attributes::{self as key, Attributes};
use crate::layout::paths;
use crate::store::Store;

/// Folders that ids of nodes are cut into.
const DEPTH: usize = 4;

/// What describes a node.
#[derive(Debug, Default)]
pub(in crate::store) enum Metadata {
    #[default]
    Missing,
    Damaged,
    Read(Attributes),
}

/// Something in a folder of the tree.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::store) enum Child {
    Node(NodeId),
    /// A symbolic link that names no node, or a file or folder.
    Foreign(Kind),
}

/// What is at one place of the tree.
#[derive(Debug, Default)]
pub(in crate::store) struct Found {
    /// A folder or a file; none when there is only metadata.
    pub(in crate::store) kind: Option<Kind>,
    pub(in crate::store) metadata: Metadata,
    /// What a folder lists.
    pub(in crate::store) children: BTreeMap<String, Child>,
}

impl Found {
    pub(in crate::store) fn attributes(&self) -> Option<&Attributes> {
        match &self.metadata {
            Metadata::Read(attributes) => Some(attributes),
            _ => None,
        }
    }

    pub(in crate::store) fn text(&self, name: &str) -> Option<&str> {
        self.attributes()?.text(name)
    }

    /// The content that it refers to.
    pub(in crate::store) fn blob(&self) -> Option<BlobId> {
        BlobId::parse(self.text(key::BLOB)?).ok()
    }
}

/// The id in the name of a place, and whether the place is in the trash.
pub(in crate::store) fn split(place: &str) -> (&str, bool) {
    match (place.split_once(".T."), place.split_once(".REV.")) {
        (Some((id, _)), _) => (id, true),
        (_, Some((id, _))) => (id, false),
        _ => (place, false),
    }
}

/// Whether a place is a node that is not in the trash.
pub(in crate::store) fn is_node(place: &str) -> bool {
    split(place).0 == place
}

/// The file or folder of a place, relative to the root of the store, without the ending of metadata.
pub(in crate::store) fn path(space: &SpaceId, place: &str) -> String {
    let id = split(place).0;
    let suffix = place.strip_prefix(id).unwrap_or_default();
    format!("{}/nodes/{}{suffix}", paths::space(space), paths::pathify(id, DEPTH, 2))
}

/// All that is in a space.
#[derive(Debug)]
pub(in crate::store) struct Scan {
    pub(in crate::store) space: SpaceId,
    /// By the name of the place: `<id>`, `<id>.T.<time>`, `<id>.REV.<time>`.
    pub(in crate::store) places: BTreeMap<String, Found>,
    /// Files beside nodes that are no nodes: path and the place that they belong to.
    pub(in crate::store) beside: Vec<(String, String)>,
    /// Links of the trash: path and the place that they name.
    pub(in crate::store) trash: Vec<(String, String)>,
    /// Contents and their length; none when they were left out.
    pub(in crate::store) blobs: Option<HashMap<BlobId, u64>>,
}

/// The entries of a folder; none when it is missing.
pub(in crate::store) fn entries(fs: &dyn Fs, path: &Path) -> Result<Vec<Entry>> {
    match fs.read_dir(path) {
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            Ok(Vec::new())
        }
        result => result.map_err(broken),
    }
}

impl Scan {
    /// Reads a space. Contents come first: one that a file gets meanwhile is not missed later.
    pub(in crate::store) fn read(store: &Store, space: &SpaceId, with_blobs: bool) -> Result<Self> {
        let mut scan = Self {
            space: space.clone(),
            places: BTreeMap::new(),
            beside: Vec::new(),
            trash: Vec::new(),
            blobs: None,
        };
        if with_blobs {
            let mut blobs = HashMap::new();
            store.blobs.list(space, &mut |blob, size| {
                blobs.insert(blob, size);
            })?;
            scan.blobs = Some(blobs);
        }
        let (fs, root) = (&*store.fs, store.root());
        let folder = paths::space(space);
        scan.nodes(fs, root, &format!("{folder}/nodes"), "", 0)?;
        scan.links(fs, root, &format!("{folder}/trash"), 0)?;
        Ok(scan)
    }

    /// Collects what is in a folder of the tree of ids.
    fn nodes(
        &mut self,
        fs: &dyn Fs,
        root: &Path,
        at: &str,
        prefix: &str,
        depth: usize,
    ) -> Result<()> {
        for entry in entries(fs, &root.join(at))? {
            let path = format!("{at}/{}", entry.name);
            let name = format!("{prefix}{}", entry.name);
            if entry.kind == Kind::Symlink {
                continue;
            }
            let beside = [".tmp", ".lock", ".mlock", ".flock"];
            if let Some(owner) = beside.iter().find_map(|end| name.strip_suffix(end)) {
                self.beside.push((path, owner.to_owned()));
                continue;
            }
            if paths::is_beside(&entry.name) {
                continue;
            }
            if let Some(place) = name.strip_suffix(".mpk") {
                let bytes = fs.read(&root.join(&path));
                // Renamed or removed meanwhile.
                if is_missing(&bytes) {
                    continue;
                }
                let attributes = Attributes::decode(&bytes.map_err(broken)?);
                self.places.entry(place.to_owned()).or_default().metadata =
                    attributes.map_or(Metadata::Damaged, Metadata::Read);
                continue;
            }
            let is_node = entry.kind == Kind::File
                || depth >= DEPTH
                || !is_missing(&fs.stat(&root.join(format!("{path}.mpk"))));
            if !is_node {
                self.nodes(fs, root, &path, &name, depth + 1)?;
                continue;
            }
            let found = self.places.entry(name).or_default();
            found.kind = Some(entry.kind);
            if entry.kind == Kind::Folder {
                for child in entries(fs, &root.join(&path))? {
                    let target = fs.readlink(&root.join(&path).join(&child.name)).ok();
                    let target = target.as_deref().and_then(Path::to_str);
                    let node = target.and_then(paths::child_of_target);
                    let what = node.map_or(Child::Foreign(child.kind), Child::Node);
                    found.children.insert(child.name, what);
                }
            }
        }
        Ok(())
    }

    /// Collects the links of the trash.
    fn links(&mut self, fs: &dyn Fs, root: &Path, at: &str, depth: usize) -> Result<()> {
        for entry in entries(fs, &root.join(at))? {
            let path = format!("{at}/{}", entry.name);
            match entry.kind {
                Kind::Folder if depth < DEPTH => self.links(fs, root, &path, depth + 1)?,
                Kind::Symlink => {
                    let target = fs.readlink(&root.join(&path));
                    if is_missing(&target) {
                        continue;
                    }
                    let target = target.map_err(broken)?;
                    let target = target.to_string_lossy();
                    let place = target.strip_prefix("../../../../../nodes/").unwrap_or(&target);
                    self.trash.push((path, place.split('/').collect()));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The node itself, in the tree or in the trash.
    pub(in crate::store) fn wherever(&self, id: &str) -> Option<(&str, &Found)> {
        if let Some((place, found)) = self.places.get_key_value(id) {
            return Some((place, found));
        }
        let deleted = format!("{id}.T.");
        let (place, found) = self.places.range(deleted.clone()..).next()?;
        place.starts_with(&deleted).then_some((place.as_str(), found))
    }

    /// The bytes of what is at a place and below it. None where they cannot be known: something
    /// below has no readable metadata, or is not there.
    pub(in crate::store) fn sizes(&self) -> HashMap<&str, Option<u64>> {
        let mut known: HashMap<&str, Option<u64>> = HashMap::new();
        for place in self.places.keys().filter(|place| !place.contains(".REV.")) {
            // Each folder comes twice: before what is in it, and after.
            let mut open = vec![(place.as_str(), false)];
            while let Some((place, is_summed)) = open.pop() {
                let Some(found) = self.places.get(place) else { continue };
                if found.kind != Some(Kind::Folder) || found.attributes().is_none() {
                    let size = found.attributes().map(|has| has.get(key::BLOB_SIZE).unwrap_or(0));
                    known.insert(place, size);
                } else if is_summed {
                    let sizes = found.children.values().map(|child| match child {
                        Child::Node(id) => self
                            .wherever(id.as_str())
                            .and_then(|(place, _)| known.get(place).copied().flatten()),
                        Child::Foreign(_) => None,
                    });
                    known.insert(place, sizes.sum());
                } else if !known.contains_key(place) {
                    // A folder that lies within itself has no size.
                    known.insert(place, None);
                    open.push((place, true));
                    for child in found.children.values() {
                        if let Child::Node(id) = child
                            && let Some((place, _)) = self.wherever(id.as_str())
                            && !known.contains_key(place)
                        {
                            open.push((place, false));
                        }
                    }
                }
            }
        }
        known
    }
}
