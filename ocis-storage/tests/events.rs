//! What changes tell of themselves: the right things, with the change or not at all.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test speaks by panicking")]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ocis_core::access::{Grant, Grantee};
use ocis_core::cx::{Caller, Cx, Identity};
use ocis_core::data::{HttpService, TICKET, full};
use ocis_core::event::{Event, EventKind};
use ocis_core::id::{ResourceId, SpaceId, StorageId, UserId};
use ocis_core::lock::LockScope;
use ocis_core::path::SpacePath;
use ocis_core::permissions::Permissions;
use ocis_core::port::{
    Acknowledge, Conditions, Copy, CreateFolder, CreateSpace, Delete, Delivery, EventBus, Fetch,
    Grants, Leave, LockNode, Move, Nodes, OpenUpload, Reject, SetGrant, SetMetadata, Spaces, Stat,
    Touch, Unlock, Uploads,
};
use ocis_core::reference::Reference;
use ocis_core::time::{SystemClock, Timestamp};
use ocis_core::user::UserRole;
use ocis_core::{Error, Result};
use ocis_storage::blob::{BlobStore, PosixBlobs};
use ocis_storage::data::DataPlane;
use ocis_storage::fs::fault::Fault;
use ocis_storage::fs::{FaultyFs, Fs, MemoryFs};
use ocis_storage::ticket::Tickets;
use ocis_storage::upload::StoreUploads;
use ocis_storage::{Driver, Options, Outlet, Store};
use tokio::sync::watch;
use tokio::time::timeout;
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
        scope: ocis_core::scope::Scope::Everything,
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

async fn upload(uploads: &StoreUploads, data: &HttpService, path: &str, content: &[u8]) {
    let length = Some(content.len() as u64);
    let (target, conditions) = (at(path), Conditions::default());
    let request = OpenUpload { target, length, mtime: None, checksum: None, conditions };
    let ticket = uploads.open(&einstein(), request).await.unwrap().ticket;
    let request = http::Request::put("/").header(TICKET, ticket);
    let request = request.body(full(content.to_vec())).unwrap();
    assert!(data.clone().oneshot(request).await.unwrap().status().is_success());
}

fn lock(target: Reference) -> LockNode {
    LockNode {
        target,
        scope: LockScope::Exclusive,
        deep: false,
        owner: None,
        app_name: String::new(),
        expires: None,
        create: false,
        conditions: Conditions::default(),
    }
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
        upload(&uploads, &data, "a/f", content.as_bytes()).await;
    }
    let moved = Move { from: at("a/f"), to: at("a/g"), overwrite: false, conditions: conditions() };
    driver.rename(cx, moved).await.unwrap();
    let copied =
        Copy { from: at("a"), to: at("b"), overwrite: false, deep: true, conditions: conditions() };
    driver.copy(cx, copied).await.unwrap();
    let token = driver.lock(cx, lock(at("a/g"))).await.unwrap().lock.lock.token;
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

/// How long anything here may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A bus that writes down what it is given, and can be made to refuse it or never to answer.
#[derive(Default)]
struct Recorder {
    events: watch::Sender<Vec<Event>>,
    refuses: AtomicBool,
    hangs: AtomicBool,
}

impl Recorder {
    fn refusing() -> Arc<Self> {
        let bus = Arc::new(Self::default());
        bus.refuses.store(true, Ordering::Release);
        bus
    }

    fn events(&self) -> Vec<Event> {
        self.events.borrow().clone()
    }

    /// The folders that were told of, as soon as this one was.
    async fn until_told(&self, folder: &str) -> Vec<String> {
        let mut events = self.events.subscribe();
        let told = |events: &Vec<Event>| folders(events).iter().any(|path| path == folder);
        folders(&timeout(PATIENCE, events.wait_for(told)).await.unwrap().unwrap())
    }

    /// What came, as soon as it is so many.
    async fn until(&self, count: usize) -> Vec<Event> {
        let mut events = self.events.subscribe();
        let came = events.wait_for(|events| events.len() >= count);
        timeout(PATIENCE, came).await.unwrap().unwrap().clone()
    }
}

#[async_trait::async_trait]
impl EventBus for Recorder {
    async fn publish(&self, _: &Cx, events: Vec<Event>) -> Result<()> {
        if self.hangs.load(Ordering::Acquire) {
            std::future::pending::<()>().await;
        }
        if self.refuses.load(Ordering::Acquire) {
            return Err(Error::unavailable("down"));
        }
        self.events.send_modify(|all| all.extend(events));
        Ok(())
    }

    async fn fetch(&self, _: &Cx, _: Fetch) -> Result<Vec<Delivery>> {
        unreachable!()
    }

