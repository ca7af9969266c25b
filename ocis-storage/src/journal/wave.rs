//! Records that touch no file of each other's, applied side by side: making files is most of what
//! a change costs, and one thread uses one processor.

use std::collections::HashSet;
use std::sync::mpsc;
use std::thread::{Builder, Scope, available_parallelism};

use ocis_core::Result;

use super::Answer;
use super::apply::Tree;
use super::record::{Action, Record};

/// Threads that apply at once, at most: more would wait for each other in the file system.
const HANDS: usize = 4;
/// Records that are applied side by side, at most: the first is answered with the last.
const LONGEST: usize = 64;

/// A record, and who waits for it.
pub(super) type Entry = (Record, Answer);
/// What became of it.
pub(super) type Done = (Record, Answer, Result<()>);

/// How many of the next records, at least one, can be applied side by side: as many as only make
/// and replace files, and other ones each. It makes no difference then which of them a crash leaves
/// undone.
pub(super) fn length<'r>(records: impl Iterator<Item = &'r Record>) -> usize {
    let mut touched = HashSet::new();
    let mut joins = |record: &&'r Record| {
        // An empty one waits for all before it.
        let paths = if record.is_empty() { None } else { paths(record) };
        paths.is_some_and(|paths| {
            let apart = paths.iter().all(|path| !touched.contains(path));
            touched.extend(paths);
            apart
        })
    };
    records.take(LONGEST).take_while(|record| joins(record)).count().max(1)
}

/// The files that a record makes or replaces; none when it does anything else.
fn paths(record: &Record) -> Option<Vec<&str>> {
    let mut paths = Vec::new();
    for action in &record.actions {
        match action {
            // A folder that is there is what it should be, and a blob is that of one record.
            Action::Folder(_) | Action::Blob(..) => {}
            Action::Put(path, _) | Action::Link(path, _) | Action::Modified(path, _) => {
                paths.push(path.as_str());
            }
            _ => return None,
        }
    }
    Some(paths)
}

/// Threads that apply records beside the one that has them do it.
pub(super) struct Crew<'t> {
    tree: &'t Tree,
    hands: Vec<mpsc::Sender<Part>>,
}

struct Part {
    records: Vec<Entry>,
    done: mpsc::Sender<Vec<Done>>,
}

impl<'t> Crew<'t> {
    /// Starts one thread less than there are processors; they end with this.
    pub(super) fn start<'s>(scope: &'s Scope<'s, 't>, tree: &'t Tree) -> Self {
        Self::of(available_parallelism().map_or(1, usize::from).min(HANDS), scope, tree)
    }

    fn of<'s>(processors: usize, scope: &'s Scope<'s, 't>, tree: &'t Tree) -> Self {
        let start = |_| {
            let (hand, parts) = mpsc::channel::<Part>();
            let work = move || {
                for Part { records, done } in parts {
                    // Who asked waits, or panicked.
                    let _ = done.send(all(tree, records));
                }
            };
            let thread = Builder::new().name("journal-applier".into()).spawn_scoped(scope, work);
            // The others can do it, and be it the one that asks.
            thread.inspect_err(|error| tracing::warn!(%error, "a thread less")).ok().map(|_| hand)
        };
        Self { tree, hands: (1..processors).filter_map(start).collect() }
    }

    /// Applies records side by side; gives them back in their order, or nothing when a thread
    /// panicked.
    pub(super) fn apply(&self, mut records: Vec<Entry>) -> Option<Vec<Done>> {
        let share = records.len().div_ceil(self.hands.len() + 1);
        let mut parts = Vec::new();
        for hand in &self.hands {
            if records.len() <= share {
                break;
            }
            let rest = records.split_off(share);
            let (done, part) = mpsc::channel();
            hand.send(Part { records: std::mem::replace(&mut records, rest), done }).ok()?;
            parts.push(part);
        }
        let last = all(self.tree, records);
        let mut done = Vec::new();
        for part in parts {
            done.extend(part.recv().ok()?);
        }
        done.extend(last);
        Some(done)
    }
}

