//! Taking and giving back locks.

use ocis_core::access;
use ocis_core::event::EventKind;
use ocis_core::lock::{ActiveLock, Lock, LockScope};
use ocis_core::permissions::Permissions;
use ocis_core::port::{LockNode, Locked, RefreshLock, Unlock};
use ocis_core::reference::Reference;
use ocis_core::{Caller, Error, ErrorKind, Result};

use super::access::Place;
use super::change::Change;

impl Change<'_> {
    /// Takes a lock.
    pub(crate) fn lock(&mut self, request: &LockNode) -> Result<Locked> {
        let (place, created) = match self.place(&request.target) {
            Err(error) if error.kind() == ErrorKind::NotFound && request.create => {
                let node = self.touch(&request.target, &request.conditions)?;
                (self.place(&Reference::node(node.info.id.clone()))?, true)
            }
            result => (result?, false),
        };
        access::require(place.permissions, Permissions::UPLOAD)?;
        if !created {
            self.met(Some(&**place.entry()?), &request.conditions)?;
        }
        let clash = |held: &Lock| {
            held.scope == LockScope::Exclusive || request.scope == LockScope::Exclusive
        };
        if place.locks(self)?.iter().any(|held| clash(&held.lock)) {
            return Err(Error::locked("it is locked already"));
        }
        if request.deep && self.locks_below(&place)?.iter().any(clash) {
            return Err(Error::locked("something in it is locked already"));
        }
        let lock = Lock {
            token: format!("urn:uuid:{}", uuid::Uuid::new_v4()),
            scope: request.scope,
            deep: request.deep,
            owner: request.owner.clone(),
            app_name: request.app_name.clone(),
            user: self.cx.caller.identity().ok().map(|identity| identity.id.clone()),
            owner_name: self.cx.caller.identity().ok().map(|me| me.display_name.clone()),
            taken: Some(self.cx.now),
            expires: request.expires,
        };
        let mut locks = self.alive(&place)?;
        locks.push(lock.clone());
        self.replace(&place, locks)?;
        let (node, about) = self.outcome(&place.entry()?.info.id)?;
        self.tell(EventKind::FileLocked { node: about });
        let lock = ActiveLock { lock, root: node.path.clone() };
        Ok(Locked { lock, node, created })
    }

    fn locks_below(&mut self, place: &Place) -> Result<Vec<Lock>> {
        let (now, below) = (self.cx.now, self.all_below(place)?);
        let locks = below.iter().flat_map(|entry| &entry.locks);
        Ok(locks.filter(|lock| lock.is_alive(now)).cloned().collect())
    }

    fn alive(&self, place: &Place) -> Result<Vec<Lock>> {
        let now = self.cx.now;
        Ok(place.entry()?.locks.iter().filter(|lock| lock.is_alive(now)).cloned().collect())
    }

    fn replace(&mut self, place: &Place, locks: Vec<Lock>) -> Result<()> {
        let entry = std::sync::Arc::clone(place.entry()?);
        self.put_locks(&place.space, &place.id()?, &entry, locks).map(drop)
    }

    /// The place where a lock that covers the node was taken.
    fn holder(&mut self, target: &Reference, token: &str) -> Result<Option<Place>> {
        let place = self.place(target)?;
        let now = self.cx.now;
        let held = |entry: &super::state::Entry| {
            entry.locks.iter().any(|lock| lock.token == token && lock.is_alive(now))
        };
        let Some(depth) = place.line.iter().position(|entry| held(entry)) else { return Ok(None) };
        let mut holder = place;
        holder.line.truncate(depth + 1);
        Ok(Some(holder))
    }

    /// Moves the end of a lock.
    pub(crate) fn refresh_lock(&mut self, request: &RefreshLock) -> Result<ActiveLock> {
        let none = || Error::precondition("there is no such lock");
        let holder = self.holder(&request.target, &request.token)?.ok_or_else(none)?;
        access::require(self.permissions(&holder), Permissions::UPLOAD)?;
        let mut locks = self.alive(&holder)?;
        let lock = locks.iter_mut().find(|lock| lock.token == request.token).ok_or_else(none)?;
        lock.expires = request.expires;
        let lock = lock.clone();
        self.replace(&holder, locks)?;
        Ok(ActiveLock { lock, root: self.seen_path(&holder)? })
    }

    /// Gives a lock back.
    pub(crate) fn unlock(&mut self, request: &Unlock) -> Result<()> {
        let none = || Error::conflict("there is no such lock");
        let holder = self.holder(&request.target, &request.token)?.ok_or_else(none)?;
        let mut locks = self.alive(&holder)?;
        let taken = locks.iter().position(|lock| lock.token == request.token).ok_or_else(none)?;
        let lock = locks.swap_remove(taken);
        let is_mine = match &self.cx.caller {
            Caller::User(identity) => lock.user.as_ref().is_none_or(|user| *user == identity.id),
            Caller::Service(_) => true,
            Caller::Anonymous => false,
        };
        let owns = holder.line.first().is_some_and(|root| {
            root.info.owner.is_some()
                && self
                    .cx
                    .caller
                    .identity()
                    .is_ok_and(|me| root.info.owner.as_ref() == Some(&me.id))
        });
        if !is_mine && !owns {
            return Err(Error::denied("the lock is somebody else's"));
        }
        self.tell(EventKind::FileUnlocked { node: holder.named()? });
        self.replace(&holder, locks)
    }
}
