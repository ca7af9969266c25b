//! Every call to the file system that a change makes is cut and failed once: the change is then
//! made whole or not at all, and once it was acknowledged it stays.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "a test speaks by panicking"
)]

use std::collections::BTreeMap;
use std::io::ErrorKind as Io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt as _;
use http_body_util::BodyExt as _;
use ocis_core::cx::{Caller, Cx, Identity};
use ocis_core::data::{HttpService, TICKET, full};
use ocis_core::id::{ResourceId, SpaceId, StorageId, UserId};
use ocis_core::lock::LockScope;
use ocis_core::node::NodeKind;
use ocis_core::path::SpacePath;
use ocis_core::port::{
    Conditions, Copy, CreateFolder, CreateSpace, Delete, List, LockNode, Move, Nodes, OpenUpload,
    PageRequest, SetMetadata, Spaces, Touch, Unlock, Uploads,
};
use ocis_core::reference::Reference;
use ocis_core::space::SpaceKind;
use ocis_core::time::{SystemClock, Timestamp};
use ocis_core::user::UserRole;
use ocis_core::{Error, ErrorKind, Result};
use ocis_storage::blob::{BlobStore, PosixBlobs};
use ocis_storage::data::DataPlane;
use ocis_storage::fs::fault::Fault;
use ocis_storage::fs::{FaultyFs, Fs, MemoryFs};
use ocis_storage::ticket::Tickets;
use ocis_storage::upload::StoreUploads;
use ocis_storage::{Driver, Options, Store};
use tower::ServiceExt as _;

const LARGE: usize = 70_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    CreateSpace,
    CreateFolder,
    Touch,
    UploadInline,
    UploadStaged,
    Overwrite,
    OverwriteStaged,
    Rename,
    RenameOver,
    DeleteFile,
    DeleteFolder,
    CopyDeep,
    CopyOver,
    SetMetadata,
    Lock,
    Unlock,
}

struct World {
    store: Arc<Store>,
    blobs: Arc<dyn BlobStore>,
    driver: Driver,
    uploads: StoreUploads,
    data: HttpService,
    cx: Cx,
}

fn person(name: &str) -> Cx {
    let identity = Identity {
        id: UserId::parse(name).unwrap(),
        idp: "https://localhost:9200".into(),
        username: name.into(),
        display_name: name.into(),
        mail: format!("{name}@example.org"),
        groups: Vec::new(),
        role: UserRole::User,
    };
    let now = Timestamp::from_unix(1_767_225_600, 0).unwrap();
    Cx::new(Caller::User(Arc::new(identity)), now)
}

fn storage() -> StorageId {
    StorageId::parse("storage").unwrap()
}

fn at(owner: &str, path: &str) -> Reference {
    let space = SpaceId::personal(&UserId::parse(owner).unwrap());
    Reference::below(ResourceId::root(storage(), space), SpacePath::parse(path).unwrap())
}

fn me(path: &str) -> Reference {
    at("einstein", path)
}

impl World {
    fn open(fs: Arc<dyn Fs>, without_flush: bool) -> Result<Self> {
        let root = Path::new("/store");
        let blobs: Arc<dyn BlobStore> = Arc::new(PosixBlobs::new(Arc::clone(&fs), root));
        let options = Options { without_flush, ..Options::new(storage()) };
        let store = Store::open(fs, Arc::clone(&blobs), root, options)?;
        let tickets =
            Tickets::new(b"secret", &storage(), Duration::from_secs(86400 * 36500)).unwrap();
        let driver = Driver::new(Arc::clone(&store), tickets.clone());
        let uploads = StoreUploads::new(Arc::clone(&store), tickets.clone());
        let clock = Arc::new(SystemClock);
        let data = DataPlane::new(Arc::clone(&store), Arc::clone(&blobs), tickets, clock).service();
        Ok(Self { store, blobs, driver, uploads, data, cx: person("einstein") })
    }

    async fn home(&self, name: &str) -> Result<()> {
        let request = CreateSpace {
            kind: SpaceKind::Personal,
            name: name.into(),
            owner: Some(UserId::parse(name).unwrap()),
            alias: None,
            quota: None,
        };
        self.driver.create(&person(name), request).await.map(drop)
    }

    async fn mkdir(&self, path: &str) -> Result<()> {
        let request = CreateFolder { target: me(path), conditions: Conditions::default() };
        self.driver.create_folder(&self.cx, request).await.map(drop)
    }

