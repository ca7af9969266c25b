//! What every storage must do with locks (RFC 4918 sections 6 and 7).

use std::time::Duration;

use super::subject::{Subject, at, person, refused};
use crate::cx::Cx;
use crate::error::{ErrorKind, Result};
use crate::id::ResourceId;
use crate::lock::LockScope;
use crate::port::{Conditions, Delete, LockNode, Locked, Move, OpenUpload, RefreshLock, Unlock};

async fn lock(
    subject: &Subject,
    cx: &Cx,
    root: &ResourceId,
    path: &str,
    scope: LockScope,
) -> Result<Locked> {
    let request = LockNode {
        target: at(root, path),
        scope,
        deep: true,
        owner: Some("<D:href xmlns:D=\"DAV:\">me</D:href>".into()),
        app_name: String::new(),
        expires: Some(cx.now.plus(Duration::from_secs(60))),
        create: true,
        conditions: Conditions::default(),
    };
    subject.nodes.lock(cx, request).await
}

fn tokens(token: &str) -> Conditions {
    Conditions { lock_tokens: vec![token.into()], ..Conditions::default() }
}

fn write(root: &ResourceId, path: &str, conditions: Conditions) -> OpenUpload {
    let target = at(root, path);
    OpenUpload { target, length: Some(1), mtime: None, checksum: None, conditions }
}

/// Runs everything about locks.
pub async fn locks(subject: &Subject) {
    let cx = person("locks", 0);
    let root = subject.home(&cx).await;
    exclusive(subject, &cx, &root).await;
    shared(subject, &cx, &root).await;
    inherited(subject, &cx, &root).await;
    expiring(subject, &cx, &root).await;
}

async fn exclusive(subject: &Subject, cx: &Cx, root: &ResourceId) {
    let taken = lock(subject, cx, root, "f", LockScope::Exclusive).await.unwrap();
    assert!(taken.created, "an empty file is made");
    let token = taken.lock.lock.token;
    let seen = subject.stat(cx, at(root, "f")).await.unwrap();
    assert_eq!(seen.locks.len(), 1);
    assert_eq!(seen.locks[0].lock.token, token);
    assert_eq!(seen.locks[0].lock.owner.as_deref(), Some("<D:href xmlns:D=\"DAV:\">me</D:href>"));
    for scope in [LockScope::Exclusive, LockScope::Shared] {
        assert_eq!(refused(lock(subject, cx, root, "f", scope).await), ErrorKind::Locked);
    }
    let without = subject.upload(cx, write(root, "f", Conditions::default()), b"x").await;
    assert_eq!(refused(without), ErrorKind::Locked);
    subject.upload(cx, write(root, "f", tokens(&token)), b"x").await.unwrap();
    let rename = Move {
        from: at(root, "f"),
        to: at(root, "g"),
        overwrite: true,
        conditions: Conditions::default(),
    };
    assert_eq!(refused(subject.nodes.rename(cx, rename.clone()).await), ErrorKind::Locked);
    let delete = Delete { target: at(root, "f"), conditions: Conditions::default() };
    assert_eq!(refused(subject.nodes.delete(cx, delete.clone()).await), ErrorKind::Locked);
    let wrong = Unlock { target: at(root, "f"), token: "opaquelocktoken:none".into() };
    assert_eq!(refused(subject.nodes.unlock(cx, wrong).await), ErrorKind::Conflict);
    subject.nodes.unlock(cx, Unlock { target: at(root, "f"), token }).await.unwrap();
    subject.nodes.delete(cx, delete).await.unwrap();
}

async fn shared(subject: &Subject, cx: &Cx, root: &ResourceId) {
    let first = lock(subject, cx, root, "s", LockScope::Shared).await.unwrap().lock.lock.token;
    let second = lock(subject, cx, root, "s", LockScope::Shared).await.unwrap().lock.lock.token;
    assert_ne!(first, second);
    assert_eq!(subject.stat(cx, at(root, "s")).await.unwrap().locks.len(), 2);
    assert_eq!(
        refused(lock(subject, cx, root, "s", LockScope::Exclusive).await),
        ErrorKind::Locked
    );
    subject.upload(cx, write(root, "s", tokens(&second)), b"x").await.unwrap();
    for token in [first, second] {
        subject.nodes.unlock(cx, Unlock { target: at(root, "s"), token }).await.unwrap();
    }
    assert!(subject.stat(cx, at(root, "s")).await.unwrap().locks.is_empty());
}

async fn inherited(subject: &Subject, cx: &Cx, root: &ResourceId) {
    subject.mkdir(cx, at(root, "d")).await.unwrap();
    subject.mkdir(cx, at(root, "d/e")).await.unwrap();
    let token = lock(subject, cx, root, "d", LockScope::Exclusive).await.unwrap().lock.lock.token;
    let below = subject.stat(cx, at(root, "d/e")).await.unwrap();
    assert_eq!(below.locks.len(), 1);
    assert_eq!(below.locks[0].root.as_str(), "d");
    let without = subject.upload(cx, write(root, "d/e/f", Conditions::default()), b"x").await;
    assert_eq!(refused(without), ErrorKind::Locked);
    subject.upload(cx, write(root, "d/e/f", tokens(&token)), b"x").await.unwrap();
    assert_eq!(
        refused(lock(subject, cx, root, "d/e", LockScope::Exclusive).await),
        ErrorKind::Locked
    );
    subject.nodes.unlock(cx, Unlock { target: at(root, "d"), token }).await.unwrap();
    let token =
        lock(subject, cx, root, "d/e/f", LockScope::Exclusive).await.unwrap().lock.lock.token;
    let delete = Delete { target: at(root, "d"), conditions: Conditions::default() };
    let whole = subject.nodes.delete(cx, delete).await;
    assert_eq!(refused(whole), ErrorKind::Locked, "what lies below a folder goes with it");
    let delete = Delete { target: at(root, "d"), conditions: tokens(&token) };
    subject.nodes.delete(cx, delete).await.unwrap();
}

async fn expiring(subject: &Subject, cx: &Cx, root: &ResourceId) {
    let token = lock(subject, cx, root, "x", LockScope::Exclusive).await.unwrap().lock.lock.token;
    let after = |seconds| Cx { now: cx.now.plus(Duration::from_secs(seconds)), ..cx.clone() };
    let refresh = RefreshLock {
        target: at(root, "x"),
        token: token.clone(),
        expires: Some(cx.now.plus(Duration::from_secs(120))),
    };
    subject.nodes.refresh_lock(&after(30), refresh.clone()).await.unwrap();
    let early = lock(subject, &after(90), root, "x", LockScope::Exclusive).await;
    assert_eq!(refused(early), ErrorKind::Locked);
    assert!(subject.stat(&after(121), at(root, "x")).await.unwrap().locks.is_empty());
    let late = subject.nodes.refresh_lock(&after(121), refresh).await;
    assert_eq!(refused(late), ErrorKind::PreconditionFailed);
    lock(subject, &after(121), root, "x", LockScope::Exclusive).await.unwrap();
}
