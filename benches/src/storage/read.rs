//! Contents and listings that are in memory, and a listing that is not.

use std::path::Path;
use std::time::Instant;

use anyhow::{Result, ensure};
use tokio::runtime::Runtime;

use crate::create::CONTENT;
use crate::engine::Engine;
use crate::report::{Report, each, millis};
use crate::{Size, bare};

/// How often each file is read.
const TIMES: usize = 3;

pub(crate) fn small(dir: &Path, size: Size, runtime: &Runtime, report: &mut Report) -> Result<()> {
    let engine = runtime.block_on(Engine::open(dir))?;
    let files = 1000.min(size.files);
    runtime.block_on(engine.all(files, |engine, number| async move {
        engine.put(&number.to_string(), CONTENT).await
    }))?;
    let mut blobs = Vec::new();
    bare::files(&dir.join("spaces"), "", &mut blobs)?;
    blobs.retain(|path| path.components().any(|part| part.as_os_str() == "blobs"));
    ensure!(blobs.len() == files, "{} contents", blobs.len());
    report.compare(
        ("content of 4 KiB, warm", "0.5"),
        size.runs,
        each(files * TIMES),
        Box::new(|| {
            // On a worker, as requests are: `block_on` would change threads at every await.
            let engine = engine.clone();
            runtime.block_on(runtime.spawn(async move {
                let start = Instant::now();
                for number in (0..files).cycle().take(files * TIMES) {
                    ensure!(engine.read(&number.to_string()).await? == CONTENT.len(), "short");
                }
                Ok(start.elapsed())
            }))?
        }),
        Box::new(|| {
            let mut buffer = vec![0; CONTENT.len()];
            let start = Instant::now();
            for path in blobs.iter().cycle().take(files * TIMES) {
                ensure!(bare::read(path, &mut buffer)? == CONTENT.len(), "short");
            }
            Ok(start.elapsed())
        }),
    )?;
    Ok(engine.store.close()?)
}

pub(crate) fn list(dir: &Path, size: Size, runtime: &Runtime, report: &mut Report) -> Result<()> {
    let engine = runtime.block_on(Engine::open(dir))?;
    runtime.block_on(engine.folder("folder"))?;
    runtime.block_on(engine.all(size.files, |engine, number| async move {
        engine.touch(&format!("folder/{number}")).await
    }))?;
    engine.store.close()?;
    drop(engine);
    let engine = runtime.block_on(Engine::open(dir))?;
    let listed = |engine: &Engine| {
        let engine = engine.clone();
        runtime.block_on(runtime.spawn(async move {
            let start = Instant::now();
            let count = engine.list("folder").await?;
            ensure!(count == size.files, "{count} children");
            Ok(start.elapsed())
        }))?
    };
    listed(&engine)?;
    let what = format!("list {} children, warm", size.files);
    report.alone((&what, "10 ms"), size.runs, millis, Box::new(|| listed(&engine)))?;
    engine.store.close()?;
    drop(engine);
    let mut metadata = Vec::new();
    bare::files(&dir.join("spaces"), ".mpk", &mut metadata)?;
    let what = format!("list {} children, cold", size.files);
    report.compare(
        (&what, "0.33"),
        size.runs,
        millis,
        Box::new(|| {
            let engine = runtime.block_on(Engine::open(dir))?;
            let took = listed(&engine);
            engine.store.close()?;
            took
        }),
        Box::new(|| {
            let mut buffer = vec![0; 4096];
            let start = Instant::now();
            for path in &metadata {
                ensure!(bare::read(path, &mut buffer)? > 0, "empty");
            }
            Ok(start.elapsed())
        }),
    )
}
