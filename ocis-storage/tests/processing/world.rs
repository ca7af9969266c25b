//! A store whose contents are processed by a step that does as it is told.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::TryStreamExt as _;
use http_body_util::BodyExt as _;
use ocis_core::cx::{Caller, Cx, Identity};
use ocis_core::data::{HttpService, TICKET, Written, empty, full};
use ocis_core::id::{ResourceId, SpaceId, StorageId, UserId};
use ocis_core::node::Node;
use ocis_core::path::SpacePath;
use ocis_core::port::{
    ActOnSession, Conditions, CreateFolder, CreateSpace, Delete, ListSessions, Move, Nodes,
    OpenRead, OpenUpload, SessionAction, Spaces, Stat, UploadSessions, Uploads,
};
use ocis_core::reference::Reference;
use ocis_core::space::SpaceKind;
use ocis_core::time::{Clock, Timestamp};
use ocis_core::upload::UploadSession;
use ocis_core::user::UserRole;
use ocis_core::{Error, Result};
use ocis_storage::blob::{BlobStore, PosixBlobs};
use ocis_storage::data::DataPlane;
use ocis_storage::fs::{Fs, MemoryFs};
use ocis_storage::session::StoreSessions;
use ocis_storage::session::step::{Done, Incoming, Processing, Step};
use ocis_storage::ticket::Tickets;
use ocis_storage::upload::StoreUploads;
use ocis_storage::{Driver, Options, Store};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tower::ServiceExt as _;

/// Does what it is told, one after the other; waits while it is told nothing.
#[derive(Debug)]
pub(crate) struct Told {
    name: &'static str,
    orders: Mutex<VecDeque<Result<Done>>>,
    more: Notify,
    /// What it saw: the contents.
    pub(crate) seen: Mutex<Vec<Vec<u8>>>,
}

impl Told {
    pub(crate) fn new(name: &'static str) -> Arc<Self> {
        let (orders, seen) = (Mutex::default(), Mutex::default());
        Arc::new(Self { name, orders, more: Notify::new(), seen })
    }

    pub(crate) fn order(&self, done: impl Into<Done>) {
        self.orders.lock().push_back(Ok(done.into()));
        self.more.notify_one();
    }

    pub(crate) fn fail(&self) {
        self.orders.lock().push_back(Err(Error::unavailable("not now")));
        self.more.notify_one();
    }
}

#[async_trait]
impl Step for Told {
    fn name(&self) -> &str {
        self.name
    }

    async fn run(&self, _: &Cx, content: &Incoming) -> Result<Done> {
        let bytes = content.read().try_collect::<Vec<_>>().await?.concat();
        self.seen.lock().push(bytes);
        loop {
            if let Some(order) = self.orders.lock().pop_front() {
                return order;
            }
            self.more.notified().await;
        }
    }
}

#[derive(Debug)]
pub(crate) struct Fixed(Timestamp);

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        self.0
    }
}

pub(crate) struct World {
    pub(crate) store: Arc<Store>,
    pub(crate) driver: Driver,
    pub(crate) sessions: StoreSessions,
    uploads: StoreUploads,
    data: HttpService,
    clock: Arc<Fixed>,
    pub(crate) disk: MemoryFs,
    pub(crate) cx: Cx,
    pub(crate) server: Cx,
}

pub(crate) fn at(path: &str) -> Reference {
    let storage = StorageId::parse("storage").unwrap();
    let space = SpaceId::parse("einstein").unwrap();
    Reference::below(ResourceId::root(storage, space), SpacePath::parse(path).unwrap())
}

impl World {
    /// Opens the store on `disk`.
    pub(crate) async fn open(disk: MemoryFs, steps: &[&Arc<Told>]) -> Self {
        let steps = steps.iter().map(|step| Arc::clone(step) as Arc<dyn Step>).collect();
        Self::with(disk, steps).await
    }

    /// The same with any steps.
    pub(crate) async fn with(disk: MemoryFs, steps: Vec<Arc<dyn Step>>) -> Self {
        let fs = Arc::new(disk.clone());
        Self::over(disk, fs, steps).await
    }

