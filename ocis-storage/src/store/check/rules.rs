//! What must hold between the files of a space: the tree, its links, its sizes, the trash.

use std::collections::{HashMap, HashSet};

use ocis_core::finding::{Finding, Problem, Remedy};
use ocis_core::id::NodeId;

use super::scan::{Child, Found, Metadata, Scan, is_node, path, split};
use super::{Mend, Suspicion};
use crate::fs::Kind;
use crate::layout::attributes as key;
use crate::layout::grant;

/// Collects what is found of one space.
pub(super) struct Rules<'a> {
    pub(super) scan: &'a Scan,
    pub(super) found: Vec<Suspicion>,
    /// Which folders list a node, and how.
    listed: HashMap<&'a str, Vec<(&'a str, &'a str)>>,
    /// What was purged and is damaged.
    purged: Vec<String>,
}

impl<'a> Rules<'a> {
    pub(super) fn new(scan: &'a Scan, purged: Vec<String>) -> Self {
        let mut listed: HashMap<&str, Vec<(&str, &str)>> = HashMap::new();
        for (place, found) in &scan.places {
            for (name, child) in &found.children {
                if let Child::Node(id) = child {
                    listed.entry(id.as_str()).or_default().push((place, name));
                }
            }
        }
        Self { scan, found: Vec::new(), listed, purged }
    }

    /// Looks at all places.
    pub(super) fn tree(&mut self) {
        let root = self.scan.space.as_str();
        if !self.scan.places.contains_key(root) {
            let detail = "the space has no root".to_owned();
            self.decide(
                Problem::RootMissing,
                root,
                detail,
                "bring the root back from a backup; everything below it is still there",
            );
        }
        // oCIS keeps no account of sizes in its own spaces.
        let is_ours = self.scan.places.get(root).and_then(|found| found.text("space.type"))
            == Some("metadata");
        let sizes = if is_ours { HashMap::new() } else { self.scan.sizes() };
        for (place, found) in &self.scan.places {
            self.metadata(place, found);
            self.grants(place, found);
            self.links(place, found);
            if is_node(place) && place != root {
                self.parent(place, found);
            }
            if let Some(size) = sizes.get(place.as_str()) {
                self.size(place, found, *size);
            }
        }
        self.places_of_nodes();
        self.trash();
    }

    pub(super) fn tell(
        &mut self,
        problem: Problem,
        place: &str,
        path: String,
        detail: String,
        remedy: Remedy,
        mend: Option<Mend>,
    ) {
        let space = Some(self.scan.space.clone());
        let node = Some(place.to_owned());
        let finding = Finding { problem, space, node, path, other: None, detail, remedy };
        self.found.push(Suspicion { finding, mend });
    }

    /// The other side of what was told last.
    pub(super) fn other(&mut self, path: String) {
        if let Some(last) = self.found.last_mut() {
            last.finding.other = Some(path);
        }
    }

    pub(super) fn decide(&mut self, problem: Problem, place: &str, detail: String, what: &str) {
        let at = path(&self.scan.space, place);
        self.tell(problem, place, at, detail, Remedy::Decide(what.to_owned()), None);
    }

    pub(super) fn mend(
        &mut self,
        problem: Problem,
        place: &str,
        detail: String,
        how: &str,
        mend: Mend,
    ) {
        let at = path(&self.scan.space, place);
        self.tell(problem, place, at, detail, Remedy::Repairable(how.to_owned()), Some(mend));
    }

    /// What was purged is gone.
    pub(super) fn purged(&mut self) {
        for place in std::mem::take(&mut self.purged) {
            self.mend(
                Problem::PurgeUnfinished,
                &place,
                "it was purged, and it or something in it is damaged".to_owned(),
                "its files are removed; what else is damaged in it stays, and is found by the next check",
                Mend::Purge { place: place.clone() },
            );
        }
    }

    /// A place is what its metadata says.
    fn metadata(&mut self, place: &str, found: &Found) {
        if self.purged.iter().any(|purged| purged == place) {
            return;
        }
        let is_version = place.contains(".REV.");
        let wanted = match (&found.metadata, found.text(key::TYPE)) {
            (Metadata::Missing, _) => {
                return self.decide(
                    Problem::MetadataMissing,
                    place,
                    "nothing describes it".to_owned(),
                    "bring its .mpk file back from a backup; contents that nothing refers to are kept",
                );
            }
            (_, Some("1")) => Kind::File,
            // oCIS gives versions no type.
            (Metadata::Read(_), None) if is_version => Kind::File,
            (_, Some("2")) => Kind::Folder,
            // oCIS gives the root of a space none.
            (Metadata::Read(_), None) if place == self.scan.space.as_str() => Kind::Folder,
            _ => {
                return self.decide(
                    Problem::MetadataDamaged,
                    place,
                    "what describes it cannot be read".to_owned(),
                    "bring its .mpk file back from a backup; contents that nothing refers to are kept",
                );
            }
        };
        match found.kind {
            Some(kind) if kind == wanted => {}
            None => self.mend(
                Problem::FilesMissing,
                place,
                "only what describes it is there".to_owned(),
                "it is made again, what lay in it is listed again",
                Mend::Make { place: place.to_owned(), folder: wanted == Kind::Folder },
            ),
            Some(_) => self.decide(
                Problem::FilesMissing,
                place,
                "it is a file and should be a folder, or the other way round".to_owned(),
                "set its `user.ocis.type`, or bring it back from a backup",
            ),
        }
    }

    /// A grant that cannot be read counts for nothing.
    fn grants(&mut self, place: &str, found: &Found) {
        let Some(attributes) = found.attributes() else { return };
        for (name, value) in attributes.under(key::GRANT) {
            if grant::read(name, value).is_none() {
                let detail = format!("user.ocis.grant.{name} gives nobody anything");
                self.decide(Problem::GrantDamaged, place, detail, "share it again, or set the key");
            }
        }
    }

