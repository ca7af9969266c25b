//! Everything that listens, composes or supervises.
//!
//! A server is a [`registry::Registry`] of services; [`supervisor::Plan`] loads their settings,
//! builds them and checks that every port that one needs is offered by another, and starting the
//! plan gives a [`supervisor::Runtime`]. The command line, the settings reference and `--help` read
//! the same registry. `services` holds the predefined ones, each a thin file that joins a protocol
//! with an implementation.

/// The version of this server, as clients are told it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

pub mod bus;
pub mod control;
mod debug;
pub mod edge;
pub mod gateway;
pub mod http;
mod late_http;
mod ldaps;
pub mod peers;
mod plain_http;
pub mod registry;
pub mod service;
pub mod services;
pub mod settings;
pub mod stores;
pub mod supervisor;
pub mod telemetry;
