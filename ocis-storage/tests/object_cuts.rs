//! Every request to the bucket that a change makes is refused, loses its answer, or is where the
//! process ends: the change is then made whole or not at all, and nothing stays in the bucket that
//! nobody refers to.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test speaks by panicking"
)]

mod world;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use ocis_core::port::{DisableSpace, OpenVersion, PurgeSpace, Spaces, Versions};
use ocis_core::{Error, ErrorKind, Result};
use ocis_storage::Options;
use ocis_storage::blob::Cut;
use ocis_storage::blob::faulty::{FaultyObjects, ObjectFault};
use ocis_storage::fs::{FaultyFs, Fs, MemoryFs};
use parking_lot::Mutex;
use tokio::runtime::Runtime;
use tokio::time::timeout;

use world::mode::{Mode, modes};
use world::{World, at, is_long, runtime, single, storage, wait_for};

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

type Seen = BTreeMap<String, Vec<u8>>;

/// Opens the store over `fs` and `objects`. With versions, an overwritten content is kept; without,
/// it is dropped.
fn open(
    fs: Arc<dyn Fs>,
    objects: &FaultyObjects,
    versioning: bool,
    runtime: &Runtime,
) -> Result<World> {
    // One file a record, so that purges have more than one.
    let options = Options { versioning, purge_steps: 1, ..Options::new(storage()) };
    World::in_bucket(fs, objects, CUT, runtime, options)
}

impl World {
    async fn prepare(&self, op: Op) {
        self.home("einstein").await.unwrap();
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
                self.delete("f").await.unwrap();
                self.delete("d").await.unwrap();
            }
            Op::PurgeSpace => {
                self.project("project").await.unwrap();
                self.put("project:x", b"x").await.unwrap();
                self.put("project:y", &[5; LARGE]).await.unwrap();
                let request = DisableSpace { space: at("project:").base };
                self.driver.disable(&self.cx, request).await.unwrap();
            }
            _ => {}
        }
    }

    async fn run(&self, op: Op) -> Result<()> {
        match op {
            Op::Upload => self.put("n", b"new").await,
            Op::UploadEmpty => self.put("n", b"").await,
            Op::UploadParts => self.put("n", &[7; LARGE]).await,
            Op::Overwrite => self.put("f", b"newer").await,
            Op::OverwriteParts => self.put("f", &[8; LARGE]).await,
            Op::Copy => self.copy("f", "c").await,
            Op::CopyFolder => self.copy("d", "c").await,
            Op::PurgeVersions => self.purge_versions("f").await,
            Op::PurgeItem => {
                let items = self.trash(None).await?;
                let folder = items.into_iter().find(|item| item.origin.as_str() == "d");
                // What cannot be read is left out of lists.
                let folder = folder.ok_or_else(|| Error::unavailable("it is not listed"))?;
                self.purge(Some(folder.key)).await
            }
            Op::PurgeTrash => self.purge(None).await,
            Op::PurgeSpace => {
                let request = PurgeSpace { space: at("project:").base };
                Spaces::purge(&self.driver, &self.cx, request).await
            }
        }
    }

    /// The versions of a file, and their contents.
    async fn see_versions(&self, path: &str, seen: &mut Seen) -> Result<()> {
        for version in self.versions(path).await? {
            let request = OpenVersion { target: at(path), key: version.key };
            let read = Versions::open_read(&self.driver, &self.cx, request).await?;
            // Their keys hold the time of the test.
            let name = format!("{path}, {} bytes", version.size);
            seen.insert(name, self.fetch(read.ticket).await?);
        }
        Ok(())
    }

    /// The contents of all files that may be there.
    async fn see(&self) -> Result<Seen> {
        let mut seen = Seen::new();
        for path in ["f", "n", "c", "d/x", "d/y", "c/x", "c/y"] {
            match self.read(path).await {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                content => match content? {
                    Some(content) => drop(seen.insert(path.into(), content)),
                    None => continue,
                },
            }
            self.see_versions(path, &mut seen).await?;
        }
        for item in self.trash(None).await? {
            seen.insert(format!("deleted {}", item.origin), Vec::new());
        }
        let spaces = self.store.spaces_on_disk()?;
        seen.extend(spaces.into_iter().map(|space| (format!("space {space}"), Vec::new())));
        Ok(seen)
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
    runtime(1).block_on(world.see()).map_err(|error| format!("{error:?}"))
}

/// What others do while a request to the bucket hangs.
struct Others(Arc<Mutex<Option<Result<(), String>>>>);

/// How long others may be held up before it is an error: much less than a request may hang.
const PATIENCE: Duration = Duration::from_secs(30);

