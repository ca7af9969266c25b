//! What people who run a store look at and change by hand: sizes of folders, raw metadata, empty
//! folders in the trash.

use std::path::{Component, Path};
use std::sync::Arc;

use ocis_core::finding::Problem;
use ocis_core::id::{NodeId, SpaceId};
use ocis_core::port::{RawNode, WrongSize};
use ocis_core::{Cx, Error, Result};

use super::Store;
use super::change::Change;
use super::check::Part;
use super::check::scan::{Scan, entries, is_node, path};
use crate::fs::{Kind, is_missing};
use crate::journal::{Action, broken};
use crate::layout::attributes::{self as key, Attributes, PREFIX};
use crate::layout::paths;

/// What a repair of sizes alone mends.
fn is_size(problem: Problem) -> bool {
    problem == Problem::TreeSize
}

impl Store {
    /// The name of a space, and its folders whose size is not that of all below them, the innermost
    /// first. Blocking; `NotFound` when there is no such space.
    pub fn wrong_sizes(&self, space: &SpaceId) -> Result<(String, Vec<WrongSize>)> {
        self.journal.settle()?;
        let scan = Scan::read(self, space, false)?;
        if !scan.places.contains_key(space.as_str()) {
            return Err(Error::not_found(format!("there is no space {space}")));
        }
        let found = wrong(&scan);
        if found.1.is_empty() {
            return Ok(found);
        }
        // It may be under way.
        let state = self.settled()?;
        let found = Scan::read(self, space, false).map(|scan| wrong(&scan));
        drop(state);
        found
    }

    /// Corrects the sizes of a space's folders.
    pub async fn repair_sizes(self: &Arc<Self>, cx: &Cx, space: &SpaceId) -> Result<()> {
        self.repair_where(cx, &Part::Space(space.clone()), false, is_size).await.map(drop)
    }

    /// The metadata of a node, keys with their prefix. Blocking.
    pub fn raw_metadata(&self, node: &RawNode) -> Result<Vec<(String, Vec<u8>)>> {
        self.journal.settle()?;
        let attributes = self.read_raw(&self.raw_path(node)?)?;
        let all = attributes.under("");
        Ok(all.map(|(name, value)| (format!("{PREFIX}{name}"), value.to_vec())).collect())
    }

    fn read_raw(&self, path: &str) -> Result<Attributes> {
        let bytes = self.fs.read(&self.root().join(format!("{path}.mpk")));
        if is_missing(&bytes) {
            return Err(Error::not_found(format!("there is no {path}.mpk")));
        }
        Attributes::decode(&bytes.map_err(broken)?)
    }

    /// Where a node lies, relative to the root of the store, without the ending of metadata.
    fn raw_path(&self, node: &RawNode) -> Result<String> {
        let text = match node {
            RawNode::Id(space, node) => return Ok(paths::node(space, node)),
            RawNode::Path(text) => text,
        };
        let outside = || Error::invalid(format!("{text} is not below {}", self.root().display()));
        let relative = Path::new(text);
        if !relative.components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(outside());
        }
        let relative = relative.to_str().ok_or_else(outside)?;
        Ok(relative.strip_suffix(".mpk").unwrap_or(relative).to_owned())
    }

    /// Sets a key of a node's metadata, whatever it means. What cannot be read begins anew with this
    /// key.
    pub async fn set_raw_metadata(
        self: &Arc<Self>,
        cx: &Cx,
        node: &RawNode,
        name: &str,
        value: Vec<u8>,
    ) -> Result<()> {
        let bare = name.strip_prefix(PREFIX).filter(|bare| !bare.is_empty());
        let bare = bare.ok_or_else(|| Error::invalid(format!("a key begins with {PREFIX}")))?;
        let (bare, path) = (bare.to_owned(), self.raw_path(node)?);
        self.change_settled(cx, move |change| change.set_raw(&path, &bare, value)).await
    }

    /// The empty folders in the trash of a space, relative to the root of the store. Blocking.
    pub fn empty_folders(&self, space: &SpaceId) -> Result<Vec<String>> {
        let mut empty = Vec::new();
        let trash = format!("{}/trash", paths::space(space));
        self.without_links(&trash, &mut empty, &mut Vec::new())?;
        empty.sort();
        Ok(empty)
    }

    /// Removes the empty folders in the trash of a space, and those that hold nothing else.
    pub async fn remove_empty_folders(self: &Arc<Self>, cx: &Cx, space: &SpaceId) -> Result<()> {
        let trash = format!("{}/trash", paths::space(space));
        self.change_settled(cx, move |change| {
            let mut useless = Vec::new();
            change.store.without_links(&trash, &mut Vec::new(), &mut useless)?;
            useless.into_iter().for_each(|path| change.act(Action::RemoveEmpty(path)));
            Ok(())
        })
        .await
    }

    /// Collects the folders below `at` that are empty, and those that hold nothing but such folders,
    /// the innermost first. Tells whether `at` holds anything else.
    fn without_links(
        &self,
        at: &str,
        empty: &mut Vec<String>,
        useless: &mut Vec<String>,
    ) -> Result<bool> {
        let mut is_used = false;
        for entry in entries(&*self.fs, &self.root().join(at))? {
            let path = format!("{at}/{}", entry.name);
            if entry.kind != Kind::Folder {
                is_used = true;
                continue;
            }
            if entries(&*self.fs, &self.root().join(&path))?.is_empty() {
                empty.push(path.clone());
            }
            if self.without_links(&path, empty, useless)? {
                is_used = true;
            } else {
                useless.push(path);
            }
        }
        Ok(is_used)
    }
}

