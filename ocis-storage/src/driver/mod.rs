//! The ports of `ocis-core` over a store.

mod documents;
mod grants;
mod maintenance;
mod nodes;
mod spaces;
mod trash;
mod versions;

use std::sync::Arc;

use ocis_core::{Caller, Cx, Error, Result};

use crate::store::Store;
use crate::ticket::Tickets;

pub use documents::Documents;

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

/// Refuses everybody but the server itself.
fn only_for_the_server(cx: &Cx) -> Result<()> {
    match cx.caller {
        Caller::Service(_) => Ok(()),
        _ => Err(Error::denied("this is for the server itself")),
    }
}
