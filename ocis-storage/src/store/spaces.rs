//! Spaces: made, described, changed, put out of use and taken into use again.

use std::sync::Arc;

use ocis_core::access::{self, Grant, Grantee, SpaceRight, has_right};
use ocis_core::event::EventKind;
use ocis_core::id::{NodeId, ResourceId, SpaceId, UserId};
use ocis_core::node::NodeKind;
use ocis_core::permissions::Permissions;
use ocis_core::port::{CreateSpace, UpdateSpace};
use ocis_core::quota::Quota;
use ocis_core::reference::Reference;
use ocis_core::space::{Space, SpaceKind};
use ocis_core::{Caller, Error, Result};

use super::change::Change;
use super::state::Entry;
use crate::journal::Action;
use crate::layout::attributes::{self as key, Attributes};
use crate::layout::{grant, index, paths};

/// The longest name and alias in bytes.
const MAX_NAME: usize = 255;

/// The root of a space, and what the caller may do there.
pub(super) struct Root {
    pub(super) entry: Arc<Entry>,
    pub(super) permissions: Permissions,
}

impl Root {
    fn text(&self, name: &str) -> String {
        self.entry.attributes.text(name).unwrap_or_default().to_owned()
    }

    pub(super) fn kind(&self) -> SpaceKind {
        let info = &self.entry.info;
        let is_of_owner =
            info.owner.as_ref().is_some_and(|owner| owner.as_str() == info.id.space.as_str());
        match self.entry.attributes.text("space.type") {
            Some("personal") => SpaceKind::Personal,
            Some("metadata") => SpaceKind::Metadata,
            // Only that of a person has the id of its owner.
            None if is_of_owner => SpaceKind::Personal,
            _ => SpaceKind::Project,
        }
    }

    pub(super) fn is_disabled(&self) -> bool {
        self.entry.attributes.bytes(key::DISABLED).is_some()
    }

    pub(super) fn is_managed(&self) -> bool {
        access::is_allowed(self.permissions, Permissions::REMOVE_GRANT)
    }

    fn is_seen(&self) -> bool {
        access::is_allowed(self.permissions, Permissions::STAT)
            && (!self.is_disabled() || self.is_managed())
    }

    /// A file in the space that its root names, by node or by resource id.
    fn item(&self, name: &str) -> Option<ResourceId> {
        let text = self.entry.attributes.text(name)?;
        let root = &self.entry.info.id;
        text.parse()
            .or_else(|_| text.parse().map(|node: NodeId| ResourceId { node, ..root.clone() }))
            .ok()
    }

    /// Refuses; who sees nothing of the space is told that there is none.
    pub(super) fn refuse(&self, caller: &Caller) -> Error {
        if self.is_seen() || has_right(caller, SpaceRight::List) {
            return Error::denied("you have no permission to do this with the space");
        }
        no_space()
    }
}

fn no_space() -> Error {
    Error::not_found("no such space")
}

fn named(what: &str, name: &str) -> Result<()> {
    if name.trim().is_empty() || name.len() > MAX_NAME || name.chars().any(char::is_control) {
        return Err(Error::invalid(format!(
            "a space needs {what} of 1 to {MAX_NAME} bytes without control characters"
        )));
    }
    Ok(())
}

