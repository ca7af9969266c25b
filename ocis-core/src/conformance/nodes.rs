//! What every storage must do with files and folders.

use super::subject::{Subject, at, person, refused};
use crate::cx::{Caller, Cx};
use crate::error::ErrorKind;
use crate::etag::EtagMatch;
use crate::path::MAX_DEPTH;
use crate::port::{
    Conditions, Copy, CreateSpace, Delete, GetSpace, List, ListSpaces, Move, OpenUpload,
    PageRequest, SetMetadata, Touch,
};

/// Runs everything about spaces, files and folders but their locks.
pub async fn nodes(subject: &Subject) {
    spaces(subject).await;
    folders(subject).await;
    contents(subject).await;
    conditions(subject).await;
    moves(subject).await;
    copies(subject).await;
    deep_trees(subject).await;
    properties(subject).await;
    strangers(subject).await;
}

async fn spaces(subject: &Subject) {
    let cx = person("spaces", 0);
    let root = subject.home(&cx).await;
    assert_eq!(root.space.as_str(), "spaces");
    assert!(root.is_root());
    let owner = Some(cx.caller.identity().unwrap().id.clone());
    let again = CreateSpace::personal(owner.clone().unwrap(), "again");
    assert_eq!(refused(subject.spaces.create(&cx, again).await), ErrorKind::AlreadyExists);
    let foreign = CreateSpace::personal("somebody-else".parse().unwrap(), "foreign");
    assert_eq!(refused(subject.spaces.create(&cx, foreign).await), ErrorKind::PermissionDenied);
    let list =
        subject.spaces.list(&cx, ListSpaces { owner, ..ListSpaces::default() }).await.unwrap();
    assert_eq!(list.items.len(), 1);
    assert_eq!(list.items[0].root, root);
    let delete = Delete { target: at(&root, ""), conditions: Conditions::default() };
    assert_eq!(refused(subject.nodes.delete(&cx, delete).await), ErrorKind::PermissionDenied);
}

async fn folders(subject: &Subject) {
    let cx = person("folders", 0);
    let root = subject.home(&cx).await;
    let before = subject.stat(&cx, at(&root, "")).await.unwrap();
    let later = Cx { now: person("folders", 5).now, ..cx.clone() };
    let made = subject.mkdir(&later, at(&root, "a")).await.unwrap();
    assert!(made.is_folder());
    assert_eq!(made.path.as_str(), "a");
    assert_eq!(subject.stat(&cx, at(&made.info.id, "")).await.unwrap().info.id, made.info.id);
    let after = subject.stat(&cx, at(&root, "")).await.unwrap();
    assert_ne!(before.info.etag, after.info.etag, "a change reaches the root's etag");
    assert_eq!(refused(subject.mkdir(&cx, at(&root, "a")).await), ErrorKind::AlreadyExists);
    assert_eq!(refused(subject.mkdir(&cx, at(&root, "none/a")).await), ErrorKind::Conflict);
    assert_eq!(refused(subject.stat(&cx, at(&root, "none")).await), ErrorKind::NotFound);
    let names = ["a", "B", "e\u{301}", "é", "%2e", " ", "z z", "+#?&"];
    for name in &names[1..] {
        subject.mkdir(&cx, at(&root, name)).await.unwrap();
    }
    let mut sorted: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    sorted.sort();
    for limit in [1, 3, 1000] {
        assert_eq!(subject.names(&cx, &at(&root, ""), limit).await.unwrap(), sorted);
    }
    let touch = Touch { target: at(&root, "file"), conditions: Conditions::default() };
    let file = subject.nodes.touch(&cx, touch.clone()).await.unwrap();
    assert_eq!((file.is_folder(), file.info.size), (false, 0));
    assert!(subject.get(&cx, at(&root, "file")).await.unwrap().is_empty());
    assert_eq!(refused(subject.nodes.touch(&cx, touch).await), ErrorKind::AlreadyExists);
    let list = List { target: at(&root, "file"), page: PageRequest::default() };
    assert_eq!(refused(subject.nodes.list(&cx, list).await), ErrorKind::Conflict);
    assert_eq!(refused(subject.mkdir(&cx, at(&root, "file/a")).await), ErrorKind::Conflict);
}

