//! What changes tell of themselves: the right things, with the change or not at all.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test speaks by panicking")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ocis_core::cx::{Caller, Cx, Identity};
use ocis_core::event::{Event, EventKind};
use ocis_core::id::{ResourceId, SpaceId, StorageId, UserId};
use ocis_core::lock::LockScope;
use ocis_core::path::SpacePath;
use ocis_core::port::{
    Conditions, Copy, CreateFolder, CreateSpace, Delete, LockNode, Move, Nodes, OpenUpload,
    SetMetadata, Spaces, Touch, Unlock, Uploads,
};
use ocis_core::reference::Reference;
use ocis_core::time::{SystemClock, Timestamp};
use ocis_core::user::UserRole;
use ocis_storage::blob::{BlobStore, PosixBlobs};
use ocis_storage::data::DataPlane;
use ocis_storage::fs::{Fs, MemoryFs};
use ocis_storage::ticket::Tickets;
use ocis_storage::upload::StoreUploads;
use ocis_storage::{Driver, Options, Store};
use tower::ServiceExt as _;

fn einstein() -> Cx {
    let identity = Identity {
        id: UserId::parse("einstein").unwrap(),
        idp: "https://localhost:9200".into(),
        username: "einstein".into(),
        display_name: "Albert".into(),
        mail: String::new(),
        groups: Vec::new(),
        role: UserRole::User,
    };
    let now = Timestamp::from_unix(1_767_225_600, 0).unwrap();
    Cx { trace: "request-1".into(), ..Cx::new(Caller::User(Arc::new(identity)), now) }
}

fn storage() -> StorageId {
    StorageId::parse("storage").unwrap()
}

fn at(path: &str) -> Reference {
    let space = SpaceId::personal(&UserId::parse("einstein").unwrap());
    Reference::below(ResourceId::root(storage(), space), SpacePath::parse(path).unwrap())
}

/// Does one of everything.
async fn everything(store: &Arc<Store>) {
    let cx = &einstein();
    let tickets = Tickets::new(b"secret", &storage(), Duration::from_secs(86400 * 36500)).unwrap();
    let driver = Driver::new(Arc::clone(store), tickets.clone());
    let uploads = StoreUploads::new(Arc::clone(store), tickets.clone());
    let clock = Arc::new(SystemClock);
    let blobs = Arc::new(PosixBlobs::new(Arc::clone(store.fs()), store.root()));
    let data = DataPlane::new(Arc::clone(store), blobs, tickets, clock).service();
    let conditions = Conditions::default;
    let owner = UserId::parse("einstein").unwrap();
    driver.create(cx, CreateSpace::personal(owner, "Albert")).await.unwrap();
    let folder = CreateFolder { target: at("a"), conditions: conditions() };
    driver.create_folder(cx, folder).await.unwrap();
    driver.touch(cx, Touch { target: at("a/t"), conditions: conditions() }).await.unwrap();
    for content in ["one", "three"] {
        let length = Some(content.len() as u64);
        let (target, conditions) = (at("a/f"), conditions());
        let request = OpenUpload { target, length, mtime: None, checksum: None, conditions };
        let ticket = uploads.open(cx, request).await.unwrap().ticket;
        let request = http::Request::put("/").header(ocis_core::data::TICKET, ticket);
        let request = request.body(ocis_core::data::full(content.as_bytes().to_vec())).unwrap();
        assert!(data.clone().oneshot(request).await.unwrap().status().is_success());
    }
    let moved = Move { from: at("a/f"), to: at("a/g"), overwrite: false, conditions: conditions() };
    driver.rename(cx, moved).await.unwrap();
    let copied =
        Copy { from: at("a"), to: at("b"), overwrite: false, deep: true, conditions: conditions() };
    driver.copy(cx, copied).await.unwrap();
    let lock = LockNode {
        target: at("a/g"),
        scope: LockScope::Exclusive,
        deep: false,
        owner: None,
        app_name: String::new(),
        expires: None,
        create: false,
        conditions: conditions(),
    };
    let token = driver.lock(cx, lock).await.unwrap().lock.lock.token;
    driver.unlock(cx, Unlock { target: at("a/g"), token }).await.unwrap();
    for (set, unset) in [(Some("red,blue"), None), (Some("blue,new"), None), (None, Some("tags"))] {
        let request = SetMetadata {
            target: at("a/g"),
            set: set.map(|tags| ("tags".to_owned(), tags.to_owned())).into_iter().collect(),
            unset: unset.map(str::to_owned).into_iter().collect(),
            mtime: None,
            favorite: None,
            conditions: conditions(),
        };
        driver.set_metadata(cx, request).await.unwrap();
    }
    driver.delete(cx, Delete { target: at("a"), conditions: conditions() }).await.unwrap();
    driver.delete(cx, Delete { target: at("a"), conditions: conditions() }).await.unwrap_err();
}