    async fn put(&self, path: &str, content: &[u8]) -> Result<()> {
        let request = OpenUpload {
            target: me(path),
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

    async fn lock(&self, path: &str) -> Result<String> {
        let request = LockNode {
            target: me(path),
            scope: LockScope::Exclusive,
            deep: true,
            owner: None,
            app_name: String::new(),
            expires: Some(self.cx.now.plus(Duration::from_secs(600))),
            create: true,
            conditions: Conditions::default(),
        };
        Ok(self.driver.lock(&self.cx, request).await?.lock.lock.token)
    }

    async fn copy(&self, from: &str, to: &str) -> Result<()> {
        let request = Copy {
            from: me(from),
            to: me(to),
            overwrite: true,
            deep: true,
            conditions: Conditions::default(),
        };
        self.driver.copy(&self.cx, request).await.map(drop)
    }

    async fn rename(&self, from: &str, to: &str) -> Result<()> {
        let conditions = Conditions::default();
        let request = Move { from: me(from), to: me(to), overwrite: true, conditions };
        self.driver.rename(&self.cx, request).await.map(drop)
    }

    async fn delete(&self, path: &str) -> Result<()> {
        let request = Delete { target: me(path), conditions: Conditions::default() };
        self.driver.delete(&self.cx, request).await
    }

    /// What is there before every operation; gives the token of a lock.
    async fn prepare(&self, op: Op) -> String {
        self.home("einstein").await.unwrap();
        self.mkdir("d").await.unwrap();
        self.put("d/x", b"x").await.unwrap();
        self.put("f", b"old").await.unwrap();
        if op == Op::CopyDeep {
            self.mkdir("d/e").await.unwrap();
            self.put("d/e/y", b"yy").await.unwrap();
        }
        if op == Op::Unlock { self.lock("f").await.unwrap() } else { String::new() }
    }

    async fn run(&self, op: Op, token: String) -> Result<()> {
        match op {
            Op::CreateSpace => self.home("marie").await,
            Op::CreateFolder => self.mkdir("d/new").await,
            Op::Touch => {
                let request = Touch { target: me("d/t"), conditions: Conditions::default() };
                self.driver.touch(&self.cx, request).await.map(drop)
            }
            Op::UploadInline => self.put("d/i", b"inline").await,
            Op::UploadStaged => self.put("d/s", &[7; LARGE]).await,
            Op::Overwrite => self.put("f", b"newer").await,
            Op::OverwriteStaged => self.put("f", &[8; LARGE]).await,
            Op::Rename => self.rename("d/x", "r").await,
            Op::RenameOver => self.rename("f", "d").await,
            Op::DeleteFile => self.delete("d/x").await,
            Op::DeleteFolder => self.delete("d").await,
            Op::CopyDeep => self.copy("d", "c").await,
            Op::CopyOver => self.copy("d", "f").await,
            Op::SetMetadata => {
                let request = SetMetadata {
                    target: me("d/x"),
                    set: vec![("key".into(), "value".into())],
                    unset: Vec::new(),
                    mtime: Some(self.cx.now),
                    favorite: Some(true),
                    conditions: Conditions::default(),
                };
                self.driver.set_metadata(&self.cx, request).await.map(drop)
            }
            Op::Lock => self.lock("d/x").await.map(drop),
            Op::Unlock => self.driver.unlock(&self.cx, Unlock { target: me("f"), token }).await,
        }
    }

    /// Everything that can be seen, by owner and path.
    async fn see(&self) -> Result<BTreeMap<String, String>> {
        let mut seen = BTreeMap::new();
        for owner in ["einstein", "marie"] {
            let cx = person(owner);
            let mut folders = vec![String::new()];
            while let Some(folder) = folders.pop() {
                let target = at(owner, &folder);
                let request = List { target, page: PageRequest { cursor: None, limit: 100 } };
                let page = match Nodes::list(&self.driver, &cx, request).await {
                    Err(error) if folder.is_empty() && error.kind() == ErrorKind::NotFound => break,
                    page => page?,
                };
                seen.insert(format!("{owner}/{folder}"), "folder".into());
                for node in page.items {
                    let path = node.path.to_string();
                    let path = path.trim_matches('/');
                    if node.info.kind == NodeKind::Folder {
                        folders.push(path.to_owned());
                        continue;
                    }
                    let (_, content) = self.store.content(&cx, &at(owner, path)).await?;
                    let mut bytes = Vec::new();
                    if let Some(content) = content
                        && let Some(blob) = &content.blob
                    {
                        let range = 0..content.size;
                        let read = self.blobs.read(&content.space, blob, range).await?;
                        bytes = read.try_collect::<Vec<_>>().await?.concat();
                    }
                    let (length, first) = (bytes.len(), bytes.first());
                    let (metadata, locks) = (&node.info.metadata, node.locks.len());
                    let text = format!("{length} {first:?} {metadata:?} {locks} {}", node.favorite);
                    seen.insert(format!("{owner}/{path}"), text);
                }
            }
        }
        Ok(seen)
    }
}

/// What becomes of a fault.
#[derive(Debug, Clone, Copy)]
enum Mode {
    /// The power goes, and with it what was not flushed.
    Cut,
    /// The process ends; what was written stays.
    Kill,
    /// One call fails.
    Fail(Io),
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

type Seen = BTreeMap<String, String>;

/// Opens what is left and tells what is wrong with it.
fn reopened(disk: &MemoryFs) -> std::result::Result<Seen, String> {
    let world = World::open(Arc::new(disk.clone()), false).map_err(|error| format!("{error:?}"))?;
    let findings = world.store.check().map_err(|error| format!("{error:?}"))?;
    if !findings.is_empty() {
        return Err(findings.join("; "));
    }
    let seen = runtime().block_on(world.see()).map_err(|error| format!("{error:?}"))?;
    world.store.close().map_err(|error| format!("{error:?}"))?;
    Ok(seen)
}

/// Runs `op` with a fault at its call `number`; none when it makes no such call.
fn once(op: Op, mode: Mode, number: u64, without_flush: bool, seen: &[Seen; 2]) -> Option<String> {
    let disk = MemoryFs::default();
    let fs = FaultyFs::new(Arc::new(disk.clone()));
    let (result, probed, is_hit) = {
        let runtime = runtime();
        let world = World::open(Arc::new(fs.clone()), without_flush).unwrap();
        let token = runtime.block_on(world.prepare(op));
        world.store.check().unwrap();
        let first = fs.calls();
        let fault = match mode {
            Mode::Cut | Mode::Kill => Fault::Cut,
            Mode::Fail(kind) => Fault::Fail(kind),
        };
        fs.plan(first + number, fault);
        let result = runtime.block_on(world.run(op, token));
        let is_hit = fs.calls() > first + number;
        let mut probed = None;
        if matches!(mode, Mode::Fail(_)) && is_hit && !world.store.has_failed() {
            probed = Some(runtime.block_on(world.mkdir("probe")));
        }
        let _ = world.store.close();
        (result, probed, fs.calls() > first + number)
    };
    if !is_hit {
        return None;
    }
    if matches!(mode, Mode::Kill) {
        disk.kill()
    } else {
        disk.cut()
    }
    let told = |what: String| Some(format!("{op:?} {mode:?} at {number} ({result:?}): {what}\n"));
    let mut after = match reopened(&disk) {
        Ok(after) => after,
        Err(wrong) => return told(wrong),
    };
    let has_probe = after.remove("einstein/probe").is_some();
    match probed {
        Some(Ok(())) if !has_probe => return told("the change after it is lost".into()),
        Some(Err(error)) => return told(format!("it does not go on: {error:?}")),
        _ => {}
    }
    let refused =
        |error: &Error| !matches!(error.kind(), ErrorKind::Internal | ErrorKind::Unavailable);
    let is_right = match &result {
        Ok(()) => after == seen[1],
        Err(error) if refused(error) => after == seen[0],
        Err(_) => seen.contains(&after),
    };
    if is_right { Some(String::new()) } else { told(format!("{after:#?}")) }
}

/// Fails and cuts every call of `op`; gives what went wrong.
fn every(op: Op, modes: &[Mode], without_flush: bool) -> Vec<String> {
    let seen = {
        let runtime = runtime();
        let world = World::open(Arc::new(MemoryFs::default()), false).unwrap();
        let token = runtime.block_on(world.prepare(op));
        let before = runtime.block_on(world.see()).unwrap();
        runtime.block_on(world.run(op, token)).unwrap();
        let after = runtime.block_on(world.see()).unwrap();
        assert_ne!(before, after, "{op:?} does something");
        [before, after]
    };
    let mut wrong = Vec::new();
    for mode in modes {
        for number in 0.. {
            match once(op, *mode, number, without_flush, &seen) {
                Some(text) if text.is_empty() => {}
                Some(text) => wrong.push(text),
                None => {
                    assert!(number > 5, "the change makes calls");
                    break;
                }
            }
        }
    }
    wrong
}

fn holds(ops: &[Op]) {
    let modes = [Mode::Cut, Mode::Kill, Mode::Fail(Io::StorageFull), Mode::Fail(Io::Other)];
    for op in ops {
        let wrong = every(*op, &modes, false);
        assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join(""));
    }
}

#[test]
fn what_is_made() {
    holds(&[Op::CreateSpace, Op::CreateFolder, Op::Touch]);
}

#[test]
fn what_is_uploaded() {
    holds(&[Op::UploadInline, Op::UploadStaged]);
}

#[test]
fn what_is_overwritten() {
    holds(&[Op::Overwrite, Op::OverwriteStaged]);
}

#[test]
fn what_is_moved() {
    holds(&[Op::Rename, Op::RenameOver]);
}

#[test]
fn what_is_deleted() {
    holds(&[Op::DeleteFile, Op::DeleteFolder]);
}

#[test]
fn what_is_copied() {
    holds(&[Op::CopyDeep, Op::CopyOver]);
}

#[test]
fn what_is_said_of_nodes() {
    holds(&[Op::SetMetadata, Op::Lock, Op::Unlock]);
}

#[test]
fn a_journal_that_is_not_flushed_is_noticed() {
    assert!(!every(Op::UploadInline, &[Mode::Cut], true).is_empty());
}
