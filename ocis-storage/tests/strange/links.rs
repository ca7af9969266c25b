//! Links that do not agree with what they lead to, as oCIS leaves them when it is killed.

use ocis_core::ErrorKind;
use ocis_storage::fs::Fs as _;
use serde_bytes::ByteBuf;

use crate::world::{USER, World};
use crate::{Disk, listed, node, target};

/// A rename of `a` to `b` that broke off when the link had its new name and the metadata had not;
/// since then there is another `a`.
fn half_renamed() -> Disk {
    let disk = Disk::filled(async |world| world.put("a", b"first").await.unwrap());
    let root = node(USER);
    disk.0.rename(&root.join("a"), &root.join("b")).unwrap();
    disk.with(async |world| {
        world.put("a", b"second").await.unwrap();
        assert_eq!(listed(world, "").await, ["a", "b"]);
    });
    disk
}

async fn content(world: &World, path: &str) -> Vec<u8> {
    world.read(path).await.unwrap().unwrap()
}

#[test]
fn a_file_is_deleted_under_the_name_that_it_is_listed_by() {
    let disk = half_renamed();
    disk.with(async |world| {
        world.delete("b").await.unwrap();
        assert_eq!(listed(world, "").await, ["a"]);
    });
    disk.with(async |world| {
        assert_eq!(listed(world, "").await, ["a"]);
        assert_eq!(content(world, "a").await, b"second");
        world.put("b", b"third").await.unwrap();
        assert_eq!(content(world, "b").await, b"third");
        assert_eq!(world.store.check().unwrap(), Vec::<String>::new());
    });
}

#[test]
fn a_file_is_renamed_from_the_name_that_it_is_listed_by() {
    let disk = half_renamed();
    disk.with(async |world| world.rename("b", "c").await.unwrap());
    disk.with(async |world| {
        assert_eq!(listed(world, "").await, ["a", "c"]);
        assert_eq!(content(world, "a").await, b"second");
        assert_eq!(content(world, "c").await, b"first");
        assert_eq!(world.store.check().unwrap(), Vec::<String>::new());
    });
}

#[test]
fn a_rename_that_broke_off_can_be_ended_in_both_directions() {
    for (to, content_there) in [("b", "first"), ("a", "first")] {
        let disk = Disk::filled(async |world| world.put("a", b"first").await.unwrap());
        let root = node(USER);
        disk.0.rename(&root.join("a"), &root.join("b")).unwrap();
        disk.with(async |world| world.rename("b", to).await.unwrap());
        disk.with(async |world| {
            assert_eq!(listed(world, "").await, [to]);
            assert_eq!(content(world, to).await, content_there.as_bytes());
        });
    }
}

#[test]
fn two_links_to_one_file_become_one_when_one_is_renamed_to_the_other() {
    let disk = Disk::filled(async |world| world.put("a", b"content").await.unwrap());
    let id = disk.id("a");
    disk.0.symlink(&target(&id), &node(USER).join("b")).unwrap();
    disk.with(async |world| {
        assert_eq!(listed(world, "").await, ["a", "b"]);
        world.rename("a", "b").await.unwrap();
    });
    disk.with(async |world| {
        assert_eq!(listed(world, "").await, ["b"]);
        assert_eq!(content(world, "b").await, b"content");
        assert_eq!(world.trash(None).await.unwrap(), []);
        assert_eq!(world.store.check().unwrap(), Vec::<String>::new());
    });
}

#[test]
fn a_link_to_nothing_keeps_nobody_from_its_name() {
    let nothing = "0f3d8a1c-0000-4000-8000-000000000000";
    for make in ["file", "folder", "move", "copy"] {
        let disk = Disk::filled(async |world| world.put("other", b"other").await.unwrap());
        disk.0.symlink(&target(nothing), &node(USER).join("name")).unwrap();
        disk.with(async |world| {
            assert_eq!(listed(world, "").await, ["other"]);
            let made = match make {
                "file" => world.put("name", b"mine").await,
                "folder" => world.mkdir("name").await,
                "move" => world.rename("other", "name").await,
                _ => world.copy("other", "name").await,
            };
            made.unwrap();
        });
        disk.with(async |world| {
            assert!(listed(world, "").await.contains(&"name".to_owned()), "{make}");
            assert_eq!(world.store.check().unwrap(), Vec::<String>::new());
        });
    }
}

#[test]
fn a_file_that_lost_its_metadata_is_not_taken_for_nothing() {
    let disk = Disk::filled(async |world| world.put("a", b"content").await.unwrap());
    let place = node(&disk.id("a"));
    disk.0.unlink(&place.with_added_extension("mpk")).unwrap();
    disk.with(async |world| {
        let refused = world.put("a", b"other").await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::NotFound);
    });
}

#[test]
fn a_name_in_the_metadata_leads_nowhere_else() {
    let disk = Disk::filled(async |world| {
        world.mkdir("d").await.unwrap();
        world.put("d/x", b"x").await.unwrap();
        world.put("y", b"y").await.unwrap();
    });
    disk.edit(&node(&disk.id("y")), |keys| {
        keys.insert("user.ocis.name".into(), ByteBuf::from("d"));
    });
    disk.with(async |world| world.delete("y").await.unwrap());
    disk.with(async |world| {
        assert_eq!(listed(world, "").await, ["d"]);
        assert_eq!(listed(world, "d").await, ["x"]);
    });
}