    /// The same where `disk` is used through `fs`.
    pub(crate) async fn over(disk: MemoryFs, fs: Arc<dyn Fs>, steps: Vec<Arc<dyn Step>>) -> Self {
        let (root, storage) = (Path::new("/store"), StorageId::parse("storage").unwrap());
        let blobs: Arc<dyn BlobStore> = Arc::new(PosixBlobs::new(Arc::clone(&fs), root));
        let processing = Processing { steps, backoff: Duration::ZERO, retries: 2 };
        let options = Options { processing, ..Options::new(storage.clone()) };
        let store = Store::open(fs, Arc::clone(&blobs), root, options).unwrap();
        let tickets = Tickets::new(b"secret", &storage, Duration::from_secs(3600)).unwrap();
        let driver = Driver::new(Arc::clone(&store), tickets.clone());
        let sessions = StoreSessions::new(Arc::clone(&store), tickets.clone());
        let uploads = StoreUploads::new(Arc::clone(&store), tickets.clone());
        let now = Timestamp::from_unix(1_767_225_600, 0).unwrap();
        let clock = Arc::new(Fixed(now));
        let plane = DataPlane::new(Arc::clone(&store), blobs, tickets, clock.clone());
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
        let cx = Cx::new(Caller::User(Arc::new(identity)), now);
        let server = Cx::new(Caller::Service("test".into()), now);
        let space = CreateSpace {
            owner: UserId::parse("einstein").ok(),
            ..CreateSpace::new(SpaceKind::Personal, "Einstein")
        };
        // It may be there already.
        let _ = driver.create(&cx, space).await;
        let data = plane.service();
        Self { store, driver, sessions, uploads, data, clock, disk, cx, server }
    }

    pub(crate) async fn new(steps: &[&Arc<Told>]) -> Self {
        Self::open(MemoryFs::default(), steps).await
    }

    pub(crate) async fn put(&self, path: &str, content: &[u8]) -> Result<Written> {
        let ticket = self.uploads.open(&self.cx, OpenUpload::new(at(path))).await?.ticket;
        let request = http::Request::put("/").header(TICKET, ticket);
        let answer = self.data.clone().oneshot(request.body(full(content.to_vec())).unwrap()).await;
        let answer = answer.unwrap();
        let is_ok = answer.status().is_success();
        let body = answer.into_body().collect().await?.to_bytes();
        match is_ok {
            true => Ok(serde_json::from_slice(&body).unwrap()),
            false => Err(serde_json::from_slice(&body).unwrap()),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Vec<u8>> {
        let ticket = self.driver.open_read(&self.cx, OpenRead { target: at(path) }).await?.ticket;
        let request = http::Request::get("/").header(TICKET, ticket).body(empty()).unwrap();
        let answer = self.data.clone().oneshot(request).await.unwrap();
        let is_ok = answer.status().is_success();
        let body = answer.into_body().collect().await?.to_bytes().to_vec();
        assert!(is_ok, "{}", String::from_utf8_lossy(&body));
        Ok(body)
    }

    pub(crate) async fn stat(&self, path: &str) -> Result<Node> {
        self.driver.stat(&self.cx, Stat { target: at(path) }).await
    }

    pub(crate) async fn mkdir(&self, path: &str) {
        let request = CreateFolder { target: at(path), conditions: Conditions::default() };
        self.driver.create_folder(&self.cx, request).await.unwrap();
    }

    pub(crate) async fn delete(&self, path: &str) {
        let request = Delete { target: at(path), conditions: Conditions::default() };
        self.driver.delete(&self.cx, request).await.unwrap();
    }

    pub(crate) async fn rename(&self, from: &str, to: &str) {
        let conditions = Conditions::default();
        let request = Move { from: at(from), to: at(to), overwrite: true, conditions };
        self.driver.rename(&self.cx, request).await.unwrap();
    }

    pub(crate) async fn list(&self) -> Vec<UploadSession> {
        self.sessions.list(&self.server, ListSessions::default()).await.unwrap().items
    }

    pub(crate) async fn act(&self, action: SessionAction) -> Result<UploadSession> {
        let id = self.list().await.pop().unwrap().id;
        self.sessions.act(&self.server, ActOnSession { id, action }).await
    }

    /// Lets processing go on until `is_done`.
    pub(crate) async fn until(&self, is_done: impl AsyncFn(&Self) -> bool) {
        let done = async {
            while !is_done(self).await {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            ended = self.sessions.run(self.clock.clone()) => panic!("processing ended: {ended:?}"),
            () = done => {}
        }
    }

    /// Lets processing go on until no session is left.
    pub(crate) async fn finish(&self) {
        self.until(async |world| world.list().await.is_empty()).await;
        self.assert_whole();
        let left = self.disk.read_dir(Path::new("/store/uploads")).unwrap();
        assert_eq!(left, [], "nothing is left behind");
    }

    pub(crate) fn assert_whole(&self) {
        assert_eq!(self.store.check().unwrap(), [""; 0]);
    }

    /// The number of versions on the disk, and of contents.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let (mut versions, mut blobs) = (0, 0);
        let mut folders = vec![Path::new("/store/spaces").to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in self.disk.read_dir(&folder).unwrap() {
                let path = folder.join(&entry.name);
                match entry.kind {
                    ocis_storage::fs::Kind::Folder => folders.push(path),
                    ocis_storage::fs::Kind::File => {
                        versions += usize::from(
                            entry.name.contains(".REV.") && !entry.name.ends_with(".mpk"),
                        );
                        blobs += usize::from(path.to_string_lossy().contains("/blobs/"));
                    }
                    ocis_storage::fs::Kind::Symlink => {}
                }
            }
        }
        (versions, blobs)
    }
}
