//! Spaces.

use std::sync::Arc;

use async_trait::async_trait;
use ocis_core::port::{
    CreateSpace, DisableSpace, GetSpace, ListSpaces, Page, PurgeSpace, RestoreSpace, Spaces,
    UpdateSpace,
};
use ocis_core::space::Space;
use ocis_core::{Cx, Result};

use super::Driver;

#[async_trait]
impl Spaces for Driver {
    async fn list(&self, cx: &Cx, request: ListSpaces) -> Result<Page<Space>> {
        self.store.spaces(cx, &request)
    }

    async fn get(&self, cx: &Cx, request: GetSpace) -> Result<Space> {
        self.store.look(cx, |change| change.space(&request.space, true))
    }

    async fn create(&self, cx: &Cx, request: CreateSpace) -> Result<Space> {
        self.store.change(cx, move |change| change.create_space(&request)).await
    }

    async fn update(&self, cx: &Cx, request: UpdateSpace) -> Result<Space> {
        self.store.change(cx, move |change| change.update_space(&request)).await
    }

    async fn disable(&self, cx: &Cx, request: DisableSpace) -> Result<()> {
        self.store.change(cx, move |change| change.disable_space(&request.space)).await
    }

    async fn restore(&self, cx: &Cx, request: RestoreSpace) -> Result<Space> {
        self.store.change(cx, move |change| change.restore_space(&request.space)).await
    }

    async fn purge(&self, cx: &Cx, request: PurgeSpace) -> Result<()> {
        Arc::clone(&self.store).purge_space(cx, request.space).await
    }
}
