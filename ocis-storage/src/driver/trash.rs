//! The trash.

use async_trait::async_trait;
use ocis_core::port::{Changed, ListTrash, Page, PurgeTrash, RestoreTrash, Trash};
use ocis_core::trash::TrashItem;
use ocis_core::version::Purged;
use ocis_core::{Cx, Result};

use super::Driver;

#[async_trait]
impl Trash for Driver {
    async fn list(&self, cx: &Cx, request: ListTrash) -> Result<Page<TrashItem>> {
        self.store.list_trash(cx, request).await
    }

    async fn restore(&self, cx: &Cx, request: RestoreTrash) -> Result<Changed> {
        self.store.restore_trash(cx, request).await
    }

    async fn purge(&self, cx: &Cx, request: PurgeTrash) -> Result<Purged> {
        self.store.purge_trash(cx, request).await
    }
}
