//! Files and folders.

use std::sync::Arc;

use async_trait::async_trait;
use ocis_core::lock::ActiveLock;
use ocis_core::node::Node;
use ocis_core::port::{
    Changed, Copy, CreateFolder, Delete, List, LockNode, Locked, Move, Nodes, OpenRead, Page, Read,
    RefreshLock, SetMetadata, Stat, Tag, Touch, Unlock,
};
use ocis_core::{Cx, Error, Result};

use super::Driver;
use crate::blob::{copies, staged};
use crate::store::{CopyPlan, as_copy};
use crate::ticket::{Purpose, ReadClaims};

impl Driver {
    /// Copies contents as planned, makes `change`, and removes the copies when it was refused.
    async fn with_copies<T>(
        &self,
        plan: CopyPlan,
        change: impl AsyncFnOnce(CopyPlan) -> Result<T>,
    ) -> Result<T> {
        let planned = plan.clone();
        let copied = self.copy_contents(&plan).await;
        let was_copied = copied.is_ok();
        let result = match copied {
            Ok(()) => change(plan).await,
            Err(error) => Err(error),
        };
        // Where it is not certain that no record was written, the next opening of the store knows.
        let is_refused = |error: &Error| !was_copied || crate::upload::refused(error.kind());
        if result.as_ref().is_err_and(is_refused) {
            self.discard(planned).await;
        }
        result
    }

    /// Copies contents, which are marked until the record of the copy is applied.
    async fn copy_contents(&self, plan: &CopyPlan) -> Result<()> {
        if plan.blobs.is_empty() {
            return Ok(());
        }
        let blobs: Vec<_> = plan.blobs.values().cloned().collect();
        let (store, to, mark) = (Arc::clone(&self.store), plan.to.clone(), plan.mark.clone());
        let marked = tokio::task::spawn_blocking(move || {
            let copied = blobs.iter().map(|(_, copy)| copy);
            copies::begin(&**store.fs(), store.uploads_dir(), &to, &mark, copied).map(|()| blobs)
        });
        let blobs = marked.await.map_err(broke_off)?.map_err(crate::journal::broken)?;
        self.store.blobs.copy_all(&plan.from, &plan.to, &blobs).await
    }

    /// Removes the copies of a copy that was refused, and their mark.
    async fn discard(&self, plan: CopyPlan) {
        let store = Arc::clone(&self.store);
        let discarded = tokio::task::spawn_blocking(move || {
            let path = staged::path(store.uploads_dir(), &plan.to, &plan.mark);
            if store.fs().stat(&path).is_err() {
                return Ok(());
            }
            let copies = plan.blobs.values().map(|(_, copy)| (&plan.to, copy));
            store.drops.discard(path, copies)
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
        if request.from.base.space == request.to.base.space {
            return self.store.change(cx, move |change| change.rename(&request)).await;
        }
        let plan = self.store.plan_copy(cx, &as_copy(&request), true).await?;
        let work = async |plan| {
            self.store.change(cx, move |change| change.move_away(&request, &plan)).await
        };
        self.with_copies(plan, work).await
    }

    async fn copy(&self, cx: &Cx, request: Copy) -> Result<Changed> {
        let plan = self.store.plan_copy(cx, &request, false).await?;
        let work =
            async |plan| self.store.change(cx, move |change| change.copy(&request, &plan)).await;
        self.with_copies(plan, work).await
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
