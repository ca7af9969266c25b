//! What oCIS's propagator `async` leaves pending, in the form in which it leaves it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ocis_core::time::Timestamp;
use ocis_storage::fs::{Fs, RealFs};
use serde_bytes::ByteBuf;

use crate::world::World;
use crate::{begin, open};

/// The metadata of a node of einstein's space.
fn metadata(root: &Path, id: &str) -> PathBuf {
    let node = match id {
        "einstein" => "ei/ns/te/in".into(),
        id => format!("{}/{}/{}/{}/{}", &id[..2], &id[2..4], &id[4..6], &id[6..8], &id[8..]),
    };
    root.join(format!("spaces/ei/nstein/nodes/{node}.mpk"))
}

/// The size that the metadata of a folder says; sets another one, if one is given.
fn tree_size(root: &Path, id: &str, new: Option<&str>) -> String {
    let (path, key) = (metadata(root, id), "user.ocis.treesize".to_owned());
    let bytes = fs::read(&path).unwrap();
    let mut map: BTreeMap<String, ByteBuf> = rmp_serde::from_slice(&bytes).unwrap();
    let old = String::from_utf8(map[&key].to_vec()).unwrap();
    if let Some(new) = new {
        map.insert(key, ByteBuf::from(new));
        fs::write(path, rmp_serde::to_vec(&map).unwrap()).unwrap();
    }
    old
}

/// Leaves a change of so many bytes pending, as Go's `msgpack.Marshal` writes `{SyncTime, SizeDiff}`.
fn leave(root: &Path, folder: &str, name: &str, seconds: u32, bytes: i8) {
    let folder = root.join("changes/ei").join(folder);
    fs::create_dir_all(&folder).unwrap();
    let mut content = b"\x82\xa8SyncTime\xd6\xff".to_vec();
    content.extend(seconds.to_be_bytes());
    content.extend(b"\xa8SizeDiff\xd0");
    content.extend(bytes.to_be_bytes());
    fs::write(folder.join(format!("{name}.mpk")), content).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sizes_times_and_tags_reach_the_root() {
    let folder = tempfile::tempdir().unwrap();
    let (root, real): (_, Arc<dyn Fs>) = (folder.path(), Arc::new(RealFs));
    let world = begin(&real, root).await;
    let info = async |world: &World, path: &str| world.stat(path).await.unwrap().info;
    for path in ["a", "a/b", "c"] {
        world.mkdir(path).await.unwrap();
    }
    for path in ["a/b/1", "a/b/2", "c/3", "4"] {
        world.put(path, b"four").await.unwrap();
    }
    let ids = [info(&world, "a").await, info(&world, "a/b").await, info(&world, "c").await];
    let [a, b, c] = ids.map(|info| info.id.node.to_string());
    let tags = [info(&world, "").await, info(&world, "c").await];
    let tags = tags.map(|info| info.etag.clone());
    world.store.close().unwrap();

    // Two files in b that nothing above knows of; c knows of its own already, but not the root.
    for (node, size) in [(&b, "0"), (&a, "0"), (&"einstein".into(), "4")] {
        tree_size(root, node, Some(size));
    }
    leave(root, &format!("einstein:{b}"), "3f0e", 5_000, 4);
    leave(root, &format!("einstein:{b}"), "91aa", 6_000, 4);
    leave(root, &format!("einstein:{c}.processing"), "77b2", 4_000, 4);
    leave(root, "einstein:0b0fc7d6-deleted", "1c1c", 9_999, 4);

    let world = open(&real, root);
    let time = |seconds| Timestamp::from_unix(seconds, 0).unwrap();
    for (path, size, changed) in
        [("a/b", 8, 6_000), ("a", 8, 6_000), ("c", 4, 4_000), ("", 16, 6_000)]
    {
        let info = info(&world, path).await;
        assert_eq!((info.size, info.mtime), (size, time(changed)), "{path}");
    }
    assert_ne!(info(&world, "").await.etag, tags[0]);
    assert_ne!(info(&world, "c").await.etag, tags[1]);
    assert_eq!(world.store.check().unwrap(), Vec::<String>::new());
    world.store.close().unwrap();
    assert_eq!(tree_size(root, &b, None), "8");
    assert_eq!(tree_size(root, "einstein", None), "16");
    assert!(!root.join("changes").exists());
}
