//! Moving within a space, and what moves and copies have in common.

use std::collections::HashMap;

use ocis_core::event::EventKind;
use ocis_core::id::NodeId;
use ocis_core::path::MAX_DEPTH;
use ocis_core::permissions::Permissions;
use ocis_core::port::{Changed, Move};
use ocis_core::{Error, Result, access};

use super::access::Place;
use super::change::Change;
use crate::journal::Action;
use crate::layout::attributes as key;
use crate::layout::paths;

impl Change<'_> {
    /// Moves a node within its space.
    pub(crate) fn rename(&mut self, request: &Move) -> Result<Changed> {
        let from = self.place(&request.from)?;
        if from.is_root() {
            return Err(Error::denied("the root of a space cannot be moved"));
        }
        let (folder, name) = self.spot(&request.to)?;
        self.not_over_itself(&from, &folder, &name)?;
        if from.space != folder.space {
            return Err(Error::internal("a move to another space is a copy"));
        }
        self.may_take_out(&from, Permissions::MOVE)?;
        self.met(Some(&**from.entry()?), &request.conditions)?;
        let id = from.id()?;
        not_into_itself(&folder, &id)?;
        self.not_too_deep(&from, &folder)?;
        let old = from.entry()?.info.name.clone();
        let parent =
            from.entry()?.info.parent.clone().ok_or_else(|| Error::internal("no parent"))?;
        // Links and metadata may disagree (`unlist_node`), and two links may lead to one node.
        let is_there = self.child(&folder.space, &folder.id()?, &name)?.as_ref() == Some(&id);
        if is_there && parent == folder.id()? && old == name {
            return Ok(Changed { node: self.view(&from)?, created: false });
        }
        let tokens = &request.conditions.lock_tokens;
        self.all_unlocked(&from, tokens)?;
        let created = !is_there && self.make_room(&folder, &name, request.overwrite, tokens)?;
        let entry = std::sync::Arc::clone(from.entry()?);
        let mut attributes = entry.attributes.clone();
        attributes.set(key::NAME, &name);
        attributes.set(key::PARENT, folder.id()?);
        self.put(&from.space, &id, attributes, Vec::new())?;
        // Locks do not travel (RFC 4918 section 7.5).
        self.act(Action::Remove(paths::lock(&from.space, &id)));
        self.unlist_node(&from.space, &parent, &entry.info)?;
        self.list(&from.space, &folder.id()?, &name, &id);
        let size = i64::try_from(entry.info.size).unwrap_or(i64::MAX);
        self.propagate(&from.space, &parent, -size)?;
        self.propagate(&from.space, &folder.id()?, size)?;
        let (node, about) = self.outcome(&entry.info.id)?;
        self.tell(EventKind::ItemMoved { node: about, from: from.path()?, from_parent: parent });
        Ok(Changed { node, created })
    }

    /// Refuses when the destination is a folder that the node lies in: it would go to the trash with
    /// the node in it.
    pub(super) fn not_over_itself(
        &mut self,
        from: &Place,
        folder: &Place,
        name: &str,
    ) -> Result<()> {
        let Some(there) = self.child(&folder.space, &folder.id()?, name)? else { return Ok(()) };
        let mut above = from.line.iter().rev().skip(1);
        if from.space == folder.space && above.any(|entry| entry.info.id.node == there) {
            return Err(Error::conflict("it cannot take the place of a folder that it lies in"));
        }
        Ok(())
    }

    /// Refuses when something of what lies in `from` would come deeper in `folder` than a path can
    /// name: nobody would reach it any more.
    pub(super) fn not_too_deep(&mut self, from: &Place, folder: &Place) -> Result<()> {
        let depth = folder.line.len();
        if depth < from.line.len() {
            return Ok(());
        }
        let (mut depths, mut deepest) = (HashMap::from([(from.id()?, depth)]), depth);
        // A folder comes before what lies in it.
        for entry in self.all_below(from)? {
            let above = entry.info.parent.as_ref().and_then(|parent| depths.get(parent));
            let here = above.map_or(depth, |above| above + 1);
            deepest = deepest.max(here);
            depths.insert(entry.info.id.node.clone(), here);
        }
        if deepest > MAX_DEPTH {
            return Err(Error::invalid(format!(
                "something in it would lie deeper than {MAX_DEPTH} folders"
            )));
        }
        Ok(())
    }

    /// What is in the way at the destination, if anything; refuses unless it may be put into the
    /// trash, or something may come there.
    pub(super) fn in_the_way(
        &mut self,
        folder: &Place,
        name: &str,
        overwrite: bool,
        tokens: &[String],
    ) -> Result<Option<Place>> {
        let Some(there) = self.below(folder, name)? else {
            access::require(folder.permissions, Permissions::CREATE_CONTAINER)?;
            self.unlocked(folder, tokens)?;
            return Ok(None);
        };
        if !overwrite {
            return Err(Error::precondition("there is something at the destination"));
        }
        access::require(self.permissions(&there), Permissions::DELETE)?;
        self.all_unlocked(&there, tokens)?;
        Ok(Some(there))
    }

    /// Sees to it that nothing is in the way at the destination; says whether nothing was.
    pub(crate) fn make_room(
        &mut self,
        folder: &Place,
        name: &str,
        overwrite: bool,
        tokens: &[String],
    ) -> Result<bool> {
        let there = self.in_the_way(folder, name, overwrite, tokens)?;
        there.as_ref().map_or(Ok(()), |there| self.discard(there))?;
        Ok(there.is_none())
    }
}

pub(super) fn not_into_itself(folder: &Place, id: &NodeId) -> Result<()> {
    if folder.line.iter().any(|entry| entry.info.id.node == *id) {
        return Err(Error::conflict("it cannot go into itself"));
    }
    Ok(())
}
