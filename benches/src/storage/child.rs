//! What needs a process of its own: memory that nothing else used before, and a store whose process
//! is killed.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use ocis_storage::fs::RealFs;
use std::sync::Arc;

use crate::bucket;
use crate::engine::{Engine, options};
use crate::populate::WIDTH;

/// The content of files whose records are replayed.
const CONTENT: Bytes = Bytes::from_static(&[7; 1024]);

/// Does what `start` was asked for.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["list", root, nodes, cached] => runtime.block_on(list(root, nodes.parse()?, cached)),
        ["write", root, count] => runtime.block_on(write(root, count.parse()?)),
        ["s3", folder] => runtime.block_on(bucket::serve(folder)),
        _ => bail!("not a process of this program"),
    }
}

/// Starts this program again; gives the process and the line that it prints when it is done.
pub(crate) fn start(arguments: &[&str]) -> Result<(Child, String)> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--child").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().context("no output")?).read_line(&mut line)?;
    Ok((child, line))
}

/// Opens a store and lists as many nodes as told; prints the memory before and after.
async fn list(root: &str, nodes: usize, cached: &str) -> Result<()> {
    let mut options = options()?;
    options.cached_nodes = cached.parse()?;
    let engine = Engine::open_with(Arc::new(RealFs), Path::new(root), options).await?;
    let before = resident()?;
    for folder in 0..nodes / WIDTH.min(nodes.max(1)) {
        engine.list(&folder.to_string()).await?;
    }
    println!("{before} {}", resident()?);
    Ok(engine.store.close()?)
}

/// Makes files and waits to be killed.
async fn write(root: &str, count: usize) -> Result<()> {
    let engine = Engine::open(Path::new(root)).await?;
    let put = |engine: Engine, number: usize| async move {
        engine.put(&number.to_string(), CONTENT).await
    };
    engine.all(count, put).await?;
    println!("done");
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// Bytes of memory that this process uses.
fn resident() -> Result<u64> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    Ok(line.split_whitespace().next().unwrap_or_default().parse::<u64>()? * 1024)
}
