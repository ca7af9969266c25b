//! storage-system: small documents of services, in metadata spaces in oCIS's own on-disk format.

use std::sync::Arc;
use std::time::Duration;

use ocis_core::id::{StorageId, UserId};
use ocis_core::port::{KeyValue, Late};
use ocis_core::{Error, Result};
use ocis_storage::blob::{BlobStore, PosixBlobs};
use ocis_storage::fs::{Fs, RealFs};
use ocis_storage::{Documents, Options, Store};
use tokio::time::interval;

use crate::peers::{Offer, Peers, Port, Slot};
use crate::service::{Service, Stop, Unit};
use crate::settings;

/// How often the store is asked whether it has to be opened again.
const WATCH: Duration = Duration::from_secs(1);

/// Stores the documents of other services.
#[derive(Debug)]
pub struct StorageSystem;

impl Service for StorageSystem {
    const NAME: &'static str = "storage-system";
    const OFFERS: &'static [Slot] = &[Slot::Plain(Port::KeyValue)];
    type Config = settings::StorageSystem;

    fn build(config: Self::Config, _: &Peers) -> Result<Unit> {
        let owner = UserId::parse(&config.system_user_id)?;
        let options = Options {
            // Nobody can ask for a former state of a document.
            versioning: false,
            cached_nodes: 20_000,
            // What other storages leave for metadata is there for documents.
            reserve: 0,
            segment: 4 * 1024 * 1024,
            ..Options::new(StorageId::parse(Self::NAME)?)
        };
        let documents = Late::<dyn KeyValue>::unbound();
        let store = Late::<Store>::named("store");
        let (opened, closed) = (documents.clone(), documents.clone());
        let (held, watched, probed, ended) = (store.clone(), store.clone(), store.clone(), store);
        Ok(Unit::new()
            .offers(Offer::KeyValue(Arc::new(documents)))
            .ready_when(move || probed.bound().map(drop))
            .starts(move || async move {
                let root = config.ocis_root;
                let open = move || {
                    let fs: Arc<dyn Fs> = Arc::new(RealFs);
                    let blobs: Arc<dyn BlobStore> =
                        Arc::new(PosixBlobs::new(Arc::clone(&fs), &root));
                    Store::open(fs, blobs, &root, options)
                };
                let store = tokio::task::spawn_blocking(open).await.map_err(lost)??;
                opened.bind(Arc::new(Documents::new(Arc::clone(&store), owner)));
                held.bind(store);
                Ok(())
            })
            .runs("watch", move |stop| watch(watched, stop))
            .closes(move || async move {
                closed.unbind();
                let store = ended.bound().ok();
                ended.unbind();
                let close = move || store.map_or(Ok(()), |store| store.close());
                tokio::task::spawn_blocking(close).await.map_err(lost)?
            }))
    }
}

/// Fails when the store has to be opened again, which the supervisor then does.
async fn watch(store: Late<Store>, stop: Stop) -> Result<()> {
    let mut ticks = interval(WATCH);
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            _ = ticks.tick() => if store.bound()?.has_failed() {
                return Err(Error::unavailable("the storage could not write and is opened again"));
            }
        }
    }
}

fn lost(error: tokio::task::JoinError) -> Error {
    Error::internal("the storage broke off").because(error)
}
