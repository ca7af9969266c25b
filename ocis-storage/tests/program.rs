//! Random programs of changes, compared with a model, and many at once: what is seen is what was
//! done, the files fit together, and a store that is opened again shows the same.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "a test speaks by panicking"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt as _;
use ocis_core::checksum::Checksums;
use ocis_core::cx::{Caller, Cx, Identity};
use ocis_core::id::{ResourceId, SpaceId, StorageId, UserId};
use ocis_core::path::SpacePath;
use ocis_core::port::{
    Conditions, Copy, CreateFolder, CreateSpace, Delete, List, Move, Nodes, OpenUpload,
    PageRequest, Spaces,
};
use ocis_core::reference::Reference;
use ocis_core::space::SpaceKind;
use ocis_core::time::Timestamp;
use ocis_core::user::UserRole;
use ocis_core::{Error, Result};
use ocis_storage::blob::{BlobStore, PosixBlobs};
use ocis_storage::fs::{Fs, MemoryFs};
use ocis_storage::store::{CommitUpload, Content};
use ocis_storage::ticket::Tickets;
use ocis_storage::{Driver, Options, Store};
use proptest::prelude::*;

/// One change; paths have up to three parts out of three names. What begins with [`OTHER`] lies in
/// another space.
#[derive(Debug, Clone)]
enum Op {
    Folder(String),
    Write(String, u8),
    Delete(String),
    Move(String, String),
    Copy(String, String),
    Reopen,
}

const OTHER: &str = "@";

/// Folders are none, files their content.
type Model = BTreeMap<String, Option<Vec<u8>>>;

struct World {
    store: Arc<Store>,
    blobs: Arc<dyn BlobStore>,
    driver: Driver,
    cx: Cx,
}

fn at(path: &str) -> Reference {
    let storage = StorageId::parse("storage").unwrap();
    let (space, path) = match path.strip_prefix(OTHER) {
        Some(path) => (SpaceId::parse("other").unwrap(), path.trim_start_matches('/')),
        None => (SpaceId::personal(&UserId::parse("einstein").unwrap()), path),
    };
    Reference::below(ResourceId::root(storage, space), SpacePath::parse(path).unwrap())
}

fn content(seed: u8) -> Vec<u8> {
    vec![seed; usize::from(seed) * 3]
}

impl World {
    fn open(disk: &MemoryFs, cached_nodes: usize) -> Self {
        let (fs, root): (Arc<dyn Fs>, _) = (Arc::new(disk.clone()), Path::new("/store"));
        let blobs: Arc<dyn BlobStore> = Arc::new(PosixBlobs::new(Arc::clone(&fs), root));
        let storage = StorageId::parse("storage").unwrap();
        let options = Options { cached_nodes, ..Options::new(storage.clone()) };
        let store = Store::open(fs, Arc::clone(&blobs), root, options).unwrap();
        let tickets = Tickets::new(b"secret", &storage, Duration::from_secs(600)).unwrap();
        let driver = Driver::new(Arc::clone(&store), tickets);
        let identity = Identity {
            id: UserId::parse("einstein").unwrap(),
            idp: "https://localhost:9200".into(),
            username: "einstein".into(),
            display_name: "einstein".into(),
            mail: "einstein@example.org".into(),
            groups: Vec::new(),
            role: UserRole::User,
            scope: ocis_core::scope::Scope::Everything,
        };
        let now = Timestamp::from_unix(1_767_225_600, 0).unwrap();
        let cx = Cx::new(Caller::User(Arc::new(identity)), now);
        Self { store, blobs, driver, cx }
    }

    async fn home(&self) {
        let request = CreateSpace::personal(UserId::parse("einstein").unwrap(), "einstein");
        self.driver.create(&self.cx, request).await.unwrap();
        let request = CreateSpace {
            id: SpaceId::parse("other").ok(),
            owner: "einstein".parse().ok(),
            ..CreateSpace::new(SpaceKind::Project, "other")
        };
        let server = Cx { caller: Caller::Service("test".into()), ..self.cx.clone() };
        self.driver.create(&server, request).await.unwrap();
    }

