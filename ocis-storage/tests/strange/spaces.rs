//! Roots and indexes of spaces, locks, and changes that oCIS left pending.

use std::path::Path;
use std::sync::Arc;

use ocis_core::ErrorKind;
use ocis_core::data::{TICKET, full};
use ocis_core::port::{ListSpaces, OpenUpload, Spaces, Uploads as _};
use ocis_core::space::SpaceKind;
use ocis_core::time::Timestamp;
use ocis_storage::Options;
use ocis_storage::fs::{Fs as _, MemoryFs};

use crate::world::{ROOT, USER, World, at, person, storage};
use crate::{Disk, listed, node};

async fn own_spaces(world: &World) -> Vec<(SpaceKind, String)> {
    let page = Spaces::list(&world.driver, &person(USER), ListSpaces::default()).await.unwrap();
    page.items.into_iter().map(|space| (space.kind, space.name)).collect()
}

#[test]
fn a_space_that_says_little_of_itself_is_that_of_its_owner() {
    let disk = Disk::filled(async |_| {});
    let before = disk.with(async |world| own_spaces(world).await);
    disk.edit(&node(USER), |keys| keys.retain(|key, _| !key.starts_with("user.ocis.space.")));
    let after = disk.with(async |world| own_spaces(world).await);
    assert_eq!(after, before);
}

#[test]
fn a_file_among_the_spaces_hinders_nobody() {
    let disk = Disk::filled(async |_| {});
    disk.write(&Path::new(ROOT).join("spaces/.DS_Store"), b"foreign");
    disk.write(&Path::new(ROOT).join("indexes/by-type/personal.mpk"), b"\x82half");
    disk.with(async |world| {
        world.home("marie").await.unwrap();
        assert_eq!(own_spaces(world).await.len(), 1);
    });
}

#[test]
fn pending_changes_are_worked_in_around_what_is_damaged() {
    let disk = Disk::filled(async |world| {
        for folder in ["good", "bad", "bad/below"] {
            world.mkdir(folder).await.unwrap();
        }
        for path in ["good/damaged", "good/sound", "bad/below/x"] {
            world.put(path, b"four").await.unwrap();
        }
    });
    let [good, bad, below] = ["good", "bad", "bad/below"].map(|path| disk.id(path));
    let damaged = node(&disk.id("good/damaged")).with_added_extension("mpk");
    disk.write(&damaged, b"\x8ahalf");
    disk.write(&node(&bad).with_added_extension("mpk"), b"\x8ahalf");
    disk.edit(&node(&good), |keys| {
        keys.insert("user.ocis.treesize".into(), serde_bytes::ByteBuf::from("0"));
    });
    let pending = |space: &str, id: &str| {
        Path::new(ROOT).join("changes").join(&space[..2]).join(format!("{space}:{id}"))
    };
    let change = b"\x82\xa8SyncTime\xd6\xff\x69\x55\xb9\x00\xa8SizeDiff\x04";
    for folder in [pending(USER, &good), pending(USER, &below), pending("nowhere", &good)] {
        disk.write(&folder.join("3f0e.mpk"), change);
        disk.write(&folder.join("foreign/file"), b"");
    }
    disk.with(async |world| {
        assert_eq!(listed(world, "").await, ["good"]);
        assert_eq!(world.list("").await.unwrap()[0].info.size, 4);
    });
    assert!(disk.0.stat(&pending(USER, &good)).is_err());
    assert!(disk.0.stat(&pending(USER, &below)).is_ok(), "it stays pending");
}

#[test]
fn a_lock_of_nobody_holds() {
    let disk = Disk::filled(async |world| world.put("f", b"1").await.unwrap());
    let lock = br#"{"lock_id":"token","type":2,"user":{"idp":"https://idp"},"app_name":"Office","expiration":{"seconds":4102444800}}"#;
    disk.write(&node(&disk.id("f")).with_added_extension("lock"), lock);
    disk.with(async |world| {
        let refused = world.put("f", b"2").await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Locked);
        let locks = &world.list("").await.unwrap()[0].locks;
        assert_eq!((locks[0].lock.user.clone(), locks[0].lock.owner.clone()), (None, None));
    });
}

#[test]
fn what_ocis_1_wrote_is_not_taken_for_an_empty_store() {
    let disk = MemoryFs::default();
    disk.mkdir_all(&Path::new(ROOT).join("nodes/root")).unwrap();
    let error = World::open(Arc::new(disk.clone()), Options::new(storage())).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("oCIS 1"), "{error}");
    assert!(disk.stat(&Path::new(ROOT).join(".migrations")).is_err());
}

#[test]
fn ids_may_have_upper_case() {
    let disk = Disk::filled(async |world| world.put("f", b"1").await.unwrap());
    let (old, upper) = (disk.id("f"), "ABCDEF01-2345-4678-9ABC-DEF012345678");
    let (from, to) = (node(&old), node(upper));
    disk.0.mkdir_all(to.parent().unwrap()).unwrap();
    disk.edit(&from, |keys| {
        keys.insert("user.ocis.id".into(), serde_bytes::ByteBuf::from(upper));
    });
    for end in ["", ".mpk"] {
        let with = |place: &Path| format!("{}{end}", place.display());
        disk.0.rename(Path::new(&with(&from)), Path::new(&with(&to))).unwrap();
    }
    let link = node(USER).join("f");
    disk.0.unlink(&link).unwrap();
    disk.0.symlink(&crate::target(upper), &link).unwrap();
    assert_eq!(disk.id("f"), upper);
    disk.with(async |world| {
        world.put("f", b"2").await.unwrap();
        assert_eq!(world.versions("f").await.unwrap().len(), 1);
        world.delete("f").await.unwrap();
        world.restore(upper.into(), None, ocis_core::trash::Collision::Refuse).await.unwrap();
        assert_eq!(world.read("f").await.unwrap().unwrap(), b"2");
        assert_eq!(world.store.check().unwrap(), Vec::<String>::new());
    });
}

#[test]
fn uploads_into_a_space_that_is_purged_meanwhile_leave_nothing() {
    for length in [10, 100_000] {
        let disk = Disk::filled(async |_| {});
        disk.with(async |world| {
            let request = OpenUpload { length: Some(length), ..OpenUpload::new(at("f")) };
            let ticket = world.uploads.open(&world.cx, request).await.unwrap().ticket;
            world.purge_home().await.unwrap();
            let request = http::Request::put("/data").header(TICKET, ticket);
            let content = vec![7; usize::try_from(length).unwrap()];
            let refused = world.send(request.body(full(content)).unwrap()).await.unwrap_err();
            assert!(!matches!(refused.kind(), ErrorKind::Internal | ErrorKind::Unavailable));
            assert_eq!(world.store.check().unwrap(), Vec::<String>::new());
        });
        disk.with(async |world| {
            assert_eq!(world.store.check().unwrap(), Vec::<String>::new());
            world.home(USER).await.unwrap();
            world.put("f", b"new").await.unwrap();
        });
    }
}

#[test]
fn a_time_that_is_none_is_that_of_the_file() {
    let disk = Disk::filled(async |world| world.put("f", b"1").await.unwrap());
    let place = node(&disk.id("f"));
    disk.edit(&place, |keys| {
        keys.insert("user.ocis.mtime".into(), serde_bytes::ByteBuf::from("yesterday"));
    });
    let time = Timestamp::from_unix(1_000_000_000, 7).unwrap();
    disk.0.set_modified(&place, time).unwrap();
    disk.with(async |world| assert_eq!(world.list("").await.unwrap()[0].info.mtime, time));
}
