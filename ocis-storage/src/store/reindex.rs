//! An index of spaces made anew from the spaces themselves: where its file is damaged, or still in
//! the form that oCIS had before it wrote MessagePack (a folder of links).

use std::path::Path;

use ocis_core::Result;
use ocis_core::id::SpaceId;

use crate::fs::{Fs, Kind, is_missing};
use crate::journal::broken;
use crate::layout::attributes::{Attributes, GRANT};
use crate::layout::index::Index;
use crate::layout::paths;

/// What stands in the index at `path` below the root of the store; none when there is none.
pub(crate) fn read(fs: &dyn Fs, root: &Path, path: &str) -> Result<Option<Index>> {
    let bytes = fs.read(&root.join(path));
    if !is_missing(&bytes) {
        return match Index::decode(&bytes.map_err(broken)?) {
            Ok(index) => Ok(Some(index)),
            Err(error) => {
                tracing::error!(?error, path, "made anew from the spaces");
                rebuild(fs, root, path).map(Some)
            }
        };
    }
    let older = fs.stat(&root.join(path.trim_end_matches(".mpk")));
    if older.is_ok_and(|older| older.kind == Kind::Folder) {
        return rebuild(fs, root, path).map(Some);
    }
    Ok(None)
}

/// Reads the roots of all spaces.
fn rebuild(fs: &dyn Fs, root: &Path, path: &str) -> Result<Index> {
    let mut index = Index::default();
    for head in fs.read_dir(&root.join("spaces")).map_err(broken)? {
        let folder = root.join("spaces").join(&head.name);
        let tails = fs.read_dir(&folder);
        // A file that somebody put there.
        if is_missing(&tails) {
            continue;
        }
        for tail in tails.map_err(broken)? {
            let Ok(space) = SpaceId::parse(&format!("{}{}", head.name, tail.name)) else {
                continue;
            };
            let metadata = fs.read(&root.join(paths::metadata(&space, &space.root())));
            let attributes = metadata.ok().and_then(|bytes| Attributes::decode(&bytes).ok());
            if attributes.is_some_and(|attributes| belongs(path, &attributes)) {
                index.add(&space, &paths::index_value(&space));
            }
        }
    }
    Ok(index)
}

/// Whether a space with this root belongs into the index at `path`.
fn belongs(path: &str, root: &Attributes) -> bool {
    let is = |form: fn(&str) -> String, of: Option<&str>| of.is_some_and(|of| form(of) == path);
    let member = |kind: &str, form: fn(&str) -> String| {
        let mut grants = root.under(GRANT).filter_map(|(name, _)| name.strip_prefix(kind));
        grants.any(|id| form(id) == path)
    };
    is(paths::index_by_type, root.text("space.type"))
        || is(paths::index_by_user, root.text("owner.id"))
        || member("u:", paths::index_by_user)
        || member("g:", paths::index_by_group)
}
