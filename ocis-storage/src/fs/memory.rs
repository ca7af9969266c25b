//! A file system in memory for tests, which knows what was flushed and can lose the rest.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use ocis_core::time::Timestamp;
use parking_lot::Mutex;

use super::{Entry, File, Fs, Held, Kind, Open, Stat};

mod crash;

/// A file system in memory. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct MemoryFs(Arc<Mutex<Disk>>);

type Inode = u64;
type Names = BTreeMap<String, Inode>;

#[derive(Debug)]
struct Disk {
    nodes: HashMap<Inode, Node>,
    next: Inode,
    locked: Vec<Inode>,
    free: u64,
}

#[derive(Debug)]
enum Node {
    File(Content),
    Folder { names: Names, flushed: Names },
    Symlink(PathBuf),
}

/// The bytes of a file. `flushed` is what a power cut leaves; both are equal below `clean`.
#[derive(Debug)]
struct Content {
    bytes: Vec<u8>,
    flushed: Vec<u8>,
    clean: usize,
    modified: Timestamp,
}

const ROOT: Inode = 0;

impl Default for Disk {
    fn default() -> Self {
        let root = Node::Folder { names: Names::new(), flushed: Names::new() };
        Self { nodes: HashMap::from([(ROOT, root)]), next: 1, locked: Vec::new(), free: 1 << 40 }
    }
}

fn fail<T>(kind: io::ErrorKind) -> io::Result<T> {
    Err(io::Error::from(kind))
}

impl Content {
    fn new() -> Self {
        let modified = epoch();
        Self { bytes: Vec::new(), flushed: Vec::new(), clean: 0, modified }
    }

    fn flush(&mut self) {
        self.flushed.truncate(self.clean);
        self.flushed.extend_from_slice(self.bytes.get(self.clean..).unwrap_or_default());
        self.clean = self.bytes.len();
    }

    fn lose(&mut self) {
        self.bytes.clone_from(&self.flushed);
        self.clean = self.bytes.len();
    }
}

#[allow(clippy::expect_used, reason = "the epoch is in range")]
fn epoch() -> Timestamp {
    Timestamp::from_unix(0, 0).expect("in range")
}

impl Disk {
    /// The folder that holds `path`, and the name in it.
    fn place<'p>(&self, path: &'p Path) -> io::Result<(Inode, &'p str)> {
        let name = path.file_name().and_then(|name| name.to_str());
        let (Some(parent), Some(name)) = (path.parent(), name) else {
            return fail(io::ErrorKind::InvalidInput);
        };
        if name.len() > ocis_core::name::MAX_NAME_BYTES {
            return fail(io::ErrorKind::InvalidFilename);
        }
        Ok((self.find(parent)?, name))
    }

    fn find(&self, path: &Path) -> io::Result<Inode> {
        let mut at = ROOT;
        for part in path.components() {
            let name = match part {
                Component::RootDir | Component::CurDir => continue,
                Component::Normal(name) => name.to_str(),
                Component::ParentDir | Component::Prefix(_) => None,
            };
            let Some(name) = name else { return fail(io::ErrorKind::InvalidInput) };
            match self.names(at)?.get(name) {
                Some(next) => at = *next,
                None => return fail(io::ErrorKind::NotFound),
            }
        }
        Ok(at)
    }

    fn names(&self, folder: Inode) -> io::Result<&Names> {
        match self.nodes.get(&folder) {
            Some(Node::Folder { names, .. }) => Ok(names),
            _ => fail(io::ErrorKind::NotADirectory),
        }
    }

    fn names_mut(&mut self, folder: Inode) -> io::Result<&mut Names> {
        match self.nodes.get_mut(&folder) {
            Some(Node::Folder { names, .. }) => Ok(names),
            _ => fail(io::ErrorKind::NotADirectory),
        }
    }

    fn content(&mut self, file: Inode) -> io::Result<&mut Content> {
        match self.nodes.get_mut(&file) {
            Some(Node::File(content)) => Ok(content),
            Some(Node::Folder { .. }) => fail(io::ErrorKind::IsADirectory),
            Some(Node::Symlink(_)) => fail(io::ErrorKind::InvalidInput),
            None => fail(io::ErrorKind::NotFound),
        }
    }

    /// Gives `inode` the name `path`, which must be free.
    fn add(&mut self, path: &Path, node: Node) -> io::Result<Inode> {
        let (folder, name) = self.place(path)?;
        if self.names(folder)?.contains_key(name) {
            return fail(io::ErrorKind::AlreadyExists);
        }
        let inode = self.next;
        self.next += 1;
        self.nodes.insert(inode, node);
        self.names_mut(folder)?.insert(name.to_owned(), inode);
        Ok(inode)
    }

    fn flush_names(&mut self, folder: Inode) -> io::Result<()> {
        match self.nodes.get_mut(&folder) {
            Some(Node::Folder { names, flushed }) => {
                flushed.clone_from(names);
                Ok(())
            }
            _ => fail(io::ErrorKind::NotADirectory),
        }
    }
}

