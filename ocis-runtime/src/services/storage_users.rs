//! storage-users: the spaces of users, in oCIS's own on-disk format.

pub(super) mod blobs;
mod handles;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ocis_core::id::StorageId;
use ocis_core::port::{Late, UploadSessions};
use ocis_core::time::{Clock as _, SystemClock};
use ocis_core::{Caller, Cx, Error, Result};
use ocis_storage::fs::RealFs;
use ocis_storage::session::StoreSessions;
use ocis_storage::ticket::Tickets;
use ocis_storage::{Options, Outlet, Store, WhenOwned};
use tokio::time::{interval, sleep};

use self::handles::Handles;
use crate::late_http::late_http;
use crate::peers::{Offer, Peers, Port, Slot};
use crate::service::{Service, Stop, Unit};
use crate::settings;

/// How often the store is asked whether it has to be opened again.
const WATCH: Duration = Duration::from_secs(1);
/// How often uploads whose time is over are removed.
const EXPIRE: Duration = Duration::from_secs(600);

/// Stores the files of users.
#[derive(Debug)]
pub struct StorageUsers;

impl Service for StorageUsers {
    const NAME: &'static str = "storage-users";
    const OFFERS: &'static [Slot] = &[
        Slot::AnyKey(Port::Nodes),
        Slot::AnyKey(Port::Spaces),
        Slot::AnyKey(Port::Uploads),
        Slot::AnyKey(Port::Grants),
        Slot::AnyKey(Port::UploadSessions),
        Slot::AnyKey(Port::Maintenance),
        Slot::AnyKey(Port::Trash),
        Slot::AnyKey(Port::Versions),
        Slot::AnyKey(Port::Data),
    ];
    type Config = settings::StorageUsers;

    fn build(config: Self::Config, peers: &Peers) -> Result<Unit> {
        let storage = StorageId::parse(&config.mount_id)?;
        // Only this service reads its tickets, and every secret that services share will do.
        let secret = config.jwt_secret.expose().as_bytes();
        let tickets = Tickets::new(secret, &storage, config.transfer_expires.0)?;
        let options = Options {
            versioning: !config.disable_versioning,
            max_quota: (config.max_quota.0 > 0).then_some(config.max_quota.0),
            upload_expiration: config.upload_expiration.0,
            events: outlet(&config, peers),
            ..Options::new(storage.clone())
        };
        let place = blobs::Place::of(&config)?;
        let handles = Handles::unbound(peers.clone(), storage.clone());
        let (opened, watched, closed) = (handles.clone(), handles.clone(), handles.clone());
        let (sessions, probed) = (handles.sessions.clone(), handles.store.clone());
        let processing = (handles.store.clone(), tickets.clone());
        let purging = handles.store.clone();
        let (later, standby, own) = (blobs::Place::of(&config)?, config.standby, tickets.clone());
        let when_owned = if config.standby { WhenOwned::Wait } else { WhenOwned::Refuse };
        let waiting = Options { when_owned, ..options.clone() };
        Ok(Unit::new()
            .offers_as(storage.as_str(), Offer::Nodes(Arc::new(handles.nodes)))
            .offers_as(storage.as_str(), Offer::Spaces(Arc::new(handles.spaces)))
            .offers_as(storage.as_str(), Offer::Uploads(Arc::new(handles.uploads)))
            .offers_as(storage.as_str(), Offer::Grants(Arc::new(handles.grants)))
            .offers_as(storage.as_str(), Offer::UploadSessions(Arc::new(handles.sessions)))
            .offers_as(storage.as_str(), Offer::Maintenance(Arc::new(handles.maintenance)))
            .offers_as(storage.as_str(), Offer::Trash(Arc::new(handles.trash)))
            .offers_as(storage.as_str(), Offer::Versions(Arc::new(handles.versions)))
            .offers_as(storage.as_str(), Offer::Data(late_http(handles.data, Self::NAME)))
            .ready_when(move || probed.bound().map(drop))
            .starts(move || async move {
                // Then the job opens it, and gives up when the server is stopped.
                if is_waited_for(place.root.clone(), standby).await? {
                    return Ok(());
                }
                opened.open(place, options, own, std::future::pending()).await
            })
            .runs("watch", move |stop| async move {
                if watched.store.bound().is_err() {
                    watched.open(later, waiting, tickets, stop.cancelled()).await?;
                }
                watch(watched.store, stop).await
            })
            .runs("expire-uploads", move |stop| expire(sessions, stop))
            .runs("finish-purges", move |stop| finish_purges(purging, stop))
            .runs("process-uploads", move |stop| process(processing.0, processing.1, stop))
            .closes(move || async move {
                let store = closed.unbind();
                let close = move || store.map_or(Ok(()), |store| store.close());
                tokio::task::spawn_blocking(close).await.map_err(lost)?
            }))
    }
}

/// Where the store's events go; none when nobody wants them. The bus may be absent or come later:
/// what cannot be delivered waits in the store.
fn outlet(config: &settings::StorageUsers, peers: &Peers) -> Option<Outlet> {
    let limit = config.events_max_waiting.0;
    config.makes_events().then(|| Outlet { bus: peers.events(), limit })
}

/// Whether the store has to be waited for. Asking takes a lock for a moment, so nobody asks for the
/// owner who does not wait for it.
async fn is_waited_for(root: PathBuf, standby: bool) -> Result<bool> {
    let asked = tokio::task::spawn_blocking(move || {
        Ok(Store::is_worked_on(&RealFs, &root)? || standby && Store::is_owned(&RealFs, &root)?)
    });
    asked.await.map_err(lost)?
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

/// Removes uploads whose time is over, once in a while.
async fn expire(sessions: Late<dyn UploadSessions>, stop: Stop) -> Result<()> {
    let mut wait = Duration::ZERO;
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            // A server that waits for another one, or is still opening the store, has nothing to
            // remove yet.
            () = sleep(wait) => if sessions.bound().is_err() {
                wait = WATCH;
            } else {
                wait = EXPIRE;
                let now = SystemClock.now();
                let cx = Cx::new(Caller::Service(StorageUsers::NAME.into()), now);
                match sessions.expire(&cx, now).await {
                    Ok(0) => {}
                    Ok(count) => tracing::info!(count, "removed uploads whose time was over"),
                    Err(error) => tracing::warn!(?error, "uploads could not be removed"),
                }
            }
        }
    }
}

/// Finishes uploads that a restart interrupted, and those that oCIS was processing, as soon as the
/// store is open.
async fn process(store: Late<Store>, tickets: Tickets, stop: Stop) -> Result<()> {
    let process =
        async { StoreSessions::new(opened(store).await, tickets).run(Arc::new(SystemClock)).await };
    tokio::select! {
        () = stop.cancelled() => Ok(()),
        ended = process => ended,
    }
}

/// Removes what purges have left that a crash interrupted, as soon as the store is open.
async fn finish_purges(store: Late<Store>, stop: Stop) -> Result<()> {
    let finish = async {
        let store = opened(store).await;
        tokio::task::spawn_blocking(move || store.finish_purges()).await.map_err(lost)?
    };
    tokio::select! {
        () = stop.cancelled() => return Ok(()),
        finished = finish => finished?,
    }
    stop.cancelled().await;
    Ok(())
}

/// The store, as soon as it is open.
async fn opened(store: Late<Store>) -> Arc<Store> {
    let mut ticks = interval(WATCH);
    loop {
        ticks.tick().await;
        if let Ok(store) = store.bound() {
            return store;
        }
    }
}

fn lost(error: tokio::task::JoinError) -> Error {
    Error::internal("the storage broke off").because(error)
}
