//! Uploads to all storages, found by the storage id in the reference.

use async_trait::async_trait;
use ocis_core::port::{OpenUpload, UploadTicket, Uploads};
use ocis_core::{Cx, Result};

use super::data::label;
use super::of_storage;
use crate::peers::Keyed;

/// The port [`Uploads`] over those of the storages.
#[derive(Debug, Clone)]
pub struct UploadsGateway(Keyed<dyn Uploads>);

impl UploadsGateway {
    /// A gateway to `storages`.
    pub fn new(storages: Keyed<dyn Uploads>) -> Self {
        Self(storages)
    }
}

#[async_trait]
impl Uploads for UploadsGateway {
    async fn open(&self, cx: &Cx, request: OpenUpload) -> Result<UploadTicket> {
        let storage = request.target.base.storage.clone();
        let UploadTicket { ticket } = of_storage(&self.0, &storage)?.open(cx, request).await?;
        Ok(UploadTicket { ticket: label(&storage, ticket) })
    }
}
