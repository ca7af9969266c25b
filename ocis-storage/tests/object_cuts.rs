//! Every request to the bucket that a change makes is refused, loses its answer, or is where the
//! process ends: the change is then made whole or not at all, and nothing stays in the bucket that
//! nobody refers to.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test speaks by panicking"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::TryStreamExt as _;
use http_body_util::BodyExt as _;
use ocis_core::cx::{Caller, Cx, Identity};
use ocis_core::data::{HttpService, TICKET, full};
use ocis_core::id::{ResourceId, SpaceId, StorageId, UserId};
use ocis_core::path::SpacePath;
use ocis_core::port::{
    Conditions, Copy, CreateFolder, CreateSpace, Delete, DisableSpace, ListTrash, ListVersions,
    Nodes, OpenUpload, OpenVersion, PageRequest, PurgeRule, PurgeSpace, PurgeTrash, PurgeVersions,
    Spaces, Trash, Uploads, Versions,
};
use ocis_core::reference::Reference;
use ocis_core::space::SpaceKind;
use ocis_core::time::{SystemClock, Timestamp};
use ocis_core::user::UserRole;
use ocis_core::{Error, ErrorKind, Result};
use ocis_storage::blob::faulty::{FaultyObjects, ObjectFault};
use ocis_storage::blob::{BlobStore, Cut, ObjectBlobs};
use ocis_storage::data::DataPlane;
use ocis_storage::fs::{FaultyFs, Fs, MemoryFs};
use ocis_storage::ticket::Tickets;
use ocis_storage::upload::StoreUploads;
use ocis_storage::{Driver, Options, Store};
use tower::ServiceExt as _;

const CUT: Cut = Cut { whole: 1000, part: 400, at_once: 2, copy: 1200 };
const LARGE: usize = 1500;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Upload,
    UploadEmpty,
    UploadParts,
    Overwrite,
    OverwriteParts,
    Copy,
    CopyFolder,
    PurgeVersions,
    PurgeItem,
    PurgeTrash,
    PurgeSpace,
}

struct World {
    store: Arc<Store>,
    blobs: Arc<dyn BlobStore>,
    driver: Driver,
    uploads: StoreUploads,
    data: HttpService,
    cx: Cx,
}

fn person() -> Cx {
    let identity = Identity {
        id: UserId::parse("einstein").unwrap(),
        idp: "https://localhost:9200".into(),
        username: "einstein".into(),
        display_name: "Albert Einstein".into(),
        mail: "einstein@example.org".into(),
        groups: Vec::new(),
        role: UserRole::User,
        scope: ocis_core::scope::Scope::Everything,
    };
    let now = Timestamp::from_unix(1_767_225_600, 0).unwrap();
    Cx::new(Caller::User(Arc::new(identity)), now)
}

fn storage() -> StorageId {
    StorageId::parse("storage").unwrap()
}

/// A place in einstein's own space; below `@` one in a project.
fn at(path: &str) -> Reference {
    let (space, path) = match path.strip_prefix('@') {
        Some(path) => (SpaceId::parse("project").unwrap(), path),
        None => (SpaceId::personal(&UserId::parse("einstein").unwrap()), path),
    };
    Reference::below(ResourceId::root(storage(), space), SpacePath::parse(path).unwrap())
}

type Seen = BTreeMap<String, Vec<u8>>;

impl World {
    /// Opens the store over `fs` and `objects`. With versions, an overwritten content is kept;
    /// without, it is dropped.
    fn open(
        fs: Arc<dyn Fs>,
        objects: &FaultyObjects,
        versioning: bool,
        runtime: &tokio::runtime::Runtime,
    ) -> Result<Self> {
        let root = Path::new("/store");
        let (objects, handle) = (Arc::new(objects.clone()), runtime.handle().clone());
        let place = (Arc::clone(&fs), root);
        let blobs: Arc<dyn BlobStore> =
            Arc::new(ObjectBlobs::new("the bucket", objects, CUT, place, handle));
        let options = Options { versioning, ..Options::new(storage()) };
        let store = Store::open(fs, Arc::clone(&blobs), root, options)?;
        let tickets =
            Tickets::new(b"secret", &storage(), Duration::from_secs(86400 * 36500)).unwrap();
        let driver = Driver::new(Arc::clone(&store), tickets.clone());
        let uploads = StoreUploads::new(Arc::clone(&store), tickets.clone());
        let clock = Arc::new(SystemClock);
        let data = DataPlane::new(Arc::clone(&store), Arc::clone(&blobs), tickets, clock).service();
        Ok(Self { store, blobs, driver, uploads, data, cx: person() })
    }

