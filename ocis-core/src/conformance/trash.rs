//! What every storage must do with what was deleted.

use std::collections::BTreeMap;
use std::time::Duration;

use super::spaces::member;
use super::subject::{Subject, at, person, refused};
use crate::cx::Cx;
use crate::error::{ErrorKind, Result};
use crate::id::ResourceId;
use crate::lock::LockScope;
use crate::node::NodeKind;
use crate::port::{
    Changed, Conditions, CreateSpace, Delete, ListTrash, LockNode, PageRequest, PurgeTrash,
    RestoreTrash, Trash,
};
use crate::space::SpaceKind;
use crate::trash::{Collision, TrashItem};
use crate::user::UserRole;
use crate::version::Purged;

/// Runs everything about the trash.
pub async fn trash(subject: &Subject, trash: &dyn Trash) {
    listed(subject, trash).await;
    brought_back(subject, trash).await;
    collisions(subject, trash).await;
    folders(subject, trash).await;
    purged(subject, trash).await;
    aged(subject, trash).await;
    strangers(subject, trash).await;
    over_quota(subject, trash).await;
}

/// Everything in the trash, or in a folder in it, by its former path; asked for in pages of `limit`.
async fn list(
    trash: &dyn Trash,
    cx: &Cx,
    root: &ResourceId,
    key: Option<&str>,
    limit: u32,
) -> Result<BTreeMap<String, TrashItem>> {
    let (mut items, mut cursor) = (BTreeMap::new(), None);
    loop {
        let page = PageRequest { cursor, limit };
        let request = ListTrash { space: root.clone(), key: key.map(str::to_owned), page };
        let page = trash.list(cx, request).await?;
        assert!(page.items.len() <= limit as usize, "a page is longer than asked for");
        for item in page.items {
            let again = items.insert(item.origin.to_string(), item);
            assert!(again.is_none(), "listed twice: {again:?}");
        }
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok(items),
        }
    }
}

async fn delete(
    (subject, trash): (&Subject, &dyn Trash),
    cx: &Cx,
    root: &ResourceId,
    path: &str,
) -> TrashItem {
    let request = Delete { target: at(root, path), conditions: Conditions::default() };
    subject.nodes.delete(cx, request).await.unwrap();
    // At once: what was answered is there.
    let mut items = list(trash, cx, root, None, 100).await.unwrap();
    items.remove(path).expect("what was deleted is listed")
}

async fn restore(
    trash: &dyn Trash,
    cx: &Cx,
    root: &ResourceId,
    key: &str,
    to: Option<&str>,
    collision: Collision,
) -> Result<Changed> {
    let to = to.map(|to| at(root, to));
    let (space, key) = (root.clone(), key.to_owned());
    let request = RestoreTrash { space, key, to, collision, lock_tokens: Vec::new() };
    trash.restore(cx, request).await
}

async fn purge(trash: &dyn Trash, cx: &Cx, root: &ResourceId, key: Option<&str>) -> Result<Purged> {
    let key = key.map(str::to_owned);
    trash.purge(cx, PurgeTrash { space: root.clone(), key, before: None }).await
}

async fn size(subject: &Subject, cx: &Cx, root: &ResourceId, path: &str) -> u64 {
    subject.stat(cx, at(root, path)).await.unwrap().info.size
}

async fn listed(subject: &Subject, trash: &dyn Trash) {
    let cx = person("trash-list", 0);
    let root = subject.home(&cx).await;
    assert!(list(trash, &cx, &root, None, 10).await.unwrap().is_empty());
    subject.mkdir(&cx, at(&root, "d")).await.unwrap();
    for name in ["a", "b", "d/c"] {
        subject.put(&cx, at(&root, name), b"12345").await.unwrap();
    }
    let id = subject.stat(&cx, at(&root, "a")).await.unwrap().info.id.node.to_string();
    let later = Cx { now: cx.now.plus(Duration::from_secs(60)), ..cx.clone() };
    let item = delete((subject, trash), &later, &root, "a").await;
    let same = TrashItem {
        key: id,
        name: "a".into(),
        kind: NodeKind::File,
        origin: crate::path::SpacePath::parse("a").unwrap(),
        size: 5,
        deleted: item.deleted,
    };
    assert_eq!(item, same);
    assert!(item.deleted >= later.now);
    delete((subject, trash), &later, &root, "b").await;
    let folder = delete((subject, trash), &later, &root, "d").await;
    assert_eq!((folder.kind, folder.size), (NodeKind::Folder, 5));
    for limit in [1, 2, 10] {
        let items = list(trash, &cx, &root, None, limit).await.unwrap();
        assert_eq!(items.keys().collect::<Vec<_>>(), ["a", "b", "d"]);
    }
    assert_eq!(size(subject, &cx, &root, "").await, 0, "what is in the trash does not count");
}

