//! Versions.

use async_trait::async_trait;
use ocis_core::node::Node;
use ocis_core::port::{
    ListVersions, OpenVersion, Page, PurgeVersions, RestoreVersion, VersionRead, Versions,
};
use ocis_core::version::{Purged, Version};
use ocis_core::{Cx, Result};

use super::Driver;
use crate::ticket::{Purpose, ReadClaims};

#[async_trait]
impl Versions for Driver {
    async fn list(&self, cx: &Cx, request: ListVersions) -> Result<Page<Version>> {
        self.store.list_versions(cx, request).await
    }

    async fn open_read(&self, cx: &Cx, request: OpenVersion) -> Result<VersionRead> {
        let (node, version, content) = self.store.version_content(cx, request).await?;
        let claims = ReadClaims { space: content.space, blob: content.blob, size: content.size };
        let ticket = self.tickets.sign(Purpose::Read, &claims, cx.now)?;
        Ok(VersionRead { node, version, ticket })
    }

    async fn restore(&self, cx: &Cx, request: RestoreVersion) -> Result<Node> {
        self.store.restore_version(cx, request).await
    }

    async fn purge(&self, cx: &Cx, request: PurgeVersions) -> Result<Purged> {
        self.store.purge_versions(cx, request).await
    }
}
