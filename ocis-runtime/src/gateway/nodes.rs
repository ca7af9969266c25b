//! Nodes of all storages, found by the storage id in the reference.

use std::sync::Arc;

use async_trait::async_trait;
use ocis_core::lock::ActiveLock;
use ocis_core::node::Node;
use ocis_core::port::{
    Changed, Copy, CreateFolder, Delete, List, LockNode, Locked, Move, Nodes, OpenRead, Page, Read,
    RefreshLock, SetMetadata, Stat, Tag, Touch, Unlock,
};
use ocis_core::reference::Reference;
use ocis_core::{Cx, Error, Result};

use super::data::label;
use super::of_storage;
use crate::peers::Keyed;

/// The port [`Nodes`] over those of the storages.
#[derive(Debug, Clone)]
pub struct NodesGateway(Keyed<dyn Nodes>);

impl NodesGateway {
    /// A gateway to `storages`.
    pub fn new(storages: Keyed<dyn Nodes>) -> Self {
        Self(storages)
    }

    fn of(&self, target: &Reference) -> Result<Arc<dyn Nodes>> {
        of_storage(&self.0, &target.base.storage)
    }

    fn within(&self, from: &Reference, to: &Reference) -> Result<Arc<dyn Nodes>> {
        if from.base.storage != to.base.storage {
            return Err(Error::unimplemented(
                "this cannot be done from one storage to another yet",
            ));
        }
        self.of(from)
    }
}

#[async_trait]
impl Nodes for NodesGateway {
    async fn stat(&self, cx: &Cx, request: Stat) -> Result<Node> {
        self.of(&request.target)?.stat(cx, request).await
    }

    async fn list(&self, cx: &Cx, request: List) -> Result<Page<Node>> {
        self.of(&request.target)?.list(cx, request).await
    }

    async fn create_folder(&self, cx: &Cx, request: CreateFolder) -> Result<Node> {
        self.of(&request.target)?.create_folder(cx, request).await
    }

    async fn touch(&self, cx: &Cx, request: Touch) -> Result<Node> {
        self.of(&request.target)?.touch(cx, request).await
    }

    async fn delete(&self, cx: &Cx, request: Delete) -> Result<()> {
        self.of(&request.target)?.delete(cx, request).await
    }

    async fn rename(&self, cx: &Cx, request: Move) -> Result<Changed> {
        self.within(&request.from, &request.to)?.rename(cx, request).await
    }

    async fn copy(&self, cx: &Cx, request: Copy) -> Result<Changed> {
        self.within(&request.from, &request.to)?.copy(cx, request).await
    }

    async fn set_metadata(&self, cx: &Cx, request: SetMetadata) -> Result<Node> {
        self.of(&request.target)?.set_metadata(cx, request).await
    }

    async fn tag(&self, cx: &Cx, request: Tag) -> Result<Node> {
        self.of(&request.target)?.tag(cx, request).await
    }

    async fn lock(&self, cx: &Cx, request: LockNode) -> Result<Locked> {
        self.of(&request.target)?.lock(cx, request).await
    }

    async fn refresh_lock(&self, cx: &Cx, request: RefreshLock) -> Result<ActiveLock> {
        self.of(&request.target)?.refresh_lock(cx, request).await
    }

    async fn unlock(&self, cx: &Cx, request: Unlock) -> Result<()> {
        self.of(&request.target)?.unlock(cx, request).await
    }

    async fn open_read(&self, cx: &Cx, request: OpenRead) -> Result<Read> {
        let storage = request.target.base.storage.clone();
        let Read { node, ticket } = self.of(&request.target)?.open_read(cx, request).await?;
        Ok(Read { node, ticket: label(&storage, ticket) })
    }
}
