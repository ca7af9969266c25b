//! Tags of files and folders.

use std::collections::BTreeSet;
use std::sync::Arc;

use ocis_core::event::EventKind;
use ocis_core::node::{Node, NodeKind, TAGS};
use ocis_core::permissions::Permissions;
use ocis_core::port::Tag;
use ocis_core::reference::Reference;
use ocis_core::{Error, Result, access};

use super::access::Place;
use super::change::Change;
use crate::layout::attributes::METADATA;

/// The longest tag in bytes.
const MAX_TAG: usize = 255;
/// The most tags on one node, as in oCIS.
const MAX_TAGS: usize = 100;

impl Change<'_> {
    /// Changes the tags of a node.
    pub(crate) fn tag(&mut self, request: &Tag) -> Result<Node> {
        let place = self.place(&request.target)?;
        let entry = Arc::clone(place.entry()?);
        access::require(place.permissions, Permissions::UPLOAD)?;
        self.met(Some(&entry), &request.conditions)?;
        self.unlocked(&place, &request.conditions.lock_tokens)?;
        let mut tags: Vec<&str> = entry.info.tags().collect();
        tags.retain(|tag| !request.remove.iter().any(|gone| gone.trim() == *tag));
        for tag in request.add.iter().map(|tag| tag.trim()) {
            let is_wrong = tag.is_empty()
                || tag.len() > MAX_TAG
                || tag.contains(|char: char| char == ',' || char.is_control());
            if is_wrong {
                return Err(Error::invalid(format!(
                    "a tag has 1 to {MAX_TAG} bytes and no comma or control character"
                )));
            }
            if !tags.contains(&tag) {
                tags.push(tag);
            }
        }
        if tags.len() > MAX_TAGS {
            return Err(Error::invalid(format!("there can be {MAX_TAGS} tags at most")));
        }
        if !tags.iter().copied().eq(entry.info.tags()) {
            let (name, mut attributes) = (format!("{METADATA}{TAGS}"), entry.attributes.clone());
            let tags = tags.join(",");
            self.tell_tags(&place, &tags)?;
            match tags.is_empty() {
                true => attributes.remove(&name),
                false => attributes.set(name, tags),
            }
            let id = place.id()?;
            self.put(&place.space, &id, attributes, entry.locks.clone())?;
            let from = match entry.info.kind {
                NodeKind::Folder => Some(id),
                NodeKind::File => entry.info.parent.clone(),
            };
            from.map_or(Ok(()), |from| self.propagate(&place.space, &from, 0))?;
        }
        self.visible(&Reference::node(entry.info.id.clone()))
    }

    /// Tells which tags a change to `new`, separated by commas, adds and takes.
    pub(super) fn tell_tags(&mut self, place: &Place, new: &str) -> Result<()> {
        let new: BTreeSet<&str> =
            new.split(',').map(str::trim).filter(|tag| !tag.is_empty()).collect();
        let entry = Arc::clone(place.entry()?);
        let old: BTreeSet<&str> = entry.info.tags().collect();
        let only = |these: &BTreeSet<&str>, not: &BTreeSet<&str>| -> Vec<String> {
            these.difference(not).map(|tag| (*tag).to_owned()).collect()
        };
        let (added, removed) = (only(&new, &old), only(&old, &new));
        if !added.is_empty() {
            self.tell(EventKind::TagsAdded { node: place.named()?, tags: added });
        }
        if !removed.is_empty() {
            self.tell(EventKind::TagsRemoved { node: place.named()?, tags: removed });
        }
        Ok(())
    }
}
