//! What every keeper of small documents must do.

use std::sync::Arc;

use futures::future::join_all;

use super::subject::{person, refused};
use crate::cx::{Caller, Cx};
use crate::error::{ErrorKind, Result};
use crate::etag::Etag;
use crate::port::{Document, DocumentCondition, DocumentKey, KeyValue, PutDocument};

const SPACE: &str = "f1bdd61a-da7c-49fc-8203-0558109d1b4f";

struct Talk<'a> {
    port: &'a dyn KeyValue,
    cx: Cx,
}

fn key(path: &str) -> DocumentKey {
    DocumentKey { space: SPACE.into(), path: path.into() }
}

impl Talk<'_> {
    async fn put(&self, path: &str, content: &str, condition: DocumentCondition) -> Result<Etag> {
        let content = content.as_bytes().to_vec();
        self.port.put(&self.cx, PutDocument { key: key(path), content, condition }).await
    }

    async fn document(&self, path: &str) -> Option<Document> {
        self.port.get(&self.cx, key(path)).await.unwrap()
    }

    async fn text(&self, path: &str) -> Option<String> {
        self.document(path).await.map(|document| String::from_utf8(document.content).unwrap())
    }

    async fn names(&self, path: &str) -> Vec<String> {
        self.port.names(&self.cx, key(path)).await.unwrap()
    }
}

/// Runs everything about documents, on a port that holds none.
pub async fn documents(port: &dyn KeyValue) {
    let cx = Cx { caller: Caller::Service("settings".into()), ..person("nobody", 0) };
    let talk = Talk { port, cx };
    there_and_gone(&talk).await;
    conditions(&talk).await;
    at_once(&talk).await;
    sizes(&talk).await;
    strangers(&talk).await;
}

async fn there_and_gone(talk: &Talk<'_>) {
    let none = DocumentCondition::None;
    assert_eq!(talk.text("a/b/one").await, None, "not even the space is there");
    assert_eq!(talk.names("").await, [""; 0]);
    talk.port.remove(&talk.cx, key("a/b/one")).await.unwrap();
    let first = talk.put("a/b/one", "1", none.clone()).await.unwrap();
    let found = talk.document("a/b/one").await.unwrap();
    assert_eq!((&*found.content, found.etag), (&b"1"[..], first.clone()));
    let second = talk.put("a/b/one", "2", none.clone()).await.unwrap();
    assert_ne!(first, second);
    assert_eq!(talk.text("a/b/one").await.as_deref(), Some("2"));
    talk.put("a/b/two", "", none.clone()).await.unwrap();
    assert_eq!(talk.text("a/b/two").await.as_deref(), Some(""));
    talk.put("a/c/three", "3", none).await.unwrap();
    assert_eq!(talk.names("a/b").await, ["one", "two"]);
    assert_eq!(talk.names("a").await, ["b", "c"]);
    assert_eq!(talk.names("").await, ["a"]);
    assert_eq!(talk.names("a/nothing").await, [""; 0]);
    assert_eq!(talk.text("a/b").await, None, "a folder is no document");
    talk.port.remove(&talk.cx, key("a/b/one")).await.unwrap();
    assert_eq!(talk.text("a/b/one").await, None);
    talk.port.remove(&talk.cx, key("a/b")).await.unwrap();
    assert_eq!(talk.text("a/b/two").await, None, "what lies in a folder goes with it");
    assert_eq!(talk.names("a").await, ["c"]);
    talk.put("a/b/one", "new", DocumentCondition::Absent).await.unwrap();
    assert_eq!(talk.names("a/b").await, ["one"]);
}

async fn conditions(talk: &Talk<'_>) {
    use DocumentCondition::{Absent, Is};
    let first = talk.put("conditions/one", "1", Absent).await.unwrap();
    let again = talk.put("conditions/one", "2", Absent).await;
    assert_eq!(refused(again), ErrorKind::PreconditionFailed);
    let second = talk.put("conditions/one", "2", Is(first.clone())).await.unwrap();
    let stale = talk.put("conditions/one", "3", Is(first.clone())).await;
    assert_eq!(refused(stale), ErrorKind::PreconditionFailed);
    assert_eq!(talk.text("conditions/one").await.as_deref(), Some("2"));
    talk.port.remove(&talk.cx, key("conditions/one")).await.unwrap();
    for path in ["conditions/one", "conditions/none", "nowhere/at/all"] {
        let gone = talk.put(path, "3", Is(second.clone())).await;
        assert_eq!(refused(gone), ErrorKind::PreconditionFailed, "{path}");
        assert_eq!(talk.text(path).await, None);
    }
}

/// Nobody's change is lost, and one only is the first.
async fn at_once(talk: &Talk<'_>) {
    let firsts = (0..8).map(|_| talk.put("shared/first", "x", DocumentCondition::Absent));
    let firsts = join_all(firsts).await;
    assert_eq!(firsts.iter().filter(|first| first.is_ok()).count(), 1);
    talk.put("shared/count", "0", DocumentCondition::None).await.unwrap();
    let count = async || loop {
        let old = talk.document("shared/count").await.unwrap();
        let number: u32 = std::str::from_utf8(&old.content).unwrap().parse().unwrap();
        let new = (number + 1).to_string();
        match talk.put("shared/count", &new, DocumentCondition::Is(old.etag)).await {
            Ok(_) => return,
            Err(error) => assert_eq!(error.kind(), ErrorKind::PreconditionFailed),
        }
    };
    join_all((0..8).map(|_| count())).await;
    assert_eq!(talk.text("shared/count").await.as_deref(), Some("8"));
}

async fn sizes(talk: &Talk<'_>) {
    for size in [1, 4096, 64 * 1024 + 1, 3_000_000] {
        let content = "ä".repeat(size / 2);
        talk.put("sizes/some", &content, DocumentCondition::None).await.unwrap();
        assert!(talk.text("sizes/some").await.unwrap() == content, "{size} bytes");
    }
}

async fn strangers(talk: &Talk<'_>) {
    let put = || PutDocument {
        key: key("a/b/one"),
        content: b"mine".to_vec(),
        condition: DocumentCondition::None,
    };
    for caller in [person("einstein", 0).caller, Caller::Anonymous] {
        let cx = Cx { caller, ..talk.cx.clone() };
        for kind in [
            refused(talk.port.get(&cx, key("a/b/one")).await),
            refused(talk.port.put(&cx, put()).await),
            refused(talk.port.remove(&cx, key("a/b/one")).await),
            refused(talk.port.names(&cx, key("a")).await),
        ] {
            assert_eq!(kind, ErrorKind::PermissionDenied);
        }
    }
    let server = Cx { trace: Arc::from("x"), ..talk.cx.clone() };
    for space in ["", "..", "a/b"] {
        let key = DocumentKey { space: space.into(), path: "one".into() };
        let kind = refused(talk.port.get(&server, key).await);
        assert_eq!(kind, ErrorKind::InvalidArgument, "{space:?}");
    }
    let kind = refused(talk.port.get(&server, key("a/../../b")).await);
    assert_eq!(kind, ErrorKind::InvalidArgument);
    assert_eq!(talk.text("a/b/one").await.as_deref(), Some("new"));
}