/// What the journal holds of events.
fn told(fs: &dyn Fs) -> Vec<Event> {
    let folder = Path::new("/store/.ocis-rs/journal");
    let mut found = Vec::new();
    for entry in fs.read_dir(folder).unwrap() {
        let bytes = fs.read(&folder.join(entry.name)).unwrap();
        for start in 0..bytes.len() {
            if bytes[start..].starts_with(b"{\"id\":\"") {
                let mut texts = serde_json::Deserializer::from_slice(&bytes[start..]).into_iter();
                found.push(texts.next().unwrap().unwrap());
            }
        }
    }
    found
}

fn open(fs: &Arc<dyn Fs>, events: bool) -> Arc<Store> {
    let blobs: Arc<dyn BlobStore> = Arc::new(PosixBlobs::new(Arc::clone(fs), Path::new("/store")));
    let options = Options { events, ..Options::new(storage()) };
    Store::open(Arc::clone(fs), blobs, Path::new("/store"), options).unwrap()
}

fn in_short(event: &Event) -> String {
    let detail = match &event.kind {
        EventKind::ItemMoved { node, from, .. } => format!("{from} -> {}", node.path),
        EventKind::UploadReady { node, is_version, .. } => format!("{} {is_version}", node.path),
        EventKind::TagsAdded { node, tags } | EventKind::TagsRemoved { node, tags } => {
            format!("{} {}", node.path, tags.join(","))
        }
        EventKind::SpaceCreated { space, .. } => space.to_string(),
        EventKind::ContainerCreated { node }
        | EventKind::FileTouched { node }
        | EventKind::FileLocked { node }
        | EventKind::FileUnlocked { node }
        | EventKind::ItemTrashed { node } => node.path.to_string(),
        _ => String::new(),
    };
    format!("{} {detail}", event.kind.name())
}

#[tokio::test]
async fn every_change_tells_of_itself_in_the_order_of_the_changes() {
    let fs: Arc<dyn Fs> = Arc::new(MemoryFs::default());
    everything(&open(&fs, true)).await;
    let events = told(&*fs);
    let in_short: Vec<_> = events.iter().map(in_short).collect();
    assert_eq!(
        in_short,
        [
            "SpaceCreated storage$einstein!einstein",
            "ContainerCreated a",
            "FileTouched a/t",
            "UploadReady a/f false",
            "UploadReady a/f true",
            "ItemMoved a/f -> a/g",
            "ContainerCreated b",
            "UploadReady b/g false",
            "FileTouched b/t",
            "FileLocked a/g",
            "FileUnlocked a/g",
            "TagsAdded a/g blue,red",
            "TagsAdded a/g new",
            "TagsRemoved a/g red",
            "TagsRemoved a/g blue,new",
            "ItemTrashed a",
        ]
    );
    let who = Some(UserId::parse("einstein").unwrap());
    assert!(events.iter().all(|event| event.executant == who && event.trace == "request-1"));
}

#[tokio::test]
async fn a_store_whose_events_nobody_wants_does_not_collect_them() {
    let fs: Arc<dyn Fs> = Arc::new(MemoryFs::default());
    everything(&open(&fs, false)).await;
    assert_eq!(told(&*fs), []);
}