    /// What a folder lists exists, and says that it lies there.
    fn links(&mut self, place: &str, found: &Found) {
        for (name, child) in &found.children {
            let at = format!("{}/{name}", path(&self.scan.space, place));
            let id = match child {
                Child::Node(id) => id,
                Child::Foreign(Kind::Symlink) => {
                    let (detail, how) = ("it names no node", "the link is removed");
                    let mend = Mend::Unlist { place: place.to_owned(), name: name.clone() };
                    let remedy = Remedy::Repairable(how.to_owned());
                    self.tell(Problem::NoLink, place, at, detail.to_owned(), remedy, Some(mend));
                    continue;
                }
                Child::Foreign(_) => {
                    let remedy = Remedy::Decide("look at it, and move it elsewhere".to_owned());
                    let detail = "it is no link".to_owned();
                    self.tell(Problem::NoLink, place, at, detail, remedy, None);
                    continue;
                }
            };
            let Some(node) = self.scan.places.get(id.as_str()) else {
                let detail = format!("{id} does not exist");
                let mend = Mend::Unlist { place: place.to_owned(), name: name.clone() };
                let remedy = Remedy::Repairable("the link is removed".to_owned());
                self.tell(Problem::NodeMissing, place, at, detail, remedy, Some(mend));
                self.other(path(&self.scan.space, id.as_str()));
                continue;
            };
            let (parent, own) = (node.text(key::PARENT), node.text(key::NAME));
            let is_here = parent == Some(split(place).0) && own == Some(name);
            if is_here || node.attributes().is_none() {
                continue;
            }
            let detail = format!("{id} says that it is {own:?} in {parent:?}");
            let (how, mend) = if self.is_listed(id.as_str(), node)
                || !self.is_first(id, place, name)
            {
                let mend = Mend::Unlist { place: place.to_owned(), name: name.clone() };
                ("the link is removed, it is listed elsewhere too", mend)
            } else {
                let mend =
                    Mend::Adopt { node: id.clone(), place: place.to_owned(), name: name.clone() };
                ("it is told that it lies here", mend)
            };
            let remedy = Remedy::Repairable(how.to_owned());
            self.tell(Problem::NodeElsewhere, place, at, detail, remedy, Some(mend));
        }
    }

    /// Whether the folder that a node names as its parent lists it under its name.
    fn is_listed(&self, id: &str, node: &Found) -> bool {
        let (name, parent) = (node.text(key::NAME), node.text(key::PARENT));
        self.listed
            .get(id)
            .into_iter()
            .flatten()
            .any(|(place, listed)| Some(split(place).0) == parent && Some(*listed) == name)
    }

    fn is_first(&self, id: &NodeId, place: &str, name: &str) -> bool {
        self.listed.get(id.as_str()).and_then(|all| all.first()) == Some(&(place, name))
    }

    /// Every node is listed by its parent, which is there or in the trash.
    fn parent(&mut self, place: &str, found: &Found) {
        if found.attributes().is_none() || self.is_listed(place, found) {
            return;
        }
        // Then the link is wrong, not the node.
        if self.listed.contains_key(place) {
            return;
        }
        let (name, parent) = (found.text(key::NAME), found.text(key::PARENT));
        let detail = format!("{parent:?} does not list it as {name:?}");
        let Ok(node) = NodeId::parse(place) else { return };
        self.mend(
            Problem::SymlinkMissing,
            place,
            detail,
            "it is listed again, in lost+found where its folder is gone",
            Mend::List { node },
        );
    }

    /// A folder's size is that of all below it.
    fn size(&mut self, place: &str, found: &Found, size: Option<u64>) {
        let (Some(size), Some(attributes)) = (size, found.attributes()) else { return };
        if found.kind != Some(Kind::Folder) {
            return;
        }
        let said: Option<u64> = attributes.get(key::TREE_SIZE);
        if said.unwrap_or(0) == size {
            return;
        }
        let detail = format!("it says {} bytes and holds {size}", said.unwrap_or(0));
        let mend = Mend::Size { place: place.to_owned(), size };
        self.mend(Problem::TreeSize, place, detail, "the size is corrected", mend);
    }

    /// No node is in two places.
    fn places_of_nodes(&mut self) {
        let mut seen: HashSet<&str> = HashSet::new();
        for place in self.scan.places.keys().filter(|place| !place.contains(".REV.")) {
            if !seen.insert(split(place).0) {
                self.decide(
                    Problem::InTwoPlaces,
                    place,
                    "it is there and in the trash, or twice in the trash".to_owned(),
                    "purge one of them from the trash after a look at both",
                );
            }
        }
    }

    /// The links of the trash and what is in it are the same.
    fn trash(&mut self) {
        let mut links: HashSet<&str> = HashSet::new();
        for (at, place) in &self.scan.trash {
            links.insert(place);
            if !self.scan.places.contains_key(place.as_str()) {
                let mend = Mend::Remove { path: at.clone() };
                let remedy = Remedy::Repairable("the link is removed".to_owned());
                let detail = format!("{place} does not exist");
                self.tell(Problem::TrashNodeMissing, place, at.clone(), detail, remedy, Some(mend));
                self.other(path(&self.scan.space, place));
            }
        }
        for place in self.scan.places.keys().filter(|place| split(place).1) {
            if !links.contains(place.as_str()) {
                let mend = Mend::ListTrash { place: place.clone() };
                let detail = "the trash does not list it".to_owned();
                self.mend(Problem::TrashLinkMissing, place, detail, "it is listed again", mend);
            }
        }
    }
}
