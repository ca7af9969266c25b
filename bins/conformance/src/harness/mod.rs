//! What every check stands on: the plan that runs them, servers that die with their handle, and a
//! plain HTTP/1.1 client that can also misbehave.

mod body;
mod bucket;
mod client;
mod dav;
mod demo;
mod memory;
mod node;
pub mod openldap;
mod plan;
mod ports;
mod process;
mod provider;
mod random;
mod raw;
mod server;
mod tls;
mod world;

pub use body::{Pattern, PatternCheck};
pub use bucket::Buckets;
pub use client::{Client, Reply, basic};
pub use dav::{Entry, encoded, entries, personal_space};
pub use demo::DEMO_USERS;
pub use memory::{MemoryWatch, anonymous_memory};
pub use node::script as node_script;
pub use openldap::OpenLdap;
pub use plan::Plan;
pub use ports::{free_port, service_addresses};
pub use process::{Finished, run, run_with_input};
pub use provider::{Provider, TokenFormat};
pub use random::Random;
pub use raw::{exchange, raw_connection};
pub use server::{ADMIN_PASSWORD, Launch, Server};
pub use tls::trusting;
pub use world::World;
