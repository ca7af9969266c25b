//! The spaces of all storages.
//!
//! A list goes through the storages in the order of their ids; its cursor is the id of the storage
//! that it has come to and that storage's own cursor. New spaces go to one storage, named by the
//! settings.

use async_trait::async_trait;
use ocis_core::id::StorageId;
use ocis_core::port::{
    CreateSpace, Cursor, DisableSpace, GetSpace, ListSpaces, Page, PageRequest, PurgeSpace,
    RestoreSpace, Spaces, UpdateSpace,
};
use ocis_core::space::Space;
use ocis_core::{Cx, Error, Result};

use super::of_storage;
use crate::peers::Keyed;

/// Between the id of a storage, which cannot contain it, and its cursor.
const SEPARATOR: char = '!';

/// The port [`Spaces`] over those of the storages.
#[derive(Debug, Clone)]
pub struct SpacesGateway {
    storages: Keyed<dyn Spaces>,
    new_spaces: StorageId,
}

impl SpacesGateway {
    /// A gateway to `storages` that makes new spaces in `new_spaces`.
    pub fn new(storages: Keyed<dyn Spaces>, new_spaces: StorageId) -> Self {
        Self { storages, new_spaces }
    }
}

#[async_trait]
impl Spaces for SpacesGateway {
    async fn list(&self, cx: &Cx, request: ListSpaces) -> Result<Page<Space>> {
        let storages = self.storages.keys();
        let Some(first) = storages.first() else {
            return Ok(Page { items: Vec::new(), next: None });
        };
        let (storage, cursor) = match &request.page.cursor {
            None => (first.as_str(), None),
            Some(Cursor(text)) => text
                .split_once(SEPARATOR)
                .map(|(storage, inner)| {
                    (storage, (!inner.is_empty()).then(|| Cursor(inner.into())))
                })
                .ok_or_else(|| Error::invalid("not a cursor of this list"))?,
        };
        let page = PageRequest { cursor, limit: request.page.limit };
        let spaces = of_storage(&self.storages, &StorageId::parse(storage)?)?;
        let Page { items, next } = spaces.list(cx, ListSpaces { page, ..request.clone() }).await?;
        let next = match next {
            Some(Cursor(inner)) => Some(format!("{storage}{SEPARATOR}{inner}")),
            None => storages
                .iter()
                .find(|other| other.as_str() > storage)
                .map(|other| format!("{other}{SEPARATOR}")),
        };
        Ok(Page { items, next: next.map(Cursor) })
    }

    async fn get(&self, cx: &Cx, request: GetSpace) -> Result<Space> {
        of_storage(&self.storages, &request.space.storage)?.get(cx, request).await
    }

    async fn create(&self, cx: &Cx, request: CreateSpace) -> Result<Space> {
        of_storage(&self.storages, &self.new_spaces)?.create(cx, request).await
    }

    async fn update(&self, cx: &Cx, request: UpdateSpace) -> Result<Space> {
        of_storage(&self.storages, &request.space.storage)?.update(cx, request).await
    }

    async fn disable(&self, cx: &Cx, request: DisableSpace) -> Result<()> {
        of_storage(&self.storages, &request.space.storage)?.disable(cx, request).await
    }

    async fn restore(&self, cx: &Cx, request: RestoreSpace) -> Result<Space> {
        of_storage(&self.storages, &request.space.storage)?.restore(cx, request).await
    }

    async fn purge(&self, cx: &Cx, request: PurgeSpace) -> Result<()> {
        of_storage(&self.storages, &request.space.storage)?.purge(cx, request).await
    }
}
