//! What every check stands on: the plan that runs them, servers that die with their handle, and a
//! plain HTTP/1.1 client that can also misbehave.

mod body;
mod client;
mod dav;
mod memory;
mod plan;
mod ports;
mod process;
mod random;
mod raw;
mod server;
mod tls;
mod world;

pub(crate) use body::{Pattern, PatternCheck};
pub(crate) use client::{Client, Reply};
pub(crate) use dav::{encoded, entries, personal_space};
pub(crate) use memory::{MemoryWatch, anonymous_memory};
pub(crate) use plan::Plan;
pub(crate) use ports::{free_port, service_addresses};
pub(crate) use process::{Finished, run, run_with_input};
pub(crate) use random::Random;
pub(crate) use raw::{exchange, raw_connection};
pub(crate) use server::{ADMIN_PASSWORD, Launch, Server};
pub(crate) use world::World;
