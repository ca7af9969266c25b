//! What operations cost in calls to the file system: what must not grow with the size of a folder
//! does not, and what is in memory is not read.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "in a test, what must not happen ends it"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ocis_core::cx::{Caller, Cx, Identity};
use ocis_core::data::{HttpService, TICKET, full};
use ocis_core::id::{ResourceId, SpaceId, StorageId, UserId};
use ocis_core::path::SpacePath;
use ocis_core::port::{
    Conditions, CreateFolder, CreateSpace, List, Nodes, OpenUpload, PageRequest, Spaces, Touch,
    Uploads,
};
use ocis_core::reference::Reference;
use ocis_core::space::SpaceKind;
use ocis_core::time::{SystemClock, Timestamp};
use ocis_core::user::UserRole;
use ocis_storage::blob::{BlobStore, PosixBlobs};
use ocis_storage::data::DataPlane;
use ocis_storage::fs::{FaultyFs, Fs, MemoryFs};
use ocis_storage::ticket::Tickets;
use ocis_storage::upload::StoreUploads;
use ocis_storage::{Driver, Options, Store};
use tower::ServiceExt as _;

const MANY: usize = 10_000;
const DEPTH: usize = 20;

struct World {
    fs: FaultyFs,
    store: Arc<Store>,
    driver: Driver,
    uploads: StoreUploads,
    data: HttpService,
    cx: Cx,
}

impl World {
    async fn new() -> Self {
        let fs = FaultyFs::new(Arc::new(MemoryFs::default()));
        let world = Self::open(fs, 200_000);
        let create = CreateSpace {
            kind: SpaceKind::Personal,
            name: "Einstein".into(),
            owner: Some(UserId::parse("einstein").unwrap()),
            alias: None,
            quota: None,
            description: String::new(),
            id: None,
        };
        world.driver.create(&world.cx, create).await.unwrap();
        world
    }

    fn open(counted: FaultyFs, cached_nodes: usize) -> Self {
        let fs: Arc<dyn Fs> = Arc::new(counted.clone());
        let (root, storage) = (Path::new("/store"), StorageId::parse("storage").unwrap());
        let blobs: Arc<dyn BlobStore> = Arc::new(PosixBlobs::new(Arc::clone(&fs), root));
        let options = Options { cached_nodes, ..Options::new(storage.clone()) };
        let store = Store::open(fs, Arc::clone(&blobs), root, options).unwrap();
        let tickets =
            Tickets::new(b"secret", &storage, Duration::from_secs(86400 * 36500)).unwrap();
        let identity = Identity {
            id: UserId::parse("einstein").unwrap(),
            idp: "https://localhost:9200".into(),
            username: "einstein".into(),
            display_name: "Einstein".into(),
            mail: String::new(),
            groups: Vec::new(),
            role: UserRole::User,
            scope: ocis_core::scope::Scope::Everything,
        };
        let now = Timestamp::from_unix(1_767_225_600, 0).unwrap();
        Self {
            fs: counted,
            driver: Driver::new(Arc::clone(&store), tickets.clone()),
            uploads: StoreUploads::new(Arc::clone(&store), tickets.clone()),
            data: DataPlane::new(Arc::clone(&store), blobs, tickets, Arc::new(SystemClock))
                .service(),
            store,
            cx: Cx::new(Caller::User(Arc::new(identity)), now),
        }
    }

    fn at(path: &str) -> Reference {
        let space = SpaceId::personal(&UserId::parse("einstein").unwrap());
        let home = ResourceId::root(StorageId::parse("storage").unwrap(), space);
        Reference::below(home, SpacePath::parse(path).unwrap())
    }

    async fn folder(&self, path: &str) {
        let create = CreateFolder { target: Self::at(path), conditions: Conditions::default() };
        self.driver.create_folder(&self.cx, create).await.unwrap();
    }

    /// Makes empty files, many at once.
    async fn fill(&self, folder: &str, count: usize) {
        let touch = |number| {
            let target = Self::at(&format!("{folder}/{number}"));
            self.driver.touch(&self.cx, Touch { target, conditions: Conditions::default() })
        };
        for result in futures::future::join_all((0..count).map(touch)).await {
            result.unwrap();
        }
    }

    async fn put(&self, path: &str) {
        let upload = OpenUpload::new(Self::at(path));
        let ticket = self.uploads.open(&self.cx, upload).await.unwrap().ticket;
        let request = http::Request::put("/").header(TICKET, ticket).body(full("text")).unwrap();
        assert!(self.data.clone().oneshot(request).await.unwrap().status().is_success());
    }

    async fn list(&self, path: &str) -> usize {
        let page = PageRequest { cursor: None, limit: MANY as u32 };
        let list = List { target: Self::at(path), page };
        Nodes::list(&self.driver, &self.cx, list).await.unwrap().items.len()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_in_memory_reads_nothing() {
    let world = World::new().await;
    world.folder("folder").await;
    world.fill("folder", MANY).await;
    // Change times of folders are written a moment after a change.
    world.store.close().unwrap();
    let world = World::open(world.fs.clone(), 200_000);
    assert_eq!(world.list("folder").await, MANY);
    let before = world.fs.calls();
    assert_eq!(world.list("folder").await, MANY);
    assert_eq!(world.fs.calls(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_bounded_when_nothing_is_changed() {
    let world = World::new().await;
    world.folder("folder").await;
    world.fill("folder", 300).await;
    world.store.close().unwrap();
    for (cached, is_kept) in [(1000, true), (100, false)] {
        let world = World::open(world.fs.clone(), cached);
        // More than there is room for is still listed whole.
        assert_eq!(world.list("folder").await, 300);
        let before = world.fs.calls();
        assert_eq!(world.list("folder").await, 300);
        assert_eq!(world.fs.calls() == before, is_kept, "{cached}");
        world.store.close().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deep_change_costs_the_same_beside_many_siblings() {
    let world = World::new().await;
    let mut costs = Vec::new();
    for (name, siblings) in [("few", 10), ("many", MANY)] {
        let mut path = name.to_owned();
        world.folder(&path).await;
        while path.split('/').count() < DEPTH - 1 {
            path.push_str("/folder");
            world.folder(&path).await;
        }
        world.fill(&path, siblings).await;
        let mut cost = Vec::new();
        for number in 0..5 {
            let before = world.fs.calls();
            world.put(&format!("{path}/new {number}")).await;
            cost.push(world.fs.calls() - before);
        }
        // The others may hold a new folder, or change times that were written meanwhile.
        costs.push(cost.into_iter().min());
    }
    assert_eq!(costs[0], costs[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_root_is_written_once_a_second_at_most() {
    let world = World::new().await;
    world.folder("folder").await;
    world.fs.start_trace();
    let start = Instant::now();
    world.fill("folder", 1000).await;
    let seconds = start.elapsed().as_secs() as usize;
    let is_root = |call: &&String| call.contains(" rename ") && call.contains("/ei/ns/te/in.mpk");
    let written = world.fs.trace().iter().filter(is_root).count();
    assert!(written <= seconds + 1, "{written} times in {seconds} s");
}

#[tokio::test(flavor = "multi_thread")]
async fn new_files_share_folders() {
    let world = World::new().await;
    world.fs.start_trace();
    world.fill("", 500).await;
    let made = world.fs.trace().iter().filter(|call| call.contains(" mkdir ")).count();
    assert!(made < 50, "{made} folders");
}
