//! Many nodes in oCIS's format, written with plain system calls: faster than through a journal, and
//! what another program may have left.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use ocis_core::id::{NodeId, ResourceId};
use tokio::runtime::Runtime;

use crate::bare;
use crate::create::CONTENT;
use crate::engine::Engine;

/// Children of each folder.
pub(crate) const WIDTH: usize = 10_000;
/// As long as every other name, so that its metadata can be a pattern.
const PATTERN: &str = "00000000";

/// Makes a store with `nodes` files in folders that are called `0`, `1` and so on.
pub(crate) fn populate(root: &Path, nodes: usize, runtime: &Runtime) -> Result<()> {
    let engine = runtime.block_on(Engine::open(root))?;
    let first = runtime.block_on(engine.folder("pattern"))?;
    runtime.block_on(engine.put(&format!("pattern/{PATTERN}"), CONTENT))?;
    let folders = (0..nodes.div_ceil(WIDTH))
        .map(|number| runtime.block_on(engine.folder(&number.to_string())))
        .collect::<Result<Vec<_>>>()?;
    engine.store.close()?;
    let all = folder(root, &engine.home, engine.home.node.as_str())?;
    let all = all.ancestors().nth(5).context("no nodes")?.to_owned();
    let at = folder(root, &engine.home, first.node.as_str())?;
    let target = fs::read_link(at.join(PATTERN))?;
    let id = target.to_string_lossy().replace(['/', '.'], "");
    let pattern = fs::read(all.join(bare::pathify(&id)?).with_added_extension("mpk"))?;
    for (number, parent) in folders.iter().enumerate() {
        let links = folder(root, &engine.home, parent.node.as_str())?;
        for name in (number * WIDTH..nodes.min((number + 1) * WIDTH)).map(|n| format!("{n:08}")) {
            let new = NodeId::random().to_string();
            let mut metadata = pattern.clone();
            replace(&mut metadata, first.node.as_str(), parent.node.as_str());
            replace(&mut metadata, &id, &new);
            replace(&mut metadata, PATTERN, &name);
            let path = all.join(bare::pathify(&new)?);
            fs::create_dir_all(path.parent().context("no folder")?)?;
            bare::write(&path, b"")?;
            bare::write(&path.with_added_extension("mpk"), &metadata)?;
            symlink(format!("../../../../../{}", bare::pathify(&new)?), links.join(name))?;
        }
    }
    Ok(rustix::fs::syncfs(fs::File::open(root)?)?)
}

/// The folder of a node.
fn folder(root: &Path, home: &ResourceId, id: &str) -> Result<PathBuf> {
    let space = home.space.as_str();
    let (head, tail) = space.split_at_checked(2).context("a short id")?;
    Ok(root.join("spaces").join(head).join(tail).join("nodes").join(bare::pathify(id)?))
}

/// Puts one text in the place of another one of the same length.
fn replace(bytes: &mut [u8], from: &str, to: &str) {
    for at in 0..bytes.len() {
        if let Some(part) = bytes.get_mut(at..at + from.len())
            && part == from.as_bytes()
        {
            part.copy_from_slice(to.as_bytes());
        }
    }
}