async fn brought_back(subject: &Subject, trash: &dyn Trash) {
    let cx = person("trash-restore", 0);
    let root = subject.home(&cx).await;
    subject.mkdir(&cx, at(&root, "d")).await.unwrap();
    subject.put(&cx, at(&root, "d/f"), b"content").await.unwrap();
    let before = subject.stat(&cx, at(&root, "d/f")).await.unwrap();
    let item = delete((subject, trash), &cx, &root, "d/f").await;
    assert_eq!(size(subject, &cx, &root, "d").await, 0);
    let back = restore(trash, &cx, &root, &item.key, None, Collision::Refuse).await.unwrap();
    assert!(back.created);
    assert_eq!(back.node.info.id, before.info.id, "it is the same file");
    assert_eq!(subject.get(&cx, at(&root, "d/f")).await.unwrap(), b"content");
    assert_eq!(size(subject, &cx, &root, "").await, 7);
    assert!(list(trash, &cx, &root, None, 10).await.unwrap().is_empty());
    let again = restore(trash, &cx, &root, &item.key, None, Collision::Refuse).await;
    assert_eq!(refused(again), ErrorKind::NotFound);
    // To another place under another name, and again.
    let item = delete((subject, trash), &cx, &root, "d/f").await;
    restore(trash, &cx, &root, &item.key, Some("g"), Collision::Refuse).await.unwrap();
    assert_eq!(subject.get(&cx, at(&root, "g")).await.unwrap(), b"content");
    assert_eq!(size(subject, &cx, &root, "d").await, 0);
    subject.put(&cx, at(&root, "g"), b"more").await.unwrap();
    let item = delete((subject, trash), &cx, &root, "g").await;
    assert_eq!(item.origin.as_str(), "g");
    // Where there is no folder any more.
    let gone = restore(trash, &cx, &root, &item.key, Some("none/g"), Collision::Refuse).await;
    assert_eq!(refused(gone), ErrorKind::Conflict);
    let stranger = crate::reference::Reference::below(
        ResourceId { space: "elsewhere".parse().unwrap(), ..root.clone() },
        crate::path::SpacePath::parse("g").unwrap(),
    );
    let request = RestoreTrash {
        space: root.clone(),
        key: item.key.clone(),
        to: Some(stranger),
        collision: Collision::Refuse,
        lock_tokens: Vec::new(),
    };
    assert_eq!(refused(trash.restore(&cx, request).await), ErrorKind::InvalidArgument);
    for key in ["", "/", "none", "..", "../x", &format!("{}/x", item.key), "\0", "a b"] {
        let none = restore(trash, &cx, &root, key, None, Collision::Refuse).await;
        assert_eq!(refused(none), ErrorKind::NotFound, "{key:?}");
    }
}

