//! What the hot paths of the storage cost, each beside the bare system calls that do the same to
//! the disk, in the same run: a small durable file, the content of a small file, a long listing.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "a benchmark")]

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use http::Request;
use http_body_util::BodyExt as _;
use ocis_core::data::{HttpService, TICKET, empty, full};
use ocis_core::id::{ResourceId, StorageId, UserId};
use ocis_core::path::SpacePath;
use ocis_core::port::{
    Conditions, CreateFolder, CreateSpace, Cursor, List, Nodes, OpenRead, OpenUpload, PageRequest,
    Spaces as _, Touch, Uploads as _,
};
use ocis_core::reference::Reference;
use ocis_core::time::{Clock as _, SystemClock};
use ocis_core::user::UserRole;
use ocis_core::{Caller, Cx, Identity};
use ocis_storage::blob::{BlobStore, PosixBlobs};
use ocis_storage::data::DataPlane;
use ocis_storage::fs::{Fs, RealFs};
use ocis_storage::ticket::{DEFAULT_LIFETIME, Tickets};
use ocis_storage::upload::StoreUploads;
use ocis_storage::{Driver, Options, Store};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

const TASKS: u64 = 16;
const CONTENT: &[u8] = &[7; 4096];
const CHILDREN: usize = 10_000;

/// An open store with what stands in front of it.
#[derive(Clone)]
struct Storage {
    driver: Driver,
    uploads: StoreUploads,
    data: HttpService,
    home: ResourceId,
    cx: Cx,
}

async fn open(root: &Path) -> Storage {
    let fs: Arc<dyn Fs> = Arc::new(RealFs);
    let storage = StorageId::parse("storage").unwrap();
    let blobs: Arc<dyn BlobStore> = Arc::new(PosixBlobs::new(Arc::clone(&fs), root));
    let options = Options::new(storage.clone());
    let store = Store::open(fs, Arc::clone(&blobs), root, options).unwrap();
    let tickets = Tickets::new(b"secret", &storage, DEFAULT_LIFETIME).unwrap();
    let driver = Driver::new(Arc::clone(&store), tickets.clone());
    let uploads = StoreUploads::new(Arc::clone(&store), tickets.clone());
    let data = DataPlane::new(store, blobs, tickets, Arc::new(SystemClock)).service();
    let owner = UserId::parse("4c510ada-c86b-4815-8820-42cdf82c3d51").unwrap();
    let identity = Identity {
        id: owner.clone(),
        idp: "https://localhost:9200".into(),
        username: "einstein".into(),
        display_name: "Albert Einstein".into(),
        mail: String::new(),
        groups: Vec::new(),
        role: UserRole::User,
        scope: ocis_core::scope::Scope::Everything,
    };
    let cx = Cx::new(Caller::User(Arc::new(identity)), SystemClock.now());
    let space = CreateSpace::personal(owner, "Albert Einstein");
    let home = driver.create(&cx, space).await.unwrap().root;
    Storage { driver, uploads, data, home, cx }
}

impl Storage {
    fn at(&self, path: &str) -> Reference {
        Reference::below(self.home.clone(), SpacePath::parse(path).unwrap())
    }

    async fn put(&self, path: &str) {
        let upload = OpenUpload {
            target: self.at(path),
            length: Some(CONTENT.len() as u64),
            mtime: None,
            checksum: None,
            conditions: Conditions::default(),
        };
        let ticket = self.uploads.open(&self.cx, upload).await.unwrap().ticket;
        let request = Request::put("/data").header(TICKET, ticket).body(full(CONTENT)).unwrap();
        let answer = self.data.clone().oneshot(request).await.unwrap();
        assert!(answer.status().is_success());
    }

    async fn get(&self, path: &str) -> usize {
        let request = OpenRead { target: self.at(path) };
        let ticket = self.driver.open_read(&self.cx, request).await.unwrap().ticket;
        let request = Request::get("/data").header(TICKET, ticket).body(empty()).unwrap();
        let answer = self.data.clone().oneshot(request).await.unwrap();
        answer.into_body().collect().await.unwrap().to_bytes().len()
    }

    async fn list(&self, path: &str) -> usize {
        let (mut count, mut cursor) = (0, None::<Cursor>);
        loop {
            let page = PageRequest { cursor, limit: 1000 };
            let list = List { target: self.at(path), page };
            let page = Nodes::list(&self.driver, &self.cx, list).await.unwrap();
            count += page.items.len();
            match page.next {
                Some(next) => cursor = Some(next),
                None => return count,
            }
        }
    }
}

/// A file made durable with the fewest calls that can do so.
fn put_bare(folder: &Path, name: u64) {
    let path = folder.join(name.to_string());
    let mut file = File::create_new(path).unwrap();
    file.write_all(CONTENT).unwrap();
    file.sync_data().unwrap();
    File::open(folder).unwrap().sync_all().unwrap();
}

/// The files that oCIS's format needs for a file, not flushed: what is written besides the journal.
fn put_format(root: &Path, _: u64) {
    let path = |kind: &str| {
        let id = uuid::Uuid::new_v4().to_string();
        let (a, b, c, d) = (&id[..2], &id[2..4], &id[4..6], &id[6..8]);
        let folder = root.join(kind).join(a).join(b).join(c).join(d);
        fs::create_dir_all(&folder).unwrap();
        folder.join(&id[8..])
    };
    let (blob, node) = (path("blobs"), path("nodes"));
    fs::write(blob, CONTENT).unwrap();
    fs::write(&node, b"").unwrap();
    fs::write(node.with_added_extension("mpk"), [7; 400]).unwrap();
    std::os::unix::fs::symlink(&node, root.join(uuid::Uuid::new_v4().to_string())).unwrap();
}

