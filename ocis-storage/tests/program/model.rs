//! What a store has to do, said in the shortest way.

use std::collections::{BTreeMap, BTreeSet};

/// The own space of einstein, who makes the changes unless it is marie.
pub(crate) const HOME: &str = "einstein";
/// Project spaces, which may be made and purged.
pub(crate) const PROJECTS: [&str; 2] = ["other", "third"];

/// Who makes a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// Owner of one space and manager of the others.
    Einstein,
    /// Who may do what she was granted.
    Marie,
}

/// To whom something is granted: marie, or a group that she is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum To {
    Marie,
    Group,
}

/// One change. Paths begin with the id of a space and a colon, and have up to three parts out of three
/// names.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    Folder(Who, String),
    Write(Who, String, u8),
    /// The same for a file that is meant by its id.
    WriteById(Who, String, u8),
    Delete(Who, String),
    Move(String, String),
    /// Within a space, by marie.
    Take(String, String),
    Copy(String, String),
    /// These permissions, or a denial without any; for so many seconds.
    Grant(String, To, &'static str, Option<i64>),
    Ungrant(String, To),
    Create(&'static str),
    Disable(&'static str),
    Restore(&'static str),
    Purge(&'static str),
    Quota(&'static str, u64),
    /// Seconds go by.
    Later(i64),
    Reopen,
}

/// A space.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Space {
    pub(crate) is_disabled: bool,
    /// Bytes; 0 for no limit.
    pub(crate) quota: u64,
}

/// Permissions and until when.
pub(crate) type Grant = (&'static str, Option<i64>);

/// Everything that is there, in all spaces.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Model {
    pub(crate) spaces: BTreeMap<&'static str, Space>,
    /// Folders are none, files their content.
    pub(crate) tree: BTreeMap<String, Option<Vec<u8>>>,
    pub(crate) grants: BTreeMap<(String, To), Grant>,
    /// Seconds since the beginning.
    pub(crate) now: i64,
}

/// Everything that can be seen of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Whether it is disabled, bytes used, quota.
    pub(crate) spaces: BTreeMap<String, (bool, u64, u64)>,
    pub(crate) tree: BTreeMap<String, Option<Vec<u8>>>,
    pub(crate) grants: BTreeMap<(String, To), (String, Option<i64>)>,
    /// The permissions of marie, where she sees anything.
    pub(crate) marie: BTreeMap<String, String>,
}

/// The larger ones are staged, the smaller ones go through the journal.
pub(crate) fn content(seed: u8) -> Vec<u8> {
    let length = if seed >= 190 { 70_000 } else { usize::from(seed) * 3 };
    vec![seed; length]
}

pub(crate) fn space_of(path: &str) -> &str {
    path.split_once(':').map_or("", |(space, _)| space)
}

/// The folder that something lies in; the root of a space ends with a colon.
pub(crate) fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some((parent, _)) => parent,
        None => path.split_inclusive(':').next().unwrap_or_default(),
    }
}

pub(crate) fn is_root(path: &str) -> bool {
    path.ends_with(':')
}

fn below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || is_root(folder))
}

impl Model {
    pub(crate) fn new() -> Self {
        let spaces = BTreeMap::from([(HOME, Space::default()), ("other", Space::default())]);
        Self { spaces, tree: BTreeMap::new(), grants: BTreeMap::new(), now: 0 }
    }

    fn is_live(&self, space: &str) -> bool {
        self.spaces.get(space).is_some_and(|space| !space.is_disabled)
    }

    /// Whether there is anything that can be used.
    fn is_there(&self, path: &str) -> bool {
        self.is_live(space_of(path)) && (is_root(path) || self.tree.contains_key(path))
    }

    fn is_folder(&self, path: &str) -> bool {
        self.is_there(path) && self.tree.get(path).is_none_or(Option::is_none)
    }

    fn size(&self, top: &str) -> u64 {
        let within = self.tree.iter().filter(|(path, _)| below(path, top));
        within.filter_map(|(_, content)| content.as_ref()).map(|content| content.len() as u64).sum()
    }

    /// What marie may do: what is granted adds up on the way down, and a denial ends it.
    pub(crate) fn of_marie(&self, path: &str) -> BTreeSet<char> {
        let mut line = vec![path];
        while let Some(last) = line.last().filter(|last| !is_root(last)) {
            line.push(parent(last));
        }
        let mut letters = BTreeSet::new();
        for node in line.into_iter().rev() {
            for to in [To::Marie, To::Group] {
                let Some((granted, until)) = self.grants.get(&(node.to_owned(), to)) else {
                    continue;
                };
                match granted {
                    _ if until.is_some_and(|until| until <= self.now) => {}
                    &"" => return BTreeSet::new(),
                    granted => letters.extend(granted.chars()),
                }
            }
        }
        letters
    }

    fn may(&self, who: Who, path: &str, letter: char) -> bool {
        who == Who::Einstein || self.of_marie(path).contains(&letter)
    }

    /// Whether so many bytes fit into a space when `old` ones go for them. Who is over the quota may
    /// still make less of it.
    fn fits(&self, space: &str, more: u64, old: u64) -> bool {
        let used = self.size(&format!("{space}:"));
        let (after, quota) = (used - old + more, self.spaces[space].quota);
        quota == 0 || after <= quota || after <= used
    }

    fn remove(&mut self, top: &str) {
        self.tree.retain(|path, _| !below(path, top));
        self.grants.retain(|(path, _), _| !below(path, top));
    }

