//! Emptying the trash: one step, however long the removal takes.
//!
//! What is to go may be a million files, and no record holds the removal of them all. So the record
//! of an emptying only says what is to go: it makes a file of ours, the *order*, which names the
//! deleted nodes. From then on the trash does not have them any more, whoever asks. Their files are
//! removed in batches afterwards, and then the order; what a crash or a full disk leaves of that is
//! done in the background when the store was opened ([`Store::finish_purges`]), or at the next
//! emptying. What seems damaged is told once and stays in the order. It is tried again
//! quietly, because a failure of the disk may look like damage, and can be repaired (`damaged.rs`).
//!
//! An order names a deleted node with the time of its deletion: what somebody took out of the trash
//! in the very moment, and perhaps deleted again, is not what was meant.

use std::collections::HashSet;

use ocis_core::event::EventKind;
use ocis_core::id::{NodeId, ResourceId, SpaceId};
use ocis_core::permissions::Permissions;
use ocis_core::time::Timestamp;
use ocis_core::version::Purged;
use ocis_core::{Caller, Cx, Error, ErrorKind, Result};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::purge::{Batch, Beside, PAGE, Walk};
use super::{Found, Store};
use crate::fs::is_missing;
use crate::journal::{Action, broken};
use crate::layout::paths;
use crate::store::OURS;
use crate::store::change::Submitted;

/// Deleted nodes in one order; its record holds their events as well, some four megabytes.
const ITEMS: usize = 10_000;

/// Where orders lie, relative to the root of the store.
fn folder() -> String {
    format!("{OURS}/purging")
}

/// What is to go.
#[derive(Debug, Serialize, Deserialize)]
struct Order {
    space: SpaceId,
    /// The deleted nodes, with the time of their deletion as their files write it.
    items: Vec<(NodeId, String)>,
    /// Whether these are what was left of it because they, or something in them, are damaged.
    #[serde(default)]
    is_damaged: bool,
}

impl Order {
    fn places(&self) -> impl Iterator<Item = String> {
        self.items.iter().map(|(id, when)| paths::trashed(&self.space, id, when))
    }

    fn encode(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self)
            .map_err(|error| Error::internal("an order cannot be written").because(error))
    }
}

/// An order with the path of its file.
type Placed = (String, Order);

/// What the trash does not have any more although its files are still there.
#[derive(Debug, Default)]
pub(in crate::store) struct Orders(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// The places of the deleted nodes that orders name.
    hidden: HashSet<String>,
    /// Orders whose removals broke off, or that are from before the store was opened.
    left: Vec<Placed>,
}

/// What a removal could not remove, and why.
#[derive(Debug, Default)]
struct Stuck {
    items: Vec<(NodeId, String)>,
    error: Option<Error>,
}

impl Orders {
    /// Whether an order names the deleted node at this place.
    pub(super) fn names(&self, place: &str) -> bool {
        self.0.lock().hidden.contains(place)
    }

    /// What was purged from a space and waits for a repair because it is damaged: `<id>.T.<time>`.
    pub(in crate::store) fn damaged(&self, space: &SpaceId) -> Vec<String> {
        let known = self.0.lock();
        let orders = known.left.iter().filter(|(_, it)| it.is_damaged && it.space == *space);
        orders.flat_map(|(_, it)| &it.items).map(|(id, when)| format!("{id}.T.{when}")).collect()
    }

    /// What is left of the order that names `place`, after a repair, is removed like that of others.
    /// The file of the order as it is to be from now on; none when it is known.
    pub(super) fn mended(&self, space: &SpaceId, place: &str) -> Result<Option<(String, Vec<u8>)>> {
        let mut known = self.0.lock();
        let names = |(_, it): &Placed| {
            let is_it = |(id, at): &(NodeId, String)| format!("{id}.T.{at}") == place;
            it.is_damaged && it.space == *space && it.items.iter().any(is_it)
        };
        let Some(at) = known.left.iter().position(names) else { return Ok(None) };
        let Some((path, order)) = known.left.get_mut(at) else { return Ok(None) };
        order.is_damaged = false;
        Ok(Some((path.clone(), order.encode()?)))
    }
}

impl Store {
    /// Removes what was deleted from a space, and before a time if one is given, as far as the
    /// caller may. Blocking.
    pub(super) fn empty_trash(
        &self,
        cx: &Cx,
        root: &ResourceId,
        before: Option<Timestamp>,
    ) -> Result<Purged> {
        self.look(cx, |change| change.trash_root(root, Permissions::PURGE_TRASH))?;
        self.journal.settle()?;
        let (mut placed, mut damaged, mut total) = (Vec::new(), None, Purged::default());
        // All are placed first, so that little time is between them.
        let all = self.place_all(cx, &root.space, before, &mut placed, &mut damaged);
        let left = std::mem::take(&mut self.orders.0.lock().left);
        for order in placed {
            let stuck = self.carry_out(cx, order, &mut total);
            damaged = damaged.or(stuck);
        }
        // Of what is damaged in earlier ones, those were told who gave them.
        for order in left {
            self.carry_out(cx, order, &mut total);
        }
        all?;
        damaged.map_or(Ok(total), Err)
    }

