//! Signing in against the embedded directory, put together as a server does.

#![allow(clippy::unwrap_used, reason = "a test that fails here says where")]

use std::sync::Arc;

use futures::future::join_all;
use ocis_auth::basic::{Basic, BasicOptions};
use ocis_auth::directory::{Bootstrap, Directory};
use ocis_auth::hash::{Cost, Hasher};
use ocis_core::id::UserId;
use ocis_core::port::{Authenticate as _, Credentials};
use ocis_core::time::Timestamp;
use ocis_core::{Caller, Cx, ErrorKind, Identity, Result};
use tempfile::TempDir;

struct Server {
    directory: Arc<Directory>,
    basic: Basic,
    _dir: TempDir,
}

fn now() -> Timestamp {
    Timestamp::from_unix(1_700_000_000, 0).unwrap()
}

fn server() -> Server {
    let dir = TempDir::new().unwrap();
    let hasher = Hasher::new(Cost { memory_kib: 16, passes: 1, lanes: 2 }, 2).unwrap();
    let bootstrap = Bootstrap {
        admin_id: UserId::parse("9181deb3-c90b-4ea4-b1f0-aab7043e920e").unwrap(),
        admin_password: "first".into(),
        create_demo_users: true,
        takes_over: None,
        now: now(),
    };
    let directory = Directory::open_with(dir.path(), hasher, bootstrap).unwrap();
    let options = BasicOptions::new("https://localhost:9200");
    let basic = Basic::new(Arc::clone(&directory) as _, options).unwrap();
    Server { directory, basic, _dir: dir }
}

async fn sign_in(server: &Server, username: &str, password: &str) -> Result<Arc<Identity>> {
    let credentials = Credentials::Basic {
        username: username.into(),
        password: password.into(),
        peer: "192.0.2.1".parse().ok(),
    };
    server.basic.authenticate(&Cx::new(Caller::Anonymous, now()), credentials).await
}

async fn refused(server: &Server, username: &str, password: &str) -> bool {
    sign_in(server, username, password).await.unwrap_err().kind() == ErrorKind::Unauthenticated
}

#[tokio::test]
async fn demo_users_sign_in_by_name_and_not_by_mail() {
    let server = server();
    for (name, password) in [("admin", "first"), ("Einstein", "relativity"), ("moss", "vista")] {
        let identity = sign_in(&server, name, password).await.unwrap();
        assert_eq!(identity.username, name.to_lowercase());
        assert!(!identity.groups.is_empty());
    }
    assert!(refused(&server, "einstein@example.org", "relativity").await);
}

#[tokio::test]
async fn a_changed_password_counts_at_once() {
    let server = server();
    sign_in(&server, "marie", "radioactivity").await.unwrap();
    server.directory.set_password("marie", "polonium").await.unwrap();
    assert!(refused(&server, "marie", "radioactivity").await);
    sign_in(&server, "marie", "polonium").await.unwrap();
}

#[tokio::test]
async fn a_disabled_account_is_out_at_once() {
    let server = server();
    sign_in(&server, "marie", "radioactivity").await.unwrap();
    server.directory.set_enabled("marie", false).await.unwrap();
    assert!(refused(&server, "marie", "radioactivity").await);
    server.directory.set_enabled("marie", true).await.unwrap();
    sign_in(&server, "marie", "radioactivity").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn many_clients_at_once() {
    let server = server();
    let all = join_all((0..200).map(|client| {
        let name = ["einstein", "EINSTEIN", "Einstein"][client % 3];
        sign_in(&server, name, "relativity")
    }))
    .await;
    assert!(all.iter().all(Result::is_ok));
}
