//! Einstein's space, in which marie has some permissions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ocis_core::Result;
use ocis_storage::Options;
use ocis_storage::fs::{Fs as _, Kind, MemoryFs};
use tokio::runtime::Runtime;

use crate::world::{World, person, storage};

/// Gives marie an entry on the node whose name ends so.
fn grant(disk: &MemoryFs, name: &str, entry: &str) {
    let mut folders = vec![PathBuf::from("/store/spaces/ei/nstein/nodes")];
    while let Some(folder) = folders.pop() {
        for found in disk.read_dir(&folder).unwrap() {
            let path = folder.join(&found.name);
            if found.kind == Kind::Folder {
                folders.push(path);
                continue;
            }
            if !found.name.ends_with(".mpk") || found.name.contains(".REV.") {
                continue;
            }
            let mut map: BTreeMap<String, serde_bytes::ByteBuf> =
                rmp_serde::from_slice(&disk.read(&path).unwrap()).unwrap();
            if map.get("user.ocis.name").is_some_and(|has| has.ends_with(name.as_bytes())) {
                let entry = serde_bytes::ByteBuf::from(entry.as_bytes());
                map.insert("user.ocis.grant.u:marie".into(), entry);
                disk.write(&path, &rmp_serde::to_vec(&map).unwrap()).unwrap();
            }
        }
    }
}

fn open(disk: &MemoryFs) -> World {
    World::open(Arc::new(disk.clone()), Options::new(storage())).unwrap()
}

/// Folders `d`, `d/e` and `d/hidden` (denied to marie), files `f` (with a version), `d/x`, and in the
/// trash `gone` and the folder `old` with `old/y`.
async fn fill(world: &World) -> Result<()> {
    world.home("einstein").await?;
    for path in ["d", "d/e", "d/hidden", "old"] {
        world.mkdir(path).await?;
    }
    for path in ["f", "f", "d/x", "gone", "old/y"] {
        world.put(path, path.as_bytes()).await?;
    }
    for path in ["gone", "old"] {
        world.delete(path).await?;
    }
    Ok(())
}

/// What is used by marie, who has the permissions of these letters on the node of this name.
pub(crate) fn prepare(runtime: &Runtime, letters: &str, name: &str) -> World {
    let disk = MemoryFs::default();
    let world = open(&disk);
    runtime.block_on(fill(&world)).unwrap();
    world.store.close().unwrap();
    drop(world);
    // As a real oCIS writes them.
    grant(&disk, name, &format!("\0t=A:f=:p={letters}:c=einstein:e=0\n"));
    let of_marie = BTreeMap::from([("einstein", "../../../spaces/ei/nstein/nodes/ei/ns/te/in")]);
    let index = Path::new("/store/indexes/by-user-id/marie.mpk");
    disk.write(index, &rmp_serde::to_vec(&of_marie).unwrap()).unwrap();
    grant(&disk, "hidden", "\0t=D:f=:p=:c=einstein:e=0\n");
    open(&disk).by(person("marie"))
}