impl Others {
    /// Sees to it that a folder is made, and looked for, while a request hangs.
    fn of(world: &World, objects: &FaultyObjects) -> Self {
        let (done, world) = (Arc::new(Mutex::new(None)), world.clone());
        let told = Arc::clone(&done);
        objects.while_hanging(move || {
            let (sender, receiver) = std::sync::mpsc::channel();
            let world = world.clone();
            let work = async move {
                world.mkdir("meanwhile").await?;
                world.list("meanwhile").await
            };
            // A thread of its own: it must not wait for ever when it has to wait for the bucket.
            std::thread::spawn(move || sender.send(single().block_on(work).map(drop)));
            let went_on = match receiver.recv_timeout(PATIENCE) {
                Ok(result) => result.map_err(|error| format!("{error:?}")),
                Err(_) => Err("they wait as well".into()),
            };
            *told.lock() = Some(went_on);
        });
        Self(done)
    }

    /// Whether they did it, where a request hung.
    fn went_on(&self, fault: ObjectFault) -> Result<(), String> {
        if !matches!(fault, ObjectFault::TimeOut | ObjectFault::TimeOutLate) {
            return Ok(());
        }
        // Nobody may wait for the request.
        wait_for(|| self.0.lock().is_some());
        let went_on = self.0.lock().clone().unwrap_or_else(|| Err("nothing hung".into()));
        went_on.map_err(|wrong| format!("others do not go on: {wrong}"))
    }
}

/// Runs `op` with a fault at its request `number`; none when it makes no such request.
fn once(
    op: Op,
    fault: ObjectFault,
    number: u64,
    versions: bool,
    seen: &[Seen; 2],
) -> Option<String> {
    let (disk, objects, runtime) = (MemoryFs::default(), FaultyObjects::new(), runtime(1));
    let fs = FaultyFs::new(Arc::new(disk.clone()));
    let is_crash = matches!(fault, ObjectFault::CutBefore | ObjectFault::CutAfter);
    let world = open(Arc::new(fs.clone()), &objects, versions, &runtime).unwrap();
    runtime.block_on(world.prepare(op));
    let first = objects.calls();
    objects.plan(first + number, fault, &fs);
    let others = Others::of(&world, &objects);
    let result = runtime.block_on(world.run(op));
    if objects.calls() <= first + number {
        objects.heal();
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
        if let Err(wrong) = others.went_on(fault) {
            return told(&wrong);
        }
        objects.heal();
        if let Err(wrong) = checked(&disk, &world, &objects) {
            return told(&wrong);
        }
        runtime.block_on(world.put("again", b"again")).unwrap();
    }
    objects.heal();
    fs.cut();
    drop(world);
    disk.cut();
    let objects = objects.restarted();
    let world = open(Arc::new(disk.clone()), &objects, versions, &runtime).unwrap();
    let after = match checked(&disk, &world, &objects) {
        Ok(after) => after,
        Err(wrong) => return told(&wrong),
    };
    world.store.close().unwrap();
    let is_right = match &result {
        Ok(()) => after == seen[1],
        Err(_) if is_crash => seen.contains(&after),
        Err(error) => error.kind() == ErrorKind::Unavailable && after == seen[0],
    };
    if is_right { Some(String::new()) } else { told(&format!("{:?}", after.keys())) }
}

/// Runs `op` with a fault at its call `number` to the file system; none when it makes no such call.
fn once_on_disk(op: Op, mode: Mode, number: u64, seen: &[Seen; 2]) -> Option<String> {
    let (disk, objects, runtime) = (MemoryFs::default(), FaultyObjects::new(), runtime(1));
    let fs = FaultyFs::new(Arc::new(disk.clone()));
    let world = open(Arc::new(fs.clone()), &objects, true, &runtime).unwrap();
    runtime.block_on(world.prepare(op));
    let first = mode.count(&fs);
    fs.plan(first + number, mode.fault());
    let result = runtime.block_on(world.run(op));
    let is_hit = mode.count(&fs) > first + number;
    let mut probed = Ok(());
    if mode.is_survived() && is_hit && !world.store.has_failed() {
        probed = runtime.block_on(world.mkdir("probe"));
    }
    let _ = world.store.close();
    if mode.count(&fs) <= first + number {
        return None;
    }
    // From here on it is another process.
    fs.cut();
    drop(world);
    mode.crash(&disk);
    let told = |what: &str| Some(format!("{op:?} {mode:?} at {number} {result:?}: {what}\n"));
    if let Err(error) = probed {
        return told(&format!("it does not go on: {error:?}"));
    }
    let objects = objects.restarted();
    let world = match open(Arc::new(disk.clone()), &objects, true, &runtime) {
        Ok(world) => world,
        Err(error) => return told(&format!("it does not open: {error:?}")),
    };
    let after = match checked(&disk, &world, &objects) {
        Ok(after) => after,
        Err(wrong) => return told(&wrong),
    };
    world.store.close().unwrap();
    let refused =
        |error: &Error| !matches!(error.kind(), ErrorKind::Internal | ErrorKind::Unavailable);
    let is_right = match &result {
        Ok(()) => after == seen[1],
        Err(error) if refused(error) => after == seen[0],
        Err(_) => seen.contains(&after),
    };
    if is_right { Some(String::new()) } else { told(&format!("{:?}", after.keys())) }
}

