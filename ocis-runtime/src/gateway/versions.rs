//! The versions in all storages, found by the storage id in the reference.

use std::sync::Arc;

use async_trait::async_trait;
use ocis_core::node::Node;
use ocis_core::port::{
    ListVersions, OpenVersion, Page, PurgeVersions, RestoreVersion, VersionRead, Versions,
};
use ocis_core::reference::Reference;
use ocis_core::version::{Purged, Version};
use ocis_core::{Cx, Result};

use super::data::label;
use super::of_storage;
use crate::peers::Keyed;

/// The port [`Versions`] over those of the storages.
#[derive(Debug, Clone)]
pub struct VersionsGateway(Keyed<dyn Versions>);

impl VersionsGateway {
    /// A gateway to `storages`.
    pub fn new(storages: Keyed<dyn Versions>) -> Self {
        Self(storages)
    }

    fn of(&self, target: &Reference) -> Result<Arc<dyn Versions>> {
        of_storage(&self.0, &target.base.storage)
    }
}

#[async_trait]
impl Versions for VersionsGateway {
    async fn list(&self, cx: &Cx, request: ListVersions) -> Result<Page<Version>> {
        self.of(&request.target)?.list(cx, request).await
    }

    async fn open_read(&self, cx: &Cx, request: OpenVersion) -> Result<VersionRead> {
        let storage = request.target.base.storage.clone();
        let read = self.of(&request.target)?.open_read(cx, request).await?;
        Ok(VersionRead { ticket: label(&storage, read.ticket), ..read })
    }

    async fn restore(&self, cx: &Cx, request: RestoreVersion) -> Result<Node> {
        self.of(&request.target)?.restore(cx, request).await
    }

    async fn purge(&self, cx: &Cx, request: PurgeVersions) -> Result<Purged> {
        self.of(&request.target)?.purge(cx, request).await
    }
}
