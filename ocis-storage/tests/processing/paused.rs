//! Bringing something back from the trash, held up between reading its files and changing them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ocis_core::port::{ListTrash, PageRequest, RestoreTrash, Trash};
use ocis_core::time::Timestamp;
use ocis_core::trash::Collision;
use ocis_storage::fs::{Entry, File, Fs, Held, MemoryFs, Open, Stat};
use ocis_storage::session::step::Outcome;

use crate::LARGE;
use crate::world::{Told, World, at};

/// How long somebody is held up who is waited for.
const PATIENCE: Duration = Duration::from_millis(500);

/// Holds up who reads the metadata of something deleted, once, until no upload is left.
#[derive(Debug, Default)]
struct Paused {
    disk: MemoryFs,
    is_armed: AtomicBool,
    is_held_up: AtomicBool,
}

impl Paused {
    fn hold_up(&self) {
        self.is_held_up.store(true, Ordering::SeqCst);
        let (start, uploads) = (Instant::now(), Path::new("/store/uploads"));
        while start.elapsed() < PATIENCE && !self.disk.read_dir(uploads).unwrap().is_empty() {
            std::thread::yield_now();
        }
    }
}

impl Fs for Paused {
    fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn File>> {
        let opened = self.disk.open(path, how);
        let is_it = how == Open::Read && path.to_string_lossy().contains(".T.");
        if is_it && self.is_armed.swap(false, Ordering::SeqCst) {
            let content = self.disk.read(path)?;
            self.hold_up();
            // What was read is what was there before.
            let before = MemoryFs::default();
            before.write(Path::new("/before"), &content)?;
            return before.open(Path::new("/before"), Open::Read);
        }
        opened
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        self.disk.stat(path)
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<Entry>> {
        self.disk.read_dir(path)
    }

    fn mkdir(&self, path: &Path) -> io::Result<()> {
        self.disk.mkdir(path)
    }

    fn rmdir(&self, path: &Path) -> io::Result<()> {
        self.disk.rmdir(path)
    }

    fn unlink(&self, path: &Path) -> io::Result<()> {
        self.disk.unlink(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.link(from, to)
    }

    fn symlink(&self, target: &Path, path: &Path) -> io::Result<()> {
        self.disk.symlink(target, path)
    }

    fn readlink(&self, path: &Path) -> io::Result<PathBuf> {
        self.disk.readlink(path)
    }

    fn copy(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.copy(from, to)
    }

    fn set_modified(&self, path: &Path, time: Timestamp) -> io::Result<()> {
        self.disk.set_modified(path, time)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.disk.sync_dir(path)
    }

    fn sync_all(&self, path: &Path) -> io::Result<()> {
        self.disk.sync_all(path)
    }

    fn free_space(&self, path: &Path) -> io::Result<u64> {
        self.disk.free_space(path)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Held>>> {
        self.disk.lock(path)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_back_from_the_trash_while_it_is_refused_has_its_former_content() {
    let (step, paused) = (Told::new("step"), Arc::new(Paused::default()));
    let fs = Arc::clone(&paused) as Arc<dyn Fs>;
    let world = World::over(paused.disk.clone(), fs, vec![Arc::clone(&step) as _]).await;
    step.order(Outcome::Continue);
    world.put("f", b"old").await.unwrap();
    world.finish().await;
    world.put("f", &LARGE).await.unwrap();
    world.delete("f").await;
    let (space, page) = (at("").base, PageRequest::default());
    let list = ListTrash { space: space.clone(), key: None, page };
    let key = Trash::list(&world.driver, &world.cx, list).await.unwrap().items.remove(0).key;
    let collision = Collision::Refuse;
    let request = RestoreTrash { space, key, to: None, collision, lock_tokens: Vec::new() };
    paused.is_armed.store(true, Ordering::SeqCst);
    let refused = async {
        while !paused.is_held_up.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
        step.order(Outcome::Delete);
        world.until(async |world| world.list().await.is_empty()).await;
    };
    let restore = Trash::restore(&world.driver, &world.cx, request);
    let (restored, ()) = tokio::join!(restore, refused);
    restored.unwrap();
    assert_eq!(world.get("f").await.unwrap(), b"old");
    world.assert_whole();
}
