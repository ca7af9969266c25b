//! Spaces.

use async_trait::async_trait;
use ocis_core::id::{ResourceId, SpaceId};
use ocis_core::port::{CreateSpace, GetSpace, ListSpaces, Page, Spaces};
use ocis_core::quota::Quota;
use ocis_core::reference::Reference;
use ocis_core::space::{Space, SpaceKind};
use ocis_core::{Cx, Error, Result};

use super::Driver;
use crate::journal::broken;
use crate::layout::attributes::QUOTA;
use crate::store::Change;

#[async_trait]
impl Spaces for Driver {
    async fn list(&self, cx: &Cx, request: ListSpaces) -> Result<Page<Space>> {
        let store = &self.store;
        let mut items = Vec::new();
        for kind in [SpaceKind::Personal, SpaceKind::Project] {
            if request.kind.is_some_and(|wanted| wanted != kind) {
                continue;
            }
            let path = store.root().join(format!("indexes/by-type/{}.mpk", kind.as_str()));
            let index = store.fs().read(&path);
            if crate::fs::is_missing(&index) {
                continue;
            }
            let map: std::collections::BTreeMap<String, String> =
                rmp_serde::from_slice(&index.map_err(broken)?).map_err(|error| {
                    Error::internal("an index of spaces is damaged").because(error)
                })?;
            for id in map.keys().filter_map(|id| SpaceId::parse(id).ok()) {
                let root = ResourceId::root(store.options.storage.clone(), id);
                if let Ok(space) = store.look(cx, |change| space(change, root.clone()))
                    && (request.owner.is_none() || request.owner == space.owner)
                {
                    items.push(space);
                }
            }
        }
        Ok(Page { items, next: None })
    }

    async fn get(&self, cx: &Cx, request: GetSpace) -> Result<Space> {
        let ResourceId { storage, space: id, .. } = request.space;
        self.store.look(cx, |change| space(change, ResourceId::root(storage.clone(), id.clone())))
    }

    async fn create(&self, cx: &Cx, request: CreateSpace) -> Result<Space> {
        self.store
            .change(cx, move |change| {
                let root = change.create_space(&request)?;
                space(change, root)
            })
            .await
    }
}

fn space(change: &mut Change<'_>, root: ResourceId) -> Result<Space> {
    let place = change.place(&Reference::node(root.clone()))?;
    let entry = std::sync::Arc::clone(place.entry()?);
    let text = |key: &str| entry.attributes.text(key).unwrap_or_default().to_owned();
    let total =
        entry.attributes.get::<i64>(QUOTA).and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0);
    let free = change.store.fs.free_space(change.store.root()).ok();
    let left = total.map(|total| total.saturating_sub(entry.info.size));
    let remaining = match (left, free) {
        (Some(left), Some(free)) => Some(left.min(free)),
        (left, free) => left.or(free),
    };
    Ok(Space {
        root,
        kind: match text("space.type").as_str() {
            "personal" => SpaceKind::Personal,
            "metadata" => SpaceKind::Metadata,
            _ => SpaceKind::Project,
        },
        name: text("space.name"),
        alias: text("space.alias"),
        description: text("space.description"),
        owner: entry.info.owner.clone(),
        quota: Quota { total, used: entry.info.size, remaining },
        etag: entry.info.etag.clone(),
        mtime: entry.info.mtime,
        permissions: place.permissions,
        disabled: entry.attributes.get("dtime"),
    })
}