    fn place_all(
        &self,
        cx: &Cx,
        space: &SpaceId,
        before: Option<Timestamp>,
        placed: &mut Vec<Placed>,
        damaged: &mut Option<Error>,
    ) -> Result<()> {
        let (mut found, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let (ids, next) = self.trash_ids(space, cursor.as_deref(), PAGE)?;
            for id in ids {
                let find = || self.to_be_purged(cx, space, &id, before);
                // Many failures pass, and one must not part what goes from what stays.
                let item = find().or_else(|error| match error.kind() {
                    ErrorKind::Internal => find(),
                    _ => Err(error),
                });
                match item {
                    Ok(item) => found.extend(item),
                    // Somebody else may do it.
                    Err(error) if error.kind() == ErrorKind::PermissionDenied => {}
                    // What is damaged does not keep the others.
                    Err(error) if error.kind() == ErrorKind::Internal => {
                        tracing::error!(?error, node = %id, "left behind by a purge");
                        *damaged = Some(error);
                    }
                    Err(error) => return Err(error),
                }
            }
            if found.len() >= ITEMS || (next.is_none() && !found.is_empty()) {
                placed.push(self.place(cx, std::mem::take(&mut found))?);
            }
            let Some(next) = next else { return Ok(()) };
            cursor = Some(next);
        }
    }

    /// What was deleted, if it is to go.
    fn to_be_purged(
        &self,
        cx: &Cx,
        space: &SpaceId,
        id: &NodeId,
        before: Option<Timestamp>,
    ) -> Result<Option<Found>> {
        let found = self.deleted(space, id)?;
        let old = |deleted: &Timestamp| before.is_none_or(|before| *deleted < before);
        let Some((top, deleted)) = found.filter(|(_, deleted)| old(deleted)) else {
            return Ok(None);
        };
        let found = Found { space: space.clone(), deleted, top, below: Vec::new() };
        self.look(cx, |change| change.may(&found, Permissions::PURGE_TRASH))?;
        Ok(Some(found))
    }

    /// Removes one item for good, in one step.
    pub(super) fn order_one(&self, cx: &Cx, found: Found) -> Result<Purged> {
        self.look(cx, |change| change.may(&found, Permissions::PURGE_TRASH))?;
        let (placed, mut total) = (self.place(cx, vec![found])?, Purged::default());
        self.carry_out(cx, placed, &mut total).map_or(Ok(total), Err)
    }

    /// Takes what was found out of the trash, in one step.
    fn place(&self, cx: &Cx, found: Vec<Found>) -> Result<Placed> {
        // Nobody is taking anything of it out of the trash meanwhile.
        let _trash = self.trash.blocking_lock();
        let Some(space) = found.first().map(|first| first.space.clone()) else {
            return Err(Error::internal("nothing was ordered"));
        };
        let when = |found: &Found| found.top.place.rsplit_once(".T.").map(|(_, when)| when.into());
        let items = found.iter().filter_map(|it| Some((it.top.id.clone(), when(it)?))).collect();
        let order = Order { space, items, is_damaged: false };
        let text = order.encode()?;
        let path = format!("{}/{}", folder(), NodeId::random());
        let ((), submitted) = self.begin(cx, |change| {
            change.act(Action::Put(path.clone(), text));
            for found in &found {
                let storage = self.options.storage.clone();
                let space = ResourceId::root(storage, found.space.clone());
                let (key, from) = (found.key(), found.origin());
                change.tell(EventKind::ItemPurged { space, key, from });
            }
            Ok(())
        })?;
        self.wait_for(submitted)?;
        self.orders.0.lock().hidden.extend(order.places());
        Ok((path, order))
    }

    /// Removes the files of what an order names, and the order. What cannot be removed because the
    /// disk fails, or because it is damaged, is tried again later: for whoever asks, it is gone
    /// already. Gives the error of something damaged.
    fn carry_out(&self, cx: &Cx, (path, order): Placed, total: &mut Purged) -> Option<Error> {
        let mut stuck = Stuck::default();
        let removed = self
            .remove_ordered(cx, &order, total, &mut stuck)
            .and_then(|()| self.end_order(cx, &path, &order, stuck.items));
        let mut orders = self.orders.0.lock();
        match removed {
            Ok(rest) => {
                order.places().for_each(|place| _ = orders.hidden.remove(&place));
                if let Some(rest) = rest {
                    orders.hidden.extend(rest.places());
                    orders.left.push((path, rest));
                }
            }
            Err(error) => {
                tracing::warn!(?error, "what was purged takes up room until the next emptying");
                orders.left.push((path, order));
            }
        }
        stuck.error
    }

