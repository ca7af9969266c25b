//! Which spaces there are, by the indexes of oCIS.

use std::collections::BTreeSet;

use ocis_core::access::{Grantee, SpaceRight, has_right};
use ocis_core::id::{ResourceId, SpaceId};
use ocis_core::port::{Cursor, ListSpaces, Page};
use ocis_core::space::{Space, SpaceKind};
use ocis_core::{Caller, Cx, ErrorKind, Result};

use super::work::blocking;
use super::{Store, reindex};
use crate::layout::index;
use crate::layout::paths;

impl Store {
    /// A page of the spaces that the caller may see.
    pub(crate) fn spaces(&self, cx: &Cx, request: &ListSpaces) -> Result<Page<Space>> {
        let everything = match &cx.caller {
            Caller::Service(_) => true,
            caller => request.all && has_right(caller, SpaceRight::List),
        };
        let kinds = match request.kind {
            Some(kind) => vec![kind],
            None => vec![SpaceKind::Personal, SpaceKind::Project],
        };
        let indexes = indexes(cx, request, &kinds, everything);
        let ids = blocking(|| self.indexed(&indexes))?;
        let after = request.page.cursor.as_ref().map(|cursor| cursor.0.as_str());
        let mut rest = ids.iter().filter(|id| after.is_none_or(|after| id.as_str() > after));
        let limit = request.page.limit.clamp(1, 10_000) as usize;
        let mut page = Page { items: Vec::new(), next: None };
        while let Some(id) = rest.next() {
            let root = ResourceId::root(self.options.storage.clone(), id.clone());
            let space = match self.look(cx, |change| change.space(&root, everything)) {
                Ok(space) => space,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                // A space whose files are damaged must not hide the others.
                Err(error) => {
                    tracing::error!(?error, space = %id, "left out of a listing");
                    continue;
                }
            };
            if !kinds.contains(&space.kind)
                || request.owner.is_some() && request.owner != space.owner
            {
                continue;
            }
            page.items.push(space);
            if page.items.len() == limit {
                page.next = rest.next().map(|_| Cursor(id.to_string()));
                break;
            }
        }
        Ok(page)
    }

    fn indexed(&self, indexes: &[String]) -> Result<BTreeSet<SpaceId>> {
        let mut ids = BTreeSet::new();
        for path in indexes {
            if let Some(index) = reindex::read(&*self.fs, self.root(), path)? {
                ids.extend(index.spaces());
            }
        }
        Ok(ids)
    }
}

/// The indexes that hold every space that is asked for, and as few others as possible.
fn indexes(cx: &Cx, request: &ListSpaces, kinds: &[SpaceKind], everything: bool) -> Vec<String> {
    if let Some(member) = &request.member {
        return vec![index::of(member)];
    }
    if let Some(owner) = &request.owner {
        return vec![paths::index_by_user(owner.as_str())];
    }
    match &cx.caller {
        _ if everything => kinds.iter().map(|kind| paths::index_by_type(kind.as_str())).collect(),
        Caller::User(identity) => {
            let groups = identity.groups.iter().cloned().map(Grantee::Group);
            std::iter::once(Grantee::User(identity.id.clone()))
                .chain(groups)
                .map(|member| index::of(&member))
                .collect()
        }
        _ => Vec::new(),
    }
}
