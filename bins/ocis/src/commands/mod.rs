//! What the commands do.

pub(crate) mod auth_app;
pub(crate) mod backup;
pub(crate) mod decomposedfs;
pub(crate) mod health;
pub(crate) mod idm;
pub(crate) mod init;
pub(crate) mod list;
pub(crate) mod revisions;
mod self_init;
pub(crate) mod server;
mod store;
pub(crate) mod trash;
pub(crate) mod trash_bin;
pub(crate) mod uploads;
mod value;
pub(crate) mod version;

use ocis_core::config::{Layers, Problems, Section};
use ocis_core::{Error, Result};
use ocis_runtime::settings::{Global, Machine};

/// Reads the configuration of this machine, with the files of `services`.
pub(crate) fn layers(services: &[&str]) -> Layers {
    Layers::read(&Machine, &Global::TABLE, services)
}

/// One table of settings, and what is wrong with it.
pub(crate) fn load<S: Section>(layers: &Layers) -> Result<S, Problems> {
    S::load(layers)
}

/// Runs a command that asks something of a running server.
pub(crate) fn wait<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::internal("no runtime for this command").because(error))?
        .block_on(work)
}