fn all(tree: &Tree, records: Vec<Entry>) -> Vec<Done> {
    let apply = |(record, answer): Entry| {
        // A second time what was done is no harm, and many failures pass.
        let applied = tree.apply(&record).or_else(|error| {
            tracing::warn!(?error, "a change could not be applied; trying again");
            tree.apply(&record)
        });
        (record, answer, applied)
    };
    records.into_iter().map(apply).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use tokio::sync::oneshot;

    use super::*;
    use crate::blob::PosixBlobs;
    use crate::blob::drops::Drops;
    use crate::fs::{Fs, MemoryFs};

    fn record(lsn: u64, actions: &[Action]) -> Record {
        Record { lsn, actions: actions.to_vec(), ..Record::default() }
    }

    #[test]
    fn what_goes_side_by_side_is_all_done_and_comes_back_in_order() {
        let fs: Arc<dyn Fs> = Arc::new(MemoryFs::default());
        let (root, uploads) = (Path::new("/store"), Path::new("/store/uploads"));
        fs.mkdir_all(&root.join("folder")).unwrap();
        let blobs = Arc::new(PosixBlobs::new(Arc::clone(&fs), root));
        let tree = Tree {
            fs: Arc::clone(&fs),
            drops: Drops::new(Arc::clone(&fs), uploads.to_owned(), Arc::clone(&blobs) as _),
            blobs,
            root: root.to_owned(),
            uploads: uploads.to_owned(),
            replaying: false,
        };
        for processors in 1..=4 {
            for count in 1..=9 {
                let path = |lsn: u64| match lsn {
                    3 => "folder".to_owned(),
                    _ => format!("{processors}-{count}-{lsn}"),
                };
                let entry = |lsn| {
                    let put = Action::Put(path(lsn), lsn.to_string().into_bytes());
                    (record(lsn, &[put]), oneshot::channel().0)
                };
                let records = (1..=count).map(entry).collect();
                let done = std::thread::scope(|scope| {
                    Crew::of(processors, scope, &tree).apply(records).unwrap()
                });
                let of = |(record, _, applied): &Done| (record.lsn, applied.is_ok());
                // There is a folder where the third one is to lie.
                let expected: Vec<_> = (1..=count).map(|lsn| (lsn, lsn != 3)).collect();
                assert_eq!(done.iter().map(of).collect::<Vec<_>>(), expected);
                for lsn in (1..=count).filter(|lsn| *lsn != 3) {
                    let content = fs.read(&root.join(path(lsn))).unwrap();
                    assert_eq!(content, lsn.to_string().into_bytes());
                }
            }
        }
    }

    #[test]
    fn only_what_makes_files_of_its_own_goes_side_by_side() {
        let put = |path: &str| Action::Put(path.into(), vec![1]);
        let link = |path: &str| Action::Link(path.into(), "target".into());
        let side_by_side = |records: &[&[Action]]| {
            let records: Vec<_> =
                records.iter().zip(1..).map(|(actions, lsn)| record(lsn, actions)).collect();
            length(records.iter())
        };
        assert_eq!(side_by_side(&[&[put("a"), put("a")], &[put("b"), link("c")]]), 2);
        assert_eq!(side_by_side(&[&[put("a")], &[put("b")], &[link("a")]]), 2);
        assert_eq!(side_by_side(&[&[put("a")], &[Action::Remove("b".into())]]), 1);
        assert_eq!(side_by_side(&[&[Action::Remove("b".into())], &[put("a")]]), 1);
        // Who waits for everything.
        assert_eq!(side_by_side(&[&[put("a")], &[], &[put("b")]]), 1);
        assert_eq!(side_by_side(&[&[], &[put("b")]]), 1);
    }
}
