//! What was purged although it is damaged: it is never shown again, a check finds it, and a repair has
//! it removed.

use std::path::Path;

use ocis_core::ErrorKind;
use ocis_core::finding::Problem;
use ocis_core::reference::Reference;
use ocis_storage::fs::{Fs as _, MemoryFs};

use crate::open;
use crate::world::{ROOT, USER, World, runtime};

/// The files that belong to a node, wherever they are.
fn files_of(world: &World, node: &Reference) -> Vec<std::path::PathBuf> {
    let id = node.base.node.to_string();
    let is_of = |path: &Path| path.to_str().unwrap().replace('/', "").contains(&id);
    world.files().into_iter().map(|(path, _)| path).filter(|path| is_of(path)).collect()
}

fn damage(disk: &MemoryFs, world: &World, node: &Reference) {
    let files = files_of(world, node);
    let metadata = files.iter().find(|path| path.extension().is_some_and(|it| it == "mpk"));
    disk.write(metadata.unwrap(), b"damaged").unwrap();
    disk.sync_all(Path::new(ROOT)).unwrap();
}

fn orders(disk: &MemoryFs) -> usize {
    disk.read_dir(&Path::new(ROOT).join(".ocis-rs/purging")).unwrap().len()
}

#[test]
fn it_is_told_and_a_repair_has_it_removed() {
    let (runtime, disk) = (runtime(2), MemoryFs::default());
    runtime.block_on(async {
        let world = open(&disk);
        world.home(USER).await.unwrap();
        world.mkdir("d").await.unwrap();
        for path in ["d/x", "d/y", "whole"] {
            world.put(path, path.as_bytes()).await.unwrap();
        }
        let [d, x, y, whole] = ["d", "d/x", "d/y", "whole"].map(|path| world.by_id(path));
        let (d, x, y) = (d.await.unwrap(), x.await.unwrap(), y.await.unwrap());
        let whole = whole.await.unwrap();
        for path in ["d", "whole"] {
            world.delete(path).await.unwrap();
        }
        // So that no journal brings back what is damaged.
        world.store.close().unwrap();
        drop(world);
        let world = open(&disk);
        damage(&disk, &world, &x);
        // All that can be removed is, and what cannot is told to who asked for it.
        assert_eq!(world.purge(None).await.unwrap_err().kind(), ErrorKind::Internal);
        assert!(files_of(&world, &whole).is_empty() && files_of(&world, &y).is_empty());
        assert_eq!(orders(&disk), 1);
        drop(world);
        disk.cut();

        let world = open(&disk);
        assert_eq!(world.trash(None).await.unwrap().len(), 0);
        // It was tried again when the store was opened, and is now; it is told once.
        world.purge(None).await.unwrap();
        let found = world.check(false).await;
        let of: Vec<_> = found
            .iter()
            .filter(|finding| finding.problem == Problem::PurgeUnfinished)
            .map(|finding| finding.node.clone().unwrap().split(".T.").next().unwrap().to_owned())
            .collect();
        assert_eq!(of, [d.base.node.to_string()], "{found:#?}");

        world.check(true).await;
        assert_eq!(files_of(&world, &d), Vec::<std::path::PathBuf>::new());
        assert_eq!(orders(&disk), 0);
        assert_eq!(world.trash(None).await.unwrap().len(), 0);
        // Nobody knows whether it lay there, so somebody has to look at it.
        let left = world.check(false).await;
        let is_x = |finding: &ocis_core::finding::Finding| {
            finding.node.as_deref() == Some(x.base.node.as_str())
        };
        assert!(left.iter().any(is_x), "{left:#?}");
        assert!(left.iter().all(|finding| finding.problem != Problem::PurgeUnfinished));
        drop(world);
        assert_eq!(open(&disk).trash(None).await.unwrap().len(), 0);
    });
}