    async fn acknowledge(&self, _: &Cx, _: Acknowledge) -> Result<()> {
        unreachable!()
    }

    async fn reject(&self, _: &Cx, _: Reject) -> Result<()> {
        unreachable!()
    }

    async fn leave(&self, _: &Cx, _: Leave) -> Result<()> {
        unreachable!()
    }
}

fn open(fs: &Arc<dyn Fs>, bus: Option<&Arc<Recorder>>) -> Result<Arc<Store>> {
    let outlet = bus.map(|bus| Outlet::new(Arc::clone(bus) as Arc<dyn EventBus>));
    open_with(fs, outlet)
}

fn open_with(fs: &Arc<dyn Fs>, events: Option<Outlet>) -> Result<Arc<Store>> {
    let blobs: Arc<dyn BlobStore> = Arc::new(PosixBlobs::new(Arc::clone(fs), Path::new("/store")));
    let options = Options { events, segment: 64 * 1024, ..Options::new(storage()) };
    Store::open(Arc::clone(fs), blobs, Path::new("/store"), options)
}

fn driver(store: &Arc<Store>) -> Driver {
    let tickets = Tickets::new(b"secret", &storage(), Duration::from_secs(3600)).unwrap();
    Driver::new(Arc::clone(store), tickets)
}

async fn home(store: &Arc<Store>) -> Result<()> {
    let owner = UserId::parse("einstein").unwrap();
    driver(store).create(&einstein(), CreateSpace::personal(owner, "Albert")).await.map(drop)
}

async fn mkdir(store: &Arc<Store>, path: &str) -> Result<()> {
    let request = CreateFolder { target: at(path), conditions: Conditions::default() };
    driver(store).create_folder(&einstein(), request).await.map(drop)
}