async fn collisions(subject: &Subject, trash: &dyn Trash) {
    let cx = person("trash-collisions", 0);
    let root = subject.home(&cx).await;
    for (name, content) in [("kept1", "1"), ("kept2", "22"), ("kept3", "333"), ("f.tar.gz", "4444")]
    {
        subject.put(&cx, at(&root, name), content.as_bytes()).await.unwrap();
    }
    let key = delete((subject, trash), &cx, &root, "f.tar.gz").await.key;
    subject.put(&cx, at(&root, "f.tar.gz"), b"there").await.unwrap();
    let refuse = restore(trash, &cx, &root, &key, None, Collision::Refuse).await;
    assert_eq!(refused(refuse), ErrorKind::PreconditionFailed);
    let both = restore(trash, &cx, &root, &key, None, Collision::KeepBoth).await.unwrap();
    assert!(both.created);
    assert_eq!(both.node.path.as_str(), "f (1).tar.gz");
    assert_eq!(subject.get(&cx, at(&root, "f.tar.gz")).await.unwrap(), b"there");
    assert_eq!(subject.get(&cx, at(&root, "f (1).tar.gz")).await.unwrap(), b"4444");
    for (from, wanted) in [("kept1", "f (2).tar.gz"), ("kept2", "f (3).tar.gz")] {
        let key = delete((subject, trash), &cx, &root, from).await.key;
        let to = Some("f.tar.gz");
        let both = restore(trash, &cx, &root, &key, to, Collision::KeepBoth).await.unwrap();
        assert_eq!(both.node.path.as_str(), wanted);
    }
    // What is replaced goes to the trash.
    let key = delete((subject, trash), &cx, &root, "kept3").await.key;
    let to = Some("f.tar.gz");
    let over = restore(trash, &cx, &root, &key, to, Collision::Replace).await.unwrap();
    assert!(!over.created);
    assert_eq!(subject.get(&cx, at(&root, "f.tar.gz")).await.unwrap(), b"333");
    let items = list(trash, &cx, &root, None, 10).await.unwrap();
    assert_eq!(items.keys().collect::<Vec<_>>(), ["f.tar.gz"]);
    assert_eq!(items["f.tar.gz"].size, 5);
    assert_eq!(size(subject, &cx, &root, "").await, 4 + 1 + 2 + 3);
    locked(subject, trash, &cx, &root, &items["f.tar.gz"].key).await;
}

async fn locked(subject: &Subject, trash: &dyn Trash, cx: &Cx, root: &ResourceId, key: &str) {
    subject.mkdir(cx, at(root, "locked")).await.unwrap();
    let lock = LockNode {
        target: at(root, "locked"),
        scope: LockScope::Exclusive,
        deep: true,
        owner: None,
        app_name: String::new(),
        expires: Some(cx.now.plus(Duration::from_secs(60))),
        create: false,
        conditions: Conditions::default(),
    };
    let token = subject.nodes.lock(cx, lock).await.unwrap().lock.lock.token;
    let mut request = RestoreTrash {
        space: root.clone(),
        key: key.to_owned(),
        to: Some(at(root, "locked/f")),
        collision: Collision::Refuse,
        lock_tokens: Vec::new(),
    };
    assert_eq!(refused(trash.restore(cx, request.clone()).await), ErrorKind::Locked);
    request.lock_tokens.push(token);
    trash.restore(cx, request).await.unwrap();
}

