//! A layer for tests: counts the calls, and fails or cuts at one of them.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ocis_core::time::Timestamp;
use parking_lot::{Mutex, RwLock};

use super::{Entry, File, Fs, Held, Open, Stat};

/// What happens at a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The power goes: the call fails (a write has written half of its bytes), and so does every
    /// later one.
    Cut,
    /// The call fails with an error of this kind and does nothing; later ones work.
    Fail(io::ErrorKind),
    /// The process has no file descriptor left (`EMFILE`): the call, which is counted among those that
    /// need one ([`FaultyFs::opened`]), fails and does nothing; later ones work.
    NoFiles,
    /// The call and all later ones that write fail with an error of this kind.
    FailFrom(io::ErrorKind),
}

/// A file system that passes every call on to another one, until told otherwise. Clones share the
/// count and the plan.
#[derive(Debug, Clone)]
pub struct FaultyFs {
    inner: Arc<dyn Fs>,
    state: Arc<Mutex<State>>,
    /// Held, beside others, while a call is made; alone by who lets none be under way.
    under_way: Arc<RwLock<()>>,
}

#[derive(Debug, Default)]
struct State {
    calls: u64,
    /// Calls that need a file descriptor.
    opened: u64,
    plan: Option<(u64, Fault)>,
    cut: bool,
    trace: Option<Vec<String>>,
    flushes: BTreeSet<String>,
    /// The latest call that changed a name, by folder.
    renamed: HashMap<PathBuf, &'static str>,
    left_out: Option<String>,
}

/// What a call may do.
enum Verdict {
    Go,
    /// Do nothing and say that it was done.
    LeaveOut,
    /// Do half of it, then fail.
    Half,
}

impl State {
    fn call(&mut self, name: &'static str, path: &Path, writes: bool) -> io::Result<Verdict> {
        if self.cut {
            return Err(io::Error::other("the power is off"));
        }
        let number = self.calls;
        self.calls += 1;
        let opens =
            matches!(name, "open" | "read_dir" | "copy" | "lock") || name.starts_with("sync_");
        let opened = self.opened;
        self.opened += u64::from(opens);
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{number} {name} {}", path.display()));
        }
        if writes
            && !name.starts_with("sync")
            && !matches!(name, "write" | "set_size" | "set_modified")
        {
            let folder = path.parent().unwrap_or(path).to_owned();
            let _ = self.renamed.insert(folder, name);
        }
        if name.starts_with("sync") || self.left_out.is_some() {
            let any = place(name, path);
            let mut place = any.clone();
            if let ("sync_dir", Some(cause)) = (name, self.renamed.get(path)) {
                place.push_str(" after ");
                place.push_str(cause);
            }
            if name.starts_with("sync") {
                self.flushes.insert(place.clone());
            }
            if self.left_out.as_ref().is_some_and(|left| *left == place || *left == any) {
                return Ok(Verdict::LeaveOut);
            }
        }
        match self.plan {
            Some((at, Fault::Cut)) if at == number => {
                self.cut = true;
                Ok(Verdict::Half)
            }
            Some((at, Fault::Fail(kind))) if at == number => Err(kind.into()),
            Some((at, Fault::NoFiles)) if opens && at == opened => {
                Err(rustix::io::Errno::MFILE.into())
            }
            Some((at, Fault::FailFrom(kind))) if at <= number && writes => Err(kind.into()),
            _ => Ok(Verdict::Go),
        }
    }
}

/// A call and the kind of place that it is made at: ids and names become `*`.
fn place(name: &str, path: &Path) -> String {
    const KNOWN: [&str; 11] = [
        ".ocis-rs", "journal", "uploads", "indexes", "spaces", "nodes", "blobs", "trash", "outbox",
        // Of the embedded event log.
        "log", "groups",
    ];
    let mut shape = Vec::new();
    for part in path.components().filter_map(|part| part.as_os_str().to_str()) {
        let known = KNOWN.iter().find(|known| **known == part).copied();
        let part = known.unwrap_or("*");
        if shape.last() != Some(&part) {
            shape.push(part);
        }
    }
    let text = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let kinds = [".log", ".mpk.tmp", ".info.tmp", ".info", ".tmp"];
    let kind = kinds.iter().find(|kind| text.ends_with(**kind)).copied().unwrap_or_default();
    format!("{name} {}{kind}", shape.join("/"))
}

