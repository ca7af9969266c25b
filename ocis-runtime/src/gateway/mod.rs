//! The un-keyed ports: every caller asks the gateway, and only the gateway knows that nodes, spaces
//! and uploads belong to several storages, and credentials to several authenticators.

mod authenticate;
mod data;
mod grants;
mod nodes;
mod sessions;
mod spaces;
#[cfg(test)]
mod tests;
mod trash;
mod uploads;
mod versions;

use std::sync::Arc;

use ocis_core::id::StorageId;
use ocis_core::port::Late;
use ocis_core::{Error, Result};

pub use self::authenticate::AuthenticateGateway;
pub use self::data::data_gateway;
pub use self::grants::GrantsGateway;
pub use self::nodes::NodesGateway;
pub use self::sessions::SessionsGateway;
pub use self::spaces::SpacesGateway;
pub use self::trash::TrashGateway;
pub use self::uploads::UploadsGateway;
pub use self::versions::VersionsGateway;

use crate::peers::Keyed;

/// What `storage` owns. A storage that nobody ever offered holds nothing: `NotFound`. One that is
/// known and does not run right now: `Unavailable`.
fn of_storage<T: ?Sized>(handles: &Keyed<T>, storage: &StorageId) -> Result<Arc<T>> {
    handles
        .find(storage.as_str())
        .ok_or_else(|| Error::not_found("there is no such storage").with("storage", storage))
        .and_then(|handle: Late<T>| handle.bound())
}
