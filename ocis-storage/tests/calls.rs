//! What operations cost in calls to the file system: what must not grow with the size of a folder
//! does not, and what is in memory is not read.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "in a test, what must not happen ends it"
)]

mod world;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use ocis_core::port::{Conditions, Nodes, Touch};
use ocis_storage::blob::PosixBlobs;
use ocis_storage::fs::{FaultyFs, Fs, MemoryFs};
use ocis_storage::{Options, Store};

use world::{ROOT, World, at, storage};

const MANY: usize = 10_000;
const DEPTH: usize = 20;

/// Opens the store on `fs`, which counts.
fn open(fs: &FaultyFs, cached_nodes: usize) -> World {
    let options = Options { cached_nodes, ..Options::new(storage()) };
    World::open(Arc::new(fs.clone()), options).unwrap()
}

/// An empty space on a disk whose calls are counted.
async fn counted() -> (FaultyFs, World) {
    let fs = FaultyFs::new(Arc::new(MemoryFs::default()));
    let world = open(&fs, 200_000);
    world.home("einstein").await.unwrap();
    (fs, world)
}

impl World {
    /// Makes empty files, many at once.
    async fn fill(&self, folder: &str, count: usize) {
        let touch = |number| {
            let target = at(&format!("{folder}/{number}"));
            self.driver.touch(&self.cx, Touch { target, conditions: Conditions::default() })
        };
        for result in futures::future::join_all((0..count).map(touch)).await {
            result.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_in_memory_reads_nothing() {
    let (fs, world) = counted().await;
    world.mkdir("folder").await.unwrap();
    world.fill("folder", MANY).await;
    // Change times of folders are written a moment after a change.
    world.store.close().unwrap();
    let world = open(&fs, 200_000);
    assert_eq!(world.list("folder").await.unwrap().len(), MANY);
    let before = fs.calls();
    assert_eq!(world.list("folder").await.unwrap().len(), MANY);
    assert_eq!(fs.calls(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_bounded_when_nothing_is_changed() {
    let (fs, world) = counted().await;
    world.mkdir("folder").await.unwrap();
    world.fill("folder", 300).await;
    world.store.close().unwrap();
    for (cached, is_kept) in [(1000, true), (100, false)] {
        let world = open(&fs, cached);
        // More than there is room for is still listed whole.
        assert_eq!(world.list("folder").await.unwrap().len(), 300);
        let before = fs.calls();
        assert_eq!(world.list("folder").await.unwrap().len(), 300);
        assert_eq!(fs.calls() == before, is_kept, "{cached}");
        world.store.close().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deep_change_costs_the_same_beside_many_siblings() {
    let (fs, world) = counted().await;
    let mut costs = Vec::new();
    for (name, siblings) in [("few", 10), ("many", MANY)] {
        let mut path = name.to_owned();
        world.mkdir(&path).await.unwrap();
        while path.split('/').count() < DEPTH - 1 {
            path.push_str("/folder");
            world.mkdir(&path).await.unwrap();
        }
        world.fill(&path, siblings).await;
        let mut cost = Vec::new();
        for number in 0..5 {
            let before = fs.calls();
            world.put(&format!("{path}/new {number}"), b"text").await.unwrap();
            cost.push(fs.calls() - before);
        }
        // The others may hold a new folder, or change times that were written meanwhile.
        costs.push(cost.into_iter().min());
    }
    assert_eq!(costs[0], costs[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_root_is_written_once_a_second_at_most() {
    let (fs, world) = counted().await;
    world.mkdir("folder").await.unwrap();
    fs.start_trace();
    let start = Instant::now();
    world.fill("folder", 1000).await;
    let seconds = start.elapsed().as_secs() as usize;
    let is_root = |call: &&String| call.contains(" rename ") && call.contains("/ei/ns/te/in.mpk");
    let written = fs.trace().iter().filter(is_root).count();
    assert!(written <= seconds + 1, "{written} times in {seconds} s");
}

#[tokio::test(flavor = "multi_thread")]
async fn new_files_share_folders() {
    let (fs, world) = counted().await;
    fs.start_trace();
    world.fill("", 500).await;
    let made = fs.trace().iter().filter(|call| call.contains(" mkdir ")).count();
    assert!(made < 50, "{made} folders");
}

/// A purge of so many items that broke off right after it was ordered; the calls that the opening
/// takes, with what lies in the trash of the store that was opened.
async fn opened_after_a_purge_of(count: usize) -> (u64, World) {
    let (fs, world) = counted().await;
    world.fill("", count).await;
    for number in 0..count {
        world.delete(&number.to_string()).await.unwrap();
    }
    let items = world.trash(None).await.unwrap();
    assert_eq!(items.len(), count);
    world.store.close().unwrap();
    drop(world);
    let items: Vec<_> =
        items.iter().map(|item| (item.key.clone(), item.deleted.to_string())).collect();
    let order = serde_json::json!({ "space": "einstein", "items": items });
    let folder = Path::new(ROOT).join(".ocis-rs/purging");
    fs.mkdir_all(&folder).unwrap();
    fs.write(&folder.join("order"), order.to_string().as_bytes()).unwrap();
    let before = fs.calls();
    let shared: Arc<dyn Fs> = Arc::new(fs.clone());
    let blobs = Arc::new(PosixBlobs::new(Arc::clone(&shared), ROOT));
    let store =
        Store::open(shared, Arc::clone(&blobs) as _, Path::new(ROOT), Options::new(storage()));
    (fs.calls() - before, World::of(store.unwrap(), blobs))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opening_does_not_wait_for_a_purge_that_broke_off() {
    let (few, _) = opened_after_a_purge_of(5).await;
    let (many, world) = opened_after_a_purge_of(300).await;
    assert!(many <= few + 5, "{many} calls instead of {few}");
    // Nothing of it is shown, and it is removed beside everything else.
    assert_eq!(world.trash(None).await.unwrap().len(), 0);
    world.mkdir("new").await.unwrap();
    world.store.finish_purges().unwrap();
    assert_eq!(world.store.check().unwrap(), [""; 0]);
    let root = Path::new(ROOT);
    assert_eq!(world.store.fs().read_dir(&root.join(".ocis-rs/purging")).unwrap().len(), 0);
    let trash = world.store.fs().read_dir(&root.join("spaces/ei/nstein/trash"));
    assert_eq!(trash.map_or(0, |entries| entries.len()), 0);
}
