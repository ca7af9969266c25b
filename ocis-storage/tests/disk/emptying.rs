//! Emptying the trash of many items: one step, and few flushes. With the variable `OCIS_TEST_ITEMS` of
//! so many items, and what it took is printed.

use std::sync::Arc;
use std::time::Instant;

use ocis_core::port::{PurgeTrash, Trash};
use ocis_core::time::Timestamp;
use ocis_core::version::Purged;
use ocis_storage::fs::{FaultyFs, Fs, RealFs};

use crate::world::{World, at};
use crate::{begin, deleted, listed};

async fn purge(world: &World, before: Option<i64>) -> Purged {
    let before = before.map(|seconds| Timestamp::from_unix(seconds, 0).unwrap());
    let request = PurgeTrash { space: at("").base, key: None, before };
    Trash::purge(&world.driver, &world.cx, request).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_takes_few_flushes_and_frees_everything() {
    let count = std::env::var("OCIS_TEST_ITEMS").map_or(300, |count| count.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let faulty = FaultyFs::new(Arc::new(RealFs));
    let fs: Arc<dyn Fs> = Arc::new(faulty.clone());
    let world = begin(&fs, folder.path()).await;
    deleted(&world, count).await;

    let start = Instant::now();
    faulty.start_trace();
    let purged = purge(&world, None).await;
    println!("{count} items purged in {:?}", start.elapsed());
    let flushes = faulty.trace().iter().filter(|call| call.contains(" sync")).count();
    assert!(flushes <= 10 + count / 50, "{flushes} flushes");
    assert_eq!(
        (purged.items, purged.blobs, purged.bytes),
        (count as u64, count as u64, 4 * count as u64)
    );
    assert_eq!(listed(&world).await, 0);
    assert_eq!(world.store.check().unwrap(), Vec::<String>::new());
    world.store.close().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_is_old_enough_goes() {
    let folder = tempfile::tempdir().unwrap();
    let fs: Arc<dyn Fs> = Arc::new(RealFs);
    let world = begin(&fs, folder.path()).await;
    deleted(&world, 20).await;
    // Times of changes only grow, so some were deleted later than they asked for.
    let items = world.trash(None).await.unwrap();
    let limit = Timestamp::from_unix(1010, 0).unwrap();
    let younger = items.iter().filter(|item| item.deleted >= limit).count();
    assert!((1..20).contains(&younger));
    let purged = purge(&world, Some(1010)).await;
    assert_eq!(purged.items as usize, 20 - younger);
    assert_eq!(listed(&world).await, younger);
    world.store.close().unwrap();
}
