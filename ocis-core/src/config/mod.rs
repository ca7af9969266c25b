//! Settings: where they come from, what they mean, and what is wrong with them.
//!
//! A service declares its settings once, with [`settings!`](crate::settings): field, type, default,
//! YAML path, variables, doc line. From that one table come the struct, the loader
//! ([`Section::load`]), the help of the command line and the settings reference ([`mod@reference`]).
//!
//! [`Layers`] holds everything that was read through a [`Source`]: built-in defaults, below
//! `ocis.yaml`, below `<service>.yaml`, below the environment, where the later name of a variable
//! list wins. Loading never stops at the first mistake: all [`Problems`] of all services are
//! gathered and shown together, before anything is bound.
//!
//! The module is pure: it reads no file and no environment of its own.

pub mod check;
mod declare;
pub mod dirs;
pub mod expand;
pub mod known;
pub mod layers;
pub mod networks;
pub mod problem;
pub mod reader;
pub mod reference;
pub mod secret;
pub mod source;
pub mod table;
pub mod units;
pub mod yaml;

pub use dirs::Dirs;
pub use layers::Layers;
pub use networks::Networks;
pub use problem::{Problem, Problems, Warning};
pub use reader::Reader;
pub use secret::Secret;
pub use source::{File, Source};
pub use table::{Row, Table};
pub use units::{Address, ByteSize, LogLevel, Records, Seconds, Value, WebUrl};

/// The settings of one service, or the global ones.
pub trait Section: Default + Send + Sync + 'static {
    /// Every setting with its variables, YAML path, default and doc line.
    const TABLE: Table;

    /// The settings as `layers` give them, and everything that is wrong with them; a field with a
    /// wrong value has its type's default.
    fn read(layers: &Layers) -> (Self, Problems);

    /// The settings as `layers` give them, or everything that is wrong with them.
    fn load(layers: &Layers) -> Result<Self, Problems> {
        let (section, problems) = Self::read(layers);
        if problems.is_empty() { Ok(section) } else { Err(problems) }
    }
}

/// How and where log lines are written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Log {
    /// Lines below this level are not written.
    pub level: LogLevel,
    /// Lines for a person instead of JSON.
    pub pretty: bool,
    /// Colours in pretty lines.
    pub color: bool,
    /// File to append to; empty means the standard error output.
    pub file: String,
}

#[cfg(test)]
mod tests;
