//! What only shows on a real disk: how much is flushed, and what oCIS left there.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test speaks by panicking")]

mod emptying;
mod extended;
mod pending;
#[path = "../world/mod.rs"]
mod world;

use std::path::Path;
use std::sync::Arc;

use ocis_storage::Options;
use ocis_storage::fs::Fs;

use world::{USER, World, storage};

/// Opens the store in a folder, early in time: what oCIS left may be later.
fn open(fs: &Arc<dyn Fs>, root: &Path) -> World {
    let opened = World::in_folder(Arc::clone(fs), root, Options::new(storage()));
    opened.unwrap().at_second(100)
}

/// Opens one in which somebody has a space.
async fn begin(fs: &Arc<dyn Fs>, root: &Path) -> World {
    let world = open(fs, root);
    world.home(USER).await.unwrap();
    world
}

/// Makes so many files of four bytes and deletes each, at the second of its number after the 1000th.
async fn deleted(world: &World, count: usize) {
    const AT_ONCE: usize = 16;
    let worker = |first: usize| async move {
        for number in (first..count).step_by(AT_ONCE) {
            let path = format!("f{number}");
            world.put(&path, b"four").await.unwrap();
            world.at_second(1000 + number as i64).delete(&path).await.unwrap();
        }
    };
    futures::future::join_all((0..AT_ONCE).map(worker)).await;
}

/// How much is in the trash.
async fn listed(world: &World) -> usize {
    world.trash(None).await.unwrap().len()
}
