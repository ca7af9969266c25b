//! The personal space of a person is made when the person is first seen, as in oCIS.
//!
//! Requests that come at the same time wait for one of them to make it. A failure is not
//! remembered: the request goes on (what needs no space works), and the next one tries again.

use std::collections::HashMap;
use std::sync::Arc;

use moka::sync::Cache;
use ocis_core::id::UserId;
use ocis_core::port::{CreateSpace, Spaces};
use ocis_core::user::UserRole;
use ocis_core::{Cx, ErrorKind, Identity, Result};
use tokio::sync::OnceCell;

/// For how many people it is remembered that their space is there; for others it is asked again.
const REMEMBERED: u64 = 100_000;

/// Makes personal spaces.
pub(super) struct Homes {
    spaces: Arc<dyn Spaces>,
    /// Bytes by role.
    quotas: HashMap<String, u64>,
    made: Cache<UserId, Arc<OnceCell<()>>>,
}

impl Homes {
    pub(super) fn new(spaces: Arc<dyn Spaces>, quotas: HashMap<String, u64>) -> Self {
        Self { spaces, quotas, made: Cache::new(REMEMBERED) }
    }

    /// Makes sure that `identity`, who is the caller in `cx`, has a personal space.
    pub(super) async fn ensure(&self, cx: &Cx, identity: &Identity) {
        if identity.role == UserRole::UserLight || !identity.scope.is_everything() {
            return;
        }
        let made = match self.made.get(&identity.id) {
            Some(made) if made.initialized() => return,
            Some(made) => made,
            None => self.made.get_with(identity.id.clone(), Arc::default),
        };
        if let Err(error) = made.get_or_try_init(|| self.make(cx, identity)).await {
            let (id, user) = (&*cx.trace, &identity.id);
            tracing::error!("request-id" = id, %user, ?error, "a personal space cannot be made");
        }
    }

    async fn make(&self, cx: &Cx, identity: &Identity) -> Result<()> {
        let name = match identity.display_name.as_str() {
            "" => &identity.username,
            _ => &identity.display_name,
        };
        let request = CreateSpace {
            alias: Some(format!("personal/{}", identity.username.to_lowercase())),
            quota: self.quotas.get(identity.role.id()).copied(),
            ..CreateSpace::personal(identity.id.clone(), name)
        };
        match self.spaces.create(cx, request).await {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    }
}
