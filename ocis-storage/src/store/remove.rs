//! Into the trash.

use ocis_core::access;
use ocis_core::event::EventKind;
use ocis_core::permissions::Permissions;
use ocis_core::port::Delete;
use ocis_core::{Error, Result};

use super::access::Place;
use super::change::Change;
use crate::journal::Action;
use crate::layout::attributes as key;
use crate::layout::paths;

impl Change<'_> {
    /// Puts a node into the trash.
    pub(crate) fn delete(&mut self, request: &Delete) -> Result<()> {
        let place = self.place(&request.target)?;
        if place.is_root() {
            return Err(Error::denied("the root of a space cannot be deleted"));
        }
        access::require(place.permissions, Permissions::DELETE)?;
        self.met(Some(&**place.entry()?), &request.conditions)?;
        self.all_unlocked(&place, &request.conditions.lock_tokens)?;
        self.discard(&place)
    }

    /// Moves a node into the trash, whatever permissions and locks say.
    pub(crate) fn discard(&mut self, place: &Place) -> Result<()> {
        self.tell(EventKind::ItemTrashed { node: place.named()? });
        let (space, entry) = (&place.space, place.entry()?);
        let (id, when) = (place.id()?, self.stamp());
        let parent = entry.info.parent.clone().ok_or_else(|| Error::internal("no parent"))?;
        let mut attributes = entry.attributes.clone();
        attributes.set(key::TRASH_ORIGIN, format!("/{}", place.path()?));
        self.put(space, &id, attributes, Vec::new())?;
        let (node, trashed) = (paths::node(space, &id), paths::trashed(space, &id, when));
        let target = paths::trash_target(&id, when).to_string_lossy().into_owned();
        self.act(Action::Link(paths::trash(space, &id), target));
        self.act(Action::Rename(format!("{node}.mpk"), format!("{trashed}.mpk")));
        self.act(Action::Rename(node, trashed));
        self.act(Action::Remove(paths::lock(space, &id)));
        self.unlist_node(space, &parent, &entry.info)?;
        self.forget(space, &id);
        let size = i64::try_from(entry.info.size).unwrap_or(i64::MAX);
        for below in self.all_below(place)? {
            self.forget(space, &below.info.id.node);
        }
        self.propagate(space, &parent, -size)
    }
}