async fn folders(subject: &Subject, trash: &dyn Trash) {
    let cx = person("trash-folders", 0);
    let root = subject.home(&cx).await;
    for folder in ["d", "d/e", "d/e/h"] {
        subject.mkdir(&cx, at(&root, folder)).await.unwrap();
    }
    for (name, content) in [("d/1", "1"), ("d/e/2", "22"), ("d/e/h/3", "333"), ("d/e/h/4", "4444")]
    {
        subject.put(&cx, at(&root, name), content.as_bytes()).await.unwrap();
    }
    let top = delete((subject, trash), &cx, &root, "d").await;
    assert_eq!(top.size, 10);
    let inside = |limit| list(trash, &cx, &root, Some(&top.key), limit);
    for limit in [1, 10] {
        let items = inside(limit).await.unwrap();
        assert_eq!(items.keys().collect::<Vec<_>>(), ["d/1", "d/e"]);
        assert_eq!((items["d/e"].size, items["d/e"].kind), (9, NodeKind::Folder));
        assert_eq!(items["d/e"].key, format!("{}/e", top.key));
        assert_eq!(items["d/e"].deleted, top.deleted);
    }
    let key = |path: &str| format!("{}/{path}", top.key);
    let deeper = list(trash, &cx, &root, Some(&key("e/h")), 10).await.unwrap();
    assert_eq!(deeper.keys().collect::<Vec<_>>(), ["d/e/h/3", "d/e/h/4"]);
    let itself = list(trash, &cx, &root, Some(&key("e/2")), 10).await.unwrap();
    assert_eq!(itself["d/e/2"].key, key("e/2"));
    let none = list(trash, &cx, &root, Some(&key("none")), 10).await;
    assert_eq!(refused(none), ErrorKind::NotFound);
    // One file comes back alone; the folders that it lay in hold less.
    let lost = restore(trash, &cx, &root, &key("e/h/3"), None, Collision::Refuse).await;
    assert_eq!(refused(lost), ErrorKind::Conflict, "its folder is not there");
    restore(trash, &cx, &root, &key("e/h/3"), Some("three"), Collision::Refuse).await.unwrap();
    assert_eq!(subject.get(&cx, at(&root, "three")).await.unwrap(), b"333");
    assert_eq!(size(subject, &cx, &root, "").await, 3);
    assert_eq!(inside(10).await.unwrap()["d/e"].size, 6);
    assert_eq!(list(trash, &cx, &root, None, 10).await.unwrap()["d"].size, 7);
    let again = restore(trash, &cx, &root, &key("e/h/3"), Some("x"), Collision::Refuse).await;
    assert_eq!(refused(again), ErrorKind::NotFound);
    // One is removed for good.
    let purged = purge(trash, &cx, &root, Some(&key("e/2"))).await.unwrap();
    assert_eq!(purged, Purged { items: 1, blobs: 1, bytes: 2 });
    assert_eq!(list(trash, &cx, &root, None, 10).await.unwrap()["d"].size, 5);
    // A folder comes back out of the folder, and then what is left of that.
    let back = restore(trash, &cx, &root, &key("e/h"), Some("h"), Collision::Refuse).await.unwrap();
    assert_eq!(back.node.info.size, 4);
    assert_eq!(subject.names(&cx, &at(&root, "h"), 10).await.unwrap(), ["4"]);
    subject.put(&cx, at(&root, "h/5"), b"55555").await.unwrap();
    assert_eq!(size(subject, &cx, &root, "h").await, 9);
    restore(trash, &cx, &root, &top.key, None, Collision::Refuse).await.unwrap();
    assert_eq!(subject.names(&cx, &at(&root, "d"), 10).await.unwrap(), ["1", "e"]);
    assert!(subject.names(&cx, &at(&root, "d/e"), 10).await.unwrap().is_empty());
    assert_eq!(size(subject, &cx, &root, "d").await, 1);
    assert_eq!(size(subject, &cx, &root, "").await, 3 + 9 + 1);
    assert_eq!(subject.get(&cx, at(&root, "d/1")).await.unwrap(), b"1");
    subject.put(&cx, at(&root, "d/e/6"), b"666666").await.unwrap();
    assert_eq!(size(subject, &cx, &root, "d").await, 7);
    // What it held just before it was deleted must not come back with it.
    subject.mkdir(&cx, at(&root, "m")).await.unwrap();
    for name in ["m/1", "m/2"] {
        subject.put(&cx, at(&root, name), b"55555").await.unwrap();
    }
    let key = delete((subject, trash), &cx, &root, "m").await.key;
    purge(trash, &cx, &root, Some(&format!("{key}/1"))).await.unwrap();
    restore(trash, &cx, &root, &key, None, Collision::Refuse).await.unwrap();
    assert_eq!(size(subject, &cx, &root, "m").await, 5);
}