    async fn put(&self, path: &str, content: &[u8]) -> Result<()> {
        let request = OpenUpload {
            target: at(path),
            length: Some(content.len() as u64),
            mtime: None,
            checksum: None,
            conditions: Conditions::default(),
        };
        let ticket = self.uploads.open(&self.cx, request).await?.ticket;
        let request = http::Request::put("/data").header(TICKET, ticket);
        let request = request.body(full(content.to_vec())).unwrap();
        let answer = self.data.clone().oneshot(request).await.unwrap();
        let ok = answer.status().is_success();
        let body = answer.into_body().collect().await?.to_bytes();
        if ok { Ok(()) } else { Err(serde_json::from_slice::<Error>(&body).unwrap()) }
    }

    async fn copy(&self, from: &str, to: &str) -> Result<()> {
        let (from, to, conditions) = (at(from), at(to), Conditions::default());
        let request = Copy { from, to, overwrite: true, deep: true, conditions };
        self.driver.copy(&self.cx, request).await.map(drop)
    }

    async fn mkdir(&self, path: &str) -> Result<()> {
        let request = CreateFolder { target: at(path), conditions: Conditions::default() };
        self.driver.create_folder(&self.cx, request).await.map(drop)
    }

    async fn delete(&self, path: &str) {
        let request = Delete { target: at(path), conditions: Conditions::default() };
        self.driver.delete(&self.cx, request).await.unwrap();
    }

    async fn prepare(&self, op: Op) {
        let owner = UserId::parse("einstein").unwrap();
        let request = CreateSpace::personal(owner.clone(), "einstein");
        self.driver.create(&self.cx, request).await.unwrap();
        self.put("f", b"old").await.unwrap();
        self.mkdir("d").await.unwrap();
        self.put("d/x", b"x").await.unwrap();
        self.put("d/y", &[5; LARGE]).await.unwrap();
        match op {
            Op::PurgeVersions => {
                self.put("f", &[6; LARGE]).await.unwrap();
                self.put("f", b"newest").await.unwrap();
            }
            Op::PurgeItem | Op::PurgeTrash => {
                self.delete("f").await;
                self.delete("d").await;
            }
            Op::PurgeSpace => {
                let id = SpaceId::parse("project").ok();
                let (owner, project) = (Some(owner), CreateSpace::new(SpaceKind::Project, "p"));
                let server = Cx { caller: Caller::Service("test".into()), ..person() };
                self.driver.create(&server, CreateSpace { id, owner, ..project }).await.unwrap();
                self.put("@x", b"x").await.unwrap();
                self.put("@y", &[5; LARGE]).await.unwrap();
                let request = DisableSpace { space: at("@").base };
                self.driver.disable(&self.cx, request).await.unwrap();
            }
            _ => {}
        }
    }

    async fn run(&self, op: Op) -> Result<()> {
        let space = at("").base;
        let trash = |key| PurgeTrash { space, key, before: None };
        match op {
            Op::Upload => self.put("n", b"new").await,
            Op::UploadEmpty => self.put("n", b"").await,
            Op::UploadParts => self.put("n", &[7; LARGE]).await,
            Op::Overwrite => self.put("f", b"newer").await,
            Op::OverwriteParts => self.put("f", &[8; LARGE]).await,
            Op::Copy => self.copy("f", "c").await,
            Op::CopyFolder => self.copy("d", "c").await,
            Op::PurgeVersions => {
                let (target, rule) = (at("f"), PurgeRule::All);
                let request = PurgeVersions { target, rule, dry_run: false };
                Versions::purge(&self.driver, &self.cx, request).await.map(drop)
            }
            Op::PurgeItem => {
                let items = self.trash().await?;
                let folder = items.into_iter().find(|(origin, _)| origin == "d");
                let request = trash(folder.map(|(_, key)| key));
                Trash::purge(&self.driver, &self.cx, request).await.map(drop)
            }
            Op::PurgeTrash => Trash::purge(&self.driver, &self.cx, trash(None)).await.map(drop),
            Op::PurgeSpace => {
                let request = PurgeSpace { space: at("@").base };
                Spaces::purge(&self.driver, &self.cx, request).await
            }
        }
    }