fn put(c: &mut Criterion, runtime: &Runtime) {
    let mut group = c.benchmark_group("put 4 KiB, durable, 16 at once");
    group.sample_size(10).measurement_time(Duration::from_secs(5));
    let next = AtomicU64::new(0);
    let next = &next;
    let bare = tempfile::tempdir_in(place()).unwrap();
    type Put = fn(&Path, u64);
    let bares: [(&str, Put); 2] = [
        ("bare: create, write, fdatasync, fsync of the folder", put_bare),
        ("bare: the files and folders of the format, not flushed", put_format),
    ];
    for (name, put) in bares {
        group.bench_function(name, |b| {
            b.iter_custom(|count| {
                let start = Instant::now();
                std::thread::scope(|scope| {
                    for _ in 0..TASKS {
                        scope.spawn(|| {
                            for _ in 0..count.div_ceil(TASKS) {
                                put(bare.path(), next.fetch_add(1, Ordering::Relaxed));
                            }
                        });
                    }
                });
                start.elapsed()
            });
        });
    }
    let folder = tempfile::tempdir_in(place()).unwrap();
    let storage = runtime.block_on(open(folder.path()));
    group.bench_function("storage: new files", |b| {
        b.iter_custom(|count| {
            let tasks = (0..TASKS).map(|_| {
                let storage = storage.clone();
                let names: Vec<u64> = (0..count.div_ceil(TASKS))
                    .map(|_| next.fetch_add(1, Ordering::Relaxed))
                    .collect();
                async move {
                    for name in names {
                        storage.put(&name.to_string()).await;
                    }
                }
            });
            let tasks: Vec<_> = tasks.collect();
            let start = Instant::now();
            runtime.block_on(async {
                let tasks: Vec<_> = tasks.into_iter().map(tokio::spawn).collect();
                for task in tasks {
                    task.await.unwrap();
                }
            });
            start.elapsed()
        });
    });
    group.finish();
}

fn get(c: &mut Criterion, runtime: &Runtime) {
    let mut group = c.benchmark_group("get 4 KiB, warm");
    let bare = tempfile::tempdir_in(place()).unwrap();
    let path = bare.path().join("file");
    fs::write(&path, CONTENT).unwrap();
    group.bench_function("bare: open, read, close", |b| {
        b.iter(|| {
            let mut content = Vec::with_capacity(CONTENT.len());
            File::open(&path).unwrap().read_to_end(&mut content).unwrap()
        });
    });
    let folder = tempfile::tempdir_in(place()).unwrap();
    let storage = runtime.block_on(open(folder.path()));
    runtime.block_on(storage.put("file"));
    group.bench_function("storage: ticket and content", |b| {
        // On a worker, as requests are: `block_on` would change threads at every await.
        b.iter_custom(|count| {
            let storage = storage.clone();
            let task = runtime.spawn(async move {
                let start = Instant::now();
                for _ in 0..count {
                    assert_eq!(storage.get("file").await, CONTENT.len());
                }
                start.elapsed()
            });
            runtime.block_on(task).unwrap()
        });
    });
    group.finish();
}

fn list(c: &mut Criterion, runtime: &Runtime) {
    let mut group = c.benchmark_group("list 10,000, warm");
    group.sample_size(10);
    let bare = tempfile::tempdir_in(place()).unwrap();
    for n in 0..CHILDREN {
        fs::write(bare.path().join(n.to_string()), b"").unwrap();
    }
    group.bench_function("bare: readdir, and stat of each", |b| {
        b.iter(|| {
            let entries = fs::read_dir(bare.path()).unwrap();
            entries.map(|entry| entry.unwrap().metadata().unwrap().len()).sum::<u64>()
        });
    });
    let folder = tempfile::tempdir_in(place()).unwrap();
    let storage = runtime.block_on(open(folder.path()));
    runtime.block_on(fill(&storage));
    group.bench_function("storage: ten pages of nodes", |b| {
        b.iter(|| assert_eq!(runtime.block_on(storage.list("folder")), CHILDREN));
    });
    group.finish();
}

async fn fill(storage: &Storage) {
    let conditions = Conditions::default();
    let create = CreateFolder { target: storage.at("folder"), conditions: conditions.clone() };
    storage.driver.create_folder(&storage.cx, create).await.unwrap();
    let tasks: Vec<_> = (0..TASKS as usize)
        .map(|task| {
            let (storage, conditions) = (storage.clone(), conditions.clone());
            tokio::spawn(async move {
                for n in (task..CHILDREN).step_by(TASKS as usize) {
                    let target = storage.at(&format!("folder/{n}"));
                    let touch = Touch { target, conditions: conditions.clone() };
                    storage.driver.touch(&storage.cx, touch).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

/// On the disk of the build, since the folder for temporary files may be in memory.
fn place() -> PathBuf {
    env!("CARGO_TARGET_TMPDIR").into()
}

fn all(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    put(c, &runtime);
    get(c, &runtime);
    list(c, &runtime);
}

criterion_group!(benches, all);
criterion_main!(benches);
