//! Former contents of files, which lie beside them.
//!
//! A version is named by the time of its content, as in oCIS. That time is the client's, so it says
//! nothing of the order: a key of ours in its metadata says when it ceased to be the file's content.
//! Versions that oCIS made have none, and their name must do.

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::sync::Arc;

use ocis_core::access;
use ocis_core::event::EventKind;
use ocis_core::id::{BlobId, NodeId, ResourceId, SpaceId};
use ocis_core::node::{Node, NodeKind};
use ocis_core::permissions::Permissions;
use ocis_core::port::{
    Cursor, List, ListVersions, OpenVersion, Page, PageRequest, PurgeRule, PurgeVersions,
    RawVersion, RestoreVersion,
};
use ocis_core::reference::Reference;
use ocis_core::time::Timestamp;
use ocis_core::version::{Purged, Version};
use ocis_core::{Cx, Error, ErrorKind, Result};

use super::Store;
use super::access::Place;
use super::change::Change;
use super::check::scan::entries;
use super::process::CONTENT;
use super::upload::{ContentRef, within_quota};
use crate::fs::{Kind, is_missing};
use crate::journal::{Action, broken};
use crate::layout::attributes::{self as key, Attributes};
use crate::layout::{etag, paths};

/// When a content ceased to be the file's; a key of ours.
const REPLACED: &str = "replaced";
/// Versions that one record removes at most.
const BATCH: usize = 250;

/// A version, and where it lies.
#[derive(Debug, Clone)]
struct Kept {
    version: Version,
    /// Its file, relative to the root of the store, without the suffix of its metadata.
    place: String,
    blob: Option<BlobId>,
    attributes: Attributes,
}

fn nothing() -> Error {
    Error::not_found("there is no such version")
}

impl Store {
    /// A page of a file's versions, the newest first. What is damaged is left out.
    pub(crate) async fn list_versions(
        self: &Arc<Self>,
        cx: &Cx,
        request: ListVersions,
    ) -> Result<Page<Version>> {
        let (_, space, node) =
            self.versioned(cx, &request.target, Permissions::LIST_VERSIONS).await?;
        let kept = self.reading(move |store| store.versions(&space, &node, left_out)).await?;
        let after = request.page.cursor.map(|cursor| cursor.0);
        let start = after.map_or(0, |after| {
            kept.iter().position(|kept| kept.version.key == after).map_or(0, |at| at + 1)
        });
        let limit = request.page.limit.clamp(1, 10_000) as usize;
        let is_more = kept.len() > start + limit;
        let items: Vec<_> =
            kept.into_iter().skip(start).take(limit).map(|kept| kept.version).collect();
        let next = items.last().filter(|_| is_more).map(|last| Cursor(last.key.clone()));
        Ok(Page { items, next })
    }

    /// A version, and where its content is.
    pub(crate) async fn version_content(
        self: &Arc<Self>,
        cx: &Cx,
        request: OpenVersion,
    ) -> Result<(Node, Version, ContentRef)> {
        let need = Permissions::LIST_VERSIONS | Permissions::DOWNLOAD;
        let (file, space, node) = self.versioned(cx, &request.target, need).await?;
        let within = space.clone();
        let kept = self.reading(move |store| store.version(&within, &node, &request.key)).await?;
        let size = kept.version.size;
        Ok((file, kept.version, ContentRef { space, blob: kept.blob, size }))
    }

    /// Makes a version the content of its file.
    pub(crate) async fn restore_version(
        self: &Arc<Self>,
        cx: &Cx,
        request: RestoreVersion,
    ) -> Result<Node> {
        self.change_when_written(cx, move |change| change.restore_version(&request)).await
    }

    /// Removes versions of a file, or of all files below a folder.
    pub(crate) async fn purge_versions(
        self: &Arc<Self>,
        cx: &Cx,
        request: PurgeVersions,
    ) -> Result<Purged> {
        let top = self.look(cx, |change| {
            let place = change.place(&request.target)?;
            access::require(place.permissions, Permissions::DELETE)?;
            change.view(&place)
        })?;
        let mut total = Purged::default();
        let mut folders = Vec::new();
        if top.is_folder() {
            folders.push((top, None));
        } else {
            self.purge_file(cx, top, &request, &mut total).await?;
        }
        // Permissions grow on the way down, and what is denied is not listed.
        while let Some((folder, cursor)) = folders.pop() {
            let target = Reference::node(folder.info.id.clone());
            let list = List { target, page: PageRequest { cursor, ..PageRequest::default() } };
            let page = self.look(cx, |change| change.page(&list.target, &list.page))?;
            if page.next.is_some() {
                folders.push((folder, page.next));
            }
            for node in page.items {
                if node.is_folder() {
                    folders.push((node, None));
                } else {
                    self.purge_file(cx, node, &request, &mut total).await?;
                }
            }
        }
        Ok(total)
    }

