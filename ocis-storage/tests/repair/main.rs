//! Every file of a small store is damaged in every way, one at a time: the check finds it, the repair
//! mends it or says why not, nothing is removed that could be the last copy, and whatever was not
//! damaged is as before, byte for byte.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test speaks by panicking"
)]

mod cuts;
mod purged;
#[path = "../world/mod.rs"]
mod world;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ocis_core::Result;
use ocis_core::finding::{Finding, Problem, Remedy};
use ocis_core::id::SpaceId;
use ocis_core::port::{Check, CheckSizes, EmptyFolders, Maintenance, RawNode, SetRawMetadata};
use ocis_storage::Options;
use ocis_storage::fs::{Fs, Kind, MemoryFs, Open};

use world::{ROOT, USER, World, at, runtime, server, storage};

fn open(disk: &MemoryFs) -> World {
    over(Arc::new(disk.clone()))
}

fn over(fs: Arc<dyn Fs>) -> World {
    World::open(fs, Options::new(storage())).unwrap()
}

fn space() -> SpaceId {
    at("").base.space
}

impl World {
    /// A store with one of everything.
    async fn fill(&self) {
        self.home(USER).await.unwrap();
        for folder in ["d", "d/e", "t", "empty"] {
            self.mkdir(folder).await.unwrap();
        }
        for (path, content) in FILES {
            self.put(path, content.as_bytes()).await.unwrap();
        }
        self.put("v", b"the second content of v").await.unwrap();
        self.put("t/in", b"deleted with its folder").await.unwrap();
        self.put("gone", b"deleted").await.unwrap();
        for path in ["t", "gone"] {
            self.delete(path).await.unwrap();
        }
        assert_eq!(self.store.check().unwrap(), Vec::<String>::new());
    }

    async fn text(&self, path: &str) -> Option<String> {
        String::from_utf8(self.read(path).await.ok()??).ok()
    }

    async fn names(&self, path: &str) -> Vec<String> {
        let nodes = self.list(path).await.unwrap_or_default();
        nodes.into_iter().map(|node| node.info.name.clone()).collect()
    }

    /// The whole check or repair, step by step.
    async fn check(&self, repair: bool) -> Vec<Finding> {
        self.try_check(repair).await.unwrap()
    }

    async fn try_check(&self, repair: bool) -> Result<Vec<Finding>> {
        let (mut found, mut request) = (Vec::new(), Check { repair, ..Check::default() });
        loop {
            let step = self.driver.check(&server(), request.clone()).await?;
            found.extend(step.findings);
            request.cursor = step.next;
            if request.cursor.is_none() {
                return Ok(found);
            }
        }
    }

    fn contents(&self) -> BTreeMap<String, String> {
        let mut contents = BTreeMap::new();
        for (path, kind) in self.files() {
            let text = path.to_str().unwrap();
            if kind == Kind::File && text.contains("/blobs/") {
                let bytes = self.store.fs().read(&path).unwrap();
                contents.insert(text.to_owned(), String::from_utf8_lossy(&bytes).into_owned());
            }
        }
        contents
    }

    /// Every file, link and folder of the store but the journal, the outermost first.
    fn files(&self) -> Vec<(PathBuf, Kind)> {
        let (mut found, mut open) = (Vec::new(), vec![PathBuf::from(ROOT)]);
        while let Some(folder) = open.pop() {
            let mut entries = self.store.fs().read_dir(&folder).unwrap();
            entries.sort_by(|a, b| a.name.cmp(&b.name));
            for entry in entries.into_iter().filter(|entry| entry.name != ".ocis-rs") {
                let path = folder.join(&entry.name);
                if entry.kind == Kind::Folder {
                    open.push(path.clone());
                }
                found.push((path, entry.kind));
            }
        }
        found
    }
}

/// What stays; the first content of `v` becomes a version.
const FILES: [(&str, &str); 5] = [
    ("a", "the content of a"),
    ("d/b", "the content of b"),
    ("d/e/c", "the content of c, in the innermost folder"),
    ("d/e/f", "f"),
    ("v", "the first content of v, longer than the second"),
];

