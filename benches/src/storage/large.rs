//! A large content in and out, beside `cp`, a flush, and the same digests.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bytes::Bytes;
use futures::stream;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use ocis_core::data::Body;
use ocis_storage::digest::Digester;
use tokio::runtime::Runtime;

use crate::engine::Engine;
use crate::report::{Report, throughput};
use crate::{Size, bare};

/// Bytes that come or are taken at a time.
const PIECE: usize = 64 * 1024;

pub(crate) fn measure(
    dir: &Path,
    size: Size,
    runtime: &Runtime,
    report: &mut Report,
) -> Result<()> {
    let source = dir.join("source");
    self::source(&source, size.large)?;
    let engine = runtime.block_on(Engine::open(&dir.join("store")))?;
    let mib = size.large >> 20;
    let target = dir.join("target");
    let bare = || {
        let start = Instant::now();
        ensure!(Command::new("cp").arg(&source).arg(&target).status()?.success(), "cp");
        File::open(&target)?.sync_all()?;
        bare::digests(&source)?;
        let took = start.elapsed();
        fs::remove_file(&target)?;
        Ok(took)
    };
    report.compare(
        (&format!("{mib} MiB in"), "0.8"),
        size.runs,
        throughput(size.large),
        Box::new(|| send(&engine, &source, size, runtime)),
        Box::new(&bare),
    )?;
    out(dir, size, &engine, runtime, report, bare)?;
    Ok(engine.store.close()?)
}

/// The content that came in, out again.
fn out(
    dir: &Path,
    size: Size,
    engine: &Engine,
    runtime: &Runtime,
    report: &mut Report,
    bare: impl Fn() -> Result<Duration>,
) -> Result<()> {
    let (source, mib) = (dir.join("source"), size.large >> 20);
    let out = dir.join("out");
    report.compare(
        (&format!("{mib} MiB out, to a file, flushed, digests compared"), "0.8"),
        size.runs,
        throughput(size.large),
        Box::new(|| {
            let (engine, out) = (engine.clone(), out.clone());
            runtime.block_on(runtime.spawn(async move {
                let start = Instant::now();
                let (mut body, mut digester) = (engine.get("large").await?, Digester::new());
                let mut file = File::create_new(&out)?;
                while let Some(frame) = body.frame().await {
                    let Ok(bytes) = frame?.into_data() else { continue };
                    tokio::task::block_in_place(|| {
                        digester.update(&bytes);
                        file.write_all(&bytes)
                    })?;
                }
                tokio::task::block_in_place(|| file.sync_all())?;
                std::hint::black_box(digester.finish());
                let took = start.elapsed();
                fs::remove_file(&out)?;
                Ok(took)
            }))?
        }),
        Box::new(bare),
    )?;
    report.compare(
        (&format!("{mib} MiB out, only read"), "told"),
        size.runs,
        throughput(size.large),
        Box::new(|| {
            let engine = engine.clone();
            runtime.block_on(runtime.spawn(async move {
                let (start, mut length) = (Instant::now(), 0);
                let mut body = engine.get("large").await?;
                while let Some(frame) = body.frame().await {
                    length += frame?.data_ref().map_or(0, Bytes::len) as u64;
                }
                ensure!(length == size.large, "short");
                Ok(start.elapsed())
            }))?
        }),
        Box::new(|| {
            let (mut file, mut buffer) = (File::open(&source)?, vec![0; PIECE]);
            let start = Instant::now();
            while file.read(&mut buffer)? > 0 {}
            Ok(start.elapsed())
        }),
    )
}

/// A file of `length` bytes, on the disk.
pub(crate) fn source(path: &Path, length: u64) -> Result<()> {
    let mut file = File::create_new(path)?;
    let piece: Vec<u8> = (0..PIECE).map(|n| (n * 7 % 251) as u8).collect();
    for _ in 0..length / PIECE as u64 {
        file.write_all(&piece)?;
    }
    Ok(file.sync_all()?)
}

/// Uploads a file as `large`; gives how long it took.
pub(crate) fn send(
    engine: &Engine,
    source: &Path,
    size: Size,
    runtime: &Runtime,
) -> Result<Duration> {
    let (engine, body) = (engine.clone(), body(File::open(source)?));
    runtime.block_on(runtime.spawn(async move {
        let start = Instant::now();
        engine.send("large", size.large, body).await?;
        Ok(start.elapsed())
    }))?
}

/// The content of a file as a body.
fn body(file: File) -> Body {
    let pieces = stream::try_unfold(file, |mut file| async move {
        let mut piece = vec![0; PIECE];
        let count = file.read(&mut piece).map_err(|error| {
            ocis_core::Error::internal("the source cannot be read").because(error)
        })?;
        piece.truncate(count);
        Ok((count > 0).then(|| (Frame::data(Bytes::from(piece)), file)))
    });
    StreamBody::new(pieces).boxed_unsync()
}
