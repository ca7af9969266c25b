//! Versions that oCIS left half made or half removed.

use std::path::PathBuf;

use ocis_storage::fs::Fs as _;
use serde_bytes::ByteBuf;

use crate::{Disk, node};

const BLOB: &str = "user.ocis.blobid";

/// A file with the versions `1` and `2`, and the places of these, the older one first.
fn versioned() -> (Disk, [PathBuf; 2]) {
    let disk = Disk::filled(async |world| {
        for content in ["1", "2", "3"] {
            world.put("f", content.as_bytes()).await.unwrap();
        }
    });
    let place = node(&disk.id("f"));
    let keys = disk.with(async |world| world.versions("f").await.unwrap());
    let of = |at: usize| place.with_file_name(keys[at].key.split_at(8).1);
    let places = [of(1), of(0)];
    (disk, places)
}

#[test]
fn metadata_alone_is_no_version() {
    let (disk, [older, _]) = versioned();
    disk.0.unlink(&older).unwrap();
    disk.with(async |world| {
        assert_eq!(world.versions("f").await.unwrap().len(), 1);
        world.purge_versions("f").await.unwrap();
        assert_eq!(world.versions("f").await.unwrap(), []);
        assert_eq!(world.read("f").await.unwrap().unwrap(), b"3");
    });
}

#[test]
fn a_content_stays_as_long_as_a_version_has_it() {
    let (disk, [older, newer]) = versioned();
    let mut blob = ByteBuf::new();
    disk.edit(&older, |keys| blob = keys[BLOB].clone());
    disk.edit(&newer, |keys| drop(keys.insert(BLOB.into(), blob.clone())));
    disk.with(async |world| {
        let kept = world.versions("f").await.unwrap();
        world.purge_version("f", kept[1].key.clone()).await.unwrap();
        world.restore_version("f", kept[0].key.clone()).await.unwrap();
        assert_eq!(world.read("f").await.unwrap().unwrap(), b"1");
    });
}

#[test]
fn a_damaged_version_keeps_no_other_from_being_purged() {
    let (disk, [older, _]) = versioned();
    disk.write(&older.with_added_extension("mpk"), b"\x8ahalf");
    disk.with(async |world| {
        assert_eq!(world.versions("f").await.unwrap().len(), 1);
        world.purge_versions("").await.unwrap();
        assert_eq!(world.versions("f").await.unwrap(), []);
    });
    assert!(disk.0.stat(&older).is_ok());
}
