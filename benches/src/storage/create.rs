//! Small files, durably, from 16 tasks.

use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use bytes::Bytes;
use tokio::runtime::Runtime;

use crate::engine::{Engine, TASKS};
use crate::report::{Report, rate};
use crate::{Size, bare};

/// The content of a small file.
pub(crate) const CONTENT: Bytes = Bytes::from_static(&[7; 4096]);

pub(crate) fn measure(
    dir: &Path,
    size: Size,
    runtime: &Runtime,
    report: &mut Report,
) -> Result<()> {
    let disk = "the disk: 1 KiB written, flushed, renamed, 16 threads";
    report.alone((disk, "told"), size.runs, rate(size.files), {
        let size = size.files;
        Box::new(move || bare::flush_and_rename(&bare::folder(dir)?, size))
    })?;
    let goal = "0.7; 1,500/s at 5,000/s of the disk";
    let what = format!("new files of 4 KiB, durable, {TASKS} tasks");
    report.compare(
        (&what, goal),
        size.runs,
        rate(size.files),
        Box::new(|| {
            let dir = bare::folder(dir)?;
            let engine = runtime.block_on(Engine::open(&dir))?;
            runtime.block_on(engine.folder("folder"))?;
            let start = Instant::now();
            runtime.block_on(engine.all(size.files, |engine, number| async move {
                engine.put(&format!("folder/{number}"), CONTENT).await
            }))?;
            let took = start.elapsed();
            engine.store.close()?;
            Ok(took)
        }),
        Box::new(|| {
            let dir = bare::folder(dir)?;
            let bare = bare::Bare::new(&dir)?;
            let start = Instant::now();
            bare::all(size.files, |number| bare.put(&number.to_string(), &CONTENT))?;
            let took = start.elapsed();
            // Nobody pays for what the other left to be written.
            rustix::fs::syncfs(std::fs::File::open(&dir)?)?;
            Ok(took)
        }),
    )
}
