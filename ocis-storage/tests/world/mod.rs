//! What the tests of the store have in common: one on a disk in memory, with all its ports, and the
//! short ways to change it and to look at it. Each test adds what it alone needs.
#![allow(dead_code, clippy::unwrap_used, reason = "no test uses all of it; it speaks by panicking")]

pub(crate) mod mode;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::TryStreamExt as _;
use http_body_util::BodyExt as _;
use ocis_core::cx::{Caller, Cx, Identity};
use ocis_core::data::{Body, HttpService, TICKET, full};
use ocis_core::id::{ResourceId, SpaceId, StorageId, UserId};
use ocis_core::node::Node;
use ocis_core::path::SpacePath;
use ocis_core::port::{
    Conditions, Copy, CreateFolder, CreateSession, CreateSpace, Delete, DisableSpace, List,
    ListTrash, ListVersions, Move, Nodes, OpenRead, OpenUpload, PageRequest, PurgeRule, PurgeSpace,
    PurgeTrash, PurgeVersions, RestoreTrash, RestoreVersion, Spaces, Stat, Trash, UploadSessions,
    Uploads, Versions,
};
use ocis_core::reference::Reference;
use ocis_core::space::SpaceKind;
use ocis_core::time::{Clock, Timestamp};
use ocis_core::trash::{Collision, TrashItem};
use ocis_core::user::UserRole;
use ocis_core::version::Version;
use ocis_core::{Error, Result};
use ocis_storage::blob::faulty::FaultyObjects;
use ocis_storage::blob::{BlobStore, Cut, ObjectBlobs, PosixBlobs};
use ocis_storage::data::DataPlane;
use ocis_storage::fs::Fs;
use ocis_storage::session::{Append, StoreSessions};
use ocis_storage::ticket::Tickets;
use ocis_storage::upload::StoreUploads;
use ocis_storage::{Driver, Options, Store};
use tower::ServiceExt as _;

/// Where the store is.
pub(crate) const ROOT: &str = "/store";

/// Whose space [`at`] means.
pub(crate) const USER: &str = "einstein";

pub(crate) fn storage() -> StorageId {
    StorageId::parse("storage").unwrap()
}

/// The time of all requests.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_unix(1_767_225_600, 0).unwrap()
}

/// A clock that stands still, so that versions and tags of one time have to be told apart.
#[derive(Debug)]
pub(crate) struct Fixed(pub(crate) Timestamp);

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// A request of a user.
pub(crate) fn person(name: &str) -> Cx {
    let identity = Identity {
        id: UserId::parse(name).unwrap(),
        idp: "https://localhost:9200".into(),
        username: name.into(),
        display_name: name.into(),
        mail: format!("{name}@example.org"),
        groups: Vec::new(),
        role: UserRole::User,
        scope: ocis_core::scope::Scope::Everything,
    };
    Cx::new(Caller::User(Arc::new(identity)), now())
}

/// A request of the server itself.
pub(crate) fn server() -> Cx {
    Cx::new(Caller::Service("test".into()), now())
}

/// A place in [`USER`]'s own space; in another one after its id and a colon: `project:folder/file`.
pub(crate) fn at(path: &str) -> Reference {
    let (space, path) = path.split_once(':').unwrap_or((USER, path));
    let root = ResourceId::root(storage(), SpaceId::parse(space).unwrap());
    Reference::below(root, SpacePath::parse(path).unwrap())
}

/// Many more cases than there is time for at every change.
pub(crate) fn is_long() -> bool {
    std::env::var_os("OCIS_TEST_LONG").is_some()
}

pub(crate) fn runtime(threads: usize) -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(threads).enable_all().build().unwrap()
}

/// A runtime whose tasks take turns in the same order every time.
pub(crate) fn single() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Waits for what is done in the background, but not for ever.
pub(crate) fn wait_for(is_done: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_done() && start.elapsed() < Duration::from_secs(60) {
        std::thread::yield_now();
    }
}

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) store: Arc<Store>,
    pub(crate) blobs: Arc<dyn BlobStore>,
    pub(crate) driver: Driver,
    pub(crate) uploads: StoreUploads,
    pub(crate) sessions: StoreSessions,
    pub(crate) data: HttpService,
    /// Who makes the changes: [`USER`], unless it is said ([`Self::by`]).
    pub(crate) cx: Cx,
}