/// The paths of the folders that events tell of, without repetitions.
fn folders(events: &[Event]) -> Vec<String> {
    let mut seen = Vec::new();
    for event in events {
        if let EventKind::ContainerCreated { node } = &event.kind {
            let path = node.path.to_string();
            if !seen.contains(&path) {
                seen.push(path);
            }
        }
    }
    seen
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
    let bus = Arc::new(Recorder::default());
    everything(&open(&fs, Some(&bus)).unwrap()).await;
    let events = bus.until(16).await;
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
async fn an_event_names_the_whole_way_whatever_the_caller_may_see() {
    let fs: Arc<dyn Fs> = Arc::new(MemoryFs::default());
    let bus = Arc::new(Recorder::default());
    let store = open(&fs, Some(&bus)).unwrap();
    home(&store).await.unwrap();
    mkdir(&store, "a").await.unwrap();
    let (driver, target, conditions) = (driver(&store), at("a/f"), Conditions::default());
    driver.touch(&einstein(), Touch { target: target.clone(), conditions }).await.unwrap();
    let mut marie = einstein();
    if let Caller::User(identity) = &mut marie.caller {
        Arc::make_mut(identity).id = UserId::parse("marie").unwrap();
    }
    let grant = Grant {
        grantee: Grantee::User("marie".parse().unwrap()),
        permissions: Permissions::from_letters("trw"),
        expires: None,
        creator: None,
    };
    let request = SetGrant { target: target.clone(), grant, lock_tokens: Vec::new() };
    driver.set(&einstein(), request).await.unwrap();
    let seen = driver.stat(&marie, Stat { target: target.clone() }).await.unwrap();
    assert_eq!(seen.path.as_str(), "f");
    let request = SetMetadata {
        target,
        set: vec![("tags".into(), "red".into())],
        unset: Vec::new(),
        mtime: None,
        favorite: None,
        conditions: Conditions::default(),
    };
    driver.set_metadata(&marie, request).await.unwrap();
    let request = lock(Reference::node(seen.info.id.clone()));
    driver.lock(&marie, request).await.unwrap();
    let told: Vec<_> = bus.until(5).await.iter().map(in_short).collect();
    assert_eq!(told[3..], ["TagsAdded a/f red", "FileLocked a/f"]);
}

#[tokio::test]
async fn a_store_whose_events_nobody_wants_does_not_collect_them() {
    let fs: Arc<dyn Fs> = Arc::new(MemoryFs::default());
    let store = open(&fs, None).unwrap();
    everything(&store).await;
    let folder = Path::new("/store/.ocis-rs/journal");
    for entry in fs.read_dir(folder).unwrap() {
        let bytes = fs.read(&folder.join(entry.name)).unwrap();
        assert!(!bytes.windows(11).any(|window| window == b"\"executant\""));
    }
}

#[tokio::test]
async fn events_wait_for_a_bus_that_is_down_also_over_restarts() {
    let fs: Arc<dyn Fs> = Arc::new(MemoryFs::default());
    let bus = Recorder::refusing();
    let store = open(&fs, Some(&bus)).unwrap();
    home(&store).await.unwrap();
    mkdir(&store, "a").await.unwrap();
    // Killed, and again with nothing but the file of the outbox.
    drop(store);
    let store = open(&fs, Some(&bus)).unwrap();
    mkdir(&store, "b").await.unwrap();
    drop(store);
    // By somebody who does not care for events, such as a maintenance command.
    drop(open(&fs, None).unwrap());
    let store = open(&fs, None).unwrap();
    store.close().unwrap();
    drop(store);
    let store = open(&fs, Some(&bus)).unwrap();
    mkdir(&store, "c").await.unwrap();
    assert_eq!(bus.events(), []);
    bus.refuses.store(false, Ordering::Release);
    let events = bus.until(4).await;
    assert_eq!(folders(&events), ["a", "b", "c"]);
    assert_eq!(events.len(), 4, "none came twice: {events:?}");
}

#[tokio::test]
async fn what_was_handed_over_does_not_come_again() {
    let fs: Arc<dyn Fs> = Arc::new(MemoryFs::default());
    let bus = Arc::new(Recorder::default());
    let store = open(&fs, Some(&bus)).unwrap();
    home(&store).await.unwrap();
    mkdir(&store, "a").await.unwrap();
    bus.until(2).await;
    drop(store);
    let store = open(&fs, Some(&bus)).unwrap();
    mkdir(&store, "b").await.unwrap();
    let events = bus.until(3).await;
    let ids: BTreeSet<_> = events.iter().map(|event| event.id.clone()).collect();
    assert_eq!((events.len(), ids.len()), (3, 3));
}

#[tokio::test]
async fn a_bus_that_does_not_answer_holds_nobody_up() {
    let fs: Arc<dyn Fs> = Arc::new(MemoryFs::default());
    let bus = Arc::new(Recorder::default());
    bus.hangs.store(true, Ordering::Release);
    let store = open(&fs, Some(&bus)).unwrap();
    home(&store).await.unwrap();
    for number in 0..50 {
        mkdir(&store, &number.to_string()).await.unwrap();
    }
    drop(store);
    bus.hangs.store(false, Ordering::Release);
    let _store = open(&fs, Some(&bus)).unwrap();
    assert_eq!(folders(&bus.until(51).await).len(), 50);
}

#[tokio::test]
async fn what_is_beyond_the_bound_is_dropped_and_what_waits_is_kept() {
    let fs: Arc<dyn Fs> = Arc::new(MemoryFs::default());
    let bus = Recorder::refusing();
    let limit = 3000;
    let store = open_with(&fs, Some(Outlet { bus: Arc::<Recorder>::clone(&bus), limit })).unwrap();
    home(&store).await.unwrap();
    for number in 10..30 {
        mkdir(&store, &number.to_string()).await.unwrap();
    }
    store.close().unwrap();
    drop(store);
    bus.refuses.store(false, Ordering::Release);
    let store = open(&fs, Some(&bus)).unwrap();
    mkdir(&store, "last").await.unwrap();
    let seen = bus.until_told("last").await;
    let kept: Vec<_> = (10..10 + seen.len() - 1).map(|number| number.to_string()).collect();
    assert!((3..15).contains(&kept.len()), "{seen:?}");
    assert_eq!(seen[..kept.len()], kept);
}

/// The journal forgets what is in the files after a checkpoint; the events are still to come.
#[tokio::test]
async fn events_outlive_the_part_of_the_journal_that_they_were_in() {
    let memory = MemoryFs::default();
    let fs: Arc<dyn Fs> = Arc::new(memory.clone());
    let bus = Recorder::refusing();
    let store = open(&fs, Some(&bus)).unwrap();
    home(&store).await.unwrap();
    mkdir(&store, "first").await.unwrap();
    let tickets = Tickets::new(b"secret", &storage(), Duration::from_secs(86400 * 36500)).unwrap();
    let uploads = StoreUploads::new(Arc::clone(&store), tickets.clone());
    let clock = Arc::new(SystemClock);
    let blobs = Arc::new(PosixBlobs::new(Arc::clone(store.fs()), store.root()));
    let data = DataPlane::new(Arc::clone(&store), blobs, tickets, clock).service();
    let first = Path::new("/store/.ocis-rs/journal").join(format!("{:016x}.log", 1));
    let mut files = 0;
    while fs.stat(&first).is_ok() {
        assert!(files < 5000, "the journal does not forget");
        upload(&uploads, &data, &format!("{files}"), &[7; 60_000]).await;
        files += 1;
    }
    drop((uploads, data, store));
    memory.cut();
    bus.refuses.store(false, Ordering::Release);
    let _store = open(&fs, Some(&bus)).unwrap();
    let events = bus.until(files + 2).await;
    assert_eq!(folders(&events), ["first"]);
    let written = events.iter().filter_map(|event| match &event.kind {
        EventKind::UploadReady { node, .. } => Some(node.path.to_string()),
        _ => None,
    });
    assert!(written.eq((0..files).map(|number| number.to_string())));
}

/// Makes folders over two openings, the first with a bus that is down; gives those that were
/// acknowledged.
async fn some_changes(fs: &Arc<dyn Fs>, bus: Option<&Arc<Recorder>>) -> Vec<String> {
    let mut made = Vec::new();
    for (round, is_down) in [(0, true), (1, false)] {
        if let Some(bus) = bus {
            bus.refuses.store(is_down, Ordering::Release);
        }
        let Ok(store) = open(fs, bus) else { continue };
        let _ = home(&store).await;
        for name in [format!("{round}a"), format!("{round}b")] {
            if mkdir(&store, &name).await.is_ok() {
                made.push(name);
            }
        }
        let _ = store.close();
    }
    made
}

/// The number of calls that these changes make, and the places of their flushes.
async fn calls(with_events: bool) -> (u64, BTreeSet<String>) {
    let fs = FaultyFs::new(Arc::new(MemoryFs::default()));
    let bus = with_events.then(Arc::default);
    let made = some_changes(&(Arc::new(fs.clone()) as Arc<dyn Fs>), bus.as_ref()).await;
    assert_eq!(made.len(), 4);
    (fs.calls(), fs.flushes())
}

/// Makes the changes with a fault at call `number`, without the calls at the place `left_out`
/// ([`FaultyFs::leave_out`]); tells what is wrong with what the bus is told in the end.
async fn once(
    number: u64,
    fault: Fault,
    left_out: Option<&str>,
) -> std::result::Result<(), String> {
    let memory = MemoryFs::default();
    let faulty = FaultyFs::new(Arc::new(memory.clone()));
    faulty.plan(number, fault);
    faulty.leave_out(left_out);
    let bus = Arc::new(Recorder::default());
    let made = some_changes(&(Arc::new(faulty) as Arc<dyn Fs>), Some(&bus)).await;
    memory.cut();
    bus.refuses.store(false, Ordering::Release);
    let place = format!("{fault:?} at call {number}");
    let store = open(&(Arc::new(memory) as Arc<dyn Fs>), Some(&bus));
    let store = store.map_err(|error| format!("{place}: {error:?}"))?;
    let _ = home(&store).await;
    mkdir(&store, "end").await.map_err(|error| format!("{place}: {error:?}"))?;
    let seen = bus.until_told("end").await;
    if !seen.is_sorted() {
        return Err(format!("{place}: not in order, {seen:?}"));
    }
    if let Some(name) = made.iter().find(|name| !seen.contains(name)) {
        return Err(format!("{place}: {name} is missing in {seen:?}"));
    }
    for name in &seen {
        if driver(&store).stat(&einstein(), Stat { target: at(name) }).await.is_err() {
            return Err(format!("{place}: {name} was told of and is not there"));
        }
    }
    Ok(())
}

/// The first thing that is wrong when any call is cut or fails.
async fn every(calls: u64, left_out: Option<&str>) -> std::result::Result<(), String> {
    let faults = [Fault::Cut, Fault::Fail(std::io::ErrorKind::StorageFull)];
    // The threads do not make their calls in the same order every time: a few more.
    for (number, fault) in (0..calls + 20).flat_map(|number| faults.map(|fault| (number, fault))) {
        once(number, fault, left_out).await?;
    }
    Ok(())
}

#[tokio::test]
async fn whatever_call_is_cut_or_fails_every_acknowledged_change_is_told_and_no_other() {
    every(calls(true).await.0, None).await.unwrap();
}

#[tokio::test]
async fn a_flush_of_the_outbox_that_is_left_out_is_noticed() {
    let (calls_with_events, with_events) = calls(true).await;
    let (_, without) = calls(false).await;
    // The others are those of any change.
    let of_outbox: Vec<_> = with_events.difference(&without).collect();
    assert_eq!(of_outbox.len(), 2, "{of_outbox:?}");
    for place in of_outbox {
        let noticed = every(calls_with_events, Some(place)).await;
        assert!(noticed.is_err(), "nobody misses {place}");
    }
}
