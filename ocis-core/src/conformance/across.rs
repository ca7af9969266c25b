//! What every storage must do with moves between spaces, with quotas, and with tags.

use super::spaces::{grant, member, user};
use super::subject::{Subject, at, person, refused};
use crate::cx::Cx;
use crate::error::{ErrorKind, Result};
use crate::id::ResourceId;
use crate::lock::LockScope;
use crate::port::{
    Changed, Conditions, Copy, Delete, GetSpace, Grants, LockNode, Move, Tag, UpdateSpace,
};
use crate::reference::Reference;
use crate::user::UserRole;

impl Subject {
    async fn rename(&self, cx: &Cx, from: Reference, to: Reference) -> Result<Changed> {
        let conditions = Conditions::default();
        self.nodes.rename(cx, Move { from, to, overwrite: false, conditions }).await
    }

    async fn used(&self, cx: &Cx, space: &ResourceId) -> u64 {
        let space = GetSpace { space: space.clone() };
        self.spaces.get(cx, space).await.unwrap().quota.used
    }

    async fn limit(&self, cx: &Cx, space: &ResourceId, bytes: u64) {
        let request = UpdateSpace { quota: Some(bytes), ..UpdateSpace::of(space.clone()) };
        self.spaces.update(cx, request).await.unwrap();
    }
}

/// Runs everything about moves between spaces and about quotas.
pub async fn across(subject: &Subject, grants: &dyn Grants) {
    moves(subject, grants).await;
    quotas(subject).await;
    tags(subject).await;
}

async fn moves(subject: &Subject, grants: &dyn Grants) {
    let cx = member("a-admin", UserRole::Admin, &[]);
    let home = subject.home(&cx).await;
    let project = subject.project(&cx, "a").await.root;
    subject.mkdir(&cx, at(&home, "d")).await.unwrap();
    subject.put(&cx, at(&home, "d/small"), b"small").await.unwrap();
    subject.put(&cx, at(&home, "d/large"), &[7; 100_000]).await.unwrap();
    let before = subject.stat(&cx, at(&home, "d")).await.unwrap().info.id.clone();
    subject.limit(&cx, &project, 100_004).await;
    let full = subject.rename(&cx, at(&home, "d"), at(&project, "e")).await;
    assert_eq!(refused(full), ErrorKind::InsufficientStorage);
    assert_eq!(subject.get(&cx, at(&home, "d/small")).await.unwrap(), b"small");
    subject.limit(&cx, &project, 100_005).await;
    let lock = LockNode {
        target: at(&home, "d/small"),
        scope: LockScope::Exclusive,
        deep: false,
        owner: None,
        app_name: String::new(),
        expires: None,
        create: false,
        conditions: Conditions::default(),
    };
    let token = subject.nodes.lock(&cx, lock).await.unwrap().lock.lock.token;
    let locked = subject.rename(&cx, at(&home, "d"), at(&project, "e")).await;
    assert_eq!(refused(locked), ErrorKind::Locked);
    let request = Move {
        from: at(&home, "d"),
        to: at(&project, "e"),
        overwrite: false,
        conditions: Conditions { lock_tokens: vec![token], ..Conditions::default() },
    };
    let moved = subject.nodes.rename(&cx, request).await.unwrap();
    assert!(moved.created);
    assert_ne!(moved.node.info.id, before, "in another space it is another node");
    assert_eq!(subject.get(&cx, at(&project, "e/small")).await.unwrap(), b"small");
    assert_eq!(subject.get(&cx, at(&project, "e/large")).await.unwrap(), [7; 100_000]);
    assert!(subject.stat(&cx, at(&project, "e/small")).await.unwrap().locks.is_empty());
    assert_eq!(refused(subject.stat(&cx, at(&home, "d")).await), ErrorKind::NotFound);
    assert_eq!((subject.used(&cx, &home).await, subject.used(&cx, &project).await), (0, 100_005));
    let nowhere = subject.rename(&cx, at(&project, "e"), at(&home, "none/e")).await;
    assert_eq!(refused(nowhere), ErrorKind::Conflict);
    // Who may only read can take nothing out and put nothing in.
    let bob = person("a-bob", 0);
    let bobs = subject.home(&bob).await;
    subject.put(&bob, at(&bobs, "f"), b"x").await.unwrap();
    grants.set(&cx, grant(&project, user("a-bob"), "txr")).await.unwrap();
    for (from, to) in [(at(&project, "e"), at(&bobs, "e")), (at(&bobs, "f"), at(&project, "f"))] {
        let denied = subject.rename(&bob, from, to).await;
        assert_eq!(refused(denied), ErrorKind::PermissionDenied);
    }
    let hidden = subject.rename(&bob, at(&bobs, "f"), at(&home, "f")).await;
    assert_eq!(refused(hidden), ErrorKind::NotFound);
    assert_eq!((subject.used(&bob, &bobs).await, subject.used(&cx, &project).await), (1, 100_005));
}

