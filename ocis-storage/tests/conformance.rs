//! The engine keeps the promises of the ports.
#![allow(clippy::unwrap_used, reason = "in a test, what must not happen ends it")]

use std::sync::Arc;
use std::time::Duration;

use ocis_core::conformance::{self, Subject};
use ocis_core::id::StorageId;
use ocis_core::time::SystemClock;
use ocis_storage::blob::PosixBlobs;
use ocis_storage::data::DataPlane;
use ocis_storage::fs::{Fs, RealFs};
use ocis_storage::session::StoreSessions;
use ocis_storage::ticket::Tickets;
use ocis_storage::upload::StoreUploads;
use ocis_storage::{Documents, Driver, Options, Store};

/// The suites live in a time of their own.
const AGES: Duration = Duration::from_secs(86400 * 36500);

fn tickets() -> Tickets {
    Tickets::new(b"secret", &StorageId::parse("storage").unwrap(), AGES).unwrap()
}

fn driver(store: &Arc<Store>) -> Driver {
    Driver::new(Arc::clone(store), tickets())
}

fn subject(root: &std::path::Path) -> (Subject, Arc<Store>) {
    let (subject, store, ..) = with_grants(root);
    (subject, store)
}

fn with_grants(root: &std::path::Path) -> (Subject, Arc<Store>, Arc<Driver>) {
    let fs: Arc<dyn Fs> = Arc::new(RealFs);
    let storage = StorageId::parse("storage").unwrap();
    let blobs: Arc<dyn ocis_storage::blob::BlobStore> =
        Arc::new(PosixBlobs::new(Arc::clone(&fs), root));
    let options = Options { upload_expiration: AGES, ..Options::new(storage) };
    let store = Store::open(fs, Arc::clone(&blobs), root, options).unwrap();
    let tickets = tickets();
    let driver = Arc::new(driver(&store));
    let uploads = Arc::new(StoreUploads::new(Arc::clone(&store), tickets.clone()));
    let data = DataPlane::new(Arc::clone(&store), blobs, tickets, Arc::new(SystemClock)).service();
    (Subject { nodes: driver.clone(), spaces: driver.clone(), uploads, data }, store, driver)
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes() {
    let folder = tempfile::tempdir().unwrap();
    conformance::nodes(&subject(folder.path()).0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scopes() {
    let folder = tempfile::tempdir().unwrap();
    conformance::scopes(&subject(folder.path()).0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn locks() {
    let folder = tempfile::tempdir().unwrap();
    conformance::locks(&subject(folder.path()).0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn spaces() {
    let folder = tempfile::tempdir().unwrap();
    let (subject, store, grants) = with_grants(folder.path());
    conformance::spaces(&subject, &*grants).await;
    assert_eq!(store.check().unwrap(), [""; 0]);
    let purged = folder.path().join(".ocis-rs/purged");
    assert_eq!(std::fs::read_dir(purged).unwrap().count(), 0, "nothing is left of purged spaces");
}

#[tokio::test(flavor = "multi_thread")]
async fn grants() {
    let folder = tempfile::tempdir().unwrap();
    let (subject, store, grants) = with_grants(folder.path());
    conformance::grants(&subject, &*grants).await;
    assert_eq!(store.check().unwrap(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions() {
    let folder = tempfile::tempdir().unwrap();
    let (subject, store) = subject(folder.path());
    let sessions = StoreSessions::new(Arc::clone(&store), tickets());
    conformance::sessions(&subject, &sessions).await;
    assert_eq!(store.check().unwrap(), [""; 0]);
    let left = std::fs::read_dir(folder.path().join("uploads")).unwrap();
    assert_eq!(left.count(), 0, "nothing is left of uploads that are over");
}

#[tokio::test(flavor = "multi_thread")]
async fn across() {
    let folder = tempfile::tempdir().unwrap();
    let (subject, store, grants) = with_grants(folder.path());
    conformance::across(&subject, &*grants).await;
    assert_eq!(store.check().unwrap(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn trash() {
    let folder = tempfile::tempdir().unwrap();
    let (subject, store) = subject(folder.path());
    conformance::trash(&subject, &driver(&store)).await;
    assert_eq!(store.check().unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn versions() {
    let folder = tempfile::tempdir().unwrap();
    let (subject, store) = subject(folder.path());
    conformance::versions(&subject, &driver(&store)).await;
    assert_eq!(store.check().unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn documents() {
    let folder = tempfile::tempdir().unwrap();
    let fs: Arc<dyn Fs> = Arc::new(RealFs);
    let blobs = Arc::new(PosixBlobs::new(Arc::clone(&fs), folder.path()));
    let storage = StorageId::parse("storage-system").unwrap();
    let options = Options { versioning: false, ..Options::new(storage) };
    let store = Store::open(fs, blobs, folder.path(), options).unwrap();
    let owner = "ddb0602e-5f6f-4e89-8edb-ad873667cd6c".parse().unwrap();
    conformance::documents(&Documents::new(Arc::clone(&store), owner)).await;
    assert_eq!(store.check().unwrap(), [""; 0], "no blob, version or trash is left over");
    let trash = folder.path().join("spaces/f1/bdd61a-da7c-49fc-8203-0558109d1b4f/trash");
    let left = walk(&trash);
    assert!(left.is_empty(), "{left:?}");
}

/// All files and links below a folder.
fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let entries = entries.map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_symlink() || !path.is_dir() {
            true => vec![path],
            false => walk(&path),
        })
        .collect()
}
