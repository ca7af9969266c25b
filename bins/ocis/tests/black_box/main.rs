//! The real binary on temporary directories and free ports: what it prints, what it answers, how
//! it ends.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test, what must not happen ends it"
)]

mod commands;
mod files;
mod harness;
mod maintenance;
mod password;
mod roles;
mod selection;
mod standby;
mod start;
mod stop;
mod uploads;
