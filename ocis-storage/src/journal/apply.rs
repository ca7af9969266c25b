//! What records do to files, in the order of the journal.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ocis_core::id::{NodeId, SpaceId};
use ocis_core::time::Timestamp;
use ocis_core::{Error, Result};

use super::record::{Action, Ancestor, Record};
use crate::blob::drops::Drops;
use crate::blob::{BlobStore, staged};
use crate::fs::{Fs, Open, is_missing, is_out_of_files, out_of_files, stays};
use crate::layout::attributes::{Attributes, TMP_ETAG, TREE_MTIME, TREE_SIZE};
use crate::layout::index::Index;
use crate::layout::paths;
use crate::outbox::Outbox;
use crate::store::reindex;

/// Applies records.
#[derive(Debug)]
pub(crate) struct Applier {
    pub(crate) tree: Tree,
    pub(crate) notes: Notes,
}

/// What applied records say that is not in the files yet.
#[derive(Debug)]
pub(crate) struct Notes {
    /// Change times and sizes of folders that are in the journal but not yet in their files.
    pub(crate) unwritten: HashMap<(SpaceId, NodeId), (Timestamp, u64)>,
    /// Where the events of applied records go.
    pub(crate) outbox: Arc<Outbox>,
}

/// The files. Nothing is flushed: until a checkpoint the journal has it all.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) fs: Arc<dyn Fs>,
    pub(crate) blobs: Arc<dyn BlobStore>,
    pub(crate) drops: Drops,
    pub(crate) root: PathBuf,
    pub(crate) uploads: PathBuf,
    /// Whether records are applied that may have been applied before.
    pub(crate) replaying: bool,
}

impl Tree {
    /// Makes the files what a record says.
    pub(crate) fn apply(&self, record: &Record) -> Result<()> {
        record.actions.iter().try_for_each(|action| self.step(action))
    }

    fn step(&self, action: &Action) -> Result<()> {
        let at = |path: &str| self.root.join(path);
        let fs = &*self.fs;
        let done = match action {
            Action::Folder(path) => fs.mkdir_all(&at(path)),
            Action::Put(path, content) => self.put(&at(path), content),
            Action::Link(path, target) => self.link(&at(path), Path::new(target)),
            Action::Remove(path) => gone(self.remove(&at(path))),
            Action::Rename(from, to) => self.rename(&at(from), &at(to)),
            Action::Blob(space, blob, content) => {
                return self.blobs.put_inline(space, blob, content);
            }
            Action::DropBlob(space, blob) => return self.drops.drop_blob(space, blob),
            Action::Unstage(space, blob) => {
                gone(fs.unlink(&staged::path(&self.uploads, space, blob)))
            }
            Action::Modified(path, time) => gone(fs.set_modified(&at(path), *time)),
            Action::RemoveFolder(path) => gone(self.remove_folder(&at(path))),
            Action::Prune(path) => self.prune(&at(path)),
            Action::Index(path, space, value) => {
                return self.index(path, |index| index.add(space, value));
            }
            Action::Unindex(path, space) => {
                return self.index(path, |index| index.remove(space));
            }
            Action::RemoveEmpty(path) => match gone(fs.rmdir(&at(path))) {
                Err(error) if stays(&error) => Ok(()),
                result => result,
            },
        };
        done.map_err(broken)
    }

    /// Gives a file or folder that was renamed its former name back.
    pub(crate) fn undo_rename(&self, from: &str, to: &str) -> Result<()> {
        let (from, to) = (self.root.join(from), self.root.join(to));
        if is_missing(&self.fs.stat(&to)) {
            return Ok(());
        }
        self.rename(&to, &from).map_err(broken)
    }

