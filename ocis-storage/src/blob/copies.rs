//! Marks of copies: which blobs a copy of many files makes, until its record is applied.
//!
//! A copy of one content is marked by an empty staged file of its name, as an upload is
//! ([`super::staged`]). A copy of many is marked by one staged file that lists them, so that marking
//! them costs one flush and forgetting them one call.

use std::collections::HashSet;
use std::io;
use std::path::Path;

use ocis_core::id::{BlobId, SpaceId};

use super::staged;
use crate::fs::{Fs, Open, is_missing};

/// What the name of a mark begins with where a staged file has a blob's id.
const PREFIX: &str = "copies.";

/// The name of a new mark.
pub(crate) fn mark() -> BlobId {
    let id = format!("{PREFIX}{}", BlobId::random());
    // Always an id: short, and of letters, digits, dots and dashes.
    BlobId::parse(&id).unwrap_or_else(|_| BlobId::random())
}

/// Whether a staged file of this name lists blobs.
pub(crate) fn is_mark(id: &BlobId) -> bool {
    id.as_str().starts_with(PREFIX)
}

/// Marks blobs that are about to be made in `space`; durable when it returns. A single one has a
/// mark of its own name.
pub(crate) fn begin<'a>(
    fs: &dyn Fs,
    uploads: &Path,
    space: &SpaceId,
    mark: &BlobId,
    blobs: impl Iterator<Item = &'a BlobId>,
) -> io::Result<()> {
    let path = staged::path(uploads, space, mark);
    let mut list = String::new();
    if is_mark(mark) {
        blobs.for_each(|blob| list.extend([blob.as_str(), "\n"]));
    }
    let file = fs.open(&path, Open::CreateNew)?;
    if !list.is_empty() {
        file.write_at(list.as_bytes(), 0)?;
        file.sync()?;
    }
    fs.sync_dir(uploads)
}

/// The blobs that the staged file called `mark` stands for.
pub(crate) fn of(
    fs: &dyn Fs,
    uploads: &Path,
    space: &SpaceId,
    mark: &BlobId,
) -> io::Result<Vec<BlobId>> {
    if !is_mark(mark) {
        return Ok(vec![mark.clone()]);
    }
    let list = fs.read(&staged::path(uploads, space, mark));
    if is_missing(&list) {
        return Ok(Vec::new());
    }
    let list = String::from_utf8_lossy(&list?).into_owned();
    Ok(list.lines().filter_map(|id| BlobId::parse(id).ok()).collect())
}

/// The blobs of `space` that are on their way in, by upload or copy.
pub(crate) fn under_way(
    fs: &dyn Fs,
    uploads: &Path,
    space: &SpaceId,
) -> io::Result<HashSet<BlobId>> {
    let mut blobs = HashSet::new();
    for entry in fs.read_dir(uploads)? {
        let Some((of_space, mark)) = entry.name.split_once('$') else { continue };
        if let (true, Ok(mark)) = (of_space == space.as_str(), BlobId::parse(mark)) {
            blobs.extend(of(fs, uploads, space, &mark)?);
        }
    }
    Ok(blobs)
}
