//! storage-users: to be joined with the driver.
use crate::peers::{Offer, Peers, Port, Slot};
use crate::service::{Service, Unit};
use crate::settings;
use ocis_core::Result;
use ocis_core::port::Late;
use std::sync::Arc;
/// Stores files.
#[derive(Debug)]
pub struct StorageUsers;
impl Service for StorageUsers {
    const NAME: &'static str = "storage-users";
    const OFFERS: &'static [Slot] = &[
        Slot::AnyKey(Port::Nodes),
        Slot::AnyKey(Port::Spaces),
        Slot::AnyKey(Port::Uploads),
        Slot::AnyKey(Port::Data),
    ];
    type Config = settings::StorageUsers;
    fn build(c: Self::Config, _: &Peers) -> Result<Unit> {
        Ok(Unit::new()
            .offers_as(
                &c.mount_id,
                Offer::Nodes(Arc::new(Late::<dyn ocis_core::port::Nodes>::unbound())),
            )
            .offers_as(
                &c.mount_id,
                Offer::Spaces(Arc::new(Late::<dyn ocis_core::port::Spaces>::unbound())),
            )
            .offers_as(
                &c.mount_id,
                Offer::Uploads(Arc::new(Late::<dyn ocis_core::port::Uploads>::unbound())),
            )
            .offers_as(&c.mount_id, Offer::Data(crate::late_http::not_implemented("x"))))
    }
}