    async fn purge_file(
        self: &Arc<Self>,
        cx: &Cx,
        file: Node,
        request: &PurgeVersions,
        total: &mut Purged,
    ) -> Result<()> {
        let target = Reference::node(file.info.id.clone());
        let (_, space, node) = self.versioned(cx, &target, Permissions::STAT).await?;
        let (rule, within, id) = (request.rule.clone(), space.clone(), node.clone());
        let chosen = self
            .reading(move |store| {
                let all = store.versions(&within, &id, damaged)?;
                let mut chosen = match &rule {
                    PurgeRule::Key(key) => vec![store.version(&within, &id, key)?],
                    rule => chosen(all.clone(), rule),
                };
                // oCIS may have been killed when it had brought a version back but not removed it.
                for kept in all {
                    let is_chosen = |of: &Kept| of.version.key == kept.version.key;
                    if kept.blob.is_some() && !chosen.iter().any(is_chosen) {
                        let shares = chosen.iter_mut().filter(|of| of.blob == kept.blob);
                        shares.for_each(|of| of.blob = None);
                    }
                }
                Ok(chosen)
            })
            .await?;
        let mut rest = chosen.as_slice();
        while !rest.is_empty() {
            let (batch, after) = rest.split_at_checked(BATCH).unwrap_or((rest, &[]));
            let purged = if request.dry_run {
                batch.iter().fold(Purged::default(), count)
            } else {
                let (space, node, batch) = (space.clone(), node.clone(), batch.to_vec());
                self.change_when_written(cx, move |change| {
                    change.remove_versions(&space, &node, &batch)
                })
                .await?
            };
            total.items += purged.items;
            total.blobs += purged.blobs;
            total.bytes += purged.bytes;
            rest = after;
        }
        Ok(())
    }

    /// The file, as soon as the files hold its last change.
    async fn versioned(
        &self,
        cx: &Cx,
        target: &Reference,
        need: Permissions,
    ) -> Result<(Node, SpaceId, NodeId)> {
        let look = || {
            self.look(cx, |change| {
                let place = change.place(target)?;
                access::require(place.permissions, need)?;
                if place.entry()?.info.kind == NodeKind::Folder {
                    return Err(Error::conflict("folders have no versions"));
                }
                let (space, node) = (place.space.clone(), place.id()?);
                let is_written = !change.is_pinned(&space, &node);
                Ok((change.view(&place)?, space, node, is_written))
            })
        };
        let (file, space, node, _) = self.when_written(look, |found| found.3).await?;
        Ok((file, space, node))
    }

    /// The versions of a file, the newest first; `damaged` decides about those that cannot be read.
    /// Blocking.
    fn versions(
        &self,
        space: &SpaceId,
        node: &NodeId,
        damaged: impl Fn(Error) -> Result<()>,
    ) -> Result<Vec<Kept>> {
        let path = paths::node(space, node);
        let (folder, base) = path.rsplit_once('/').unwrap_or(("", &path));
        let beside = self.fs.read_dir(&self.root.join(folder));
        let beside = if is_missing(&beside) { Vec::new() } else { beside.map_err(broken)? };
        let (mut kept, names) = (Vec::new(), || beside.iter().map(|entry| entry.name.as_str()));
        let there: HashSet<&str> = names().filter(|name| name.contains(".REV.")).collect();
        // Where the version is gone, oCIS may have left what described it.
        for name in revisions(names(), base).into_iter().filter(|name| there.contains(name)) {
            let time = name.rsplit_once(".REV.").map_or(name, |(_, time)| time);
            match self.version(space, node, &format!("{node}.REV.{time}")) {
                Ok(version) => kept.push(version),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => damaged(error)?,
            }
        }
        kept.sort_by(|one, other| {
            let order = |kept: &Kept| (kept.version.replaced, kept.version.key.clone());
            order(other).cmp(&order(one))
        });
        Ok(kept)
    }

