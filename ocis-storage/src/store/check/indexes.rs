//! What concerns the store as a whole: the lists of spaces, and uploads under way.

use std::collections::{BTreeMap, BTreeSet};

use ocis_core::Result;
use ocis_core::access::Grantee;
use ocis_core::finding::{Finding, Problem, Remedy};
use ocis_core::id::SpaceId;

use super::scan::entries;
use super::{Mend, Suspicion};
use crate::fs::is_missing;
use crate::journal::broken;
use crate::layout::attributes::{self as key, Attributes};
use crate::layout::index::{self, Index};
use crate::layout::{grant, paths};
use crate::store::{Store, load};

/// The types whose index holds spaces; oCIS keeps shares in others.
const TYPES: [&str; 3] = ["personal", "project", "metadata"];

/// Which index holds which spaces.
type Wanted = BTreeMap<String, BTreeSet<SpaceId>>;

/// The spaces by the folders that they lie in, and what is no space.
pub(in crate::store) fn spaces(store: &Store) -> Result<(BTreeSet<SpaceId>, Vec<Suspicion>)> {
    let (fs, root) = (&*store.fs, store.root().join("spaces"));
    let (mut spaces, mut found) = (BTreeSet::new(), Vec::new());
    for head in entries(fs, &root)? {
        for tail in entries(fs, &root.join(&head.name))? {
            // An id of up to two characters is not cut into two.
            let is_short = matches!(&*tail.name, "nodes" | "trash" | "blobs");
            let rest = if is_short { "" } else { &*tail.name };
            match SpaceId::parse(&format!("{}{rest}", head.name)) {
                Ok(space) => {
                    spaces.insert(space);
                }
                Err(_) => found.push(suspicion(
                    Problem::NoSpace,
                    None,
                    format!("spaces/{}/{}", head.name, tail.name),
                    "its name is no id".to_owned(),
                    Remedy::Decide("look at it, and move it elsewhere".to_owned()),
                    None,
                )),
            }
        }
    }
    Ok((spaces, found))
}

fn suspicion(
    problem: Problem,
    space: Option<SpaceId>,
    path: String,
    detail: String,
    remedy: Remedy,
    mend: Option<Mend>,
) -> Suspicion {
    Suspicion {
        finding: Finding { problem, space, node: None, path, other: None, detail, remedy },
        mend,
    }
}

/// Checks what concerns all spaces.
pub(super) fn whole(store: &Store) -> Result<Vec<Suspicion>> {
    let (spaces, mut found) = spaces(store)?;
    let (wanted, unknown) = wanted(store, &spaces);
    let mut there: Wanted = BTreeMap::new();
    for folder in ["by-type", "by-user-id", "by-group-id"] {
        for entry in entries(&*store.fs, &store.root().join("indexes").join(folder))? {
            let path = format!("indexes/{folder}/{}", entry.name);
            let Some(name) = entry.name.strip_suffix(".mpk") else { continue };
            // oCIS also lists project spaces under nobody.
            if name.is_empty() || (folder == "by-type" && !TYPES.contains(&name)) {
                continue;
            }
            let bytes = store.fs.read(&store.root().join(&path));
            if is_missing(&bytes) {
                continue;
            }
            let bytes = bytes.map_err(broken)?;
            match Index::decode(&bytes) {
                Ok(index) => {
                    let listed = there.entry(path.clone()).or_default();
                    let should = wanted.get(&path);
                    for space in index.spaces() {
                        let is_wanted = should.is_some_and(|all| all.contains(&space));
                        if !is_wanted && !unknown.contains(&space) {
                            found.push(stale(&path, space.clone()));
                        }
                        listed.insert(space);
                    }
                }
                Err(_) => {
                    let spaces = wanted.get(&path).cloned().unwrap_or_default();
                    there.insert(path.clone(), spaces.clone());
                    let remedy = Remedy::Repairable("it is made anew".to_owned());
                    let detail = "it cannot be read".to_owned();
                    let mend = Some(Mend::Reindex { path: path.clone(), spaces });
                    found.push(suspicion(Problem::IndexDamaged, None, path, detail, remedy, mend));
                }
            }
        }
    }
    for (path, spaces) in &wanted {
        let listed = there.get(path);
        for space in spaces.iter().filter(|space| !listed.is_some_and(|has| has.contains(*space))) {
            found.push(suspicion(
                Problem::IndexEntryMissing,
                Some(space.clone()),
                path.clone(),
                format!("it does not list the space {space}"),
                Remedy::Repairable("it is added".to_owned()),
                Some(Mend::Index { path: path.clone(), space: space.clone() }),
            ));
        }
    }
    uploads(store, &mut found)?;
    Ok(found)
}

fn stale(path: &str, space: SpaceId) -> Suspicion {
    suspicion(
        Problem::IndexEntryStale,
        None,
        path.to_owned(),
        format!("it lists the space {space}, which does not exist or does not belong there"),
        Remedy::Repairable("it is taken out".to_owned()),
        Some(Mend::Unindex { path: path.to_owned(), space }),
    )
}

/// Which indexes should hold which spaces, and the spaces of which nothing is known.
fn wanted(store: &Store, spaces: &BTreeSet<SpaceId>) -> (Wanted, BTreeSet<SpaceId>) {
    let (mut wanted, mut unknown) = (Wanted::new(), BTreeSet::new());
    for space in spaces {
        let bytes = store.fs.read(&store.root().join(paths::metadata(space, &space.root())));
        let Ok(root) = bytes.map_err(broken).and_then(|bytes| Attributes::decode(&bytes)) else {
            unknown.insert(space.clone());
            continue;
        };
        let kind = root.text("space.type").filter(|kind| TYPES.contains(kind));
        let owner = load::owner(&root).map(Grantee::User);
        let grants = root.under(key::GRANT);
        let members = grants.filter_map(|(name, value)| Some(grant::read(name, value)?.grantee));
        let members = members.chain(owner).map(|member| index::of(&member));
        for path in members.chain(kind.map(paths::index_by_type)) {
            wanted.entry(path).or_default().insert(space.clone());
        }
    }
    (wanted, unknown)
}

/// What describes an upload can be read.
fn uploads(store: &Store, found: &mut Vec<Suspicion>) -> Result<()> {
    for entry in entries(&*store.fs, &store.uploads)? {
        if !entry.name.ends_with(".info") {
            continue;
        }
        let bytes = store.fs.read(&store.uploads.join(&entry.name));
        if is_missing(&bytes) {
            continue;
        }
        if serde_json::from_slice::<serde_json::Value>(&bytes.map_err(broken)?).is_err() {
            found.push(suspicion(
                Problem::UploadDamaged,
                None,
                format!("uploads/{}", entry.name),
                "it cannot be read".to_owned(),
                Remedy::Decide("the upload cannot go on; remove it with its bytes".to_owned()),
                None,
            ));
        }
    }
    Ok(())
}
