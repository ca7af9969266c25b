//! What every storage must do with former contents of files.

use std::time::Duration;

use super::subject::{Subject, at, person, refused};
use crate::cx::Cx;
use crate::error::{ErrorKind, Result};
use crate::etag::{Etag, EtagMatch};
use crate::id::ResourceId;
use crate::node::Node;
use crate::port::{
    Conditions, ListVersions, OpenUpload, OpenVersion, PageRequest, PurgeRule, PurgeVersions,
    RestoreVersion, Versions,
};
use crate::time::Timestamp;
use crate::version::{Purged, Version};

/// Runs everything about versions, on a storage that keeps them.
pub async fn versions(subject: &Subject, versions: &dyn Versions) {
    kept(subject, versions).await;
    same_time(subject, versions).await;
    restored(subject, versions).await;
    purged(subject, versions).await;
    strangers(subject, versions).await;
}

/// The versions of a file, asked for in pages of `limit`.
async fn list(
    versions: &dyn Versions,
    cx: &Cx,
    root: &ResourceId,
    path: &str,
    limit: u32,
) -> Result<Vec<Version>> {
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let page = PageRequest { cursor, limit };
        let page = versions.list(cx, ListVersions { target: at(root, path), page }).await?;
        assert!(page.items.len() <= limit as usize, "a page is longer than asked for");
        found.extend(page.items);
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok(found),
        }
    }
}

fn after(cx: &Cx, seconds: u64) -> Cx {
    Cx { now: cx.now.plus(Duration::from_secs(seconds)), ..cx.clone() }
}

async fn put(subject: &Subject, cx: &Cx, root: &ResourceId, content: &[u8], time: Timestamp) {
    let upload = OpenUpload {
        target: at(root, "f"),
        length: None,
        mtime: Some(time),
        checksum: None,
        conditions: Conditions::default(),
    };
    subject.upload(cx, upload, content).await.unwrap();
}

async fn content(
    (subject, versions): (&Subject, &dyn Versions),
    cx: &Cx,
    root: &ResourceId,
    key: &str,
) -> Result<Vec<u8>> {
    let request = OpenVersion { target: at(root, "f"), key: key.to_owned() };
    let read = versions.open_read(cx, request).await?;
    assert_eq!(read.version.key, key);
    subject.download(&read.ticket).await
}

async fn restore(
    versions: &dyn Versions,
    cx: &Cx,
    root: &ResourceId,
    key: &str,
    conditions: Conditions,
) -> Result<Node> {
    let request = RestoreVersion { target: at(root, "f"), key: key.to_owned(), conditions };
    versions.restore(cx, request).await
}

async fn kept(subject: &Subject, versions: &dyn Versions) {
    let cx = person("versions-kept", 0);
    let root = subject.home(&cx).await;
    // The clients' times go backwards: they say nothing of the order.
    for (second, text) in [(1_u32, "1"), (2, "22"), (3, "333"), (4, "4444")] {
        let time = Timestamp::from_unix(1_000_000_000 - i64::from(second), 5).unwrap();
        put(subject, &after(&cx, second.into()), &root, text.as_bytes(), time).await;
        if second == 1 {
            assert!(list(versions, &cx, &root, "f", 10).await.unwrap().is_empty());
        }
    }
    for limit in [1, 2, 10] {
        let found = list(versions, &cx, &root, "f", limit).await.unwrap();
        assert_eq!(found.iter().map(|version| version.size).collect::<Vec<_>>(), [3, 2, 1]);
    }
    let found = list(versions, &cx, &root, "f", 10).await.unwrap();
    let id = subject.stat(&cx, at(&root, "f")).await.unwrap().info.id.node.to_string();
    for (version, text) in found.iter().zip(["333", "22", "1"]) {
        let bytes = content((subject, versions), &cx, &root, &version.key).await.unwrap();
        assert_eq!(bytes, text.as_bytes());
        assert_eq!(version.mtime.unix_seconds(), 1_000_000_000 - text.len() as i64);
        assert_eq!(version.key, format!("{id}.REV.{}", version.mtime));
        assert!(version.replaced >= cx.now);
        assert!(version.checksums.is_some());
    }
    let tags: Vec<&Etag> = found.iter().map(|version| &version.etag).collect();
    assert!(tags[0] != tags[1] && tags[1] != tags[2] && tags[0] != tags[2]);
    let id2 = format!("{id}.REV.2001-09-09T01:46:38Z");
    for key in ["", "none", "..", "../x", &id, &id2, &format!("{id}.REV.../x"), "x.REV.\0"] {
        let none = content((subject, versions), &cx, &root, key).await;
        assert_eq!(refused(none), ErrorKind::NotFound, "{key:?}");
    }
    let folder = list(versions, &cx, &root, "", 10).await;
    assert_eq!(refused(folder), ErrorKind::Conflict);
    assert_eq!(refused(list(versions, &cx, &root, "none", 10).await), ErrorKind::NotFound);
}

async fn same_time(subject: &Subject, versions: &dyn Versions) {
    let cx = person("versions-same", 0);
    let root = subject.home(&cx).await;
    for text in ["1", "22", "333", "4444"] {
        put(subject, &cx, &root, text.as_bytes(), cx.now).await;
    }
    let found = list(versions, &cx, &root, "f", 10).await.unwrap();
    assert_eq!(found.iter().map(|version| version.size).collect::<Vec<_>>(), [3, 2, 1]);
    for (version, text) in found.iter().zip(["333", "22", "1"]) {
        let bytes = content((subject, versions), &cx, &root, &version.key).await.unwrap();
        assert_eq!(bytes, text.as_bytes());
    }
}

