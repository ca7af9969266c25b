//! The protocol against ports in memory: method by method, against what strangers send, and with
//! clients that we did not write.
#![cfg(test)]

mod bin;
mod hostile;
mod litmus;
mod locks;
mod memory;
mod properties;
mod reading;
mod server;
mod sessions;
mod trash;
mod trees;
mod tus;
mod versions;
mod writing;