async fn contents(subject: &Subject) {
    let cx = person("contents", 0);
    let root = subject.home(&cx).await;
    subject.mkdir(&cx, at(&root, "d")).await.unwrap();
    for size in [0, 1, 1000, 200_000] {
        let content: Vec<u8> = (0..size).map(|n: u32| (n % 251) as u8).collect();
        let written = subject.put(&cx, at(&root, "d/f"), &content).await.unwrap();
        assert_eq!(written.created, size == 0);
        assert_eq!(written.node.info.size, u64::from(size));
        assert_eq!(subject.get(&cx, at(&root, "d/f")).await.unwrap(), content);
        for folder in ["d", ""] {
            let folder = subject.stat(&cx, at(&root, folder)).await.unwrap();
            assert_eq!(folder.info.size, u64::from(size), "sizes reach the ancestors");
        }
    }
    let used = subject.spaces.get(&cx, GetSpace { space: root.clone() }).await.unwrap().quota.used;
    assert_eq!(used, 200_000);
    assert_eq!(refused(subject.put(&cx, at(&root, "d"), b"x").await), ErrorKind::Conflict);
    assert_eq!(refused(subject.put(&cx, at(&root, "none/f"), b"x").await), ErrorKind::Conflict);
    let wrong = OpenUpload {
        target: at(&root, "wrong"),
        length: Some(1),
        mtime: None,
        checksum: Some(format!("SHA1:{}", "0".repeat(40)).parse().unwrap()),
        conditions: Conditions::default(),
    };
    assert_eq!(refused(subject.upload(&cx, wrong, b"x").await), ErrorKind::InvalidArgument);
    assert_eq!(refused(subject.stat(&cx, at(&root, "wrong")).await), ErrorKind::NotFound);
}

async fn conditions(subject: &Subject) {
    let cx = person("conditions", 0);
    let root = subject.home(&cx).await;
    let upload = |conditions: Conditions| OpenUpload {
        target: at(&root, "f"),
        length: Some(1),
        mtime: None,
        checksum: None,
        conditions,
    };
    let absent = Conditions { if_none_match: Some(EtagMatch::Any), ..Conditions::default() };
    let present = Conditions { if_match: Some(EtagMatch::Any), ..Conditions::default() };
    let put = |conditions: &Conditions| subject.upload(&cx, upload(conditions.clone()), b"x");
    assert_eq!(refused(put(&present).await), ErrorKind::PreconditionFailed);
    let first = put(&absent).await.unwrap().node.info.etag.clone();
    assert_eq!(refused(put(&absent).await), ErrorKind::PreconditionFailed);
    let same =
        Conditions { if_match: Some(EtagMatch::OneOf(vec![first])), ..Conditions::default() };
    put(&same).await.unwrap();
    assert_eq!(
        refused(put(&same).await),
        ErrorKind::PreconditionFailed,
        "a new content has a new tag"
    );
    let delete = Delete { target: at(&root, "f"), conditions: same };
    assert_eq!(refused(subject.nodes.delete(&cx, delete).await), ErrorKind::PreconditionFailed);
}