async fn restored(subject: &Subject, versions: &dyn Versions) {
    let cx = person("versions-restored", 0);
    let root = subject.home(&cx).await;
    put(subject, &cx, &root, b"first", cx.now).await;
    put(subject, &after(&cx, 1), &root, b"second, longer", after(&cx, 1).now).await;
    let before = subject.stat(&cx, at(&root, "f")).await.unwrap();
    let first = list(versions, &cx, &root, "f", 10).await.unwrap().remove(0);
    let wrong =
        Conditions { if_match: Some(EtagMatch::OneOf(Vec::new())), ..Conditions::default() };
    let late = after(&cx, 100);
    let unmet = restore(versions, &late, &root, &first.key, wrong).await;
    assert_eq!(refused(unmet), ErrorKind::PreconditionFailed);
    let node = restore(versions, &late, &root, &first.key, Conditions::default()).await.unwrap();
    assert_eq!((node.info.size, &node.info.id), (5, &before.info.id));
    assert_ne!(node.info.etag, before.info.etag);
    assert!(node.info.mtime >= late.now && node.info.mtime > first.mtime, "as of now");
    assert_eq!(node.info.checksums, first.checksums);
    assert_eq!(subject.get(&cx, at(&root, "f")).await.unwrap(), b"first");
    assert_eq!(subject.stat(&cx, at(&root, "")).await.unwrap().info.size, 5);
    let left = list(versions, &cx, &root, "f", 10).await.unwrap();
    assert_eq!(left.len(), 1, "what was there is a version, what was restored is none any more");
    let bytes = content((subject, versions), &cx, &root, &left[0].key).await.unwrap();
    assert_eq!(bytes, b"second, longer");
    let again = restore(versions, &cx, &root, &first.key, Conditions::default()).await;
    assert_eq!(refused(again), ErrorKind::NotFound);
    restore(versions, &cx, &root, &left[0].key, Conditions::default()).await.unwrap();
    assert_eq!(subject.get(&cx, at(&root, "f")).await.unwrap(), b"second, longer");
    // A file that was deleted and brought back, or moved, has its versions still.
    let rename = crate::port::Move {
        from: at(&root, "f"),
        to: at(&root, "g"),
        overwrite: false,
        conditions: Conditions::default(),
    };
    subject.nodes.rename(&cx, rename).await.unwrap();
    assert_eq!(list(versions, &cx, &root, "g", 10).await.unwrap().len(), 1);
}

async fn purged(subject: &Subject, versions: &dyn Versions) {
    let cx = person("versions-purged", 0);
    let root = subject.home(&cx).await;
    for second in 0..6_u64 {
        let then = after(&cx, second * 10);
        put(subject, &then, &root, &vec![7; second as usize + 1], then.now).await;
    }
    let sizes = async || {
        let found = list(versions, &cx, &root, "f", 10).await.unwrap();
        found.iter().map(|version| version.size).collect::<Vec<_>>()
    };
    assert_eq!(sizes().await, [5, 4, 3, 2, 1]);
    let purge = |path: &str, rule: PurgeRule, dry_run: bool| {
        versions.purge(&cx, PurgeVersions { target: at(&root, path), rule, dry_run })
    };
    let some = |items, bytes| Purged { items, blobs: items, bytes };
    let oldest_but_one = list(versions, &cx, &root, "f", 10).await.unwrap().remove(3);
    let before = PurgeRule::Before(oldest_but_one.replaced);
    for (rule, dry_run, gone, left) in [
        (PurgeRule::All, true, some(5, 15), vec![5, 4, 3, 2, 1]),
        (before, false, some(1, 1), vec![5, 4, 3, 2]),
        (PurgeRule::KeepNewest(3), false, some(1, 2), vec![5, 4, 3]),
        (PurgeRule::KeepNewest(9), false, some(0, 0), vec![5, 4, 3]),
    ] {
        assert_eq!(purge("f", rule, dry_run).await.unwrap(), gone);
        assert_eq!(sizes().await, left);
    }
    let key = list(versions, &cx, &root, "f", 10).await.unwrap()[1].key.clone();
    let gone = purge("f", PurgeRule::Key(key.clone()), false).await.unwrap();
    assert_eq!(gone, some(1, 4));
    assert_eq!(refused(purge("f", PurgeRule::Key(key), false).await), ErrorKind::NotFound);
    assert_eq!(sizes().await, [5, 3]);
    assert_eq!(purge("", PurgeRule::All, false).await.unwrap(), some(2, 8), "of a whole tree");
    assert!(sizes().await.is_empty());
    assert_eq!(subject.get(&cx, at(&root, "f")).await.unwrap(), [7; 6]);
}

async fn strangers(subject: &Subject, versions: &dyn Versions) {
    let cx = person("versions-owner", 0);
    let root = subject.home(&cx).await;
    put(subject, &cx, &root, b"1", cx.now).await;
    put(subject, &cx, &root, b"2", cx.now).await;
    let key = list(versions, &cx, &root, "f", 10).await.unwrap().remove(0).key;
    let other = person("versions-stranger", 0);
    let purge = PurgeVersions { target: at(&root, "f"), rule: PurgeRule::All, dry_run: true };
    for result in [
        list(versions, &other, &root, "f", 10).await.map(drop),
        content((subject, versions), &other, &root, &key).await.map(drop),
        restore(versions, &other, &root, &key, Conditions::default()).await.map(drop),
        versions.purge(&other, purge).await.map(drop),
    ] {
        assert_eq!(refused(result), ErrorKind::NotFound);
    }
}
