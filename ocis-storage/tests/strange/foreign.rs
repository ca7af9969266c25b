//! Files and folders in the folders of nodes, and kinds that metadata and disk do not agree about.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ocis_storage::Options;
use ocis_storage::blob::PosixBlobs;
use ocis_storage::fs::{Fs as _, RealFs};

use crate::world::{USER, World, storage};
use crate::{Disk, listed, node};

/// Goes on after everything in the trash was purged, also when the store is opened again.
fn goes_on(disk: &Disk) {
    disk.with(async |world| {
        assert_eq!(world.trash(None).await.unwrap(), []);
        world.mkdir("later").await.unwrap();
    });
    disk.with(async |world| assert!(listed(world, "").await.contains(&"later".to_owned())));
}

#[test]
fn a_folder_is_purged_with_whatever_is_in_it() {
    let disk = Disk::filled(async |world| {
        world.mkdir("a").await.unwrap();
        world.put("a/x", b"x").await.unwrap();
    });
    let folder = node(&disk.id("a"));
    disk.write(&folder.join("thumbs/1/2"), b"foreign");
    disk.write(&folder.join("Thumbs.db"), b"foreign");
    let trashed = disk.with(async |world| {
        world.delete("a").await.unwrap();
        world.purge(None).await
    });
    trashed.unwrap();
    goes_on(&disk);
    assert!(disk.names(folder.parent().unwrap()).iter().all(|name| !name.contains(".T.")));
}

#[test]
fn what_lies_in_the_way_of_a_new_name_is_put_aside() {
    let disk = Disk::filled(async |world| world.mkdir("a").await.unwrap());
    let folder = node(&disk.id("a"));
    disk.write(&folder.join("file"), b"foreign");
    disk.write(&folder.join("folder/in it"), b"foreign too");
    disk.with(async |world| {
        assert_eq!(listed(world, "a").await, Vec::<String>::new());
        world.put("a/file", b"mine").await.unwrap();
        world.mkdir("a/folder").await.unwrap();
        world.put("a/folder/in it", b"mine too").await.unwrap();
    });
    disk.with(async |world| {
        assert_eq!(listed(world, "a").await, ["file", "folder"]);
        assert_eq!(world.read("a/file").await.unwrap().unwrap(), b"mine");
        assert_eq!(world.read("a/folder/in it").await.unwrap().unwrap(), b"mine too");
    });
    let aside = |end: &str| {
        let names = disk.names(&folder).into_iter().filter(|name| name.starts_with(".displaced-"));
        names.filter_map(|name| disk.0.read(&folder.join(name + end)).ok()).collect::<Vec<_>>()
    };
    assert_eq!(aside(""), [b"foreign"]);
    assert_eq!(aside("/in it"), [b"foreign too"]);
}

#[test]
fn what_is_no_file_or_no_folder_although_its_metadata_says_so_can_be_purged() {
    let disk = Disk::filled(async |world| {
        world.mkdir("folder").await.unwrap();
        world.put("file", b"file").await.unwrap();
    });
    let (folder, file) = (node(&disk.id("folder")), node(&disk.id("file")));
    disk.0.rmdir(&folder).unwrap();
    disk.write(&folder, b"");
    disk.0.unlink(&file).unwrap();
    disk.write(&file.join("in it"), b"");
    disk.with(async |world| {
        assert_eq!(listed(world, "").await, ["file", "folder"]);
        for path in ["file", "folder"] {
            world.delete(path).await.unwrap();
        }
        world.purge(None).await.unwrap();
    });
    goes_on(&disk);
    let nodes = node(USER).parent().unwrap().to_owned();
    assert_eq!(disk.names(&nodes), ["in", "in.mpk"]);
    for place in [folder, file] {
        let names = disk.0.read_dir(place.parent().unwrap());
        assert!(names.is_err() || names.unwrap().iter().all(|it| !it.name.contains(".T.")));
    }
}

#[test]
fn who_empties_the_trash_hears_of_what_is_damaged_in_it_once() {
    let disk = Disk::filled(async |world| {
        world.mkdir("a").await.unwrap();
        world.put("a/x", b"x").await.unwrap();
    });
    let inside = node(&disk.id("a/x")).with_added_extension("mpk");
    disk.with(async |world| world.delete("a").await.unwrap());
    disk.write(&inside, b"\x8ahalf");
    disk.with(async |world| {
        assert!(world.purge(None).await.is_err());
        assert_eq!(world.trash(None).await.unwrap(), []);
        world.put("b", b"b").await.unwrap();
        world.delete("b").await.unwrap();
        world.purge(None).await.unwrap();
    });
    goes_on(&disk);
}

/// Opens a store on a real disk, where names are any bytes.
fn real(root: &Path) -> World {
    let fs = Arc::new(RealFs);
    let blobs = Arc::new(PosixBlobs::new(fs.clone(), root));
    World::at(root, fs, blobs, Options::new(storage())).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_that_are_no_utf_8_go_with_their_folder_and_their_space() {
    let temporary = tempfile::tempdir().unwrap();
    let root = temporary.path();
    let odd = OsStr::from_bytes(b"latin-\xe9");
    let world = real(root);
    world.home(USER).await.unwrap();
    world.mkdir("a").await.unwrap();
    let id = crate::id(&world, "a").await;
    world.store.close().unwrap();
    let nodes = root.join("spaces/ei/nstein/nodes");
    symlink("../../../../../no/th/in/g-/there", nodes.join(crate::cut(&id)).join(odd)).unwrap();
    symlink("../../../../../no/th/in/g-/there", nodes.join("ei/ns/te/in").join(odd)).unwrap();

    let world = real(root);
    assert_eq!(listed(&world, "").await, ["a"]);
    world.delete("a").await.unwrap();
    world.purge(None).await.unwrap();
    assert!(!world.store.has_failed());
    world.purge_home().await.unwrap();
    world.store.close().unwrap();
    let world = real(root);
    let left: Vec<PathBuf> = std::fs::read_dir(root.join(".ocis-rs/purged"))
        .unwrap()
        .map(|it| it.unwrap().path())
        .collect();
    assert_eq!(left, Vec::<PathBuf>::new());
    // The id is free again.
    world.home(USER).await.unwrap();
    world.store.close().unwrap();
}
