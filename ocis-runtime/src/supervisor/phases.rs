//! The phases of starting, the same for one service and for all: load settings, build every unit,
//! bind what they offer, check what they need, open sockets, start. Each phase is complete for all
//! services before the next one begins, so that most mistakes show before anything is touched.

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use futures::future::join_all;
use ocis_core::config::{Layers, Problems};
use ocis_core::port::Late;
use ocis_core::{Error, Result};

use tracing::debug;

use super::health::Health;
use super::restart::{Door, Ending, Keeper};
use super::{Options, Runtime};
use crate::peers::{Peers, Slot};
use crate::registry::{Build, DebugSettings, Entry, Loaded, Registry};
use crate::service::{Listener, Unit};

/// A selection of services whose settings are loaded, whose units are built, and whose needs are
/// met. Nothing is opened yet.
pub struct Plan {
    parts: Vec<Part>,
    peers: Peers,
}

struct Part {
    entry: Entry,
    debug: Option<DebugSettings>,
    build: Build,
    unit: Unit,
}

impl Plan {
    /// Loads, builds and checks the services called `names`. The error has one line for every
    /// service that cannot start.
    pub fn new(registry: &Registry, names: &[&str], layers: &Layers) -> Result<Self> {
        let names: BTreeSet<&str> = names.iter().copied().collect();
        let entries: Vec<Entry> = each(names, |name| registry.get(name).copied())?;
        let loaded = load(entries, layers)?;
        let peers = Peers::new();
        let mut parts = each(loaded, |(entry, Loaded { debug, build })| {
            let unit = build(&peers)?;
            Ok(Part { entry, debug, build, unit })
        })?;
        for part in &mut parts {
            part.bind(&peers)?;
        }
        each(&parts, |part| part.check(&peers, registry))?;
        Ok(Self { parts, peers })
    }

    /// The names of the services.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.parts.iter().map(|part| part.entry.name)
    }

    /// The handles of everything that the services offer.
    pub fn peers(&self) -> &Peers {
        &self.peers
    }

    /// Opens the sockets, starts every unit and runs their jobs; returns when all of them are
    /// ready. When one of them fails, what was opened is closed again.
    pub async fn start(self, options: Options) -> Result<Runtime> {
        let ending = Ending::default();
        let mut runtime = Runtime::new(ending.clone(), options.drain);
        let mut keepers = Vec::new();
        for part in self.parts {
            keepers.push(part.open(&self.peers, &ending, &options, &mut runtime).await?);
        }
        if let Some(address) = &options.control {
            runtime.control(address, &self.peers).await?;
        }
        let starts = keepers.into_iter().map(|(keeper, unit)| async move {
            let started = keeper.start(unit).await;
            (keeper, started)
        });
        let (mut actives, mut failed) = (Vec::new(), None);
        for (keeper, started) in join_all(starts).await {
            match started {
                Ok(active) => actives.push((keeper, active)),
                Err(error) => failed = failed.or(Some(named(keeper.entry.name, error))),
            }
        }
        let Some(error) = failed else {
            actives.into_iter().for_each(|(keeper, active)| runtime.keep(keeper, active));
            return Ok(runtime);
        };
        for (keeper, active) in actives {
            keeper.finish(active).await;
        }
        Err(error)
    }
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.parts.iter().map(|part| part.entry.name)).finish()
    }
}

impl Part {
    fn bind(&mut self, peers: &Peers) -> Result<()> {
        let offers = std::mem::take(&mut self.unit.offers);
        for offered in &offers {
            if !self.entry.offers.iter().any(|declared| offered.is_at(*declared)) {
                return Err(Error::internal(format!(
                    "{} offers {offered:?} without declaring it",
                    self.entry.name
                )));
            }
        }
        peers.bind(self.entry.name, offers, self.unit.http.take())
    }

    fn check(&self, peers: &Peers, registry: &Registry) -> Result<()> {
        match self.entry.needs.iter().find(|need| !peers.is_bound(**need)) {
            Some(need) => Err(missing(&self.entry, *need, registry)),
            None => Ok(()),
        }
    }

