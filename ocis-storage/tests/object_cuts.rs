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
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ocis_core::port::{DisableSpace, OpenVersion, PurgeSpace, Spaces, Versions};
use ocis_core::{ErrorKind, Result};
use ocis_storage::Options;
use ocis_storage::blob::faulty::{FaultyObjects, ObjectFault};
use ocis_storage::blob::{Cut, ObjectBlobs};
use ocis_storage::fs::{FaultyFs, Fs, MemoryFs};

use world::{ROOT, World, at, runtime, storage};

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
    runtime: &tokio::runtime::Runtime,
) -> Result<World> {
    let (objects, handle) = (Arc::new(objects.clone()), runtime.handle().clone());
    let place = (Arc::clone(&fs), Path::new(ROOT));
    let blobs = Arc::new(ObjectBlobs::new("the bucket", objects, CUT, place, handle));
    World::over(fs, blobs, Options { versioning, ..Options::new(storage()) })
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
                self.purge(folder.map(|item| item.key)).await
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
    runtime(1).block_on(world.see()).map_err(|error| format!("{error:?}"))
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
    let world = open(Arc::new(disk.clone()), &objects, versions, &runtime).unwrap();
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
            let (runtime, objects) = (runtime(1), FaultyObjects::new());
            let fs = Arc::new(MemoryFs::default());
            let world = open(fs, &objects, versions, &runtime).unwrap();
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
