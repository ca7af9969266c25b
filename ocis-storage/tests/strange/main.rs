//! Things in a store that no store put there, and what oCIS leaves when it is killed: none of them
//! makes the store or a listing unusable, and nobody's files go with them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test speaks by panicking"
)]

mod foreign;
mod links;
mod spaces;
mod versions;
#[path = "../world/mod.rs"]
mod world;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ocis_core::port::{Nodes as _, Stat};
use ocis_storage::Options;
use ocis_storage::fs::{Fs as _, MemoryFs};
use serde_bytes::ByteBuf;

use world::{ROOT, USER, World, at, single, storage};

/// A store that is changed behind its back while it is closed.
#[derive(Default)]
struct Disk(MemoryFs);

impl Disk {
    /// One in which [`USER`] has a space, and `fill` put something there.
    fn filled(fill: impl AsyncFnOnce(&World)) -> Self {
        let disk = Self::default();
        disk.with(async |world| {
            world.home(USER).await.unwrap();
            fill(world).await;
        });
        disk
    }

    /// Opens the store, works with it, and closes it.
    fn with<T>(&self, work: impl AsyncFnOnce(&World) -> T) -> T {
        let world = World::open(Arc::new(self.0.clone()), Options::new(storage())).unwrap();
        let result = single().block_on(work(&world));
        assert!(!world.store.has_failed());
        world.store.close().unwrap();
        result
    }

    /// The id of what lies at a path.
    fn id(&self, path: &str) -> String {
        self.with(async |world| id(world, path).await)
    }

    /// Changes the metadata beside `place`.
    fn edit(&self, place: &Path, change: impl FnOnce(&mut BTreeMap<String, ByteBuf>)) {
        let path = place.with_added_extension("mpk");
        let mut keys = rmp_serde::from_slice(&self.0.read(&path).unwrap()).unwrap();
        change(&mut keys);
        self.write(&path, &rmp_serde::to_vec(&keys).unwrap());
    }

    fn write(&self, path: &Path, content: &[u8]) {
        self.0.mkdir_all(path.parent().unwrap()).unwrap();
        self.0.write(path, content).unwrap();
    }

    /// What lies in a folder, of whatever kind.
    fn names(&self, folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            self.0.read_dir(folder).unwrap().into_iter().map(|entry| entry.name).collect();
        names.sort();
        names
    }
}

async fn id(world: &World, path: &str) -> String {
    let stat = Stat { target: at(path) };
    world.driver.stat(&world.cx, stat).await.unwrap().info.id.node.to_string()
}

/// The names that a folder lists.
async fn listed(world: &World, path: &str) -> Vec<String> {
    let nodes = world.list(path).await.unwrap();
    nodes.iter().map(|node| node.path.name().unwrap().to_owned()).collect()
}

/// An id as it is cut into folders.
fn cut(id: &str) -> String {
    match id {
        USER => "ei/ns/te/in".to_owned(),
        id => format!("{}/{}/{}/{}/{}", &id[..2], &id[2..4], &id[4..6], &id[6..8], &id[8..]),
    }
}

/// The place of a node of [`USER`]'s space.
fn node(id: &str) -> PathBuf {
    Path::new(ROOT).join("spaces/ei/nstein/nodes").join(cut(id))
}

/// The target of a link to a node.
fn target(id: &str) -> PathBuf {
    Path::new("../../../../..").join(cut(id))
}