    fn transfer(&mut self, from: &str, to: &str, is_move: bool) -> bool {
        if is_move && from == to && self.is_there(from) {
            return true;
        }
        let is_within = space_of(from) == space_of(to);
        let may = self.is_there(from)
            && self.is_folder(parent(to))
            && !below(to, from)
            && !below(from, to)
            && (is_move && is_within || self.fits(space_of(to), self.size(from), self.size(to)));
        if !may {
            return false;
        }
        let moved = |path: &str| format!("{to}{}", &path[from.len()..]);
        let tree: Vec<_> = self
            .tree
            .iter()
            .filter(|(path, _)| below(path, from))
            .map(|(path, content)| (moved(path), content.clone()))
            .collect();
        // Grants stay with a node, and a copy is another one.
        let grants: Vec<_> = self
            .grants
            .iter()
            .filter(|((path, _), _)| is_move && is_within && below(path, from))
            .map(|((path, who), grant)| ((moved(path), *who), *grant))
            .collect();
        self.remove(to);
        if is_move {
            self.remove(from);
        }
        self.tree.extend(tree);
        self.grants.extend(grants);
        true
    }

    /// Does what the store has to do; says whether it is allowed.
    pub(crate) fn apply(&mut self, op: &Op) -> bool {
        match op {
            Op::Folder(who, path) => {
                let may = self.is_folder(parent(path))
                    && !self.tree.contains_key(path)
                    && self.may(*who, parent(path), 'a');
                if may {
                    self.tree.insert(path.clone(), None);
                }
                may
            }
            Op::Write(who, path, seed) => {
                let bytes = content(*seed);
                let there = self.tree.get(path);
                let node = if there.is_some() { path } else { parent(path) };
                let may = self.is_folder(parent(path))
                    && there.is_none_or(Option::is_some)
                    && self.may(*who, node, 'w')
                    && self.fits(space_of(path), bytes.len() as u64, self.size(path));
                if may {
                    self.tree.insert(path.clone(), Some(bytes));
                }
                may
            }
            Op::WriteById(who, path, seed) => {
                self.tree.contains_key(path) && self.apply(&Op::Write(*who, path.clone(), *seed))
            }
            Op::Take(from, to) => {
                // What was shared by itself stays in its folder.
                let may = space_of(from) == space_of(to)
                    && !is_root(from)
                    && [from, parent(from)].into_iter().all(|node| self.may(Who::Marie, node, 'w'))
                    && self.may(Who::Marie, parent(to), 't')
                    && match self.is_there(to) {
                        true => from == to || self.may(Who::Marie, to, 'd'),
                        false => self.may(Who::Marie, parent(to), 'a'),
                    };
                may && self.transfer(from, to, true)
            }
            Op::Delete(who, path) => {
                let may = self.is_there(path) && self.may(*who, path, 'd');
                if may {
                    self.remove(path);
                }
                may
            }
            Op::Move(from, to) => self.transfer(from, to, true),
            Op::Copy(from, to) => self.transfer(from, to, false),
            Op::Grant(path, to, letters, seconds) => {
                let may = self.is_there(path) && !(letters.is_empty() && is_root(path));
                if may {
                    let until = seconds.map(|seconds| self.now + seconds);
                    self.grants.insert((path.clone(), *to), (letters, until));
                }
                may
            }
            Op::Ungrant(path, to) => {
                self.is_there(path) && self.grants.remove(&(path.clone(), *to)).is_some()
            }
            Op::Create(space) => {
                let may = !self.spaces.contains_key(space);
                if may {
                    self.spaces.insert(space, Space::default());
                }
                may
            }
            Op::Disable(space) => {
                let there = self.spaces.get_mut(space);
                there.map(|space| space.is_disabled = true).is_some()
            }
            Op::Restore(space) => {
                let there = self.spaces.get_mut(space);
                there.map(|space| space.is_disabled = false).is_some()
            }
            Op::Purge(space) => {
                let may = self.spaces.get(space).is_some_and(|space| space.is_disabled);
                if may {
                    self.spaces.remove(space);
                    self.remove(&format!("{space}:"));
                }
                may
            }
            Op::Quota(space, quota) => {
                let there = self.spaces.get_mut(space).filter(|space| !space.is_disabled);
                there.map(|space| space.quota = *quota).is_some()
            }
            Op::Later(seconds) => {
                self.now += seconds;
                true
            }
            Op::Reopen => true,
        }
    }

    pub(crate) fn see(&self) -> Seen {
        let mut seen = Seen::default();
        for (space, of) in &self.spaces {
            let root = format!("{space}:");
            let used = self.size(&root);
            seen.spaces.insert((*space).to_owned(), (of.is_disabled, used, of.quota));
            let nodes = self.tree.keys().filter(|path| below(path, &root)).cloned();
            for path in nodes.chain([root.clone()]).filter(|_| !of.is_disabled) {
                let letters: String = self.of_marie(&path).into_iter().collect();
                if !letters.is_empty() {
                    seen.marie.insert(path, letters);
                }
            }
        }
        let is_live = |path: &str| self.is_live(space_of(path));
        let tree = self.tree.iter().filter(|(path, _)| is_live(path));
        seen.tree = tree.map(|(path, content)| (path.clone(), content.clone())).collect();
        let grants = self.grants.iter().filter(|((path, _), _)| is_live(path));
        seen.grants = grants
            .map(|(at, (letters, until))| (at.clone(), ((*letters).to_owned(), *until)))
            .collect();
        seen
    }
}
