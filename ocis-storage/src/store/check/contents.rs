//! What must hold between the files of a space and what lies apart from them: contents, uploads, and
//! files that nobody needs.

use std::collections::{HashMap, HashSet};

use ocis_core::Result;
use ocis_core::finding::{Problem, Remedy};
use ocis_core::id::BlobId;

use super::Mend;
use super::rules::Rules;
use super::scan::{Found, Scan, path, split};
use crate::blob::staged;
use crate::fs::is_missing;
use crate::layout::attributes as key;
use crate::layout::paths;
use crate::store::Store;

impl Rules<'_> {
    /// Contents that somebody refers to are there, with the right length, and no others.
    pub(super) fn blobs(&mut self, store: &Store) -> Result<()> {
        let scan: &Scan = self.scan;
        let Some(there) = &scan.blobs else { return Ok(()) };
        let mut used: HashMap<BlobId, &str> = HashMap::new();
        for (place, found) in &scan.places {
            let Some(blob) = found.blob() else { continue };
            let said: u64 = found.attributes().and_then(|has| has.get(key::BLOB_SIZE)).unwrap_or(0);
            let of = |text: String| format!("{text} (blob {blob})");
            match there.get(&blob) {
                None if said == 0 || is_uploaded(store, found, &blob) => {}
                None => {
                    let what = self.whole_version(place, there);
                    let detail = of(format!("its content of {said} bytes is not there"));
                    self.content(Problem::BlobMissing, (place, &blob), detail, &what);
                }
                Some(has) if *has != said => {
                    let what = self.whole_version(place, there);
                    let detail = of(format!("its content has {has} bytes instead of {said}"));
                    self.content(Problem::BlobLength, (place, &blob), detail, &what);
                }
                Some(_) => {}
            }
            if let Some(other) = used.insert(blob.clone(), place) {
                let detail = of(format!("its content is also that of {other}"));
                let what = "copy one of them to a new name and remove the other";
                self.content(Problem::BlobShared, (place, &blob), detail, what);
            }
        }
        for (blob, length) in there.iter().filter(|(blob, _)| !used.contains_key(blob)) {
            self.orphan(store, blob, *length)?;
        }
        Ok(())
    }

    /// Something is wrong with the content that a place refers to.
    fn content(&mut self, problem: Problem, from: (&str, &BlobId), detail: String, what: &str) {
        let ((place, blob), space) = (from, &self.scan.space);
        let (at, node) = (paths::blob(space, blob), path(space, place));
        self.tell(problem, place, at, detail, Remedy::Decide(what.to_owned()), None);
        self.other(node);
    }

    fn orphan(&mut self, store: &Store, blob: &BlobId, length: u64) -> Result<()> {
        let space = &self.scan.space;
        let is_staged = staged::is_marked(&*store.fs, &store.uploads, space, blob);
        // Dropped since the contents were listed.
        if is_staged || has_session(store, blob) || store.blobs.len(space, blob)?.is_none() {
            return Ok(());
        }
        let remedy =
            "it is removed; where files of the space are damaged, it becomes a file in lost+found";
        self.tell(
            Problem::BlobOrphaned,
            blob.as_str(),
            paths::blob(space, blob),
            format!("nothing refers to its {length} bytes"),
            Remedy::Repairable(remedy.to_owned()),
            Some(Mend::Orphan { blob: blob.clone(), length }),
        );
        Ok(())
    }

    /// Which version of a file could take the place of its content.
    fn whole_version(&self, place: &str, there: &HashMap<BlobId, u64>) -> String {
        let prefix = format!("{place}.REV.");
        let versions = self.scan.places.range(prefix.clone()..);
        let is_whole = |found: &Found| {
            let size = found.attributes().and_then(|has| has.get::<u64>(key::BLOB_SIZE));
            found.blob().is_some_and(|blob| there.get(&blob).copied() == size)
        };
        let newest = versions
            .take_while(|(place, _)| place.starts_with(&prefix))
            .filter(|(_, found)| is_whole(found))
            .last();
        match newest {
            Some((version, _)) => format!("the version {version} is whole and can be restored"),
            None => "bring the content back from a backup, or delete the file".to_owned(),
        }
    }

    /// Files beside nodes belong to a node, and none was left by a crash.
    pub(super) fn beside(&mut self) {
        let ids: HashSet<&str> = self.scan.places.keys().map(|place| split(place).0).collect();
        let scan: &Scan = self.scan;
        for (at, owner) in &scan.beside {
            let (problem, detail) = if at.ends_with(".tmp") {
                (Problem::TemporaryFile, "a crash left it")
            } else if !ids.contains(split(owner).0) {
                (Problem::LockOrphaned, "its node does not exist")
            } else {
                continue;
            };
            let remedy = Remedy::Repairable("it is removed".to_owned());
            let mend = Mend::Remove { path: at.clone() };
            self.tell(problem, owner, at.clone(), detail.to_owned(), remedy, Some(mend));
        }
    }

    /// A file that waits for an upload has one.
    pub(super) fn processing(&mut self, store: &Store) {
        let scan: &Scan = self.scan;
        for (place, found) in &scan.places {
            let status = found.text(key::STATUS).and_then(|text| text.strip_prefix("processing:"));
            let Some(session) = status.and_then(|id| BlobId::parse(id).ok()) else { continue };
            if has_session(store, &session) {
                continue;
            }
            let detail = format!("it waits for the upload {session}, which does not exist");
            let has_content = found.blob().is_some_and(|blob| {
                scan.blobs.as_ref().is_some_and(|there| there.contains_key(&blob))
            });
            if has_content {
                let mend = Mend::Unset { place: place.clone(), name: key::STATUS };
                let how = "its content is there, so it waits no longer";
                self.mend(Problem::UploadMissing, place, detail, how, mend);
            } else {
                let what = "upload it again, or restore a version";
                self.tell(
                    Problem::UploadMissing,
                    place,
                    path(&scan.space, place),
                    detail,
                    Remedy::Decide(what.to_owned()),
                    None,
                );
            }
        }
    }
}

/// Whether an upload session of this id exists.
fn has_session(store: &Store, id: &BlobId) -> bool {
    !is_missing(&store.fs.stat(&store.uploads.join(format!("{id}.info"))))
}

/// Whether the content of a file is still with its upload.
fn is_uploaded(store: &Store, found: &Found, blob: &BlobId) -> bool {
    found.text(key::STATUS).is_some_and(|text| text.starts_with("processing:"))
        && has_session(store, blob)
}
