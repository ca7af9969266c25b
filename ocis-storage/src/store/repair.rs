//! Mends what a check found, in changes like all others: each finding is one record of the journal,
//! so a crash leaves it mended or as it was.
//!
//! Nothing that may be the last copy of something is removed. A content that nothing refers to goes
//! away only where everything else in the space is whole; elsewhere it may belong to a file whose
//! metadata is lost, so it becomes a file in the folder `lost+found` of the space.
//!
//! Repairs go in rounds, because one may bring another one up: a folder that is made again has to
//! list what lay in it, and then its size is wrong. The tree comes first, sizes and contents last.

use std::sync::Arc;

use ocis_core::finding::{Category, Finding, Problem, Remedy};
use ocis_core::id::{NodeId, SpaceId};
use ocis_core::lock::Lock;
use ocis_core::{Cx, Error, Result};

use super::Store;
use super::change::{Access, Change, Submitted};
use super::check::scan::{Metadata, Scan, is_node, path, split};
use super::check::{Mend, Part, Suspicion};
use crate::fs::{Kind, is_missing};
use crate::journal::{Action, Unwritten, broken};
use crate::layout::attributes::{self as key, Attributes};
use crate::layout::{lockfile, paths};

/// The folder for what has no place.
const LOST: &str = "lost+found";
/// Rounds after which what is left is told.
const ROUNDS: usize = 10;

impl Store {
    /// Mends what can be mended of a part without losing anything, and tells what was mended and
    /// what is left. Others wait while a round is worked out. The errors are those of
    /// [`Self::check_part`].
    pub async fn repair_part(
        self: &Arc<Self>,
        cx: &Cx,
        part: &Part,
        with_blobs: bool,
    ) -> Result<Vec<Finding>> {
        self.repair_where(cx, part, with_blobs, |_| true).await
    }

    /// Mends only such problems.
    pub(super) async fn repair_where(
        self: &Arc<Self>,
        cx: &Cx,
        part: &Part,
        with_blobs: bool,
        wanted: fn(Problem) -> bool,
    ) -> Result<Vec<Finding>> {
        let mut repaired: Vec<Finding> = Vec::new();
        let mut refused: Vec<Finding> = Vec::new();
        // Only what is certain is touched.
        let mut open = self.check_in_background(part, with_blobs).await?;
        let is_whole = open.iter().all(|finding| !is_loss(finding.problem));
        for _ in 0..ROUNDS {
            let mendable = |of: &&Finding| wanted(of.problem) && is_to_be_mended(of, &refused);
            if !open.iter().any(|finding| mendable(&finding)) {
                break;
            }
            let (store, cx) = (Arc::clone(self), cx.clone());
            let (part_now, refused_before) = (part.clone(), refused.clone());
            let round = move || {
                let mendable =
                    |of: &Finding| wanted(of.problem) && is_to_be_mended(of, &refused_before);
                store.round(&cx, &part_now, with_blobs, is_whole, &mendable)
            };
            let round = tokio::task::spawn_blocking(round).await.map_err(broke_off)??;
            for submitted in round.submitted {
                self.arrived(submitted).await?;
            }
            repaired.extend(round.repaired);
            refused.extend(round.refused);
            open = self.check_in_background(part, with_blobs).await?;
        }
        for finding in &mut open {
            if let Some(known) = refused.iter().find(|known| is_same(known, finding)) {
                finding.remedy = known.remedy.clone();
            }
        }
        repaired.extend(open);
        Ok(repaired)
    }

