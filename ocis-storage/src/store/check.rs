//! Whether the files of a store fit together: every rule about them that no single file can show.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io;
use std::path::Path;
use std::sync::Arc;

use ocis_core::access::Grantee;
use ocis_core::id::{BlobId, NodeId, SpaceId};
use ocis_core::{Error, Result};

use super::{Store, load};
use crate::blob::staged;
use crate::fs::{Fs, Kind, is_missing};
use crate::journal::broken;
use crate::layout::attributes::{self as key, Attributes};
use crate::layout::index::{self, Index};
use crate::layout::{grant, paths};

/// How often to wait for others' changes before giving up.
const PATIENCE: usize = 100;
/// Folders that ids of nodes are cut into.
const DEPTH: usize = 4;

impl Store {
    /// Walks over the files of every space and tells what does not fit together, one sentence each:
    /// nodes and the names by which folders list them, contents and who refers to them, sizes of
    /// folders, the trash, and the indexes of spaces. Empty when all is well. Blocking; it waits
    /// until all changes are in the files and holds up new ones until it is done. Contents on their
    /// way in are left out. `Unavailable` when the store has failed or is closed, or when changes
    /// do not cease.
    pub fn check(&self) -> Result<Vec<String>> {
        for _ in 0..PATIENCE {
            self.journal.settle()?;
            let state = self.memory.state.write();
            if state.is_settled() {
                let found = Check { store: self, found: Vec::new() }.run();
                drop(state);
                return found;
            }
        }
        Err(Error::unavailable("the storage is too busy to be checked"))
    }
}

/// What is at one place of the tree, and what its metadata says.
#[derive(Debug, Default)]
struct Found {
    /// A folder or a file; none when there is only metadata.
    kind: Option<Kind>,
    attributes: Option<Attributes>,
    /// Names and what they point at.
    children: BTreeMap<String, Option<NodeId>>,
}

/// The nodes of a space by the name of their place: `<id>`, `<id>.T.<time>`, `<id>.REV.<time>`.
type Places = BTreeMap<String, Found>;

struct Check<'a> {
    store: &'a Store,
    found: Vec<String>,
}

/// The entries of a folder; none when it is missing.
fn entries(fs: &dyn Fs, path: &Path) -> Result<Vec<crate::fs::Entry>> {
    match fs.read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        result => result.map_err(broken),
    }
}

/// The id in the name of a place, and whether the place is in the trash.
fn split(place: &str) -> (&str, bool) {
    match (place.split_once(".T."), place.split_once(".REV.")) {
        (Some((id, _)), _) => (id, true),
        (_, Some((id, _))) => (id, false),
        _ => (place, false),
    }
}

/// The bytes of a file or folder, as its metadata says.
fn size(found: &Found) -> Option<u64> {
    let attributes = found.attributes.as_ref()?;
    let is_file = attributes.text(key::TYPE) == Some("1");
    attributes.get(if is_file { key::BLOB_SIZE } else { key::TREE_SIZE })
}

