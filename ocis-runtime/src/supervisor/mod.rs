//! Starting services, keeping them alive, and ending them: [`Plan::new`] loads, builds and checks,
//! [`Plan::start`] opens and runs, [`Runtime::stop`] drains and closes.
//!
//! Nothing but the supervisor and the accept loops spawns tasks; each task has a name, a stop
//! signal and a restart rule.

pub mod drain;
mod health;
mod phases;
mod restart;
#[cfg(test)]
mod tests;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use ocis_core::config::Secret;
use ocis_core::{Error, Result};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tracing::warn;

pub use self::health::{State, Status};
pub use self::phases::Plan;
pub use self::restart::Restart;

pub(crate) use self::health::Health;
use self::restart::{Active, Ending, Keeper};
use crate::peers::Peers;
use crate::{control, debug};

/// How a server runs.
#[derive(Debug, Clone)]
pub struct Options {
    /// What becomes of a unit that fails.
    pub restart: Restart,
    /// The address of the control port as `host:port`; none means that there is no control port.
    pub control: Option<String>,
    /// How long ending may take.
    pub drain: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { restart: Restart::BackOff, control: None, drain: Duration::from_secs(20) }
    }
}

/// A server that runs.
pub struct Runtime {
    services: Vec<Arc<Health>>,
    keepers: JoinSet<()>,
    watchers: JoinSet<()>,
    ending: Ending,
    drain: Duration,
    control: Option<SocketAddr>,
    given_up: (mpsc::UnboundedSender<Error>, mpsc::UnboundedReceiver<Error>),
}

impl Runtime {
    fn new(ending: Ending, drain: Duration) -> Self {
        Self {
            services: Vec::new(),
            keepers: JoinSet::new(),
            watchers: JoinSet::new(),
            ending,
            drain,
            control: None,
            given_up: mpsc::unbounded_channel(),
        }
    }

    /// How each service is doing, in the order of their names.
    pub fn services(&self) -> Vec<Status> {
        self.services.iter().map(|health| health.status()).collect()
    }

    /// The address of the control port, with the port that it really has.
    pub fn control_address(&self) -> Option<SocketAddr> {
        self.control
    }

    /// Waits until a service is given up, and tells why. Under [`Restart::Never`] that is its
    /// first failure.
    pub async fn given_up(&mut self) -> Error {
        match self.given_up.1.recv().await {
            Some(error) => error,
            // The sender lives as long as `self`.
            None => std::future::pending().await,
        }
    }

    /// Accepts nothing new, answers what is under way, stops the jobs and closes the stores; what
    /// takes longer than the bound is cut off.
    pub async fn stop(mut self) {
        let deadline = Instant::now() + self.drain;
        self.ending.drain.cancel();
        self.ending.doors.close();
        if timeout_at(deadline, self.ending.doors.wait()).await.is_err() {
            warn!("requests that do not end are cut off");
        }
        self.ending.stop.cancel();
        // Stores need a moment to close even when requests took all of the time.
        let deadline = deadline.max(Instant::now() + Duration::from_secs(1));
        let keepers = async { while self.keepers.join_next().await.is_some() {} };
        if timeout_at(deadline, keepers).await.is_err() {
            warn!("services that do not end are cut off");
        }
    }

    /// Serves a service's debug address.
    fn watch(&mut self, health: &Arc<Health>, debug: Option<(TcpListener, Secret)>) -> Result<()> {
        self.services.push(Arc::clone(health));
        if let Some((socket, token)) = debug {
            let serve = debug::serve(socket, Arc::clone(health), token, self.ending.stop.clone())?;
            self.watchers.spawn(serve);
        }
        Ok(())
    }

    async fn control(&mut self, address: &str, peers: &Peers) -> Result<()> {
        let (socket, local) = control::open(address).await?;
        let (services, stop) = (self.services.clone(), self.ending.stop.clone());
        let serve = control::serve(socket, local, services, peers, stop)?;
        self.watchers.spawn(serve);
        self.control = Some(local);
        Ok(())
    }

    fn keep(&mut self, keeper: Keeper, active: Active) {
        let given_up = self.given_up.0.clone();
        self.keepers.spawn(async move {
            if let Err(error) = keeper.keep(active).await {
                // Nobody listens when the server ends anyway.
                let _ = given_up.send(error);
            }
        });
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime").field("services", &self.services()).finish_non_exhaustive()
    }
}