    /// Works out a change on the files as they are, when nothing is under way. Others wait for it.
    pub(super) async fn change_settled(
        self: &Arc<Self>,
        cx: &Cx,
        work: impl FnOnce(&mut Change<'_>) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        let (store, cx) = (Arc::clone(self), cx.clone());
        let worked = tokio::task::spawn_blocking(move || {
            let mut state = store.settled()?;
            let mut change = Change::begin(&store, Access::Exclusive(&mut state), &cx);
            work(&mut change)?;
            change.submit(&store.journal)
        });
        match worked.await.map_err(broke_off)?? {
            Some(submitted) => self.arrived(submitted).await,
            None => Ok(()),
        }
    }

    async fn check_in_background(
        self: &Arc<Self>,
        part: &Part,
        with_blobs: bool,
    ) -> Result<Vec<Finding>> {
        let (store, part) = (Arc::clone(self), part.clone());
        let check = move || store.check_part(&part, with_blobs);
        tokio::task::spawn_blocking(check).await.map_err(broke_off)?
    }

    /// Mends everything that comes first of what is left.
    fn round(
        &self,
        cx: &Cx,
        part: &Part,
        with_blobs: bool,
        is_whole: bool,
        mendable: &dyn Fn(&Finding) -> bool,
    ) -> Result<Round> {
        let mut state = self.settled()?;
        // Files may have changed behind our back, or there would be nothing to mend.
        state.forget(Unwritten::new());
        let scan = match part {
            Part::Space(space) => Some(Scan::read(self, space, with_blobs)?),
            Part::Whole => None,
        };
        let mut found = match &scan {
            Some(scan) => self.suspicions_of(scan)?,
            None => self.suspicions(part, with_blobs)?,
        };
        found.retain(|of| of.mend.is_some() && mendable(&of.finding));
        let first = found.iter().filter_map(|of| of.mend.as_ref()).map(phase).min();
        found.retain(|of| of.mend.as_ref().map(phase) == first);
        let mut round = Round::default();
        for Suspicion { mut finding, mend } in found {
            let (Some(mend), Remedy::Repairable(how)) = (mend, finding.remedy.clone()) else {
                continue;
            };
            let mut change = Change::begin(self, Access::Exclusive(&mut state), cx);
            match change.mend(scan.as_ref(), &mend, is_whole) {
                Ok(()) => {
                    round.submitted.extend(change.submit(&self.journal)?);
                    finding.remedy = Remedy::Repaired(how);
                    round.repaired.push(finding);
                }
                Err(error) => {
                    drop(change);
                    finding.remedy = Remedy::Decide(format!("the repair failed: {error}"));
                    round.refused.push(finding);
                }
            }
        }
        Ok(round)
    }
}

/// What comes first: wrong links go before right ones come, and sizes are right when all is in place.
fn phase(mend: &Mend) -> u8 {
    match mend {
        Mend::List { .. } => 1,
        Mend::Orphan { .. } => 2,
        Mend::Size { .. } => 3,
        _ => 0,
    }
}

/// What a round did.
#[derive(Default)]
struct Round {
    submitted: Vec<Submitted>,
    repaired: Vec<Finding>,
    refused: Vec<Finding>,
}

fn broke_off(error: tokio::task::JoinError) -> Error {
    Error::internal("a repair broke off").because(error)
}

fn is_same(one: &Finding, other: &Finding) -> bool {
    one.problem == other.problem && one.path == other.path
}

fn is_to_be_mended(finding: &Finding, refused: &[Finding]) -> bool {
    matches!(finding.remedy, Remedy::Repairable(_))
        && !refused.iter().any(|known| is_same(known, finding))
}

/// Whether it may mean that a file lost what refers to its content.
fn is_loss(problem: Problem) -> bool {
    use Category::{BlobReferences, Links, Nodes, TreeSizes};
    matches!(problem.category(), Nodes | Links | BlobReferences | TreeSizes)
}

/// What a repair of a space needs.
fn needed(scan: Option<&Scan>) -> Result<&Scan> {
    scan.ok_or_else(|| Error::internal("a repair without a space"))
}

impl Change<'_> {
    fn mend(&mut self, scan: Option<&Scan>, mend: &Mend, is_whole: bool) -> Result<()> {
        match mend {
            Mend::Make { place, folder } => {
                let path = path(&needed(scan)?.space, place);
                self.act(if *folder {
                    Action::Folder(path)
                } else {
                    Action::Put(path, Vec::new())
                });
            }
            Mend::List { node } => return self.list_again(needed(scan)?, node),
            Mend::Unlist { place, name } => return self.cut(&needed(scan)?.space, place, name),
            Mend::Adopt { node, place, name } => {
                return self.adopt(needed(scan)?, node, split(place).0, name);
            }
            Mend::ListTrash { place } => {
                let (id, _) = split(place);
                let space = &needed(scan)?.space;
                let suffix = place.strip_prefix(id).unwrap_or_default();
                let target = format!("../../../../../nodes/{}{suffix}", paths::pathify(id, 4, 2));
                self.act(Action::Link(paths::trash(space, &NodeId::parse(id)?), target));
            }
            Mend::Remove { path } => self.act(Action::Remove(path.clone())),
            Mend::Size { place, size } => {
                let mut attributes = attributes(needed(scan)?, place)?;
                attributes.set(key::TREE_SIZE, size);
                return self.describe(&needed(scan)?.space, place, attributes);
            }
            Mend::Orphan { blob, length } => {
                let space = &needed(scan)?.space;
                if is_whole {
                    self.drop_blob(space, Some(blob));
                    return Ok(());
                }
                let (id, stamp) = (NodeId::random(), self.stamp());
                let mut attributes = Attributes::default();
                attributes.set(key::TYPE, 1);
                attributes.set(key::ID, &id);
                attributes.set(key::BLOB, blob);
                attributes.set(key::BLOB_SIZE, length);
                attributes.set(key::MTIME, stamp);
                self.act(Action::Put(paths::node(space, &id), Vec::new()));
                return self.keep_lost(space, &id, blob.as_str(), attributes, *length);
            }
            Mend::Unset { place, name } => {
                let mut attributes = attributes(needed(scan)?, place)?;
                attributes.remove(name);
                return self.describe(&needed(scan)?.space, place, attributes);
            }
            Mend::Purge { place } => return self.free_purged(needed(scan)?, place),
            Mend::Index { path, space } => {
                let value = paths::index_value(space);
                self.act(Action::Index(path.clone(), space.clone(), value));
            }
            Mend::Unindex { path, space } => self.act(Action::Unindex(path.clone(), space.clone())),
            Mend::Reindex { path, spaces } => {
                self.act(Action::Remove(path.clone()));
                for space in spaces {
                    let value = paths::index_value(space);
                    self.act(Action::Index(path.clone(), space.clone(), value));
                }
            }
        }
        Ok(())
    }