impl Change<'_> {
    /// The root of a space, which may be disabled; `NotFound` when there is none.
    pub(super) fn space_root(&mut self, space: &ResourceId) -> Result<Root> {
        if space.storage != self.store.options.storage {
            return Err(no_space());
        }
        let entry = self.root(&space.space)?;
        let (owner, levels) = (entry.info.owner.as_ref(), [entry.level()]);
        let permissions = access::permissions(&self.cx.caller, owner, levels, self.cx.now);
        Ok(Root { entry, permissions })
    }

    /// A space as the caller sees it; `by_role` also what is seen by role alone.
    pub(crate) fn space(&mut self, space: &ResourceId, by_role: bool) -> Result<Space> {
        let root = self.space_root(space)?;
        let by_role = by_role && has_right(&self.cx.caller, SpaceRight::List);
        if !root.is_seen() && !by_role {
            return Err(no_space());
        }
        let entry = &root.entry;
        let total = entry.attributes.get::<i64>(key::QUOTA);
        let total = total.and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0);
        let free = self.store.fs.free_space(self.store.root()).ok();
        let left = total.map(|total| total.saturating_sub(entry.info.size));
        let remaining = match (left, free) {
            (Some(left), Some(free)) => Some(left.min(free)),
            (left, free) => left.or(free),
        };
        Ok(Space {
            root: entry.info.id.clone(),
            kind: root.kind(),
            name: Some(root.text("space.name"))
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| entry.info.name.clone()),
            alias: root.text("space.alias"),
            description: root.text("space.description"),
            owner: entry.info.owner.clone(),
            quota: Quota { total, used: entry.info.size, remaining },
            etag: entry.info.etag.clone(),
            mtime: entry.info.mtime,
            permissions: root.permissions,
            image: root.item("space.image"),
            readme: root.item("space.readme"),
            disabled: entry.attributes.get(key::DISABLED),
        })
    }

    /// Makes a space.
    pub(crate) fn create_space(&mut self, request: &CreateSpace) -> Result<Space> {
        let owner = self.may_create(request)?;
        named("a name", &request.name)?;
        let space = match (request.kind, &owner, &request.id) {
            (SpaceKind::Personal, Some(owner), _) => SpaceId::personal(owner),
            (_, _, Some(id)) => id.clone(),
            _ => SpaceId::random(),
        };
        let root = space.root();
        if self.node(&space, &root)?.is_some() {
            return Err(Error::exists("the space is there already"));
        }
        if self.is_pinned(&space, &root) {
            return Err(Error::unavailable("a space of this id is being removed"));
        }
        self.store.not_being_purged(&space)?;
        let mut attributes = self.new_root(request, &space, owner.as_ref())?;
        let kind = request.kind.as_str();
        let value = paths::index_value(&space);
        self.act(Action::Folder(paths::node(&space, &root)));
        let mut members = Vec::from_iter(owner.clone().map(Grantee::User));
        let manager = match (request.kind, &self.cx.caller) {
            (SpaceKind::Personal, _) => None,
            (SpaceKind::Project, Caller::User(identity)) => Some(identity.id.clone()),
            _ => request.owner.clone(),
        };
        if let Some(manager) = manager {
            let grantee = Grantee::User(manager);
            let (permissions, name) = (Permissions::MANAGER, grant::key(&grantee));
            members.push(grantee.clone());
            let first = Grant { grantee, permissions, expires: None, creator: None };
            attributes.set_bytes(format!("{}{name}", key::GRANT), grant::write(&first));
        }
        self.put(&space, &root, attributes, Vec::new())?;
        self.act(Action::Index(paths::index_by_type(kind), space.clone(), value.clone()));
        for member in &members {
            self.act(Action::Index(index::of(member), space.clone(), value.clone()));
        }
        let made = ResourceId::root(self.store.options.storage.clone(), space);
        let made = self.space(&made, true)?;
        self.tell(EventKind::SpaceCreated {
            space: made.root.clone(),
            owner: made.owner.clone(),
            name: made.name.clone(),
            kind: made.kind,
            quota: made.quota.total,
        });
        Ok(made)
    }

    /// The metadata of a new root.
    fn new_root(
        &mut self,
        request: &CreateSpace,
        space: &SpaceId,
        owner: Option<&UserId>,
    ) -> Result<Attributes> {
        let kind = request.kind.as_str();
        let handle = match (request.kind, self.cx.caller.identity()) {
            (SpaceKind::Personal, Ok(identity)) => identity.username.to_lowercase(),
            _ => request.name.to_lowercase().replace(' ', "-"),
        };
        let alias = request.alias.clone().unwrap_or_else(|| format!("{kind}/{handle}"));
        named("an alias", &alias)?;
        let mut attributes = Attributes::default();
        attributes.set(key::PROPAGATION, 1);
        attributes.set(key::TREE_SIZE, 0);
        attributes.set(key::TREE_MTIME, self.stamp());
        attributes.set(key::ID, space);
        attributes.set(key::NAME, &request.name);
        attributes.set("space.id", space);
        attributes.set("space.name", &request.name);
        attributes.set("space.type", kind);
        attributes.set("space.alias", alias);
        if !request.description.is_empty() {
            attributes.set("space.description", &request.description);
        }
        let idp = self.cx.caller.identity().map(|identity| identity.idp.to_string());
        let (id, idp, who) = match (request.kind, owner) {
            (SpaceKind::Metadata, Some(owner)) => (owner.to_string(), "internal".to_owned(), ""),
            (_, Some(owner)) => (owner.to_string(), idp.unwrap_or_default(), "primary"),
            (_, None) => (space.to_string(), String::new(), "spaceowner"),
        };
        attributes.set("owner.id", id);
        attributes.set("owner.idp", idp);
        attributes.set("owner.type", who);
        if let Some(quota) = self.allowed_quota(request.quota)? {
            attributes.set(key::QUOTA, quota);
        }
        Ok(attributes)
    }

    /// Who is to own a new space.
    fn may_create(&self, request: &CreateSpace) -> Result<Option<UserId>> {
        let caller = &self.cx.caller;
        let is_server = matches!(caller, Caller::Service(_));
        let owner = || request.owner.clone().ok_or_else(|| Error::invalid("it needs an owner"));
        if request.id.is_some() && (!is_server || request.kind == SpaceKind::Personal) {
            return Err(Error::denied("the id of this space cannot be chosen"));
        }
        match request.kind {
            SpaceKind::Personal => {
                let owner = owner()?;
                let is_mine =
                    caller.identity().is_ok_and(|me| me.id == owner && me.scope.is_everything());
                (is_server || is_mine)
                    .then_some(Some(owner))
                    .ok_or_else(|| Error::denied("you may not make this space"))
            }
            SpaceKind::Metadata if is_server => owner().map(Some),
            SpaceKind::Project if has_right(caller, SpaceRight::Create) => Ok(None),
            _ => Err(Error::denied("you may not make spaces")),
        }
    }

    /// The quota that a space gets when `wanted` was asked for; none when it gets none. 0 is without
    /// limit.
    fn allowed_quota(&self, wanted: Option<u64>) -> Result<Option<u64>> {
        let most = self.store.options.max_quota;
        match (wanted.filter(|bytes| *bytes > 0), most) {
            (Some(bytes), Some(most)) if bytes > most => {
                Err(Error::invalid(format!("the quota of a space can be {most} bytes at most")))
            }
            (Some(bytes), _) if i64::try_from(bytes).is_err() => {
                Err(Error::invalid("the quota is too large"))
            }
            (None, Some(most)) => Ok(Some(most)),
            _ => Ok(wanted),
        }
    }

    /// Changes a space.
    pub(crate) fn update_space(&mut self, request: &UpdateSpace) -> Result<Space> {
        let root = self.space_root(&request.space)?;
        let is_changed = request.name.is_some()
            || request.alias.is_some()
            || request.description.is_some()
            || request.quota.is_some()
            || request.image.is_some()
            || request.readme.is_some();
        if !is_changed {
            return self.space(&request.space, true);
        }
        self.may_update(&root, request)?;
        let mut attributes = root.entry.attributes.clone();
        if let Some(name) = &request.name {
            named("a name", name)?;
            attributes.set(key::NAME, name);
            attributes.set("space.name", name);
        }
        if let Some(alias) = &request.alias {
            named("an alias", alias)?;
            attributes.set("space.alias", alias);
        }
        match request.description.as_deref() {
            None => {}
            Some("") => attributes.remove("space.description"),
            Some(text) => attributes.set("space.description", text),
        }
        if request.quota.is_some() {
            attributes.set(key::QUOTA, self.allowed_quota(request.quota)?.unwrap_or(0));
        }
        for (name, item) in [("space.image", &request.image), ("space.readme", &request.readme)] {
            let Some(item) = item else { continue };
            let is_file = item.space == request.space.space
                && self.place(&Reference::node(item.clone()))?.entry()?.info.kind == NodeKind::File;
            if !is_file {
                return Err(Error::invalid("it is no file in the space"));
            }
            attributes.set(name, &item.node);
        }
        let id = &root.entry.info.id;
        self.put(&id.space, &id.node, attributes, root.entry.locks.clone())?;
        self.propagate(&id.space, &id.node, 0)?;
        let after = self.space(id, true)?;
        if let Some(name) = request.name.clone() {
            let owner = after.owner.clone();
            self.tell(EventKind::SpaceRenamed { space: id.clone(), owner, name });
        } else {
            self.tell(EventKind::SpaceUpdated {
                space: id.clone(),
                name: after.name.clone(),
                description: after.description.clone(),
                quota: after.quota,
            });
        }
        Ok(after)
    }

    fn may_update(&self, root: &Root, request: &UpdateSpace) -> Result<()> {
        let caller = &self.cx.caller;
        let edits = root.is_managed() || access::is_allowed(root.permissions, Permissions::UPLOAD);
        let by_role = has_right(caller, SpaceRight::Change) && root.kind() == SpaceKind::Project;
        let is_named = request.name.is_some() || request.description.is_some();
        let is_dressed =
            request.alias.is_some() || request.image.is_some() || request.readme.is_some();
        let quota = match root.kind() {
            SpaceKind::Personal => SpaceRight::PersonalQuota,
            _ => SpaceRight::ProjectQuota,
        };
        let may = (!is_named || by_role || root.is_managed())
            && (!is_dressed || by_role || edits)
            && (request.quota.is_none() || has_right(caller, quota));
        if !may {
            return Err(root.refuse(caller));
        }
        if root.is_disabled() {
            return Err(if root.is_managed() || by_role {
                Error::denied("the space is disabled: restore it first")
            } else {
                no_space()
            });
        }
        Ok(())
    }

    /// Puts a space out of use.
    pub(crate) fn disable_space(&mut self, space: &ResourceId) -> Result<()> {
        let root = self.space_root(space)?;
        let caller = &self.cx.caller;
        let may = match root.kind() {
            SpaceKind::Personal => has_right(caller, SpaceRight::DeletePersonal),
            SpaceKind::Project => root.is_managed() || has_right(caller, SpaceRight::Disable),
            SpaceKind::Metadata => matches!(caller, Caller::Service(_)),
        };
        if !may {
            return Err(root.refuse(caller));
        }
        if root.is_disabled() {
            return Ok(());
        }
        let mut attributes = root.entry.attributes.clone();
        attributes.set(key::DISABLED, self.stamp());
        let id = &root.entry.info.id;
        self.put(&id.space, &id.node, attributes, root.entry.locks.clone())?;
        self.tell(EventKind::SpaceDisabled { space: id.clone() });
        Ok(())
    }

    /// Takes a disabled space into use again.
    pub(crate) fn restore_space(&mut self, space: &ResourceId) -> Result<Space> {
        let root = self.space_root(space)?;
        let by_role = has_right(&self.cx.caller, SpaceRight::Disable)
            && (root.kind() == SpaceKind::Project
                || has_right(&self.cx.caller, SpaceRight::DeletePersonal));
        if !root.is_managed() && !by_role {
            return Err(root.refuse(&self.cx.caller));
        }
        let id = root.entry.info.id.clone();
        if root.is_disabled() {
            let mut attributes = root.entry.attributes.clone();
            attributes.remove(key::DISABLED);
            self.put(&id.space, &id.node, attributes, root.entry.locks.clone())?;
            let owner = root.entry.info.owner.clone();
            self.tell(EventKind::SpaceEnabled { space: id.clone(), owner });
        }
        self.space(&id, true)
    }
}
