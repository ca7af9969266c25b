//! gateway: the ports that everybody calls, over those of storages and authenticators.

use std::sync::Arc;

use ocis_core::id::StorageId;
use ocis_core::{Error, Result};

use crate::gateway::{
    AuthenticateGateway, GrantsGateway, NodesGateway, SessionsGateway, SpacesGateway, TrashGateway,
    UploadsGateway, VersionsGateway, data_gateway,
};
use crate::peers::{Offer, Peers, Port, Slot};
use crate::service::{Service, Unit};
use crate::settings;

/// Finds the storage that holds a space, and the service that checks a kind of credentials.
#[derive(Debug)]
pub struct Gateway;

impl Service for Gateway {
    const NAME: &'static str = "gateway";
    const NEEDS: &'static [Slot] = &[
        Slot::AnyKey(Port::Nodes),
        Slot::AnyKey(Port::Spaces),
        Slot::AnyKey(Port::Uploads),
        Slot::AnyKey(Port::Grants),
        Slot::AnyKey(Port::UploadSessions),
        Slot::AnyKey(Port::Trash),
        Slot::AnyKey(Port::Versions),
        Slot::AnyKey(Port::Data),
        Slot::Key(Port::Authenticate, "basic"),
    ];
    const OFFERS: &'static [Slot] = &[
        Slot::Plain(Port::Nodes),
        Slot::Plain(Port::Spaces),
        Slot::Plain(Port::Uploads),
        Slot::Plain(Port::Grants),
        Slot::Plain(Port::UploadSessions),
        Slot::Plain(Port::Trash),
        Slot::Plain(Port::Versions),
        Slot::Plain(Port::Data),
        Slot::Plain(Port::Authenticate),
    ];
    type Config = settings::Gateway;

    fn build(config: Self::Config, peers: &Peers) -> Result<Unit> {
        let new_spaces = StorageId::parse(&config.storage_users_mount_id)?;
        let storages = peers.keyed_spaces();
        let is_ready = move || match storages.find(&config.storage_users_mount_id) {
            Some(_) => Ok(()),
            None => Err(Error::unavailable(format!(
                "no storage has the id {}, where new spaces belong (storage_users.mount_id must \
                 be gateway.storage_registry.storage_users_mount_id)",
                config.storage_users_mount_id
            ))),
        };
        let spaces = SpacesGateway::new(peers.keyed_spaces(), new_spaces);
        let authenticate = AuthenticateGateway::new(peers.keyed_authenticate());
        Ok(Unit::new()
            .offers(Offer::Nodes(Arc::new(NodesGateway::new(peers.keyed_nodes()))))
            .offers(Offer::Spaces(Arc::new(spaces)))
            .offers(Offer::Uploads(Arc::new(UploadsGateway::new(peers.keyed_uploads()))))
            .offers(Offer::Grants(Arc::new(GrantsGateway::new(peers.keyed_grants()))))
            .offers(Offer::UploadSessions(Arc::new(SessionsGateway::new(peers.keyed_sessions()))))
            .offers(Offer::Trash(Arc::new(TrashGateway::new(peers.keyed_trash()))))
            .offers(Offer::Versions(Arc::new(VersionsGateway::new(peers.keyed_versions()))))
            .offers(Offer::Data(data_gateway(peers.keyed_data())))
            .offers(Offer::Authenticate(Arc::new(authenticate)))
            .ready_when(is_ready))
    }
}