    /// A place gets this metadata.
    fn describe(&mut self, space: &SpaceId, place: &str, attributes: Attributes) -> Result<()> {
        if is_node(place) {
            let id = NodeId::parse(place)?;
            // A folder that is not in memory would be taken for a new one, without children.
            if self.node(space, &id)?.is_none() {
                return Err(Error::not_found("it is gone"));
            }
            let locks = self.locks_of(space, &id)?;
            return self.put(space, &id, attributes, locks).map(drop);
        }
        let path = format!("{}.mpk", path(space, place));
        self.act(Action::Put(path, attributes.encode()));
        Ok(())
    }

    /// Memory follows metadata that is written as it is: a node that it does not describe any more is
    /// read again when it is asked for.
    pub(super) fn renew(
        &mut self,
        space: &SpaceId,
        id: &NodeId,
        attributes: Attributes,
    ) -> Result<()> {
        let locks = self.locks_of(space, id)?;
        let is_known = matches!(self.node(space, id), Ok(Some(_)));
        if !is_known || self.put(space, id, attributes, locks).is_err() {
            self.forget(space, id);
        }
        Ok(())
    }

    fn locks_of(&self, space: &SpaceId, id: &NodeId) -> Result<Vec<Lock>> {
        let bytes = self.store.fs.read(&self.store.root().join(paths::lock(space, id)));
        if is_missing(&bytes) {
            return Ok(Vec::new());
        }
        Ok(lockfile::read(&bytes.map_err(broken)?))
    }

    /// A folder ceases to list a name.
    fn cut(&mut self, space: &SpaceId, place: &str, name: &str) -> Result<()> {
        if !is_node(place) {
            self.act(Action::Remove(format!("{}/{name}", path(space, place))));
            return Ok(());
        }
        let folder = NodeId::parse(place)?;
        // The listing has to be in memory before it changes.
        self.child(space, &folder, name)?;
        self.unlist(space, &folder, name);
        self.changed(space, &folder);
        Ok(())
    }

    /// Clients learn that a folder changed, as far up as the tree is whole.
    fn changed(&mut self, space: &SpaceId, folder: &NodeId) {
        if let Err(error) = self.propagate(space, folder, 0) {
            tracing::warn!(%error, %folder, "a repair is not told to the folders above");
        }
    }

