//! The ports of `ocis-core` over a store.

mod grants;
mod maintenance;
mod nodes;
mod spaces;
mod trash;
mod versions;

use std::sync::Arc;

use crate::store::Store;
use crate::ticket::Tickets;

/// The ports `Nodes`, `Spaces`, `Grants`, `Trash` and `Versions` of a store.
#[derive(Debug, Clone)]
pub struct Driver {
    store: Arc<Store>,
    tickets: Tickets,
}

impl Driver {
    /// The ports of `store`, whose contents are read with `tickets` from its data plane.
    pub fn new(store: Arc<Store>, tickets: Tickets) -> Self {
        Self { store, tickets }
    }
}