    /// A page of the versions below a node: of one folder after the other that nodes lie in.
    /// Blocking.
    pub(crate) fn raw_versions(
        &self,
        cx: &Cx,
        target: &ResourceId,
        after: &str,
    ) -> Result<Page<RawVersion>> {
        let ResourceId { space, node: top, .. } = target;
        self.look(cx, |change| change.line(space, top).map(drop))?;
        self.journal.settle()?;
        let nodes = format!("{}/nodes", paths::space(space));
        let mut firsts: Vec<_> =
            entries(&*self.fs, &self.root.join(&nodes))?.into_iter().map(|it| it.name).collect();
        firsts.sort();
        let Some(first) = firsts.iter().find(|name| name.as_str() > after) else {
            return Ok(Page { items: Vec::new(), next: None });
        };
        let (mut files, mut rest) =
            (BTreeSet::new(), vec![(format!("{nodes}/{first}"), first.clone())]);
        while let Some((folder, id)) = rest.pop() {
            for entry in entries(&*self.fs, &self.root.join(&folder))? {
                let name = format!("{id}{}", entry.name);
                match name.split_once(".REV.") {
                    Some((file, _)) => files.extend(NodeId::parse(file)),
                    None if entry.kind == Kind::Folder => {
                        rest.push((format!("{folder}/{}", entry.name), name));
                    }
                    None => {}
                }
            }
        }
        let mut items = Vec::new();
        for node in files {
            let line = self.look(cx, |change| change.line(space, &node));
            // What lies in the trash keeps its versions.
            if !line.is_ok_and(|line| line.iter().any(|entry| entry.info.id.node == *top)) {
                continue;
            }
            let id = ResourceId { node: node.clone(), ..target.clone() };
            let kept = self.versions(space, &node, damaged)?.into_iter();
            items.extend(kept.map(|kept| RawVersion {
                node: id.clone(),
                path: kept.place,
                blob: kept.blob,
            }));
        }
        let next = firsts.last().filter(|last| *last != first);
        Ok(Page { items, next: next.map(|_| Cursor(first.clone())) })
    }

    /// One version of a file; blocking.
    fn version(&self, space: &SpaceId, node: &NodeId, key: &str) -> Result<Kept> {
        let named = key.strip_prefix(node.as_str()).and_then(|rest| rest.strip_prefix(".REV."));
        let text = named.ok_or_else(nothing)?;
        let time: Timestamp = text.parse().map_err(|_| nothing())?;
        let place = paths::revision(space, node, text);
        let bytes = self.fs.read(&self.root.join(format!("{place}.mpk")));
        if is_missing(&bytes) {
            return Err(nothing());
        }
        let attributes = Attributes::decode(&bytes.map_err(broken)?)?;
        let version = Version {
            key: key.to_owned(),
            size: attributes.get(key::BLOB_SIZE).unwrap_or(0),
            mtime: attributes.get(key::MTIME).unwrap_or(time),
            replaced: attributes.get(REPLACED).unwrap_or(time),
            etag: etag::etag(node, time),
            checksums: attributes.checksums(),
        };
        let blob = attributes.text(key::BLOB).and_then(|id| BlobId::parse(id).ok());
        Ok(Kept { version, place, blob, attributes })
    }
}

/// Whatever cannot be read hides no other version.
fn left_out(error: Error) -> Result<()> {
    tracing::error!(?error, "left out of the versions");
    Ok(())
}

/// The same for what is removed: a disk that fails must not part what goes from what stays.
fn damaged(error: Error) -> Result<()> {
    let of_disk = std::error::Error::source(&error).is_some_and(|source| source.is::<io::Error>());
    if of_disk { Err(error) } else { left_out(error) }
}

/// The names of versions among those beside a file whose own is `base`.
pub(super) fn revisions<'n>(names: impl Iterator<Item = &'n str>, base: &str) -> BTreeSet<&'n str> {
    let is_one =
        |name: &&str| name.strip_prefix(base).is_some_and(|rest| rest.starts_with(".REV."));
    let bare = |name: &'n str| {
        name.strip_suffix(".mpk").or_else(|| name.strip_suffix(".mlock")).unwrap_or(name)
    };
    names.filter(is_one).map(bare).collect()
}

/// The versions, the newest first, that a rule removes.
fn chosen(mut kept: Vec<Kept>, rule: &PurgeRule) -> Vec<Kept> {
    match rule {
        PurgeRule::All => {}
        PurgeRule::Key(key) => kept.retain(|kept| kept.version.key == *key),
        PurgeRule::Before(time) => kept.retain(|kept| kept.version.replaced < *time),
        PurgeRule::KeepNewest(count) => drop(kept.drain(..kept.len().min(*count as usize))),
    }
    kept
}

fn count(purged: Purged, kept: &Kept) -> Purged {
    let bytes = if kept.blob.is_some() { kept.version.size } else { 0 };
    Purged {
        items: purged.items + 1,
        blobs: purged.blobs + u64::from(kept.blob.is_some()),
        bytes: purged.bytes + bytes,
    }
}

