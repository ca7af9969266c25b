//! What a file system in memory keeps when the power goes or the process ends.

use std::collections::{BTreeSet, HashMap};

use super::{Inode, MemoryFs, Node};

impl MemoryFs {
    /// A power cut: file contents and names that were not flushed are gone, locks are free.
    pub fn cut(&self) {
        let mut disk = self.0.lock();
        disk.locked.clear();
        for node in disk.nodes.values_mut() {
            match node {
                Node::File(content) => content.lose(),
                Node::Folder { names, flushed } => names.clone_from(flushed),
                Node::Symlink(_) => {}
            }
        }
    }

    /// A power cut on a disk that writes names before contents, as file systems may: names stay,
    /// contents that were not flushed are gone, locks are free.
    pub fn cut_contents(&self) {
        let mut disk = self.0.lock();
        disk.locked.clear();
        for node in disk.nodes.values_mut() {
            if let Node::File(content) = node {
                content.lose();
            }
        }
    }

    /// A power cut on a disk that writes names in any order: of the names that were not flushed,
    /// `keep` decides which stay; a rename is one change. Contents that were not flushed are gone,
    /// locks are free.
    pub fn cut_some(&self, mut keep: impl FnMut() -> bool) {
        let mut disk = self.0.lock();
        disk.locked.clear();
        let mut decided: HashMap<Inode, bool> = HashMap::new();
        let mut folders: Vec<_> = disk.nodes.iter_mut().collect();
        folders.sort_by_key(|(inode, _)| **inode);
        for (_, node) in folders {
            let (names, flushed) = match node {
                Node::File(content) => {
                    content.lose();
                    continue;
                }
                Node::Folder { names, flushed } => (names, flushed),
                Node::Symlink(_) => continue,
            };
            let all: BTreeSet<String> = names.keys().chain(flushed.keys()).cloned().collect();
            for name in all {
                let (now, then) = (names.get(&name).copied(), flushed.get(&name).copied());
                // What comes to a name, and else what goes from it, is what the change is about.
                let Some(about) = now.or(then).filter(|_| now != then) else { continue };
                if *decided.entry(about).or_insert_with(&mut keep) {
                    continue;
                }
                match then {
                    Some(inode) => drop(names.insert(name, inode)),
                    None => drop(names.remove(&name)),
                }
            }
            flushed.clone_from(names);
        }
    }

    /// The end of the process: what was written stays, locks are free.
    pub fn kill(&self) {
        self.0.lock().locked.clear();
    }
}