async fn moves(subject: &Subject) {
    let cx = person("moves", 0);
    let root = subject.home(&cx).await;
    for folder in ["a", "a/b", "c"] {
        subject.mkdir(&cx, at(&root, folder)).await.unwrap();
    }
    let file = subject.put(&cx, at(&root, "a/b/f"), b"12345").await.unwrap().node;
    let rename = |from: &str, to: &str, overwrite| Move {
        from: at(&root, from),
        to: at(&root, to),
        overwrite,
        conditions: Conditions::default(),
    };
    let moved = subject.nodes.rename(&cx, rename("a/b", "c/b2", false)).await.unwrap();
    assert!(moved.created);
    assert_eq!(moved.node.path.as_str(), "c/b2");
    let after = subject.stat(&cx, at(&root, "c/b2/f")).await.unwrap();
    assert_eq!(after.info.id, file.info.id, "ids stay");
    assert_eq!(refused(subject.stat(&cx, at(&root, "a/b")).await), ErrorKind::NotFound);
    assert_eq!(subject.stat(&cx, at(&root, "a")).await.unwrap().info.size, 0);
    assert_eq!(subject.stat(&cx, at(&root, "c")).await.unwrap().info.size, 5);
    let renames = [
        (rename("c", "c/b2/c", true), ErrorKind::Conflict),
        (rename("c", "none/c", true), ErrorKind::Conflict),
        (rename("none", "d", true), ErrorKind::NotFound),
        (rename("a", "c", false), ErrorKind::PreconditionFailed),
    ];
    for (request, kind) in renames {
        assert_eq!(refused(subject.nodes.rename(&cx, request.clone()).await), kind, "{request:?}");
    }
    let over = subject.nodes.rename(&cx, rename("c", "a", true)).await.unwrap();
    assert!(!over.created);
    assert_eq!(subject.names(&cx, &at(&root, ""), 1000).await.unwrap(), ["a"]);
    assert_eq!(subject.get(&cx, at(&root, "a/b2/f")).await.unwrap(), b"12345");
}

async fn copies(subject: &Subject) {
    let cx = person("copies", 0);
    let root = subject.home(&cx).await;
    for folder in ["a", "a/b"] {
        subject.mkdir(&cx, at(&root, folder)).await.unwrap();
    }
    let file = subject.put(&cx, at(&root, "a/b/f"), b"12345").await.unwrap().node;
    let copy = |from: &str, to: &str, deep| Copy {
        from: at(&root, from),
        to: at(&root, to),
        overwrite: false,
        deep,
        conditions: Conditions::default(),
    };
    subject.nodes.copy(&cx, copy("a", "deep", true)).await.unwrap();
    subject.nodes.copy(&cx, copy("a", "shallow", false)).await.unwrap();
    assert!(subject.names(&cx, &at(&root, "shallow"), 10).await.unwrap().is_empty());
    let twin = subject.stat(&cx, at(&root, "deep/b/f")).await.unwrap();
    assert_ne!(twin.info.id, file.info.id);
    assert_eq!(twin.info.checksums, file.info.checksums);
    subject.put(&cx, at(&root, "a/b/f"), b"other").await.unwrap();
    assert_eq!(subject.get(&cx, at(&root, "deep/b/f")).await.unwrap(), b"12345", "a copy is apart");
    assert_eq!(subject.stat(&cx, at(&root, "")).await.unwrap().info.size, 10);
    let into = subject.nodes.copy(&cx, copy("a", "a/b/a", true)).await;
    assert_eq!(refused(into), ErrorKind::Conflict);
    let there = subject.nodes.copy(&cx, copy("a", "deep", true)).await;
    assert_eq!(refused(there), ErrorKind::PreconditionFailed);
}

/// Everything stays within reach of a path, however deep it is.
async fn deep_trees(subject: &Subject) {
    let cx = person("deep", 0);
    let root = subject.home(&cx).await;
    let (mut folder, conditions) = (root.clone(), Conditions::default());
    for _ in 0..MAX_DEPTH {
        folder = subject.mkdir(&cx, at(&folder, "d")).await.unwrap().info.id.clone();
    }
    assert_eq!(refused(subject.mkdir(&cx, at(&folder, "d")).await), ErrorKind::InvalidArgument);
    let copy = |to: &str| {
        let (from, to, conditions) = (at(&root, "d"), at(&root, to), conditions.clone());
        subject.nodes.copy(&cx, Copy { from, to, overwrite: false, deep: true, conditions })
    };
    copy("copy").await.unwrap();
    let deepest = format!("copy{}", "/d".repeat(MAX_DEPTH - 1));
    subject.stat(&cx, at(&root, &deepest)).await.unwrap();
    subject.mkdir(&cx, at(&root, "a")).await.unwrap();
    assert_eq!(refused(copy("a/copy").await), ErrorKind::InvalidArgument);
    let rename = |from: &str, to: &str| {
        let (from, to, conditions) = (at(&root, from), at(&root, to), conditions.clone());
        subject.nodes.rename(&cx, Move { from, to, overwrite: false, conditions })
    };
    assert_eq!(refused(rename("d", "a/d").await), ErrorKind::InvalidArgument);
    rename("d/d", "a/d").await.unwrap();
    rename("a/d", "up").await.unwrap();
    rename("up", "d/down").await.unwrap();
}