fn expected(path: &str) -> &'static str {
    match path {
        "v" => "the second content of v",
        _ => FILES.iter().find(|(name, _)| *name == path).unwrap().1,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Damage {
    Remove,
    Garbage,
    Empty,
    Retarget,
}

fn remove(disk: &MemoryFs, path: &Path, kind: Kind) {
    if kind == Kind::Folder {
        for entry in disk.read_dir(path).unwrap() {
            remove(disk, &path.join(&entry.name), entry.kind);
        }
        disk.rmdir(path).unwrap();
    } else {
        disk.unlink(path).unwrap();
    }
}

fn damage(disk: &MemoryFs, path: &Path, kind: Kind, how: Damage) -> bool {
    match (how, kind) {
        (Damage::Remove, _) => remove(disk, path, kind),
        (Damage::Garbage, Kind::File) => {
            disk.write(path, b"\xc1 this is not what was here, and longer than it was too")
                .unwrap();
        }
        (Damage::Empty, Kind::File) if disk.stat(path).unwrap().size > 0 => {
            disk.open(path, Open::Write).unwrap().set_size(0).unwrap();
        }
        (Damage::Retarget, Kind::Symlink) => {
            let target = "../../../../../aa/bb/cc/dd/-0000-4000-8000-000000000000";
            disk.unlink(path).unwrap();
            disk.symlink(Path::new(target), path).unwrap();
        }
        _ => return false,
    }
    true
}

/// The names of node files and folders, by what of the space lies at or below them.
fn is_hit(path: &str, hit: &Path, ids: &BTreeMap<String, String>) -> bool {
    let flat: String = hit.to_str().unwrap().split('/').collect();
    let parts: Vec<_> = path.split('/').collect();
    let above = (1..=parts.len()).map(|count| parts[..count].join("/"));
    above.into_iter().any(|path| ids.get(&path).is_some_and(|id| flat.contains(id)))
}

async fn ids(world: &World) -> BTreeMap<String, String> {
    let mut ids = BTreeMap::new();
    for path in FILES.iter().map(|(path, _)| *path).chain(["d", "d/e", "empty"]) {
        let (node, content) = world.store.content(&world.cx, &at(path)).await.unwrap();
        ids.insert(path.to_owned(), node.info.id.node.to_string());
        if let Some(blob) = content.and_then(|content| content.blob) {
            ids.insert(format!("{path} blob"), blob.to_string());
        }
    }
    ids
}

/// Damages the file with this number; none when there are no more.
async fn once(number: usize, how: Damage) -> Option<()> {
    let disk = MemoryFs::default();
    let (world, ids) = {
        let world = open(&disk);
        world.fill().await;
        let ids = ids(&world).await;
        world.store.close().unwrap();
        (world, ids)
    };
    let (path, kind) = world.files().into_iter().nth(number)?;
    let text = path.to_str().unwrap().to_owned();
    let before = world.contents();
    drop(world);
    if !damage(&disk, &path, kind, how) {
        return Some(());
    }
    let world = open(&disk);
    let told = format!("{how:?} of {text}");
    let found = world.check(false).await;
    // A folder without anything in it says nothing, and node files have no content.
    let is_silent = text.contains("/uploads")
        || text.ends_with(".migrations")
        || (how == Damage::Garbage && text.contains("/nodes/") && !text.ends_with(".mpk"))
        || ["by-group-id", "indexes", "spaces"].iter().any(|name| text.ends_with(name));
    assert!(is_silent || !found.is_empty(), "{told} is not found");
    let repaired = world.check(true).await;
    assert!(
        repaired.iter().all(|finding| !matches!(finding.remedy, Remedy::Repairable(_))),
        "{told}: {repaired:#?}"
    );
    let left = world.check(false).await;
    for finding in &left {
        assert!(matches!(finding.remedy, Remedy::Decide(_)), "{told}: {finding}");
    }
    world.store.close().unwrap();
    drop(world);
    let world = open(&disk);
    assert_eq!(world.check(false).await.len(), left.len(), "{told}: the same after opening again");
    // Nothing but what was hit is lost, and no content is gone.
    let is_metadata = text.ends_with(".mpk") && text.contains("/nodes/");
    for (blob, content) in &before {
        if !Path::new(blob).starts_with(&path) {
            assert_eq!(world.contents().get(blob), Some(content), "{told}: {blob}");
        }
    }
    let root: String = format!("{text}/").split('/').collect();
    let is_root = is_metadata && root.ends_with(&format!("nodes{USER}.mpk"));
    let is_tree = kind == Kind::Folder && !ids.values().any(|id| root.ends_with(id.as_str()));
    for (file, _) in FILES {
        let blob = &ids[&format!("{file} blob")];
        let is_blob = root.contains("blobs") && root.ends_with(blob.as_str());
        let is_cut_off = is_metadata && is_hit(file, &path, &ids);
        if is_root || is_tree || is_blob || is_cut_off {
            continue;
        }
        let content = world.text(file).await;
        assert_eq!(content.as_deref(), Some(expected(file)), "{told}: {file}");
    }
    Some(())
}

fn everything(how: Damage) {
    let runtime = runtime(1);
    let (mut count, mut wrong) = (0, 0);
    loop {
        let one = std::panic::AssertUnwindSafe(|| runtime.block_on(once(count, how)));
        match std::panic::catch_unwind(one) {
            Ok(Some(())) => {}
            Ok(None) => break,
            Err(_) => wrong += 1,
        }
        count += 1;
    }
    assert_eq!(wrong, 0, "see above");
    assert!(count > 60, "{count} files were damaged");
}

#[test]
fn what_is_removed() {
    everything(Damage::Remove);
}

#[test]
fn what_is_overwritten() {
    everything(Damage::Garbage);
}

#[test]
fn what_is_cut_off() {
    everything(Damage::Empty);
}

#[test]
fn links_that_lead_elsewhere() {
    everything(Damage::Retarget);
}

fn run<T>(work: impl Future<Output = T>) -> T {
    runtime(1).block_on(work)
}

async fn filled() -> World {
    let world = open(&MemoryFs::default());
    world.fill().await;
    world
}

impl World {
    /// Where a file of the store lies.
    fn file(&self, part: &str) -> PathBuf {
        PathBuf::from(format!("{ROOT}/spaces/ei/nstein/{part}"))
    }

    fn orphan(&self) -> PathBuf {
        let path = self.file("blobs/aa/bb/cc/dd/-0000-4000-8000-000000000000");
        self.store.fs().mkdir_all(path.parent().unwrap()).unwrap();
        self.store.fs().write(&path, b"nobody's").unwrap();
        path
    }
}

#[test]
fn a_content_that_nothing_refers_to_is_removed_where_all_else_is_whole() {
    run(async {
        let world = filled().await;
        let orphan = world.orphan();
        let mark = format!("{ROOT}/uploads/{USER}$aabbccdd-0000-4000-8000-000000000000");
        world.store.fs().write(Path::new(&mark), b"").unwrap();
        assert_eq!(world.check(true).await, [], "an upload is under way");
        world.store.fs().unlink(Path::new(&mark)).unwrap();
        let found = world.check(true).await;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].problem, Problem::BlobOrphaned);
        assert!(!found[0].is_open());
        assert!(world.store.fs().stat(&orphan).is_err());
        assert_eq!(world.names("").await, ["a", "d", "empty", "v"]);
    });
}