impl Check<'_> {
    fn run(mut self) -> Result<Vec<String>> {
        let spaces = self.spaces()?;
        for space in &spaces {
            self.space(space)?;
        }
        self.indexes(&spaces)?;
        self.members(&spaces)?;
        Ok(self.found)
    }

    fn tell(&mut self, finding: String) {
        self.found.push(finding);
    }

    fn spaces(&mut self) -> Result<Vec<SpaceId>> {
        let (fs, root) = (&*self.store.fs, self.store.root().join("spaces"));
        let mut spaces = Vec::new();
        for head in entries(fs, &root)? {
            for tail in entries(fs, &root.join(&head.name))? {
                match SpaceId::parse(&format!("{}{}", head.name, tail.name)) {
                    Ok(space) => spaces.push(space),
                    Err(_) => self.tell(format!("{}/{} is no space", head.name, tail.name)),
                }
            }
        }
        Ok(spaces)
    }

    fn space(&mut self, space: &SpaceId) -> Result<()> {
        let mut places = Places::new();
        let folder = self.store.root().join(paths::space(space)).join("nodes");
        self.places(&folder, "", 0, &mut places)?;
        if !places.contains_key(space.as_str()) {
            self.tell(format!("space {space} has no root"));
        }
        for (place, found) in &places {
            self.place(space, place, found);
            self.children(space, place, found, &places);
        }
        self.parents(space, &places);
        self.trash(space, &places)?;
        self.blobs(space, &places)
    }

    /// Collects what is in a folder of the tree of ids.
    fn places(&self, at: &Path, prefix: &str, depth: usize, places: &mut Places) -> Result<()> {
        let fs = &*self.store.fs;
        for entry in entries(fs, at)? {
            let path = at.join(&entry.name);
            let name = format!("{prefix}{}", entry.name);
            if entry.kind == Kind::Symlink || name.ends_with(".lock") || name.ends_with(".mlock") {
                continue;
            }
            if let Some(place) = name.strip_suffix(".mpk") {
                let bytes = fs.read(&path).map_err(broken)?;
                let attributes = Attributes::decode(&bytes).unwrap_or_default();
                places.entry(place.to_owned()).or_default().attributes = Some(attributes);
                continue;
            }
            let is_node = entry.kind == Kind::File
                || depth >= DEPTH
                || !is_missing(&fs.stat(&at.join(format!("{}.mpk", entry.name))));
            if !is_node {
                self.places(&path, &name, depth + 1, places)?;
                continue;
            }
            let found = places.entry(name).or_default();
            found.kind = Some(entry.kind);
            if entry.kind == Kind::Folder {
                for child in entries(fs, &path)? {
                    let target = fs.readlink(&path.join(&child.name)).ok();
                    let target = target.as_deref().and_then(Path::to_str);
                    found.children.insert(child.name, target.and_then(paths::child_of_target));
                }
            }
        }
        Ok(())
    }

    /// A place is what its metadata says.
    fn place(&mut self, space: &SpaceId, place: &str, found: &Found) {
        let Some(attributes) = &found.attributes else {
            return self.tell(format!("{place} in space {space} has no metadata"));
        };
        let wanted = match attributes.text(key::TYPE) {
            Some("1") => Kind::File,
            // oCIS gives versions no type.
            None if place.contains(".REV.") => Kind::File,
            Some("2") => Kind::Folder,
            // Nor the roots of spaces.
            None if place == space.as_str() => Kind::Folder,
            _ => return self.tell(format!("the metadata of {place} in {space} is damaged")),
        };
        if found.kind != Some(wanted) {
            self.tell(format!("{place} in space {space} is not there, or of the wrong kind"));
        }
    }

    /// What a folder lists is its own, and its size is that of all below it.
    fn children(&mut self, space: &SpaceId, place: &str, found: &Found, places: &Places) {
        if found.kind != Some(Kind::Folder) {
            return;
        }
        let (id, mut below) = (split(place).0, 0);
        for (name, child) in &found.children {
            let child = child.as_ref().and_then(|child| places.get(child.as_str()));
            below += child.and_then(size).unwrap_or(0);
            let fits = child.and_then(|child| child.attributes.as_ref()).is_some_and(|child| {
                child.text(key::PARENT) == Some(id) && child.text(key::NAME) == Some(name)
            });
            if !fits {
                self.tell(format!("{place} in space {space} lists {name:?}, which is elsewhere"));
            }
        }
        // oCIS keeps no account of sizes in its own spaces.
        let root = places.get(space.as_str()).and_then(|root| root.attributes.as_ref());
        let is_ours = root.and_then(|root| root.text("space.type")) == Some("metadata");
        let said = size(found).unwrap_or(0);
        if said != below && !is_ours {
            self.tell(format!("{place} in space {space} says {said} bytes and holds {below}"));
        }
    }

    /// Every node is listed by its parent, which is there or in the trash, and is in one place.
    fn parents(&mut self, space: &SpaceId, places: &Places) {
        let mut folders: HashMap<&str, &Found> = HashMap::new();
        for (place, found) in places.iter().filter(|(place, _)| !place.contains(".REV.")) {
            if folders.insert(split(place).0, found).is_some() {
                self.tell(format!("{place} in space {space} is in two places"));
            }
        }
        for (place, found) in places {
            if split(place).0 != place || place == space.as_str() {
                continue;
            }
            let text = |name| found.attributes.as_ref().and_then(|has| has.text(name));
            let (name, parent) = (text(key::NAME), text(key::PARENT));
            let (name, parent) = (name.unwrap_or_default(), parent.unwrap_or_default());
            let listed = folders.get(parent).and_then(|folder| folder.children.get(name));
            if listed.and_then(Option::as_ref).map(NodeId::as_str) != Some(place) {
                self.tell(format!("{place} in {space} is not listed by {parent:?} as {name:?}"));
            }
        }
    }

    /// The links of the trash and what is in it are the same.
    fn trash(&mut self, space: &SpaceId, places: &Places) -> Result<()> {
        let mut links = HashSet::new();
        let folder = self.store.root().join(paths::space(space)).join("trash");
        self.links(&folder, 0, &mut links)?;
        for place in places.keys().filter(|place| split(place).1) {
            if !links.remove(place) {
                self.tell(format!("{place} in space {space} is not listed by the trash"));
            }
        }
        for link in links {
            self.tell(format!("the trash of space {space} lists {link:?}, which is not there"));
        }
        Ok(())
    }

    fn links(&self, at: &Path, depth: usize, links: &mut HashSet<String>) -> Result<()> {
        let fs = &*self.store.fs;
        for entry in entries(fs, at)? {
            let path = at.join(&entry.name);
            match entry.kind {
                Kind::Folder if depth < DEPTH => self.links(&path, depth + 1, links)?,
                Kind::Symlink => {
                    let target = fs.readlink(&path).map_err(broken)?;
                    let target = target.to_string_lossy();
                    let place = target.strip_prefix("../../../../../nodes/").unwrap_or(&target);
                    links.insert(place.split('/').collect());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Contents that somebody refers to are there, with the right size, and no others.
    fn blobs(&mut self, space: &SpaceId, places: &Places) -> Result<()> {
        let mut there = HashMap::new();
        self.store.blobs.list(space, &mut |blob, size| {
            there.insert(blob, size);
        })?;
        let mut used = HashSet::new();
        for (place, found) in places {
            let Some(attributes) = &found.attributes else { continue };
            let id = attributes.text(key::BLOB).filter(|id| !id.is_empty());
            let Some(blob) = id.and_then(|id| BlobId::parse(id).ok()) else { continue };
            let said: u64 = attributes.get(key::BLOB_SIZE).unwrap_or(0);
            match there.get(&blob) {
                None => self.tell(format!("the content {blob} of {place} is not there")),
                Some(has) if *has != said => {
                    self.tell(format!("the content of {place} has {has} bytes instead of {said}"));
                }
                Some(_) => {}
            }
            if !used.insert(blob.clone()) {
                self.tell(format!("the content {blob} of {place} is also that of another one"));
            }
        }
        for blob in there.keys().filter(|blob| !used.contains(blob)) {
            if !staged::is_marked(&*self.store.fs, &self.store.uploads, space, blob) {
                self.tell(format!("nobody refers to the content {blob} in space {space}"));
            }
        }
        Ok(())
    }

    /// Indexes name spaces that are there, and every space is in the index of its type.
    fn indexes(&mut self, spaces: &[SpaceId]) -> Result<()> {
        let fs = &*self.store.fs;
        let mut typed = HashSet::new();
        for folder in ["by-type", "by-user-id"] {
            let at = self.store.root().join("indexes").join(folder);
            for entry in entries(fs, &at)? {
                if !entry.name.ends_with(".mpk") {
                    continue;
                }
                let bytes = fs.read(&at.join(&entry.name)).map_err(broken)?;
                let Ok(map) = rmp_serde::from_slice::<BTreeMap<String, String>>(&bytes) else {
                    self.tell(format!("the index {folder}/{} is damaged", entry.name));
                    continue;
                };
                for id in map.into_keys() {
                    if !spaces.iter().any(|space| space.as_str() == id) {
                        self.tell(format!("{folder}/{} names no space: {id}", entry.name));
                    }
                    if folder == "by-type" {
                        typed.insert(id);
                    }
                }
            }
        }
        for space in spaces.iter().filter(|space| !typed.contains(space.as_str())) {
            self.tell(format!("space {space} is in no index"));
        }
        Ok(())
    }

    /// The owner and the members of a space, and nobody else, have it in their index.
    fn members(&mut self, spaces: &[SpaceId]) -> Result<()> {
        let (fs, root) = (Arc::clone(&self.store.fs), self.store.root());
        let mut wanted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for space in spaces {
            let bytes = fs.read(&root.join(paths::metadata(space, &space.root())));
            let Ok(attributes) = bytes.map_err(broken).and_then(|it| Attributes::decode(&it))
            else {
                continue;
            };
            let owner = load::owner(&attributes).map(Grantee::User);
            let grants = attributes.under(key::GRANT);
            let members =
                grants.filter_map(|(name, value)| Some(grant::read(name, value)?.grantee));
            for member in members.chain(owner) {
                wanted.entry(index::of(&member)).or_default().insert(space.to_string());
            }
        }
        for folder in ["indexes/by-user-id", "indexes/by-group-id"] {
            for entry in entries(&*fs, &root.join(folder))? {
                // oCIS also lists project spaces under nobody.
                if entry.name == ".mpk" || !entry.name.ends_with(".mpk") {
                    continue;
                }
                let path = format!("{folder}/{}", entry.name);
                let members = wanted.remove(&path).unwrap_or_default();
                let bytes = fs.read(&root.join(&path)).map_err(broken)?;
                let Ok(index) = Index::decode(&bytes) else { continue };
                let listed: BTreeSet<_> = index.spaces().map(String::from).collect();
                for space in listed.symmetric_difference(&members) {
                    self.tell(format!("{path} and the members of space {space} do not agree"));
                }
            }
        }
        for (path, spaces) in wanted {
            self.tell(format!("{path} is missing, which should name {spaces:?}"));
        }
        Ok(())
    }
}
