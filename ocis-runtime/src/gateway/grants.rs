//! Grants on the nodes of all storages, found by the storage id in the reference.

use std::sync::Arc;

use async_trait::async_trait;
use ocis_core::access::Grant;
use ocis_core::port::{Grants, ListGrants, RemoveGrant, SetGrant};
use ocis_core::reference::Reference;
use ocis_core::{Cx, Result};

use super::of_storage;
use crate::peers::Keyed;

/// The port [`Grants`] over those of the storages.
#[derive(Debug, Clone)]
pub struct GrantsGateway(Keyed<dyn Grants>);

impl GrantsGateway {
    /// A gateway to `storages`.
    pub fn new(storages: Keyed<dyn Grants>) -> Self {
        Self(storages)
    }

    fn of(&self, target: &Reference) -> Result<Arc<dyn Grants>> {
        of_storage(&self.0, &target.base.storage)
    }
}

#[async_trait]
impl Grants for GrantsGateway {
    async fn list(&self, cx: &Cx, request: ListGrants) -> Result<Vec<Grant>> {
        self.of(&request.target)?.list(cx, request).await
    }

    async fn set(&self, cx: &Cx, request: SetGrant) -> Result<()> {
        self.of(&request.target)?.set(cx, request).await
    }

    async fn remove(&self, cx: &Cx, request: RemoveGrant) -> Result<()> {
        self.of(&request.target)?.remove(cx, request).await
    }
}
