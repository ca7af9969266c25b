//! Changes deep in a tree: what they cost beside few and many siblings, and how often the root of
//! the space is written.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use ocis_storage::fs::{FaultyFs, RealFs};
use tokio::runtime::Runtime;

use crate::engine::{Engine, options};
use crate::report::{Report, rate};
use crate::{Size, bare};

const DEPTH: usize = 20;
const FEW: usize = 10;

pub(crate) fn measure(
    dir: &Path,
    size: Size,
    runtime: &Runtime,
    report: &mut Report,
) -> Result<()> {
    let counted = FaultyFs::new(Arc::new(RealFs));
    let engine = Engine::open_with(Arc::new(counted.clone()), dir, options()?);
    let engine = runtime.block_on(engine)?;
    let few = runtime.block_on(deep(&engine, "few", FEW))?;
    let many = runtime.block_on(deep(&engine, "many", size.files))?;
    let plain = bare::Bare::new(&dir.join("bare"))?;
    let what = format!("changes at depth {DEPTH} beside {} siblings", size.files);
    report.compare(
        (&what, "as beside 10 (the second column)"),
        size.runs,
        rate(size.changes),
        Box::new(|| changes(&engine, &many, size.changes, runtime)),
        Box::new(|| changes(&engine, &few, size.changes, runtime)),
    )?;
    let what = format!("changes at depth {DEPTH}, 16 tasks, one space");
    report.compare(
        (&what, "1,000/s"),
        size.runs,
        rate(size.changes),
        Box::new(|| changes(&engine, &few, size.changes, runtime)),
        Box::new(|| {
            let start = Instant::now();
            bare::all(size.changes, |number| plain.replace(number % FEW, number))?;
            Ok(start.elapsed())
        }),
    )?;
    counted.start_trace();
    let (start, mut done) = (Instant::now(), 0);
    while start.elapsed() < Duration::from_secs(3) {
        changes(&engine, &few, size.changes, runtime)?;
        done += size.changes;
    }
    let took = start.elapsed().as_secs_f64();
    let root = engine.home.node.as_str();
    let tail = format!("{}.mpk.tmp", bare::pathify(root)?);
    let calls = counted.trace();
    let written =
        calls.iter().filter(|call| call.contains(" rename ") && call.ends_with(&tail)).count();
    let value = format!("{:.1}/s at {:.0} changes/s", written as f64 / took, done as f64 / took);
    report.counted(("the root of the space is written", "a few/s"), &value);
    Ok(engine.store.close()?)
}

/// Makes a chain of folders and children in the last one; gives its path.
async fn deep(engine: &Engine, name: &str, children: usize) -> Result<String> {
    let mut path = name.to_owned();
    engine.folder(&path).await?;
    for _ in 2..DEPTH {
        path.push_str("/f");
        engine.folder(&path).await?;
    }
    let folder = path.clone();
    let touch = move |engine: Engine, number| {
        let path = format!("{folder}/{number}");
        async move { engine.touch(&path).await }
    };
    engine.all(children, touch).await?;
    Ok(path)
}

fn changes(engine: &Engine, folder: &str, count: usize, runtime: &Runtime) -> Result<Duration> {
    let folder: Arc<str> = folder.into();
    let change = move |engine: Engine, number: usize| {
        let path = format!("{folder}/{}", number % FEW);
        async move { engine.mark(&path, &number.to_string()).await.context("a change") }
    };
    let start = Instant::now();
    runtime.block_on(engine.all(count, change))?;
    Ok(start.elapsed())
}