/// Where contents are sent, at a time.
fn plane(
    store: &Arc<Store>,
    blobs: &Arc<dyn BlobStore>,
    tickets: Tickets,
    now: Timestamp,
) -> HttpService {
    let clock = Arc::new(Fixed(now));
    DataPlane::new(Arc::clone(store), Arc::clone(blobs), tickets, clock).service()
}

impl World {
    /// Opens a store whose contents are beside its metadata.
    pub(crate) fn open(fs: Arc<dyn Fs>, options: Options) -> Result<Self> {
        let blobs = Arc::new(PosixBlobs::new(Arc::clone(&fs), ROOT));
        Self::over(fs, blobs, options)
    }

    /// Opens a store whose contents are in a bucket, which is asked on `runtime`.
    pub(crate) fn in_bucket(
        fs: Arc<dyn Fs>,
        objects: &FaultyObjects,
        cut: Cut,
        runtime: &tokio::runtime::Runtime,
        options: Options,
    ) -> Result<Self> {
        let (objects, handle) = (Arc::new(objects.clone()), runtime.handle().clone());
        let place = (Arc::clone(&fs), Path::new(ROOT));
        let blobs = Arc::new(ObjectBlobs::new("the bucket", objects, cut, place, handle));
        Self::over(fs, blobs, options)
    }

    /// Opens a store in any folder whose contents are beside its metadata.
    pub(crate) fn in_folder(fs: Arc<dyn Fs>, root: &Path, options: Options) -> Result<Self> {
        let blobs = Arc::new(PosixBlobs::new(Arc::clone(&fs), root));
        Self::at(root, fs, blobs, options)
    }

    /// Opens a store whose contents are in `blobs`.
    pub(crate) fn over(
        fs: Arc<dyn Fs>,
        blobs: Arc<dyn BlobStore>,
        options: Options,
    ) -> Result<Self> {
        Self::at(Path::new(ROOT), fs, blobs, options)
    }

    /// Opens a store elsewhere.
    pub(crate) fn at(
        root: &Path,
        fs: Arc<dyn Fs>,
        blobs: Arc<dyn BlobStore>,
        options: Options,
    ) -> Result<Self> {
        let store = Store::open(fs, Arc::clone(&blobs), root, options)?;
        // What its service does in the background.
        store.finish_purges()?;
        Ok(Self::of(store, blobs))
    }

    /// The ports of an open store.
    pub(crate) fn of(store: Arc<Store>, blobs: Arc<dyn BlobStore>) -> Self {
        let cx = person(USER);
        let tickets = Tickets::new(b"secret", &storage(), Duration::from_secs(3600)).unwrap();
        Self {
            driver: Driver::new(Arc::clone(&store), tickets.clone()),
            uploads: StoreUploads::new(Arc::clone(&store), tickets.clone()),
            sessions: StoreSessions::new(Arc::clone(&store), tickets.clone()),
            data: plane(&store, &blobs, tickets, cx.now),
            blobs,
            store,
            cx,
        }
    }

    /// The same store, used by somebody else.
    pub(crate) fn by(&self, cx: Cx) -> Self {
        Self { cx, ..self.clone() }
    }

    /// The same, so many seconds after 1970.
    pub(crate) fn at_second(&self, seconds: i64) -> Self {
        let now = Timestamp::from_unix(seconds, 0).unwrap();
        // Tickets are good for a while from now on.
        let age = Duration::from_secs(86400 * 36500);
        let tickets = Tickets::new(b"secret", &storage(), age).unwrap();
        let uploads = StoreUploads::new(Arc::clone(&self.store), tickets.clone());
        let data = plane(&self.store, &self.blobs, tickets, now);
        Self { uploads, data, ..self.by(Cx { now, ..self.cx.clone() }) }
    }

    /// Makes the personal space of somebody.
    pub(crate) async fn home(&self, name: &str) -> Result<()> {
        let request = CreateSpace::personal(UserId::parse(name).unwrap(), name);
        let cx = Cx { now: self.cx.now, ..person(name) };
        self.driver.create(&cx, request).await.map(drop)
    }