impl FaultyFs {
    /// A layer over `inner` without a fault.
    pub fn new(inner: Arc<dyn Fs>) -> Self {
        Self { inner, state: Arc::default(), under_way: Arc::default() }
    }

    /// How many calls were made.
    pub fn calls(&self) -> u64 {
        self.state.lock().calls
    }

    /// How many calls were made that need a file descriptor.
    pub fn opened(&self) -> u64 {
        self.state.lock().opened
    }

    /// Plans `fault` for the call with this number; the first call has number 0.
    pub fn plan(&self, number: u64, fault: Fault) {
        self.state.lock().plan = Some((number, fault));
    }

    /// The power goes now: when this returns, no call of any thread is under way and none will be
    /// made. A plan for the next call would not do, where other threads make calls meanwhile.
    pub fn cut(&self) {
        let _alone = self.under_way.write();
        self.state.lock().cut = true;
    }

    /// Forgets the plan; a cut stays.
    pub fn heal(&self) {
        self.state.lock().plan = None;
    }

    /// Leaves out, from now on, every call at `place`, and says that it was done; with none, none. A
    /// place is a call and a path with `*` for ids and names, for the flush of a folder also the
    /// latest change in it, as [`Self::flushes`] tells them; or that of a write:
    /// `write */.ocis-rs/journal/*.log`.
    pub fn leave_out(&self, place: Option<&str>) {
        self.state.lock().left_out = place.map(str::to_owned);
    }

    /// The places of all flushes so far.
    pub fn flushes(&self) -> BTreeSet<String> {
        self.state.lock().flushes.clone()
    }

    /// Whether the power went.
    pub fn is_cut(&self) -> bool {
        self.state.lock().cut
    }

    /// Begins to keep number, name and path of every call.
    pub fn start_trace(&self) {
        self.state.lock().trace = Some(Vec::new());
    }

    /// The calls since [`Self::start_trace`].
    pub fn trace(&self) -> Vec<String> {
        self.state.lock().trace.clone().unwrap_or_default()
    }

    fn pass<T>(
        &self,
        name: &'static str,
        path: &Path,
        writes: bool,
        call: impl FnOnce(&dyn Fs) -> io::Result<T>,
    ) -> io::Result<T> {
        let _under_way = self.under_way.read();
        let verdict = self.state.lock().call(name, path, writes)?;
        match verdict {
            // Only flushes and writes have nothing to give; see `Self::flush`.
            Verdict::Go | Verdict::LeaveOut => call(&*self.inner),
            Verdict::Half => Err(io::Error::other("the power went")),
        }
    }

    fn flush(
        &self,
        name: &'static str,
        path: &Path,
        call: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        let _under_way = self.under_way.read();
        let verdict = self.state.lock().call(name, path, true)?;
        match verdict {
            Verdict::Go => call(),
            Verdict::LeaveOut => Ok(()),
            Verdict::Half => Err(io::Error::other("the power went")),
        }
    }
}

#[derive(Debug)]
struct FaultyFile {
    inner: Arc<dyn File>,
    path: PathBuf,
    fs: FaultyFs,
}

impl FaultyFile {
    fn pass<T>(
        &self,
        name: &'static str,
        writes: bool,
        call: impl FnOnce(&dyn File) -> io::Result<T>,
    ) -> io::Result<T> {
        self.fs.pass(name, &self.path, writes, |_| call(&*self.inner))
    }
}

