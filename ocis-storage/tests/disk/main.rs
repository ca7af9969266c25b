//! What only shows on a real disk: how much is flushed, and what oCIS left there.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test speaks by panicking")]

mod emptying;
mod extended;
mod pending;
mod world;
