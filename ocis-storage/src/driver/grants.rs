//! Grants.

use async_trait::async_trait;
use ocis_core::access::Grant;
use ocis_core::port::{Grants, ListGrants, RemoveGrant, SetGrant};
use ocis_core::{Cx, Result};

use super::Driver;

#[async_trait]
impl Grants for Driver {
    async fn list(&self, cx: &Cx, request: ListGrants) -> Result<Vec<Grant>> {
        self.store.look(cx, |change| change.grants(&request.target))
    }

    async fn set(&self, cx: &Cx, request: SetGrant) -> Result<()> {
        self.store.change(cx, move |change| change.set_grant(&request)).await
    }

    async fn remove(&self, cx: &Cx, request: RemoveGrant) -> Result<()> {
        self.store.change(cx, move |change| change.remove_grant(&request)).await
    }
}
