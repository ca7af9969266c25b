//! `storage`: what the storage engine does a second, each line beside a baseline of the same run that
//! makes the same files, folders, links and flushes with plain system calls.
//!
//! Both are measured by turns; a line is the middle of five runs, with the lowest and the highest.
//! What needs a process of its own (memory, a kill) runs this program again, see [`child`].
#![allow(clippy::print_stdout, reason = "its output is its result")]

mod bare;
mod bucket;
mod change;
mod child;
mod create;
mod engine;
mod large;
mod opening;
mod populate;
mod read;
mod report;

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Parser;

use crate::report::Report;

/// As in the server, whose memory is of interest.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The storage engine beside plain system calls.
#[derive(Debug, Parser)]
struct Args {
    /// Works in a temporary folder below this one; by default below the folder of this program.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Small numbers, one run each: shows that it works, not how fast.
    #[arg(long)]
    brief: bool,
    /// Runs of each line and baseline.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Small files that are created, and children of the long folder.
    #[arg(long, default_value_t = 10_000)]
    files: usize,
    /// Nodes of the store that is opened.
    #[arg(long, default_value_t = 100_000)]
    nodes: usize,
    /// Only groups whose name contains this: create, read, list, change, open, memory, replay, large,
    /// bucket.
    #[arg(long, default_value = "")]
    only: String,
    /// Be a process that is measured or killed.
    #[arg(long, hide = true, num_args = 1..)]
    child: Vec<String>,
}

/// How much of everything.
#[derive(Debug, Clone, Copy)]
struct Size {
    runs: usize,
    /// Files that are created, and children of the long folder.
    files: usize,
    /// Changes at depth 20.
    changes: usize,
    /// Nodes of the store that is opened.
    nodes: usize,
    /// Bytes of the large content.
    large: u64,
}

fn main() -> Result<()> {
    let args = Args::parse();
    if !args.child.is_empty() {
        return child::run(&args.child);
    }
    let size = if args.brief {
        Size { runs: 1, files: 500, changes: 200, nodes: 2000, large: 16 << 20 }
    } else {
        let (runs, files, nodes) = (args.runs.max(1), args.files, args.nodes);
        Size { runs, files, changes: 2000, nodes, large: 1 << 30 }
    };
    let dir = match args.dir {
        Some(dir) => dir,
        None => std::env::current_exe()?.parent().context("no folder")?.to_owned(),
    };
    let dir = tempfile::tempdir_in(dir)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let mut report = Report::new();
    type Group = fn(&std::path::Path, Size, &tokio::runtime::Runtime, &mut Report) -> Result<()>;
    let groups: [(&str, Group); 9] = [
        ("create", create::measure),
        ("read", read::small),
        ("list", read::list),
        ("change", change::measure),
        ("open", opening::open),
        ("memory", opening::memory),
        ("replay", opening::replay),
        ("large", large::measure),
        ("bucket", bucket::measure),
    ];
    for (name, group) in groups {
        if name.contains(&args.only) {
            group(&bare::folder(dir.path())?, size, &runtime, &mut report)?;
        }
    }
    Ok(())
}
