//! A store as oCIS 2 left it: metadata in extended attributes, indexes as folders of links.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ocis_core::ErrorKind;
use ocis_storage::Options;
use ocis_storage::fs::{Fs, RealFs};
use rustix::fs::{XattrFlags, setxattr};
use serde_bytes::ByteBuf;

use crate::world::{World, storage};
use crate::{begin, deleted, listed, open};

/// All files of metadata below a folder.
fn metadata(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(metadata(&entry.path()));
        } else if entry.path().extension().is_some_and(|it| it == "mpk") {
            found.push(entry.path());
        }
    }
    found
}

/// Puts a file of metadata where oCIS 2 had it.
fn as_attributes(file: &Path) {
    let map: BTreeMap<String, ByteBuf> = rmp_serde::from_slice(&fs::read(file).unwrap()).unwrap();
    for (name, value) in map {
        setxattr(file.with_extension(""), name, &value, XattrFlags::empty()).unwrap();
    }
    fs::remove_file(file).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_opened_with_everything_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let (root, real): (_, Arc<dyn Fs>) = (folder.path(), Arc::new(RealFs));
    let world = begin(&real, root).await;
    world.mkdir("a").await.unwrap();
    world.put("a/1", b"four").await.unwrap();
    world.put("a/1", b"four").await.unwrap();
    deleted(&world, 2).await;
    let seen = async |world: &World| {
        let nodes = [world.stat("").await, world.stat("a").await, world.stat("a/1").await];
        nodes.map(|node| node.unwrap().info)
    };
    let before = seen(&world).await;
    world.store.close().unwrap();

    let nodes = metadata(&root.join("spaces"));
    // The root, the folder, the file, its version, and two in the trash.
    assert_eq!(nodes.len(), 6);
    nodes.iter().for_each(|file| as_attributes(file));
    for file in metadata(&root.join("indexes")) {
        fs::remove_file(&file).unwrap();
        fs::create_dir(file.with_extension("")).unwrap();
        let target = "../../../spaces/ei/nstein/nodes/ei/ns/te/in";
        symlink(target, file.with_extension("").join("einstein")).unwrap();
    }
    let migrations = root.join(".migrations");
    fs::write(&migrations, br#"{"0003":{"State":"down","Message":""}}"#).unwrap();

    let world = open(&real, root);
    assert_eq!(seen(&world).await, before);
    assert_eq!(listed(&world).await, 2);
    assert_eq!(world.store.check().unwrap(), Vec::<String>::new());
    world.store.close().unwrap();
    assert_eq!(metadata(&root.join("spaces")).len(), 6);
    assert!(fs::read_to_string(migrations).unwrap().contains(r#""0003":{"State":"succeeded""#));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_that_cannot_be_read_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let (root, real): (_, Arc<dyn Fs>) = (folder.path(), Arc::new(RealFs));
    begin(&real, root).await.store.close().unwrap();
    let file = root.join("spaces/ei/nstein/nodes/ei/ns/te/in.mpk");
    fs::rename(&file, file.with_extension("ini")).unwrap();
    let error = World::in_folder(real, root, Options::new(storage())).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("einstein") && error.to_string().contains("start oCIS"));
}