    async fn write(&self, path: &str, seed: u8) -> Result<()> {
        let bytes = content(seed);
        let (conditions, size) = (Conditions::default(), bytes.len() as u64);
        let request = OpenUpload {
            target: at(path),
            length: Some(size),
            // Always the same, so that versions and tags have to be told apart.
            mtime: Some(self.cx.now),
            checksum: None,
            conditions: conditions.clone(),
        };
        let prepared = self.store.prepare_upload(&self.cx, &request).await?;
        let upload = CommitUpload {
            prepared,
            conditions,
            mtime: request.mtime,
            size,
            checksums: Checksums { sha1: [0; 20], md5: [0; 16], adler32: [0; 4] },
            content: Content::Inline(bytes.into()),
        };
        self.store.commit_upload(&self.cx, upload).await.map(drop)
    }

    async fn run(&self, op: &Op) -> Result<()> {
        let conditions = Conditions::default();
        match op {
            Op::Folder(path) => {
                let request = CreateFolder { target: at(path), conditions };
                self.driver.create_folder(&self.cx, request).await.map(drop)
            }
            Op::Write(path, seed) => self.write(path, *seed).await,
            Op::Delete(path) => {
                self.driver.delete(&self.cx, Delete { target: at(path), conditions }).await
            }
            Op::Move(from, to) => {
                let request = Move { from: at(from), to: at(to), overwrite: true, conditions };
                self.driver.rename(&self.cx, request).await.map(drop)
            }
            Op::Copy(from, to) => {
                let (from, to) = (at(from), at(to));
                let request = Copy { from, to, overwrite: true, deep: true, conditions };
                self.driver.copy(&self.cx, request).await.map(drop)
            }
            Op::Reopen => Ok(()),
        }
    }

    async fn see(&self) -> Result<Model> {
        let (mut seen, mut folders) = (Model::new(), vec![String::new(), OTHER.to_owned()]);
        while let Some(folder) = folders.pop() {
            let page = PageRequest { cursor: None, limit: 1000 };
            let request = List { target: at(&folder), page };
            for node in Nodes::list(&self.driver, &self.cx, request).await?.items {
                let path = node.path.to_string().trim_matches('/').to_owned();
                let is_other = folder.starts_with(OTHER);
                let path = if is_other { format!("{OTHER}/{path}") } else { path };
                let (_, content) = self.store.content(&self.cx, &at(&path)).await?;
                let Some(content) = content else {
                    folders.push(path.clone());
                    seen.insert(path, None);
                    continue;
                };
                let bytes = match &content.blob {
                    Some(blob) => {
                        let range = 0..content.size;
                        let read = self.blobs.read(&content.space, blob, range).await?;
                        read.try_collect::<Vec<_>>().await?.concat()
                    }
                    None => Vec::new(),
                };
                seen.insert(path, Some(bytes));
            }
        }
        Ok(seen)
    }
}

fn is_folder(model: &Model, path: &str) -> bool {
    path.is_empty() || path == OTHER || model.get(path).is_some_and(Option::is_none)
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn below(path: &str, folder: &str) -> bool {
    path == folder || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// Does what the store has to do; says whether it is allowed.
fn apply(model: &mut Model, op: &Op) -> bool {
    match op {
        Op::Folder(path) => {
            let free = is_folder(model, parent(path)) && !model.contains_key(path);
            if free {
                model.insert(path.clone(), None);
            }
            free
        }
        Op::Write(path, seed) => {
            let may = is_folder(model, parent(path)) && !is_folder(model, path);
            if may {
                model.insert(path.clone(), Some(content(*seed)));
            }
            may
        }
        Op::Delete(path) => {
            let there = model.contains_key(path);
            model.retain(|name, _| !below(name, path));
            there
        }
        Op::Move(from, to) | Op::Copy(from, to) => {
            let is_move = matches!(op, Op::Move(..));
            if is_move && from == to && model.contains_key(from) {
                return true;
            }
            let may = model.contains_key(from)
                && is_folder(model, parent(to))
                && !below(to, from)
                && !below(from, to);
            if !may {
                return false;
            }
            let taken: Vec<_> = model
                .iter()
                .filter(|(name, _)| below(name, from))
                .map(|(name, content)| (format!("{to}{}", &name[from.len()..]), content.clone()))
                .collect();
            model.retain(|name, _| !(below(name, to) || is_move && below(name, from)));
            model.extend(taken);
            true
        }
        Op::Reopen => true,
    }
}

fn paths() -> impl Strategy<Value = String> {
    let parts = prop::collection::vec(prop::sample::select(vec!["a", "b", "c"]), 1..4);
    (prop::bool::weighted(0.3), parts).prop_map(|(is_other, parts)| match is_other {
        true => format!("{OTHER}/{}", parts.join("/")),
        false => parts.join("/"),
    })
}

fn ops() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => paths().prop_map(Op::Folder),
        4 => (paths(), 1u8..200).prop_map(|(path, seed)| Op::Write(path, seed)),
        2 => paths().prop_map(Op::Delete),
        3 => (paths(), paths()).prop_map(|(from, to)| Op::Move(from, to)),
        3 => (paths(), paths()).prop_map(|(from, to)| Op::Copy(from, to)),
        1 => Just(Op::Reopen),
    ]
}

