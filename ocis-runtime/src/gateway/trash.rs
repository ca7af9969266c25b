//! The trash of all storages, found by the storage id of the space.

use std::sync::Arc;

use async_trait::async_trait;
use ocis_core::id::ResourceId;
use ocis_core::port::{Changed, ListTrash, Page, PurgeTrash, RestoreTrash, Trash};
use ocis_core::trash::TrashItem;
use ocis_core::version::Purged;
use ocis_core::{Cx, Result};

use super::of_storage;
use crate::peers::Keyed;

/// The port [`Trash`] over those of the storages.
#[derive(Debug, Clone)]
pub struct TrashGateway(Keyed<dyn Trash>);

impl TrashGateway {
    /// A gateway to `storages`.
    pub fn new(storages: Keyed<dyn Trash>) -> Self {
        Self(storages)
    }

    fn of(&self, space: &ResourceId) -> Result<Arc<dyn Trash>> {
        of_storage(&self.0, &space.storage)
    }
}

#[async_trait]
impl Trash for TrashGateway {
    async fn list(&self, cx: &Cx, request: ListTrash) -> Result<Page<TrashItem>> {
        self.of(&request.space)?.list(cx, request).await
    }

    async fn restore(&self, cx: &Cx, request: RestoreTrash) -> Result<Changed> {
        self.of(&request.space)?.restore(cx, request).await
    }

    async fn purge(&self, cx: &Cx, request: PurgeTrash) -> Result<Purged> {
        self.of(&request.space)?.purge(cx, request).await
    }
}