fn wrong(scan: &Scan) -> (String, Vec<WrongSize>) {
    let root = scan.places.get(scan.space.as_str());
    let name = root.and_then(|root| root.text("space.name").or_else(|| root.text(key::NAME)));
    let mut found = Vec::new();
    for (place, size) in scan.sizes() {
        let Some(folder) = scan.places.get(place).filter(|_| is_node(place)) else { continue };
        let (Some(calculated), Ok(node)) = (size, NodeId::parse(place)) else { continue };
        let said = folder.attributes().and_then(|has| has.get(key::TREE_SIZE));
        if folder.kind == Some(Kind::Folder) && said.unwrap_or(0) != calculated {
            let (path, internal) = (path_in_space(scan, place), path(&scan.space, place));
            found.push(WrongSize { node, path, internal, calculated, said });
        }
    }
    let depth = |of: &WrongSize| of.path.trim_end_matches('/').matches('/').count();
    found.sort_by(|a, b| depth(b).cmp(&depth(a)).then_with(|| a.path.cmp(&b.path)));
    (name.unwrap_or_default().to_owned(), found)
}

/// The names down to a node, as it and those above it say.
fn path_in_space(scan: &Scan, place: &str) -> String {
    let (mut names, mut next) = (Vec::new(), place);
    while next != scan.space.as_str() && names.len() <= ocis_core::path::MAX_DEPTH {
        let Some((_, found)) = scan.wherever(next) else { break };
        names.push(found.text(key::NAME).unwrap_or_default());
        let Some(parent) = found.text(key::PARENT) else { break };
        next = parent;
    }
    names.reverse();
    format!("/{}", names.join("/"))
}

impl Change<'_> {
    fn set_raw(&mut self, path: &str, name: &str, value: Vec<u8>) -> Result<()> {
        let root = self.store.root();
        let mut attributes = match self.store.read_raw(path) {
            Ok(attributes) => attributes,
            Err(error) if is_missing(&self.store.fs.stat(&root.join(path))) => return Err(error),
            Err(_) => Attributes::default(),
        };
        attributes.set_bytes(name, value);
        self.act(Action::Put(format!("{path}.mpk"), attributes.encode()));
        let Some((space, place)) = place(path) else { return Ok(()) };
        if let (true, Ok(id)) = (is_node(&place), NodeId::parse(&place)) {
            self.renew(&space, &id, attributes)?;
        }
        Ok(())
    }
}

/// The space and place of a path.
fn place(path: &str) -> Option<(SpaceId, String)> {
    let (space, place) = path.strip_prefix("spaces/")?.split_once("/nodes/")?;
    Some((SpaceId::parse(&space.replace('/', "")).ok()?, place.replace('/', "")))
}