impl MemoryFs {
    /// Sets what [`Fs::free_space`] answers, in bytes.
    pub fn set_free_space(&self, bytes: u64) {
        self.0.lock().free = bytes;
    }
}

#[derive(Debug)]
struct MemoryFile {
    disk: MemoryFs,
    inode: Inode,
}

impl File for MemoryFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut disk = self.disk.0.lock();
        let bytes = &disk.content(self.inode)?.bytes;
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let end = start.saturating_add(buffer.len()).min(bytes.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..end - start), bytes.get(start..end)) {
            to.copy_from_slice(from);
        }
        Ok(end - start)
    }

    fn write_at(&self, new: &[u8], offset: u64) -> io::Result<()> {
        let mut disk = self.disk.0.lock();
        let content = disk.content(self.inode)?;
        let start = usize::try_from(offset).map_err(|_| io::ErrorKind::FileTooLarge)?;
        content.clean = content.clean.min(start);
        if content.bytes.len() < start {
            content.clean = content.clean.min(content.bytes.len());
            content.bytes.resize(start, 0);
        }
        let (inside, behind) = new.split_at((content.bytes.len() - start).min(new.len()));
        if let Some(old) = content.bytes.get_mut(start..start + inside.len()) {
            old.copy_from_slice(inside);
        }
        content.bytes.extend_from_slice(behind);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.0.lock().content(self.inode)?.flush();
        Ok(())
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.disk.0.lock().content(self.inode)?.bytes.len() as u64)
    }

    fn set_size(&self, size: u64) -> io::Result<()> {
        let mut disk = self.disk.0.lock();
        let content = disk.content(self.inode)?;
        let size = usize::try_from(size).map_err(|_| io::ErrorKind::FileTooLarge)?;
        content.clean = content.clean.min(size).min(content.bytes.len());
        content.bytes.resize(size, 0);
        Ok(())
    }
}

#[derive(Debug)]
struct Lock {
    disk: MemoryFs,
    inode: Inode,
}

impl Held for Lock {}

impl Drop for Lock {
    fn drop(&mut self) {
        self.disk.0.lock().locked.retain(|inode| *inode != self.inode);
    }
}

