//! Reads nodes and listings into the memory without holding its lock: a long listing that is not in
//! memory holds nobody up.

use ocis_core::Cx;
use ocis_core::id::UserId;

use super::change::{Access, Change};
use super::state::{Children, Entry, Key};
use super::{Store, load};
use crate::layout::paths;

/// Threads that read at once: a disk has several reads under way, and decoding is work.
const THREADS: usize = 4;
/// Nodes from which on starting threads pays.
const MANY: usize = 64;

/// What was not in memory.
#[derive(Debug)]
pub(super) enum Missing {
    /// These nodes, all of one space.
    Nodes(Vec<Key>),
    /// The listing of this folder.
    Children(Key),
}

/// What was read, and of which nodes.
enum Found {
    Nodes(Vec<(Key, Entry)>),
    Children(Key, Children),
}

impl Store {
    /// Reads what is missing; blocking. Gives whether all of it is in memory now: what is not there
    /// at all, is damaged, or changed meanwhile is not.
    pub(super) fn fetch(&self, cx: &Cx, missing: Missing) -> bool {
        let any = match &missing {
            Missing::Nodes(keys) => keys.first(),
            Missing::Children(key) => Some(key),
        };
        let Some((space, _)) = any else { return false };
        let (reader, owner) = {
            let mut state = self.memory.state.write();
            // Every node needs the owner of its space.
            let root = Change::begin(self, Access::Exclusive(&mut state), cx).root(space);
            let Ok(root) = root else { return false };
            (state.begin_reading(), root.info.owner.clone())
        };
        let (wanted, found) = match missing {
            Missing::Nodes(keys) => (keys.len(), Some(Found::Nodes(self.read(&keys, &owner)))),
            Missing::Children(key) => {
                let folder = self.root.join(paths::node(&key.0, &key.1));
                let children = load::children(&*self.fs, &folder);
                (1, children.ok().map(|children| Found::Children(key, children)))
            }
        };
        let mut state = self.memory.state.write();
        let Some(changed) = state.end_reading(reader) else { return false };
        let mut kept = 0;
        match found {
            Some(Found::Nodes(entries)) => {
                for (key, entry) in entries {
                    if state.node(&key).is_none() {
                        let is_behind = changed.contains(&key)
                            || state.is_pinned(&key)
                            || state.ahead(&key).is_some();
                        if is_behind {
                            continue;
                        }
                        state.keep_node(key, entry.into());
                    }
                    kept += 1;
                }
            }
            Some(Found::Children(key, children)) => {
                if state.children(&key).is_some() {
                    kept = 1;
                } else if !changed.contains(&key) && !state.is_pinned(&key) {
                    state.keep_children(key, children);
                    kept = 1;
                }
            }
            None => {}
        }
        kept == wanted
    }

    /// The nodes that can be read.
    fn read(&self, keys: &[Key], owner: &Option<UserId>) -> Vec<(Key, Entry)> {
        let read = |keys: &[Key]| -> Vec<(Key, Entry)> {
            let storage = &self.options.storage;
            keys.iter()
                .filter_map(|key| {
                    let (attributes, locks) = load::files(&*self.fs, &self.root, key).ok()??;
                    let entry = load::entry(storage, key, owner.clone(), attributes, locks).ok()?;
                    Some((key.clone(), entry))
                })
                .collect()
        };
        if keys.len() < MANY {
            return read(keys);
        }
        std::thread::scope(|scope| {
            let parts = keys.chunks(keys.len().div_ceil(THREADS));
            let threads: Vec<_> = parts.map(|part| scope.spawn(|| read(part))).collect();
            // What a thread that panicked leaves out is read under the lock, and panics there.
            threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
        })
    }
}