    /// A node is told where it lies.
    fn adopt(&mut self, scan: &Scan, node: &NodeId, parent: &str, name: &str) -> Result<()> {
        let mut attributes = attributes(scan, node.as_str())?;
        attributes.set(key::PARENT, parent);
        attributes.set(key::NAME, name);
        self.describe(&scan.space, node.as_str(), attributes)?;
        if let Ok(parent) = NodeId::parse(parent)
            && scan.places.contains_key(parent.as_str())
        {
            self.changed(&scan.space, &parent);
        }
        Ok(())
    }

    /// A node is listed by its parent, or in lost+found.
    fn list_again(&mut self, scan: &Scan, node: &NodeId) -> Result<()> {
        let (space, attributes) = (&scan.space, attributes(scan, node.as_str())?);
        let parent = attributes.text(key::PARENT).unwrap_or_default();
        let name = attributes.text(key::NAME).unwrap_or_default().to_owned();
        let is_name = ocis_core::name::check(&name).is_ok();
        if let Some((place, found)) = scan.wherever(parent)
            && found.kind == Some(Kind::Folder)
            && matches!(found.metadata, Metadata::Read(_))
            && !found.children.contains_key(&name)
            && is_name
            && !is_below(scan, parent, node)
        {
            if !is_node(place) {
                let target = paths::child_target(node).to_string_lossy().into_owned();
                self.act(Action::Link(format!("{}/{name}", path(space, place)), target));
                return Ok(());
            }
            let parent = NodeId::parse(place)?;
            if self.child(space, &parent, &name)?.is_none() {
                self.list(space, &parent, &name, node);
                self.changed(space, &parent);
                return Ok(());
            }
        }
        let name = if is_name { name } else { node.to_string() };
        self.keep_lost(space, node, &name, attributes, 0)
    }

    /// A node comes into the folder for what has no place.
    fn keep_lost(
        &mut self,
        space: &SpaceId,
        node: &NodeId,
        name: &str,
        mut attributes: Attributes,
        size: u64,
    ) -> Result<()> {
        let lost = self.lost_and_found(space)?;
        let is_taken = self.child(space, &lost, name)?.is_some();
        let name = if is_taken { node.to_string() } else { name.to_owned() };
        attributes.set(key::PARENT, &lost);
        attributes.set(key::NAME, &name);
        if self.node(space, node)?.is_some() {
            self.describe(space, node.as_str(), attributes)?;
        } else {
            self.put(space, node, attributes, Vec::new())?;
        }
        self.list(space, &lost, &name, node);
        self.propagate(space, &lost, i64::try_from(size).unwrap_or(i64::MAX))
    }

    fn lost_and_found(&mut self, space: &SpaceId) -> Result<NodeId> {
        let root = space.root();
        let mut name = LOST.to_owned();
        for number in 1.. {
            let Some(child) = self.child(space, &root, &name)? else { break };
            let there = self.node(space, &child)?;
            if there.is_some_and(|entry| entry.info.kind == ocis_core::node::NodeKind::Folder) {
                return Ok(child);
            }
            name = format!("{LOST}-{number}");
        }
        let (id, stamp) = (NodeId::random(), self.stamp());
        let mut attributes = super::create::container(stamp);
        attributes.set(key::NAME, &name);
        attributes.set(key::PARENT, &root);
        self.act(Action::Folder(paths::node(space, &id)));
        self.put(space, &id, attributes, Vec::new())?;
        self.list(space, &root, &name, &id);
        self.propagate(space, &root, 0)?;
        Ok(id)
    }
}

/// The metadata of a place as it was read.
fn attributes(scan: &Scan, place: &str) -> Result<Attributes> {
    let found = scan.places.get(place).and_then(|found| found.attributes());
    found.cloned().ok_or_else(|| Error::not_found("its metadata is gone"))
}

/// Whether a folder lies below a node, by what both say.
fn is_below(scan: &Scan, folder: &str, node: &NodeId) -> bool {
    let mut next = Some(folder);
    for _ in 0..=ocis_core::path::MAX_DEPTH {
        match next {
            Some(id) if id == node.as_str() => return true,
            Some(id) => next = scan.wherever(id).and_then(|(_, found)| found.text(key::PARENT)),
            None => return false,
        }
    }
    true
}
