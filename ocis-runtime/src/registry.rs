//! The list of services that a program is composed of: a value, never a global, so that an example
//! or a small binary composes its own.

use std::fmt;
use std::sync::Arc;

use ocis_core::config::{Address, Layers, Problems, Reader, Secret, Section as _, Table};
use ocis_core::{Error, Result};

use crate::peers::{Peers, Slot};
use crate::service::{Availability, Service, Unit};

/// Builds a service's unit, as often as it has to be started.
pub(crate) type Build = Arc<dyn Fn(&Peers) -> Result<Unit> + Send + Sync>;

/// A service whose settings are loaded.
pub(crate) struct Loaded {
    pub(crate) debug: Option<DebugSettings>,
    pub(crate) build: Build,
}

/// Where a service can be observed.
#[derive(Debug, Clone)]
pub(crate) struct DebugSettings {
    pub(crate) address: Address,
    /// The variable that sets the address, for errors.
    pub(crate) variable: &'static str,
    /// What `/metrics` asks for as bearer token; empty for nothing.
    pub(crate) token: Secret,
}

impl DebugSettings {
    /// Reads the fields that every service's table has. Their mistakes are among those of the
    /// service's own settings.
    fn read(layers: &Layers, table: Table) -> Option<Self> {
        let row = table.row("debug_addr")?;
        let mut reader = Reader::new(layers, table);
        Some(Self {
            address: reader.value("debug_addr"),
            variable: row.vars.last().copied().unwrap_or("debug.addr"),
            token: reader.value("debug_token"),
        })
    }
}

/// What is known of a service before it is built.
#[derive(Clone, Copy)]
pub struct Entry {
    /// The name.
    pub name: &'static str,
    /// Whether this version does its work.
    pub availability: Availability,
    /// The ports that it calls.
    pub needs: &'static [Slot],
    /// The ports that it offers.
    pub offers: &'static [Slot],
    /// Its settings, and in a sentence what it is for.
    pub settings: Table,
    pub(crate) load: fn(&Layers) -> Result<Loaded, Problems>,
}

impl Entry {
    /// Where the service can be observed; none when it has no such address.
    pub fn debug_address(&self, layers: &Layers) -> Option<Address> {
        DebugSettings::read(layers, self.settings).map(|debug| debug.address)
    }

    fn of<S: Service>() -> Self {
        Self {
            name: S::NAME,
            availability: S::AVAILABILITY,
            needs: S::NEEDS,
            offers: S::OFFERS,
            settings: S::Config::TABLE,
            load: load::<S>,
        }
    }
}

fn load<S: Service>(layers: &Layers) -> Result<Loaded, Problems> {
    let config = S::Config::load(layers)?;
    Ok(Loaded {
        debug: DebugSettings::read(layers, S::Config::TABLE),
        build: Arc::new(move |peers| S::build(config.clone(), peers)),
    })
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The services that a program can run, in the order in which they were added.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    entries: Vec<Entry>,
}

impl Registry {
    /// A registry without services.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a service; one of the same name that was added before is replaced, so that a program
    /// can take the predefined list and put its own service in the place of one of them.
    #[must_use]
    pub fn with<S: Service>(mut self) -> Self {
        let entry = Entry::of::<S>();
        match self.entries.iter_mut().find(|known| known.name == entry.name) {
            Some(known) => *known = entry,
            None => self.entries.push(entry),
        }
        self
    }

    /// The services.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// The names of all services, in order.
    pub fn names(&self) -> Vec<&'static str> {
        self.entries.iter().map(|entry| entry.name).collect()
    }

    /// The service called `name`; [`ocis_core::ErrorKind::NotFound`] when there is none.
    pub fn get(&self, name: &str) -> Result<&Entry> {
        self.entries
            .iter()
            .find(|entry| entry.name == name)
            .ok_or_else(|| Error::not_found(format!("there is no service \"{name}\"")))
    }

    /// The service that offers what meets `need`.
    pub fn who_offers(&self, need: Slot) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.offers.iter().any(|offer| need.is_met_by(*offer)))
    }
}