#[test]
fn a_content_that_may_be_somebodys_is_kept() {
    run(async {
        let world = filled().await;
        let id = ids(&world).await["a"].clone();
        let [a, b, c, d] = [0, 2, 4, 6].map(|at| &id[at..at + 2]);
        let node = world.file(&format!("nodes/{a}/{b}/{c}/{d}/{}", &id[8..]));
        world.store.fs().unlink(&node).unwrap();
        world.store.fs().unlink(&node.with_added_extension("mpk")).unwrap();
        world.check(true).await;
        assert_eq!(world.check(false).await, []);
        let names = world.names("lost+found").await;
        assert_eq!(names.len(), 1);
        let content = world.text(&format!("lost+found/{}", names[0])).await;
        assert_eq!(content.as_deref(), Some(expected("a")));
    });
}

#[test]
fn sizes_are_told_from_the_innermost_on_and_corrected() {
    run(async {
        let world = filled().await;
        let ids = ids(&world).await;
        let set = |path: &str, value: &str| SetRawMetadata {
            node: RawNode::Id(space(), ids[path].parse().unwrap()),
            key: "user.ocis.treesize".into(),
            value: value.into(),
        };
        for (path, value) in [("d", "7"), ("d/e", "x")] {
            world.driver.set_raw_metadata(&server(), set(path, value)).await.unwrap();
        }
        let request = |repair| CheckSizes { space: space(), repair };
        for repair in [false, true] {
            let found = world.driver.check_sizes(&server(), request(repair)).await.unwrap();
            let told: Vec<_> = found.wrong.iter().map(|of| (of.path.as_str(), of.said)).collect();
            assert_eq!(told, [("/d/e", None), ("/d", Some(7))]);
            assert_eq!(found.wrong[0].calculated, 41 + 1);
            assert_eq!(found.name, "einstein");
        }
        let found = world.driver.check_sizes(&server(), request(false)).await.unwrap();
        assert_eq!(found.wrong, []);
        assert!(world.driver.check_sizes(&world.cx, request(false)).await.is_err());
    });
}

#[test]
fn metadata_is_read_and_set_as_it_is() {
    run(async {
        let world = filled().await;
        let node = RawNode::Id(space(), ids(&world).await["d/b"].parse().unwrap());
        let before = world.driver.raw_metadata(&server(), node.clone()).await.unwrap();
        assert!(before.contains(&("user.ocis.name".into(), b"b".to_vec())), "{before:?}");
        let set = |key: &str| SetRawMetadata {
            node: node.clone(),
            key: key.into(),
            value: b"\0\xff".to_vec(),
        };
        world.driver.set_raw_metadata(&server(), set("user.ocis.md.x")).await.unwrap();
        let after = world.driver.raw_metadata(&server(), node.clone()).await.unwrap();
        assert!(after.contains(&("user.ocis.md.x".into(), b"\0\xff".to_vec())), "{after:?}");
        assert!(world.driver.set_raw_metadata(&server(), set("name")).await.is_err());
        let outside = RawNode::Path("../etc/passwd".into());
        assert!(world.driver.raw_metadata(&server(), outside).await.is_err());
        assert_eq!(world.check(false).await, []);
    });
}

#[test]
fn empty_folders_of_the_trash_are_listed_and_removed() {
    run(async {
        let world = filled().await;
        let empty = world.file("trash/aa/bb/cc/dd");
        world.store.fs().mkdir_all(&empty).unwrap();
        for remove in [false, true] {
            let request = EmptyFolders { cursor: None, remove };
            let page = world.driver.empty_folders(&server(), request).await.unwrap();
            assert_eq!(page.items, [empty.strip_prefix(ROOT).unwrap().display().to_string()]);
            assert_eq!(page.next, None);
        }
        assert!(world.store.fs().stat(&world.file("trash/aa")).is_err());
        assert_eq!(world.check(false).await, []);
    });
}
