//! Who else may use a node: given, changed and taken back.

use std::sync::Arc;

use ocis_core::access::{self, Grant, Grantee};
use ocis_core::event::EventKind;
use ocis_core::id::UserId;
use ocis_core::permissions::Permissions;
use ocis_core::port::{RemoveGrant, SetGrant};
use ocis_core::reference::Reference;
use ocis_core::{Caller, Error, Result};

use super::access::Place;
use super::change::Change;
use crate::journal::Action;
use crate::layout::attributes::{self as key, Attributes};
use crate::layout::{grant, index, paths};

impl Change<'_> {
    /// The grants on exactly this node. Of a space that is out of use, those who manage it see the
    /// members.
    pub(crate) fn grants(&mut self, target: &Reference) -> Result<Vec<Grant>> {
        if target.path.is_root() && target.base.is_root() {
            let root = self.space_root(&target.base)?;
            if root.is_disabled() && root.is_managed() {
                return Ok(root.entry.grants.clone());
            }
        }
        let place = self.place(target)?;
        access::require(place.permissions, Permissions::LIST_GRANTS)?;
        Ok(place.entry()?.grants.clone())
    }

    /// Gives a grant, or changes it.
    pub(crate) fn set_grant(&mut self, request: &SetGrant) -> Result<()> {
        let place = self.place(&request.target)?;
        let entry = Arc::clone(place.entry()?);
        let mut grant = request.grant.clone();
        let former = entry.grants.iter().find(|held| held.grantee == grant.grantee);
        let need = match former {
            Some(former) if self.is_by_caller(former) => Permissions::STAT,
            Some(_) => Permissions::UPDATE_GRANT,
            None => Permissions::ADD_GRANT,
        };
        access::require(place.permissions, need)?;
        if grant.permissions == Permissions::NONE {
            access::require(place.permissions, Permissions::DENY_GRANT)?;
            if place.is_root() {
                return Err(Error::invalid("nobody can be denied a space: end the membership"));
            }
        } else if !access::is_allowed(place.permissions, grant.permissions) {
            return Err(Error::denied("you cannot give more than you have"));
        }
        if grant.expires.is_some_and(|end| end <= self.cx.now) {
            return Err(Error::invalid("the grant would have ended already"));
        }
        grant.creator = match (former.and_then(|former| former.creator.clone()), &self.cx.caller) {
            (Some(creator), _) => Some(creator),
            (None, Caller::User(identity)) => Some(identity.id.clone()),
            (None, _) => grant.creator,
        };
        let mut grants = entry.grants.clone();
        grants.retain(|held| held.grantee != grant.grantee);
        grants.push(grant.clone());
        self.is_still_managed(&place, &grants)?;
        self.unlocked(&place, &request.lock_tokens)?;
        let mut attributes = entry.attributes.clone();
        attributes.set_bytes(name(&grant.grantee), grant::write(&grant));
        // oCIS lists the spaces that something is shared out of, and never ceases to.
        let path = match place.is_root() {
            true => index::of(&grant.grantee),
            false => paths::index_by_type("share"),
        };
        let value = paths::index_value(&place.space);
        self.act(Action::Index(path, place.space.clone(), value));
        let (space, grantee) = (place.entry()?.info.id.clone(), grant.grantee);
        if place.is_root() {
            self.tell(match former {
                Some(_) => EventKind::SpaceShareUpdated { space, grantee },
                None => EventKind::SpaceShared { space, grantee },
            });
        }
        self.put_grants(&place, attributes)
    }

    /// Takes a grant back.
    pub(crate) fn remove_grant(&mut self, request: &RemoveGrant) -> Result<()> {
        let place = self.place(&request.target)?;
        let entry = Arc::clone(place.entry()?);
        let former = entry.grants.iter().find(|held| held.grantee == request.grantee);
        let is_mine = former.is_some_and(|former| self.is_by_caller(former));
        if !is_mine {
            access::require(place.permissions, Permissions::REMOVE_GRANT)?;
        }
        if former.is_none() {
            return Err(Error::not_found("there is no such grant"));
        }
        let mut grants = entry.grants.clone();
        grants.retain(|held| held.grantee != request.grantee);
        self.is_still_managed(&place, &grants)?;
        self.unlocked(&place, &request.lock_tokens)?;
        let mut attributes = entry.attributes.clone();
        attributes.remove(&name(&request.grantee));
        let is_owner = match &request.grantee {
            Grantee::User(user) => entry.info.owner.as_ref() == Some(user),
            Grantee::Group(_) => false,
        };
        if place.is_root() && !is_owner {
            self.act(Action::Unindex(index::of(&request.grantee), place.space.clone()));
        }
        if place.is_root() {
            let (space, grantee) = (entry.info.id.clone(), request.grantee.clone());
            self.tell(EventKind::SpaceUnshared { space, grantee });
        }
        self.put_grants(&place, attributes)
    }

    fn is_by_caller(&self, grant: &Grant) -> bool {
        let caller: Option<&UserId> = self.cx.caller.identity().ok().map(|identity| &identity.id);
        caller.is_some() && grant.creator.as_ref() == caller
    }

    /// Refuses unless somebody manages the space when it has these grants.
    fn is_still_managed(&self, place: &Place, grants: &[Grant]) -> Result<()> {
        let manages = |grant: &Grant| {
            grant.permissions.allows(Permissions::REMOVE_GRANT) && grant.expires.is_none()
        };
        let entry = place.entry()?;
        let loses = entry.grants.iter().any(manages) && !grants.iter().any(manages);
        if place.is_root() && entry.info.owner.is_none() && loses {
            return Err(Error::denied("a space needs somebody who manages it"));
        }
        Ok(())
    }

    fn put_grants(&mut self, place: &Place, attributes: Attributes) -> Result<()> {
        let entry = place.entry()?;
        let node = &entry.info.id.node;
        self.put(&place.space, node, attributes, entry.locks.clone())?;
        match &entry.info.parent {
            Some(parent) => self.propagate(&place.space, parent, 0),
            None => Ok(()),
        }
    }
}

fn name(grantee: &Grantee) -> String {
    format!("{}{}", key::GRANT, grant::key(grantee))
}