    /// An order goes, or names from now on what of it is damaged.
    fn end_order(
        &self,
        cx: &Cx,
        path: &str,
        order: &Order,
        damaged: Vec<(NodeId, String)>,
    ) -> Result<Option<Order>> {
        let space = order.space.clone();
        let rest = Order { space, items: damaged, is_damaged: true };
        let rest = Some(rest).filter(|rest| !rest.items.is_empty());
        if order.is_damaged && rest.as_ref().is_some_and(|rest| rest.items == order.items) {
            return Ok(rest);
        }
        let text = rest.as_ref().map(Order::encode).transpose()?;
        let ((), submitted) = self.begin(cx, |change| {
            change.act(match text {
                Some(text) => Action::Put(path.to_owned(), text),
                None => Action::Remove(path.to_owned()),
            });
            Ok(())
        })?;
        self.wait_for(submitted)?;
        Ok(rest)
    }

    fn remove_ordered(
        &self,
        cx: &Cx,
        order: &Order,
        total: &mut Purged,
        stuck: &mut Stuck,
    ) -> Result<()> {
        // Also sizes of folders: nobody but this changes the files from now on.
        self.journal.settle()?;
        let (mut rest, mut walk) = (order.items.iter().peekable(), Walk::default());
        let mut beside = Beside::default();
        while rest.peek().is_some() {
            let (mut parts, mut room) = (Vec::<(Found, Batch)>::new(), self.options.purge_steps);
            while let Some((id, when)) = rest.peek() {
                let found = self.ordered(&order.space, id, when);
                let batch = found.and_then(|found| match found {
                    Some(found) => {
                        let batch = self.batch(&found, &mut walk, &mut beside, room.max(1))?;
                        Ok(Some((batch, found)))
                    }
                    None => Ok(None),
                });
                let is_done = match batch {
                    Ok(Some((batch, found))) => {
                        let is_last = batch.is_last;
                        room = room.saturating_sub(batch.steps.len());
                        parts.push((found, batch));
                        is_last
                    }
                    Ok(None) => true,
                    Err(error) if error.kind() == ErrorKind::Internal => {
                        // It was told before.
                        if !order.is_damaged {
                            tracing::error!(
                                ?error, space = %order.space, node = %id,
                                "purged, but damaged, so its files are still there: `ocis backup \
                                 consistency --repair` removes them"
                            );
                        }
                        stuck.items.push((id.clone(), when.clone()));
                        stuck.error = Some(error);
                        true
                    }
                    Err(error) => return Err(error),
                };
                if is_done {
                    rest.next();
                    walk = Walk::default();
                } else {
                    beside = Beside::default();
                }
                // What is begun is looked at again when this part of it is in the files.
                if !is_done || room == 0 {
                    break;
                }
            }
            let purged: Vec<Purged> = parts.iter().map(|(_, batch)| batch.purged).collect();
            let ((), submitted) = self.begin(cx, |change| {
                parts.into_iter().for_each(|(found, batch)| change.purge_part(&found, batch));
                Ok(())
            })?;
            self.wait_for(submitted)?;
            for part in purged {
                total.items += part.items;
                total.blobs += part.blobs;
                total.bytes += part.bytes;
            }
        }
        Ok(())
    }

    /// What an order names, if it is still there.
    fn ordered(&self, space: &SpaceId, id: &NodeId, when: &str) -> Result<Option<Found>> {
        let found = self.deleted_on_disk(space, id)?;
        let found = found.filter(|(top, _)| top.place == paths::trashed(space, id, when));
        Ok(found.map(|(top, deleted)| {
            let space = space.clone();
            Found { space, deleted, top, below: Vec::new() }
        }))
    }

    fn wait_for(&self, submitted: Option<Submitted>) -> Result<()> {
        let Some(submitted) = submitted else { return Ok(()) };
        let answered = futures::executor::block_on(submitted.answered);
        answered.map_err(|_| Error::unavailable("the storage is closing"))?
    }

    /// Finds the orders from before the store was opened: what they name is hidden from now on.
    /// Blocking.
    pub(in crate::store) fn find_orders(&self) -> Result<()> {
        let entries = self.fs.read_dir(&self.root.join(folder()));
        if is_missing(&entries) {
            return Ok(());
        }
        let mut known = self.orders.0.lock();
        for entry in entries.map_err(broken)? {
            let path = format!("{}/{}", folder(), entry.name);
            let text = self.fs.read(&self.root.join(&path)).map_err(broken)?;
            match serde_json::from_slice::<Order>(&text) {
                Ok(order) => {
                    known.hidden.extend(order.places());
                    known.left.push((path, order));
                }
                Err(error) => tracing::error!(%error, path, "an order that cannot be read"),
            }
        }
        Ok(())
    }

    /// Removes what purges that broke off have left; until then it takes up room. To be called once
    /// the store is open, beside everything else; blocking. What fails is told, and tried again at the
    /// next emptying of a trash.
    pub fn finish_purges(&self) -> Result<()> {
        let left = std::mem::take(&mut self.orders.0.lock().left);
        // Its events were told with the order, and nothing of a removal bears a time.
        let cx = Cx::new(Caller::Service("storage".into()), Timestamp::from_unix(0, 0)?);
        for order in left {
            self.carry_out(&cx, order, &mut Purged::default());
        }
        Ok(())
    }
}
