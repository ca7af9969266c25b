//! Opening a store: after a clean stop, with many nodes, and after a kill.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tokio::runtime::Runtime;

use crate::engine::Engine;
use crate::populate::{WIDTH, populate};
use crate::report::{Report, millis, rate};
use crate::{Size, bare, child};

pub(crate) fn open(dir: &Path, size: Size, runtime: &Runtime, report: &mut Report) -> Result<()> {
    populate(dir, size.nodes, runtime)?;
    let what = format!("open a store of {} nodes after a clean stop", size.nodes);
    report.alone(
        (&what, "1,000 ms"),
        size.runs,
        millis,
        Box::new(|| {
            let start = Instant::now();
            let engine = runtime.block_on(Engine::open(dir))?;
            let took = start.elapsed();
            engine.store.close()?;
            Ok(took)
        }),
    )
}

pub(crate) fn memory(dir: &Path, size: Size, runtime: &Runtime, report: &mut Report) -> Result<()> {
    populate(dir, size.nodes, runtime)?;
    let root = dir.to_string_lossy();
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let grown = |nodes: usize, cached: usize| {
        let (nodes, cached) = (nodes.to_string(), cached.to_string());
        let (mut process, line) = child::start(&["list", &root, &nodes, &cached])?;
        process.wait()?;
        let mut numbers = line.split_whitespace().map(str::parse::<u64>);
        let mut next = || numbers.next().context("no figure");
        let (before, after) = (next()??, next()??);
        Ok::<_, anyhow::Error>((before, after.saturating_sub(before)))
    };
    let (empty, _) = grown(0, size.nodes * 4)?;
    let what = format!("memory of a process with {} nodes just opened", size.nodes);
    report.counted((&what, "not proportional"), &format!("{:.1} MiB", mib(empty)));
    for nodes in [size.nodes / 10, size.nodes] {
        let (_, growth) = grown(nodes, size.nodes * 4)?;
        let each = growth as f64 / nodes as f64;
        let value = format!("{each:.0} bytes a node, {:.1} MiB", mib(growth));
        report.counted((&format!("memory of {nodes} nodes and their names"), "told"), &value);
    }
    let limit = size.nodes / 10;
    let (_, growth) = grown(size.nodes, limit)?;
    let what = format!("memory of {} nodes listed, `cached_nodes` {limit}", size.nodes);
    report.counted((&what, "bounded"), &format!("{:.1} MiB", mib(growth)));
    ensure!(size.nodes <= WIDTH || size.nodes.is_multiple_of(WIDTH), "folders of one size");
    Ok(())
}

pub(crate) fn replay(dir: &Path, size: Size, runtime: &Runtime, report: &mut Report) -> Result<()> {
    // As many as fit into a journal that no checkpoint emptied.
    let records = size.files;
    let replayed = |root: &Path| {
        let start = Instant::now();
        let engine = runtime.block_on(Engine::open(root))?;
        let took = start.elapsed();
        let count = runtime.block_on(engine.list(""))?;
        ensure!(count == records, "{count} files");
        engine.store.close()?;
        Ok::<_, anyhow::Error>(took)
    };
    let (mut killed, mut lost) = (Vec::new(), Vec::new());
    for _ in 0..size.runs {
        let root = bare::folder(dir)?;
        let path = root.to_string_lossy();
        let (mut process, _) = child::start(&["write", &path, &records.to_string()])?;
        process.kill()?;
        process.wait()?;
        // Of another store only the journal is left: as if nothing else had reached the disk.
        let left = bare::folder(dir)?;
        let ours = Path::new(".ocis-rs").join("journal");
        fs::create_dir_all(left.join(&ours))?;
        for entry in fs::read_dir(root.join(&ours))? {
            let entry = entry?;
            fs::copy(entry.path(), left.join(&ours).join(entry.file_name()))?;
        }
        rustix::fs::syncfs(fs::File::open(dir)?)?;
        killed.push(replayed(&root)?);
        lost.push(replayed(&left)?);
    }
    let mut line = |what: &str, goal: &str, times: Vec<Duration>| {
        let mut times = times.into_iter();
        let next = || times.next().context("no run");
        report.alone((what, goal), size.runs, rate(records), Box::new(next))
    };
    line("records replayed after a kill", "10,000/s", killed)?;
    line("records replayed where nothing else is left", "told", lost)
}
