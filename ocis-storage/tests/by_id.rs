//! Contents for files that are meant by their ids, and ids that are never given twice.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "in a test, what must not happen ends it"
)]

mod world;

use std::sync::Arc;

use ocis_core::ErrorKind;
use ocis_core::trash::Collision;
use ocis_storage::Options;
use ocis_storage::fs::MemoryFs;

use world::{World, at, storage};

/// A space with the file `d/f`.
async fn begin() -> World {
    let disk = Arc::new(MemoryFs::default());
    let world = World::open(disk, Options::new(storage())).unwrap();
    world.home("einstein").await.unwrap();
    world.mkdir("d").await.unwrap();
    world.put("d/f", b"old").await.unwrap();
    world
}

async fn read(world: &World, path: &str) -> Vec<u8> {
    world.content(at(path)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_content_follows_its_file() {
    let world = begin().await;
    let file = world.by_id("d/f").await.unwrap();
    world.put_at(file.clone(), b"one").await.unwrap();
    world.put_in_pieces(file.clone(), b"pieces").await.unwrap();
    assert_eq!(read(&world, "d/f").await, b"pieces");
    let ticket = world.ticket(file.clone(), b"moved").await.unwrap();
    world.rename("d/f", "g").await.unwrap();
    world.push(ticket, b"moved").await.unwrap();
    assert_eq!(read(&world, "g").await, b"moved");
    assert_eq!(world.list("d").await.unwrap().len(), 0);
    let folder = world.by_id("d").await.unwrap();
    for target in [folder, at("")] {
        assert_eq!(world.put_at(target, b"x").await.unwrap_err().kind(), ErrorKind::Conflict);
    }
    assert_eq!(world.store.check().unwrap(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_deleted_meanwhile_is_not_made_again() {
    let world = begin().await;
    let file = world.by_id("d/f").await.unwrap();
    let ticket = world.ticket(file, b"late").await.unwrap();
    world.delete("d/f").await.unwrap();
    let error = world.push(ticket, b"late").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(world.list("d").await.unwrap().len(), 0);
    let key = world.trash(None).await.unwrap()[0].key.clone();
    world.restore(key, None, Collision::Refuse).await.unwrap();
    assert_eq!(read(&world, "d/f").await, b"old");
    assert_eq!(world.store.check().unwrap(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_the_place_of_a_deleted_file_is_another_one() {
    let world = begin().await;
    let ticket = world.ticket(at("d/f"), b"new").await.unwrap();
    world.delete("d/f").await.unwrap();
    world.push(ticket, b"new").await.unwrap();
    let key = world.trash(None).await.unwrap()[0].key.clone();
    world.restore(key, None, Collision::KeepBoth).await.unwrap();
    assert_eq!(read(&world, "d/f").await, b"new");
    assert_eq!(read(&world, "d/f (1)").await, b"old");
    assert_eq!(world.store.check().unwrap(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_that_is_used_twice_makes_two_files() {
    let world = begin().await;
    let ticket = world.ticket(at("d/g"), b"one").await.unwrap();
    world.push(ticket.clone(), b"one").await.unwrap();
    world.rename("d/g", "kept").await.unwrap();
    world.push(ticket, b"two").await.unwrap();
    assert_eq!(read(&world, "kept").await, b"one");
    assert_eq!(read(&world, "d/g").await, b"two");
    assert_eq!(world.store.check().unwrap(), [""; 0]);
}