async fn purged(subject: &Subject, trash: &dyn Trash) {
    let cx = person("trash-purge", 0);
    let root = subject.home(&cx).await;
    subject.mkdir(&cx, at(&root, "d")).await.unwrap();
    subject.mkdir(&cx, at(&root, "d/e")).await.unwrap();
    for content in [&b"1"[..], b"22", b"333"] {
        subject.put(&cx, at(&root, "d/e/f"), content).await.unwrap();
    }
    subject.put(&cx, at(&root, "g"), b"4444").await.unwrap();
    let folder = delete((subject, trash), &cx, &root, "d").await;
    let none = purge(trash, &cx, &root, Some("none")).await;
    assert_eq!(refused(none), ErrorKind::NotFound);
    let gone = purge(trash, &cx, &root, Some(&folder.key)).await.unwrap();
    assert_eq!(gone, Purged { items: 3, blobs: 3, bytes: 6 }, "with what the file held before");
    assert!(list(trash, &cx, &root, None, 10).await.unwrap().is_empty());
    assert_eq!(refused(purge(trash, &cx, &root, Some(&folder.key)).await), ErrorKind::NotFound);
    for name in ["x", "y", "z"] {
        subject.put(&cx, at(&root, name), b"55555").await.unwrap();
        delete((subject, trash), &cx, &root, name).await;
    }
    let gone = purge(trash, &cx, &root, None).await.unwrap();
    assert_eq!(gone, Purged { items: 3, blobs: 3, bytes: 15 });
    assert_eq!(purge(trash, &cx, &root, None).await.unwrap(), Purged::default());
    assert_eq!(
        subject.get(&cx, at(&root, "g")).await.unwrap(),
        b"4444",
        "what is not in the trash"
    );
    assert_eq!(size(subject, &cx, &root, "").await, 4);
}

async fn aged(subject: &Subject, trash: &dyn Trash) {
    let cx = person("trash-age", 0);
    let root = subject.home(&cx).await;
    for (name, second) in [("old", 10), ("young", 20)] {
        let then = Cx { now: cx.now.plus(Duration::from_secs(second)), ..cx.clone() };
        subject.put(&then, at(&root, name), b"1").await.unwrap();
        delete((subject, trash), &then, &root, name).await;
    }
    let young = list(trash, &cx, &root, None, 10).await.unwrap()["young"].clone();
    let (key, before) = (young.key, Some(young.deleted));
    for (key, items) in [(Some(key), 0), (None, 1), (None, 0)] {
        let request = PurgeTrash { space: root.clone(), key, before };
        assert_eq!(trash.purge(&cx, request).await.unwrap().items, items);
    }
    let left = list(trash, &cx, &root, None, 10).await.unwrap();
    assert_eq!(left.keys().collect::<Vec<_>>(), ["young"]);
}

async fn strangers(subject: &Subject, trash: &dyn Trash) {
    let cx = person("trash-owner", 0);
    let root = subject.home(&cx).await;
    subject.put(&cx, at(&root, "f"), b"1").await.unwrap();
    let key = delete((subject, trash), &cx, &root, "f").await.key;
    let other = person("trash-stranger", 0);
    subject.home(&other).await;
    for result in [
        list(trash, &other, &root, None, 10).await.map(drop),
        list(trash, &other, &root, Some(&key), 10).await.map(drop),
        restore(trash, &other, &root, &key, None, Collision::Refuse).await.map(drop),
        purge(trash, &other, &root, Some(&key)).await.map(drop),
        purge(trash, &other, &root, None).await.map(drop),
    ] {
        assert_eq!(refused(result), ErrorKind::NotFound);
    }
    assert_eq!(list(trash, &cx, &root, None, 10).await.unwrap().len(), 1);
}

async fn over_quota(subject: &Subject, trash: &dyn Trash) {
    let admin = member("trash-quota", UserRole::Admin, &[]);
    let request =
        CreateSpace { quota: Some(10), ..CreateSpace::new(SpaceKind::Project, "Trash and quota") };
    let root = subject.spaces.create(&admin, request).await.unwrap().root;
    subject.put(&admin, at(&root, "f"), b"content").await.unwrap();
    let item = delete((subject, trash), &admin, &root, "f").await;
    // What is in the trash does not count, until it comes back.
    subject.put(&admin, at(&root, "g"), b"another").await.unwrap();
    let back = restore(trash, &admin, &root, &item.key, None, Collision::Refuse).await;
    assert_eq!(refused(back), ErrorKind::InsufficientStorage);
    assert_eq!(size(subject, &admin, &root, "").await, 7);
    assert_eq!(list(trash, &admin, &root, None, 10).await.unwrap().len(), 1);
    // In the place of something as long there is room for it.
    restore(trash, &admin, &root, &item.key, Some("g"), Collision::Replace).await.unwrap();
    assert_eq!(subject.get(&admin, at(&root, "g")).await.unwrap(), b"content");
    assert_eq!(size(subject, &admin, &root, "").await, 7);
}