    async fn open(
        mut self,
        peers: &Peers,
        ending: &Ending,
        options: &Options,
        runtime: &mut Runtime,
    ) -> Result<(Keeper, Unit)> {
        let name = self.entry.name;
        let mut doors = Vec::new();
        let mut addresses = Vec::new();
        for Listener { address, variable, service, serve } in
            std::mem::take(&mut self.unit.listeners)
        {
            let (socket, local) = listen(name, variable, &address).await?;
            let late = Late::named("http");
            late.bind(Arc::new(service));
            doors.push(Door { socket, service: late, serve });
            addresses.push(local);
        }
        let debug = match self.debug {
            Some(DebugSettings { address, variable, token }) => {
                Some((listen(name, variable, address.as_str()).await?, token))
            }
            None => None,
        };
        let local = debug.as_ref().map(|((_, local), _)| *local);
        if let Some(address) = local {
            debug!(service = name, %address, "debug address");
        }
        let health = Arc::new(Health::new(name, local, addresses));
        runtime.watch(&health, debug.map(|((socket, _), token)| (socket, token)))?;
        let keeper = Keeper {
            entry: self.entry,
            build: self.build,
            peers: peers.clone(),
            health,
            doors,
            restart: options.restart,
            ending: ending.clone(),
        };
        Ok((keeper, self.unit))
    }
}

/// Loads the settings of all, or tells all that is wrong with any of them.
fn load(entries: Vec<Entry>, layers: &Layers) -> Result<Vec<(Entry, Loaded)>, Problems> {
    let mut problems = layers.problems().clone();
    let mut done = Vec::new();
    for entry in entries {
        match (entry.load)(layers) {
            Ok(loaded) => done.push((entry, loaded)),
            Err(more) => problems.extend(more),
        }
    }
    if problems.is_empty() { Ok(done) } else { Err(problems) }
}

/// Does `step` to all items, and fails with the errors of all that failed, one a line.
fn each<T, U>(
    items: impl IntoIterator<Item = T>,
    step: impl FnMut(T) -> Result<U>,
) -> Result<Vec<U>> {
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for result in items.into_iter().map(step) {
        match result {
            Ok(item) => done.push(item),
            Err(error) => failed.push(error),
        }
    }
    let lines: BTreeSet<String> = failed.iter().map(ToString::to_string).collect();
    match failed.into_iter().next() {
        None => Ok(done),
        Some(first) if lines.len() == 1 => Err(first),
        Some(first) => {
            let lines: Vec<String> = lines.into_iter().collect();
            Err(Error::new(first.kind(), lines.join("\n")))
        }
    }
}

/// Opens a socket of a service.
async fn listen(service: &str, variable: &str, address: &str) -> Result<(TcpListener, SocketAddr)> {
    let open = async {
        let socket = crate::http::bind(address, variable).await?;
        let local = socket.local_addr().map_err(lost)?;
        Ok((socket.into_std().map_err(lost)?, local))
    };
    open.await.map_err(|error| named(service, error))
}

fn lost(error: std::io::Error) -> Error {
    Error::internal("a listening socket is lost").because(error)
}

fn named(service: &str, error: Error) -> Error {
    Error::new(error.kind(), format!("{service} cannot start: {error}")).because(error)
}

/// Says what is missing, who offers it, and how to run both together.
fn missing(entry: &Entry, need: Slot, registry: &Registry) -> Error {
    let name = entry.name;
    let Some(owner) = registry.who_offers(need) else {
        return Error::unavailable(format!("{name} needs {need}, which no service here offers"));
    };
    let together = closure(entry, registry).join(",");
    Error::unavailable(format!(
        "{name} needs {need}, which {} offers; this version cannot reach it over the network yet: \
         run them in one process (OCIS_RUN_SERVICES={together} ocis server)",
        owner.name
    ))
}

/// `entry` and everything that it needs, directly or not.
fn closure(entry: &Entry, registry: &Registry) -> Vec<&'static str> {
    let mut names = vec![entry.name];
    let mut open = vec![*entry];
    while let Some(entry) = open.pop() {
        for owner in entry.needs.iter().filter_map(|need| registry.who_offers(*need)) {
            if !names.contains(&owner.name) {
                names.push(owner.name);
                open.push(*owner);
            }
        }
    }
    names
}