    /// Where what is in the trash lay, and its keys.
    async fn trash(&self) -> Result<Vec<(String, String)>> {
        let (space, page) = (at("").base, PageRequest::default());
        let request = ListTrash { space, key: None, page };
        let page = Trash::list(&self.driver, &self.cx, request).await?;
        Ok(page.items.into_iter().map(|item| (item.origin.to_string(), item.key)).collect())
    }

    async fn bytes(&self, ticket: String) -> Result<Vec<u8>> {
        let request = http::Request::get("/data").header(TICKET, ticket);
        let answer = self.data.clone().oneshot(request.body(full("")).unwrap()).await.unwrap();
        Ok(answer.into_body().collect().await?.to_bytes().to_vec())
    }

    /// The versions of a file, and their contents.
    async fn see_versions(&self, path: &str, seen: &mut Seen) -> Result<()> {
        let request = ListVersions { target: at(path), page: PageRequest::default() };
        for version in Versions::list(&self.driver, &self.cx, request).await?.items {
            let request = OpenVersion { target: at(path), key: version.key };
            let read = Versions::open_read(&self.driver, &self.cx, request).await?;
            // Their keys hold the time of the test.
            let name = format!("{path}, {} bytes", version.size);
            seen.insert(name, self.bytes(read.ticket).await?);
        }
        Ok(())
    }