/// What is seen before and after `op`.
fn seen(op: Op, versions: bool) -> [Seen; 2] {
    let (runtime, objects) = (runtime(1), FaultyObjects::new());
    let world = open(Arc::new(MemoryFs::default()), &objects, versions, &runtime).unwrap();
    runtime.block_on(world.prepare(op));
    let before = runtime.block_on(world.see()).unwrap();
    runtime.block_on(world.run(op)).unwrap();
    let after = runtime.block_on(world.see()).unwrap();
    assert_ne!(before, after, "{op:?} does something");
    [before, after]
}

/// Tries every number until there is no such call, and tells what is wrong.
fn every(once: impl Fn(u64) -> Option<String>) -> String {
    let verdicts: Vec<_> = (0..).map_while(once).collect();
    assert!(!verdicts.is_empty(), "the change makes calls");
    verdicts.concat()
}

fn holds(ops: &[Op], versions: bool) {
    use ObjectFault::{Away, CutAfter, CutBefore, Lose, Refuse, TimeOut, TimeOutLate};
    let mut wrong = String::new();
    for op in ops {
        let seen = seen(*op, versions);
        for fault in [Refuse, Lose, TimeOut, TimeOutLate, Away, CutBefore, CutAfter] {
            wrong += &every(|number| once(*op, fault, number, versions, &seen));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Every call to the file system, where contents are in the bucket.
fn holds_on_disk(ops: &[Op]) {
    let few = vec![Mode::Cut, Mode::Kill, Mode::Fail(std::io::ErrorKind::StorageFull)];
    let modes = if is_long() { modes() } else { few };
    let mut wrong = String::new();
    for op in ops {
        let seen = seen(*op, true);
        for mode in &modes {
            wrong += &every(|number| once_on_disk(*op, *mode, number, &seen));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
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

#[test]
fn calls_to_the_file_system_of_what_is_uploaded() {
    holds_on_disk(&[
        Op::Upload,
        Op::UploadEmpty,
        Op::UploadParts,
        Op::Overwrite,
        Op::OverwriteParts,
    ]);
}

#[test]
fn calls_to_the_file_system_of_what_is_copied() {
    holds_on_disk(&[Op::Copy, Op::CopyFolder]);
}

#[test]
fn calls_to_the_file_system_of_what_is_purged() {
    holds_on_disk(&[Op::PurgeVersions, Op::PurgeItem, Op::PurgeTrash, Op::PurgeSpace]);
}

/// What is there of an upload whose last bytes never come, and how it is cut: five parts can be sent.
const STALLED: (usize, usize) = (600_000, 1_000_000);
const STALLED_CUT: Cut = Cut { part: 100_000, ..CUT };

async fn stall(world: &World) -> Result<()> {
    let came = Bytes::from(vec![7; STALLED.0]);
    let came = futures::stream::iter([Ok(Frame::data(came))]);
    let body = StreamBody::new(came.chain(futures::stream::pending()));
    world.put_body("n", STALLED.1, body.boxed_unsync()).await
}

/// A store in which an upload stalls, with a `fault` at its request `number`.
fn stalling(
    number: u64,
    fault: ObjectFault,
    runtime: &Runtime,
) -> (World, MemoryFs, FaultyObjects) {
    let (disk, objects) = (MemoryFs::default(), FaultyObjects::new());
    let fs: Arc<dyn Fs> = Arc::new(disk.clone());
    let options = Options::new(storage());
    let world = World::in_bucket(fs, &objects, STALLED_CUT, runtime, options).unwrap();
    runtime.block_on(world.home("einstein")).unwrap();
    objects.plan(objects.calls() + number, fault, &FaultyFs::new(Arc::new(disk.clone())));
    (world, disk, objects)
}

#[test]
fn a_failure_is_told_before_the_last_byte() {
    use ObjectFault::{Away, Lose, Refuse, TimeOut, TimeOutLate};
    let runtime = runtime(1);
    for fault in [Refuse, Lose, TimeOut, TimeOutLate, Away] {
        // The upload is begun, and then the parts come.
        for number in 0..=5 {
            let (world, disk, objects) = stalling(number, fault, &runtime);
            let told = runtime.block_on(async { timeout(PATIENCE, stall(&world)).await });
            let told = told.unwrap_or_else(|_| panic!("{fault:?} at {number}: nobody is told"));
            assert_eq!(told.unwrap_err().kind(), ErrorKind::Unavailable, "{fault:?} at {number}");
            objects.heal();
            let seen = checked(&disk, &world, &objects).unwrap();
            assert!(!seen.contains_key("n"), "{fault:?} at {number}");
            runtime.block_on(world.put("again", b"again")).unwrap();
        }
    }
}

#[test]
fn parts_of_a_client_that_left_go_as_soon_as_the_bucket_is_back() {
    let runtime = runtime(1);
    // The upload is begun, five parts come, and then they are to be given up.
    let (world, disk, objects) = stalling(6, ObjectFault::Away, &runtime);
    let leaving = world.clone();
    let client = runtime.spawn(async move { stall(&leaving).await });
    wait_for(|| objects.open_parts() == 5);
    client.abort();
    wait_for(|| world.store.waiting_drops() == 1);
    objects.heal();
    checked(&disk, &world, &objects).unwrap();
}
