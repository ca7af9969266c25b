//! `ocis server` and `ocis <service> server`: from the configuration to a server that runs until a
//! signal ends it.

use std::sync::Arc;
use std::time::Duration;

use ocis_core::config::{Reader, Section as _};
use ocis_core::time::{Clock as _, SystemClock};
use ocis_core::{Error, Result};
use ocis_runtime::VERSION;
use ocis_runtime::registry::{Entry, Registry};
use ocis_runtime::settings::{Global, Loaded, Machine, is_unconfigured};
use ocis_runtime::supervisor::drain::Signals;
use ocis_runtime::supervisor::{Options, Plan, Restart};
use ocis_runtime::telemetry::{log, metrics};
use tracing::{info, warn};

use super::self_init;
use crate::cli::{Failure, print};

/// Starts all services that the settings select, under the supervisor.
pub(crate) fn all(registry: &Registry) -> Result<(), Failure> {
    if is_unconfigured(&Machine) {
        self_init::run()?;
    }
    let loaded = Loaded::server(&Machine).map_err(Error::from)?;
    let options = Options { control: Some(loaded.runtime.address()), ..Options::default() };
    run(registry, &loaded, options)
}

/// Starts one service on its own. It has no supervisor but the one outside.
pub(crate) fn one(registry: &Registry, entry: Entry) -> Result<(), Failure> {
    let options = Options { restart: Restart::Never, ..Options::default() };
    let loaded = Loaded::service(&Machine, entry.name).map_err(Error::from)?;
    run(registry, &loaded, options)
}

fn run(registry: &Registry, loaded: &Loaded, options: Options) -> Result<(), Failure> {
    let plan = Plan::new(registry, &loaded.services, &loaded.layers)?;
    observe(registry, loaded)?;
    for line in loaded.warning_lines() {
        warn!("{line}");
    }
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        // Enough to keep a disk busy; each thread holds memory of its own.
        .max_blocking_threads(32)
        .build()
        .map_err(|error| Error::internal("the machine gives no threads").because(error))?;
    let result = tokio.block_on(serve(plan, options, loaded.global.ocis_url.as_str()));
    // Whatever still blocks was given its time by the supervisor.
    tokio.shutdown_timeout(Duration::from_millis(200));
    Ok(result?)
}

/// Sends logs where the settings say, service by service, and begins to count.
fn observe(registry: &Registry, loaded: &Loaded) -> Result<()> {
    let log_of = |table| Reader::new(&loaded.layers, table).log();
    let selected = loaded.services.iter().filter_map(|name| registry.get(name).ok());
    let services = selected.map(|entry| (entry.name, log_of(entry.settings))).collect();
    log::install(&log_of(Global::TABLE), &services, Arc::new(SystemClock))?;
    metrics::install(VERSION, SystemClock.now()).map(drop)
}

async fn serve(plan: Plan, options: Options, url: &str) -> Result<()> {
    let mut signals = Signals::catch()?;
    let ends_when_given_up = options.restart == Restart::Never;
    let mut runtime = tokio::select! {
        runtime = plan.start(options) => runtime?,
        signal = signals.next() => {
            info!(signal, "asked to end while starting");
            return Ok(());
        }
    };
    if let Some(address) = runtime.control_address() {
        info!(%address, "the runtime answers");
    }
    info!(services = runtime.services().len(), "ready");
    let listeners = runtime.services().into_iter().flat_map(|service| service.listeners);
    let addresses: Vec<_> = listeners.map(|address| address.to_string()).collect();
    if !addresses.is_empty() {
        let addresses = addresses.join(", ");
        print(&format!("Infinite Scale is ready at {url} (listening on {addresses})\n"));
    }
    let failure = tokio::select! {
        signal = signals.next() => {
            info!(signal, "asked to end");
            None
        }
        error = runtime.given_up(), if ends_when_given_up => Some(error),
    };
    tokio::select! {
        () = runtime.stop() => info!("ended"),
        signal = signals.next() => {
            return Err(Error::unavailable(format!("a second signal ({signal}) ended the server at once")));
        }
    }
    failure.map_or(Ok(()), Err)
}