    /// The contents of all files that may be there.
    async fn see(&self) -> Result<Seen> {
        let mut seen = Seen::new();
        for path in ["f", "n", "c", "d/x", "d/y", "c/x", "c/y"] {
            let content = match self.store.content(&self.cx, &at(path)).await {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                found => found?.1,
            };
            let Some(content) = content else { continue };
            let Some(blob) = content.blob else { continue };
            let read = self.blobs.read(&content.space, &blob, 0..content.size).await?;
            seen.insert(path.into(), read.try_collect::<Vec<_>>().await?.concat());
            self.see_versions(path, &mut seen).await?;
        }
        for (origin, _) in self.trash().await? {
            seen.insert(format!("deleted {origin}"), Vec::new());
        }
        let spaces = self.store.spaces_on_disk()?;
        seen.extend(spaces.into_iter().map(|space| (format!("space {space}"), Vec::new())));
        Ok(seen)
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// Waits for what is done in the background, but not for ever.
fn wait_for(is_done: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_done() && start.elapsed() < Duration::from_secs(60) {
        std::thread::yield_now();
    }
}

/// Fails unless files and bucket fit together and nothing is left over; what can be seen.
fn checked(disk: &MemoryFs, world: &World, objects: &FaultyObjects) -> Result<Seen, String> {
    let left = || disk.read_dir(world.store.uploads_dir()).unwrap();
    // A staged file is removed by a thread that nobody waits for either.
    wait_for(|| world.store.waiting_drops() == 0 && left().is_empty());
    let findings = world.store.check().map_err(|error| format!("{error:?}"))?;
    let left = left();
    let (waiting, parts) = (world.store.waiting_drops(), objects.open_parts());
    if !(findings.is_empty() && left.is_empty() && waiting == 0 && parts == 0) {
        return Err(format!("{findings:?} {left:?} {waiting} drops {parts} parts"));
    }
    runtime().block_on(world.see()).map_err(|error| format!("{error:?}"))
}

/// Runs `op` with a fault at its request `number`; none when it makes no such request.
fn once(
    op: Op,
    fault: ObjectFault,
    number: u64,
    versions: bool,
    seen: &[Seen; 2],
) -> Option<String> {
    let (disk, objects, runtime) = (MemoryFs::default(), FaultyObjects::new(), runtime());
    let fs = FaultyFs::new(Arc::new(disk.clone()));
    let is_crash = matches!(fault, ObjectFault::CutBefore | ObjectFault::CutAfter);
    let world = World::open(Arc::new(fs.clone()), &objects, versions, &runtime).unwrap();
    runtime.block_on(world.prepare(op));
    let first = objects.calls();
    objects.plan(first + number, fault, &fs);
    let result = runtime.block_on(world.run(op));
    if objects.calls() <= first + number {
        return None;
    }
    let trace = objects.trace()[first as usize..].join(", ");
    let told =
        |what: &str| Some(format!("{op:?} {fault:?} at {number} {result:?}: {what}\n{trace}\n"));
    if !is_crash {
        // It goes on, without a new start: also what is left over goes.
        if world.store.has_failed() {
            return told("the store failed");
        }
        if let Err(error) = runtime.block_on(world.mkdir("probe")) {
            return told(&format!("no metadata while the bucket is away: {error:?}"));
        }
        objects.heal();
        if let Err(wrong) = checked(&disk, &world, &objects) {
            return told(&wrong);
        }
        runtime.block_on(world.put("again", b"again")).unwrap();
    }
    fs.cut();
    drop(world);
    disk.cut();
    let objects = objects.restarted();
    let world = World::open(Arc::new(disk.clone()), &objects, versions, &runtime).unwrap();
    let after = match checked(&disk, &world, &objects) {
        Ok(after) => after,
        Err(wrong) => return told(&wrong),
    };
    world.store.close().unwrap();
    let is_right = match &result {
        Ok(()) => after == seen[1],
        // Emptying the trash is a change for each item: some may be gone, each as a whole.
        Err(_) if is_crash && op == Op::PurgeTrash => {
            after.iter().all(|(what, state)| seen.iter().any(|seen| seen.get(what) == Some(state)))
                && seen[1].keys().all(|what| after.contains_key(what))
        }
        Err(_) if is_crash => seen.contains(&after),
        Err(error) => error.kind() == ErrorKind::Unavailable && after == seen[0],
    };
    if is_right { Some(String::new()) } else { told(&format!("{:?}", after.keys())) }
}

fn holds(ops: &[Op], versions: bool) {
    use ObjectFault::{Away, CutAfter, CutBefore, Lose, Refuse};
    for op in ops {
        let seen = {
            let (runtime, objects) = (runtime(), FaultyObjects::new());
            let fs = Arc::new(MemoryFs::default());
            let world = World::open(fs, &objects, versions, &runtime).unwrap();
            runtime.block_on(world.prepare(*op));
            let before = runtime.block_on(world.see()).unwrap();
            runtime.block_on(world.run(*op)).unwrap();
            [before, runtime.block_on(world.see()).unwrap()]
        };
        assert_ne!(seen[0], seen[1], "{op:?} does something");
        let mut wrong = Vec::new();
        for fault in [Refuse, Lose, Away, CutBefore, CutAfter] {
            for number in 0.. {
                match once(*op, fault, number, versions, &seen) {
                    Some(text) => wrong.push(text),
                    None => {
                        assert!(number > 0, "the change makes requests");
                        break;
                    }
                }
            }
        }
        wrong.retain(|text| !text.is_empty());
        assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join(""));
    }
}

#[test]
fn what_is_uploaded() {
    holds(&[Op::Upload, Op::UploadEmpty, Op::UploadParts], true);
}

#[test]
fn what_is_overwritten() {
    holds(&[Op::Overwrite, Op::OverwriteParts], true);
}

#[test]
fn what_is_dropped() {
    holds(&[Op::Overwrite, Op::OverwriteParts], false);
}

#[test]
fn what_is_copied() {
    holds(&[Op::Copy, Op::CopyFolder], true);
}

#[test]
fn what_is_purged() {
    holds(&[Op::PurgeVersions, Op::PurgeItem, Op::PurgeTrash, Op::PurgeSpace], true);
}