async fn properties(subject: &Subject) {
    let cx = person("properties", 0);
    let root = subject.home(&cx).await;
    let file = subject.put(&cx, at(&root, "f"), b"1").await.unwrap().node;
    let key = "http://example.org/ns/colour".to_owned();
    let set = SetMetadata {
        target: at(&root, "f"),
        set: vec![(key.clone(), "<b>\u{10300}</b>".into())],
        unset: vec!["not-there".into()],
        mtime: Some(person("properties", -100).now),
        favorite: Some(true),
        conditions: Conditions::default(),
    };
    let node = subject.nodes.set_metadata(&cx, set.clone()).await.unwrap();
    assert_eq!(node.info.metadata.get(&key).map(String::as_str), Some("<b>\u{10300}</b>"));
    assert_eq!(node.info.mtime, person("properties", -100).now);
    assert_ne!(node.info.etag, file.info.etag);
    assert!(node.favorite);
    let unset = SetMetadata {
        set: Vec::new(),
        unset: vec![key.clone()],
        favorite: Some(false),
        mtime: None,
        ..set
    };
    let node = subject.nodes.set_metadata(&cx, unset).await.unwrap();
    assert!(!node.info.metadata.contains_key(&key) && !node.favorite);
}

/// Nobody else can do anything with, or learn anything of, a personal space.
async fn strangers(subject: &Subject) {
    let owner = person("owner", 0);
    let root = subject.home(&owner).await;
    subject.put(&owner, at(&root, "f"), b"secret").await.unwrap();
    let anonymous = Cx::new(Caller::Anonymous, owner.now);
    for cx in [person("stranger", 0), anonymous] {
        let conditions = Conditions::default;
        let (from, to) = (at(&root, "f"), at(&root, "g"));
        let hidden = [
            refused(subject.stat(&cx, from.clone()).await),
            refused(subject.names(&cx, &at(&root, ""), 10).await),
            refused(subject.get(&cx, from.clone()).await),
            refused(subject.put(&cx, from.clone(), b"x").await),
            refused(subject.put(&cx, to.clone(), b"x").await),
            refused(subject.mkdir(&cx, to.clone()).await),
            refused(subject.spaces.get(&cx, GetSpace { space: root.clone() }).await),
            refused(
                subject
                    .nodes
                    .delete(&cx, Delete { target: from.clone(), conditions: conditions() })
                    .await,
            ),
            refused(
                subject
                    .nodes
                    .touch(&cx, Touch { target: to.clone(), conditions: conditions() })
                    .await,
            ),
        ];
        for kind in hidden {
            assert_eq!(kind, ErrorKind::NotFound);
        }
        let list = subject.spaces.list(&cx, ListSpaces::default()).await.unwrap();
        assert!(list.items.iter().all(|space| space.root != root));
        let (overwrite, deep) = (true, true);
        let rename =
            Move { from: from.clone(), to: to.clone(), overwrite, conditions: conditions() };
        assert_eq!(refused(subject.nodes.rename(&cx, rename).await), ErrorKind::NotFound);
        let copy = Copy { from, to, overwrite, deep, conditions: conditions() };
        assert_eq!(refused(subject.nodes.copy(&cx, copy).await), ErrorKind::NotFound);
    }
    assert_eq!(subject.get(&owner, at(&root, "f")).await.unwrap(), b"secret");
}
