//! A store on a real disk, and the short ways to it.

use std::sync::Arc;
use std::time::Duration;

use ocis_core::checksum::Checksums;
use ocis_core::cx::{Caller, Cx, Identity};
use ocis_core::id::{ResourceId, SpaceId, StorageId, UserId};
use ocis_core::node::Node;
use ocis_core::path::SpacePath;
use ocis_core::port::{
    Conditions, CreateFolder, CreateSpace, Delete, ListTrash, Nodes, OpenUpload, PageRequest,
    Spaces, Stat, Trash,
};
use ocis_core::reference::Reference;
use ocis_core::scope::Scope;
use ocis_core::time::Timestamp;
use ocis_core::user::UserRole;
use ocis_storage::blob::PosixBlobs;
use ocis_storage::fs::Fs;
use ocis_storage::store::{CommitUpload, Content};
use ocis_storage::ticket::Tickets;
use ocis_storage::{Driver, Options, Store};

pub(crate) fn einstein() -> UserId {
    UserId::parse("einstein").unwrap()
}

pub(crate) fn cx(seconds: i64) -> Cx {
    let identity = Identity {
        id: einstein(),
        idp: "https://localhost:9200".into(),
        username: "einstein".into(),
        display_name: "Albert Einstein".into(),
        mail: "einstein@example.org".into(),
        groups: Vec::new(),
        role: UserRole::User,
        scope: Scope::Everything,
    };
    Cx::new(Caller::User(Arc::new(identity)), Timestamp::from_unix(seconds, 0).unwrap())
}

pub(crate) fn at(path: &str) -> Reference {
    let storage = StorageId::parse("storage").unwrap();
    let root = ResourceId::root(storage, SpaceId::personal(&einstein()));
    Reference::below(root, SpacePath::parse(path).unwrap())
}

pub(crate) fn open(fs: &Arc<dyn Fs>, root: &std::path::Path) -> (Arc<Store>, Driver) {
    let storage = StorageId::parse("storage").unwrap();
    let blobs = Arc::new(PosixBlobs::new(Arc::clone(fs), root));
    let store = Store::open(Arc::clone(fs), blobs, root, Options::new(storage.clone())).unwrap();
    let tickets = Tickets::new(b"secret", &storage, Duration::from_secs(600)).unwrap();
    let driver = Driver::new(Arc::clone(&store), tickets);
    (store, driver)
}

pub(crate) async fn put(store: &Arc<Store>, path: &str) {
    let conditions = Conditions::default();
    let request = OpenUpload {
        target: at(path),
        length: Some(4),
        mtime: None,
        checksum: None,
        conditions: conditions.clone(),
    };
    let prepared = store.prepare_upload(&cx(100), &request).await.unwrap();
    let upload = CommitUpload {
        prepared,
        conditions,
        mtime: None,
        size: 4,
        checksums: Checksums { sha1: [0; 20], md5: [0; 16], adler32: [0; 4] },
        content: Content::Inline("four".into()),
    };
    store.commit_upload(&cx(100), upload).await.unwrap();
}

/// Opens a store in which einstein has a space.
pub(crate) async fn begin(fs: &Arc<dyn Fs>, root: &std::path::Path) -> (Arc<Store>, Driver) {
    let (store, driver) = open(fs, root);
    driver.create(&cx(1), CreateSpace::personal(einstein(), "einstein")).await.unwrap();
    (store, driver)
}

pub(crate) async fn mkdir(driver: &Driver, path: &str) {
    let request = CreateFolder { target: at(path), conditions: Conditions::default() };
    driver.create_folder(&cx(100), request).await.unwrap();
}

pub(crate) async fn stat(driver: &Driver, path: &str) -> Node {
    driver.stat(&cx(9_000_000), Stat { target: at(path) }).await.unwrap()
}

/// Makes so many files and deletes each, at the second of its number.
pub(crate) async fn deleted(store: &Arc<Store>, driver: &Driver, count: usize) {
    const AT_ONCE: usize = 16;
    let worker = |first: usize| async move {
        for number in (first..count).step_by(AT_ONCE) {
            let path = format!("f{number}");
            put(store, &path).await;
            let request = Delete { target: at(&path), conditions: Conditions::default() };
            driver.delete(&cx(1000 + number as i64), request).await.unwrap();
        }
    };
    futures::future::join_all((0..AT_ONCE).map(worker)).await;
}

/// How much is in the trash.
pub(crate) async fn listed(driver: &Driver) -> usize {
    let page = PageRequest { cursor: None, limit: 10_000 };
    let request = ListTrash { space: at("").base, key: None, page };
    Trash::list(driver, &cx(9_000_000), request).await.unwrap().items.len()
}
