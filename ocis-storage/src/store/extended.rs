//! Metadata that lies in extended attributes, where oCIS kept it before it wrote MessagePack.
//!
//! oCIS 7 turns it into files when it starts; so is it done here, once, when a store is opened.
//! The attributes stay, and nobody reads them any more.

use std::path::{Path, PathBuf};

use ocis_core::id::SpaceId;
use ocis_core::{Error, Result};
use serde_json::Value;

use super::reindex;
use crate::fs::{Fs, Kind, is_missing};
use crate::journal::broken;
use crate::layout::attributes::{Attributes, PREFIX};
use crate::layout::paths;

/// Which of oCIS's migrations writes MessagePack.
const TO_MESSAGEPACK: &str = "0003";

/// Gives the nodes of spaces that have none their files of metadata. Blocking; before the journal is
/// replayed, which has nothing of such a space. `Unavailable`, with what to do, for a form that
/// cannot be read.
pub(super) fn take_over(fs: &dyn Fs, root: &Path) -> Result<()> {
    let list = root.join(".migrations");
    if is_missing(&fs.stat(&root.join("spaces"))) && !entries(fs, &root.join("nodes"))?.is_empty() {
        return Err(Error::unavailable(format!(
            "{} was written by oCIS 1, which had no spaces: start oCIS 2 or a later one on it once, \
             and then this server",
            root.display(),
        )));
    }
    // What oCIS broke off may have left any node.
    let has_all = match fs.read(&list) {
        missing if is_missing(&missing) => true,
        bytes => {
            let list: Value = serde_json::from_slice(&bytes.map_err(broken)?).unwrap_or_default();
            let state = list.get(TO_MESSAGEPACK).and_then(|entry| entry.get("State"));
            state.is_some_and(|state| state == "succeeded")
        }
    };
    let (mut spaces, mut nodes) = (0, 0);
    for head in entries(fs, &root.join("spaces"))? {
        for tail in entries(fs, &root.join("spaces").join(&head.0))? {
            let Ok(space) = SpaceId::parse(&format!("{}{}", head.0, tail.0)) else { continue };
            let top = root.join(paths::node(&space, &space.root()));
            if has_all && !is_missing(&fs.stat(&metadata(&top))) {
                continue;
            }
            if !is_missing(&fs.stat(&top.with_added_extension("ini"))) {
                return Err(Error::unavailable(format!(
                    "the space {space} in {} has its metadata in .ini files, which only early \
                     versions of oCIS wrote: start oCIS 4, 5 or 7 on it once, which turns them into \
                     MessagePack, and then this server",
                    root.display(),
                )));
            }
            let before = nodes;
            let folder = root.join(paths::space(&space)).join("nodes");
            take_over_below(fs, &folder, &top, &mut nodes)?;
            // The root comes last: a space that has it has all.
            nodes += usize::from(write(fs, &top)?);
            spaces += usize::from(nodes > before);
        }
    }
    if nodes > 0 || !has_all {
        write_indexes(fs, root)?;
        tracing::info!(spaces, nodes, "metadata was read from extended attributes");
        // oCIS must not do it again, over what is changed from now on.
        fs.sync_all(root).map_err(broken)?;
        super::list_migrations(fs, &list).map_err(broken)?;
    }
    Ok(())
}

/// Writes the indexes that are folders of links, the form that goes with attributes.
fn write_indexes(fs: &dyn Fs, root: &Path) -> Result<()> {
    for of in ["by-type", "by-user-id", "by-group-id"] {
        for (name, kind) in entries(fs, &root.join("indexes").join(of))? {
            let path = format!("indexes/{of}/{name}.mpk");
            if kind == Kind::Folder
                && is_missing(&fs.stat(&root.join(&path)))
                && let Some(index) = reindex::read(fs, root, &path)?
            {
                fs.write(&root.join(&path), &index.encode()?).map_err(broken)?;
            }
        }
    }
    Ok(())
}

fn entries(fs: &dyn Fs, folder: &Path) -> Result<Vec<(String, Kind)>> {
    let entries = fs.read_dir(folder);
    if is_missing(&entries) {
        return Ok(Vec::new());
    }
    Ok(entries.map_err(broken)?.into_iter().map(|entry| (entry.name, entry.kind)).collect())
}

fn metadata(node: &Path) -> PathBuf {
    node.with_added_extension("mpk")
}

fn take_over_below(fs: &dyn Fs, folder: &Path, top: &Path, nodes: &mut usize) -> Result<()> {
    for (name, kind) in entries(fs, folder)? {
        let path = folder.join(&name);
        let is_beside = ["mpk", "mlock", "lock", "flock", "tmp"];
        let beside = path.extension().and_then(|it| it.to_str());
        if kind == Kind::Symlink || path == top || beside.is_some_and(|it| is_beside.contains(&it))
        {
            continue;
        }
        *nodes += usize::from(write(fs, &path)?);
        if kind == Kind::Folder {
            take_over_below(fs, &path, top, nodes)?;
        }
    }
    Ok(())
}

/// Writes the metadata of a node, if it has none in a file and any in attributes.
fn write(fs: &dyn Fs, node: &Path) -> Result<bool> {
    let path = metadata(node);
    if !is_missing(&fs.stat(&path)) {
        return Ok(false);
    }
    let (mut attributes, mut is_node) = (Attributes::default(), false);
    for (name, value) in fs.extended(node).map_err(broken)? {
        if let Some(bare) = name.strip_prefix(PREFIX) {
            attributes.set_bytes(bare, value);
            is_node = true;
        }
    }
    if is_node {
        // Whole or not at all, also after a crash.
        let temporary = path.with_added_extension("tmp");
        fs.write(&temporary, &attributes.encode()).map_err(broken)?;
        fs.open(&temporary, crate::fs::Open::Write).and_then(|file| file.sync()).map_err(broken)?;
        fs.rename(&temporary, &path).map_err(broken)?;
    }
    Ok(is_node)
}
