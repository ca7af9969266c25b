//! Credentials of all kinds, each checked by the service for its kind.

use std::sync::Arc;

use async_trait::async_trait;
use ocis_core::port::{Authenticate, Credentials};
use ocis_core::{Cx, Error, Identity, Result};

use crate::peers::Keyed;

/// The port [`Authenticate`] over those of the authenticators, keyed by kind.
#[derive(Debug, Clone)]
pub struct AuthenticateGateway(Keyed<dyn Authenticate>);

impl AuthenticateGateway {
    /// A gateway to `kinds`.
    pub fn new(kinds: Keyed<dyn Authenticate>) -> Self {
        Self(kinds)
    }
}

#[async_trait]
impl Authenticate for AuthenticateGateway {
    async fn authenticate(&self, cx: &Cx, request: Credentials) -> Result<Arc<Identity>> {
        match self.0.find(request.kind()) {
            Some(handle) => handle.bound()?.authenticate(cx, request).await,
            None => Err(Error::unauthenticated("this kind of credentials is not accepted")),
        }
    }
}