    /// Makes a project space of [`USER`], whose id is its name.
    pub(crate) async fn project(&self, name: &str) -> Result<()> {
        let request = CreateSpace {
            id: SpaceId::parse(name).ok(),
            owner: UserId::parse(USER).ok(),
            ..CreateSpace::new(SpaceKind::Project, name)
        };
        self.driver.create(&server(), request).await.map(drop)
    }

    /// Puts the personal space of [`USER`] out of use, and removes it for ever.
    pub(crate) async fn purge_home(&self) -> Result<()> {
        let space = at("").base;
        self.driver.disable(&server(), DisableSpace { space: space.clone() }).await?;
        Spaces::purge(&self.driver, &server(), PurgeSpace { space }).await
    }

    pub(crate) async fn mkdir(&self, path: &str) -> Result<()> {
        let request = CreateFolder { target: at(path), conditions: Conditions::default() };
        self.driver.create_folder(&self.cx, request).await.map(drop)
    }

    /// Writes a whole content, as a client does: in a simple upload.
    pub(crate) async fn put(&self, path: &str, content: &[u8]) -> Result<()> {
        self.put_at(at(path), content).await
    }

    pub(crate) async fn put_at(&self, target: Reference, content: &[u8]) -> Result<()> {
        self.push(self.ticket(target, content).await?, content).await
    }

    /// The right to write a content.
    pub(crate) async fn ticket(&self, target: Reference, content: &[u8]) -> Result<String> {
        let request = OpenUpload { length: Some(content.len() as u64), ..OpenUpload::new(target) };
        Ok(self.uploads.open(&self.cx, request).await?.ticket)
    }

    /// Writes what a ticket stands for.
    pub(crate) async fn push(&self, ticket: String, content: &[u8]) -> Result<()> {
        self.push_body(ticket, full(content.to_vec())).await
    }

    /// Writes a content of `length` bytes that comes as `body` gives it.
    pub(crate) async fn put_body(&self, path: &str, length: usize, body: Body) -> Result<()> {
        let length = Some(length as u64);
        let request = OpenUpload { length, ..OpenUpload::new(at(path)) };
        let ticket = self.uploads.open(&self.cx, request).await?.ticket;
        self.push_body(ticket, body).await
    }

    async fn push_body(&self, ticket: String, body: Body) -> Result<()> {
        let request = http::Request::put("/data").header(TICKET, ticket);
        self.send(request.body(body).unwrap()).await.map(drop)
    }

    /// Writes a whole content in a session, in two pieces.
    pub(crate) async fn put_in_pieces(&self, target: Reference, content: &[u8]) -> Result<()> {
        let upload = OpenUpload { length: Some(content.len() as u64), ..OpenUpload::new(target) };
        let request = CreateSession { upload, metadata: Vec::new() };
        let id = self.sessions.create(&self.cx, request).await?.session.id;
        let (one, other) = content.split_at(content.len() / 2);
        for (offset, piece) in [(0, one), (one.len() as u64, other)] {
            let body = full(piece.to_vec());
            let append = Append { offset, announced: None, checksum: None, body };
            self.sessions.append(&id, append, self.cx.now).await?;
        }
        Ok(())
    }

    /// A node by its id, as [`USER`] finds it.
    pub(crate) async fn by_id(&self, path: &str) -> Result<Reference> {
        let node = self.by(person(USER)).stat(path).await?;
        Ok(Reference::node(node.info.id.clone()))
    }

    /// What a file holds.
    pub(crate) async fn content(&self, target: Reference) -> Result<Vec<u8>> {
        let read = Nodes::open_read(&self.driver, &self.cx, OpenRead { target }).await?;
        self.fetch(read.ticket).await
    }

    /// Reads what a ticket stands for.
    pub(crate) async fn fetch(&self, ticket: String) -> Result<Vec<u8>> {
        let request = http::Request::get("/data").header(TICKET, ticket);
        self.send(request.body(ocis_core::data::empty()).unwrap()).await
    }

    pub(crate) async fn send(&self, request: http::Request<Body>) -> Result<Vec<u8>> {
        let answer = self.data.clone().oneshot(request).await.unwrap();
        let is_done = answer.status().is_success();
        let body = answer.into_body().collect().await?.to_bytes();
        match is_done {
            true => Ok(body.to_vec()),
            false => Err(serde_json::from_slice::<Error>(&body).unwrap()),
        }
    }

