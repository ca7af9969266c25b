//! The embedded directory and basic authentication keep the promises of their ports.
#![allow(clippy::unwrap_used, reason = "in a test, what must not happen ends it")]

use std::sync::Arc;

use ocis_auth::basic::{Basic, BasicOptions};
use ocis_auth::directory::{Bootstrap, Directory, Editor};
use ocis_auth::hash::{Cost, Hasher};
use ocis_core::conformance;
use ocis_core::id::UserId;
use ocis_core::time::Timestamp;

fn directory(folder: &tempfile::TempDir) -> Arc<Directory> {
    let hasher = Hasher::new(Cost { memory_kib: 16, passes: 1, lanes: 2 }, 2).unwrap();
    let bootstrap = Bootstrap {
        admin_id: UserId::random(),
        admin_password: "first".into(),
        create_demo_users: true,
        takes_over: None,
        now: Timestamp::from_unix(1_767_225_600, 0).unwrap(),
    };
    Directory::open_with(&folder.path().join("idm"), hasher, bootstrap).unwrap()
}

#[tokio::test]
async fn accounts_and_groups() {
    let folder = tempfile::tempdir().unwrap();
    let directory = directory(&folder);
    conformance::users(&*directory).await;
    conformance::groups(&*directory, &*directory).await;
}

#[tokio::test]
async fn credentials() {
    let folder = tempfile::tempdir().unwrap();
    let basic =
        Basic::new(directory(&folder), BasicOptions::new("https://localhost:9200")).unwrap();
    conformance::authenticate(&basic, "einstein", "relativity").await;
}

#[tokio::test]
async fn changes() {
    let folder = tempfile::tempdir().unwrap();
    let directory = directory(&folder);
    let basic =
        Basic::new(Arc::clone(&directory) as _, BasicOptions::new("https://localhost:9200"))
            .unwrap();
    let editor = Editor::new(Arc::clone(&directory));
    let subject = conformance::Accounts {
        users: &*directory,
        groups: &*directory,
        provisioning: &editor,
        authenticate: &basic,
    };
    conformance::provisioning(subject).await;
    conformance::users(&*directory).await;
    conformance::groups(&*directory, &*directory).await;
}

#[tokio::test]
async fn what_is_not_to_be_changed() {
    let folder = tempfile::tempdir().unwrap();
    let directory = directory(&folder);
    conformance::read_only(&*directory, &*directory, &ocis_auth::read_only::ReadOnly).await;
}
