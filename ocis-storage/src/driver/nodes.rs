//! Files and folders.

use std::sync::Arc;

use async_trait::async_trait;
use ocis_core::id::{BlobId, SpaceId};
use ocis_core::lock::ActiveLock;
use ocis_core::node::Node;
use ocis_core::port::{
    Changed, Copy, CreateFolder, Delete, List, LockNode, Locked, Move, Nodes, OpenRead, Page, Read,
    RefreshLock, SetMetadata, Stat, Tag, Touch, Unlock,
};
use ocis_core::{Cx, Error, Result};

use super::Driver;
use crate::blob::staged;
use crate::store::{BlobCopies, BlobCopy};
use crate::ticket::{Purpose, ReadClaims};

impl Driver {
    /// Copies contents, each marked by an empty staged file until its record is applied.
    async fn copy_blobs(&self, space: &SpaceId, to: &SpaceId, blobs: &BlobCopies) -> Result<()> {
        for BlobCopy { from: blob, to: copy } in blobs.values() {
            let path = staged::path(self.store.uploads_dir(), to, copy);
            let fs = Arc::clone(self.store.fs());
            let marked = tokio::task::spawn_blocking(move || {
                fs.write(&path, b"")?;
                fs.sync_dir(path.parent().unwrap_or(&path))
            });
            marked.await.map_err(broke_off)?.map_err(crate::journal::broken)?;
            self.store.blobs.copy((space, blob), (to, copy)).await?;
        }
        Ok(())
    }

    /// Removes the copies of a copy that was refused.
    async fn discard(&self, space: SpaceId, copies: Vec<BlobId>) {
        let store = Arc::clone(&self.store);
        let discarded = tokio::task::spawn_blocking(move || {
            copies.iter().try_for_each(|copy| {
                let path = staged::path(store.uploads_dir(), &space, copy);
                match store.fs().stat(&path) {
                    Ok(_) => store.drops.discard(path, (&space, copy)),
                    Err(_) => Ok(()),
                }
            })
        });
        if let Ok(Err(error)) = discarded.await {
            tracing::warn!(%error, "copies of contents stay until the store is opened again");
        }
    }
}

fn broke_off(error: tokio::task::JoinError) -> Error {
    Error::internal("a copy broke off").because(error)
}

#[async_trait]
impl Nodes for Driver {
    async fn stat(&self, cx: &Cx, request: Stat) -> Result<Node> {
        self.store.look(cx, |change| change.visible(&request.target))
    }

    async fn list(&self, cx: &Cx, request: List) -> Result<Page<Node>> {
        self.store.look(cx, |change| change.page(&request.target, &request.page))
    }

    async fn create_folder(&self, cx: &Cx, request: CreateFolder) -> Result<Node> {
        self.store
            .change(cx, move |change| change.create_folder(&request.target, &request.conditions))
            .await
    }

    async fn touch(&self, cx: &Cx, request: Touch) -> Result<Node> {
        self.store
            .change(cx, move |change| change.touch(&request.target, &request.conditions))
            .await
    }

    async fn delete(&self, cx: &Cx, request: Delete) -> Result<()> {
        self.store.change(cx, move |change| change.delete(&request)).await
    }

    async fn rename(&self, cx: &Cx, request: Move) -> Result<Changed> {
        self.store.change(cx, move |change| change.rename(&request)).await
    }

    async fn copy(&self, cx: &Cx, request: Copy) -> Result<Changed> {
        let (from, blobs) = self.store.plan_copy(cx, &request).await?;
        let to = request.to.base.space.clone();
        let copied = self.copy_blobs(&from.space, &to, &blobs).await;
        let copies = blobs.values().map(|blob| blob.to.clone()).collect();
        let was_copied = copied.is_ok();
        let result = match copied {
            Ok(()) => self.store.change(cx, move |change| change.copy(&request, &blobs)).await,
            Err(error) => Err(error),
        };
        // Where it is not certain that no record was written, the next opening of the store knows.
        let is_refused = |error: &Error| !was_copied || crate::upload::refused(error.kind());
        if result.as_ref().is_err_and(is_refused) {
            self.discard(to, copies).await;
        }
        result
    }

    async fn set_metadata(&self, cx: &Cx, request: SetMetadata) -> Result<Node> {
        self.store.change(cx, move |change| change.set_metadata(&request)).await
    }

    async fn tag(&self, cx: &Cx, request: Tag) -> Result<Node> {
        self.store.change(cx, move |change| change.tag(&request)).await
    }

    async fn lock(&self, cx: &Cx, request: LockNode) -> Result<Locked> {
        self.store.change(cx, move |change| change.lock(&request)).await
    }

    async fn refresh_lock(&self, cx: &Cx, request: RefreshLock) -> Result<ActiveLock> {
        self.store.change(cx, move |change| change.refresh_lock(&request)).await
    }

    async fn unlock(&self, cx: &Cx, request: Unlock) -> Result<()> {
        self.store.change(cx, move |change| change.unlock(&request)).await
    }

    async fn open_read(&self, cx: &Cx, request: OpenRead) -> Result<Read> {
        let (node, content) = self.store.content(cx, &request.target).await?;
        let ticket = match content {
            Some(content) => {
                let claims =
                    ReadClaims { space: content.space, blob: content.blob, size: content.size };
                self.tickets.sign(Purpose::Read, &claims, cx.now)?
            }
            None => String::new(),
        };
        Ok(Read { node, ticket })
    }
}
