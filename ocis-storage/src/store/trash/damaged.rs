//! What a purge could not remove because it is damaged, and how a repair has it removed.
//!
//! A removal follows what describes a node; where that cannot be read, it leaves the node and the
//! folders around it. A repair lets it go on: what was deleted is described anew, as far as its kind is
//! seen, and the folders in it cease to list what is damaged. Such nodes stay and are found by the next
//! check, because nobody knows whether they lie there.

use ocis_core::id::{NodeId, SpaceId};
use ocis_core::{Error, Result};

use crate::fs::Kind;
use crate::journal::Action;
use crate::layout::attributes::{self as key, Attributes};
use crate::store::change::Change;
use crate::store::check::scan::{Child, Found, Scan, path, split};

/// Whether a removal can follow it.
fn is_described(found: &Found) -> bool {
    found.text(key::TYPE).is_some()
}

impl Change<'_> {
    /// Sees to it that the files of something that was purged can be removed.
    pub(in crate::store) fn free_purged(&mut self, scan: &Scan, place: &str) -> Result<()> {
        let (space, gone) = (&scan.space, || Error::not_found("it is gone"));
        let Some((order, text)) = self.store.orders.mended(space, place)? else { return Ok(()) };
        self.act(Action::Put(order, text));
        let top = scan.places.get(place).ok_or_else(gone)?;
        if !is_described(top) {
            let id = NodeId::parse(split(place).0)?;
            let attributes = described(space, &id, top.kind == Some(Kind::Folder));
            self.act(Action::Put(format!("{}.mpk", path(space, place)), attributes.encode()));
        }
        let mut open = vec![(place.to_owned(), top)];
        while let Some((place, folder)) = open.pop() {
            for (name, child) in &folder.children {
                let node = match child {
                    Child::Node(id) => scan.places.get_key_value(id.as_str()),
                    Child::Foreign(_) => None,
                };
                match node {
                    Some((_, node)) if !is_described(node) => {
                        self.act(Action::Remove(format!("{}/{name}", path(space, &place))));
                    }
                    Some((id, node)) if node.text(key::PARENT) == Some(split(&place).0) => {
                        open.push((id.clone(), node));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

/// As much as a removal needs.
fn described(space: &SpaceId, id: &NodeId, is_folder: bool) -> Attributes {
    let mut attributes = Attributes::default();
    attributes.set(key::TYPE, if is_folder { 2 } else { 1 });
    attributes.set(key::ID, id);
    attributes.set(key::NAME, id);
    attributes.set(key::PARENT, space);
    attributes
}
