//! What storage-users offers before its store is open, and binds when it is.

use std::sync::Arc;

use ocis_core::Result;
use ocis_core::data::HttpService;
use ocis_core::id::StorageId;
use ocis_core::port::{
    Grants, Late, Maintenance, Nodes, Spaces, Trash, UploadSessions, Uploads, Versions,
};
use ocis_core::time::SystemClock;
use ocis_storage::blob::BlobStore;
use ocis_storage::data::DataPlane;
use ocis_storage::fs::{Fs, RealFs};
use ocis_storage::session::StoreSessions;
use ocis_storage::ticket::Tickets;
use ocis_storage::upload::StoreUploads;
use ocis_storage::{Driver, Options, Store};

use super::{blobs, lost};
use crate::peers::Peers;

/// What is offered before the store is open, and bound when it is.
#[derive(Clone)]
pub(super) struct Handles {
    peers: Peers,
    storage: StorageId,
    pub(super) store: Late<Store>,
    pub(super) nodes: Late<dyn Nodes>,
    pub(super) spaces: Late<dyn Spaces>,
    pub(super) uploads: Late<dyn Uploads>,
    pub(super) grants: Late<dyn Grants>,
    pub(super) sessions: Late<dyn UploadSessions>,
    pub(super) maintenance: Late<dyn Maintenance>,
    pub(super) trash: Late<dyn Trash>,
    pub(super) versions: Late<dyn Versions>,
    pub(super) data: Late<HttpService>,
}

impl Handles {
    pub(super) fn unbound(peers: Peers, storage: StorageId) -> Self {
        Self {
            peers,
            storage,
            store: Late::named("store"),
            nodes: Late::<dyn Nodes>::unbound(),
            spaces: Late::<dyn Spaces>::unbound(),
            uploads: Late::<dyn Uploads>::unbound(),
            grants: Late::<dyn Grants>::unbound(),
            sessions: Late::<dyn UploadSessions>::unbound(),
            maintenance: Late::<dyn Maintenance>::unbound(),
            trash: Late::<dyn Trash>::unbound(),
            versions: Late::<dyn Versions>::unbound(),
            data: Late::named("data"),
        }
    }

    /// Opens the store, unless the wait for another process that owns it is given up.
    pub(super) async fn open(
        &self,
        place: blobs::Place,
        options: Options,
        tickets: Tickets,
        given_up: impl Future<Output = ()>,
    ) -> Result<()> {
        let fs: Arc<dyn Fs> = Arc::new(RealFs);
        let root = place.root.clone();
        let blobs = place.open(&fs).await?;
        let opened = Store::open_unless(fs, Arc::clone(&blobs), root, options, given_up).await?;
        let Some(store) = opened else { return Ok(()) };
        if let Some(entrance) = self.peers.entrance() {
            let (store, note) = (Arc::clone(&store), entrance.note(&self.storage)?);
            tokio::task::spawn_blocking(move || store.announce(&note)).await.map_err(lost)??;
        }
        self.bind(store, blobs, tickets);
        Ok(())
    }

    fn bind(&self, store: Arc<Store>, blobs: Arc<dyn BlobStore>, tickets: Tickets) {
        let driver = Driver::new(Arc::clone(&store), tickets.clone());
        self.nodes.bind(Arc::new(driver.clone()));
        self.maintenance.bind(Arc::new(driver.clone()));
        self.spaces.bind(Arc::new(driver.clone()));
        self.grants.bind(Arc::new(driver.clone()));
        self.trash.bind(Arc::new(driver.clone()));
        self.versions.bind(Arc::new(driver));
        self.uploads.bind(Arc::new(StoreUploads::new(Arc::clone(&store), tickets.clone())));
        self.sessions.bind(Arc::new(StoreSessions::new(Arc::clone(&store), tickets.clone())));
        let data = DataPlane::new(Arc::clone(&store), blobs, tickets, Arc::new(SystemClock));
        self.data.bind(Arc::new(data.service()));
        self.store.bind(store);
    }

    pub(super) fn unbind(&self) -> Option<Arc<Store>> {
        let store = self.store.bound().ok();
        self.data.unbind();
        self.maintenance.unbind();
        self.versions.unbind();
        self.trash.unbind();
        self.grants.unbind();
        self.sessions.unbind();
        self.uploads.unbind();
        self.spaces.unbind();
        self.nodes.unbind();
        self.store.unbind();
        store
    }
}
