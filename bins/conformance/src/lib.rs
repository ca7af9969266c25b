//! What the black-box tests and the load program stand on: a real server on a temporary directory,
//! and clients that show exactly what goes over the wire.
#![allow(
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test program: its output is its report, and a panic in a check is a failed check"
)]

pub mod harness;