    pub(crate) async fn copy(&self, from: &str, to: &str) -> Result<()> {
        let (from, to, conditions) = (at(from), at(to), Conditions::default());
        let request = Copy { from, to, overwrite: true, deep: true, conditions };
        self.driver.copy(&self.cx, request).await.map(drop)
    }

    pub(crate) async fn rename(&self, from: &str, to: &str) -> Result<()> {
        let (from, to, conditions) = (at(from), at(to), Conditions::default());
        let request = Move { from, to, overwrite: true, conditions };
        self.driver.rename(&self.cx, request).await.map(drop)
    }

    pub(crate) async fn stat(&self, path: &str) -> Result<Node> {
        self.driver.stat(&self.cx, Stat { target: at(path) }).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<()> {
        let request = Delete { target: at(path), conditions: Conditions::default() };
        self.driver.delete(&self.cx, request).await
    }

    pub(crate) async fn versions(&self, path: &str) -> Result<Vec<Version>> {
        let request = ListVersions { target: at(path), page: PageRequest::default() };
        Ok(Versions::list(&self.driver, &self.cx, request).await?.items)
    }

    pub(crate) async fn restore_version(&self, path: &str, key: String) -> Result<()> {
        let request = RestoreVersion { target: at(path), key, conditions: Conditions::default() };
        Versions::restore(&self.driver, &self.cx, request).await.map(drop)
    }

    pub(crate) async fn purge_versions(&self, path: &str) -> Result<()> {
        self.purge_versions_by(path, PurgeRule::All).await
    }

    pub(crate) async fn purge_version(&self, path: &str, key: String) -> Result<()> {
        self.purge_versions_by(path, PurgeRule::Key(key)).await
    }

    async fn purge_versions_by(&self, path: &str, rule: PurgeRule) -> Result<()> {
        let target = at(path);
        let request = PurgeVersions { target, rule, dry_run: false };
        Versions::purge(&self.driver, &self.cx, request).await.map(drop)
    }

    /// What is in the trash of [`USER`]'s own space, or in a folder in it.
    pub(crate) async fn trash(&self, key: Option<String>) -> Result<Vec<TrashItem>> {
        let request = ListTrash { space: at("").base, key, page: PageRequest::default() };
        Ok(Trash::list(&self.driver, &self.cx, request).await?.items)
    }

    pub(crate) async fn restore(
        &self,
        key: String,
        to: Option<&str>,
        collision: Collision,
    ) -> Result<()> {
        let (space, to, lock_tokens) = (at("").base, to.map(at), Vec::new());
        let request = RestoreTrash { space, key, to, collision, lock_tokens };
        Trash::restore(&self.driver, &self.cx, request).await.map(drop)
    }

    /// Purges one item of the trash of [`USER`]'s own space, or all.
    pub(crate) async fn purge(&self, key: Option<String>) -> Result<()> {
        let request = PurgeTrash { space: at("").base, key, before: None };
        Trash::purge(&self.driver, &self.cx, request).await.map(drop)
    }

    pub(crate) async fn list(&self, path: &str) -> Result<Vec<Node>> {
        let page = PageRequest { cursor: None, limit: 10_000 };
        let request = List { target: at(path), page };
        Ok(Nodes::list(&self.driver, &self.cx, request).await?.items)
    }

    /// All that is below a folder, with the ways to it.
    pub(crate) async fn below(&self, top: &str) -> Result<Vec<(String, Node)>> {
        let (mut found, mut folders) = (Vec::new(), vec![top.to_owned()]);
        let space = top.split_once(':').map(|(space, _)| format!("{space}:")).unwrap_or_default();
        while let Some(folder) = folders.pop() {
            for node in self.list(&folder).await? {
                let path = format!("{space}{}", node.path.to_string().trim_matches('/'));
                if node.is_folder() {
                    folders.push(path.clone());
                }
                found.push((path, node));
            }
        }
        Ok(found)
    }

    /// The content of a file as it is stored; none for a folder.
    pub(crate) async fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let (_, content) = self.store.content(&self.cx, &at(path)).await?;
        let Some(content) = content else { return Ok(None) };
        let Some(blob) = &content.blob else { return Ok(Some(Vec::new())) };
        let read = self.blobs.read(&content.space, blob, 0..content.size).await?;
        Ok(Some(read.try_collect::<Vec<_>>().await?.concat()))
    }
}