impl Change<'_> {
    /// Keeps the content that is about to be replaced as a version, or drops it where versions are
    /// not kept, unless `always`. Gives the path of the version.
    pub(crate) fn keep_version(&mut self, place: &Place, always: bool) -> Result<Option<String>> {
        let entry = Arc::clone(place.entry()?);
        let Some(blob) = &entry.blob else { return Ok(None) };
        let id = place.id()?;
        if !self.store.options.versioning && !always {
            self.drop_blob(&place.space, Some(blob));
            return Ok(None);
        }
        let stamp = self.stamp();
        let path = paths::revision(&place.space, &id, entry.info.mtime);
        // Two contents of one time: the name of the version is that of the moment it was replaced,
        // or, where a clock went back, of the next one that is free. A version that is under way is
        // not on the disk yet.
        let taken = |path: &str| match self.store.fs.stat(&self.store.root().join(path)) {
            there if is_missing(&there) => Ok(false),
            there => there.map(|_| true).map_err(broken),
        };
        let mut path = path;
        if self.is_pinned(&place.space, &id) || taken(&path)? {
            let mut when = stamp;
            path = paths::revision(&place.space, &id, when);
            while taken(&path)? {
                when = when.plus(std::time::Duration::from_nanos(1));
                path = paths::revision(&place.space, &id, when);
            }
        }
        let mut kept = Attributes::default();
        for name in CONTENT {
            if let Some(value) = entry.attributes.bytes(name) {
                kept.set_bytes(name, value);
            }
        }
        kept.set(REPLACED, stamp);
        self.act(Action::Put(format!("{path}.mpk"), kept.encode()));
        self.act(Action::Put(path.clone(), Vec::new()));
        // Where oCIS takes the time of the content from.
        self.act(Action::Modified(path.clone(), entry.info.mtime));
        Ok(Some(path))
    }

    /// None while the files are behind.
    fn restore_version(&mut self, request: &RestoreVersion) -> Result<Option<Node>> {
        let place = self.place(&request.target)?;
        access::require(place.permissions, Permissions::RESTORE_VERSION)?;
        let entry = Arc::clone(place.entry()?);
        if entry.info.kind == NodeKind::Folder {
            return Err(Error::conflict("folders have no versions"));
        }
        let (space, id) = (&place.space, place.id()?);
        if self.is_pinned(space, &id) {
            return Ok(None);
        }
        if self.is_processed(&entry) {
            return Err(Error::new(ErrorKind::TooEarly, "the file is being processed"));
        }
        let kept = self.store.version(space, &id, &request.key)?;
        self.met(Some(&entry), &request.conditions)?;
        self.unlocked(&place, &request.conditions.lock_tokens)?;
        within_quota(&place, kept.version.size, entry.info.size)?;
        if kept.blob != entry.blob {
            self.keep_version(&place, false)?;
        }
        let mut attributes = entry.attributes.clone();
        for name in [key::BLOB, key::BLOB_SIZE, key::SHA1, key::MD5, key::ADLER32] {
            match kept.attributes.bytes(name) {
                Some(value) => attributes.set_bytes(name, value),
                None => attributes.remove(name),
            }
        }
        attributes.set(key::MTIME, self.stamp());
        attributes.remove(key::TMP_ETAG);
        self.put(space, &id, attributes, entry.locks.clone())?;
        self.remove_files(&kept);
        let size = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        let parent = entry.info.parent.clone().ok_or_else(|| Error::internal("no parent"))?;
        self.propagate(space, &parent, size(kept.version.size) - size(entry.info.size))?;
        let (node, about) = self.outcome(&entry.info.id)?;
        let key = request.key.clone();
        self.tell(EventKind::FileVersionRestored { node: about, key });
        Ok(Some(node))
    }

    /// None while the files are behind. What was removed or brought back meanwhile stays.
    fn remove_versions(
        &mut self,
        space: &SpaceId,
        node: &NodeId,
        batch: &[Kept],
    ) -> Result<Option<Purged>> {
        if self.is_pinned(space, node) {
            return Ok(None);
        }
        let Some(file) = self.node(space, node)? else { return Ok(Some(Purged::default())) };
        let mut purged = Purged::default();
        // One of them may have to become the content again.
        if self.is_processed(&file) {
            return Ok(Some(purged));
        }
        for kept in batch {
            let metadata = self.store.root().join(format!("{}.mpk", kept.place));
            let there = self.store.fs.stat(&metadata);
            if is_missing(&there) {
                continue;
            }
            there.map_err(broken)?;
            self.remove_files(kept);
            if kept.blob != file.blob {
                self.drop_blob(space, kept.blob.as_ref());
            }
            purged = count(purged, kept);
        }
        // Whoever reads of this file's versions next waits for this record.
        self.keep(space, node, file);
        Ok(Some(purged))
    }

    fn remove_files(&mut self, kept: &Kept) {
        for ending in [".mpk", "", ".mlock"] {
            self.act(Action::Remove(format!("{}{ending}", kept.place)));
        }
    }
}