impl File for FaultyFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.pass("read", false, |file| file.read_at(buffer, offset))
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let _under_way = self.fs.under_way.read();
        let verdict = self.fs.state.lock().call("write", &self.path, true)?;
        match verdict {
            Verdict::Go => self.inner.write_at(bytes, offset),
            Verdict::LeaveOut => Ok(()),
            Verdict::Half => {
                let half = bytes.get(..bytes.len() / 2).unwrap_or_default();
                self.inner.write_at(half, offset)?;
                Err(io::Error::other("the power went"))
            }
        }
    }

    fn sync(&self) -> io::Result<()> {
        self.fs.flush("sync", &self.path, || self.inner.sync())
    }

    fn size(&self) -> io::Result<u64> {
        self.pass("size", false, |file| file.size())
    }

    fn set_size(&self, size: u64) -> io::Result<()> {
        self.pass("set_size", true, |file| file.set_size(size))
    }
}

impl Fs for FaultyFs {
    fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn File>> {
        let writes = matches!(how, Open::Create | Open::CreateNew);
        let inner = self.pass("open", path, writes, |fs| fs.open(path, how))?;
        Ok(Arc::new(FaultyFile { inner, path: path.into(), fs: self.clone() }))
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        self.pass("stat", path, false, |fs| fs.stat(path))
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<Entry>> {
        self.pass("read_dir", path, false, |fs| fs.read_dir(path))
    }

    fn mkdir(&self, path: &Path) -> io::Result<()> {
        self.pass("mkdir", path, true, |fs| fs.mkdir(path))
    }

    fn rmdir(&self, path: &Path) -> io::Result<()> {
        self.pass("rmdir", path, true, |fs| fs.rmdir(path))
    }

    fn unlink(&self, path: &Path) -> io::Result<()> {
        self.pass("unlink", path, true, |fs| fs.unlink(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.pass("rename", to, true, |fs| fs.rename(from, to))
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.pass("link", to, true, |fs| fs.link(from, to))
    }

    fn symlink(&self, target: &Path, path: &Path) -> io::Result<()> {
        self.pass("symlink", path, true, |fs| fs.symlink(target, path))
    }

    fn readlink(&self, path: &Path) -> io::Result<PathBuf> {
        self.pass("readlink", path, false, |fs| fs.readlink(path))
    }

    fn copy(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.pass("copy", to, true, |fs| fs.copy(from, to))
    }

    fn set_modified(&self, path: &Path, time: Timestamp) -> io::Result<()> {
        self.pass("set_modified", path, true, |fs| fs.set_modified(path, time))
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.flush("sync_dir", path, || self.inner.sync_dir(path))
    }

    fn sync_all(&self, path: &Path) -> io::Result<()> {
        self.flush("sync_all", path, || self.inner.sync_all(path))
    }

    fn free_space(&self, path: &Path) -> io::Result<u64> {
        self.pass("free_space", path, false, |fs| fs.free_space(path))
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Held>>> {
        self.pass("lock", path, true, |fs| fs.lock(path))
    }
}

#[cfg(test)]
mod tests {
    use super::super::MemoryFs;
    use super::*;

    #[test]
    fn faults_come_when_planned() {
        let fs = FaultyFs::new(Arc::new(MemoryFs::default()));
        let path = Path::new("/f");
        fs.plan(1, Fault::Fail(io::ErrorKind::StorageFull));
        let file = fs.open(path, Open::CreateNew).unwrap();
        assert_eq!(file.write_at(b"ab", 0).unwrap_err().kind(), io::ErrorKind::StorageFull);
        file.write_at(b"ab", 0).unwrap();
        assert_eq!(fs.calls(), 3);
        fs.plan(3, Fault::Cut);
        assert!(file.write_at(b"cdef", 2).is_err());
        assert!(fs.is_cut() && fs.stat(path).is_err());
        assert_eq!(fs.inner.read(path).unwrap(), b"abcd");
    }
}