async fn quotas(subject: &Subject) {
    let cx = member("q-admin", UserRole::Admin, &[]);
    let root = subject.project(&cx, "q").await.root;
    subject.limit(&cx, &root, 1000).await;
    let full = ErrorKind::InsufficientStorage;
    let put = |name: &'static str, size: usize| {
        let (cx, target) = (cx.clone(), at(&root, name));
        async move { subject.put(&cx, target, &vec![1; size]).await }
    };
    let copy = |from: &str, to: &str| {
        let (from, to) = (at(&root, from), at(&root, to));
        let conditions = Conditions::default();
        let request = Copy { from, to, overwrite: true, deep: true, conditions };
        subject.nodes.copy(&cx, request)
    };
    put("f", 600).await.unwrap();
    put("f", 1000).await.unwrap();
    assert_eq!(
        refused(put("f", 1001).await),
        full,
        "the old content counts as long as it is there"
    );
    assert_eq!(refused(put("g", 1).await), full);
    // A content of unknown length is not read to its end.
    for (name, most) in [("f", 1000), ("g", 0)] {
        for (size, why) in [(most, ErrorKind::Unavailable), (most + 1, full)] {
            let upload = subject.broken(&cx, at(&root, name), vec![1; size]);
            assert_eq!(refused(upload.await), why, "{name}: {size}");
        }
    }
    put("f", 500).await.unwrap();
    put("g", 400).await.unwrap();
    assert_eq!(refused(copy("f", "h").await), full);
    copy("f", "g").await.unwrap();
    assert_eq!(subject.used(&cx, &root).await, 1000);
    let delete = Delete { target: at(&root, "g"), conditions: Conditions::default() };
    subject.nodes.delete(&cx, delete).await.unwrap();
    assert_eq!(subject.used(&cx, &root).await, 500);
    put("g", 450).await.unwrap();
    subject.limit(&cx, &root, 100).await;
    put("f", 400).await.unwrap();
    assert_eq!(refused(put("f", 401).await), full, "over the quota there is only less");
    copy("f", "g").await.unwrap();
    assert_eq!(subject.used(&cx, &root).await, 800, "a copy over something larger is less");
    put("f", 399).await.unwrap();
    assert_eq!(refused(copy("g", "f").await), full);
}

async fn tags(subject: &Subject) {
    let cx = person("t", 0);
    let root = subject.home(&cx).await;
    subject.put(&cx, at(&root, "f"), b"x").await.unwrap();
    let tag = |add: &[&str], remove: &[&str]| {
        let texts = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect();
        let (add, remove, target) = (texts(add), texts(remove), at(&root, "f"));
        subject.nodes.tag(&cx, Tag { target, add, remove, conditions: Conditions::default() })
    };
    let node = tag(&["physics", " tag two "], &[]).await.unwrap();
    assert_eq!(node.info.metadata["tags"], "physics,tag two", "as oCIS stores them");
    let node = tag(&["three", "physics"], &["tag two", "none"]).await.unwrap();
    assert_eq!(node.info.tags().collect::<Vec<_>>(), ["physics", "three"]);
    for wrong in ["", " ", "a,b", "a\nb", &"x".repeat(256)] {
        assert_eq!(refused(tag(&[wrong], &[]).await), ErrorKind::InvalidArgument, "{wrong:?}");
    }
    let many: Vec<String> = (0..99).map(|n| n.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(refused(tag(&many, &[]).await), ErrorKind::InvalidArgument);
    let node = tag(&[], &["physics", "three"]).await.unwrap();
    assert_eq!(node.info.metadata.get("tags"), None);
}