fn runtime(threads: usize) -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .unwrap()
}

/// Ends the process or closes cleanly, opens again, and checks the files.
fn reopen(disk: &MemoryFs, world: World, cleanly: bool, cached: usize) -> World {
    if cleanly {
        world.store.close().unwrap();
    }
    drop(world);
    disk.cut();
    let world = World::open(disk, cached);
    assert_eq!(world.store.check().unwrap(), Vec::<String>::new());
    world
}

/// Programs that are tried; many more with the variable `OCIS_TEST_LONG`.
fn cases() -> u32 {
    if std::env::var_os("OCIS_TEST_LONG").is_some() { 2000 } else { 48 }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_program_does_what_its_model_does(
        program in prop::collection::vec(ops(), 1..40),
        cached in prop::sample::select(vec![4usize, 1000]),
    ) {
        let (runtime, disk) = (runtime(1), MemoryFs::default());
        let mut world = World::open(&disk, cached);
        runtime.block_on(world.home());
        let mut model = Model::new();
        for op in &program {
            let is_done = runtime.block_on(world.run(op)).is_ok();
            prop_assert_eq!(is_done, apply(&mut model, op), "{:?}", op);
            if matches!(op, Op::Reopen) {
                world = reopen(&disk, world, false, cached);
            }
        }
        prop_assert_eq!(&runtime.block_on(world.see()).unwrap(), &model);
        prop_assert_eq!(world.store.check().unwrap(), Vec::<String>::new());
        let world = reopen(&disk, world, true, cached);
        prop_assert_eq!(&runtime.block_on(world.see()).unwrap(), &model);
    }
}

#[test]
fn many_at_once_leave_files_that_fit_together() {
    let (runtime, disk) = (runtime(2), MemoryFs::default());
    let world = Arc::new(World::open(&disk, 50));
    runtime.block_on(async {
        world.home().await;
        let tasks = (0..8_usize).map(|task| {
            let world = Arc::clone(&world);
            tokio::spawn(async move {
                let names = ["a", "b", "a/c", "@/c", "@/c/d"];
                for step in 0..60_usize {
                    let (from, to) = (names[(step * 7 + task) % 5], names[(step * 3 + task) % 5]);
                    let op = match (step + task) % 6 {
                        0 | 1 => Op::Folder(from.into()),
                        2 | 3 => Op::Write(format!("{from}/f"), 1 + step as u8),
                        4 if step % 3 == 0 => Op::Delete(to.into()),
                        4 => Op::Move(from.into(), to.into()),
                        _ => Op::Copy(from.into(), to.into()),
                    };
                    // Refused or done: what matters is what is left.
                    let _: std::result::Result<(), Error> = world.run(&op).await;
                }
            })
        });
        futures::future::try_join_all(tasks).await.unwrap();
    });
    assert!(!world.store.has_failed());
    assert_eq!(world.store.check().unwrap(), Vec::<String>::new());
    let seen = runtime.block_on(world.see()).unwrap();
    let world = Arc::into_inner(world).unwrap();
    let world = reopen(&disk, world, false, 50);
    assert_eq!(runtime.block_on(world.see()).unwrap(), seen);
}