    /// Gives a file its content. A new one is written where it lies: this process reads no file
    /// that a record under way touches, and after a crash the record is applied again. One that is
    /// there is replaced in one step, for who looks at the files from outside.
    fn put(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let create = || self.fs.open(path, Open::CreateNew);
        let mut created = create();
        if is_missing(&created) {
            self.fs.mkdir_all(path.parent().unwrap_or(path))?;
            created = create();
        }
        match created {
            Ok(_) if content.is_empty() => Ok(()),
            Ok(file) => file.write_at(content, 0),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let temporary = path.with_added_extension("tmp");
                // When a journal is replayed, most of it was applied before.
                if self.replaying && self.fs.read(path)? == content {
                    return gone(self.fs.unlink(&temporary));
                }
                self.fs.write(&temporary, content)?;
                self.fs.rename(&temporary, path)
            }
            Err(error) => Err(error),
        }
    }

    /// Renames; what is in both folders when the journal is replayed becomes one.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        match self.fs.rename(from, to) {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                for entry in self.fs.read_dir(from)? {
                    self.rename(&from.join(&entry.name), &to.join(&entry.name))?;
                }
                self.fs.rmdir(from)
            }
            result => gone(result),
        }
    }

    /// Removes a file or link. A folder that metadata takes for a file goes where it was deleted, and
    /// stays elsewhere, because something may lie in it.
    fn remove(&self, path: &Path) -> io::Result<()> {
        match self.fs.unlink(path) {
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
                // Not a path's last part but one, as `Path` has it where the name is empty.
                let path_text = path.to_string_lossy();
                if path_text.rsplit('/').next().is_some_and(|name| name.contains(".T.")) {
                    return self.remove_folder(path);
                }
                tracing::error!(?path, "a folder that should be a file stays");
                Ok(())
            }
            result => result,
        }
    }

    /// Removes a folder with all that is in it, or a file where metadata takes one for a folder. What
    /// somebody else put there and we may not remove stays, and does no harm.
    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        match self.fs.remove_all(path) {
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => self.fs.unlink(path),
            Err(error) if stays(&error) => {
                tracing::error!(%error, ?path, "a folder that is gone for its users stays");
                Ok(())
            }
            result => result,
        }
    }

    /// Only the applier makes and removes folders of nodes and of the trash, so none of them gets
    /// something new in between.
    fn prune(&self, path: &Path) -> io::Result<()> {
        for folder in path.ancestors().skip(1).take(paths::DEPTH) {
            match self.fs.rmdir(folder) {
                Err(error) if stays(&error) => break,
                result => gone(result)?,
            }
        }
        Ok(())
    }

    fn link(&self, path: &Path, target: &Path) -> io::Result<()> {
        let made = self.fs.symlink(target, path);
        match &made {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                match self.fs.readlink(path) {
                    Ok(there) if there == target => return Ok(()),
                    Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                        self.displace(path)?;
                    }
                    there => there.and_then(|_| self.fs.unlink(path))?,
                }
                self.fs.symlink(target, path)
            }
            _ if is_missing(&made) => {
                self.fs.mkdir_all(path.parent().unwrap_or(path))?;
                self.fs.symlink(target, path)
            }
            _ => made,
        }
    }

    /// Makes room for a link where something else lies, which no store put there: nobody could reach
    /// it, but it may be somebody's.
    fn displace(&self, path: &Path) -> io::Result<()> {
        // Another thread may be putting something else of the folder aside, and names may be long.
        let name = crc32fast::hash(path.as_os_str().as_encoded_bytes());
        let mut number = 1_u64;
        loop {
            let aside = path.with_file_name(format!(".displaced-{name:08x}-{number}"));
            let taken = self.fs.stat(&aside);
            if is_missing(&taken) {
                tracing::warn!(?path, ?aside, "what lay in a folder of the tree is put aside");
                return self.fs.rename(path, &aside);
            }
            taken?;
            number += 1;
        }
    }

    /// Changes an index. One that cannot be read is made anew first: it must not keep the store from
    /// taking changes.
    fn index(&self, path: &str, change: impl FnOnce(&mut Index)) -> Result<()> {
        let before = reindex::read(&*self.fs, &self.root, path)?;
        let mut index = before.clone().unwrap_or_default();
        change(&mut index);
        if before.as_ref() == Some(&index) {
            return Ok(());
        }
        self.put_flushed(&self.root.join(path), &index.encode()?).map_err(broken)
    }

    /// Replaces a file that is read when the journal is replayed, so that it must never be there
    /// without its content, whatever the file system makes of an unflushed rename.
    fn put_flushed(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let temporary = path.with_added_extension("tmp");
        let file = self.fs.open(&temporary, Open::Create)?;
        file.write_at(content, 0)?;
        file.sync()?;
        self.fs.rename(&temporary, path)
    }
}

impl Notes {
    /// Takes note of what a record says beside its files; in the order of the journal.
    pub(crate) fn take(&mut self, record: &Record) {
        for Ancestor { space, node, mtime, size } in &record.ancestors {
            self.unwritten.insert((space.clone(), node.clone()), (*mtime, *size));
        }
        self.outbox.push(&record.events);
    }

    /// Writes change times and sizes into the files of their folders.
    pub(crate) fn write_back(&mut self, tree: &Tree) -> Result<()> {
        for ((space, node), (mtime, size)) in &self.unwritten {
            let path = tree.root.join(paths::metadata(space, node));
            let bytes = match tree.fs.read(&path) {
                Ok(bytes) => bytes,
                // Deleted meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(broken(error)),
            };
            let mut attributes = Attributes::decode(&bytes)?;
            attributes.set(TREE_MTIME, mtime);
            attributes.set(TREE_SIZE, size);
            attributes.set(TMP_ETAG, "");
            tree.put_flushed(&path, &attributes.encode()).map_err(broken)?;
        }
        self.unwritten.clear();
        Ok(())
    }
}

/// What is not there any more was done before.
fn gone(result: io::Result<()>) -> io::Result<()> {
    if is_missing(&result) { Ok(()) } else { result }
}

pub(crate) fn broken(error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::StorageFull || error.kind() == io::ErrorKind::QuotaExceeded {
        return Error::full("the disk is full").because(error);
    }
    if is_out_of_files(&error) {
        return out_of_files(error);
    }
    Error::internal("the storage failed").because(error)
}
