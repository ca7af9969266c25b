//! The upkeep of a store.

use std::sync::Arc;

use async_trait::async_trait;
use ocis_core::id::SpaceId;
use ocis_core::port::{
    Check, CheckSizes, Checked, CheckedSizes, Cursor, EmptyFolders, ListRawVersions, Maintenance,
    Page, RawNode, RawVersion, SetRawMetadata,
};
use ocis_core::{Cx, Error, Result};

use super::{Driver, only_for_the_server};
use crate::store::{Part, Store};

/// The cursor of the step that concerns all spaces; no space is called so.
const WHOLE: &str = "!";

impl Driver {
    async fn in_background<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Arc<Store>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let store = Arc::clone(&self.store);
        let done = tokio::task::spawn_blocking(move || work(&store)).await;
        done.map_err(|error| Error::internal("the upkeep broke off").because(error))?
    }
}

#[async_trait]
impl Maintenance for Driver {
    async fn check(&self, cx: &Cx, request: Check) -> Result<Checked> {
        only_for_the_server(cx)?;
        let is_one = request.space.is_some();
        let spaces: Vec<SpaceId> = match request.space {
            Some(space) => vec![space],
            None => self.in_background(|store| store.spaces_on_disk()).await?.into_iter().collect(),
        };
        let after = request.cursor.as_ref().map(|cursor| cursor.0.as_str());
        let next = match after {
            Some(WHOLE) => None,
            None => spaces.first(),
            Some(after) => spaces.iter().find(|space| space.as_str() > after),
        };
        let part = next.map_or(Part::Whole, |space| Part::Space(space.clone()));
        let done = next
            .map_or(spaces.len(), |space| spaces.iter().filter(|other| *other <= space).count());
        let findings = if request.repair {
            let found = self.store.repair_part(cx, &part, !request.without_blobs).await?;
            // What a repair made removable.
            self.in_background(|store| store.finish_purges()).await?;
            found
        } else {
            let part = part.clone();
            let with_blobs = !request.without_blobs;
            self.in_background(move |store| store.check_part(&part, with_blobs)).await?
        };
        let next = match next {
            None => None,
            Some(_) if is_one => None,
            Some(_) if done == spaces.len() => Some(Cursor(WHOLE.to_owned())),
            Some(space) => Some(Cursor(space.to_string())),
        };
        Ok(Checked { findings, done: done as u64, total: spaces.len() as u64, next })
    }

    async fn check_sizes(&self, cx: &Cx, request: CheckSizes) -> Result<CheckedSizes> {
        only_for_the_server(cx)?;
        let space = request.space.clone();
        let (name, wrong) = self.in_background(move |store| store.wrong_sizes(&space)).await?;
        if request.repair && !wrong.is_empty() {
            self.store.repair_sizes(cx, &request.space).await?;
        }
        Ok(CheckedSizes { name, wrong })
    }

    async fn raw_metadata(&self, cx: &Cx, request: RawNode) -> Result<Vec<(String, Vec<u8>)>> {
        only_for_the_server(cx)?;
        self.in_background(move |store| store.raw_metadata(&request)).await
    }

    async fn set_raw_metadata(&self, cx: &Cx, request: SetRawMetadata) -> Result<()> {
        only_for_the_server(cx)?;
        self.store.set_raw_metadata(cx, &request.node, &request.key, request.value).await
    }

    async fn empty_folders(&self, cx: &Cx, request: EmptyFolders) -> Result<Page<String>> {
        only_for_the_server(cx)?;
        let spaces = self.in_background(|store| store.spaces_on_disk()).await?;
        let after = request.cursor.map(|cursor| cursor.0).unwrap_or_default();
        let Some(space) = spaces.iter().find(|space| space.as_str() > after.as_str()).cloned()
        else {
            return Ok(Page { items: Vec::new(), next: None });
        };
        let next = spaces.last().filter(|last| **last != space);
        let next = next.map(|_| Cursor(space.to_string()));
        let listed = space.clone();
        let items = self.in_background(move |store| store.empty_folders(&listed)).await?;
        if request.remove && !items.is_empty() {
            self.store.remove_empty_folders(cx, &space).await?;
        }
        Ok(Page { items, next })
    }

    async fn raw_versions(&self, cx: &Cx, request: ListRawVersions) -> Result<Page<RawVersion>> {
        only_for_the_server(cx)?;
        let cx = cx.clone();
        self.in_background(move |store| {
            let after = request.cursor.map(|cursor| cursor.0).unwrap_or_default();
            store.raw_versions(&cx, &request.target, &after)
        })
        .await
    }
}
