//! What the store promises.

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(seconds, 0).unwrap()
}

fn grant(id: &str, until: i64) -> Grant {
    Grant {
        id: id.to_owned(),
        client: "web".to_owned(),
        user: UserId::parse("einstein").unwrap(),
        session: "s".to_owned(),
        scopes: vec!["openid".to_owned()],
        since: at(0),
        password: String::new(),
        until: at(until),
        generation: 0,
    }
}

fn session(id: &str, until: i64) -> Session {
    Session {
        id: id.to_owned(),
        user: UserId::parse("einstein").unwrap(),
        since: at(0),
        password: String::new(),
        until: at(until),
        clients: BTreeMap::new(),
    }
}

#[tokio::test]
async fn everything_survives_a_restart() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("idp/sessions.redb");
    let store = Store::open(&path).unwrap();
    store.put_session(session("a", 100)).await.unwrap();
    store.put_session(session("b", 100)).await.unwrap();
    store
        .touch_session("a", |session| {
            session.clients.insert("web".to_owned(), Vec::new());
        })
        .unwrap();
    assert!(store.end_session("b").await.unwrap().is_some());
    store.put_grant(grant("g", 100)).await.unwrap();
    assert!(matches!(store.turn("g", 0, at(1), at(200)).await.unwrap(), Turn::Next(_)));
    let other = Store::open(&path).map(drop).unwrap_err();
    assert_eq!(other.kind(), ocis_core::ErrorKind::Unavailable, "{other}");
    drop(store);

    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let store = Store::open(&path).unwrap();
    assert!(store.session("a", at(1)).unwrap().clients.contains_key("web"));
    assert!(store.session("a", at(100)).is_none(), "ended");
    assert!(store.session("b", at(1)).is_none(), "was ended");
    let kept = store.grant("g", at(150)).unwrap();
    assert_eq!((kept.generation, kept.until), (1, at(200)));
    assert!(matches!(store.turn("g", 0, at(2), at(200)).await.unwrap(), Turn::Reused(_)));
    assert!(matches!(store.turn("g", 1, at(2), at(200)).await.unwrap(), Turn::Unknown));
    drop(store);
    assert!(
        Store::open(&path).unwrap().grant("g", at(2)).is_none(),
        "the family has ended for good"
    );
}

#[tokio::test]
async fn what_has_ended_is_swept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.redb");
    let store = Store::open(&path).unwrap();
    store.put_session(session("a", 10)).await.unwrap();
    store.put_grant(grant("g", 10)).await.unwrap();
    store.put_grant(grant("h", 30)).await.unwrap();
    let pending = Pending {
        grant: grant("p", 10),
        redirect_uri: String::new(),
        challenge: None,
        nonce: None,
        until: at(10),
    };
    store.put_pending(pending.clone(), at(0));
    store.sweep(at(20)).unwrap();
    {
        let memory = store.memory.lock();
        assert_eq!((memory.sessions.len(), memory.grants.len(), memory.pending.len()), (0, 1, 0));
    }
    drop(store);
    assert_eq!(Store::open(&path).unwrap().memory.lock().grants.len(), 1);
}

#[tokio::test]
async fn a_code_is_taken_once_and_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("sessions.redb")).unwrap();
    let pending = Pending {
        grant: grant("p", 10),
        redirect_uri: String::new(),
        challenge: None,
        nonce: None,
        until: at(10),
    };
    store.put_pending(pending.clone(), at(0));
    assert!(store.take_pending("p", at(5)).is_some());
    assert!(store.take_pending("p", at(5)).is_none());
    store.put_pending(pending, at(0));
    assert!(store.take_pending("p", at(10)).is_none());
}
