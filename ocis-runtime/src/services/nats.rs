//! nats: the event bus; the only service that opens its log. The name is oCIS's, whose bus is a NATS
//! server.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ocis_core::port::{EventBus, Late};
use ocis_core::time::SystemClock;
use ocis_core::{Error, Result};
use ocis_storage::fs::RealFs;
use tokio::time::interval;

use crate::bus::{EmbeddedBus, Limits};
use crate::peers::{Offer, Peers, Port, Slot};
use crate::service::{Service, Stop, Unit};
use crate::settings;

/// How often old events are looked for when none are published.
const TRIM: Duration = Duration::from_secs(600);

/// Carries events.
#[derive(Debug)]
pub struct Nats;

impl Service for Nats {
    const NAME: &'static str = "nats";
    const OFFERS: &'static [Slot] = &[Slot::Plain(Port::Events)];
    type Config = settings::Nats;

    fn build(config: Self::Config, _: &Peers) -> Result<Unit> {
        let limits = Limits {
            age: config.max_age,
            bytes: config.max_bytes.0,
            events: config.max_events,
            ..Limits::default()
        };
        let (events, bus) = (Late::<dyn EventBus>::unbound(), Late::named("event log"));
        let (opened, trimmed, closed) = ((events.clone(), bus.clone()), bus.clone(), bus);
        let unbound = events.clone();
        Ok(Unit::new()
            .offers(Offer::Events(Arc::new(events)))
            .starts(move || async move {
                let bus = blocking(move || open(config.store_dir, limits)).await??;
                opened.0.bind(Arc::new(bus.clone()));
                opened.1.bind(Arc::new(bus));
                Ok(())
            })
            .runs("trim", move |stop| trim(trimmed, stop))
            .closes(move || async move {
                unbound.unbind();
                let bus = closed.bound();
                closed.unbind();
                blocking(move || bus.iter().for_each(|bus| bus.close())).await
            }))
    }
}

fn open(folder: PathBuf, limits: Limits) -> Result<EmbeddedBus> {
    EmbeddedBus::open(Arc::new(RealFs), &folder, limits, Arc::new(SystemClock))
}

/// Removes what is too old, also when nothing is published.
async fn trim(bus: Late<EmbeddedBus>, stop: Stop) -> Result<()> {
    let mut ticks = interval(TRIM);
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            _ = ticks.tick() => {
                let bus = bus.bound()?;
                blocking(move || bus.trim()).await?;
            }
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::internal("the event log broke off").because(error))
}
