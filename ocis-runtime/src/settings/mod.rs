//! The settings of the predefined services, and how a process reads them.
//!
//! Each service has one table (`services/<name>.rs`); [`ENTRIES`] lists the predefined ones in the
//! order of the user's document, [`OPTIONAL`] those that run only when they are added. Loader, `--help`, the settings reference and the checks read these lists.

pub mod driver;
mod global;
pub mod init;
pub mod ldap;
mod loaded;
pub mod openid;
pub mod policies;
mod runtime;
mod services;
mod source;

use ocis_core::config::{Layers, Problems, Section, Table, reference};

pub use global::Global;
pub use loaded::{Loaded, is_unconfigured};
pub use runtime::Runtime;
pub use services::*;
pub use source::Machine;

/// A service's table, and how to find out what is wrong with its settings.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The settings.
    pub table: Table,
    pub(crate) verify: fn(&Layers) -> Problems,
}

impl Entry {
    const fn of<S: Section>() -> Self {
        Self { table: S::TABLE, verify: |layers| S::read(layers).1 }
    }
}

/// The predefined services, by name.
pub static ENTRIES: &[Entry] = &[
    Entry::of::<AppProvider>(),
    Entry::of::<AppRegistry>(),
    Entry::of::<AuthBasic>(),
    Entry::of::<AuthMachine>(),
    Entry::of::<AuthService>(),
    Entry::of::<Clientlog>(),
    Entry::of::<Eventhistory>(),
    Entry::of::<Frontend>(),
    Entry::of::<Gateway>(),
    Entry::of::<Graph>(),
    Entry::of::<Groups>(),
    Entry::of::<Idm>(),
    Entry::of::<Idp>(),
    Entry::of::<Nats>(),
    Entry::of::<Notifications>(),
    Entry::of::<Ocdav>(),
    Entry::of::<Ocm>(),
    Entry::of::<Ocs>(),
    Entry::of::<Postprocessing>(),
    Entry::of::<Proxy>(),
    Entry::of::<Search>(),
    Entry::of::<Settings>(),
    Entry::of::<Sharing>(),
    Entry::of::<Sse>(),
    Entry::of::<StoragePubliclink>(),
    Entry::of::<StorageShares>(),
    Entry::of::<StorageSystem>(),
    Entry::of::<StorageUsers>(),
    Entry::of::<Thumbnails>(),
    Entry::of::<Userlog>(),
    Entry::of::<Users>(),
    Entry::of::<Web>(),
    Entry::of::<Webdav>(),
    Entry::of::<Webfinger>(),
];

/// The services that run only when they are named (`OCIS_ADD_RUN_SERVICES`), by name.
pub static OPTIONAL: &[Entry] = &[Entry::of::<AuthApp>()];

/// Everything that this program can run.
fn entries() -> impl Iterator<Item = &'static Entry> {
    ENTRIES.iter().chain(OPTIONAL)
}

/// All tables: the global one, that of the supervisor, those of the services.
pub fn tables() -> Vec<&'static Table> {
    [&Global::TABLE, &Runtime::TABLE]
        .into_iter()
        .chain(entries().map(|entry| &entry.table))
        .collect()
}

/// The table of a service.
pub fn table(service: &str) -> Option<&'static Table> {
    entries().map(|entry| &entry.table).find(|table| table.service == service)
}

/// The settings of a service for its `--help`.
pub fn help_text(service: &str) -> Option<String> {
    table(service).map(|table| reference::help_text(table, &Global::TABLE))
}

/// The names of the predefined services.
pub fn names() -> Vec<&'static str> {
    ENTRIES.iter().map(|entry| entry.table.service).collect()
}

#[cfg(test)]
pub(crate) mod tests;