impl Fs for MemoryFs {
    fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn File>> {
        let mut disk = self.0.lock();
        let inode = match (disk.find(path), how) {
            (Ok(_), Open::CreateNew) => return fail(io::ErrorKind::AlreadyExists),
            (Ok(inode), Open::Create) => {
                let content = disk.content(inode)?;
                content.bytes.clear();
                content.clean = 0;
                inode
            }
            (Ok(inode), Open::Read | Open::Write) => inode,
            (Err(error), Open::Create | Open::CreateNew)
                if error.kind() == io::ErrorKind::NotFound =>
            {
                disk.add(path, Node::File(Content::new()))?
            }
            (Err(error), _) => return Err(error),
        };
        disk.content(inode)?;
        Ok(Arc::new(MemoryFile { disk: self.clone(), inode }))
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        let mut disk = self.0.lock();
        let inode = disk.find(path)?;
        let other = |kind| Stat { kind, size: 0, modified: epoch() };
        Ok(match disk.nodes.get(&inode) {
            Some(Node::Folder { .. }) => other(Kind::Folder),
            Some(Node::Symlink(_)) => other(Kind::Symlink),
            _ => {
                let content = disk.content(inode)?;
                let size = content.bytes.len() as u64;
                Stat { kind: Kind::File, size, modified: content.modified }
            }
        })
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<Entry>> {
        let disk = self.0.lock();
        let names = disk.names(disk.find(path)?)?;
        let kind = |inode| match disk.nodes.get(inode) {
            Some(Node::Folder { .. }) => Kind::Folder,
            Some(Node::Symlink(_)) => Kind::Symlink,
            _ => Kind::File,
        };
        Ok(names.iter().map(|(name, at)| Entry { name: name.clone(), kind: kind(at) }).collect())
    }

    fn mkdir(&self, path: &Path) -> io::Result<()> {
        if path.parent().is_none() {
            return fail(io::ErrorKind::AlreadyExists);
        }
        let folder = Node::Folder { names: Names::new(), flushed: Names::new() };
        self.0.lock().add(path, folder).map(drop)
    }

    fn rmdir(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.0.lock();
        if !disk.names(disk.find(path)?)?.is_empty() {
            return fail(io::ErrorKind::DirectoryNotEmpty);
        }
        let (folder, name) = disk.place(path)?;
        disk.names_mut(folder)?.remove(name);
        Ok(())
    }

    fn unlink(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.0.lock();
        let inode = disk.find(path)?;
        if matches!(disk.nodes.get(&inode), Some(Node::Folder { .. })) {
            return fail(io::ErrorKind::IsADirectory);
        }
        let (folder, name) = disk.place(path)?;
        disk.names_mut(folder)?.remove(name);
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut disk = self.0.lock();
        let inode = disk.find(from)?;
        if from == to {
            return Ok(());
        }
        if to.starts_with(from) {
            return fail(io::ErrorKind::InvalidInput);
        }
        let (target, new_name) = disk.place(to)?;
        if let Some(old) = disk.names(target)?.get(new_name) {
            match (disk.nodes.get(&inode), disk.nodes.get(old)) {
                (Some(Node::Folder { .. }), Some(Node::Folder { names, .. }))
                    if names.is_empty() => {}
                (Some(Node::Folder { .. }), Some(Node::Folder { .. })) => {
                    return fail(io::ErrorKind::DirectoryNotEmpty);
                }
                (_, Some(Node::Folder { .. })) => return fail(io::ErrorKind::IsADirectory),
                (Some(Node::Folder { .. }), _) => return fail(io::ErrorKind::NotADirectory),
                _ => {}
            }
        }
        disk.names_mut(target)?.insert(new_name.to_owned(), inode);
        let (source, old_name) = disk.place(from)?;
        disk.names_mut(source)?.remove(old_name);
        Ok(())
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut disk = self.0.lock();
        let inode = disk.find(from)?;
        disk.content(inode)?;
        let (folder, name) = disk.place(to)?;
        let names = disk.names_mut(folder)?;
        if names.contains_key(name) {
            return fail(io::ErrorKind::AlreadyExists);
        }
        names.insert(name.to_owned(), inode);
        Ok(())
    }

    fn symlink(&self, target: &Path, path: &Path) -> io::Result<()> {
        self.0.lock().add(path, Node::Symlink(target.to_owned())).map(drop)
    }

    fn readlink(&self, path: &Path) -> io::Result<PathBuf> {
        let disk = self.0.lock();
        match disk.nodes.get(&disk.find(path)?) {
            Some(Node::Symlink(target)) => Ok(target.clone()),
            _ => fail(io::ErrorKind::InvalidInput),
        }
    }

    fn copy(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut disk = self.0.lock();
        let inode = disk.find(from)?;
        let bytes = disk.content(inode)?.bytes.clone();
        disk.add(to, Node::File(Content { bytes, ..Content::new() })).map(drop)
    }

    fn set_modified(&self, path: &Path, time: Timestamp) -> io::Result<()> {
        let mut disk = self.0.lock();
        let inode = disk.find(path)?;
        disk.content(inode)?.modified = time;
        Ok(())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.0.lock();
        let folder = disk.find(path)?;
        disk.flush_names(folder)
    }

    fn sync_all(&self, _path: &Path) -> io::Result<()> {
        for node in self.0.lock().nodes.values_mut() {
            match node {
                Node::File(content) => content.flush(),
                Node::Folder { names, flushed } => flushed.clone_from(names),
                Node::Symlink(_) => {}
            }
        }
        Ok(())
    }

    fn free_space(&self, _path: &Path) -> io::Result<u64> {
        Ok(self.0.lock().free)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Held>>> {
        self.open(path, Open::Write).or_else(|_| self.open(path, Open::CreateNew))?;
        let mut disk = self.0.lock();
        let inode = disk.find(path)?;
        if disk.locked.contains(&inode) {
            return Ok(None);
        }
        disk.locked.push(inode);
        Ok(Some(Box::new(Lock { disk: self.clone(), inode })))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::contract;
    use super::*;

    #[test]
    fn keeps_the_contract() {
        contract(&MemoryFs::default(), Path::new("/"));
    }

    #[test]
    fn a_power_cut_leaves_what_was_flushed() {
        let fs = MemoryFs::default();
        let path = Path::new;
        fs.mkdir(path("/d")).unwrap();
        fs.sync_dir(path("/")).unwrap();
        let file = fs.open(path("/d/f"), Open::CreateNew).unwrap();
        file.write_at(b"abc", 0).unwrap();
        file.sync().unwrap();
        fs.sync_dir(path("/d")).unwrap();
        file.write_at(b"X", 1).unwrap();
        file.write_at(b"more", 3).unwrap();
        fs.write(path("/d/g"), b"g").unwrap();
        fs.cut();
        assert_eq!(fs.read(path("/d/f")).unwrap(), b"abc");
        assert!(fs.stat(path("/d/g")).is_err());
        file.write_at(b"X", 1).unwrap();
        fs.rename(path("/d/f"), path("/d/h")).unwrap();
        fs.sync_all(path("/")).unwrap();
        fs.cut();
        assert_eq!(fs.read(path("/d/h")).unwrap(), b"aXc");
        assert!(fs.stat(path("/d/f")).is_err());
    }
}
