//! What a store has to do, said in the shortest way.

use std::collections::BTreeMap;

/// One change; paths have up to three parts out of three names.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    Folder(String),
    Write(String, u8),
    Delete(String),
    Move(String, String),
    Copy(String, String),
    /// The largest version.
    Version(String),
    Unversion(String),
    /// What is in the trash, by its place in the order of deletions, to a path.
    Restore(usize, String),
    Purge(usize),
    PurgeAll,
    Reopen,
}

/// A content and the former ones, in the order of their size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) content: Vec<u8>,
    pub(crate) versions: Vec<u64>,
}

/// Folders are none.
pub(crate) type Tree = BTreeMap<String, Option<File>>;

/// What is there, and what was deleted: the way that it had, and what lies below it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) tree: Tree,
    pub(crate) trash: Vec<(String, Tree)>,
}

pub(crate) fn content(seed: u8) -> Vec<u8> {
    vec![seed; usize::from(seed) * 3]
}

pub(crate) fn is_folder(tree: &Tree, path: &str) -> bool {
    path.is_empty() || tree.get(path).is_some_and(Option::is_none)
}

pub(crate) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

pub(crate) fn below(path: &str, folder: &str) -> bool {
    path == folder || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// Everything at and below a path, with the ways from there.
pub(crate) fn part(tree: &Tree, from: &str) -> Tree {
    let found = tree.iter().filter(|(name, _)| below(name, from));
    found.map(|(name, file)| (name[from.len()..].to_owned(), file.clone())).collect()
}

impl Model {
    pub(crate) fn delete(&mut self, path: &str) {
        if self.tree.contains_key(path) {
            self.trash.push((path.to_owned(), part(&self.tree, path)));
            self.tree.retain(|name, _| !below(name, path));
        }
    }

    pub(crate) fn place(&mut self, to: &str, part: Tree) {
        self.tree.extend(part.into_iter().map(|(name, file)| (format!("{to}{name}"), file)));
    }

    pub(crate) fn file(&mut self, path: &str) -> Option<&mut File> {
        self.tree.get_mut(path)?.as_mut()
    }
}

/// Does what the store has to do; says whether it is allowed.
pub(crate) fn apply(model: &mut Model, op: &Op) -> bool {
    match op {
        Op::Folder(path) => {
            let free = is_folder(&model.tree, parent(path)) && !model.tree.contains_key(path);
            if free {
                model.tree.insert(path.clone(), None);
            }
            free
        }
        Op::Write(path, seed) => {
            let may = is_folder(&model.tree, parent(path)) && !is_folder(&model.tree, path);
            if may {
                let file = model.tree.entry(path.clone()).or_insert_with(|| Some(File::default()));
                let file = file.as_mut().unwrap();
                if !file.content.is_empty() {
                    file.versions.push(file.content.len() as u64);
                    file.versions.sort_unstable();
                }
                file.content = content(*seed);
            }
            may
        }
        Op::Delete(path) => {
            let there = model.tree.contains_key(path);
            model.delete(path);
            there
        }
        Op::Move(from, to) | Op::Copy(from, to) => {
            let is_move = matches!(op, Op::Move(..));
            if is_move && from == to && model.tree.contains_key(from) {
                return true;
            }
            let may = model.tree.contains_key(from)
                && is_folder(&model.tree, parent(to))
                && !below(to, from)
                && !below(from, to);
            if !may {
                return false;
            }
            let mut taken = part(&model.tree, from);
            model.delete(to);
            if is_move {
                model.tree.retain(|name, _| !below(name, from));
            } else {
                // A copy has no past.
                taken.values_mut().flatten().for_each(|file| file.versions.clear());
            }
            model.place(to, taken);
            true
        }
        Op::Version(path) => {
            let Some(file) = model.file(path) else { return false };
            let Some(size) = file.versions.pop() else { return false };
            file.versions.push(file.content.len() as u64);
            file.versions.sort_unstable();
            file.content = content((size / 3) as u8);
            true
        }
        Op::Unversion(path) => {
            let there = model.tree.contains_key(path);
            let within = model.tree.iter_mut().filter(|(name, _)| below(name, path));
            within.filter_map(|(_, file)| file.as_mut()).for_each(|file| file.versions.clear());
            there
        }
        Op::Restore(number, to) => {
            if *number >= model.trash.len() || !is_folder(&model.tree, parent(to)) {
                return false;
            }
            let (_, part) = model.trash.remove(*number);
            model.delete(to);
            model.place(to, part);
            true
        }
        Op::Purge(number) => {
            let there = *number < model.trash.len();
            if there {
                model.trash.remove(*number);
            }
            there
        }
        Op::PurgeAll => {
            model.trash.clear();
            true
        }
        Op::Reopen => true,
    }
}

/// What the model has in the trash, as a store tells it.
pub(crate) fn deleted(model: &Model) -> Vec<(String, Vec<String>)> {
    let names = |(origin, tree): &(String, Tree)| {
        let below = tree.keys().filter(|name| !name.is_empty());
        let mut names: Vec<_> = below.map(|name| format!("{origin}{name}")).collect();
        names.sort();
        (origin.clone(), names)
    };
    model.trash.iter().map(names).collect()
}
